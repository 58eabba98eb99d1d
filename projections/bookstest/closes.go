package bookstest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// AsOfClose makes questions as of a close see the rows as they stood then.
func AsOfClose(t *testing.T, store *clickhouse.Store, records []reference.Record, c report.Close) (context.Context,
	report.AsOf) {
	t.Helper()
	return settledAsOf(t, store, records, report.AsOf{Close: &c}, post.Until{Close: &c.Mark})
}

// AsOfTime makes questions as of a time see the rows as they stood then.
func AsOfTime(t *testing.T, store *clickhouse.Store, records []reference.Record, at time.Time) (context.Context,
	report.AsOf) {
	t.Helper()
	return settledAsOf(t, store, records, report.AsOf{Time: at}, post.Until{Time: at})
}

func settledAsOf(t *testing.T, store *clickhouse.Store, records []reference.Record, asOf report.AsOf,
	until post.Until) (context.Context, report.AsOf) {
	t.Helper()
	l := &Log{Records: records}
	terms := post.NewTerms(LateBooks{l, records[len(records)-1].Seq + 1}, decode.Log(), decode.Stored, time.UTC)
	rows, err := terms.SettleAsOf(t.Context(), store.DB, until, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, asOf, err := asOf.Settled(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, asOf
}

// ClosedReports are all reports of a closed month that are worth comparing, as the gateway would send them.
func ClosedReports(t *testing.T, store *clickhouse.Store, records []reference.Record, c report.Close) string {
	t.Helper()
	ctx, asOf := AsOfClose(t, store, records, c)
	var reports []string
	add := func(answer any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, string(text))
	}
	first := c.Period.First()
	after := first.AddDate(0, 1, 0)
	for _, by := range []string{"occurred", "posting"} {
		add(report.ReadSummary(ctx, store.DB, report.SummaryQuery{From: first, To: after, Currency: "USD",
			PeriodBy: by, AsOf: asOf}, time.Now()))
		add(report.ReadJournal(ctx, store.DB, report.JournalQuery{From: first, To: after, PeriodBy: by,
			Every: "month", Detail: "aggregated", AsOf: asOf}))
		add(report.ReadJournal(ctx, store.DB, report.JournalQuery{From: first, To: after, PeriodBy: by, Every: "day",
			Detail: "events", AsOf: asOf}))
	}
	for _, of := range []report.StatementQuery{{Store: "s1"}, {Store: "s3"}, {Vendor: "v-acme"}, {Vendor: "v-córdoba"}} {
		of.Period, of.AsOf = c.Period, asOf
		add(report.ReadStatement(ctx, store.DB, of, time.Now()))
		of.PeriodBy = "occurred"
		add(report.ReadStatement(ctx, store.DB, of, time.Now()))
	}
	for by, groups := range map[string][]string{"occurred": {"day", "store", "kind", "element", "account", "basis"},
		"posting": {"root_cause", "avoidable", "employee", "vendor", "category"}} {
		add(report.ReadLeakage(ctx, store.DB, report.LeakageQuery{From: first, To: after, GroupBy: groups,
			View: "economic", PeriodBy: by, Currency: "USD", AsOf: asOf}, time.Now()))
	}
	limit := 8
	if reference.AllStreams() {
		limit = 40
	}
	var orders []string
	if err := store.DB.QueryRow(ctx, fmt.Sprintf("SELECT groupArray(order_id) FROM (SELECT DISTINCT order_id FROM ledger "+
		"FINAL WHERE order_id != '' AND refused = '' AND %s ORDER BY cityHash64(order_id) LIMIT %d)", c.StoodBefore(),
		limit)).Scan(&orders); err != nil {
		t.Fatal(err)
	}
	for _, order := range orders {
		add(report.ReadOrder(ctx, store.DB, order, asOf))
	}
	slices.Sort(reports) // of maps, whose order is another each time
	return strings.Join(reports, "\n")
}

// Standing are the places of the closes among records, which are in the order of the log, that close what was open.
func Standing(t *testing.T, records []reference.Record) (closes []int) {
	t.Helper()
	terms, read, several := domain.NewTerms(time.UTC), decode.Log(), false
	for i, r := range records {
		if r.Stream != "books" {
			continue
		}
		e, err := read(message.Metadata{"content-type": "application/cloudevents+json"}, r.Event)
		if err != nil {
			t.Fatal(err)
		}
		terms.Apply(&e.Event, Mark(r))
		if d, is := e.Event.Data.(*domain.PeriodClosed); is {
			if m, _ := terms.Periods.LastClose(d.Period); m.Offset == r.Seq {
				closes = append(closes, i)
			} else {
				several = true
			}
		}
	}
	if !several {
		t.Error("no month is closed twice")
	}
	return closes
}
