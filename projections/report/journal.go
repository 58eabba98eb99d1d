package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// JournalQuery asks for the journal as the general ledger takes it.
type JournalQuery struct {
	From, To time.Time // days in the books' zone; To is exclusive
	PeriodBy string    // posting (what a general ledger wants) or occurred
	Every    string    // aggregated entries: one a month or one a day
	Detail   string    // aggregated by account and store, or events: one entry an event
	Currency string    // ISO 4217; empty: all, each in entries of its own
	AsOf     AsOf      // what was recorded by then
	Final    bool      // refuse months that are not closed
	Closes   []Close   // of a final one: the last close of each of its months
	// Unpriced is how many events have no price, of a final journal: as many as the closes of its months saw, see
	// CountUnpriced. Nil: those of now, or of AsOf.
	Unpriced *uint64
}

// Journal is a batch of balanced entries. Amounts are rounded to the currency's cents by largest remainder, within each
// entry and store, so that every entry still balances and no line is off by a cent or more.
type Journal struct {
	BatchID  string         `json:"batch_id"` // hash of question and content: the same when asked again
	From     string         `json:"from"`
	To       string         `json:"to"`
	PeriodBy string         `json:"period_by"`
	Every    string         `json:"every"`
	Detail   string         `json:"detail"`
	Currency string         `json:"currency,omitempty"` // where one was asked for
	AsOf     *time.Time     `json:"as_of,omitempty"`    // where it was asked for
	Final    bool           `json:"final"`
	Entries  []JournalEntry `json:"entries"` // of basis CASH and ACCRUED: what is new to the general ledger
	Memo     []JournalEntry `json:"memo"`    // of basis IMPUTED: in its wages and fleet already, never to be posted
	Control  JournalControl `json:"control"`
	Unpriced uint64         `json:"unpriced"` // events of the span with a line that no rate could price, and so isn't here
}

// JournalEntry is one balanced entry: Σ debit = Σ credit.
type JournalEntry struct {
	ID        string        `json:"id"`
	Date      string        `json:"date"` // YYYY-MM-DD: of the event, or the last day of the span that is summed up
	Currency  string        `json:"currency"`
	Source    string        `json:"source,omitempty"` // of single entries: the event
	EventID   string        `json:"event_id,omitempty"`
	EventType string        `json:"event_type,omitempty"`
	OrderID   string        `json:"order_id,omitempty"`
	ErrorID   string        `json:"error_id,omitempty"`
	Lines     []JournalLine `json:"lines"`
}

// JournalLine is one line; one of Debit and Credit is zero. Account is the company's own code where accounts are
// mapped, and Chart then the number in makegood's chart.
type JournalLine struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Chart   string `json:"chart,omitempty"`
	Store   string `json:"store"`
	Debit   string `json:"debit"`
	Credit  string `json:"credit"`
}

// JournalControl holds what a batch must come to. Debit and Credit are null where there are several currencies: those
// are never summed.
type JournalControl struct {
	Entries    int              `json:"entries"`
	Lines      int              `json:"lines"`
	Currency   *string          `json:"currency,omitempty"` // of Debit and Credit; empty where there is not just one
	Debit      *string          `json:"debit"`
	Credit     *string          `json:"credit"`
	Currencies []CurrencyTotals `json:"currencies"`
}

// CurrencyTotals are the control totals of one currency.
type CurrencyTotals struct {
	Currency string `json:"currency"`
	Entries  int    `json:"entries"`
	Debit    string `json:"debit"`
	Credit   string `json:"credit"`
}

// OpenPeriodsError says which months aren't closed and can't be exported as final.
type OpenPeriodsError struct{ Periods []string }

func (e *OpenPeriodsError) Error() string {
	return "not closed, so nothing of it is final: " + strings.Join(e.Periods, ", ")
}

// maxEntries bounds a batch: it is built in memory.
const maxEntries = 200_000

// ErrJournalTooLong says that a batch would have more single entries than fit.
var ErrJournalTooLong = fmt.Errorf("the journal has more than %d entries: ask for fewer days, or aggregated",
	maxEntries)

// Validate says what is wrong with the question.
func (q *JournalQuery) Validate() error {
	if q.From.IsZero() || q.To.IsZero() || !q.From.Before(q.To) {
		return &Invalid{Code: EmptySpan}
	}
	for _, err := range []error{
		oneOf("period_by", q.PeriodBy, "posting", "occurred"),
		oneOf("every", q.Every, "month", "day"),
		oneOf("detail", q.Detail, "aggregated", "events"),
	} {
		if err != nil {
			return err
		}
	}
	if q.Final && (q.From.Day() != 1 || q.To.Day() != 1) {
		return &Invalid{Code: NotWholeMonths, Parameter: "final"}
	}
	if q.Final && q.PeriodBy != "posting" {
		return &Invalid{Code: NotPosting, Parameter: "final"}
	}
	return nil
}

// Months are those that the question touches.
func (q *JournalQuery) Months() []domain.Period {
	var months []domain.Period
	for p := domain.PeriodOf(q.From, time.UTC); p.First().Before(q.To); p++ {
		months = append(months, p)
	}
	return months
}

