package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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

	// Contribution = PerfectContribution + CustomerChanges − ChangedMind − Unfounded − Net, of the story's Currency.
	PerfectContribution string `json:"perfect_contribution"` // of order.placed and order.charged
	Contribution        string `json:"contribution"`         // as it went, fixes included
	CustomerChanges     string `json:"customer_changes"`     // what the customer's own changes and cancellations brought
	Gross               string `json:"gross"`                // leakage before recoveries
	Net                 string `json:"net"`
	Hidden              string `json:"hidden"` // the part of gross that no general ledger shows
	ChangedMind         string `json:"changed_mind"`
	Unfounded           string `json:"unfounded"` // what cases cost in which nobody had failed
	Unpriced            bool   `json:"unpriced"`
	// Gone: the story is of what was a case once; what made it one was taken back, or belongs to another case.
	Gone bool `json:"gone,omitempty"`

	// Others are the same figures in the other currencies that the story has amounts in. They are never summed up.
	Others []StoryFigures `json:"other_currencies,omitempty"`

	Cases  []Case       `json:"cases"`
	Events []StoryEvent `json:"events"` // by time
}

// StoryFigures are the figures of a story in one currency.
type StoryFigures struct {
	Currency            string `json:"currency"`
	PerfectContribution string `json:"perfect_contribution"`
	Contribution        string `json:"contribution"`
	CustomerChanges     string `json:"customer_changes"`
	Gross               string `json:"gross"`
	Net                 string `json:"net"`
	Hidden              string `json:"hidden"`
	ChangedMind         string `json:"changed_mind"`
	Unfounded           string `json:"unfounded"`
}

// Case is what is known of an error, as last classified. One that nobody reported was made by a fix.
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
	Reported     bool   `json:"reported" ch:"reported"`
	SameAs       string `json:"same_as,omitempty" ch:"same_as"` // the case that it was made part of

	Unit string `json:"-" ch:"unit"`
	// Of one that is no case any more, Founded says nothing and FailedNobody what was known last: closed months may hold
	// amounts of it.
	Gone         bool `json:"-" ch:"gone"`
	FailedNobody bool `json:"-" ch:"failed_nobody"`
}

// NoCaseError says that events name a case, and that none of them makes one of it.
type NoCaseError struct{ Events []NotACase }

// NotACase is an event that names a case and makes none of it. Standing is empty where it counts: what is only said of
// a case makes none.
type NotACase struct {
	Source   string `json:"source"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Standing string `json:"standing"`
}

func (e *NoCaseError) Error() string {
	words := "Events name this case, and none of them makes one of it: they were voided or decided against, " +
		"belong to another case, or only say something of a case that nobody reported."
	waits := func(n NotACase) bool { return n.Standing == domain.Waits.String() }
	if slices.ContainsFunc(e.Events, waits) {
		words = "What names this case waits for a decision: see /v1/doubles."
	}
	return words
}

// Is makes it a kind of ledger.ErrNotFound.
func (e *NoCaseError) Is(target error) bool { return target == ledger.ErrNotFound }

// StoryEvent is one event of a story.
type StoryEvent struct {
	Source     string          `json:"source"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Time       time.Time       `json:"time"`
	RecordedAt time.Time       `json:"recorded_at"`
	ErrorID    string          `json:"error_id,omitempty"`
	Standing   string          `json:"standing,omitempty"` // empty where it counts; see domain.Standings
	Of         *EventName      `json:"of,omitempty"`       // the event that counts in its place, or that it contradicts
	Flags      []StoryFlag     `json:"flags,omitempty"`    // what of it can't be right
	Data       json.RawMessage `json:"data"`
	Currency   string          `json:"currency"`           // of the amounts in Data; empty where it has none
	Unpriced   []string        `json:"unpriced,omitempty"` // the rates that were missing
	Lines      []StoryLine     `json:"lines"`
}

// EventName is an event by its identity.
type EventName struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// StoryFlag says what can't be right, and by how much.
type StoryFlag struct {
	Code     string `json:"code"`
	ErrorID  string `json:"error_id,omitempty"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"` // empty where Amount has none
}

