package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
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
	for rate, want := range map[string]string{"labour_hour agent USD 2026-01-01": "34",
		"item_cost BRG-6204-2RS USD 2026-01-01":  "3.8714",
		"voucher_redemption voucher  2026-01-01": "0.8", "fleet_hour * EUR 2026-03-01": "55",
		"exchange_rate EUR USD 2026-03-01": "1.085", "exchange_rate EUR USD 2026-04-01": "1.0912"} {
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
---
currency: USD
effective_from: 2026-01-01T06:00:00-05:00
exchange_rate:
  "*": 1.1
  euro: 1.1
  USD: 1
  EUR: 0
  GBP: -1
  CHF: 1.1
---
currency: ZZZ
effective_from: 2026-01-01
`))
	for _, want := range []string{"line 1: currency", "line 2: effective_from", `line 4: labour_hour of "agent"`,
		`line 5: labour_hour of "driver"`, "line 6: ",
		`line 7: "labor_hour"`, "line 8: voucher_redemption", "line 11: fleet_km is money",
		"line 19: fleet_km of \"*\" from 2026-01-01T00:00:00Z is set on line 15",
		`line 24: exchange_rate of "*"`, `line 25: exchange_rate of "euro"`, `line 26: exchange_rate of "USD"`,
		`line 27: exchange_rate of "EUR": 0`, `line 28: exchange_rate of "GBP"`,
		`line 29: exchange_rate of "CHF": it holds for whole days`, "line 31: currency"} {
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

// FuzzExchangeRates: whatever a file says, what is read of it as an exchange rate is one that the books take, but for
// years that they don't know.
func FuzzExchangeRates(f *testing.F) {
	f.Add([]byte(exampleRates))
	for _, list := range []string{"EUR: 1.085", `"*": 1`, "USD: 1", "EUR: 0", "EUR: 0e3", "EUR: -1", "EUR: .inf",
		"EUR: 1e-6", "EUR: 1e-7", "JPY: 0.000001", "EUR: 1e12", "EUR: 1_000", "EUR: 0x10", "eur: 1", "XXX: 1", "CNH: 1",
		"? [EUR]\n: 1"} {
		f.Add([]byte("currency: USD\neffective_from: 2026-01-01\nexchange_rate:\n  " + list + "\n"))
	}
	for _, from := range []string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00.000000001Z",
		"1969-12-31", "0001-01-01", "2149-01-01"} {
		f.Add([]byte("currency: USD\neffective_from: " + from + "\nexchange_rate: {EUR: 1.1}\n"))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		rates, err := readRates(bytes.NewReader(file))
		if err != nil {
			return
		}
		load := ratesLoad{actorFlags: actorFlags{Actor: "ann", Reason: "month end"}}
		for _, r := range rates {
			if r.name != domain.ExchangeRate {
				continue
			}
			if r.value <= 0 || r.key == r.currency || !wire.IsCurrency(r.key) || !wire.IsCurrency(r.currency) {
				t.Fatalf("taken: %+v", r)
			}
			event, err := load.event(r, 0)
			if err != nil {
				t.Fatal(err)
			}
			envelope, err := new(wire.Decoder).Structured(event)
			if year := r.effective.UTC().Year(); year < 1970 || year > 2148 {
				continue
			}
			if err != nil {
				t.Fatalf("read from a file, and refused by the books: %v\n%s", err, event)
			}
			if d := envelope.Event.Data.(*domain.RateSet); d.Value != r.value || d.Key != r.key ||
				envelope.Event.Currency != r.currency || !d.EffectiveFrom.Equal(r.effective) {
				t.Fatalf("%+v became %+v", r, d)
			}
		}
	})
}
