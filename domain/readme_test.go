package domain

import (
	"os"
	"strings"
	"testing"
)

// TestContractAndCodeAgree: every event, account, element, basis and rate that the code knows stands in the contract.
func TestContractAndCodeAgree(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	contract := string(text)
	for _, e := range Types() {
		name := e.Name()
		if !strings.Contains(contract, name) && !strings.Contains(contract, "/ "+name) {
			t.Errorf("the contract doesn't know the event %s", name)
		}
	}
	for _, a := range Chart() {
		if !strings.Contains(contract, a.Name) {
			t.Errorf("the contract doesn't know the account %d %s", a.Account, a.Name)
		}
	}
	for _, names := range [][]string{
		Elements()[1:], Bases()[1:], SettableRates(), Streams(), Kinds(), NoFailures(), RootCauses(), Parties(), Severities(),
		FoundWhen(), Detectors(), Changers(), LineKinds(), TenderMethods(), ChargeKinds(), Conditions(), Modes(),
		ConcessionKinds(),
		ReturnedAs(), Grades(), Claimants(), ClaimEnds(), QualityCategories(),
	} {
		for _, name := range names {
			if !strings.Contains(contract, name) {
				t.Errorf("the contract doesn't know %s", name)
			}
		}
	}
}
