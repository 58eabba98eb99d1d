package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/shadow"
	"github.com/makegood/makegood/projections/sql"
)

// Gauges are the business numbers that monitoring watches, as the books have them now. They are read, never counted up:
// a restart, a replay or several readers don't change them. Amounts are floats, for alerts and live screens; a report
// has the exact ones.
type Gauges struct {
	Leakage     []LeakageGauge
	Spend       []SpendGauge
	DeadLetters []ReasonGauge
	Rebuilding  bool      // a rebuild is being computed or swapped in
	Rebuilt     float64   // how much of what it posts again the last rebuild has done, 0 to 1; 0 where there never was one
	Gaps        uint64    // stretches of the log that the store has lost and that are being read again
	Newest      time.Time // when the newest event arrived in the books; zero where there is none
}

// LeakageGauge is the leakage of the running day and month. changed_mind is no failure and isn't in it.
type LeakageGauge struct {
	Currency  string  `ch:"currency"`
	Store     string  `ch:"store_id"`
	Kind      string  `ch:"kind"`
	RootCause string  `ch:"root_cause"`
	Element   string  `ch:"element"`
	Basis     string  `ch:"basis"`
	Day       float64 `ch:"of_day"`
	Month     float64 `ch:"of_month"`
	Today     uint64  `ch:"today"` // lines of the running day: zero means that Day says nothing
}

// SpendGauge is what was spent on the quality process: prevention or appraisal.
type SpendGauge struct {
	Currency string  `ch:"currency"`
	Category string  `ch:"category"`
	Day      float64 `ch:"of_day"`
	Month    float64 `ch:"of_month"`
}

// ReasonGauge is how many dead letters are open for a reason.
type ReasonGauge struct {
	Reason string `ch:"reason"`
	Open   uint64 `ch:"open"`
}

// ReadGauges reads them as of now, whose location is the time zone of the books.
func ReadGauges(ctx context.Context, db driver.Conn, now time.Time) (*Gauges, error) {
	today := now.Format(time.DateOnly)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	first, next := month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly)
	var g Gauges
	if err := db.Select(ctx, &g.Leakage, `
SELECT currency, store_id, kind, root_cause, element, basis,
       toFloat64(sumIf(amount, day = toDate(?))) AS of_day, toFloat64(sum(amount)) AS of_month,
           countIf(day = toDate(?)) AS today
FROM leakage_daily FINAL
WHERE lines > 0 AND part = 'leakage' AND day >= toDate(?) AND day < toDate(?)
GROUP BY currency, store_id, kind, root_cause, element, basis`, today, today, first, next); err != nil {
		return nil, fmt.Errorf("read the leakage of the running month: %w", err)
	}
	// Books events have no order: the ledger's key finds them without reading the rest.
	if err := db.Select(ctx, &g.Spend, `
SELECT currency, if(a = `+sql.Account("prevention")+`, 'prevention', 'appraisal') AS category,
       toFloat64(sumIf(x, day = toDate(?))) AS of_day, toFloat64(sum(x)) AS of_month
FROM ledger AS l FINAL ARRAY JOIN l.account AS a, l.amount AS x
WHERE order_id = '' AND refused = '' AND a IN (`+sql.Account("prevention")+`, `+
		sql.Account("appraisal")+`) AND day >= toDate(?) AND day < toDate(?)
GROUP BY currency, category`, today, first, next); err != nil {
		return nil, fmt.Errorf("read the spending on quality: %w", err)
	}
	if err := db.Select(ctx, &g.DeadLetters, `SELECT reason, count() AS open FROM `+deadletter.Open+
		` GROUP BY reason`); err != nil {
		return nil, fmt.Errorf("count dead letters by reason: %w", err)
	}
	if err := db.QueryRow(ctx, "SELECT count() FROM gaps FINAL WHERE closed = 0").Scan(&g.Gaps); err != nil {
		return nil, fmt.Errorf("count what is read again: %w", err)
	}
	r, err := shadow.Read(ctx, db, "")
	switch {
	case errors.Is(err, ledger.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		g.Rebuilding = r.State == shadow.Computing || r.State == shadow.Swapping
		if g.Rebuilt = 1; r.State == shadow.Computing { // there may be nothing to post again
			g.Rebuilt = float64(r.Done) / float64(max(r.Total, 1))
		}
	}
	g.Newest, err = newestArrival(ctx, db)
	return &g, err
}

// Served are the orders delivered in the running month, by what became of their promise. An order stands in several.
type Served struct {
	All, InFull    uint64
	Promised       uint64 // with a time promised
	OnTime         uint64 // of the promised
	Perfect        uint64 // not late, in full, undamaged, the right items, documents right
	RightFirstTime uint64 // perfect, and no founded case
	Silent         uint64 // the promise broken, and nobody reported anything
}

// ReadServed counts them as of now, whose location is the time zone of the books. It reads the promises of every order
// delivered in the month: not for every scrape.
func ReadServed(ctx context.Context, db driver.Conn, now time.Time) (Served, error) {
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	d, err := readDeliveries(ctx, db, &SummaryQuery{From: month, To: month.AddDate(0, 1, 0)})
	return Served{All: d.Delivered, Promised: d.Promised, OnTime: d.OnTime, InFull: d.InFull, Perfect: d.Kept,
		RightFirstTime: d.Right, Silent: d.Silent}, err
}

// newestArrival looks back step by step, so that the index on arrivals spares it all of the past.
func newestArrival(ctx context.Context, db driver.Conn) (time.Time, error) {
	for _, back := range []string{"now() - INTERVAL 10 MINUTE", "now() - INTERVAL 1 DAY", "now() - INTERVAL 31 DAY",
		"toDateTime(0)"} {
		var at time.Time
		if err := db.QueryRow(ctx, `SELECT max(arrived_at) FROM identities WHERE arrived_at >= `+back).Scan(&at); err != nil {
			return time.Time{}, fmt.Errorf("look for the newest event: %w", err)
		}
		if at.Unix() > 0 {
			return at, nil
		}
	}
	return time.Time{}, nil
}

// Auditor counts the events whose lines don't sum to zero, as Unbalanced does, but reads only the months that changed
// since it last looked.
type Auditor struct {
	months *monthCounts
}

// NewAuditor has looked at nothing yet.
func NewAuditor(db driver.Conn) *Auditor {
	return &Auditor{newMonthCounts(db, `arrayExists(s -> s.2 != 0, `+sql.SumsByCurrency+`)`)}
}

// Unbalanced is zero unless there is a bug.
func (a *Auditor) Unbalanced(ctx context.Context) (uint64, error) {
	total, err := a.months.count(ctx)
	if err != nil {
		return 0, fmt.Errorf("check that every entry balances: %w", err)
	}
	return total, nil
}
