package reference

import (
	"fmt"
	"strings"
	"testing"
)

const labourOf60 = `{"order_id":"o1","store_id":"s1","error_id":"c1","labour_id":"l","role":"agent","minutes":60,"currency":"USD"}`

func rateData(key, value, from string) string {
	return fmt.Sprintf(`{"rate":"labour_hour","key":%q,"value":%q,"currency":"USD","effective_from":%q}`, key, value, from)
}

func TestRatesActByTheirOwnClock(t *testing.T) {
	tp := &tape{}
	none := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60) // before any rate was recorded
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "10", "2026-01-01T00:00:00Z"))
	star := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60)
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("agent", "20", "2026-01-02T00:00:00Z"))
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "99", "2026-01-09T00:00:00Z"))
	own := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60)
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("agent", "30", "2026-01-02T00:00:00Z"))
	alike := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60)
	early := tp.add("labour.spent", "2026-01-01T12:00:00Z", labourOf60)
	euro := tp.add("labour.spent", "2026-01-10T00:00:00Z", strings.Replace(labourOf60, "USD", "EUR", 1))

	b := tp.run(t)
	wantLines(t, b, none)
	wantLines(t, b, star, "5300 10.0000", "6900 -10.0000")
	wantLines(t, b, own, "5300 20.0000", "6900 -20.0000")
	wantLines(t, b, alike, "5300 30.0000", "6900 -30.0000") // of two alike the later recorded
	wantLines(t, b, early, "5300 10.0000", "6900 -10.0000") // the agent's rate is not yet in force
	wantLines(t, b, euro)
	if len(b.Unpriced) != 2 || b.Unpriced[0].ID != none || b.Unpriced[1].ID != euro {
		t.Errorf("unpriced %+v", b.Unpriced)
	}
}

func TestVoidedRateStopsForWhatComesLater(t *testing.T) {
	tp := &tape{}
	rate := tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "10", "2026-01-01T00:00:00Z"))
	before := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60)
	tp.void(rate, "2026-01-11T00:00:00Z")
	after := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60)
	b := tp.run(t)
	wantLines(t, b, before, "5300 10.0000", "6900 -10.0000")
	wantLines(t, b, after)
}

// The void undoes what was booked at the time, whatever the rates have become, and is itself undone by nothing.
func TestVoids(t *testing.T) {
	tp := &tape{}
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "10", "2026-01-01T00:00:00Z"))
	spent := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60)
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "70", "2026-01-02T00:00:00Z"))
	void := tp.void(spent, "2026-02-03T00:00:00Z")
	second := tp.void(spent, "2026-02-04T00:00:00Z")
	again := tp.void(void, "2026-02-05T00:00:00Z")
	orphan := tp.add("event.voided", "2026-01-20T00:00:00Z", `{"voids":{"source":"/t","id":"never"},"reason":"x","original":
		{"id":"never","source":"/t","type":"makegood.labour.spent.v1","time":"2026-01-10T00:00:00Z","data":`+labourOf60+`}}`)

	b := tp.run(t)
	wantLines(t, b, void, "5300 -10.0000", "6900 10.0000")
	wantLines(t, b, second)
	wantLines(t, b, again)
	wantLines(t, b, orphan, "5300 -70.0000", "6900 70.0000")
	if len(b.Refused) != 2 || b.Refused[0].ID != second || b.Refused[1].ID != again {
		t.Errorf("refused %+v", b.Refused)
	}
	for _, e := range b.Entries {
		if e.ID == void && (e.OriginPeriod != "2026-02" || e.OrderID != "o1" || e.ErrorID != "c1" || e.Currency != "USD") {
			t.Errorf("the void is dated by itself and hangs on its original: %+v", e)
		}
	}
}

func TestDuplicatesAndConflicts(t *testing.T) {
	tp := &tape{}
	data := `{"order_id":"o1","store_id":"s1","currency":"USD","refund_id":"01","net":"5.50"}`
	tp.addAs("x", "refund.issued", "2026-01-10T00:00:00Z", data)
	tp.addAs("x", "refund.issued", "2026-01-10T01:00:00+01:00", strings.Replace(data, `"5.50"`, `5.5`, 1))
	tp.addAs("x", "refund.issued", "2026-01-10T00:00:01Z", data)                                    // other time
	tp.addAs("x", "refund.issued", "2026-01-10T00:00:00Z", strings.Replace(data, "5.50", "6", 1))   // other amount
	tp.addAs("x", "refund.issued", "2026-01-10T00:00:00Z", strings.Replace(data, `"01"`, `"1"`, 1)) // an id is no number
	b := tp.run(t)
	wantLines(t, b, "x", "4100 5.5000", "1010 -5.5000")
	var seqs []int64
	for _, c := range b.Conflicts {
		seqs = append(seqs, c.Seq)
	}
	if fmt.Sprint(seqs) != "[3 4 5]" {
		t.Errorf("conflicts %v", seqs)
	}
}

