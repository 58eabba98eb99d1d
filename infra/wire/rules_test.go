package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

func TestEveryTypeHasASample(t *testing.T) {
	var have []domain.Type
	for _, s := range samples(t) {
		have = append(have, s.typ)
	}
	for i, typ := range domain.Types() {
		if i >= len(have) || have[i] != typ {
			t.Fatalf("the contract's row %d is not %s", i, typ)
		}
	}
}

// ruled are the optional members that are required beside others: they have tests of their own, below.
var ruled = map[string]bool{
	"error.reported/data/currency": true, "rate.set/data/currency": true, "fact.decided/data/counts": true,
}

// TestRequiredAndOptional takes every member of every event away, and sets it to null: what the contract requires is
// missed there, the rest isn't.
func TestRequiredAndOptional(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			mustRead(t, s.event.json())
			for _, value := range []any{gone, nil} {
				for _, pointer := range s.required {
					e := s.edit(pointer, value)
					wantError(t, e.json(), pointer, wire.CodeRequired)
				}
				for _, pointer := range s.optional {
					if ruled[s.name+pointer] {
						continue
					}
					mustRead(t, s.edit(pointer, value).json())
				}
			}
		})
	}
}

func wantError(t *testing.T, payload []byte, pointer, code string) *wire.Error {
	t.Helper()
	env, err := new(wire.Decoder).Structured(payload)
	var e *wire.Error
	switch {
	case err == nil:
		t.Errorf("accepted as %+v, wanted %s at %s\n%s", env.Event.Data, code, pointer, short(payload))
		return &wire.Error{}
	case !errors.As(err, &e):
		t.Fatalf("%T isn't a *wire.Error", err)
	case e.Pointer != pointer || e.Code != code:
		t.Errorf("got %v, wanted %s at %s\n%s", e, code, pointer, short(payload))
	case e.Detail == "":
		t.Errorf("%s has no detail", e.Code)
	}
	return e
}

func short(payload []byte) string {
	if len(payload) > 1500 {
		return string(payload[:1500]) + "…"
	}
	return string(payload)
}

// rule is an event with one value set, and what is said of it.
type rule struct {
	event, pointer string
	value          any
	code           string // empty: accepted
	where          string // empty: at pointer
}

// line is a line of an order, of a kind, with one more member or another value of one.
func line(kind, name string, value any) tree {
	l := tree{"line_id": "1", "sku": "a", "kind": kind, "quantity": 2, "unit_price": "0.5"}
	l[name] = value
	return l
}