// StoryLine is one journal line: debit positive, credit negative.
type StoryLine struct {
	Account  string `json:"account"`
	Name     string `json:"name"`
	Element  string `json:"element"`
	Basis    string `json:"basis"`
	Step     string `json:"step"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	ErrorID  string `json:"error_id,omitempty"` // the case that it is of
	StoreID  string `json:"store_id,omitempty"`
}

// ReadOrder tells an order's story, as far as it was recorded by then.
func ReadOrder(ctx context.Context, db driver.Conn, orderID string, asOf AsOf) (*Story, error) {
	from := asOf.Sources()
	rows, err := ledger.Read(ctx, db, from.Ledger+` WHERE order_id = ? AND refused = '' AND `+from.Known, orderID)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || orderID == "" {
		return nil, ledger.ErrNotFound
	}
	more, err := withoutOrder(ctx, db, orderID, rows, from)
	if err != nil {
		return nil, err
	}
	others, err := ofOtherOrders(ctx, db, orderID, rows, from)
	if err != nil {
		return nil, err
	}
	rows = slices.Concat(rows, more, others)
	for i := range rows {
		unit := rows[i].Unit()
		rows[i].Lines = slices.DeleteFunc(rows[i].Lines, func(l domain.Line) bool { return cmp.Or(l.Order, unit) != orderID })
	}
	slices.SortFunc(rows, func(a, b ledger.Stored) int {
		return cmp.Or(a.Event.Time.Compare(b.Event.Time), a.RecordedAt.Compare(b.RecordedAt),
			strings.Compare(a.Event.Source, b.Event.Source), strings.Compare(a.Event.ID, b.Event.ID))
	})
	return tell(ctx, db, rows, orderID, asOf)
}

// withoutOrder reads what is of an order and doesn't name it: what was said of its cases alone, what was decided.
func withoutOrder(ctx context.Context, db driver.Conn, orderID string, rows []ledger.Stored,
	from Sources) ([]ledger.Stored, error) {
	const of = ` WHERE unit = ? AND order_id = '' AND refused = ''`
	var n uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM failures FINAL`+of, orderID).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	more, err := ledger.Read(ctx, db, from.Ledger+` WHERE order_id = '' AND refused = '' AND `+from.Known+
		` AND (source, event_id) IN (SELECT source, event_id FROM `+from.Failures+of+`)`, orderID)
	return slices.DeleteFunc(more, func(r ledger.Stored) bool {
		// As of an earlier time nothing may tell yet that the case is the order's.
		return r.Event.ErrorID != "" && !r.Decides() && !slices.ContainsFunc(rows, func(o ledger.Stored) bool {
			return slices.Contains(o.Cases(), r.Event.ErrorID)
		})
	}), err
}

// ofOtherOrders reads what events of other orders changed of this one: those that name a case which it names too.
func ofOtherOrders(ctx context.Context, db driver.Conn, orderID string, rows []ledger.Stored,
	from Sources) ([]ledger.Stored, error) {
	var cases []string
	for i := range rows {
		cases = append(cases, rows[i].Cases()...)
	}
	if len(cases) == 0 {
		return nil, nil
	}
	named, err := ledger.Texts(ctx, "named_cases", "error_id", cases)
	if err != nil {
		return nil, err
	}
	var n uint64
	err = db.QueryRow(named, `SELECT count() FROM case_units
        WHERE error_id IN (SELECT error_id FROM named_cases) AND order_id NOT IN ('', ?)`, orderID).Scan(&n)
	if err != nil {
		return nil, fmt.Errorf("look for other orders with the cases of %s: %w", orderID, err)
	}
	if n == 0 {
		return nil, nil
	}
	return ledger.Read(ctx, db, from.Ledger+` WHERE refused = '' AND `+from.Known+`
        AND (order_id, source, event_id) IN (
            SELECT order_id, source, event_id FROM `+from.Failures+`
            WHERE refused = '' AND order_id != ? AND unit != ? AND unit IN (`+from.Shared+`)
                AND (has(line_order, ?) OR has(fact_order, ?)))`, orderID, orderID, orderID, orderID)
}

