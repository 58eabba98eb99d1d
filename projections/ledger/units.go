package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// PostsAlone reports whether the row's event is posted by itself, without the other events of its unit; see
// domain.Alone.
func (r *Row) PostsAlone() bool {
	return r.Event.ErrorID == "" && r.Event.Type.Posts() != domain.PostsSettled
}

// PostsAlone is the same as a condition on rows of the ledger.
var PostsAlone = func() string {
	var names []string
	for _, t := range domain.Types() {
		if t.Posts() != domain.PostsSettled {
			names = append(names, "'"+t.String()+"'")
		}
	}
	return "(error_id = '' AND event_type IN (" + strings.Join(names, ", ") + "))"
}()

// Texts lets a statement know texts as a table of that name, with one column.
func Texts(ctx context.Context, table, column string, texts []string) (context.Context, error) {
	t, err := ext.NewTable(table, ext.Column(column, "String"))
	if err != nil {
		return nil, fmt.Errorf("name the %s: %w", table, err)
	}
	for _, text := range texts {
		if err := t.Append(text); err != nil {
			return nil, fmt.Errorf("name the %s: %w", table, err)
		}
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(t)), nil
}

// Units are orders and cases whose events are settled together.
type Units struct {
	Orders map[string]bool
	Cases  map[string]bool // with an order or without
	Spends map[string]bool // by spend_id: what was spent on quality belongs to no order
}

// NewUnits are none.
func NewUnits() Units {
	return Units{Orders: map[string]bool{}, Cases: map[string]bool{}, Spends: map[string]bool{}}
}

// Add adds the unit of an event, whose texts it copies.
func (u *Units) Add(e *domain.Event) {
	if e.OrderID != "" && !u.Orders[e.OrderID] {
		u.Orders[strings.Clone(e.OrderID)] = true
	}
	if e.ErrorID != "" && !u.Cases[e.ErrorID] {
		u.Cases[strings.Clone(e.ErrorID)] = true
	}
	of := e
	for void, is := of.Data.(*domain.EventVoided); is; void, is = of.Data.(*domain.EventVoided) {
		of = void.Original
	}
	if d, is := of.Data.(*domain.QualitySpent); is {
		u.Spends[strings.Clone(d.SpendID)] = true
	}
}

// AddStored adds the unit of a row as the ledger gives it back, where the event's own data isn't read.
func (u *Units) AddStored(s *Stored) {
	u.Add(s.Event)
	if spend := s.Spend(); spend != "" {
		u.Spends[spend] = true
	}
}

// Len is how many orders and cases there are.
func (u *Units) Len() int { return len(u.Orders) + len(u.Cases) + len(u.Spends) }

// Keep leaves what others have too.
func (u *Units) Keep(others *Units) {
	for _, of := range [...]struct{ mine, theirs map[string]bool }{{u.Orders, others.Orders}, {u.Cases, others.Cases},
		{u.Spends, others.Spends}} {
		maps.DeleteFunc(of.mine, func(id string, _ bool) bool { return !of.theirs[id] })
	}
}

// Clear forgets all.
func (u *Units) Clear() {
	clear(u.Orders)
	clear(u.Cases)
	clear(u.Spends)
}

// Decisions are the events by which persons decided on others, and the voids of such events, by the identity of what
// they are about. Their own order may be any, or none: they are settled with that.
type Decisions map[domain.Identity][]domain.Identity

// Targets are what the decisions are about, by the decision.
func (d Decisions) Targets() map[domain.Identity]domain.Identity {
	all := map[domain.Identity]domain.Identity{}
	for target, decisions := range d {
		for _, decision := range decisions {
			all[decision] = target
		}
	}
	return all
}

// DecidedOn is the event that a decision is about, or that the decision which a void takes back is about.
func (d Decisions) DecidedOn(decision domain.Identity) domain.Identity {
	for range len(d) + 1 { // voids may void each other
		target, is := d.about(decision)
		if !is {
			break
		}
		decision = target
	}
	return decision
}

func (d Decisions) about(decision domain.Identity) (domain.Identity, bool) {
	for target, all := range d {
		if slices.Contains(all, decision) {
			return target, true
		}
	}
	return domain.Identity{}, false
}

// Decides reports whether the row is what a person decided, or takes such a decision back.
func (s *Stored) Decides() bool { return s.Effective() == domain.TypeFactDecided }

