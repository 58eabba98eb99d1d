package main

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/insight"
)

// TestAmountsHaveTheirCurrency: in every answer that openapi.yaml describes, an amount has a currency beside it, or in
// the object around it that it is one of the figures of. Where an object may name a currency of its own, it always
// does: else nobody could tell whether it is that of the object around it.
func TestAmountsHaveTheirCurrency(t *testing.T) {
	t.Parallel()
	o := readOpenAPI(t)
	amounts := 0
	for path, methods := range o.document["paths"].(map[string]any) {
		for method := range methods.(map[string]any) {
			responses, place := o.at("paths", path, method, "responses")
			all, _ := responses.(map[string]any)
			for status := range all {
				for _, kind := range []string{"application/json", "application/problem+json"} {
					amounts += o.hold(append(slices.Clone(place), status, "content", kind, "schema"), "")
				}
			}
		}
	}
	if amounts < 100 {
		t.Errorf("the walk came by %d amounts", amounts)
	}
}

// hold walks what a place describes, and says how many amounts it came by. around is which object around it always
// names a currency; empty where none does.
func (o *openAPI) hold(place []string, around string) int {
	o.Helper()
	schema, place := o.at(place...)
	described, is := schema.(map[string]any)
	if !is {
		return 0
	}
	amounts := 0
	for _, of := range []string{"oneOf", "anyOf", "allOf"} {
		some, _ := described[of].([]any)
		for _, one := range some {
			if ref, is := one.(map[string]any)["$ref"].(string); is {
				amounts += o.hold(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), around)
			}
		}
	}
	if described["items"] != nil {
		amounts += o.hold(append(slices.Clone(place), "items"), around)
	}
	properties, _ := described["properties"].(map[string]any)
	required, _ := described["required"].([]any)
	where, names := strings.Join(place, "/"), properties["currency"] != nil
	if names && slices.Contains(required, any("currency")) {
		around = where
	} else if names {
		around = ""
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		member := append(slices.Clone(place), "properties", name)
		if o.isAmount(member) {
			amounts++
			if around == "" {
				o.Errorf("%s of %s has no currency", name, where)
			}
			continue
		}
		amounts += o.hold(member, around)
	}
	return amounts
}

// isAmount reports whether a member is money: an amount, or one that may be null.
func (o *openAPI) isAmount(place []string) bool {
	schema, at := o.at(place...)
	described, is := schema.(map[string]any)
	if !is {
		return false
	}
	for _, name := range []string{"Amount", "Cents"} {
		if slices.Equal(at, []string{"components", "schemas", name}) {
			return true
		}
	}
	some, _ := described["oneOf"].([]any)
	for _, one := range some {
		ref, _ := one.(map[string]any)["$ref"].(string)
		if strings.HasSuffix(ref, "/Amount") || strings.HasSuffix(ref, "/Cents") {
			return true
		}
	}
	return false
}

// TestQuestionsWithMoneyHaveACurrency: a question that asks for none has no money in its tables.
func TestQuestionsWithMoneyHaveACurrency(t *testing.T) {
	t.Parallel()
	for _, q := range insight.Questions() {
		columns := slices.Clone(q.Columns)
		for _, p := range q.Parts {
			columns = append(columns, p.Columns...)
		}
		for _, c := range columns {
			if q.Plain && (c.Unit == insight.Money || c.Unit == insight.Price) {
				t.Errorf("%s has %s of %s, and no currency", q.Name, c.Name, c.Unit)
			}
		}
	}
}