// ReadCase tells a case's story: its events, and what others posted for it.
func ReadCase(ctx context.Context, db driver.Conn, errorID string, asOf AsOf) (*Story, error) {
	from := asOf.Sources()
	rows, err := ledger.Read(ctx, db, from.Ledger+` WHERE (order_id, source, event_id) IN (
        SELECT order_id, source, event_id FROM `+from.Failures+`
        WHERE (unit = ?
            OR unit IN (SELECT unit FROM failures WHERE error_id = ? OR has(line_case, ?) OR has(fact_case, ?)))
            AND (error_id = ? OR has(line_case, ?) OR has(fact_case, ?)))
        AND order_id IN (SELECT order_id FROM failures WHERE error_id = ? OR has(line_case, ?) OR has(fact_case, ?))
        AND refused = '' AND `+from.Known+` ORDER BY occurred_at, recorded_at, source, event_id`,
		errorID, errorID, errorID, errorID, errorID, errorID, errorID, errorID, errorID, errorID)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || errorID == "" {
		return nil, ledger.ErrNotFound
	}
	for i := range rows {
		rows[i].Lines = slices.DeleteFunc(rows[i].Lines, func(l domain.Line) bool { return l.Case != errorID })
	}
	story, err := tell(ctx, db, rows, "", asOf)
	if err != nil {
		return nil, err
	}
	story.ErrorID = errorID
	story.Cases = slices.DeleteFunc(story.Cases, func(c Case) bool { return c.ErrorID != errorID })
	story.Gone = len(story.Cases) == 0
	if story.Gone && !slices.ContainsFunc(rows, func(r ledger.Stored) bool { return len(r.Lines) > 0 }) {
		none := &NoCaseError{}
		for _, e := range story.Events {
			none.Events = append(none.Events, NotACase{e.Source, e.ID, e.Type, e.Standing})
		}
		return nil, none
	}
	return story, nil
}

// tell tells a story of rows. Those of another unit than an order, if it is one's, only changed something of it.
func tell(ctx context.Context, db driver.Conn, rows []ledger.Stored, order string, asOf AsOf) (*Story, error) {
	s := &Story{Cases: []Case{}, Events: []StoryEvent{}}
	if asOf.Bounded() {
		at := asOf.Moment(time.Time{})
		s.AsOf = &at
	}
	var units []string
	// Where an order's events disagree, the order itself knows its store best: the first that counts.
	var placed *ledger.Stored
	if order != "" {
		units = []string{order}
	}
	for i := range rows {
		e, unit := rows[i].Event, rows[i].Unit()
		if order != "" && unit != order {
			continue
		}
		s.Unpriced = s.Unpriced || len(rows[i].Unpriced) > 0
		if e.Type == domain.TypeOrderPlaced && rows[i].Standing == domain.Counts &&
			(placed == nil || rows[i].Epoch < placed.Epoch) {
			placed = &rows[i]
			s.StoreID = e.StoreID
		}
		if s.StoreID == "" && !rows[i].Decides() {
			s.StoreID = e.StoreID
		}
		if s.OrderID == "" && !rows[i].Decides() {
			s.OrderID = e.OrderID
		}
		if !slices.Contains(units, unit) {
			units = append(units, unit)
		}
		for _, l := range rows[i].Lines {
			if l.Order != "" && !slices.Contains(units, l.Order) {
				units = append(units, l.Order)
			}
		}
	}
	var err error
	if s.Currency, err = ownCurrency(ctx, db, rows, s.OrderID, asOf.Sources()); err != nil {
		return nil, err
	}
	if s.Cases, err = readCases(ctx, db, units, asOf.Sources()); err != nil {
		return nil, err
	}
	figures := map[string]*storyFigures{s.Currency: {}}
	for i := range rows {
		r := &rows[i]
		s.Events = append(s.Events, storyEvent(r))
		for k := range r.Lines {
			l := &r.Lines[k]
			of := figures[l.Currency]
			if of == nil {
				of = &storyFigures{}
				figures[l.Currency] = of
			}
			of.add(l, s.part(cmp.Or(l.Order, r.Unit()), l.Case))
		}
	}
	s.Cases = slices.DeleteFunc(s.Cases, func(c Case) bool { return c.Gone })
	f := figures[s.Currency].show(s.Currency)
	s.PerfectContribution, s.Contribution, s.CustomerChanges = f.PerfectContribution, f.Contribution, f.CustomerChanges
	s.Gross, s.Net, s.Hidden, s.ChangedMind, s.Unfounded = f.Gross, f.Net, f.Hidden, f.ChangedMind, f.Unfounded
	for _, currency := range slices.Sorted(maps.Keys(figures)) {
		if currency != s.Currency {
			s.Others = append(s.Others, figures[currency].show(currency))
		}
	}
	return s, nil
}