// ReadUnits reads all events that are settled with any of the units: those of the orders, of the cases under whatever
// order, of the other cases and orders that these name, and what was decided on any of them.
func ReadUnits(ctx context.Context, db driver.Conn, orders, cases []string, decisions Decisions) ([]Stored, error) {
	r := unitReader{db: db, known: NewUnits(), decisions: decisions}
	for len(orders)+len(cases) > 0 {
		named, caseless, err := r.ordersOf(ctx, r.fresh(r.known.Cases, cases))
		if err != nil {
			return nil, err
		}
		orders = r.fresh(r.known.Orders, append(orders, named...))
		if caseless != nil {
			if err := r.read(ctx, "order_id = '' AND error_id IN (SELECT name FROM names)", caseless); err != nil {
				return nil, err
			}
		}
		if len(orders) > 0 {
			if err := r.read(ctx, "order_id IN (SELECT name FROM names)", orders); err != nil {
				return nil, err
			}
		}
		orders, cases = nil, r.casesOf()
	}
	return r.rows, r.readDecisions(ctx)
}

type unitReader struct {
	db    driver.Conn
	known Units
	rows  []Stored
	seen  int // rows whose cases are known

	decisions Decisions
}

// readDecisions reads what was decided on the rows and stands elsewhere, and what took that back.
func (r *unitReader) readDecisions(ctx context.Context) error {
	if len(r.decisions) == 0 {
		return nil
	}
	there := map[domain.Identity]bool{}
	for i := range r.rows {
		there[r.rows[i].Identity()] = true
	}
	for from := 0; from < len(r.rows); {
		wanted := map[domain.Identity]bool{}
		for i := range r.rows[from:] {
			for _, d := range r.decisions[r.rows[from+i].Identity()] {
				if !there[d] {
					wanted[d], there[d] = true, true
				}
			}
		}
		if from = len(r.rows); len(wanted) == 0 {
			return nil
		}
		if err := r.readBooks(ctx, wanted); err != nil {
			return err
		}
	}
	return nil
}

// readBooks reads decisions and voids of them by their identity.
func (r *unitReader) readBooks(ctx context.Context, wanted map[domain.Identity]bool) error {
	ids, err := ext.NewTable("decided", ext.Column("source", "String"), ext.Column("event_id", "String"))
	if err != nil {
		return fmt.Errorf("name the decisions: %w", err)
	}
	for d := range wanted {
		if err := ids.Append(d.Source, d.ID); err != nil {
			return fmt.Errorf("name the decisions: %w", err)
		}
	}
	found, err := Read(clickhouse.Context(ctx, clickhouse.WithExternalTable(ids)),
		r.db, `ledger FINAL WHERE stream = 'books' AND refused = ''
        AND event_type IN `+sql.Events("fact.decided", "event.voided")+`
        AND (source, event_id) IN (SELECT source, event_id FROM decided)`)
	r.rows = append(r.rows, found...)
	return err
}

// Identity is what makes the row's event itself.
func (r *Row) Identity() domain.Identity {
	return domain.Identity{Source: r.Event.Source, ID: r.Event.ID}
}

// fresh are those of the names that aren't known yet. They are from now on.
func (r *unitReader) fresh(known map[string]bool, names []string) (fresh []string) {
	for _, name := range names {
		if !known[name] && name != "" {
			known[name] = true
			fresh = append(fresh, name)
		}
	}
	return fresh
}

