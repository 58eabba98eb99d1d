package shadow

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// Keep notes how far a rebuild is, in the table that all processes read.
func Keep(ctx context.Context, db driver.Conn, r *Rebuild) error {
	report := ""
	if r.Report != nil {
		text, err := json.Marshal(r.Report)
		if err != nil {
			return fmt.Errorf("write the report of rebuild %s: %w", r.ID, err)
		}
		report = string(text)
	}
	seen, err := r.Seen.text()
	if err != nil {
		return err
	}
	// It stands above what was noted before, whatever ClickHouse's clock says; a new state also above notes of how far it
	// is that are still on their way: ClickHouse may take one in after who sent it was told to stop.
	step := uint64(1)
	if r.State != Computing {
		step = 1 << 20
	}
	var version uint64
	if err := db.QueryRow(ctx, "SELECT greatest(bitShiftLeft(toUInt64(1), 62), max(version) + ?) "+
		"FROM rebuilds WHERE id = ?", step, r.ID).Scan(&version); err != nil {
		return fmt.Errorf("read what is noted of rebuild %s: %w", r.ID, err)
	}
	batch, err := db.PrepareBatch(ctx, `INSERT INTO rebuilds (id, state, actor, reason, closed_periods, whole, started,`+
		` seen, terms, rules, ends, done, total, passed_over, report, error, version)`)
	if err != nil {
		return fmt.Errorf("note that rebuild %s is %s: %w", r.ID, r.State, err)
	}
	defer batch.Close()
	if err := batch.Append(r.ID, r.State, r.Actor, r.Reason, r.ClosedPeriods, r.Whole, r.Started, seen, r.Terms,
		r.Rules, ledger.FormatEnds(r.Ends), r.Done, r.Total, r.PassedOver, report, r.Error, version); err != nil {
		return fmt.Errorf("note that rebuild %s is %s: %w", r.ID, r.State, err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("note that rebuild %s is %s: %w", r.ID, r.State, err)
	}
	return nil
}

// ID is what we name rebuilds, and tables for them. A foreign books.rebuilt may say anything.
var ID = regexp.MustCompile(`^[a-z0-9]{1,32}$`)

// Read reads one rebuild; where no id is given, the one that is under way, or else the last begun. Its error may be
// ErrNotFound.
func Read(ctx context.Context, db driver.Conn, id string) (*Rebuild, error) {
	condition, args := "1", []any{}
	if id != "" {
		condition, args = "id = ?", []any{id}
	}
	all, err := List(ctx, db, condition, args...)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ledger.ErrNotFound
	}
	for i := range all {
		if s := all[i].State; s == Computing || s == Ready || s == Swapping {
			return &all[i], nil
		}
	}
	return &all[len(all)-1], nil
}

// List reads them in the order in which they began.
func List(ctx context.Context, db driver.Conn, condition string, args ...any) ([]Rebuild, error) {
	rows, err := db.Query(ctx, `
SELECT id, state, actor, reason, closed_periods, whole, started, seen, terms, rules, ends, done, total,
    passed_over, report, error, toInt64(dateDiff('millisecond', updated, now64(3)))
FROM rebuilds FINAL WHERE `+condition+` ORDER BY started, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the rebuilds: %w", err)
	}
	defer rows.Close()
	var all []Rebuild
	for rows.Next() {
		var r Rebuild
		var report, ends, seen string
		var idle int64
		if err := rows.Scan(&r.ID, &r.State, &r.Actor, &r.Reason, &r.ClosedPeriods, &r.Whole, &r.Started, &seen,
			&r.Terms, &r.Rules, &ends, &r.Done, &r.Total, &r.PassedOver, &report, &r.Error, &idle); err != nil {
			return nil, fmt.Errorf("read the rebuilds: %w", err)
		}
		r.Idle = time.Duration(idle) * time.Millisecond
		if ends != "" {
			if r.Ends, err = ledger.ParseEnds(ends); err != nil {
				return nil, fmt.Errorf("read where rebuild %s began: %w", r.ID, err)
			}
		}
		if r.Seen, err = parseSeen(seen); err != nil {
			return nil, err
		}
		if report != "" {
			if err := json.Unmarshal([]byte(report), &r.Report); err != nil {
				return nil, fmt.Errorf("read the report of rebuild %s: %w", r.ID, err)
			}
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the rebuilds: %w", err)
	}
	return all, nil
}
