package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// LogPartition is one partition of the log, to be read from its start to where it is booked.
type LogPartition struct {
	Topic              string
	Stream             domain.Stream
	Partition          int32
	Start, Booked, End int64
	// Read hands over every record from Start on and before end, in order.
	Read func(ctx context.Context, end int64, take func(LogRecord) error) error
}

// LogRecord is one record of it.
type LogRecord struct {
	Offset  int64
	Time    time.Time // as the log has it
	Key     string
	Headers message.Metadata
	Value   []byte
}

// LogCount is what became of a partition's records. Records = Events + Duplicates + DeadLetters, where nothing differs.
type LogCount struct {
	Topic       string `json:"topic"`
	Partition   int32  `json:"partition"`
	Start       int64  `json:"start"`
	Booked      int64  `json:"booked"` // compared up to here
	End         int64  `json:"end"`
	Records     uint64 `json:"records"`
	Events      uint64 `json:"events"`       // rows of the ledger that this partition's records are the first copies of
	Duplicates  uint64 `json:"duplicates"`   // the same event again
	DeadLetters uint64 `json:"dead_letters"` // unreadable, or refused before they could be booked
}

// compareLog walks through a partition and through the ledger's rows of it side by side, by offset, and reads each
// record again: the identity and the hash of what it means must be those of its row. A record without a row of its own
// must be another copy of an event that is in the ledger, or a dead letter.
func (r *Reconciliation) compareLog(ctx context.Context, db driver.Conn, decode ledger.Decode, p LogPartition) error {
	n := LogCount{Topic: p.Topic, Partition: p.Partition, Start: p.Start, Booked: p.Booked, End: p.End}
	rows,
		err := db.Query(ctx, `SELECT offset, source, event_id, content FROM ledger FINAL WHERE stream = ? AND partition = ?
    AND NOT (event_type = `+sql.Event("books.rebuilt")+` AND (order_id != ''
        OR error_id != '')) -- what a rebuild posts for a unit: its record has a row besides
    ORDER BY offset`, p.Stream.String(), p.Partition)
	if err != nil {
		return fmt.Errorf("read the ledger's rows of %s/%d: %w", p.Topic, p.Partition, err)
	}
	defer rows.Close()
	w := &logWalk{rows: rows, report: r, partition: &p, counts: &n}
	if err := w.advance(); err != nil {
		return err
	}
	if p.Booked > p.Start {
		if err := p.Read(ctx, p.Booked, func(record LogRecord) error {
			if err := w.record(decode, record); err != nil {
				return err
			}
			if len(w.others) >= 20_000 {
				return w.settle(ctx, db)
			}
			return nil
		}); err != nil {
			return fmt.Errorf("read %s/%d: %w", p.Topic, p.Partition, err)
		}
	}
	if err := w.settle(ctx, db); err != nil {
		return err
	}
	for w.more && w.row.offset < p.Booked {
		w.stray("a row whose record the log doesn't have")
		if err := w.advance(); err != nil {
			return err
		}
	}
	r.check(checkLog).Compared += n.Records
	r.Log = append(r.Log, n)
	return nil
}

// logWalk is the state of one comparison.
type logWalk struct {
	rows      driver.Rows
	report    *Reconciliation
	partition *LogPartition
	counts    *LogCount
	more      bool
	row       struct {
		offset     int64
		source, id string
		content    uint64
	}
	others []otherCopy
}

// otherCopy is a record that no row was made of.
type otherCopy struct {
	offset                 int64
	order, source, eventID string
	content                uint64
	readable               bool
	letter                 string // its id, were it a dead letter
}

func (w *logWalk) place(offset int64) string {
	return fmt.Sprintf("%s/%d@%d", w.partition.Topic, w.partition.Partition, offset)
}

func (w *logWalk) advance() error {
	if w.more = w.rows.Next(); !w.more {
		return w.rows.Err()
	}
	return w.rows.Scan(&w.row.offset, &w.row.source, &w.row.id, &w.row.content)
}

func (w *logWalk) stray(what string) {
	w.report.differ(Difference{Check: checkLog, What: what, Place: w.place(w.row.offset),
		Events: []string{w.row.source + " " + w.row.id}})
}

