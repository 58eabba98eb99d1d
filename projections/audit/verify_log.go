package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// verifyWalk goes through the log and the ledger's rows of the verified months side by side, by position.
type verifyWalk struct {
	v      *Verification
	db     driver.Conn
	decode ledger.Decode
	place  func(*ledger.Row)
	closes map[domain.Period]*Sealable // the last of each month

	rows driver.Rows
	row  struct { // the next one, where there is one
		at         domain.Partition
		offset     int64
		source, id string
		content    uint64
		recorded   time.Time
		month      time.Time
		order      string
		errorID    string
		token      string
		said       string
	}
	more bool

	partition *LogPartition
	others    []otherCopy
	periods   []domain.Period // of others
}

// compareLog reads all of the log up to the last close, and holds each record of a verified month against its row.
func (v *Verification) compareLog(ctx context.Context, db driver.Conn, decode ledger.Decode,
	with *VerifyAgainst) error {
	w := &verifyWalk{v: v, db: db, decode: decode, place: with.Place, closes: map[domain.Period]*Sealable{}}
	var sealed []string
	for i := range with.Closes {
		if c := &with.Closes[i]; c.Last {
			w.closes[c.Period] = c
			sealed = append(sealed, ledger.SealedOf(c.Period, &c.Mark))
		}
	}
	if len(sealed) == 0 {
		return nil
	}
	rows, err := statements.Make("seal_log", struct {
		Said   string
		Sealed []string
	}{ledger.SaidSQL, sealed}).Rows(sparingly(ctx), db)
	if err != nil {
		return fmt.Errorf("read the ledger's rows by position: %w", err)
	}
	defer rows.Close()
	w.rows = rows
	if err := w.advance(); err != nil {
		return err
	}
	for i := range with.Partitions {
		if err := w.walk(ctx, &with.Partitions[i]); err != nil {
			return err
		}
	}
	for w.more { // of a partition that the log doesn't have
		w.name(RecordGone, "", "")
		if err := w.advance(); err != nil {
			return err
		}
	}
	return nil
}

// end is up to where a partition can hold what belongs to a verified month.
func (w *verifyWalk) end(p *LogPartition) int64 {
	end := p.Start
	for _, c := range w.closes {
		switch {
		case p.Stream == domain.Books:
			end = max(end, c.Mark.Offset)
		case c.Mark.Ends == nil:
			return p.Booked
		default:
			end = max(end, c.Mark.Ends[domain.Partition{Stream: p.Stream, Number: p.Partition}])
		}
	}
	return min(end, p.Booked)
}

// walk goes through one partition. Partitions come in the order of the rows.
func (w *verifyWalk) walk(ctx context.Context, p *LogPartition) error {
	w.partition = p
	if end := w.end(p); end > p.Start {
		if err := p.Read(ctx, end, func(record LogRecord) error {
			if err := w.record(&record); err != nil {
				return err
			}
			if len(w.others) >= 20_000 {
				return w.settle(ctx)
			}
			return nil
		}); err != nil {
			return fmt.Errorf("read %s/%d: %w", p.Topic, p.Partition, err)
		}
	}
	for w.more && w.before(p, -1) {
		w.name(RecordGone, "", "")
		if err := w.advance(); err != nil {
			return err
		}
	}
	return w.settle(ctx)
}

// before reports whether the next row stands before an offset of a partition; before its end, where that is below 0.
func (w *verifyWalk) before(p *LogPartition, offset int64) bool {
	at := &w.row.at
	switch {
	case at.Stream != p.Stream:
		return at.Stream < p.Stream
	case at.Number != p.Partition:
		return at.Number < p.Partition
	}
	return offset < 0 || w.row.offset < offset
}

func (w *verifyWalk) advance() error {
	var stream uint8
	if w.more = w.rows.Next(); !w.more {
		return w.rows.Err()
	}
	r := &w.row
	if err := w.rows.Scan(&stream, &r.at.Number, &r.offset, &r.source, &r.id, &r.content, &r.recorded, &r.month,
		&r.order, &r.errorID, &r.token, &r.said); err != nil {
		return fmt.Errorf("read the ledger's rows by position: %w", err)
	}
	r.at.Stream = domain.Stream(stream)
	return nil
}

// name notes a deviation of the next row.
func (w *verifyWalk) name(code, expected, actual string) {
	r := &w.row
	period := domain.PeriodOf(r.month, time.UTC)
	w.v.deviate(Deviation{Code: code, Period: period.String(), Close: w.closes[period].Number, Source: r.source, ID: r.id,
		OrderID: r.order, ErrorID: r.errorID, Place: placeOf(r.at, r.offset), Expected: expected, Actual: actual})
}