// ownCurrency is the currency of the order that rows are of: that of its order.placed, else that of its first event
// with one. The stories of an order and of its cases have the same.
func ownCurrency(ctx context.Context, db driver.Conn, rows []ledger.Stored, order string, of Sources) (string, error) {
	if order == "" {
		for i := range rows {
			if e := rows[i].Event; e.Currency != "" {
				return e.Currency, nil
			}
		}
		return "", nil
	}
	var currency string
	asked := statements.Make("own_currency", of, sql.Named("order", order))
	if err := asked.Row(ctx, db).Scan(&currency); err != nil {
		return "", fmt.Errorf("read the currency of the order %s: %w", order, err)
	}
	return currency, nil
}

// part says whether what a case cost is a failure's cost, a changed mind's, or that of a case in which nobody had
// failed.
func (s *Story) part(unit, errorID string) string {
	for i := range s.Cases {
		switch c := &s.Cases[i]; {
		case c.Unit != unit || c.ErrorID != errorID:
		case !domain.IsFailure(c.Kind):
			return "changed_mind"
		case c.FailedNobody:
			return "unfounded"
		}
	}
	return "leakage"
}

// storyFigures sum up lines of one currency.
type storyFigures struct{ perfect, contribution, customer, gross, net, hidden, changedMind, unfounded domain.Amount }

func (f *storyFigures) add(l *domain.Line, part string) {
	if l.Account.ProfitAndLoss() {
		f.contribution -= l.Amount
		switch {
		case l.Step == domain.Perfect:
			f.perfect -= l.Amount
		case l.Step == domain.Change && l.Element == domain.NoElement:
			f.customer -= l.Amount
		}
	}
	switch {
	case l.Element == domain.NoElement:
	case part == "changed_mind":
		f.changedMind += l.Amount
	case part == "unfounded":
		f.unfounded += l.Amount
	default:
		f.net += l.Amount
		if !l.Element.IsCost() {
			return
		}
		f.gross += l.Amount
		if l.Basis.IsHidden() {
			f.hidden += l.Amount
		}
	}
}

func (f *storyFigures) show(currency string) StoryFigures {
	return StoryFigures{Currency: currency, PerfectContribution: f.perfect.String(), Contribution: f.contribution.String(),
		CustomerChanges: f.customer.String(),
		Gross:           f.gross.String(), Net: f.net.String(), Hidden: f.hidden.String(),
		ChangedMind: f.changedMind.String(), Unfounded: f.unfounded.String()}
}

func storyEvent(r *ledger.Stored) StoryEvent {
	event := StoryEvent{Source: r.Event.Source, ID: r.Event.ID, Type: r.Event.Type.String(), Time: r.Event.Time.UTC(),
		RecordedAt: r.RecordedAt.UTC(),
		ErrorID:    r.Event.ErrorID, Standing: ledger.StandingName(r.Standing), Data: json.RawMessage(r.Data),
		Currency: r.Event.Currency,
		Unpriced: r.Unpriced, Lines: storyLines(r.Lines)}
	if r.Of != (domain.Identity{}) {
		event.Of = &EventName{r.Of.Source, r.Of.ID}
	}
	for _, f := range r.Flags {
		event.Flags = append(event.Flags, StoryFlag{Code: f.Code, ErrorID: f.Case, Amount: f.Amount.String(),
			Currency: f.Currency})
	}
	return event
}

func storyLines(lines []domain.Line) []StoryLine {
	all := make([]StoryLine, len(lines))
	for i, l := range lines {
		all[i] = StoryLine{Account: fmt.Sprint(l.Account), Name: l.Account.Name(), Element: l.Element.String(),
			Basis: l.Basis.String(), Step: l.Step.String(),
			Amount: l.Amount.String(), Currency: l.Currency, ErrorID: l.Case, StoreID: l.Store}
	}
	return all
}

// caseQuery asks what is known of the cases of units.
func caseQuery(units []string, of Sources) sql.Statement {
	return statements.Make("cases", struct {
		Sources
		Cases string
	}{of, ledger.CaseFacts}, sql.Named("units", units))
}

func readCases(ctx context.Context, db driver.Conn, units []string, of Sources) ([]Case, error) {
	cases := []Case{}
	if err := caseQuery(units, of).Select(ctx, db, &cases); err != nil {
		return nil, fmt.Errorf("read what is known of the cases: %w", err)
	}
	return cases, nil
}
