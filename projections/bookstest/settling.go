package bookstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// settledAlone is the journal that settling makes of records: the same as the books', without a log and ClickHouse, so
// quick enough to be asked again and again. The records are in the order of the log.
func settledAlone(records []reference.Record) (string, error) {
	l, read := &Log{Records: records}, decode.Log()
	known, err := post.ReadTerms(context.Background(), l, read, time.UTC)
	if err != nil {
		return "", err
	}
	rows := make([]ledger.Stored, 0, len(records))
	seen := map[domain.Identity]bool{}
	for _, r := range records {
		m := l.Message(r)
		d, err := read(m.Metadata, m.Payload)
		if err != nil {
			return "", fmt.Errorf("record %d: %w", r.Seq, err)
		}
		row := ledger.StoredOf(d, Position(r))
		if seen[row.Identity()] {
			continue
		}
		seen[row.Identity()] = true
		row.Place(known.Terms.Periods)
		rows = append(rows, row)
	}
	settler := post.Settler{New: decode.Stored, Rebuilds: known.Rebuilds}
	var lines []string
	for _, unit := range post.Components(rows, known.Decisions) {
		changed, refused, not := settler.Settle(known.Terms, unit)
		if len(refused)+len(not) > 0 {
			return "", fmt.Errorf("%d events are refused, and not posted: %v", len(refused), not)
		}
		settled := map[*ledger.Row]bool{}
		for _, r := range unit {
			settled[&r.Row] = true
			lines = append(lines, journalLines(&r.Row)...)
		}
		for _, r := range changed {
			if !settled[r] { // what a rebuild posts
				lines = append(lines, journalLines(r)...)
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}

// journalLines writes the lines of a row as the reference's Journal does.
func journalLines(r *ledger.Row) (lines []string) {
	e := r.Event
	order, errorID := e.OrderID, e.ErrorID
	if e.Type == domain.TypeBooksRebuilt {
		order, errorID = "", ""
	}
	for _, l := range r.Lines {
		lines = append(lines, strings.Join([]string{e.Source, e.ID, e.Type.String(), order, errorID, e.StoreID,
			e.Time.UTC().Format(time.RFC3339), r.Origin.String(), r.Posting.String(), l.Currency, fmt.Sprint(uint16(l.Account)),
			l.Element.String(), l.Basis.String(), l.Amount.String(), l.Case, l.Step.String(),
			orderOfLine(r, &l), l.Store}, "\t"))
	}
	return lines
}

// orderOfLine is the order that a line is of; empty where it has none.
func orderOfLine(r *ledger.Row, l *domain.Line) string {
	unit := cmp.Or(l.Order, r.Unit())
	if r.Event.OrderID == "" && l.Order == "" && unit == r.Event.ErrorID {
		return ""
	}
	return unit
}

// Apart is how two sets of books of the same records differ; Sort is empty where they don't.
type Apart struct{ Sort, Told string }

// SettlesApart compares what settling makes of records with the reference.
func SettlesApart(records []reference.Record) Apart {
	if len(records) == 0 {
		return Apart{}
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		return Apart{"reference", err.Error()}
	}
	got, err := settledAlone(records)
	if err != nil {
		return Apart{"settling", err.Error()}
	}
	if w := strings.TrimSpace(want.Journal()); got != w {
		return Apart{"journal", Difference(got, w)}
	}
	return Apart{}
}
