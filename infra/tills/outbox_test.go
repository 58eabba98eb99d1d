package tills_test

import (
	"encoding/json"
	"testing"
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
	ofRow, ofEvent := []string{told + ".123Z id 0b-1"}, []string{told + "Z id e1"}
	for _, g := range []given{
		{name: "the router, a whole event", body: event, want: ofEvent},
		{name: "the router, a whole event as text", body: quoted(event), want: ofEvent},
		{name: "the router, with its schema", body: `{"schema":{"type":"string"},"payload":` + quoted(event) + `}`,
			want: ofEvent},
		{name: "the router, the data alone", body: data, headers: "id=0b-1 type=makegood.refund.issued.v1 " +
			"timestamp=1767225600123", want: ofRow},
		{name: "the router, a type that stands in another header", body: data, settings: "type_column=event time_column=at",
			headers: "id=0b-1 event=makegood.refund.issued.v1 at=2026-01-01T00:00:00.123Z", want: ofRow},
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
		{name: "a row of another table", body: with(t, change("c", "null", `{"id":1}`), "outboxevent", "customers")},
		{name: "no event of the contract", body: with(t, row, `net\"`, `nett\"`), want: []string{`refused: the ` +
			`contract has no member "nett" here`}},
		{name: "nothing of Debezium's", body: `{"foo":1}`, want: []string{"refused: no kind of the mapping fits this body"}},
	} {
		g.try(t, "debezium")
	}
}
