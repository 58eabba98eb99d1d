package insight

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

// Question is one that can be asked: GET /v1/{Name}, `makegood {Name}`.
type Question struct {
	Name    string
	About   string  // one sentence
	Params  []Param // its own, beside Common
	Method  string  // two sentences: how it is worked out
	Heading string  // of the section of dashboards/README.md that says more
	Columns []Column
	Parts   []Part // further tables
	// Page: it is also shown as a page that prints (formats html and pdf).
	Page bool
	// Plain: no amounts are in it, so it needs no currency.
	Plain bool
	// Lately: asked without a time, it answers for the last days and not for all time.
	Lately bool
	// People: it is about single employees, and shown only to who may see that (the scope people).
	People bool
	// Read gives the rows, and those of the parts by name.
	Read func(ctx context.Context, db driver.Conn, q *Query) (rows []Row, parts map[string][]Row, err error)
}

// Part is a further table of an answer.
type Part struct {
	Name    string
	About   string
	Columns []Column
}

// Param is a parameter of a question.
type Param struct {
	Name  string
	About string
	Of    []string // the values that it may have; none: any
	Must  bool     // it must be given
}

// Common are the parameters that every question takes. from and to are days, to exclusive; both may be left out.
var Common = []string{"from", "to", "currency", "store", "as_of"}

// Column is one figure of a row.
type Column struct {
	Name     string
	Unit     string // see the package documentation
	About    string // what it is, for people
	Estimate bool   // the value is an *estimate.Estimate, its figures in Unit
	Sum      bool   // of money and counts: totals have it
	// Of says of a row which key the value is one of, as report.Word takes it, where the column's own name doesn't.
	Of func(Row) string
}

// Row has a value for each column of its table: text for money, price, share, days, hours, text and day; uint64 for a
// count; []string for a list; bool for yes_no; *estimate.Estimate; nil for what is not known.
type Row map[string]any

// Query is a question as it was asked.
type Query struct {
	From, To time.Time // days in the zone of the books; To is exclusive
	Currency string    // ISO 4217
	Store    string    // empty: all
	AsOf     report.AsOf
	Now      time.Time         // the moment that the answer speaks of, in the zone of the books
	Of       map[string]string // the question's own parameters that were given
}

// Table is rows with what they sum to. Totals have the columns with Sum alone.
type Table struct {
	Rows   []Row `json:"rows"`
	Totals Row   `json:"totals"`
}

// Answer is what a question is answered with.
type Answer struct {
	From     string    `json:"from"`
	To       string    `json:"to"` // exclusive
	Currency string    `json:"currency"`
	AsOf     time.Time `json:"as_of"`
	Table
	Parts   map[string]Table `json:"parts"`
	Missing []Missing        `json:"missing"`
	Method  string           `json:"method"`
	Link    string           `json:"link"` // to the section that says more
}

// Missing is something that the answer doesn't know, see the package documentation.
type Missing struct {
	Code string `json:"code"`
	N    uint64 `json:"n"`
}

// Anchor is the link to what the documentation says of the question.
func (q *Question) Anchor() string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return -1
	}, strings.ToLower(q.Heading))
	return "dashboards/README.md#" + kept
}

// Validate says what is wrong with the question as it was asked.
func (q *Question) Validate(asked *Query) error {
	if asked.From.IsZero() || asked.To.IsZero() || !asked.From.Before(asked.To) {
		return &report.Invalid{Code: report.EmptySpan}
	}
	for name := range asked.Of {
		if !slices.ContainsFunc(q.Params, func(p Param) bool { return p.Name == name }) {
			return &report.Invalid{Code: report.UnknownParameter, Value: name}
		}
	}
	for _, p := range q.Params {
		value, given := asked.Of[p.Name]
		switch {
		case p.Must && value == "":
			return &report.Invalid{Code: report.Wanted, Value: p.Name}
		case given && value != "" && len(p.Of) > 0 && !slices.Contains(p.Of, value):
			return &report.Invalid{Code: report.NotOneOf, Parameter: p.Name, Value: value, Of: p.Of}
		}
	}
	return nil
}

// Ask answers. zone is that of the books, now what time it is.
func (q *Question) Ask(ctx context.Context, db driver.Conn, asked Query, zone *time.Location,
	now time.Time) (*Answer, error) {
	if err := q.Validate(&asked); err != nil {
		return nil, err
	}
	asked.Now = asked.AsOf.Moment(now).In(zone)
	if asked.Currency == "" && !q.Plain {
		var err error
		if asked.Currency, err = report.OnlyCurrency(ctx, db, asked.make("summary_currencies")); err != nil {
			return nil, err
		}
	}
	if q.Lately {
		asked = *asked.lately()
	}
	a := &Answer{From: asked.From.Format(time.DateOnly), To: asked.To.Format(time.DateOnly), Currency: asked.Currency,
		AsOf: asked.Now.UTC(), Parts: map[string]Table{}, Method: q.Method, Link: q.Anchor()}
	rows, parts, err := q.Read(ctx, db, &asked)
	if err != nil {
		return nil, fmt.Errorf("answer %s: %w", q.Name, err)
	}
	if a.Table, err = tableOf(q.Columns, rows); err != nil {
		return nil, fmt.Errorf("answer %s: %w", q.Name, err)
	}
	for _, p := range q.Parts {
		if a.Parts[p.Name], err = tableOf(p.Columns, parts[p.Name]); err != nil {
			return nil, fmt.Errorf("answer %s, %s: %w", q.Name, p.Name, err)
		}
	}
	a.Missing, err = asked.missing(ctx, db)
	return a, err
}

