package clickhouse

import (
	"context"
	"fmt"
	"sync"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/makegood/makegood/projections/ledger"
)

// Writer writes the ledger, or what stands in for it. Batches may be filled side by side; inserts share one
// connection and take turns.
type Writer struct {
	store *Store
	table string

	mu   sync.Mutex
	conn *ch.Client
	turn uint64 // of the hosts, in which the connection was made
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
	b := &batch{writer: w, cells: cells(false)}
	var groups proto.Input
	grouped := map[int]bool{}
	for _, g := range ledger.Groups {
		all := &tuples{of: proto.ColumnType(g.Type())}
		for _, i := range g.Members {
			all.members, grouped[i] = append(all.members, b.cells[i].data.(member)), true
		}
		groups = append(groups, proto.InputColumn{Name: g.Name, Data: all})
	}
	for i, c := range b.cells {
		if !grouped[i] {
			b.input = append(b.input, proto.InputColumn{Name: ledger.Columns[i].Name, Data: c.data})
		}
	}
	b.input = append(b.input, groups...)
	return b
}

// batch is some rows, column by column. Its memory is used again. The rare columns come after the others; they are
// filled up to the last row that says something in them.
type batch struct {
	writer *Writer
	cells  []cell
	input  proto.Input
	rows   int
	filled int // rows that the rare columns have
}

// Append copies the row into the columns.
func (b *batch) Append(r *ledger.Row) {
	for i := range b.cells[:ledger.Everyday] {
		b.cells[i].append(r)
	}
	if !r.Everyday() {
		b.fill()
		for i := range b.rare() {
			b.rare()[i].append(r)
		}
		b.filled++
	}
	b.rows++
}

func (b *batch) rare() []cell { return b.cells[ledger.Everyday:] }

// fill gives the rare columns the rows that say nothing in them.
func (b *batch) fill() {
	for i := range b.rare() {
		b.rare()[i].nothing(b.rows - b.filled)
	}
	b.filled = b.rows
}

// Rows is how many rows there are.
func (b *batch) Rows() int { return b.rows }

// Reset forgets the rows and keeps the memory.
func (b *batch) Reset() {
	for _, c := range b.cells {
		c.data.Reset()
	}
	b.rows, b.filled = 0, 0
}

// Insert writes the batch as one block. A partition's rows land as one part or not at all; after an error some
// partitions may have landed, and the same batch written again is the same rows.
func (b *batch) Insert(ctx context.Context) error {
	w := b.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.connect(ctx); err != nil {
		return err
	}
	input := b.input[:ledger.Everyday]
	if b.filled > 0 {
		b.fill()
		input = b.input
	}
	settings, err := w.store.quorum(ctx)
	if err == nil {
		err = w.conn.Do(ctx, ch.Query{Body: input.Into(w.table), Input: input, Settings: settings})
	}
	if err != nil {
		w.failed(ctx, err)
		if said, is := ch.AsException(err); is {
			err = &ledger.StoreError{Code: int32(said.Code), Err: err}
		}
		return fmt.Errorf("insert %d rows into %s: %w", b.rows, w.table, err)
	}
	if w.store.cluster == "" || w.table != "ledger" {
		return nil
	}
	if err := w.store.sync(ctx, w.turn, settling); err != nil {
		w.failed(ctx, err)
		return fmt.Errorf("after an insert of %d rows into %s: %w", b.rows, w.table, err)
	}
	return nil
}

// connect makes a connection to the server that the process works with where there is none yet. Rows are read back
// there.
func (w *Writer) connect(ctx context.Context) (err error) {
	if _, now := w.store.hosts.now(); w.conn != nil && (w.conn.IsClosed() || now != w.turn) {
		_ = w.conn.Close() // all that it was asked is done
		w.conn = nil
	}
	if w.conn == nil {
		w.conn, w.turn, err = w.store.dial(ctx)
	}
	return err
}

// failed gives up the connection: after an error its state is unknown. Where the server is gone, the process goes on at
// the next one.
func (w *Writer) failed(ctx context.Context, err error) {
	w.store.forgetUp()
	_ = w.conn.Close()
	w.conn = nil
	if addr, now := w.store.hosts.now(); now == w.turn && w.store.isGone(ctx, addr, err) {
		w.store.hosts.next(w.turn)
	}
}
