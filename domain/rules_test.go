package domain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestPostingRulesTouchTheWholeTable: the units that tell one set of rules from another use every account, element,
// step and standing there is, every flag that one order can have, and ask for every rate.
func TestPostingRulesTouchTheWholeTable(t *testing.T) {
	accounts, elements, steps, standings := map[Account]bool{}, map[Element]bool{}, map[Step]bool{}, map[Standing]bool{}
	flags := map[string]bool{}
	var missing []string
	for _, told := range probeUnits() {
		for _, rates := range []*Rates{probeRates(), NewRates()} {
			s, err := settleProbe(rates, told)
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Events {
				for _, l := range s.Events[i].Lines {
					accounts[l.Account], elements[l.Element], steps[l.Step] = true, true, true
				}
				standings[s.Events[i].Standing] = true
				missing = append(missing, s.Events[i].Unpriced...)
			}
			for _, f := range s.Flags {
				flags[f.Code] = true
			}
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
	for i, name := range Steps() {
		if i != 0 && !steps[Step(i)] {
			t.Errorf("nothing has step %q", name)
		}
	}
	for i, name := range Standings() {
		if Standing(i) != Copied && !standings[Standing(i)] {
			t.Errorf("nothing is %s", name)
		}
	}
	for _, f := range FlagCodes() {
		if f.Code != CaseUnderTwoOrders && !flags[f.Code] {
			t.Errorf("nothing is flagged as %s", f.Code)
		}
	}
	for _, name := range RateNames() {
		if !slices.ContainsFunc(missing, func(m string) bool { return strings.HasPrefix(m, name+":") }) {
			t.Errorf("nothing asks for %s", name)
		}
	}
	if PostingRules() == 0 {
		t.Error("the rules have the number of rules that aren't known")
	}
}

// TestWhatAsksForNoRate posts the same with any rates: else a rebuild would pass over what a rate changes.
func TestWhatAsksForNoRate(t *testing.T) {
	for _, d := range probes() {
		var posted [2]string
		var rated [2]bool
		for i, rates := range []*Rates{probeRates(), NewRates()} {
			s, err := settleProbe(rates, []Data{d})
			if err != nil {
				t.Fatal(err)
			}
			posted[i], rated[i] = fmt.Sprint(s.Events[0].Lines, s.Events[0].Unpriced), s.Events[0].Rated
		}
		if rated[0] != rated[1] || rated[0] != (posted[0] != posted[1]) {
			t.Errorf("%+v: asks for rates %t and %t, posts\n%s\n%s", d, rated[0], rated[1], posted[0], posted[1])
		}
	}
}