// tableOf checks that rows have what the columns say, and sums them up.
func tableOf(columns []Column, rows []Row) (Table, error) {
	t := Table{Rows: rows, Totals: Row{}}
	if t.Rows == nil {
		t.Rows = []Row{}
	}
	for _, c := range columns {
		money, count := new(big.Rat), uint64(0)
		for _, row := range rows {
			value, is := row[c.Name]
			if !is {
				return t, fmt.Errorf("a row without %s", c.Name)
			}
			if _, estimated := value.(*estimate.Estimate); estimated != c.Estimate {
				return t, fmt.Errorf("%s is %v", c.Name, value)
			}
			if !c.Sum || value == nil {
				continue
			}
			if n, is := value.(uint64); is {
				count += n
				continue
			}
			amount, is := new(big.Rat).SetString(fmt.Sprint(value))
			if !is {
				return t, fmt.Errorf("%s is no amount: %v", c.Name, value)
			}
			money.Add(money, amount)
		}
		switch {
		case !c.Sum:
		case c.Unit == Money:
			t.Totals[c.Name] = money.FloatString(4)
		default:
			t.Totals[c.Name] = count
		}
	}
	for _, row := range rows {
		if len(row) != len(columns) {
			return t, errors.New("a row with more than its columns")
		}
	}
	return t, nil
}

// The units of columns.
const (
	Money = "money"
	Price = "price"
	Share = "share"
	Ratio = "ratio"
	Count = "count"
	Days  = "days"
	Hours = "hours"
	Text  = "text"
	List  = "list"
	YesNo = "yes_no"
	Day   = "day"
)

// data is what the statements of this room are made of. Those of reports find in it what they need.
type data struct {
	report.Sources
	Cases   string // what is known of the cases of events, as common table expressions
	Posting bool   // always false: what counts is when it happened
	Views   bool   // always false
	Bounded bool   // as of a moment
	DeadLetters,
	Day string // of the roll-up
	With   string // what a statement chooses by
	Listed string // what it lists, in the place of figures: see listOf
}

// make is a statement of this room with the values that every one may name: from, to, currency, store, now (a time as
// text), zone, and the question's own parameters that were given.
func (q *Query) make(name string, more ...any) sql.Statement { return q.makeWith(name, "", more...) }

// makeWith is make, with something that the statement chooses by.
func (q *Query) makeWith(name, with string, more ...any) sql.Statement {
	return q.makeListed(name, with, "", more...)
}

// makeListed is makeWith, of what a statement lists.
func (q *Query) makeListed(name, with, listing string, more ...any) sql.Statement {
	d := data{Sources: q.AsOf.Sources(), Cases: ledger.CaseFacts, Bounded: q.AsOf.Bounded(),
		DeadLetters: deadletter.Open, Day: "day", With: with, Listed: listing}
	args := []any{sql.Named("from", q.From), sql.Named("to", q.To), sql.Named("currency", q.Currency),
		sql.Named("store", q.Store), sql.Named("now", q.Now.UTC().Format("2006-01-02 15:04:05.000000")),
		sql.Named("zone", q.Now.Location().String())}
	for param, value := range q.Of {
		args = append(args, sql.Named(param, value))
	}
	return statements.Make(name, d, append(args, more...)...)
}

// missing counts what the answer doesn't know.
func (q *Query) missing(ctx context.Context, db driver.Conn) ([]Missing, error) {
	found := []Missing{}
	rows, err := q.make("missing").Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("count what is missing: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m Missing
		if err := rows.Scan(&m.Code, &m.N); err != nil {
			return nil, fmt.Errorf("count what is missing: %w", err)
		}
		if m.N > 0 {
			found = append(found, m)
		}
	}
	return found, rows.Err()
}

// QuestionOf is the question of that name; nil where there is none.
func QuestionOf(name string) *Question {
	all := Questions()
	i := slices.IndexFunc(all, func(q *Question) bool { return q.Name == name })
	if i < 0 {
		return nil
	}
	return all[i]
}

// Questions are all of them, in the order in which they are listed.
func Questions() []*Question {
	return append([]*Question{&next, &promises, &recoverable, &packet, &feedback, &budget, &provision, &prevention,
		&whatIf, &signals, &customers, &vendors, &counter, &sources}, lists()...)
}
