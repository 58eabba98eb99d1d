package rebuild

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/shadow"
)

// computation is one rebuild being computed.
type computation struct {
	db      driver.Conn
	config  *Config
	rebuild *shadow.Rebuild
	terms   *domain.Terms // with the rebuild as the last of its records
	known   *post.Known
	mark    domain.Mark
	done    atomic.Uint64 // rows looked at
	total   atomic.Uint64
	passed  atomic.Uint64 // rows passed over
	sums    balances      // by how much accounts move
	events  uint64        // that come out otherwise
	// Events that lack a price: in the ledger, in the list of them, and how many more there will be.
	lacking, listed uint64
	unpriced        int
	mended          uint64 // rows fed to what is kept from the ledger, that lacked them

	landing *domain.Rebuild // this one, as the log would have it

	mu    sync.Mutex
	asked ledger.Units // to be settled besides those of rows that the rules or the rates can change
	left  map[domain.Period]*shadow.LeftPeriod
	kept  []shadow.NotPosted // the first of them
	bad   uint64
}

func newComputation(b *Rebuilder, r *shadow.Rebuild, known *post.Known) *computation {
	terms := known.Terms
	all := terms.Rebuilds.All()
	mark := all[len(all)-1].Mark
	return &computation{db: b.config.DB, config: &b.config, rebuild: r, terms: terms, known: known, mark: mark,
		sums: balances{}, asked: ledger.NewUnits(), landing: &all[len(all)-1], left: map[domain.Period]*shadow.LeftPeriod{}}
}

func (s *computation) table(of string) string { return shadow.Table(of, s.rebuild.ID) }

// compute fills the shadow and reports what it changes.
func (s *computation) compute(ctx context.Context) error {
	if err := ledger.EnoughRoom(ctx, s.db); err != nil {
		return err
	}
	if err := shadow.Make(ctx, s.db, s.rebuild.ID); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"post", s.postAll}, {"settle", s.settleAll}, {"feed", s.feed}, {"mend", s.mend}, {"roll up", s.rollUp},
		{"compact", s.compact},
		{"report", func(ctx context.Context) (err error) {
			s.rebuild.Report, err = s.report(ctx)
			return err
		}},
	} {
		start := time.Now()
		if err := step.do(ctx); err != nil {
			return err
		}
		s.config.Logger.Info("a step of a rebuild is done", "rebuild", s.rebuild.ID, "step", step.name, "took",
			time.Since(start).Round(time.Millisecond))
	}
	return nil
}

