package tills_test

import (
	"encoding/json"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

func TestDebeziumOutbox(t *testing.T) {
	data := `{"order_id":"o1","store_id":"s1","refund_id":"r1","currency":"USD","net":"10.50"}`
	event := `{"specversion":"1.0","id":"e1","source":"urn:shop","type":"makegood.refund.issued.v1",` +
		`"time":"2026-01-01T00:00:00Z",` +
		`"subject":"o1","data":` + data + `}`
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	row := `{"id":"0b-1","aggregatetype":"order","aggregateid":"o1","type":"makegood.refund.issued.v1","payload":` +
		quoted(data) +
		`,"timestamp":1767225600123456}`
	change := func(op, before, after string) string {
		return `{"before":` + before + `,"after":` + after + `,"source":{"table":"outboxevent","ts_ms":1},"op":"` + op +
			`","ts_ms":1}`
	}
	told := "refund.issued o1 currency=USD net=10.50 refund_id=r1 at 2026-01-01T00:00:00"
	ofRow, ofEvent := []string{told + ".123456Z id 0b-1"}, []string{told + "Z id e1"}
	for _, g := range []given{
		{name: "the router, a whole event", body: event, want: ofEvent},
		{name: "the router, a whole event as text", body: quoted(event), want: ofEvent},
		{name: "the router, with its schema", body: `{"schema":{"type":"string"},"payload":` + quoted(event) + `}`,
			want: ofEvent},
		{name: "the router, the data alone", body: data, headers: "id=0b-1 type=makegood.refund.issued.v1 " +
			"timestamp=1767225600123456", want: ofRow},
		{name: "the router, a type that stands in another header", body: data, settings: "type_column=event time_column=at",
			headers: "id=0b-1 event=makegood.refund.issued.v1 at=2026-01-01T00:00:00.123456Z", want: ofRow},
		{name: "inserted", body: change("c", "null", row), want: ofRow},
		{name: "read in a snapshot", body: change("r", "null", row), want: ofRow},
		{name: "with its schema", body: `{"schema":{"type":"struct"},"payload":` + change("c", "null", row) + `}`,
			want: ofRow},
		{name: "as a CloudEvent of Debezium's", body: `{"specversion":"1.0","id":"x",` +
			`"source":"/debezium/postgresql/shop","type":` +
			`"io.debezium.connector.postgresql.DataChangeEvent","data":{"schema":{},"payload":` + change("c", "null", row) +
			`}}`, want: ofRow},
		{name: "a row without its envelope", body: row, want: ofRow},
		{name: "nanoseconds", body: with(t, row, "1767225600123456", "1767225600123456789"), want: ofRow},
		{name: "deleted", body: change("d", row, "null")},
		{name: "a void of its own", body: `{"id":"e2","source":"urn:shop","type":"makegood.event.voided.v1",` +
			`"time":"2026-01-02T00:00:00Z","subject":"o1","data":{"voids":{"source":"urn:shop","id":"e1"},"reason":"x",` +
			`"original":` + event + `}}`, want: []string{"event.voided o1 [" + told + `Z id e1] reason=x ` +
			`voids={"id":"e1","source":"//tills/debezium"} at 2026-01-02T00:00:00Z id e2`}},
		{name: "a tombstone", body: `null`},
		{name: "a heartbeat", body: `{"ts_ms":1}`},
		{name: "an event of somebody else's", body: with(t, row, "makegood.refund.issued.v1", "UserRegistered")},
		{name: "no time", body: with(t, row, "1767225600123456", "null"), want: []string{"refused: timestamp is missing"}},
		{name: "an outbox of another name", body: with(t, change("c", "null", row), "outboxevent", "events_outbox"),
			want: ofRow},
		{name: "an outbox of a name that the setting doesn't have", body: with(t, change("c", "null", row), "outboxevent",
			"messages"), want: []string{"refused: a row of messages is an event, and the setting outbox"}},
		{name: "a whole event in such a table", body: with(t, change("c", "null", `{"id":"e1","payload":`+quoted(event)+`}`),
			"outboxevent", "messages"), want: []string{"refused: a row of messages is an event, and the setting outbox"}},
		{name: "a row with a payload of somebody else's", body: with(t, change("c", "null",
			`{"id":"e1","payload":"no JSON"}`), "outboxevent", "messages")},
		{name: "a time in days", body: with(t, row, "1767225600123456", "20454"),
			want: []string{"refused: 20454 is no time: seconds since 1970 have 10 digits"}},
		{name: "a date of digits", body: with(t, row, "1767225600123456", `"20260110"`),
			want: []string{"refused: 20260110 is no time"}},
		{name: "seconds", body: with(t, row, "1767225600123456", "1767225600"), want: []string{told + "Z id 0b-1"}},
		{name: "milliseconds", body: with(t, row, "1767225600123456", "1767225600123"), want: []string{told +
			".123Z id 0b-1"}},
		{name: "a row of another table", body: with(t, change("c", "null", `{"id":1}`), "outboxevent", "customers")},
		{name: "no event of the contract", body: with(t, row, `net\"`, `nett\"`), want: []string{`refused: the ` +
			`contract has no member "nett" here`}},
		{name: "nothing of Debezium's", body: `{"foo":1}`, want: []string{"refused: no kind of the mapping fits this body"}},
	} {
		g.try(t, "debezium")
	}
}

// rows is a mapping of rows of a table, as the README has it.
const rows = `
name: rows
read: {format: json}
unwrap: [.payload]
functions: |
  def refund: {type: "makegood.refund.issued.v1", id: "refund/\(.id)", time: (.paid_at | unix_micros),
    subject: .order_no, data: {order_id: .order_no, store_id: $till.store_id, refund_id: (.id | tostring),
    currency: "EUR",
    net: (if .net | tostring | test("^-?[0-9.]+$") then .net else .net | unscaled(2) end)}};
kinds:
  - {kind: tombstone, when: . == null, nothing: a tombstone only tells Kafka to forget}
  - kind: refunds
    when: .source.table == "refunds"
    events: |
      if .op == "d" then
        {type: "makegood.event.voided.v1", id: "refund/\(.before.id)/deleted", time: (.ts_ms | unix_millis),
         data: {reason: "the row is deleted", original: (.before | refund)}}
      elif .after.paid_at == null then empty
      else .after | refund end
`

func TestRowsOfATable(t *testing.T) {
	m, err := tills.Parse("rows.yaml", []byte(rows))
	if err != nil {
		t.Fatal(err)
	}
	loaded.Store("rows", m)
	row := `{"id":7,"order_no":"o1","net":"BBo=","paid_at":1767225600123456}`
	change := func(op, before, after string) string {
		return `{"schema":{},"payload":{"before":` + before + `,"after":` + after +
			`,"source":{"table":"refunds"},"op":"` + op + `","ts_ms":1767312000000}}`
	}
	told := "refund.issued o1 currency=EUR net=10.50 refund_id=7 at 2026-01-01T00:00:00.123456Z id refund/7"
	for _, g := range []given{
		{name: "inserted before it was paid", body: change("c", "null", with(t, row, "1767225600123456", "null"))},
		{name: "updated, its decimal as bytes", body: change("u", row, row), want: []string{told}},
		{name: "its decimal as text", body: change("u", row, with(t, row, "BBo=", "10.50")), want: []string{told}},
		{name: "its decimal as a number", body: change("u", row, with(t, row, `"BBo="`, "10.50")), want: []string{told}},
		{name: "deleted", body: change("d", row, "null"), want: []string{"event.voided o1 [" + told +
			`] reason=the row is deleted voids={"id":"refund/7","source":"//tills/rows"} at 2026-01-02T00:00:00Z` +
			" id refund/7/deleted"}},
	} {
		g.try(t, "rows")
	}
}

func TestDecimalsOfKafkaConnect(t *testing.T) {
	for text, want := range map[string]string{"BBo=": "10.50", "AA==": "0.00", "/w==": "-0.01", "gA==": "-1.28",
		"AIA=": "1.28", "/AY=": "-10.18", "f////////////////////w==": "1701411834604692317316873037158841057.27"} {
		got := evaluator(t, "unscaled(2)")(`"` + text + `"`)
		if got != `"`+want+`"` {
			t.Errorf("%s: %s", text, got)
		}
	}
}