// Only what was received wrongly is put on the return asset, and each part is priced apart.
func TestReceivedWrongly(t *testing.T) {
	tp := &tape{}
	report := func(kind, line string) string {
		return tp.add("error.reported", "2026-01-10T00:00:00Z", `{"order_id":"o1","store_id":"s1","error_id":"c1","kind":"`+kind+`","found":"after_delivery","detected_by":"customer","currency":"USD","lines":[`+line+`]}`)
	}
	only := report("missing_item", `{"sku":"a","quantity":2,"unit_cost":"3","received_quantity":1}`)
	count := report("wrong_item", `{"sku":"a","quantity":2,"unit_cost":"3","received_quantity":1,"received_unit_cost":"4"}`)
	unknown := report("wrong_item", `{"sku":"a","quantity":2,"received_sku":"b","received_unit_cost":"4"}`)
	broken := report("damaged", `{"sku":"a","quantity":2,"unit_cost":"3"}`)
	b := tp.run(t)
	wantLines(t, b, only, "1200 6.0000", "5100 -6.0000")
	wantLines(t, b, count, "1200 6.0000", "5100 -6.0000", "1210 4.0000", "1200 -4.0000")
	wantLines(t, b, unknown, "1210 8.0000", "1200 -8.0000")
	wantLines(t, b, broken)
	if len(b.Unpriced) != 1 || b.Unpriced[0].ID != unknown {
		t.Errorf("unpriced %+v", b.Unpriced)
	}
}

func TestCasesAreAsLastClassifiedFieldByField(t *testing.T) {
	tp := &tape{}
	about := `{"order_id":"o1","store_id":"s1","error_id":"c1",`
	tp.add("error.classified", "2026-01-14T00:00:00Z", about+`"kind":"damaged","avoidable":true}`)
	late := tp.add("error.classified", "2026-01-15T00:00:00Z", about+`"root_cause":"carrier","vendor_id":"v9"}`)
	tp.add("error.reported", "2026-01-12T00:00:00Z", about+`"kind":"late","found":"before_delivery","detected_by":"system","vendor_id":"v1","root_cause":"unknown"}`)
	tp.add("error.reported", "2026-01-13T00:00:00Z", about+`"kind":"defective","found":"after_delivery","detected_by":"system","employee_id":"e"}`)
	tp.add("error.classified", "2026-01-13T00:00:00Z", about+`"kind":"defective","root_cause":"dispatch"}`)
	want := caseFacts{kind: "damaged", rootCause: "carrier", vendor: "v9", avoidable: "true", found: "before_delivery"}
	if got := tp.run(t).cases["c1"]; got != want {
		t.Errorf("got %+v want %+v", got, want)
	}
	tp.void(late, "2026-01-16T00:00:00Z")
	want.rootCause, want.vendor = "dispatch", "v1"
	if got := tp.run(t).cases["c1"]; got != want {
		t.Errorf("after the void: got %+v want %+v", got, want)
	}
}

func TestPostingPeriod(t *testing.T) {
	tp := &tape{}
	data := `{"order_id":"o1","store_id":"s1","currency":"USD","refund_id":"1","net":"1"}`
	refund := func() string { return tp.add("refund.issued", "2025-12-20T00:00:00Z", data) }
	clock := func(kind, period string) { tp.add(kind, "2026-01-05T00:00:00Z", `{"period":"`+period+`"}`) }
	var ids []string
	ids = append(ids, refund())
	clock("period.closed", "2025-12")
	ids = append(ids, refund())
	clock("period.closed", "2026-01")
	ids = append(ids, refund())
	clock("period.reopened", "2025-12")
	ids = append(ids, refund())
	b := tp.run(t)
	want := []string{"2025-12", "2026-01", "2026-02", "2025-12"}
	for i, id := range ids {
		for _, e := range b.Entries {
			if e.ID == id && (e.PostingPeriod != want[i] || e.OriginPeriod != "2025-12") {
				t.Errorf("%s: posted in %s, want %s (origin %s)", id, e.PostingPeriod, want[i], e.OriginPeriod)
			}
		}
	}
	posting, err := b.Leakage("2026-01-01", "2026-02-01", []string{"day"}, "cash", "posting", "USD")
	if err != nil || len(posting.Rows) != 1 || posting.Rows[0].Key["day"] != "2026-01-01" || posting.Rows[0].Gross != "1.0000" {
		t.Errorf("posting report %+v %v", posting, err)
	}
}

func TestChangedMindAndCancellationsStandApart(t *testing.T) {
	tp := goldenTape()
	about := `{"order_id":"o1","store_id":"s1","currency":"USD",`
	tp.add("error.reported", "2026-01-14T00:00:00Z", about+`"error_id":"c2","kind":"changed_mind","found":"after_delivery","detected_by":"customer"}`)
	tp.add("refund.issued", "2026-01-14T00:00:00Z", about+`"error_id":"c2","refund_id":"2","net":"12"}`)
	tp.add("order.cancelled", "2026-01-14T00:00:00Z", about+`"by":"customer","net":"20","tax":"1","cost":"5"}`)
	tp.add("order.cancelled", "2026-01-14T00:00:00Z", about+`"by":"business","net":"10","cost":"4"}`)
	b := tp.run(t)
	o := b.Order("o1")
	if money(o.ChangedMind) != "12.0000" || money(o.CustomerCancellations) != "15.0000" || money(o.Net) != "69.3500" {
		t.Errorf("changed mind %s, cancelled %s, net %s", money(o.ChangedMind), money(o.CustomerCancellations), money(o.Net))
	}
	if err := o.Check(); err != nil {
		t.Error(err)
	}
	r, err := b.Leakage("2026-01-01", "2026-02-01", []string{"kind", "category"}, "economic", "occurred", "USD")
	if err != nil || len(r.Rows) != 2 || r.Apart["changed_mind"] != "12.0000" || r.Totals.Net != "69.3500" || r.Totals.Cases != 1 {
		t.Errorf("report %+v %v", r, err)
	}
	if r.Rows[0].Key["kind"] != "" || r.Rows[0].Key["category"] != "external" || r.Rows[0].Net != "6.0000" {
		t.Errorf("the business's cancellation has no case: %+v", r.Rows[0])
	}
}