// rules is the table of what is refused, why and where.
func rules() []rule {
	long := func(n int) string { return strings.Repeat("é", n) }
	deep := func(n int) raw { return raw(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	return []rule{
		// the envelope
		{"order.placed", "/specversion", "0.3", wire.CodeUnknownSpecVersion, ""},
		{"order.placed", "/specversion", "1", wire.CodeUnknownSpecVersion, ""},
		{"order.placed", "/specversion", raw("1.0"), wire.CodeWrongType, ""},
		{"order.placed", "/specversion", gone, wire.CodeRequired, ""},
		{"order.placed", "/id", gone, wire.CodeRequired, ""},
		{"order.placed", "/id", "", wire.CodeRequired, ""},
		{"order.placed", "/id", raw("17"), wire.CodeWrongType, ""},
		{"order.placed", "/id", long(128), "", ""},
		{"order.placed", "/id", long(129), wire.CodeTooLong, ""},
		{"order.placed", "/id", "a\nb", wire.CodeControlCharacter, ""},
		{"order.placed", "/id", "a\u0085b", wire.CodeControlCharacter, ""},
		{"order.placed", "/id", "a\u007fb", wire.CodeControlCharacter, ""},
		{"order.placed", "/id", "order 17 / 😀", "", ""},
		{"order.placed", "/source", nil, wire.CodeRequired, ""},
		{"order.placed", "/source", "https://shop.example/tills/4?x=%20#a", "", ""},
		{"order.placed", "/source", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "", ""},
		{"order.placed", "/source", "till", "", ""},
		{"order.placed", "/source", "//host/a:b", "", ""},
		{"order.placed", "/source", "/Läden/Zürich", "", ""},
		{"order.placed", "/source", "a b", wire.CodeBadURI, ""},
		{"order.placed", "/source", "a%2", wire.CodeBadURI, ""},
		{"order.placed", "/source", "a%zz", wire.CodeBadURI, ""},
		{"order.placed", "/source", "1:2", wire.CodeBadURI, ""},
		{"order.placed", "/source", ":2", wire.CodeBadURI, ""},
		{"order.placed", "/source", "<a>", wire.CodeBadURI, ""},
		{"order.placed", "/source", "a\tb", wire.CodeBadURI, ""},
		{"order.placed", "/source", "a\u00a0b", wire.CodeBadURI, ""},
		{"order.placed", "/source", "a#b#c", wire.CodeBadURI, ""},
		{"order.placed", "/source", strings.Repeat("s", 1024), "", ""},
		{"order.placed", "/source", strings.Repeat("s", 1025), wire.CodeTooLong, ""},
		{"order.placed", "/type", gone, wire.CodeRequired, ""},
		{"order.placed", "/type", "makegood.order.placed.v2", wire.CodeUnknownType, ""},
		{"order.placed", "/type", "makegood.order.placed", wire.CodeUnknownType, ""},
		{"order.placed", "/type", "Makegood.order.placed.v1", wire.CodeUnknownType, ""},
		{"order.placed", "/type", "order.placed", wire.CodeUnknownType, ""},
		{"order.placed", "/time", gone, wire.CodeRequired, ""},
		{"order.placed", "/time", "", wire.CodeRequired, ""},
		{"order.placed", "/time", "2026-03-02", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:00", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02 11:00:00Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-02-29T11:00:00Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2028-02-29T11:00:00Z", "", ""},
		{"order.placed", "/time", "2026-03-02T24:00:00Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:60Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:00.Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:00.1234567891Z", "", ""},
		{"order.placed", "/time", "2026-06-30T23:59:60Z", "", ""},
		{"order.placed", "/time", "2026-07-01T01:59:60.5+02:00", "", ""},
		{"order.placed", "/time", "2026-06-30T23:59:60+02:00", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-06-15T23:59:60Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-06-30T23:59:61Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:00.123456789", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:00+0100", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02T11:00:00+24:00", wire.CodeBadTime, ""},
		{"order.placed", "/time", "2026-03-02t11:00:00.5z", "", ""},
		{"order.placed", "/time", "1969-12-31T23:59:59Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", "1970-01-01T00:00:00Z", "", ""},
		{"order.placed", "/time", "2148-12-31T23:59:59Z", "", ""},
		{"order.placed", "/time", "2149-01-01T00:00:00Z", wire.CodeBadTime, ""},
		{"order.placed", "/time", raw("1772445600"), wire.CodeWrongType, ""},
		{"order.placed", "/subject", gone, wire.CodeRequired, ""},
		{"order.placed", "/subject", "o-2", wire.CodeSubjectMismatch, ""},
		{"order.placed", "/subject", long(129), wire.CodeTooLong, ""},
		{"order.placed", "/datacontenttype", "application/json; charset=UTF-8", "", ""},
		{"order.placed", "/datacontenttype", "application/vnd.shop+json", "", ""},
		{"order.placed", "/datacontenttype", "text/xml", wire.CodeBadContentType, ""},
		{"order.placed", "/datacontenttype", "json", wire.CodeBadContentType, ""},
		{"order.placed", "/datacontenttype", `application/json; charset="latin1"`, wire.CodeBadContentType, ""},
		{"order.placed", "/dataschema", "https://shop.example/schema", "", ""},
		{"order.placed", "/dataschema", raw("1"), wire.CodeWrongType, ""},
		{"order.placed", "/data_base64", "e30=", wire.CodeBadAttribute, ""},
		{"order.placed", "/traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", ""},
		{"order.placed", "/sequence", raw("7"), "", ""},
		{"order.placed", "/trace", tree{"id": "1"}, wire.CodeBadAttribute, ""},
		{"order.placed", "/data", gone, wire.CodeRequired, ""},
		{"order.placed", "/data", nil, wire.CodeRequired, ""},
		{"order.placed", "/data", "{}", wire.CodeWrongType, ""},
		{"order.placed", "/data", []any{}, wire.CodeWrongType, ""},

		// ids and texts
		{"order.placed", "/data/order_id", raw("5"), wire.CodeWrongType, ""},
		{"order.placed", "/data/order_id", "", wire.CodeTooShort, ""},
		{"order.placed", "/data/customer_id", "", wire.CodeTooShort, ""},
		{"order.placed", "/data/customer_id", long(129), wire.CodeTooLong, ""},
		{"order.placed", "/data/lines/0/sku", "a\x00", wire.CodeControlCharacter, ""},
		{"order.placed", "/data/channel", "", "", ""},
		{"order.placed", "/data/channel", long(5000), "", ""},
		{"order.placed", "/data/channel", raw("false"), wire.CodeWrongType, ""},
		{"order.cancelled", "/data/reason", "two\nlines", "", ""},
		{"error.rejected", "/data/reason", "", wire.CodeRequired, ""},

		// numbers
		{"order.placed", "/data/lines/0/quantity", raw("-1"), wire.CodeNegative, ""},
		{"order.placed", "/data/lines/0/quantity", "-0.5", wire.CodeNegative, ""},
		{"order.placed", "/data/lines/0", tree{"line_id": "1", "sku": "a", "quantity": 0, "unit_price": 1}, "", ""},
		{"order.delivered", "/data/lines/0/quantity", raw("0"), "", ""},
		{"order.delivered", "/data/lines/0/quantity", raw("-0"), "", ""},
		{"order.placed", "/data/lines/0/quantity", raw("1.2345"), "", ""},
		{"order.placed", "/data/lines/0/quantity", raw("1.23456"), wire.CodeTooManyDecimals, ""},
		{"order.placed", "/data/lines/0/quantity", "1.00000", wire.CodeTooManyDecimals, ""},
		{"order.placed", "/data/lines/0/quantity", raw("1e3"), "", ""},
		{"order.placed", "/data/lines/0/quantity", raw("1e-5"), wire.CodeTooManyDecimals, ""},
		{"order.placed", "/data/lines/0/quantity", raw("1000000000000"), "", ""},
		{"order.placed", "/data/lines/0/quantity", raw("1000000000000.0001"), wire.CodeTooLarge, ""},
		{"order.placed", "/data/lines/0/quantity", raw("1e400"), wire.CodeTooLarge, ""},
		{"order.placed", "/data/lines/0/quantity", "1,5", wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/quantity", "", wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/quantity", " 1", wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/quantity", "NaN", wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/quantity", "0x10", wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/quantity", raw("true"), wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/quantity", tree{}, wire.CodeNotANumber, ""},
		{"order.placed", "/data/lines/0/unit_price", "1.000001", "", ""},
		{"order.placed", "/data/lines/0/unit_price", "0.0000001", wire.CodeTooManyDecimals, ""},
		{"order.placed", "/data/lines/0/unit_cost", "0.0000001", wire.CodeTooManyDecimals, ""},
		{"order.placed", "/data/lines/0/discount", "0.00001", wire.CodeTooManyDecimals, ""},
		{"order.placed", "/data/payment_fee", "0.00001", wire.CodeTooManyDecimals, ""},
		{"return.received", "/data/lines/0/nrv", "0.00001", wire.CodeTooManyDecimals, ""},
		{"redelivery.completed", "/data/distance_km", "0.00001", wire.CodeTooManyDecimals, ""},
		{"labour.spent", "/data/minutes", raw("0.00001"), wire.CodeTooManyDecimals, ""},
		{"rate.set", "/data/value", "0.0000001", wire.CodeTooManyDecimals, ""},
		{"refund.issued", "/data/net", "-1", wire.CodeNegative, ""},
		{"feedback.received", "/data/rating", raw("0"), wire.CodeOutOfRange, ""},
		{"feedback.received", "/data/rating", raw("1"), "", ""},
		{"feedback.received", "/data/rating", raw("5"), "", ""},
		{"feedback.received", "/data/rating", raw("6"), wire.CodeOutOfRange, ""},
		{"feedback.received", "/data/rating", raw("4.5"), wire.CodeTooManyDecimals, ""},
		{"redelivery.completed", "/data/stops", raw("0"), wire.CodeOutOfRange, ""},
		{"redelivery.completed", "/data/stops", raw("1.5"), wire.CodeTooManyDecimals, ""},
		{"redelivery.completed", "/data/stops", raw("1"), "", ""},

		// words
		{"order.delivered", "/data/lines/0/condition", "good", "", ""},
		{"order.delivered", "/data/lines/0/condition", "Good", wire.CodeUnknownValue, ""},
		{"order.delivered", "/data/documents_ok", "true", wire.CodeWrongType, ""},
		{"order.cancelled", "/data/by", "nobody", wire.CodeUnknownValue, ""},
		{"error.reported", "/data/kind", "", wire.CodeUnknownValue, ""},
		{"error.reported", "/data/kind", raw("1"), wire.CodeWrongType, ""},
		{"error.reported", "/data/found", "during_delivery", wire.CodeUnknownValue, ""},
		{"error.reported", "/data/detected_by", "supplier", wire.CodeUnknownValue, ""},
		{"error.reported", "/data/severity", "huge", wire.CodeUnknownValue, ""},
		{"error.reported", "/data/root_cause", "gremlins", wire.CodeUnknownValue, ""},
		{"error.classified", "/data/party_at_fault", "insurer", wire.CodeUnknownValue, ""},
		{"redelivery.dispatched", "/data/mode", "drone", wire.CodeUnknownValue, ""},
		{"concession.granted", "/data/kind", "hug", wire.CodeUnknownValue, ""},
		{"return.received", "/data/lines/0/was", "damaged", wire.CodeUnknownValue, ""},
		{"return.received", "/data/lines/0/grade", "a_grade", wire.CodeUnknownValue, ""},
		{"claim.accepted", "/data/party", "customer", wire.CodeUnknownValue, ""},
		{"rate.set", "/data/rate", "hourly", wire.CodeUnknownValue, ""},
		{"quality.spent", "/data/category", "detection", wire.CodeUnknownValue, ""},

		// currencies
		{"order.placed", "/data/currency", "eur", wire.CodeBadCurrency, ""},
		{"order.placed", "/data/currency", "EURO", wire.CodeBadCurrency, ""},
		{"order.placed", "/data/currency", "ZZZ", wire.CodeBadCurrency, ""},
		{"order.placed", "/data/currency", "XXX", wire.CodeBadCurrency, ""},
		{"order.placed", "/data/currency", "", wire.CodeBadCurrency, ""},
		{"order.placed", "/data/currency", "XCG", "", ""},
		{"order.placed", "/data/currency", "ZWG", "", ""},
		{"order.placed", "/data/currency", "CLF", "", ""},
		{"error.reported", "/data/currency", gone, wire.CodeRequired, ""},

		// lists and objects
		{"order.placed", "/data/lines", []any{}, wire.CodeEmptyList, ""},
		{"order.placed", "/data/lines", tree{}, wire.CodeWrongType, ""},
		{"order.placed", "/data/lines/0", nil, wire.CodeWrongType, ""},
		{"order.placed", "/data/promise", tree{}, "", ""},
		{"order.placed", "/data/promise", "today", wire.CodeWrongType, ""},
		{"order.placed", "/data/promise/until", "2026-03-02", wire.CodeBadTime, ""},
		{"order.delivered", "/data/lines", []any{}, "", ""},
		{"error.reported", "/data/lines", []any{}, "", ""},
		{"goods.scrapped", "/data/lines", []any{}, wire.CodeEmptyList, ""},
		{"redelivery.dispatched", "/data/lines", []any{}, wire.CodeEmptyList, ""},
		{"return.received", "/data/lines", []any{}, wire.CodeEmptyList, ""},
		{"return.received", "/data/lines/0", tree{"sku": "a", "quantity": 1, "was": "sold", "grade": "b_grade"},
			wire.CodeRequired, "/data/lines/0/nrv"},
		{"return.received", "/data/lines/0", tree{"sku": "a", "quantity": 1, "was": "sold", "grade": "b_grade",
			"nrv": "0"}, "", ""},

		// kinds of lines
		{"order.placed", "/data/lines/0/kind", "voucher", wire.CodeUnknownValue, ""},
		{"order.placed", "/data/lines/0/kind", "service", wire.CodeNotAllowed, "/data/lines/0/unit_cost"},
		{"order.changed", "/data/lines_added/0/kind", "tip", wire.CodeNotAllowed, "/data/lines_added/0/unit_cost"},
		{"order.placed", "/data/lines/0", line("service", "quantity", 1), "", ""},
		{"order.placed", "/data/lines/0", line("gift_card", "unit_cost", 0), wire.CodeNotAllowed, "/data/lines/0/unit_cost"},
		{"order.placed", "/data/lines/0", line("tip", "components", []any{}), "", ""},
		{"order.placed", "/data/lines/0", line("tip", "components", []any{tree{"sku": "b", "quantity": 1}}),
			wire.CodeNotAllowed, "/data/lines/0/components"},
		{"order.placed", "/data/lines/0", line("deposit", "quantity", -6), "", ""},
		{"order.placed", "/data/lines/0", line("deposit", "tax", -1), wire.CodeNegative, "/data/lines/0/tax"},
		{"order.placed", "/data/lines/0", tree{"line_id": "1", "sku": "a", "kind": "deposit", "quantity": -6,
			"unit_price": "0.25", "tax": "-0.24"}, "", ""},
		{"order.placed", "/data/lines/0", line("deposit", "quantity", raw("-1.23456")), wire.CodeTooManyDecimals,
			"/data/lines/0/quantity"},
		{"order.placed", "/data/lines/0", line("tip", "quantity", -1), wire.CodeNegative, "/data/lines/0/quantity"},
		{"order.changed", "/data/lines_added/0/quantity", "-1", wire.CodeNegative, ""},
		{"order.placed", "/data/lines/0/tax", "-1", wire.CodeNegative, ""},
		{"order.placed", "/data/lines/0/components", []any{tree{"sku": "b"}}, wire.CodeRequired,
			"/data/lines/0/components/0/quantity"},
		{"order.placed", "/data/lines/0/components/0/quantity", "-1", wire.CodeNegative, ""},
		{"order.placed", "/data/lines/0/discount", "47.8086", "", ""},
		{"order.placed", "/data/lines/0/discount", "47.8087", wire.CodeDiscountAboveLine, ""},
		{"order.placed", "/data/lines/0", line("deposit", "discount", "1.0001"), wire.CodeDiscountAboveLine,
			"/data/lines/0/discount"},
		{"order.placed", "/data/lines/0", line("deposit", "discount", "1"), "", ""},
		{"order.changed", "/data/lines_added/0/discount", "250.0001", wire.CodeDiscountAboveLine, ""},

		// how it was paid: 56.1886 in all
		{"order.placed", "/data/tenders/0/amount", "56.1886", "", ""},
		{"order.placed", "/data/tenders/0/amount", "56.18", wire.CodeTendersMismatch, "/data/tenders"},
		{"order.placed", "/data/tenders/0/amount", "56.2", wire.CodeTendersMismatch, "/data/tenders"},
		{"order.placed", "/data/tenders/0/amount", "56.1885", wire.CodeTendersMismatch, "/data/tenders"},
		{"order.placed", "/data/tenders/0/amount", "1000000000000", wire.CodeTendersMismatch, "/data/tenders"},
		{"order.placed", "/data/tenders/0/amount", "-1", wire.CodeNegative, ""},
		{"order.placed", "/data/tenders/0/method", "cheque", wire.CodeUnknownValue, ""},
		{"order.placed", "/data/tenders", []any{tree{"method": "gift_card", "amount": 30},
			tree{"method": "cash", "amount": "26.19"}}, "", ""},
		{"order.placed", "/data/tenders", []any{tree{"method": "cash", "amount": 1e12},
			tree{"method": "cash", "amount": 1e12}},
			wire.CodeTooLarge, "/data/tenders"},

		// what is taken off an order
		{"order.cancelled", "/data/lines/0", tree{"quantity": 1}, wire.CodeRequired, "/data/lines/0/line_id"},
		{"order.changed", "/data/lines_removed/0", tree{"quantity": 1}, wire.CodeRequired, "/data/lines_removed/0/line_id"},
		{"order.changed", "/data/lines_removed/0", tree{"sku": "a", "quantity": 1}, "", ""},
		{"order.changed", "/data/lines_removed/0", tree{"sku": "a"}, wire.CodeRequired, "/data/lines_removed/0/quantity"},
		{"order.changed", "/data/lines_removed/0/quantity", "-1", wire.CodeNegative, ""},

		// fixes
		{"error.classified", "/data/same_as", "x-1", wire.CodeNotAllowed, ""},
		{"dispute.lost", "/data/tax", "100", "", ""},
		{"dispute.lost", "/data/tax", "100.0001", wire.CodeOutOfRange, ""},
		{"claim.closed", "/data/reason", "lost", wire.CodeUnknownValue, ""},
		{"claim.filed", "/data/lines/0/quantity", "-1", wire.CodeNegative, ""},

		// what isn't known is kept, if it is sound
		{"order.placed", "/data/mood", tree{"a/b": []any{1, "x", nil, true}}, "", ""},
		{"order.placed", "/data/mood", deep(30), "", ""},
		{"order.placed", "/data/mood", deep(31), wire.CodeTooDeep, "/data/mood" + strings.Repeat("/0", 30)},
		{"order.placed", "/data/mood", raw(`{"a/b~":{"x":1,"x":2}}`), wire.CodeDuplicateMember, "/data/mood/a~1b~0/x"},
		{"order.placed", "/data/lines/0/mood", raw(`1,"mood":1`), wire.CodeDuplicateMember, ""},
		{"order.placed", "/data/lines/0/sku", raw(`"a","sku":"a"`), wire.CodeDuplicateMember, ""},
		{"order.placed", "/data/lines/0/sku", raw(`"a","s\u006bu":"a"`), wire.CodeDuplicateMember, ""},
		{"order.placed", "/data/order_id", raw(`"o-1","order_id":null`), wire.CodeDuplicateMember, ""},
		{"order.placed", "/id", raw(`"a","id":"a"`), wire.CodeDuplicateMember, ""},
		{"order.placed", "/trace", raw(`"a","trace":"a"`), wire.CodeDuplicateMember, ""},
		{"order.placed", "/data", raw(`{},"data":{}`), wire.CodeDuplicateMember, ""},

		// the books
		{"rate.set", "/data/currency", gone, wire.CodeRequired, ""},
		{"rate.set", "/data/effective_from", "2026-01-01T00:00:00+01:00", "", ""},
		{"rate.set", "/data/effective_from", "2026-1-1", wire.CodeBadTime, ""},
		{"rate.set", "/subject", "whatever", "", ""},
		{"period.closed", "/data/period", "2026-1", wire.CodeBadPeriod, ""},
		{"period.closed", "/data/period", "2026-13", wire.CodeBadPeriod, ""},
		{"period.closed", "/data/period", "1969-12", wire.CodeBadPeriod, ""},
		{"period.closed", "/data/period", "2026-01-01", wire.CodeBadPeriod, ""},
		{"period.closed", "/data/period", raw("202601"), wire.CodeWrongType, ""},

		{"fact.decided", "/data/source", "a b", wire.CodeBadURI, ""},
		{"fact.decided", "/data/counts", gone, wire.CodeRequired, ""},
		{"fact.decided", "/data/separate", true, wire.CodeNotAllowed, "/data/counts"},
		{"fact.decided", "/data/reason", "", wire.CodeRequired, ""},
		{"fact.decided", "/subject", "whatever", "", ""},

		// voids
		{"event.voided", "/subject", gone, wire.CodeRequired, ""},
		{"event.voided", "/subject", "o-2", wire.CodeSubjectMismatch, ""},
		{"event.voided", "/data/voids/source", "/other", wire.CodeVoidMismatch, ""},
		{"event.voided", "/data/voids/id", "id-2", wire.CodeVoidMismatch, ""},
		{"event.voided", "/data/order_id", "o-2", wire.CodeVoidMismatch, ""},
		{"event.voided", "/data/store_id", "s-2", wire.CodeVoidMismatch, ""},
		{"event.voided", "/data/error_id", "x-2", wire.CodeVoidMismatch, ""},
		{"event.voided", "/data/currency", "USD", wire.CodeVoidMismatch, ""},
		{"event.voided", "/data/original", "{}", wire.CodeWrongType, ""},
		{"event.voided", "/data/original/specversion", gone, wire.CodeRequired, ""},
		{"event.voided", "/data/original/type", "x", wire.CodeUnknownType, ""},
		{"event.voided", "/data/original/subject", "o-2", wire.CodeSubjectMismatch, ""},
		{"event.voided", "/data/original/data/lines/0/quantity", raw("-1"), wire.CodeNegative, ""},
		{"event.voided", "/data/original/data/mood", deep(28), "", ""},
		{"event.voided", "/data/original/data/mood", deep(29), wire.CodeTooDeep,
			"/data/original/data/mood" + strings.Repeat("/0", 28)},
	}
}

func TestRules(t *testing.T) {
	for _, c := range rules() {
		payload := byName(t, c.event).edit(c.pointer, c.value).json()
		if c.code == "" {
			if _, err := new(wire.Decoder).Structured(payload); err != nil {
				t.Errorf("%s with %v at %s: %v", c.event, c.value, c.pointer, err)
			}
			continue
		}
		where := c.where
		if where == "" {
			where = c.pointer
		}
		wantError(t, payload, where, c.code)
	}
}

// Every word that the contract lists is taken.
func TestWords(t *testing.T) {
	for _, c := range []struct{ event, pointer, words string }{
		{"order.placed", "/data/tenders/0/method", "card cash gift_card invoice other"},
		{"order.delivered", "/data/lines/0/condition", "good damaged"},
		{"order.cancelled", "/data/by", "customer business"},
		{"order.changed", "/data/by", "customer business"},
		{"order.charged", "/data/kind", "delivery commission payment_fee packaging other"},
		{"error.reported", "/data/kind", `wrong_item damaged defective missing_item over_shipped late not_delivered
			wrong_address not_as_described billing_error credit_not_processed document_error service_conduct
			unspecified changed_mind`},
		{"error.reported", "/data/root_cause", `order_capture catalog_data overpromise pick_pack preparation
			inventory_accuracy supplier_quality carrier dispatch billing_system training customer unknown`},
		{"error.reported", "/data/party_at_fault", "own supplier carrier marketplace customer unknown"},
		{"error.reported", "/data/found", "before_delivery after_delivery"},
		{"error.reported", "/data/detected_by", "customer employee system carrier"},
		{"error.reported", "/data/severity", "minor major critical"},
		{"redelivery.dispatched", "/data/mode", "own_truck carrier pickup"},
		{"concession.granted", "/data/kind", "discount price_reduction cash fee_waiver voucher store_credit"},
		{"return.received", "/data/lines/0/was", "wrong_item sold"},
		{"return.received", "/data/lines/0/grade", "saleable b_grade scrap abandoned"},
		{"claim.filed", "/data/party", "supplier carrier insurer marketplace"},
		{"claim.settled", "/data/party", "supplier carrier insurer marketplace"},
		{"claim.closed", "/data/reason", "paid short_paid refused withdrawn"},
		// voucher_redemption and exchange_rate have rules of their own
		{"rate.set", "/data/rate", "labour_hour fleet_hour fleet_km item_cost"},
		{"quality.spent", "/data/category", "prevention appraisal"},
	} {
		for _, w := range strings.Fields(c.words) {
			mustRead(t, byName(t, c.event).edit(c.pointer, w).json())
		}
	}
}