func placeOf(at domain.Partition, offset int64) string {
	return fmt.Sprintf("%s/%d@%d", at.Stream, at.Number, offset)
}

// record holds one record against the row that comes from it, or finds out whether there should be one.
func (w *verifyWalk) record(record *LogRecord) error {
	w.v.Records++
	p := w.partition
	for w.more && w.before(p, record.Offset) {
		w.name(RecordGone, "", "")
		if err := w.advance(); err != nil {
			return err
		}
	}
	decoded, err := w.decode(record.Headers, record.Value)
	var rejection *ledger.Rejection
	switch {
	case errors.As(err, &rejection):
		return w.each(record.Offset, func() { w.name(RecordDiffers, rejection.Error(), "") }) // it is of no month
	case err != nil:
		return err
	}
	e := &decoded.Event
	r := ledger.Row{Event: e, Content: decoded.Content, Data: decoded.Data, Extensions: decoded.Extensions,
		Customer: decoded.Customer,
		Position: domain.Position{Stream: p.Stream, Partition: p.Partition, Offset: record.Offset, Time: record.Time}}
	r.Complete(record.Headers)
	w.place(&r)
	if w.here(record.Offset) {
		return w.each(record.Offset, func() { w.compare(&r, record) })
	}
	c := w.closes[r.Posting]
	if c == nil || c.Mark.Precedes(r.Position) || e.Stream() != p.Stream || e.Type == domain.TypeBooksSealed {
		return nil
	}
	letter := deadletter.Letter{Topic: p.Topic, Key: record.Key, Headers: record.Headers, Payload: record.Value}
	letter.Identify()
	w.periods = append(w.periods, r.Posting)
	w.others = append(w.others, otherCopy{offset: record.Offset, order: strings.Clone(e.OrderID),
		source: strings.Clone(e.Source), eventID: strings.Clone(e.ID), content: decoded.Content, readable: true,
		letter: letter.ID})
	return nil
}

// here reports whether the next row says that it comes from the record at an offset.
func (w *verifyWalk) here(offset int64) bool {
	p := w.partition
	return w.more && w.row.at == domain.Partition{Stream: p.Stream, Number: p.Partition} && w.row.offset == offset
}

// each goes through the rows that say that they come from the record at an offset. There is one, if nobody added any.
func (w *verifyWalk) each(offset int64, do func()) error {
	for w.here(offset) {
		do()
		if err := w.advance(); err != nil {
			return err
		}
	}
	return nil
}

// compare holds a row against what the log says that it must be.
func (w *verifyWalk) compare(r *ledger.Row, record *LogRecord) {
	said := ledger.Said(r)
	switch {
	case r.Event.Source != w.row.source || r.Event.ID != w.row.id:
		w.name(RecordDiffers, r.Event.Source+" "+r.Event.ID, w.row.source+" "+w.row.id)
	case r.Content != w.row.content:
		w.name(RecordDiffers, fmt.Sprintf("%016x", r.Content), fmt.Sprintf("%016x", w.row.content))
	case r.Event.Type == domain.TypePersonErased: // the ledger keeps it without the hashes that it erased
	case string(said[:]) != w.row.said:
		w.name(RecordDiffers, fmt.Sprintf("%x", said), fmt.Sprintf("%x", w.row.said))
	}
	if token := ledger.TokenOf(record.Headers); token != w.row.token {
		w.name(RecordDiffers, "token "+token, "token "+w.row.token)
	}
	recorded := r.RecordedAt.Truncate(time.Millisecond)
	again := record.Headers[ledger.FirstHeader] != "" // it keeps the moment of the record before
	if !w.row.recorded.Equal(recorded) && (!again || w.row.recorded.After(recorded)) {
		w.name(MomentDiffers, recorded.UTC().Format(time.RFC3339Nano), w.row.recorded.UTC().Format(time.RFC3339Nano))
	}
}

// settle finds what became of the records without a row of their own.
func (w *verifyWalk) settle(ctx context.Context) error {
	became, err := fates(ctx, w.db, w.others)
	if err != nil {
		return err
	}
	p := w.partition
	for i := range became {
		if became[i].booked || became[i].dead {
			continue
		}
		o, period := &w.others[i], w.periods[i]
		w.v.deviate(Deviation{Code: RecordUnbooked, Period: period.String(), Close: w.closes[period].Number,
			Source: o.source, ID: o.eventID, OrderID: o.order,
			Place: placeOf(domain.Partition{Stream: p.Stream, Number: p.Partition}, o.offset)})
	}
	w.others, w.periods = w.others[:0], w.periods[:0]
	return nil
}