// tablesAsked are the questions that TestTablesHaveTheirCurrency asks of each path that answers as CSV.
func tablesAsked() map[string][]url.Values {
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}
	with := func(more ...string) url.Values {
		q := maps.Clone(january)
		for i := 0; i < len(more); i += 2 {
			q[more[i]] = []string{more[i+1]}
		}
		return q
	}
	statement := func(more ...string) url.Values {
		q := url.Values{"period": {"2026-01"}}
		for i := 0; i < len(more); i += 2 {
			q[more[i]] = []string{more[i+1]}
		}
		return q
	}
	all := map[string][]url.Values{
		"/v1/reports/leakage": {with("currency", "USD", "group_by", "store,element"), with("currency", "EUR"),
			with("currency", "JPY", "group_by", "case")},
		"/v1/reports/changes": {{"since_close": {"2026-01"}}},
		"/v1/journal":         {with(), with("format", "quickbooks"), with("detail", "events", "every", "day")},
		"/v1/statement": {statement("store", "s1", "part", "accounts"), statement("store", "s1", "part", "cases"),
			statement("vendor", "v1", "part", "accounts"), statement("vendor", "v1", "part", "cases"),
			statement("store", "s1"), statement("vendor", "v1", "period_by", "occurred")},
		"/v1/audit":    {{"from": {"2026-01-01"}}},
		"/v1/unpriced": {{}}, "/v1/doubles": {{}}, "/v1/flags": {{}},
	}
	for _, q := range insight.Questions() {
		of := with()
		if !q.Plain {
			of.Set("currency", "USD")
		}
		for _, p := range q.Params {
			if p.Must {
				of.Set(p.Name, "v1")
			}
		}
		asked := []url.Values{of}
		for _, p := range q.Parts {
			part := maps.Clone(of)
			part.Set("part", p.Name)
			asked = append(asked, part)
		}
		all["/v1/"+q.Name] = asked
	}
	return all
}

// TestTablesHaveTheirCurrency: in every table that is answered as CSV, a row with an amount names its currency. The
// books are those of which TestOpenAPIOfAnswers holds the answers, with an order in yen.
func TestTablesHaveTheirCurrency(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	o := readOpenAPI(t)
	o.fill(c)
	mustPost(t, c, event("j", "order.placed", "2026-01-10T09:00:00Z", "o8", `{"order_id":"o8","store_id":"s1",`+
		`"currency":"JPY","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"9000","unit_cost":"6000"}]}`))
	mustPost(t, c, event("j-r", "refund.issued", "2026-01-11T09:00:00Z", "o8", `{"order_id":"o8","store_id":"s1",`+
		`"error_id":"e8","refund_id":"r8","currency":"JPY","net":"500"}`))
	mustCatchUp(t, c)
	asked, amounts := tablesAsked(), 0
	for path := range o.document["paths"].(map[string]any) {
		content, _ := o.at("paths", path, "get", "responses", "200", "content")
		if media, _ := content.(map[string]any); media["text/csv"] == nil {
			continue
		}
		if len(asked[path]) == 0 {
			t.Errorf("%s answers as CSV, and nothing is asked of it", path)
		}
		for _, query := range asked[path] {
			if query.Get("format") == "" {
				query.Set("format", "csv")
			}
			what := path + "?" + query.Encode()
			amounts += amountsInTable(t, what, readCSV(t, answered(t, c, path, query)))
		}
	}
	if amounts < 100 {
		t.Errorf("the tables have %d amounts", amounts)
	}
}

// inMoney are the headings of columns of amounts whose cells have the decimals of their currency.
var inMoney = []string{"debit", "credit", "debits", "credits", "amount"}

// amountsInTable says how many amounts a table has, and fails where one has no currency in its row.
func amountsInTable(t *testing.T, what string, rows [][]string) int {
	t.Helper()
	if len(rows) == 0 {
		t.Errorf("%s answers nothing", what)
		return 0
	}
	of := func(heading string) string { return strings.ToLower(strings.TrimLeft(heading, "*")) }
	amount := regexp.MustCompile(`^-?[0-9]+\.[0-9]{4}$`)
	currency := slices.IndexFunc(rows[0], func(heading string) bool { return strings.Contains(of(heading), "currency") })
	amounts := 0
	for _, row := range rows[1:] {
		for i, cell := range row {
			if !amount.MatchString(cell) && (cell == "" || !slices.Contains(inMoney, of(rows[0][i]))) {
				continue
			}
			amounts++
			if zero := strings.Trim(cell, "-0.") == ""; !zero && (currency < 0 || row[currency] == "") {
				t.Errorf("%s: %s of %q has no currency: %q", what, cell, rows[0][i], rows[0])
				return amounts
			}
		}
	}
	return amounts
}