func (w *logWalk) record(decode ledger.Decode, record LogRecord) error {
	w.counts.Records++
	for w.more && w.row.offset < record.Offset {
		what := "a row whose record the log doesn't have"
		if w.row.offset < w.partition.Start {
			what = "a row whose record the log has let go of"
		}
		w.stray(what)
		if err := w.advance(); err != nil {
			return err
		}
	}
	decoded, err := decode(record.Headers, record.Value)
	var rejection *ledger.Rejection
	if err != nil && !errors.As(err, &rejection) {
		return err
	}
	if w.more && w.row.offset == record.Offset {
		w.counts.Events++
		switch {
		case err != nil:
			w.stray("a row whose record can't be read: " + err.Error())
		case decoded.Event.Source != w.row.source || decoded.Event.ID != w.row.id:
			w.report.differ(Difference{Check: checkLog, What: "a row is of another event than its record",
				Place:    w.place(record.Offset),
				Expected: decoded.Event.Source + " " + decoded.Event.ID, Actual: w.row.source + " " + w.row.id,
				Events: []string{w.row.source + " " + w.row.id}})
		case decoded.Content != w.row.content:
			w.report.differ(Difference{Check: checkLog, What: "a row's content is not its record's",
				Place:    w.place(record.Offset),
				Expected: fmt.Sprintf("%016x", decoded.Content), Actual: fmt.Sprintf("%016x", w.row.content),
				Events: []string{w.row.source + " " + w.row.id}})
		}
		return w.advance()
	}
	letter := deadletter.Letter{Topic: w.partition.Topic, Key: record.Key, Headers: record.Headers, Payload: record.Value}
	letter.Identify()
	other := otherCopy{offset: record.Offset, letter: letter.ID}
	if err == nil {
		e := &decoded.Event
		other.readable, other.content = true, decoded.Content
		other.order, other.source, other.eventID = strings.Clone(e.OrderID), strings.Clone(e.Source), strings.Clone(e.ID)
	}
	w.others = append(w.others, other)
	return nil
}

// settle finds what became of the records without a row of their own.
func (w *logWalk) settle(ctx context.Context, db driver.Conn) error {
	became, err := fates(ctx, db, w.others)
	if err != nil {
		return err
	}
	for i := range w.others {
		o := &w.others[i]
		switch {
		case o.readable && became[i].booked:
			w.counts.Duplicates++
		case became[i].dead:
			w.counts.DeadLetters++
		default:
			d := Difference{Check: checkLog, What: "a record that is neither in the ledger nor a dead letter",
				Place: w.place(o.offset)}
			if o.readable {
				d.Events = []string{o.source + " " + o.eventID}
			}
			w.report.differ(d)
		}
	}
	w.others = w.others[:0]
	return nil
}

// fate is what became of a record that no row was made of.
type fate struct {
	booked bool // the same event has a row of another copy
	dead   bool // it is a dead letter
}

// fates are those of records, in their order.
func fates(ctx context.Context, db driver.Conn, others []otherCopy) ([]fate, error) {
	if len(others) == 0 {
		return nil, nil
	}
	table, err := ext.NewTable("others", ext.Column("n", "UInt32"), ext.Column("order_id", "String"),
		ext.Column("source", "String"),
		ext.Column("event_id", "String"), ext.Column("content", "UInt64"), ext.Column("letter", "String"))
	if err != nil {
		return nil, fmt.Errorf("name the other records: %w", err)
	}
	for i, o := range others {
		if err := table.Append(uint32(i), o.order, o.source, o.eventID, o.content, o.letter); err != nil {
			return nil, fmt.Errorf("name the other records: %w", err)
		}
	}
	var found []struct {
		N      uint32 `ch:"n"`
		Booked bool   `ch:"booked"`
		Dead   bool   `ch:"dead"`
	}
	if err := db.Select(clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), &found, `
SELECT n, toBool((order_id, source, event_id, content) IN (
           SELECT order_id, source, event_id, content FROM ledger WHERE order_id IN (SELECT order_id FROM others)
              AND (source, event_id) IN (SELECT source, event_id FROM others))) AS booked,
       toBool(letter IN (SELECT id FROM dead_letters)) AS dead
FROM others ORDER BY n`); err != nil {
		return nil, fmt.Errorf("look for the other records: %w", err)
	}
	all := make([]fate, len(others))
	for _, f := range found {
		all[f.N] = fate{f.Booked, f.Dead}
	}
	return all, nil
}
