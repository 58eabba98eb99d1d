package domain

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// TestPostingRulesTouchTheWholeTable: the events that tell one set of rules from another are of every type that there is of
// those that post, use every account of the posting table, and ask for every rate.
func TestPostingRulesTouchTheWholeTable(t *testing.T) {
	types, accounts, elements := map[string]bool{}, map[Account]bool{}, map[Element]bool{}
	var missing []string
	var entry Entry
	for _, d := range probes() {
		types[reflect.TypeOf(d).Elem().Name()] = true
		e := &Event{Currency: "EUR", Time: probed, Data: d}
		for _, rates := range []*Rates{probeRates(), NewRates()} {
			if err := Post(e, rates, Position{Stream: Books, Offset: 100}, &entry); err != nil {
				t.Fatal(err)
			}
			for _, l := range entry.Lines {
				accounts[l.Account], elements[l.Element] = true, true
			}
			missing = append(missing, entry.Unpriced...)
		}
	}
	for _, a := range Chart() {
		if !accounts[a.Account] {
			t.Errorf("nothing is posted to %d %s", a.Account, a.Name)
		}
	}
	for i, name := range Elements() {
		if !elements[Element(i)] {
			t.Errorf("nothing has element %q", name)
		}
	}
	for _, name := range RateNames() {
		if !slices.ContainsFunc(missing, func(m string) bool { return len(m) > len(name) && m[:len(name)] == name }) {
			t.Errorf("nothing asks for %s", name)
		}
	}
	for _, posts := range []string{"OrderPlaced", "OrderCancelled", "ErrorReported", "GoodsScrapped", "RedeliveryDispatched", "RedeliveryCompleted", "LabourSpent", "RefundIssued",
		"ConcessionGranted", "VoucherRedeemed", "VoucherExpired", "ReturnReceived", "SalvageSold", "DisputeOpened", "DisputeWon", "DisputeLost", "MarketplaceCharged",
		"ClaimAccepted", "ClaimSettled", "QualitySpent", "EventVoided"} {
		if !types[posts] {
			t.Errorf("no %s is among them", posts)
		}
	}
	if PostingRules() == 0 {
		t.Error("the rules have the number of rules that aren't known")
	}
}

// TestWhatAsksForNoRate posts the same with any rates: else a rebuild would pass over what a rate changes.
func TestWhatAsksForNoRate(t *testing.T) {
	var entry Entry
	for _, d := range probes() {
		e := &Event{Currency: "EUR", Time: probed, Data: d}
		var posted [2]string
		var rated [2]bool
		for i, rates := range []*Rates{probeRates(), NewRates()} {
			if err := Post(e, rates, Position{Stream: Books, Offset: 100}, &entry); err != nil {
				t.Fatal(err)
			}
			posted[i], rated[i] = fmt.Sprint(entry.Lines, entry.Unpriced), entry.Rated
		}
		if rated[0] != rated[1] || rated[0] != (posted[0] != posted[1]) {
			t.Errorf("%+v: asks for rates %t and %t, posts\n%s\n%s", d, rated[0], rated[1], posted[0], posted[1])
		}
	}
}
