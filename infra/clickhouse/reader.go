package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unsafe"

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

// The server sends blocks of some 16 MB, of which there are a few more than there are workers. By default it sends a megabyte:
// where most rows are sorted out, that leaves some hundred rows a block, and the blocks cost twice what the rows do.
const (
	blockBytes = 16 << 20
	blockRows  = 65_536
)

// ReadLedger hands over the rows of a statement whose FROM is given to the workers: each gets one row at a time, and which of
// them gets a row is chance. It ends with the first error of any.
func (r *Reader) ReadLedger(ctx context.Context, from string, workers ...func(*ledger.Row) error) error {
	conn, err := r.store.dial(ctx)
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
			return fmt.Errorf("read the ledger: %w", err)
		}
		return nil
	})
	return group.Wait()
}

// block is some rows, column by column.
type block struct {
	columns proto.Results
	names   []string // what is selected for each of them

	source, eventID, eventType, orderID, errorID, storeID, currency       proto.ColStr
	payload, extensions, voidsType, voidsSource, voidsID, refused, client proto.ColStr
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
	lacking  *proto.ColArr[string]

	row ledger.Row
	// Of the row; not taken from it again, since a worker may have put its own there.
	lines    []domain.Line
	unpriced []string
	event    domain.Event
	void     domain.EventVoided
	voids    domain.Event
}

func newBlock() *block {
	b := &block{}
	b.account, b.lacking = proto.NewArray(&b.accounts), proto.NewArray(&b.missing)
	// A dictionary of the server's would be decoded into a string a row; as it is, a row is a piece of the column.
	plain := func(name string, into *proto.ColStr) {
		b.column("CAST("+name+" AS String)", into)
	}
	plain("source", &b.source)
	b.column("event_id", &b.eventID)
	b.column("content", &b.content)
	plain("event_type", &b.eventType)
	b.column("order_id", &b.orderID)
	b.column("error_id", &b.errorID)
	plain("store_id", &b.storeID)
	plain("currency", &b.currency)
	b.column("occurred_at", &b.occurredAt)
	b.column("recorded_at", &b.recordedAt)
	b.column("day", &b.day)
	b.column("posting_period", &b.posting)
	b.column("origin_period", &b.origin)
	b.column("stream", &b.stream)
	b.column("partition", &b.partition)
	b.column("offset", &b.offset)
	b.column("payload", &b.payload)
	b.column("extensions", &b.extensions)
	plain("voids_type", &b.voidsType)
	plain("voids_source", &b.voidsSource)
	b.column("voids_id", &b.voidsID)
	plain("refused", &b.refused)
	b.column("customer_id", &b.client)
	b.column("version", &b.version)
	b.column("terms", &b.terms)
	b.column("rules", &b.rules)
	b.column("rated", &b.rated)
	b.column("account", b.account)
	b.column("element", enumArray{proto.NewArray(&b.elements), elementType})
	b.column("basis", enumArray{proto.NewArray(&b.bases), basisType})
	b.column("amount", decimalArray{proto.NewArray(&b.amounts)})
	b.column("unpriced", b.lacking)
	return b
}

func (b *block) column(selected string, into proto.ColResult) {
	b.names = append(b.names, selected)
	b.columns = append(b.columns, proto.ResultColumn{Name: fmt.Sprintf("c%d", len(b.names)), Data: into})
}

func (b *block) query(from string) string {
	selected := make([]string, len(b.names))
	for i := range b.names {
		selected[i] = b.names[i] + " AS " + b.columns[i].Name
	}
	return "SELECT " + strings.Join(selected, ", ") + " FROM " + from
}

func (b *block) rows() int { return b.eventID.Rows() }

// text is a row of the column, as long as the column holds it.
func text(c *proto.ColStr, i int) string {
	raw := c.RowBytes(i)
	return unsafe.String(unsafe.SliceData(raw), len(raw))
}

// bytes is the same for what is read as bytes.
func bytes(c *proto.ColStr, i int) []byte {
	at := c.Pos[i]
	return c.Buf[at.Start:at.End:at.End]
}

func span(offsets proto.ColUInt64, i int) (from, to int) {
	if i > 0 {
		from = int(offsets[i-1])
	}
	return from, int(offsets[i])
}

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
	r, e := &b.row, &b.event
	*e = domain.Event{Source: text(&b.source, i), ID: text(&b.eventID, i), Type: domain.ParseType(b.eventType.RowBytes(i)),
		Time: time.UnixMicro(int64(b.occurredAt.Data[i])).UTC(), OrderID: text(&b.orderID, i), ErrorID: text(&b.errorID, i),
		StoreID: text(&b.storeID, i), Currency: text(&b.currency, i)}
	recorded := time.UnixMilli(int64(b.recordedAt.Data[i])).UTC()
	b.lines, b.unpriced = b.lines[:0], b.unpriced[:0]
	for j, to := span(b.account.Offsets, i); j < to; j++ {
		b.lines = append(b.lines, domain.Line{Account: domain.Account(b.accounts[j]), Element: domain.Element(b.elements[j]),
			Basis: domain.Basis(b.bases[j]), Amount: domain.Amount(b.amounts[j])})
	}
	for j, to := span(b.lacking.Offsets, i); j < to; j++ {
		b.unpriced = append(b.unpriced, text(&b.missing, j))
	}
	*r = ledger.Row{
		Event: e, Content: b.content[i], Data: bytes(&b.payload, i), Extensions: bytes(&b.extensions, i),
		Position:   domain.Position{Stream: domain.Stream(b.stream.ColEnum8[i]), Partition: b.partition[i], Offset: b.offset[i], Time: recorded},
		RecordedAt: recorded, Day: midnight(b.day[i]), Posting: domain.PeriodOf(midnight(b.posting[i]), time.UTC), Origin: domain.PeriodOf(midnight(b.origin[i]), time.UTC),
		Lines: b.lines, Unpriced: b.unpriced, Refused: text(&b.refused, i), Customer: text(&b.client, i), Terms: b.terms[i], Rules: b.rules[i], Rated: b.rated[i],
	}
	r.SetVersion(b.version[i])
	if of := domain.ParseType(b.voidsType.RowBytes(i)); of != domain.UnknownType {
		b.voids = domain.Event{Type: of}
		b.void = domain.EventVoided{Source: text(&b.voidsSource, i), ID: text(&b.voidsID, i), Original: &b.voids}
		e.Data = &b.void
	}
}

// midnight is a day of the server's as the ledger's rows have it.
func midnight(d proto.Date) time.Time { return time.Unix(int64(d)*86400, 0).UTC() }
