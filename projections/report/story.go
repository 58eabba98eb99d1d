package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// Story is everything that happened to an order, or to one case, down to the journal lines.
type Story struct {
	OrderID  string `json:"order_id"`
	ErrorID  string `json:"error_id,omitempty"` // where the story is a case's
	StoreID  string `json:"store_id"`
	Currency string `json:"currency"`

	AsOf *time.Time `json:"as_of,omitempty"` // where it was asked for: what was recorded later isn't told

	PerfectContribution string `json:"perfect_contribution"` // of order.placed alone
	Contribution        string `json:"contribution"`         // as it went, fixes included
	Gross               string `json:"gross"`                // leakage before recoveries
	Net                 string `json:"net"`
	Hidden              string `json:"hidden"` // the part of gross that no general ledger shows
	ChangedMind         string `json:"changed_mind"`
	Unpriced            bool   `json:"unpriced"`

	Cases  []Case       `json:"cases"`
	Events []StoryEvent `json:"events"` // by time
}

// Case is what is known of an error, as last classified.
type Case struct {
	ErrorID      string `json:"error_id" ch:"error_id"`
	Kind         string `json:"kind" ch:"kind"`
	RootCause    string `json:"root_cause" ch:"root_cause"`
	PartyAtFault string `json:"party_at_fault" ch:"party_at_fault"`
	VendorID     string `json:"vendor_id" ch:"vendor_id"`
	EmployeeID   string `json:"employee_id" ch:"employee_id"`
	Avoidable    string `json:"avoidable" ch:"avoidable"`
	Category     string `json:"category" ch:"category"`
	Founded      bool   `json:"founded" ch:"founded"`
}

// StoryEvent is one event of a story.
type StoryEvent struct {
	Source     string          `json:"source"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Time       time.Time       `json:"time"`
	RecordedAt time.Time       `json:"recorded_at"`
	ErrorID    string          `json:"error_id,omitempty"`
	Data       json.RawMessage `json:"data"`
	Unpriced   []string        `json:"unpriced,omitempty"` // the rates that were missing
	Lines      []StoryLine     `json:"lines"`
}

// StoryLine is one journal line: debit positive, credit negative.
type StoryLine struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Element string `json:"element"`
	Basis   string `json:"basis"`
	Amount  string `json:"amount"`
}

// ReadOrder tells an order's story, as far as it was recorded by then.
func ReadOrder(ctx context.Context, db driver.Conn, orderID string, asOf AsOf) (*Story, error) {
	recorded := asOf.known()
	rows, err := ledger.Read(ctx, db, `ledger FINAL WHERE order_id = ? AND refused = '' AND `+recorded+` ORDER BY occurred_at, recorded_at, source, event_id`, orderID)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || orderID == "" {
		return nil, ledger.ErrNotFound
	}
	return tell(ctx, db, rows, asOf)
}

// ReadCase tells a case's story: the events of that case alone.
func ReadCase(ctx context.Context, db driver.Conn, errorID string, asOf AsOf) (*Story, error) {
	recorded := asOf.known()
	rows, err := ledger.Read(ctx, db, `ledger FINAL WHERE error_id = ? AND refused = '' AND `+recorded+`
        AND order_id IN (SELECT order_id FROM failures WHERE error_id = ?) ORDER BY occurred_at, recorded_at, source, event_id`, errorID, errorID)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || errorID == "" {
		return nil, ledger.ErrNotFound
	}
	story, err := tell(ctx, db, rows, asOf)
	if err != nil {
		return nil, err
	}
	story.ErrorID = errorID
	return story, nil
}

func tell(ctx context.Context, db driver.Conn, rows []ledger.Stored, asOf AsOf) (*Story, error) {
	recorded := asOf.known()
	s := &Story{OrderID: rows[0].Event.OrderID, Cases: []Case{}, Events: []StoryEvent{}}
	if asOf.Bounded() {
		at := asOf.moment(time.Time{})
		s.AsOf = &at
	}
	// Where an order's events disagree, the order itself knows its store and currency best.
	for i := range rows {
		e := rows[i].Event
		placed := e.Type == domain.TypeOrderPlaced
		if s.StoreID == "" || placed {
			s.StoreID = e.StoreID
		}
		if e.Currency != "" && (s.Currency == "" || placed) {
			s.Currency = e.Currency
		}
	}
	var ids []string
	for i := range rows {
		if id := rows[i].Event.ErrorID; id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var err error
	if s.Cases, err = readCases(ctx, db, ids, recorded); err != nil {
		return nil, err
	}
	changedMind := map[string]bool{}
	for _, c := range s.Cases {
		changedMind[c.ErrorID] = !domain.IsFailure(c.Kind)
	}
	var perfect, contribution, gross, net, hidden, apart domain.Amount
	for i := range rows {
		r := &rows[i]
		event := StoryEvent{Source: r.Event.Source, ID: r.Event.ID, Type: r.Event.Type.String(), Time: r.Event.Time.UTC(),
			RecordedAt: r.RecordedAt.UTC(), ErrorID: r.Event.ErrorID, Data: json.RawMessage(r.Data), Unpriced: r.Unpriced, Lines: storyLines(r.Lines)}
		s.Unpriced = s.Unpriced || len(r.Unpriced) > 0
		for _, l := range r.Lines {
			if r.Event.Currency != s.Currency {
				continue // amounts of another currency are shown and never summed
			}
			if l.Account.ProfitAndLoss() {
				contribution -= l.Amount
				if r.Effective() == domain.TypeOrderPlaced {
					perfect -= l.Amount
				}
			}
			switch {
			case l.Element == domain.NoElement:
			case changedMind[r.Event.ErrorID]:
				apart += l.Amount
			default:
				net += l.Amount
				if !l.Element.IsCost() {
					break
				}
				gross += l.Amount
				if l.Basis.IsHidden() {
					hidden += l.Amount
				}
			}
		}
		s.Events = append(s.Events, event)
	}
	s.PerfectContribution, s.Contribution = perfect.String(), contribution.String()
	s.Gross, s.Net, s.Hidden, s.ChangedMind = gross.String(), net.String(), hidden.String(), apart.String()
	return s, nil
}

func storyLines(lines []domain.Line) []StoryLine {
	all := make([]StoryLine, len(lines))
	for i, l := range lines {
		all[i] = StoryLine{fmt.Sprint(l.Account), l.Account.Name(), l.Element.String(), l.Basis.String(), l.Amount.String()}
	}
	return all
}

// caseQuery asks what is known of cases.
func caseQuery(ids []string, known string) sql.Statement {
	return statements.Make("cases", struct{ Known, Cases string }{known, ledger.CaseFacts}, sql.Named("ids", ids))
}

func readCases(ctx context.Context, db driver.Conn, ids []string, recorded string) ([]Case, error) {
	cases := []Case{}
	if len(ids) == 0 {
		return cases, nil
	}
	if err := caseQuery(ids, recorded).Select(ctx, db, &cases); err != nil {
		return nil, fmt.Errorf("read what is known of the cases: %w", err)
	}
	return cases, nil
}
