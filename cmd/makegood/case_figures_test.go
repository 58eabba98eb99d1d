package main

import (
	"strconv"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/report"
)

// currencyAnd is what a figure is called: what is not in dollars has its currency in front.
func currencyAnd(currency, figure string) string {
	if currency == "USD" || currency == "" {
		return figure
	}
	return currency + " " + figure
}

// figuresByOrder are the numbers of all orders as the views have them, and the balances of their accounts.
func figuresByOrder(t *testing.T, app *server.App) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	add := func(order, currency, figure, amount string) {
		if all[order] == nil {
			all[order] = map[string]string{}
		}
		all[order][currencyAnd(currency, figure)] = amount
	}
	rows, err := app.Store.DB.Query(t.Context(), `SELECT order_id, currency, toDecimalString(perfect_contribution, 4),
		toDecimalString(contribution, 4), toDecimalString(customer_changes, 4), toDecimalString(gross, 4),
		toDecimalString(net, 4), toDecimalString(hidden, 4), toDecimalString(changed_mind, 4),
		toDecimalString(unfounded, 4) FROM orders WHERE currency != ''`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := []string{"perfect_contribution", "contribution", "customer_changes", "gross", "net", "hidden", "changed_mind",
		"unfounded"}
	for rows.Next() {
		var order, currency string
		var f [8]string
		if err := rows.Scan(&order, &currency, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7]); err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			add(order, currency, name, f[i])
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	balances, err := app.Store.DB.Query(t.Context(), `SELECT order_id, currency, account, toDecimalString(sum(amount), 4)
		FROM journal GROUP BY order_id, currency, account`)
	if err != nil {
		t.Fatal(err)
	}
	defer balances.Close()
	for balances.Next() {
		var order, currency, account, amount string
		if err := balances.Scan(&order, &currency, &account, &amount); err != nil {
			t.Fatal(err)
		}
		add(order, currency, account, amount)
	}
	if err := balances.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// flagsByOrder are what can't be right: under its code the amount, and under the code and "flags" how many there are.
func flagsByOrder(t *testing.T, c *client) map[string]map[string]string {
	t.Helper()
	var answer struct{ Flags []report.Flagged }
	if err := c.get(t.Context(), "/v1/flags", nil, &answer); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, f := range answer.Flags {
		if all[f.OrderID] == nil {
			all[f.OrderID] = map[string]string{}
		}
		n, _ := strconv.Atoi(all[f.OrderID]["flags "+f.Code])
		all[f.OrderID]["flags "+f.Code] = strconv.Itoa(n + 1)
		all[f.OrderID][currencyAnd(f.Currency, f.Code)] = f.Amount
	}
	return all
}

// orderFigures are the numbers of an order as the API tells them.
func orderFigures(t *testing.T, c *client, order string) map[string]string {
	t.Helper()
	var answer map[string]any
	if err := c.get(t.Context(), "/v1/orders/"+order, nil, &answer); err != nil {
		t.Fatal(err)
	}
	figures := map[string]string{}
	add := func(currency string, of map[string]any) {
		for name, value := range of {
			if text, is := value.(string); is {
				figures[currencyAnd(currency, name)] = text
			}
		}
	}
	own, _ := answer["currency"].(string)
	add(own, answer)
	others, _ := answer["other_currencies"].([]any)
	for _, other := range others {
		if of, is := other.(map[string]any); is {
			currency, _ := of["currency"].(string)
			add(currency, of)
		}
	}
	return figures
}

// sameAmount compares amounts as numbers; none is zero. Test values are small enough for floats.
func sameAmount(have, want string) bool {
	number := func(text string) float64 {
		if text == "" {
			return 0
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return -1e18
		}
		return n
	}
	d := number(have) - number(want)
	return d < 1e-9 && d > -1e-9
}
