package domain

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
	"time"
)

// PostingRules identifies the rules that Post follows: a fingerprint of what they make of events that touch every line of
// the posting table, with rates and without. What other rules posted, a rebuild posts anew; nobody has to remember to say
// that they changed. It is never 0.
func PostingRules() uint32 { return postingRules() }

var postingRules = sync.OnceValue(func() uint32 {
	sum := fnv.New32a()
	put := func(n ...int64) {
		for _, n := range n {
			sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) // never fails
		}
	}
	var entry Entry
	for _, rates := range []*Rates{probeRates(), NewRates()} {
		for _, d := range probes() {
			e := &Event{Type: TypeOf(d), Currency: "EUR", Time: probed, OrderID: "o", ErrorID: "e", Data: d}
			if err := Post(e, rates, Position{Stream: Books, Offset: 100}, &entry); err != nil {
				put(-1)
				continue
			}
			put(int64(len(entry.Lines)), int64(len(entry.Unpriced)))
			if entry.Rated {
				put(-2)
			}
			for _, l := range entry.Lines {
				put(int64(l.Account), int64(l.Element), int64(l.Basis), int64(l.Amount))
			}
			for _, name := range entry.Unpriced {
				sum.Write([]byte(name))
			}
		}
	}
	return max(sum.Sum32(), 1)
})

var probed = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// probeRates are rates of every kind: for a key, for any, from another day on, in another currency, of two alike the later,
// too late, and void.
func probeRates() *Rates {
	r := NewRates()
	offset := int64(0)
	set := func(name, key, currency string, value Decimal, days int) {
		id := string(rune('a' + offset))
		r.apply(&Event{ID: id, Currency: currency, Data: &RateSet{Rate: name, Key: key, Value: value, EffectiveFrom: probed.AddDate(0, 0, days)}}, Mark{Offset: offset})
		offset++
	}
	for i, name := range RateNames() {
		value := Decimal(i+1) * 123_457
		set(name, anyKey, "EUR", value, -30)
		set(name, anyKey, "EUR", value+11, -10)
		set(name, anyKey, "EUR", value+23, 10)
		set(name, "known", "EUR", value+31, -20)
		set(name, "known", "EUR", value+37, -20)
		set(name, "known", "USD", value+41, -1)
	}
	set(LabourHour, "void", "EUR", 7_000_000, -1)
	r.apply(&Event{ID: "of", Data: &EventVoided{ID: string(rune('a' + offset - 1)), Original: &Event{Data: &RateSet{}}}}, Mark{Offset: offset})
	offset = 200
	set(LabourHour, anyKey, "EUR", 9_000_000, -1)
	return r
}
