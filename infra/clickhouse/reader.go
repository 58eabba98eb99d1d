package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Reader reads the ledger as the writer writes it: typed columns, used again from block to block, no allocation a row.
type Reader struct{ store *Store }

// Reader is a new reader on this store.
func (s *Store) Reader() *Reader { return &Reader{store: s} }

var _ ledger.Reader = (*Reader)(nil)

// The server sends blocks of some 16 MB, of which there are a few more than there are workers. By default it sends a
// megabyte: where most rows are sorted out, that leaves some hundred rows a block, and the blocks cost twice what the
// rows do.
const (
	blockBytes = 16 << 20
	blockRows  = 65_536
)

// ReadLedger hands over the rows of a statement whose FROM is given to the workers: each gets one row at a time, and
// which of them gets a row is chance. It ends with the first error of any.
func (r *Reader) ReadLedger(ctx context.Context, from string, workers ...func(*ledger.Row) error) error {
	conn, _, err := r.store.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // all that matters was read, or the error is known
	group, ctx := errgroup.WithContext(ctx)
	free, full := make(chan *block, len(workers)+1), make(chan *block)
	for range len(workers) + 1 {
		free <- newBlock()
	}
	for _, take := range workers {
		group.Go(func() error {
			for b := range full {
				if err := b.each(take); err != nil {
					return err
				}
				free <- b
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(full)
		b := <-free
		results := make(proto.Results, len(b.columns))
		copy(results, b.columns)
		err := conn.Do(ctx, ch.Query{
			Body:   b.query(from),
			Result: results,
			Settings: []ch.Setting{
				ch.SettingInt("do_not_merge_across_partitions_select_final", 1),
				ch.SettingInt("max_block_size", blockRows),
				ch.SettingInt("preferred_block_size_bytes", blockBytes),
			},
			OnResult: func(ctx context.Context, _ proto.Block) error {
				if b.rows() == 0 {
					return nil
				}
				select {
				case full <- b:
				case <-ctx.Done():
					return ctx.Err()
				}
				select {
				case b = <-free:
				case <-ctx.Done():
					return ctx.Err()
				}
				copy(results, b.columns) // the next block is read into these
				return nil
			},
		})
		if err != nil {
			if said, is := ch.AsException(err); is {
				err = &ledger.StoreError{Code: int32(said.Code), Err: err}
			}
			return fmt.Errorf("read the ledger: %w", err)
		}
		return nil
	})
	return group.Wait()
}

// block is some rows, column by column.
type block struct {
	cells   []cell
	columns proto.Results

	row   ledger.Row
	event domain.Event
	// Of the row; not taken from it again, since a worker may have put its own there.
	lines    []domain.Line
	unpriced []string
}

func newBlock() *block {
	b := &block{cells: cells(true)}
	for i, c := range b.cells {
		b.columns = append(b.columns, proto.ResultColumn{Name: fmt.Sprintf("c%d", i), Data: c.data.(proto.ColResult)})
	}
	return b
}

func (b *block) query(from string) string {
	selected := make([]string, len(b.cells))
	for i, c := range b.cells {
		selected[i] = c.selected + " AS " + b.columns[i].Name
	}
	return "SELECT " + strings.Join(selected, ", ") + " FROM " + from
}

func (b *block) rows() int { return b.cells[0].data.Rows() }

func (b *block) each(take func(*ledger.Row) error) error {
	for i := range b.rows() {
		b.read(i)
		if err := take(&b.row); err != nil {
			return err
		}
	}
	return nil
}

// read makes row i the row.
func (b *block) read(i int) {
	b.event = domain.Event{}
	b.row = ledger.Row{Event: &b.event, Lines: b.lines[:0], Unpriced: b.unpriced[:0]}
	for j := range b.cells {
		b.cells[j].set(&b.row, i)
	}
	b.lines, b.unpriced = b.row.Lines, b.row.Unpriced
}
