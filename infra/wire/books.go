package wire

import (
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// The stream books, as in the contract's §3. Its events are about the books themselves: they have no subject.

var _ = event(object(
	word("rate", required, domain.SettableRates(), func(r *domain.RateSet) *string { return &r.Rate }),
	id("key", required, func(r *domain.RateSet) *string { return &r.Key }),
	unit("value", required, func(r *domain.RateSet) *domain.Decimal { return &r.Value }),
	currency[domain.RateSet](optional),
	moment("effective_from", required, timesOrDates, func(r *domain.RateSet) *time.Time { return &r.EffectiveFrom }),
).checked(func(d *Decoder, r *domain.RateSet) {
	const whole = 1 * millionths
	switch {
	case r.Rate != domain.VoucherRedemption && d.envelope.Event.Currency == "":
		d.failAt("currency", CodeRequired, "currency is required: a %s is money", r.Rate)
	case r.Rate == domain.VoucherRedemption && r.Value > whole:
		d.failAt("value", CodeOutOfRange, "%s is not between 0 and 1: a %s is a fraction", r.Value, r.Rate)
	case r.Rate == domain.ExchangeRate:
		d.checkExchange(r)
	}
}, either(JSON{"not": each(JSON{"rate": JSON{"const": domain.VoucherRedemption}})}, said("currency"),
	each(JSON{"value": fraction})),
	when(is("rate", domain.ExchangeRate), each(JSON{
		"key": JSON{"allOf": []any{ref("currency")},
			"description": "The currency that is translated into the other."},
		"value":          aboveZero,
		"effective_from": JSON{"type": "string", "description": "A date, or its midnight UTC: it holds for whole days."},
	}))))

// fraction is a number of 0 to 1.
var fraction = JSON{"anyOf": []any{
	JSON{"type": "number", "maximum": 1},
	JSON{"type": "string", "pattern": `^(0+(\.[0-9]{1,6})?|0*1(\.0{1,6})?|[0-9.]+[eE][+-]?[0-9]+)$`},
}}

var aboveZero = JSON{"anyOf": []any{
	JSON{"type": "number", "exclusiveMinimum": 0}, JSON{"type": "string", "pattern": `^[0.]*[1-9]`},
}}

// checkExchange holds the rules of exchange rates: from one currency into another, never for nothing, for whole days.
func (d *Decoder) checkExchange(r *domain.RateSet) {
	into := d.envelope.Event.Currency
	switch {
	case !IsCurrency(r.Key):
		d.failAt("key", CodeBadCurrency,
			"%s is no currency code of ISO 4217: the key of an %s is the currency that is translated", quote(r.Key), r.Rate)
	case r.Key == into:
		d.failAt("key", CodeBadCurrency, "key and currency are both %s: an %s translates one currency into another", into,
			r.Rate)
	case r.Value <= 0:
		d.failAt("value", CodeOutOfRange, "%s is not above 0: an %s of nothing would hide what it translates", r.Value,
			r.Rate)
	case !r.EffectiveFrom.Equal(r.EffectiveFrom.Truncate(24 * time.Hour)):
		d.failAt("effective_from", CodeBadTime,
			"an %s holds for whole days: a date YYYY-MM-DD is wanted, or its midnight UTC", r.Rate)
	}
}

var _ = event(object(
	id("spend_id", required, func(q *domain.QualitySpent) *string { return &q.SpendID }),
	word("category", required, domain.QualityCategories(), func(q *domain.QualitySpent) *string { return &q.Category }),
	storeID[domain.QualitySpent](optional),
	text("target_cause", optional, func(q *domain.QualitySpent) *string { return &q.TargetCause }),
	currency[domain.QualitySpent](required),
	amount("amount", required, func(q *domain.QualitySpent) *domain.Decimal { return &q.Amount }),
	text("description", optional, func(q *domain.QualitySpent) *string { return &q.Description }),
))

var _ = event(object(month(func(p *domain.PeriodClosed) *domain.Period { return &p.Period })))

var _ = event(object(month(func(p *domain.PeriodReopened) *domain.Period { return &p.Period })))

// Who did it, why, and how much it changed ride along as members that are kept and not read.
var _ = event(object(
	id("rebuild_id", required, func(r *domain.BooksRebuilt) *string { return &r.RebuildID }),
	perhaps("closed_periods", func(r *domain.BooksRebuilt) *bool { return &r.ClosedPeriods }).
		described("Months that are closed are posted again as well."),
))

func month[T any](at func(*T) *domain.Period) field[T] {
	return field[T]{
		name: "period", need: required, schema: ref("period"),
		read: func(d *Decoder, t *T) uint64 {
			p, text := d.period()
			*at(t) = p
			return hashText(text) // there is one way to write a month
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte { return appendString(b, at(t).String()) },
	}
}

var _ = event(handledLetter(func(r *domain.DeadLetterReplayed) *domain.HandledLetter { return &r.HandledLetter }))

var _ = event(handledLetter(func(d *domain.DeadLetterDiscarded) *domain.HandledLetter { return &d.HandledLetter }))

func handledLetter[T any](of func(*T) *domain.HandledLetter) *shape[T] {
	return object(
		id("dead_letter_id", required, func(t *T) *string { return &of(t).DeadLetterID }),
		id("topic", optional, func(t *T) *string { return &of(t).Topic }),
		maybe("partition", wholeDecimals, func(t *T) *domain.Optional { return &of(t).Partition }),
		maybe("offset", wholeDecimals, func(t *T) *domain.Optional { return &of(t).Offset }),
		id("actor", required, func(t *T) *string { return &of(t).Actor }),
		text("reason", optional, func(t *T) *string { return &of(t).Reason }),
	)
}

var _ = event(object(
	sourceOf("source", func(f *domain.FactDecided) *string { return &f.Source }),
	id("id", required, func(f *domain.FactDecided) *string { return &f.ID }),
	id("order_id", optional, func(f *domain.FactDecided) *string { return &f.OrderID }),
	id("error_id", optional, func(f *domain.FactDecided) *string { return &f.ErrorID }),
	truth("counts", func(f *domain.FactDecided) *domain.Truth { return &f.Counts }).
		described("Whether it is this event that counts."),
	perhaps("separate", func(f *domain.FactDecided) *bool { return &f.Separate }).
		described("They are two facts, and both count."),
	id("actor", required, func(f *domain.FactDecided) *string { return &f.Actor }),
	text("reason", required, func(f *domain.FactDecided) *string { return &f.Reason }),
).checked(func(d *Decoder, f *domain.FactDecided) {
	switch {
	case f.Counts == domain.Unknown && !f.Separate:
		d.failAt("counts", CodeRequired, "counts is required, or separate: true: what was decided?")
	case f.Counts != domain.Unknown && f.Separate:
		d.failAt("counts", CodeNotAllowed, "counts has no place beside separate: true: two facts count both")
	}
}, either(is("separate", true), no("counts"), said("counts"))))

var _ = event(object(
	month(func(s *domain.BooksSealed) *domain.Period { return &s.Period }),
	count("close", func(s *domain.BooksSealed) *int64 { return &s.Close }).
		described("Which of the month's closes; 1 is the first."),
	count("format", func(s *domain.BooksSealed) *int64 { return &s.Format }).described("How the root is made."),
	count("events", func(s *domain.BooksSealed) *int64 { return &s.Events }).described("How many it seals."),
	digest("root", required, func(s *domain.BooksSealed) *string { return &s.Root }),
	digest("previous", optional, func(s *domain.BooksSealed) *string { return &s.Previous }).
		described("The hash of the seal before."),
))

// count is a whole number from 0 on.
func count[T any](name string, at func(*T) *int64) field[T] {
	return field[T]{
		name: name, need: required, schema: wholeFrom(0, "^[0-9]+$"),
		read: func(d *Decoder, t *T) uint64 {
			*at(t) = d.whole(0, maxWhole)
			return hashNumber(domain.Decimal(*at(t)) * millionths)
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte { return (domain.Decimal(*at(t)) * millionths).Append(b) },
	}
}

// digest is a SHA-256 as hexadecimal digits.
func digest[T any](name string, n need, at func(*T) *string) field[T] {
	f := id(name, n, at)
	f.schema = ref("digest")
	read := f.read
	f.read = func(d *Decoder, t *T) uint64 {
		hash := read(d, t)
		if s := *at(t); d.err == nil && (len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "") {
			d.fail(CodeOutOfRange, "%s is no SHA-256 of 64 hexadecimal digits in lower case", quote(s))
		}
		return hash
	}
	return f
}

var _ = event(object(
	id("person", required, func(p *domain.PersonErased) *string { return &p.Person }),
	list("hashes", required, object(id("hash", required, func(h *domain.ErasedHash) *string { return &h.Hash })),
		func(p *domain.PersonErased) *[]domain.ErasedHash { return &p.Hashes },
		func(s *store) *[]domain.ErasedHash { return &s.erased }),
	id("actor", required, func(p *domain.PersonErased) *string { return &p.Actor }),
	text("reason", required, func(p *domain.PersonErased) *string { return &p.Reason }),
))

var _ = event(object(
	id("vendor_id", required, func(v *domain.VendorTerms) *string { return &v.VendorID }),
	count("window_days", func(v *domain.VendorTerms) *int64 { return &v.WindowDays }).
		described("Until when a claim must be filed: days after the one on which the case was reported."),
	moment("effective_from", required, timesOrDates, func(v *domain.VendorTerms) *time.Time { return &v.EffectiveFrom }),
	list("covers", required, object(
		word("element", required, domain.CostElements(), func(c *domain.Cover) *string { return &c.Element }),
		word("cause", optional, domain.RootCauses(), func(c *domain.Cover) *string { return &c.Cause }),
		fractionOf("share", func(c *domain.Cover) *domain.Optional { return &c.Share }).
			described("Of the cost, from 0 to 1; all of it where it is left out."),
		id("clause", optional, func(c *domain.Cover) *string { return &c.Clause }),
	), func(v *domain.VendorTerms) *[]domain.Cover { return &v.Covers },
		func(s *store) *[]domain.Cover { return &s.covers }),
))

// fractionOf is a number of 0 to 1 that may be left out.
func fractionOf[T any](name string, at func(*T) *domain.Optional) field[T] {
	f := maybe(name, unitDecimals, at)
	f.schema = JSON{"allOf": []any{ref("unit"), fraction}}
	read := f.read
	f.read = func(d *Decoder, t *T) uint64 {
		hash := read(d, t)
		if v := at(t).Value; d.err == nil && v > 1*millionths {
			d.fail(CodeOutOfRange, "%s is not between 0 and 1: a %s is a fraction", v, name)
		}
		return hash
	}
	return f
}
