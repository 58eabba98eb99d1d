package reference

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"
)

// tape writes records by hand: each call is one event, recorded in the order of calls.
type tape struct{ records []Record }

// add records an event with the data given as JSON. ids are "e1", "e2", … unless the name says otherwise.
func (tp *tape) add(kind, at, data string) string {
	return tp.addAs(fmt.Sprintf("e%d", len(tp.records)+1), kind, at, data)
}

func (tp *tape) addAs(id, kind, at, data string) string {
	raw := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/t","type":"makegood.%s.v1","time":%q,"subject":"o1",`+
		`"data":%s}`, id, kind, at, data)
	seq := int64(len(tp.records) + 1)
	tp.records = append(tp.records, Record{Event: json.RawMessage(raw), Seq: seq,
		RecordedAt: time.Unix(1_767_000_000+seq, 0)})
	return id
}

func (tp *tape) void(id, at string) string {
	for _, r := range tp.records {
		var e struct{ ID string }
		if json.Unmarshal(r.Event, &e) == nil && e.ID == id {
			return tp.add("event.voided", at,
				fmt.Sprintf(`{"order_id":"o1","store_id":"s1","voids":{"source":"/t","id":%q},"reason":"x","original":%s}`, id,
					r.Event))
		}
	}
	panic("no such event " + id)
}

func (tp *tape) run(t *testing.T) *Books {
	t.Helper()
	return mustRun(t, tp.records, time.UTC)
}

func mustRun(t *testing.T, records []Record, zone *time.Location) *Books {
	t.Helper()
	b, err := Run(records, zone)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("not a number: " + s)
	}
	return r
}

// linesOf writes the lines of an event as "account amount" in the order of the table.
func linesOf(b *Books, id string) []string {
	out := []string{}
	for _, e := range b.Entries {
		if e.ID == id {
			for _, l := range e.Lines {
				out = append(out, l.Account+" "+money(l.Amount))
			}
		}
	}
	return out
}

func wantLines(t *testing.T, b *Books, id string, want ...string) {
	t.Helper()
	if got := linesOf(b, id); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s\n got %v\nwant %v", id, got, want)
	}
}

// perAccount sums the books by account.
func perAccount(b *Books) map[string]string {
	sum := make(map[string]*big.Rat)
	for _, e := range b.Entries {
		for _, l := range e.Lines {
			if sum[l.Account] == nil {
				sum[l.Account] = new(big.Rat)
			}
			sum[l.Account].Add(sum[l.Account], l.Amount)
		}
	}
	out := make(map[string]string)
	for account, amount := range sum {
		out[account] = money(amount)
	}
	return out
}
