package reference

import (
	"fmt"
	"strings"
	"testing"
)

// labourOf60 is an hour of an agent, each a fact of its own.
func labourOf60(currency string) string {
	labourID++
	return fmt.Sprintf(`{"order_id":"o1","store_id":"s1","error_id":"c1","labour_id":"l%d","role":"agent",`+
		`"minutes":60,"currency":%q}`, labourID, currency)
}

var labourID int

func rateData(key, value, from string) string {
	return fmt.Sprintf(`{"rate":"labour_hour","key":%q,"value":%q,"currency":"USD","effective_from":%q}`, key, value, from)
}

func TestRatesActByTheirOwnClock(t *testing.T) {
	tp := &tape{}
	none := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD")) // before any rate was recorded
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "10", "2026-01-01T00:00:00Z"))
	star := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD"))
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("agent", "20", "2026-01-02T00:00:00Z"))
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "99", "2026-01-09T00:00:00Z"))
	own := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD"))
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("agent", "30", "2026-01-02T00:00:00Z"))
	alike := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD"))
	early := tp.add("labour.spent", "2026-01-01T12:00:00Z", labourOf60("USD"))
	euro := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("EUR"))

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
	before := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD"))
	tp.void(rate, "2026-01-11T00:00:00Z")
	after := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD"))
	b := tp.run(t)
	wantLines(t, b, before, "5300 10.0000", "6900 -10.0000")
	wantLines(t, b, after)
}

// A void takes its original out of the set, voiding the void brings it back, and a void of what is not there changes
// nothing.
func TestVoids(t *testing.T) {
	tp := &tape{}
	tp.add("rate.set", "2026-01-01T00:00:00Z", rateData("*", "10", "2026-01-01T00:00:00Z"))
	spent := tp.add("labour.spent", "2026-01-10T00:00:00Z", labourOf60("USD"))
	void := tp.void(spent, "2026-02-03T00:00:00Z")
	second := tp.void(spent, "2026-02-04T00:00:00Z")
	ofVoid := tp.void(void, "2026-02-05T00:00:00Z")
	ofSecond := tp.void(second, "2026-02-06T00:00:00Z")
	orphan := tp.add("event.voided", "2026-01-20T00:00:00Z",
		`{"voids":{"source":"/t","id":"never"},"reason":"x","original":
		{"id":"never","source":"/t","type":"makegood.labour.spent.v1","time":"2026-01-10T00:00:00Z",
		"data":`+labourOf60("USD")+`}}`)

	b := tp.run(t)
	wantLines(t, b, spent, "5300 10.0000", "6900 -10.0000")
	wantLines(t, b, void, "5300 -10.0000", "6900 10.0000")
	wantLines(t, b, second)
	wantLines(t, b, ofVoid)
	wantLines(t, b, ofSecond, "5300 10.0000", "6900 -10.0000")
	wantLines(t, b, orphan)
	if nothing := b.Standing(voidsNothing); len(nothing) != 1 || nothing[0].ID != orphan {
		t.Errorf("voids nothing: %v", nothing)
	}
	for _, e := range b.Entries {
		if e.ID == void && (e.OriginPeriod != "2026-02" || e.OrderID != "o1" || e.ErrorID != "c1" || e.Currency != "USD") {
			t.Errorf("the void is dated by itself and hangs on its original: %+v", e)
		}
	}
}

