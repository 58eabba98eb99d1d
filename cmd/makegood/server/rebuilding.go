package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/rebuild"
	"github.com/makegood/makegood/projections/shadow"
)

// StartRebuilder lets this process compute rebuilds.
func (a *App) StartRebuilder() (err error) {
	a.Rebuilder, err = rebuild.New(rebuild.Config{
		DB: a.Store.DB, Ledger: a.Store.Reader(),
		Shadow: func(table string) rebuild.ShadowWriter { return a.Store.WriterTo(table) },
		Decode: decode.Stored, Terms: a.TermsNow, ID: func() string { return strings.ToLower(rand.Text()[:12]) },
		Logger: a.logger,
	})
	if err != nil {
		return err
	}
	a.OnClose(a.Rebuilder.Close)
	return nil
}

// TermsNow reads the books stream from its beginning, and says where a record that is written to it now would stand.
func (a *App) TermsNow(ctx context.Context) (_ *post.Known, mark domain.Mark, err error) {
	zone, err := time.LoadLocation(a.Config.Zone)
	if err != nil {
		return nil, mark, err
	}
	tail, err := kafka.NewTail(kafka.TailConfig{Config: a.kafkaConfig(), Topic: a.Config.Topic(domain.Books)})
	if err != nil {
		return nil, mark, err
	}
	defer func() { _ = tail.Close() }() // all that is wanted was read
	known, err := post.ReadTerms(ctx, booksLog{tail}, decode.Log(), zone)
	if err != nil {
		return nil, mark, err
	}
	text, err := a.Ends(ctx)
	if err != nil {
		return nil, mark, err
	}
	ends, err := ledger.ParseEnds(text)
	if err != nil {
		return nil, mark, err
	}
	return known, domain.Mark{Offset: known.End, Time: a.Now().UTC(), Ends: ends}, nil
}

// Rebuild is the last rebuild, or the one of that id.
func (b Books) Rebuild(ctx context.Context, id string) (*shadow.Rebuild, error) {
	return shadow.Read(ctx, b.Store.DB, id)
}

// StartRebuild begins to compute one.
func (b Books) StartRebuild(ctx context.Context, r gateway.RebuildRequest) (*shadow.Rebuild, error) {
	if b.Rebuilder == nil {
		return nil, gateway.ErrNoRebuilds
	}
	return b.Rebuilder.Start(ctx, rebuild.Order{Actor: r.Name, Reason: r.Reason, ClosedPeriods: r.ClosedPeriods,
		Whole: r.Whole})
}

// SwapRebuild writes the event that makes a rebuild part of the books. It stands for the same event however often it is
// written.
func (b Books) SwapRebuild(ctx context.Context, id string, by gateway.Actor) (*shadow.Rebuild, error) {
	if b.Rebuilder == nil {
		return nil, gateway.ErrNoRebuilds
	}
	r, err := b.Rebuilder.Swap(ctx, id, by.Name)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"rebuild_id": r.ID, "closed_periods": r.ClosedPeriods, "actor": r.Actor}
	if r.Reason != "" {
		data["reason"] = r.Reason
	}
	if r.Report != nil {
		data["events"] = r.Report.Events
	}
	event, err := json.Marshal(map[string]any{"specversion": "1.0", "id": "rebuild-" + r.ID, "source": gateway.OwnSource,
		"type": domain.TypeBooksRebuilt.String(),
		"time": r.Started.UTC().Format(time.RFC3339Nano), "datacontenttype": "application/json", "data": data})
	if err != nil {
		return nil, fmt.Errorf("write the event of rebuild %s: %w", id, err)
	}
	if err := b.publishBooks(ctx, event, by.Token); err != nil {
		return nil, fmt.Errorf("write rebuild %s to the log: %w", id, err)
	}
	return r, nil
}

// DiscardRebuild throws one away.
func (b Books) DiscardRebuild(ctx context.Context, id string) error {
	if b.Rebuilder == nil {
		return gateway.ErrNoRebuilds
	}
	return b.Rebuilder.Discard(ctx, id)
}
