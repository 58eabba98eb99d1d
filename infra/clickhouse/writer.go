package clickhouse

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Writer writes the ledger, or what stands in for it. Batches may be filled side by side; inserts share one connection and take turns.
type Writer struct {
	store *Store
	table string

	mu   sync.Mutex
	conn *ch.Client
}

// Writer is a new writer on this store.
func (s *Store) Writer() *Writer { return s.WriterTo("ledger") }

// WriterTo is a new writer of a table that has the ledger's columns.
func (s *Store) WriterTo(table string) *Writer { return &Writer{store: s, table: table} }

// Close closes the connection.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return err
}

// Batch is an empty batch.
func (w *Writer) Batch() ledger.Batch {
	c := &columns{writer: w}
	c.occurredAt.WithPrecision(proto.PrecisionMicro)
	c.recordedAt.WithPrecision(proto.PrecisionMilli)
	c.account = proto.NewArray(&c.accounts)
	c.element = proto.NewArray(&c.elements)
	c.basis = proto.NewArray(&c.bases)
	c.amount = proto.NewArray(&c.amounts)
	c.unpriced = proto.NewArray(&c.missing)
	c.input = proto.Input{
		{Name: "source", Data: &c.source}, {Name: "event_id", Data: &c.eventID}, {Name: "content", Data: &c.content},
		{Name: "event_type", Data: &c.eventType}, {Name: "order_id", Data: &c.orderID}, {Name: "error_id", Data: &c.errorID},
		{Name: "store_id", Data: &c.storeID}, {Name: "currency", Data: &c.currency}, {Name: "occurred_at", Data: &c.occurredAt},
		{Name: "recorded_at", Data: &c.recordedAt}, {Name: "day", Data: &c.day}, {Name: "posting_period", Data: &c.posting},
		{Name: "origin_period", Data: &c.origin}, {Name: "stream", Data: &c.stream}, {Name: "partition", Data: &c.partition},
		{Name: "offset", Data: &c.offset}, {Name: "payload", Data: &c.payload}, {Name: "extensions", Data: &c.extensions},
		{Name: "voids_type", Data: &c.voidsType}, {Name: "voids_source", Data: &c.voidsSource}, {Name: "voids_id", Data: &c.voidsID},
		{Name: "account", Data: c.account}, {Name: "element", Data: enumArray{c.element, elementType}}, {Name: "basis", Data: enumArray{c.basis, basisType}},
		{Name: "amount", Data: decimalArray{c.amount}}, {Name: "unpriced", Data: c.unpriced}, {Name: "refused", Data: &c.refused},
		{Name: "version", Data: &c.version}, {Name: "customer_id", Data: &c.customerID}, {Name: "terms", Data: &c.terms},
		{Name: "rules", Data: &c.rules}, {Name: "rated", Data: &c.rated},
	}
	return c
}

// columns is a batch: one slice a column, reused.
type columns struct {
	writer *Writer
	input  proto.Input

	source, eventType, storeID, currency, voidsType, voidsSource, refused dictionary
	eventID, orderID, errorID, payload, extensions, voidsID, customerID   proto.ColStr
	content, version                                                      proto.ColUInt64
	occurredAt, recordedAt                                                proto.ColDateTime64
	day, posting, origin                                                  proto.ColDate
	stream                                                                streamColumn
	partition                                                             proto.ColInt32
	offset, terms                                                         proto.ColInt64
	rules                                                                 proto.ColUInt32
	rated                                                                 proto.ColBool

	accounts proto.ColUInt16
	elements proto.ColEnum8
	bases    proto.ColEnum8
	amounts  proto.ColDecimal64
	missing  proto.ColStr
	account  *proto.ColArr[uint16]
	element  *proto.ColArr[proto.Enum8]
	basis    *proto.ColArr[proto.Enum8]
	amount   *proto.ColArr[proto.Decimal64]
	unpriced *proto.ColArr[string]
}

// Append copies the row into the columns.
func (c *columns) Append(r *ledger.Row) {
	e := r.Event
	c.source.append(e.Source)
	c.eventID.Append(e.ID)
	c.content.Append(r.Content)
	c.eventType.append(e.Type.String())
	c.orderID.Append(e.OrderID)
	c.errorID.Append(e.ErrorID)
	c.storeID.append(e.StoreID)
	c.currency.append(e.Currency)
	c.occurredAt.AppendRaw(proto.DateTime64(e.Time.UnixMicro()))
	c.recordedAt.AppendRaw(proto.DateTime64(r.RecordedAt.UnixMilli()))
	c.day = append(c.day, date(r.Day))
	c.posting = append(c.posting, date(r.Posting.First()))
	c.origin = append(c.origin, date(r.Origin.First()))
	c.stream.ColEnum8 = append(c.stream.ColEnum8, proto.Enum8(r.Position.Stream))
	c.partition.Append(r.Position.Partition)
	c.offset.Append(r.Position.Offset)
	c.payload.AppendBytes(r.Data)
	c.extensions.AppendBytes(r.Extensions)
	if v, ok := e.Data.(*domain.EventVoided); ok {
		c.voidsType.append(v.Original.Effective().String())
		c.voidsSource.append(v.Source)
		c.voidsID.Append(v.ID)
	} else {
		c.voidsType.append("")
		c.voidsSource.append("")
		c.voidsID.Append("")
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		c.accounts.Append(uint16(l.Account))
		c.elements.Append(proto.Enum8(l.Element))
		c.bases.Append(proto.Enum8(l.Basis))
		c.amounts.Append(proto.Decimal64(l.Amount))
	}
	end := uint64(c.accounts.Rows())
	c.account.Offsets.Append(end)
	c.element.Offsets.Append(end)
	c.basis.Offsets.Append(end)
	c.amount.Offsets.Append(end)
	for _, name := range r.Unpriced {
		c.missing.Append(name)
	}
	c.unpriced.Offsets.Append(uint64(c.missing.Rows()))
	c.refused.append(r.Refused)
	c.version.Append(r.Version())
	customer := r.Customer
	if d, ok := e.Data.(*domain.OrderPlaced); ok {
		customer = d.CustomerID
	}
	c.customerID.Append(customer)
	c.terms.Append(r.Terms)
	c.rules.Append(r.Rules)
	c.rated.Append(r.Rated)
}

// Rows is how many rows there are.
func (c *columns) Rows() int { return c.eventID.Rows() }

// Reset forgets the rows and keeps the memory.
func (c *columns) Reset() {
	for _, column := range c.input {
		column.Data.(proto.Resettable).Reset()
	}
}

// Insert writes the batch as one block. A partition's rows land as one part or not at all; after an error some
// partitions may have landed, and the same batch written again is the same rows.
func (c *columns) Insert(ctx context.Context) error {
	w := c.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil || w.conn.IsClosed() {
		conn, err := w.store.dial(ctx)
		if err != nil {
			return err
		}
		w.conn = conn
	}
	if err := w.conn.Do(ctx, ch.Query{Body: c.input.Into(w.table), Input: c.input}); err != nil {
		// After an error the connection's state is unknown.
		_ = w.conn.Close()
		w.conn = nil
		return fmt.Errorf("insert %d rows into %s: %w", c.Rows(), w.table, err)
	}
	return nil
}

// date counts days since 1970. The first hours of 1970 are the day before in books west of Greenwich, which a Date doesn't
// reach.
func date(t time.Time) proto.Date { return proto.Date(max(t.Unix(), 0) / 86400) }
