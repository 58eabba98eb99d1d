package server

import (
	"bytes"
	"context"

	gateway "github.com/makegood/makegood/infra/http"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/generalledger"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Journal reads a batch for the general ledger, with the company's account codes where the server was given them.
func (b Books) Journal(ctx context.Context, r gateway.JournalRequest) (d *gateway.Document, err error) {
	err = b.Store.AtOne(func() error {
		d, err = b.journal(ctx, r)
		return err
	})
	return d, err
}

func (b Books) journal(ctx context.Context, r gateway.JournalRequest) (*gateway.Document, error) {
	if r.Query.Final {
		var err error
		if r.Query.Closes, err = b.closed(ctx, r.Query.Months()); err != nil {
			return nil, err
		}
		if !r.Query.AsOf.Bounded() {
			if r.Query.Unpriced, err = b.unpricedAtClose(ctx, r.Query); err != nil {
				return nil, err
			}
		}
	}
	ctx, err := b.settled(ctx, &r.Query.AsOf, "")
	if err != nil {
		return nil, err
	}
	j, err := report.ReadJournal(ctx, b.Store.Reports, r.Query)
	if err != nil {
		return nil, err
	}
	if b.Config.Accounts != "" && !r.DefaultChart {
		// Read for every batch: who mends the file needn't restart anything.
		codes, err := generalledger.ReadAccountsFile(b.Config.Accounts)
		if err != nil {
			return nil, err
		}
		if err := j.MapAccounts(codes); err != nil {
			return nil, err
		}
	}
	var body bytes.Buffer
	if err := generalledger.Write(&body, j, r.Format); err != nil {
		return nil, err
	}
	contentType, ending := generalledger.ContentType(r.Format)
	return &gateway.Document{Name: "journal-" + j.BatchID + ending, ContentType: contentType, Body: body.Bytes()}, nil
}

// unpricedAtClose counts the events without a price that the closes of the months saw.
func (b Books) unpricedAtClose(ctx context.Context, q report.JournalQuery) (*uint64, error) {
	var all uint64
	for i := range q.Closes {
		asOf := report.AsOf{Close: &q.Closes[i]}
		of, err := b.settled(ctx, &asOf, "")
		if err != nil {
			return nil, err
		}
		n, err := q.CountUnpriced(of, b.Store.Reports, asOf)
		if err != nil {
			return nil, err
		}
		all += n
	}
	return &all, nil
}

// closed are the closes of the months. Its error says which of them are open, or not yet settled up to their close.
func (b Books) closed(ctx context.Context, months []domain.Period) ([]report.Close, error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	var open []string
	var closes []report.Close
	var marks []domain.Mark
	b.Terms.Use(func(t *domain.Terms) {
		for _, m := range months {
			if !t.Periods.IsClosed(m) {
				open = append(open, m.String())
				continue
			}
			mark, _ := t.Periods.LastClose(m)
			closes = append(closes, report.Close{Period: m, Mark: mark})
			marks = append(marks, mark)
		}
	})
	if len(open) > 0 {
		return nil, &report.OpenPeriodsError{Periods: open}
	}
	unsettled, err := b.unsettled(ctx, marks...)
	if err != nil {
		return nil, err
	}
	if unsettled != (audit.Unsettled{}) {
		return nil, &audit.UnsettledError{Unsettled: unsettled}
	}
	return closes, nil
}
