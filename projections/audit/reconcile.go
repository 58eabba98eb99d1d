package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

// Reconciliation holds the books against everything else that knows the same facts: the log, their own sums, and the
// payouts of a payment processor. What agrees is counted, what doesn't is listed with its events.
type Reconciliation struct {
	At          time.Time            `json:"at"`
	Checks      []Check              `json:"checks"`
	Log         []LogCount           `json:"log"`
	Differences []Difference         `json:"differences"` // at most MaxDifferences a check
	Balances    []report.AgedBalance `json:"open_balances"`
	BalancesAt  time.Time            `json:"open_balances_at"` // the moment that they are of, to which their age counts
	Payouts     *PayoutSummary       `json:"payouts,omitempty"`
	// What waits for a person and what can't be right, as it is now, at most MaxDifferences of each, the oldest first. The
	// books agree with themselves all the same: neither is a difference.
	Contradictions []report.SaidTwice `json:"contradictions"`
	Flags          []report.Flagged   `json:"flags"`
}

// Check is one comparison: how much was held against each other, and how often it differed.
type Check struct {
	Name        string `json:"name"`
	Compared    uint64 `json:"compared"`
	Differences uint64 `json:"differences"`
}

// Difference is one place where two accounts of the same thing disagree.
type Difference struct {
	Check    string   `json:"check"`
	What     string   `json:"what"`
	Currency string   `json:"currency,omitempty"` // of Expected and Actual, where they are amounts
	Expected string   `json:"expected,omitempty"`
	Actual   string   `json:"actual,omitempty"`
	Place    string   `json:"place,omitempty"`  // topic/partition@offset
	Events   []string `json:"events,omitempty"` // source and id
}

// MaxDifferences bounds the list of each check; its count is of all.
const MaxDifferences = 1000

// Clean says that nothing differs. An open balance is no difference: it is something that somebody still owes.
func (r *Reconciliation) Clean() bool {
	for _, c := range r.Checks {
		if c.Differences > 0 {
			return false
		}
	}
	return true
}

func (r *Reconciliation) check(name string) *Check {
	for i := range r.Checks {
		if r.Checks[i].Name == name {
			return &r.Checks[i]
		}
	}
	r.Checks = append(r.Checks, Check{Name: name})
	return &r.Checks[len(r.Checks)-1]
}

func (r *Reconciliation) differ(d Difference) {
	c := r.check(d.Check)
	if c.Differences++; c.Differences <= MaxDifferences {
		r.Differences = append(r.Differences, d)
	}
}

// Against is what the books are held against.
type Against struct {
	Partitions []LogPartition
	Closed     []report.Close // the last close of each month that is closed now
	AsOf       report.AsOf    // of the open balances; all else is held against each other as it is now
	Now        time.Time
	Zone       *time.Location
}

