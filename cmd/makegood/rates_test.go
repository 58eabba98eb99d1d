package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestExampleRates: the example that people begin with is one that can be loaded.
func TestExampleRates(t *testing.T) {
	rates, err := readRates(bytes.NewReader(exampleRates))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, r := range rates {
		found[r.name+" "+r.key+" "+r.currency+" "+r.from] = r.value.String()
	}
	for rate, want := range map[string]string{"labour_hour agent USD 2026-01-01": "34", "item_cost BRG-6204-2RS USD 2026-01-01": "3.8714",
		"voucher_redemption voucher  2026-01-01": "0.8", "fleet_hour * EUR 2026-03-01": "55"} {
		if found[rate] != want {
			t.Errorf("%s is %q, not %s", rate, found[rate], want)
		}
	}
	// An event is made of what the rate says alone.
	load := ratesLoad{actorFlags: actorFlags{Actor: "ann"}}
	a, err := load.event(rates[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := load.event(rates[0], 0)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("one rate, two events (%v):\n%s\n%s", err, a, b)
	}
	if c, err := load.event(rates[0], 1); err != nil || bytes.Equal(a, c) {
		t.Errorf("a rate that is set back is the event of the first time (%v)", err)
	}
}

// TestBadRates: everything that is wrong is said, with its line.
func TestBadRates(t *testing.T) {
	_, err := readRates(strings.NewReader(`currency: usd
effective_from: yesterday
labour_hour:
  agent: 1.1234567
  driver: -3
  agents: [1]
labor_hour: {a: 1}
voucher_redemption: {"*": 80}
---
effective_from: 2026-01-01
fleet_km: {"*": 1}
---
currency: EUR
effective_from: 2026-01-01
fleet_km: {"*": 1}
---
currency: EUR
effective_from: 2026-01-01T00:00:00Z
fleet_km: {"*": 2}
`))
	for _, want := range []string{"line 1: currency", "line 2: effective_from", `line 4: labour_hour of "agent"`, `line 5: labour_hour of "driver"`, "line 6: ",
		`line 7: "labor_hour"`, "line 8: voucher_redemption", "line 11: fleet_km is money", "line 19: fleet_km of \"*\" from 2026-01-01T00:00:00Z is set on line 15"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q isn't said: %v", want, err)
		}
	}
	for _, text := range []string{"", "currency: USD\n", "- 1\n", "a: [", "\x00"} {
		if _, err := readRates(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