func (s *computation) exec(ctx context.Context, doing, query string, args ...any) error {
	if err := s.db.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// shadowRows is how many rows a worker gathers before it writes them: one part of the shadow for each month in them.
const shadowRows = 100_000

// stretch is what a rebuild reads of a month: all of it, or what a condition says.
type stretch struct{ month, only string }

// rateable is the condition on rows of today's rules that the rates may change: what asks for them and stands before
// the last of them. What comes after that knew them all.
func (s *computation) rateable() string {
	last, any := s.terms.Rates.Last()
	switch {
	case !any:
		return "false"
	case s.terms.Rates.ByPlace():
		return "(rated AND " + ledger.StoodBefore(&last) + ")"
	default:
		return "rated"
	}
}

// stretches are what there is to read: of a month that holds rows of other rules all of it, since its copies of one
// event may differ in whether they ask for rates; else what asks for them.
func (s *computation) stretches(ctx context.Context) ([]stretch, error) {
	var months []struct {
		Month string `ch:"month"`
		Rows  uint64 `ch:"n"`
		Other uint64 `ch:"other"`
		Rated uint64 `ch:"asking"`
	}
	only := s.rateable()
	if err := s.db.Select(ctx, &months, `
SELECT _partition_id AS month, count() AS n, countIf(rules != ?) AS other, countIf(`+only+`) AS asking FROM ledger
GROUP BY month ORDER BY month`, domain.PostingRules()); err != nil {
		return nil, fmt.Errorf("look through the months of the ledger: %w", err)
	}
	var all []stretch
	for _, m := range months {
		if s.rebuild.Whole || m.Other > 0 {
			s.total.Add(m.Rows)
			all = append(all, stretch{month: m.Month})
			continue
		}
		s.total.Add(m.Rated)
		s.passed.Add(m.Rows - m.Rated)
		if m.Rated > 0 {
			all = append(all, stretch{m.Month, only})
		}
	}
	return all, nil
}

func (of stretch) from() string {
	first := ""
	if of.only != "" {
		first = " PREWHERE " + of.only
	}
	return "ledger FINAL" + first + " WHERE refused = '' AND NOT settled AND " + ledger.PostsAlone +
		" AND _partition_id = '" + of.month + "'"
}

// postAll posts the rows of the ledger again that post alone, month by month, and writes those that come out otherwise
// to the shadow. What is settled with the other events of its unit is seen to by settleAll.
func (s *computation) postAll(ctx context.Context) error {
	all, err := s.stretches(ctx)
	if err != nil {
		return err
	}
	writer := s.config.Shadow(s.table("ledger"))
	workers := make([]*shadowWorker, 2)
	take := make([]func(*ledger.Row) error, len(workers))
	for i := range workers {
		workers[i] = &shadowWorker{computation: s, ctx: ctx, batch: writer.Batch(), sums: balances{},
			Poster: post.Poster{Decode: s.config.Decode()}}
		take[i] = workers[i].take
	}
	for _, of := range all {
		err = s.config.Ledger.ReadLedger(ctx, of.from(), take...)
		for _, w := range workers {
			if err == nil {
				err = w.flush()
			}
		}
		if err != nil {
			break
		}
	}
	for _, w := range workers {
		s.sums.addAll(w.sums)
		s.events += w.events
		s.unpriced += w.unpriced
	}
	return errors.Join(err, writer.Close())
}

// shadowWorker is one of those who post.
type shadowWorker struct {
	*computation
	post.Poster
	ctx    context.Context //nolint:containedctx // that of the computation
	batch  ledger.Batch
	sums   balances
	events uint64
	// How many more events lack a price.
	unpriced int
}

func (w *shadowWorker) take(r *ledger.Row) error {
	w.done.Add(1)
	if w.mark.Precedes(r.Position) {
		return nil // recorded later: not the rebuild's
	}
	was := *r
	outcome, err := w.Rebuild(r, w.terms, w.landing)
	not, err := post.NotPosted(err)
	switch {
	case not != nil:
		w.refuses(not)
		return nil
	case err != nil:
		return err
	case outcome == post.Same:
		return nil
	case outcome == post.Frozen && w.rebuild.ClosedPeriods:
		w.ask(r.Event)
		return nil
	case outcome == post.Frozen:
		w.leave(r.Posting, r.Event)
		return nil
	}
	if err := r.Check(); err != nil {
		return err
	}
	r.Revise(ledger.ByRebuild)
	w.batch.Append(r)
	w.sums.move(&was, r)
	w.events++
	w.unpriced += unpricedBy(&was, r)
	if w.batch.Rows() >= shadowRows {
		return w.flush()
	}
	return nil
}

// ask has a unit settled: the rebuild posts something for it though its events stay as they are.
func (s *computation) ask(e *domain.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.Add(e)
}

// unpricedBy is how many more events lack a price where one posts otherwise.
func unpricedBy(was, is *ledger.Row) int {
	return min(len(is.Unpriced), 1) - min(len(was.Unpriced), 1)
}

// refuses notes what today's rules refuse.
func (s *computation) refuses(not *post.NotPostedError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad++; len(s.kept) < maxNamed {
		s.kept = append(s.kept, shadow.NotPosted{Source: not.Source, ID: not.ID, Why: not.Err.Error()})
	}
}

// leave notes what would come out otherwise and stays, for the sake of a closed month.
func (s *computation) leave(period domain.Period, e *domain.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.left[period]
	if l == nil {
		l = &shadow.LeftPeriod{Period: period.String()}
		s.left[period] = l
	}
	if l.Events++; len(l.Named) < maxNamed {
		l.Named = append(l.Named, shadow.NamedEvent{Source: strings.Clone(e.Source), ID: strings.Clone(e.ID)})
	}
}

func (w *shadowWorker) flush() error {
	if w.batch.Rows() == 0 {
		return nil
	}
	err := w.batch.Insert(w.ctx)
	w.batch.Reset()
	return err
}

// feed makes of the shadow's ledger what is kept from a ledger.
func (s *computation) feed(ctx context.Context) error {
	for _, table := range []string{"failures", "unpriced"} {
		query := ledger.Feed(table, "(SELECT * FROM "+s.table("ledger")+" FINAL)") + withAliases
		if err := s.exec(ctx, "feed the shadow of "+table, "INSERT INTO "+s.table(table)+" "+query); err != nil {
			return err
		}
	}
	return nil
}

// mend puts into the shadow what the tables kept from the ledger lack of it or have otherwise: where ClickHouse and the
// projector are killed between an insert and its feeds, nobody else notices.
func (s *computation) mend(ctx context.Context) error {
	const key = `error_id, order_id, source, event_id, content`
	const row = key + `, event_type, store_id, currency, day, posting_period, recorded_at, standing,
    account, element, basis, step, amount`
	// Sorts out most rows before copies are folded; what left the books must not be, lest a copy from before it did stays.
	const first = `refused != '' OR error_id != '' OR settled`
	const bears = `refused = '' AND (error_id != '' OR settled)`
	if err := s.mendFrom(ctx, "failures", `
    SELECT order_id, source, event_id, content FROM (
        SELECT `+row+`, 1 AS in_ledger, 0 AS in_failures FROM ledger FINAL PREWHERE `+first+` WHERE `+bears+`
        UNION ALL
        SELECT `+row+`, 0 AS in_ledger, 1 AS in_failures FROM failures FINAL WHERE refused = '')
    GROUP BY `+row+` HAVING sum(in_ledger) > sum(in_failures)`); err != nil {
		return err
	}
	changeable, err := shadow.ChangeableFirst(ctx, s.db)
	if err != nil {
		return err
	}
	// Nearly always there are as many as there should be. A whole rebuild looks which they are.
	if err := s.db.QueryRow(ctx, `
SELECT (SELECT count() FROM ledger FINAL PREWHERE `+changeable+` WHERE refused = '' AND notEmpty(unpriced)),
    (SELECT count() FROM unpriced FINAL WHERE notEmpty(missing))`).
		Scan(&s.lacking, &s.listed); err != nil {
		return fmt.Errorf("count what has no price: %w", err)
	}
	if s.lacking == s.listed && !s.rebuild.Whole {
		return nil
	}
	return s.mendFrom(ctx, "unpriced", `
    SELECT order_id, source, event_id, content FROM (
        SELECT order_id, source, event_id, content, unpriced AS missing, 1 AS in_ledger, 0 AS in_list FROM ledger FINAL
            PREWHERE `+changeable+` WHERE refused = '' AND notEmpty(unpriced)
        UNION ALL
        SELECT order_id, source, event_id, content, missing, 0 AS in_ledger, 1 AS in_list FROM unpriced FINAL WHERE
            notEmpty(missing))
    GROUP BY order_id, source, event_id, content, missing HAVING sum(in_ledger) != sum(in_list)`)
}

// withAliases: what readers of the ledger see as lists is kept in lists of tuples, and such columns are in no *
// otherwise.
const withAliases = " SETTINGS asterisk_include_alias_columns = 1"

// mendFrom feeds a table of the shadow with rows of the ledger that are not in the shadow anyway.
func (s *computation) mendFrom(ctx context.Context, table, rows string) error {
	// Of two versions alike the later insert stays; a table that has a higher one than the ledger would keep that.
	const key = "order_id, source, event_id, content"
	from := "(SELECT l.* REPLACE (greatest(l.version, t.known) AS version) FROM ledger AS l FINAL LEFT JOIN (SELECT " +
		key + ", max(version) AS known FROM " + table +
		" GROUP BY " + key + ") AS t USING (" + key + ") WHERE (" + key + ") IN (" + rows + ") AND (" + key +
		") NOT IN (SELECT " + key + " FROM " + s.table("ledger") + "))"
	query := ledger.Feed(table, from) + withAliases
	count := func(n *uint64) error {
		if err := s.db.QueryRow(ctx, "SELECT count() FROM "+s.table(table)).Scan(n); err != nil {
			return fmt.Errorf("count what is mended of %s: %w", table, err)
		}
		return nil
	}
	var before, after uint64
	if err := count(&before); err != nil {
		return err
	}
	if err := s.exec(ctx, "mend "+table, "INSERT INTO "+s.table(table)+" "+query); err != nil {
		return err
	}
	if err := count(&after); err != nil {
		return err
	}
	s.mended += after - before
	return nil
}

// rollUp recomputes the roll-up of all cases as it will be, part by part, and keeps the buckets that differ from those
// that are.
func (s *computation) rollUp(ctx context.Context) error {
	var n uint64
	if err := s.db.QueryRow(ctx, "SELECT count() FROM failures").Scan(&n); err != nil {
		return fmt.Errorf("count what bears on a fix: %w", err)
	}
	const most = 1_000_000
	parts := n/most + 1
	const key = "(unit, source, event_id, content)"
	for part := range parts {
		mine := fmt.Sprintf("cityHash64(unit) %% %d = %d", parts, part)
		failures := fmt.Sprintf(`(SELECT * FROM failures FINAL WHERE %[1]s AND %[2]s NOT IN (SELECT %[2]s FROM %[3]s)
        UNION ALL SELECT * FROM %[3]s FINAL WHERE %[1]s)`, "("+mine+" OR unit IN ("+ledger.SharedUnits+"))", key,
			s.table("failures"))
		known, err := ledger.RollUpVersion(ctx, s.db)
		if err != nil {
			return err
		}
		if err := s.exec(ctx, "recompute the roll-up", statements.Text("roll_up", struct {
			Into, Key, Facts, Fresh, Where string
			Known                          uint64
		}{s.table("leakage_daily"), ledger.LeakageKey, ledger.LeakageFacts, ledger.FailureLinesOf(failures, "true"), mine,
			known})); err != nil {
			return err
		}
	}
	return nil
}

// compact merges a month of the shadow that is in many parts: they become parts of the ledger, which bounds how many
// there may be.
func (s *computation) compact(ctx context.Context) error {
	const many = 30
	for _, table := range shadow.Tables {
		parts, err := shadow.Partitions(ctx, s.db, s.table(table), many)
		if err != nil {
			return err
		}
		for _, id := range parts {
			if err := s.exec(ctx, "merge the shadow", fmt.Sprintf("OPTIMIZE TABLE %s PARTITION ID '%s' FINAL", s.table(table),
				id)); err != nil {
				return err
			}
		}
	}
	return nil
}