// ReadJournal reads the batch. Amounts are summed as Decimal(38, 4) by ClickHouse and rounded here, exactly.
func ReadJournal(ctx context.Context, db driver.Conn, q JournalQuery) (*Journal, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	j := &Journal{From: q.From.Format(time.DateOnly), To: q.To.Format(time.DateOnly), PeriodBy: q.PeriodBy, Every: q.Every,
		Detail:   q.Detail,
		Currency: q.Currency, Final: q.Final, Entries: []JournalEntry{}, Memo: []JournalEntry{}}
	if q.AsOf.Bounded() {
		at := q.AsOf.Moment(time.Time{})
		j.AsOf = &at
	}
	if q.Unpriced != nil {
		j.Unpriced = *q.Unpriced
	} else if err := q.countUnpriced(ctx, db, &j.Unpriced); err != nil {
		return nil, err
	}
	rows, err := q.entries().Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer rows.Close()
	var entry draftEntry
	for rows.Next() {
		var next draftEntry
		var store, amount string
		var account uint16
		e := &next.JournalEntry
		if err := rows.Scan(&e.Date, &next.memo, &e.Currency, &e.Source, &e.EventID, &e.EventType, &e.OrderID, &e.ErrorID,
			&store, &account, &amount); err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		if !entry.same(&next) {
			if err := j.add(&entry); err != nil {
				return nil, err
			}
			entry = next
		}
		if err := entry.add(store, domain.Account(account), amount); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	if err := j.add(&entry); err != nil {
		return nil, err
	}
	j.Seal()
	return j, nil
}

// journalData is what the statements of a JournalQuery are made of.
type journalData struct {
	Sources
	// Posting: the day on which a general ledger sees an event is, where it is posted later than it happened, the first of
	// that month.
	Posting  bool
	Closes   []journalClose
	Currency bool // it is of one
	Events   bool // an entry an event
	Monthly  bool // an entry a month
}

type journalClose struct{ First, StoodBefore string }

func (q *JournalQuery) of(name string) sql.Statement {
	d := journalData{Posting: q.PeriodBy == "posting", Sources: q.AsOf.Sources(), Currency: q.Currency != "",
		Events:  q.Detail == "events",
		Monthly: q.Detail == "aggregated" && q.Every == "month"}
	for i := range q.Closes {
		d.Closes = append(d.Closes, journalClose{q.Closes[i].Period.First().Format(time.DateOnly), q.Closes[i].StoodBefore()})
	}
	return statements.Make(name, d, sql.Named("from", q.From), sql.Named("to", q.To), sql.Named("currency", q.Currency))
}

// CountUnpriced counts the events of a month's journal that had no price at its close; asOf is of that close. What
// comes later may change whether an event has a price, but not what the close saw.
func (q JournalQuery) CountUnpriced(ctx context.Context, db driver.Conn, asOf AsOf) (n uint64, err error) {
	q.From, q.To, q.AsOf, q.Closes = asOf.Close.Period.First(), (asOf.Close.Period + 1).First(), asOf, nil
	err = q.countUnpriced(ctx, db, &n)
	return n, err
}

func (q *JournalQuery) countUnpriced(ctx context.Context, db driver.Conn, n *uint64) error {
	if err := q.unpriced().Row(ctx, db).Scan(n); err != nil {
		return fmt.Errorf("count the unpriced events of the journal: %w", err)
	}
	return nil
}

// unpriced asks how many events have a line that no rate could price.
func (q *JournalQuery) unpriced() sql.Statement { return q.of("journal_unpriced") }

// entries asks for the lines, summed, in the order of entries and stores.
func (q *JournalQuery) entries() sql.Statement { return q.of("journal_entries") }

// draftEntry is an entry whose amounts aren't rounded yet.
type draftEntry struct {
	JournalEntry
	memo     bool
	accounts []domain.Account
	stores   []string
	amounts  []*big.Int // in 1/10,000, debit +
}

func (d *draftEntry) same(o *draftEntry) bool {
	a, b := &d.JournalEntry, &o.JournalEntry
	return d.memo == o.memo && a.Date == b.Date && a.Currency == b.Currency && a.Source == b.Source &&
		a.EventID == b.EventID && a.EventType == b.EventType &&
		a.OrderID == b.OrderID && a.ErrorID == b.ErrorID
}

func (d *draftEntry) add(store string, account domain.Account, amount string) error {
	n, ok := new(big.Int).SetString(strings.Replace(amount, ".", "", 1), 10)
	if !ok {
		return fmt.Errorf("read the journal: %q is no amount", amount)
	}
	d.stores, d.accounts, d.amounts = append(d.stores, store), append(d.accounts, account), append(d.amounts, n)
	return nil
}

// add rounds a finished entry and appends it, unless nothing is left of it.
func (j *Journal) add(d *draftEntry) error {
	decimals := domain.MinorUnit(d.Currency)
	for from := 0; from < len(d.stores); {
		to := from
		for to < len(d.stores) && d.stores[to] == d.stores[from] {
			to++
		}
		if err := roundBalanced(d.amounts[from:to], decimals); err != nil {
			return fmt.Errorf("the entry of %s %s %s %s at store %q: %w", d.Date, d.Currency, d.Source, d.EventID,
				d.stores[from], err)
		}
		from = to
	}
	e := d.JournalEntry
	for i, n := range d.amounts {
		if n.Sign() == 0 {
			continue
		}
		line := JournalLine{Account: fmt.Sprint(uint16(d.accounts[i])), Name: d.accounts[i].Name(), Store: d.stores[i],
			Debit: cents(new(big.Int), decimals), Credit: cents(new(big.Int), decimals)}
		if n.Sign() > 0 {
			line.Debit = cents(n, decimals)
		} else {
			line.Credit = cents(new(big.Int).Neg(n), decimals)
		}
		e.Lines = append(e.Lines, line)
	}
	if len(e.Lines) == 0 {
		return nil
	}
	e.ID = e.Date + "-" + e.Currency
	if j.Detail == "aggregated" && j.Every == "month" {
		e.ID = e.Date[:7] + "-" + e.Currency
	}
	if e.EventID != "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", e.Source, e.EventID, e.OrderID))
		e.ID = hex.EncodeToString(sum[:8])
	}
	into := &j.Entries
	if d.memo {
		e.ID += "-memo"
		into = &j.Memo
	}
	if *into = append(*into, e); len(*into) > maxEntries {
		return ErrJournalTooLong
	}
	return nil
}