// Reconcile holds the books against the log, partition by partition, and against themselves. It reads all of both: it
// is for the end of a month and for doubts, not for dashboards.
func Reconcile(ctx context.Context, db driver.Conn, decode ledger.Decode, with Against) (*Reconciliation, error) {
	r := &Reconciliation{At: with.Now.UTC(), Differences: []Difference{}, Log: []LogCount{}}
	r.check(checkLog)
	for _, p := range with.Partitions {
		if err := r.compareLog(ctx, db, decode, p); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(context.Context, driver.Conn) error{r.compareIdentities, r.compareEntries,
		r.compareFailures,
		r.compareRollUp} {
		if err := step(ctx, db); err != nil {
			return nil, err
		}
	}
	if err := r.compareCloses(ctx, db, with.Closed); err != nil {
		return nil, err
	}
	r.BalancesAt = with.AsOf.BalancesAt(with.Now, with.Zone)
	var err error
	if r.Balances, err = report.ReadAgedBalances(ctx, db, with.AsOf, r.BalancesAt); err != nil {
		return nil, err
	}
	if _, r.Contradictions, err = report.ListSaidTwice(ctx, db, MaxDifferences); err != nil {
		return nil, err
	}
	r.Flags, err = report.ListFlagged(ctx, db, MaxDifferences)
	return r, err
}

// Names of the checks.
const (
	checkLog      = "log and ledger"
	checkEntries  = "every entry sums to zero"
	checkFailures = "ledger and failures"
	checkIdentity = "one content an identity"
	checkRollUp   = "roll-up and journal"
	checkCloses   = "closed months and log"
	checkPayouts  = "clearing and payouts"
)

// compareIdentities looks for identities that the books hold twice. It asks the ledger itself, and not how far the
// check for conflicts has come.
func (r *Reconciliation) compareIdentities(ctx context.Context, db driver.Conn) error {
	c := r.check(checkIdentity)
	if err := db.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE refused = ''`).Scan(&c.Compared); err != nil {
		return fmt.Errorf("count the events: %w", err)
	}
	rows, err := statements.Make("identities", nil).Rows(ctx, db)
	if err != nil {
		return fmt.Errorf("look for identities with several contents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var source, id string
		var places []string
		if err := rows.Scan(&source, &id, &places); err != nil {
			return fmt.Errorf("look for identities with several contents: %w", err)
		}
		r.differ(Difference{Check: checkIdentity, What: "an event that stands in the books with several contents",
			Expected: "1",
			Actual:   fmt.Sprint(len(places)), Place: strings.Join(places, ", "), Events: []string{source + " " + id}})
	}
	return rows.Err()
}

// compareEntries looks for entries whose lines don't sum to zero.
func (r *Reconciliation) compareEntries(ctx context.Context, db driver.Conn) error {
	c := r.check(checkEntries)
	if err := db.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE notEmpty(account)`).Scan(&c.Compared); err != nil {
		return fmt.Errorf("count the entries: %w", err)
	}
	rows, err := db.Query(ctx, `
SELECT source, event_id, s.1, toDecimalString(s.2, 4)
FROM (SELECT source, event_id, arrayFilter(s -> s.2 != 0 OR refused != '', `+sql.SumsByCurrency+`) AS sums FROM ledger
    FINAL WHERE notEmpty(sums))
ARRAY JOIN sums AS s ORDER BY source, event_id, s.1`)
	if err != nil {
		return fmt.Errorf("check that every entry balances: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var source, id, currency, sum string
		if err := rows.Scan(&source, &id, &currency, &sum); err != nil {
			return fmt.Errorf("check that every entry balances: %w", err)
		}
		r.differ(Difference{Check: checkEntries, What: "an entry that doesn't sum to zero, or that a refused event still has",
			Currency: currency, Expected: "0.0000", Actual: sum,
			Events: []string{source + " " + id}})
	}
	return rows.Err()
}

// compareFailures holds the table that roll-ups are made of against the ledger that it is made of.
func (r *Reconciliation) compareFailures(ctx context.Context, db driver.Conn) error {
	const bears = `refused = '' AND (error_id != '' OR settled)`
	const row = `order_id, error_id, source, event_id, content, event_type, store_id, currency, day, posting_period,
    standing, account, element, basis, step, amount`
	c := r.check(checkFailures)
	if err := db.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE `+bears).Scan(&c.Compared); err != nil {
		return fmt.Errorf("count what bears on a fix: %w", err)
	}
	rows, err := db.Query(ctx, `
SELECT source, event_id, sum(in_ledger), sum(in_failures) FROM (
    SELECT `+row+`, 1 AS in_ledger, 0 AS in_failures FROM ledger FINAL WHERE `+bears+`
    UNION ALL
    SELECT `+row+`, 0 AS in_ledger, 1 AS in_failures FROM failures FINAL WHERE refused = '')
GROUP BY `+row+` HAVING sum(in_ledger) != sum(in_failures) ORDER BY source, event_id`)
	if err != nil {
		return fmt.Errorf("compare the ledger with what bears on a fix: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var source, id string
		var ledger, failures uint64
		if err := rows.Scan(&source, &id, &ledger, &failures); err != nil {
			return fmt.Errorf("compare the ledger with what bears on a fix: %w", err)
		}
		r.differ(Difference{Check: checkFailures, What: "a row that stands in one and not alike in the other",
			Expected: fmt.Sprintf("%d in the ledger", ledger),
			Actual:   fmt.Sprintf("%d in failures", failures), Events: []string{source + " " + id}})
	}
	return rows.Err()
}

// compareRollUp recomputes the roll-up from the journal, bucket by bucket, with what is known of each case.
func (r *Reconciliation) compareRollUp(ctx context.Context, db driver.Conn) error {
	c := r.check(checkRollUp)
	if err := db.QueryRow(ctx, `SELECT count() FROM leakage_daily FINAL WHERE lines > 0`).Scan(&c.Compared); err != nil {
		return fmt.Errorf("count the roll-up: %w", err)
	}
	rows, err := db.Query(ctx, statements.Text("roll_up_differs", struct{ Key, Facts, Fresh string }{ledger.LeakageKey,
		ledger.LeakageFacts, ledger.FailureLines("true")}))
	if err != nil {
		return fmt.Errorf("recompute the roll-up: %w", err)
	}
	defer rows.Close()
	type bucket struct {
		d              Difference
		errorID, order string
		day            time.Time
	}
	var found []bucket
	for rows.Next() {
		var b bucket
		var name, facts, actualFacts string
		if err := rows.Scan(&name, &b.d.Expected, &b.d.Actual, &facts, &actualFacts, &b.errorID, &b.order, &b.day,
			&b.d.Currency); err != nil {
			return fmt.Errorf("recompute the roll-up: %w", err)
		}
		b.d.Check, b.d.What = checkRollUp, name
		if b.d.Expected == b.d.Actual {
			b.d.Expected, b.d.Actual = b.d.Expected+" "+facts, b.d.Actual+" "+actualFacts
		}
		found = append(found, b)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("recompute the roll-up: %w", err)
	}
	for i := range found {
		b := &found[i]
		if i < MaxDifferences {
			if err := db.QueryRow(ctx, `SELECT groupArray(concat(source, ' ', event_id)) FROM (
    SELECT source, event_id FROM failures FINAL WHERE refused = '' AND has(arrayConcat([error_id], line_case), ?) AND
        unit = ? AND day = toDate(?) ORDER BY source, event_id LIMIT 50)`,
				b.errorID, b.order, b.day.Format(time.DateOnly)).Scan(&b.d.Events); err != nil {
				return fmt.Errorf("find the events of a bucket: %w", err)
			}
		}
		r.differ(b.d)
	}
	return nil
}

// compareCloses looks for what was posted in a closed month though it comes after the close.
func (r *Reconciliation) compareCloses(ctx context.Context, db driver.Conn, closed []report.Close) error {
	c := r.check(checkCloses)
	for i := range closed {
		n, err := r.compareClose(ctx, db, &closed[i])
		if err != nil {
			return fmt.Errorf("look for what was posted in %s after its close: %w", closed[i].Period, err)
		}
		c.Compared += n
	}
	return nil
}

// compareClose returns how many events are posted in the month.
func (r *Reconciliation) compareClose(ctx context.Context, db driver.Conn, closed *report.Close) (n uint64, err error) {
	in := fmt.Sprintf("ledger FINAL WHERE refused = '' AND posting_period = toDate('%s')",
		closed.Period.First().Format(time.DateOnly))
	if err := db.QueryRow(ctx, "SELECT count() FROM "+in).Scan(&n); err != nil {
		return 0, err
	}
	rows, err := db.Query(ctx, `
SELECT source, event_id, concat(toString(stream), '/', toString(partition), '@', toString(offset)) FROM `+in+`
AND NOT `+closed.StoodBefore()+` ORDER BY recorded_at, source, event_id`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var source, id string
		d := Difference{Check: checkCloses, What: "an event that is posted in " + closed.Period.String() +
			", and comes after its close in the log"}
		if err := rows.Scan(&source, &id, &d.Place); err != nil {
			return 0, err
		}
		d.Events = []string{source + " " + id}
		r.differ(d)
	}
	return n, rows.Err()
}