// A void that happened before its original, or was recorded before it, leaves nothing of it.
func TestVoidBeforeOriginal(t *testing.T) {
	for _, at := range []string{"2026-01-09T00:00:00Z", "2026-01-11T00:00:00Z"} {
		tp := &tape{}
		spent := tp.add("refund.issued", "2026-01-10T00:00:00Z",
			`{"order_id":"o1","store_id":"s1","currency":"USD","refund_id":"1","net":"1"}`)
		tp.void(spent, at)
		tp.records[0].Seq, tp.records[1].Seq = 2, 1
		if b := tp.run(t); fmt.Sprint(perAccount(b)["1010"]) != "0.0000" && perAccount(b)["1010"] != "" {
			t.Errorf("void at %s: %v", at, perAccount(b))
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
	wantLines(t, b, "x", "1010 -5.5000", "4100 5.5000")
	var seqs []int64
	for _, c := range b.Conflicts {
		seqs = append(seqs, c.Seq)
	}
	if fmt.Sprint(seqs) != "[3 4 5]" {
		t.Errorf("conflicts %v", seqs)
	}
}

func TestCasesAreAsLastClassifiedFieldByField(t *testing.T) {
	tp := &tape{}
	about := `{"order_id":"o1","store_id":"s1","error_id":"c1",`
	tp.add("error.classified", "2026-01-14T00:00:00Z", about+`"kind":"damaged","avoidable":true}`)
	late := tp.add("error.classified", "2026-01-15T00:00:00Z", about+`"root_cause":"carrier","vendor_id":"v9"}`)
	tp.add("error.reported", "2026-01-12T00:00:00Z",
		about+`"kind":"late","found":"before_delivery","detected_by":"system","vendor_id":"v1","root_cause":"unknown"}`)
	tp.add("error.reported", "2026-01-13T00:00:00Z",
		about+`"kind":"defective","found":"after_delivery","detected_by":"system","employee_id":"e"}`)
	tp.add("error.classified", "2026-01-13T00:00:00Z", about+`"kind":"defective","root_cause":"dispatch"}`)
	text := func() string {
		c := tp.run(t).cases[caseKey{"o1", "c1"}]
		return strings.Join([]string{c.kind, c.rootCause, c.vendor, c.avoidable, c.found, c.employee}, " ")
	}
	if got, want := text(), "damaged carrier v9 true before_delivery "; got != want {
		t.Errorf("got %q want %q", got, want)
	}
	tp.void(late, "2026-01-16T00:00:00Z")
	if got, want := text(), "damaged dispatch v1 true before_delivery "; got != want {
		t.Errorf("after the void: got %q want %q", got, want)
	}
	if waiting := tp.run(t).Standing(waits); len(waiting) != 1 || waiting[0].ID != "e4" {
		t.Errorf("the second report contradicts the first: %v", waiting)
	}
}

func TestPostingPeriod(t *testing.T) {
	tp := &tape{}
	refund := func() string {
		return tp.add("refund.issued", "2025-12-20T00:00:00Z",
			fmt.Sprintf(`{"order_id":"o1","store_id":"s1","currency":"USD","refund_id":"%d","net":"1"}`, len(tp.records)))
	}
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
	if err != nil || len(posting.Rows) != 1 || posting.Rows[0].Key["day"] != "2026-01-01" ||
		posting.Rows[0].Gross != "1.0000" {
		t.Errorf("posting report %+v %v", posting, err)
	}
}

func TestChangedMindUnfoundedAndChangesStandApart(t *testing.T) {
	tp := goldenTape()
	about := `{"order_id":"o1","store_id":"s1","currency":"USD",`
	tp.add("error.reported", "2026-01-14T00:00:00Z",
		about+`"error_id":"c2","kind":"changed_mind","found":"after_delivery","detected_by":"customer"}`)
	tp.add("concession.granted", "2026-01-14T00:00:00Z",
		about+`"error_id":"c2","concession_id":"2","kind":"cash","amount":"12"}`)
	tp.add("error.reported", "2026-01-14T00:00:00Z",
		about+`"error_id":"c3","kind":"late","found":"after_delivery","detected_by":"customer"}`)
	tp.add("concession.granted", "2026-01-14T00:00:00Z",
		about+`"error_id":"c3","concession_id":"3","kind":"cash","amount":"7"}`)
	tp.add("error.rejected", "2026-01-15T00:00:00Z",
		`{"order_id":"o1","store_id":"s1","error_id":"c3","reason":"it was not late"}`)
	tp.add("order.cancelled", "2026-01-14T00:00:00Z", about+`"by":"customer","net":"20","tax":"1","cost":"5"}`)
	tp.add("order.cancelled", "2026-01-14T00:00:00Z", about+`"by":"business","net":"10","cost":"4"}`)
	b := tp.run(t)
	o := b.Order("o1")
	got := fmt.Sprint(money(o.ChangedMind), " ", money(o.Unfounded), " ", money(o.CustomerChanges), " ", money(o.Net))
	if want := "12.0000 7.0000 -15.0000 69.3500"; got != want {
		t.Errorf("changed mind, unfounded, customer's changes, net: %s, want %s", got, want)
	}
	if err := o.Check(); err != nil {
		t.Error(err)
	}
	r, err := b.Leakage("2026-01-01", "2026-02-01", []string{"kind", "category"}, "economic", "occurred", "USD")
	if err != nil || len(r.Rows) != 2 ||
		fmt.Sprint(r.Apart) != "map[changed_mind:12.0000 customer_changes:-15.0000 unfounded:7.0000]" ||
		r.Totals.Net != "69.3500" || r.Totals.Cases != 1 {
		t.Errorf("report %+v %v", r, err)
	}
	if r.Rows[0].Key["kind"] != "" || r.Rows[0].Key["category"] != "external" || r.Rows[0].Net != "6.0000" {
		t.Errorf("the business's cancellation has no case: %+v", r.Rows[0])
	}
	if parts := len(b.Flags); parts != 2 || b.Flags[0].Code != "part_unknown" {
		t.Errorf("both are parts that nobody can place: %+v", b.Flags)
	}
}

// Of two decisions the later one by time holds, also where the older one came after a close.
func TestTheLaterDecisionHolds(t *testing.T) {
	const refund = `{"order_id":"o1","store_id":"s1","error_id":"c1","currency":"USD","refund_id":"r","net":%q,"tax":"0"}`
	for _, c := range []struct{ older, later, want string }{
		{`"id":"e2","counts":true`, `"id":"e2","counts":false`, "30.0000"},
		{`"id":"e2","counts":false`, `"id":"e2","counts":true`, "40.0000"},
		{`"id":"e1","counts":true`, `"id":"e2","counts":true`, "40.0000"},
	} {
		tp := &tape{}
		tp.add("refund.issued", "2026-01-10T00:00:00Z", fmt.Sprintf(refund, "30"))
		tp.add("refund.issued", "2026-01-11T00:00:00Z", fmt.Sprintf(refund, "40"))
		tp.add("fact.decided", "2026-01-13T00:00:00Z", `{"source":"/t",`+c.later+`}`)
		tp.add("period.closed", "2026-02-01T00:00:00Z", `{"period":"2026-01"}`)
		tp.add("fact.decided", "2026-01-12T00:00:00Z", `{"source":"/t",`+c.older+`}`)
		if got := perAccount(tp.run(t))["4100"]; got != c.want {
			t.Errorf("%s, then %s: %s, not %s", c.older, c.later, got, c.want)
		}
	}
}