// roundBalanced rounds amounts in 1/10,000 that sum to zero to whole units of the given decimals, so that they still
// do: each down, then the units that are missing go to those that lost most. Of equals, the first gets it.
func roundBalanced(amounts []*big.Int, decimals int) error {
	sum := new(big.Int)
	for _, n := range amounts {
		sum.Add(sum, n)
	}
	if sum.Sign() != 0 {
		return fmt.Errorf("it sums to %s, not to zero", cents(sum, 4))
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(4-decimals)), nil)
	rest := make([]*big.Int, len(amounts))
	order := make([]int, len(amounts))
	missing := new(big.Int)
	for i, n := range amounts {
		rest[i] = new(big.Int).Mod(n, unit) // Euclid's: never below zero
		n.Sub(n, rest[i])
		missing.Add(missing, rest[i])
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rest[b].Cmp(rest[a]) })
	for i := range missing.Div(missing, unit).Int64() {
		n := amounts[order[i]]
		n.Add(n, unit)
	}
	return nil
}

// cents writes an amount in 1/10,000 with the given decimals; it is a whole number of them.
func cents(n *big.Int, decimals int) string {
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	digits := new(big.Int).Abs(n).String()
	if len(digits) < 5 {
		digits = strings.Repeat("0", 5-len(digits)) + digits
	}
	whole, fraction := digits[:len(digits)-4], digits[len(digits)-4:]
	if decimals == 0 {
		return sign + whole
	}
	return sign + whole + "." + fraction[:decimals]
}

// Seal fills in control totals and the batch's identity: after the journal is read, and again after accounts are
// mapped.
func (j *Journal) Seal() {
	j.Control = JournalControl{Entries: len(j.Entries), Currencies: []CurrencyTotals{}}
	sums := map[string]*[2]*big.Int{}
	count := map[string]int{}
	for i := range j.Entries {
		e := &j.Entries[i]
		s := sums[e.Currency]
		if s == nil {
			s = &[2]*big.Int{new(big.Int), new(big.Int)}
			sums[e.Currency] = s
		}
		count[e.Currency]++
		j.Control.Lines += len(e.Lines)
		for k := range e.Lines {
			s[0].Add(s[0], tenThousandths(e.Lines[k].Debit))
			s[1].Add(s[1], tenThousandths(e.Lines[k].Credit))
		}
	}
	for code, s := range sums {
		d := domain.MinorUnit(code)
		j.Control.Currencies = append(j.Control.Currencies, CurrencyTotals{Currency: code, Entries: count[code],
			Debit: cents(s[0], d), Credit: cents(s[1], d)})
	}
	slices.SortFunc(j.Control.Currencies, func(a, b CurrencyTotals) int { return strings.Compare(a.Currency, b.Currency) })
	currency := ""
	switch all := j.Control.Currencies; len(all) {
	case 0:
		zero := "0.00"
		j.Control.Debit, j.Control.Credit = &zero, &zero
	case 1:
		j.Control.Debit, j.Control.Credit, currency = &all[0].Debit, &all[0].Credit, all[0].Currency
	}
	// Everything but the batch's own name; whether it is final, and as of when it was asked for, say nothing of its
	// content.
	content := *j
	content.BatchID, content.Final, content.AsOf = "", false, nil
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	j.BatchID = "mg-" + hex.EncodeToString(sum[:8])
	j.Control.Currency = &currency // after the batch has its name: those of old journals stay
}

// tenThousandths reads an amount that cents wrote.
func tenThousandths(text string) *big.Int {
	whole, fraction, _ := strings.Cut(text, ".")
	n, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", 4-len(fraction)), 10)
	return n
}
