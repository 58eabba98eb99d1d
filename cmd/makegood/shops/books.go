package shops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// books are those of one shop at a time.
type books struct {
	store  *clickhouse.Store
	tables []string
	log    tape
	fed    int
	spent  float64 // on prevention, by what was told
	close  []func() error
}

// open starts an engine in a directory of its own, with empty books.
func open(ctx context.Context, logger *slog.Logger, progress io.Writer) (b *books, err error) {
	b = &books{}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.end())
		}
	}()
	dir, err := os.MkdirTemp("", "makegood-shops-")
	if err != nil {
		return b, fmt.Errorf("make a directory for the shops: %w", err)
	}
	b.close = append(b.close, func() error { return os.RemoveAll(dir) })
	engine, err := embedded.StartEngine(ctx, embedded.EngineConfig{Dir: dir, Logger: logger, Progress: progress})
	if err != nil {
		return b, err
	}
	b.close = append(b.close, engine.Close)
	if b.store, err = clickhouse.Open(ctx, clickhouse.Config{DSN: engine.DSN(), Logger: logger},
		ledger.Migrations()); err != nil {
		return b, err
	}
	b.close = append(b.close, b.store.Close)
	if err := ledger.CreateViews(ctx, b.store.DB); err != nil {
		return b, err
	}
	rows, err := b.store.DB.Query(ctx, "SELECT name FROM system.tables WHERE database = currentDatabase() "+
		"AND engine LIKE '%MergeTree' AND name != 'schema_versions'")
	if err != nil {
		return b, fmt.Errorf("list the tables: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return b, fmt.Errorf("list the tables: %w", err)
		}
		b.tables = append(b.tables, name)
	}
	return b, rows.Err()
}

func (b *books) end() error {
	var all error
	for i := len(b.close) - 1; i >= 0; i-- {
		all = errors.Join(all, b.close[i]())
	}
	return all
}

// empty makes room for the next shop.
func (b *books) empty(ctx context.Context) error {
	for _, name := range b.tables {
		if err := b.store.DB.Exec(ctx, "TRUNCATE TABLE "+name); err != nil {
			return fmt.Errorf("empty the table %s: %w", name, err)
		}
	}
	b.log, b.fed, b.spent = tape{}, 0, 0
	return nil
}

// book posts what was added to the log since the last time, by a projector that begins again.
func (b *books) book(ctx context.Context) (err error) {
	writer := b.store.Writer()
	defer func() { err = errors.Join(err, writer.Close()) }()
	topics := map[domain.Stream]string{}
	for s := domain.Orders; s <= domain.Books; s++ {
		topics[s] = s.String()
	}
	n := len(b.log.records) - b.fed
	p, err := post.New(post.Config{Topics: topics, Letters: "deadletters", Ledger: b.store.Reader(), Stored: decode.Stored,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler), MaxRows: n, Linger: time.Second, Position: positionOf,
		Key: func(*message.Message) string { return "" }}, &b.log, &b.log, decode.Log(),
		post.NewTerms(&b.log, decode.Log(), decode.Stored, time.UTC), writer, b.store.DB)
	if err != nil {
		return err
	}
	messages := make([]*message.Message, n)
	b.log.feed = make(chan *message.Message, n)
	for i := range messages {
		messages[i] = b.log.message(b.fed + i)
		b.log.feed <- messages[i]
	}
	b.fed = len(b.log.records)
	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(working, time.Minute) }()
	for _, m := range messages {
		select {
		case <-m.Acked():
		case err := <-ended:
			return errors.Join(errors.New("the projector ended"), ctx.Err(), err)
		}
	}
	stop()
	return <-ended
}

// ask asks a question of the books as of now.
func (b *books) ask(ctx context.Context, name string, from, to, now time.Time, of map[string]string) (*insight.Answer,
	error) {
	return insight.QuestionOf(name).Ask(ctx, b.store.DB, insight.Query{From: from, To: to, Currency: "USD", Of: of},
		time.UTC, now)
}