// ordersOf are the orders under which cases are named, and those of the cases that are named without an order.
func (r *unitReader) ordersOf(ctx context.Context, cases []string) (orders, without []string, err error) {
	if len(cases) == 0 {
		return nil, nil, nil
	}
	ctx, err = Texts(ctx, "names", "name", cases)
	if err != nil {
		return nil, nil, err
	}
	rows, err := r.db.Query(ctx, "SELECT DISTINCT error_id, order_id FROM case_units WHERE error_id IN (SELECT name "+
		"FROM names)")
	if err != nil {
		return nil, nil, fmt.Errorf("find the orders of cases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var errorID, order string
		if err := rows.Scan(&errorID, &order); err != nil {
			return nil, nil, fmt.Errorf("find the orders of cases: %w", err)
		}
		if order == "" {
			without = append(without, errorID)
		} else {
			orders = append(orders, order)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("find the orders of cases: %w", err)
	}
	return orders, without, nil
}

func (r *unitReader) read(ctx context.Context, condition string, names []string) error {
	ctx, err := Texts(ctx, "names", "name", names)
	if err != nil {
		return err
	}
	found, err := Read(ctx, r.db, "ledger FINAL WHERE "+condition+" AND refused = ''")
	r.rows = append(r.rows, found...)
	return err
}

// casesOf are the cases that the rows read last name.
func (r *unitReader) casesOf() (cases []string) {
	for ; r.seen < len(r.rows); r.seen++ {
		cases = append(cases, r.rows[r.seen].Cases()...)
	}
	return cases
}

// Cases are the cases that the row names: its own, and the one that this is made part of.
func (s *Stored) Cases() []string {
	if s.Event.ErrorID == "" {
		return nil
	}
	if s.Event.Type == domain.TypeErrorClassified {
		if same := sameAs(s.Data); same != "" {
			return []string{s.Event.ErrorID, same}
		}
	}
	return []string{s.Event.ErrorID}
}

// sameAs is what the data of an error.classified says of the case that its own is part of.
func sameAs(data []byte) string {
	if !strings.Contains(string(data), "same_as") {
		return ""
	}
	var said struct {
		SameAs string `json:"same_as"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return "" // it was valid when it was booked
	}
	return said.SameAs
}

// AboutSpend is the condition on rows of the ledger that are about what was spent on quality, and SpendID the spend_id
// of such a row, else nothing.
var (
	AboutSpend = "(order_id = '' AND error_id = '' AND " + sql.Event("quality.spent") + " IN (event_type, voids_type))"
	SpendID    = "multiIf(NOT " + AboutSpend + ", '', voids_type = '', JSONExtractString(payload, 'spend_id'), " +
		"JSONExtractString(payload, 'original', 'data', 'spend_id'))"
)

// ReadSpends reads all that is settled with what was spent on quality under the ids: rows that share a name (see
// SpentAs). A void that is about another spend stays out: without its original it would be taken for one of nothing.
func ReadSpends(ctx context.Context, db driver.Conn, ids []string, decisions Decisions) ([]Stored, error) {
	rows, err := readSpends(ctx, db, ids)
	if err != nil {
		return nil, err
	}
	r := unitReader{db: db, rows: rows, decisions: decisions}
	err = r.readDecisions(ctx)
	return r.rows, err
}

func readSpends(ctx context.Context, db driver.Conn, ids []string) (rows []Stored, err error) {
	const from = "ledger FINAL WHERE order_id = '' AND error_id = '' AND stream = 'books' AND refused = '' AND "
	voids, err := Read(ctx, db, from+"voids_type = "+sql.Event("quality.spent")) // they are few
	if err != nil {
		return nil, err
	}
	known, read := map[string]bool{}, map[int64]bool{}
	var names []string // that were not looked for yet
	name := func(all ...string) {
		for _, n := range all {
			if !known[n] {
				known[n] = true
				names = append(names, n)
			}
		}
	}
	for _, id := range ids {
		name(bySpend(id))
	}
	for len(names) > 0 {
		named, err := Texts(ctx, "names", "name", names)
		if err != nil {
			return nil, err
		}
		found, err := Read(named, db, from+`event_type = `+sql.Event("quality.spent")+`
            AND (concat('s', JSONExtractString(payload, 'spend_id')) IN (SELECT name FROM names)
                OR concat('i', source, '\n', event_id) IN (SELECT name FROM names))`)
		if err != nil {
			return nil, err
		}
		names = nil
		for _, s := range slices.Concat(found, voids) {
			as := s.SpentAs()
			if !read[s.Position.Offset] && slices.ContainsFunc(as, func(n string) bool { return known[n] }) {
				read[s.Position.Offset] = true
				rows = append(rows, s)
				name(as...)
			}
		}
	}
	return rows, nil
}

// SpentAs names what a row that is about what was spent on quality says something of: the spend_id, the event
// itself, and what a void takes back, which may have another spend_id than the void says. None where the row is about
// another thing.
func (s *Stored) SpentAs() []string {
	spend := s.Spend()
	if spend == "" {
		return nil
	}
	all := []string{bySpend(spend), byIdentity(s.Event.Source, s.Event.ID)}
	if s.VoidsType != "" {
		all = append(all, byIdentity(s.Voids.Source, s.Voids.ID))
	}
	return all
}

func bySpend(id string) string { return "s" + id }

func byIdentity(source, id string) string { return "i" + source + "\n" + id }

// Spend is the spend_id of what was spent on quality, or of what the row's void takes back; empty where it is about
// another thing.
func (s *Stored) Spend() string {
	if s.Event.OrderID != "" || s.Event.ErrorID != "" || s.Effective() != domain.TypeQualitySpent {
		return ""
	}
	type data struct {
		SpendID  string `json:"spend_id"`
		Original *struct {
			Data json.RawMessage `json:"data"`
		} `json:"original"`
	}
	for raw := s.Data; ; {
		var d data
		if err := json.Unmarshal(raw, &d); err != nil || d.Original == nil {
			return d.SpendID
		}
		raw = d.Original.Data
	}
}
