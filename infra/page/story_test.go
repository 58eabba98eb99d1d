package page

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/report"
)

// oneOrder are books that hold one order, sold in US dollars, with refunds of 10 USD and of 9,000 JPY in one case.
type oneOrder struct{ Books }

func (oneOrder) Currencies(context.Context, report.LeakageQuery) ([]string, error) {
	return []string{"JPY", "USD"}, nil
}

func (oneOrder) Order(context.Context, string, report.AsOf) (*report.Story, error) {
	refund := func(id, currency, amount string) report.StoryEvent {
		return report.StoryEvent{Source: "/till", ID: id, Type: "makegood.refund.issued.v1", ErrorID: "c1",
			Data: json.RawMessage(`{"refund_id":"` + id + `","currency":"` + currency + `","net":"` + amount + `"}`),
			Lines: []report.StoryLine{
				{Account: "4100", Name: "returns", Element: "REFUND", Basis: "CASH", Amount: amount, Currency: currency},
				{Account: "1010", Name: "clearing", Basis: "CASH", Amount: "-" + amount, Currency: currency},
			}}
	}
	double := refund("r3", "USD", "10.0000")
	double.Lines, double.Standing, double.Of = nil, "double", &report.EventName{Source: "/till", ID: "r1"}
	yen := refund("r2", "JPY", "9000.0000")
	yen.Flags = []report.StoryFlag{{Code: "over_refunded", Amount: "9000.0000", Currency: "JPY"}}
	const none = "0.0000"
	return &report.Story{OrderID: "o1", StoreID: "s1", Currency: "USD", PerfectContribution: "36.5700",
		Contribution: "24.5700", CustomerChanges: "-2.0000", Gross: "10.0000", Net: "10.0000", Hidden: none,
		ChangedMind: none, Unfounded: none,
		Others: []report.StoryFigures{{Currency: "JPY", PerfectContribution: none, Contribution: "-9000.0000",
			CustomerChanges: none, Gross: "9000.0000", Net: "9000.0000", Hidden: none, ChangedMind: none, Unfounded: none}},
		Cases:  []report.Case{{ErrorID: "c1", Kind: "late", Category: "external", Founded: true}},
		Events: []report.StoryEvent{refund("r1", "USD", "10.0000"), yen, double}}, nil
}

func (oneOrder) Leakage(_ context.Context, q report.LeakageQuery) (*report.Leakage, error) {
	if q.Currency == "" {
		return nil, &report.SeveralCurrenciesError{Currencies: []string{"JPY", "USD"}}
	}
	net := map[string]string{"USD": "10.0000", "JPY": "9000.0000"}[q.Currency]
	return &report.Leakage{Currency: q.Currency, Totals: report.LeakageFigures{Gross: net, Net: net, Booked: net,
		Hidden: "0.0000", Recoveries: "0.0000", Cases: 1, Orders: 1}}, nil
}

func (oneOrder) SaidTwice(context.Context, int) (doubles, contradictions []report.SaidTwice, err error) {
	said := report.SaidTwice{Source: "/till", ID: "r3", Type: "makegood.refund.issued.v1", OrderID: "o1", ErrorID: "c1",
		OfSource: "/till", OfID: "r1"}
	return []report.SaidTwice{said}, []report.SaidTwice{said}, nil
}

func (oneOrder) Flagged(context.Context, int) ([]report.Flagged, error) {
	return []report.Flagged{{Code: "over_refunded", OrderID: "o1", Source: "/till", ID: "r2", Amount: "9000.0000",
		Currency: "JPY"}}, nil
}

// TestEveryAmountHasItsCurrency: an order in one currency with costs in another shows both, each by itself.
func TestEveryAmountHasItsCurrency(t *testing.T) {
	p, get := pageOf(t, oneOrder{}, func() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) })
	defer p.Close()
	for _, c := range []struct {
		path     string
		has, not []string
	}{
		{"/order?id=o1&currency=USD", []string{"<strong>10.00 USD</strong> net, and besides <strong>9,000.00 JPY</strong>",
			"Net cost in JPY", "all of the USD is in the report", "nobody reported it",
			"Brought by the customer's own changes", "By 9000.0000 JPY.",
			"This event says what another event says, and posts nothing</strong>: see <a"}, []string{"9,010"}},
		{"/order?id=o1&currency=JPY", []string{"all of the JPY is in the report"}, []string{"9,010"}},
		{"/event?within=order&of=o1&source=/till&id=r2", []string{"It cost <strong>9,000.00 JPY</strong>"}, []string{"USD"}},
		{"/cases?currency=USD", []string{"Costs in other currencies are not in these numbers:",
			`href="/cases?currency=JPY&amp;from=2026-03-01&amp;through=2026-03-14">JPY</a>`}, nil},
		{"/doubts?currency=USD", []string{"are together more than was paid", `<span class="sub">00</span></data> JPY`,
			"/event?currency=USD&amp;from=2026-03-01&amp;id=r1&amp;of=o1&amp;source=%2Ftill"}, nil},
	} {
		answer := get(c.path)
		body := strings.ReplaceAll(answer.Body.String(), thin, " ")
		if answer.Code != http.StatusOK {
			t.Errorf("%s: %d\n%s", c.path, answer.Code, body)
		}
		for _, text := range c.has {
			if !strings.Contains(body, text) {
				t.Errorf("%s doesn't say %q:\n%s", c.path, text, body)
			}
		}
		for _, text := range c.not {
			if strings.Contains(body, text) {
				t.Errorf("%s says %q", c.path, text)
			}
		}
	}
}
