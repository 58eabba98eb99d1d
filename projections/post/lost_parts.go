package post

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// A part of a table may go by itself: ClickHouse detaches one that it can't read when it starts, a person detaches one
// that can't be read any more, or drops a partition. What is lost of the ledger, of the places and of the dead letters
// is found by the log (lost.go). The other tables are kept from the ledger, and the ledger of an event that was written
// again may have lost the newer row and kept the older one. So parts are watched as such: where one is gone, what the
// ledger's tables lack is fed to them again, and all units are settled, which makes the rest of it.

// part is a part of a table, as the blocks that were inserted and are in it: merges make one of several.
type part struct {
	Table     string `ch:"table"`
	Partition string `ch:"partition_id"`
	First     int64  `ch:"first"`
	Last      int64  `ch:"last"`
}

// partsWatch are the parts that were there at the last look. Another server of a cluster has merged others, and a
// rebuild puts parts in the place of others: parts are compared while neither has come, which during says.
type partsWatch struct {
	parts  []part
	during uint64
}

// keptTables are those that are kept from the ledger, and the ledger itself.
var keptTables = []string{"ledger", "failures", "identities", "voids", "unpriced", "case_units", "unplaced_orders",
	"leakage_daily"}

// mendParts finds parts that are gone, and makes again what they held of the tables that are kept from the ledger, and
// of the ledger's newer rows.
func (p *Projector) mendParts(ctx context.Context) error {
	seen, err := p.seeParts(ctx)
	if err != nil {
		return err
	}
	lost := gone(&p.store.parts, seen)
	detached, err := p.detachedParts(ctx)
	if err != nil {
		return err
	}
	for _, of := range detached {
		lost[of.Table] = true
	}
	tables := slices.Sorted(maps.Keys(lost))
	if len(tables) == 0 {
		p.store.parts = *seen
		return nil
	}
	p.config.Logger.Error("parts of tables are gone: what they held is made again", "tables",
		strings.Join(tables, ", "))
	if err := p.feedAgain(ctx); err != nil {
		return err
	}
	if _, err := p.settleWhere(ctx, "true"); err != nil {
		return err
	}
	if err := p.settleAll(ctx); err != nil {
		return err
	}
	if err := p.recountAll(ctx); err != nil {
		return err
	}
	for _, of := range detached {
		if err := p.db.Exec(ctx, "INSERT INTO checkpoints (name, stream, partition, upto) VALUES (?, 'books', 0, 0)",
			of.checkpoint()); err != nil {
			return fmt.Errorf("note what was made again: %w", err)
		}
	}
	p.config.Logger.Error("what those parts held is there again", "tables", strings.Join(tables, ", "))
	p.store.parts = partsWatch{} // the next look compares with nothing
	return nil
}

// mendLacking feeds failures and unpriced what they lack of the ledger, and settles its units. An insert feeds them
// after the ledger, and whoever inserts does it again until all have it. Where ClickHouse and that process end in the
// same moment, nobody else would: so every process looks once when it starts. An insert that is under way lacks the
// same for a moment: so what is found is looked for twice.
func (p *Projector) mendLacking(ctx context.Context, months map[string]uint64) error {
	if p.store.looked {
		return nil
	}
	units, err := p.lackingUnits(ctx, slices.Sorted(maps.Keys(months)))
	if err == nil && units.Len() > 0 {
		var still ledger.Units
		still, err = p.lackingUnits(ctx, slices.Sorted(maps.Keys(months)))
		units.Keep(&still)
	}
	if err != nil {
		return fmt.Errorf("look for rows that are in the ledger alone: %w", err)
	}
	if units.Len() > 0 {
		after := newFollowUp()
		p.config.Logger.Warn("rows are in the ledger and not in what is kept from it: they are fed again", "units",
			units.Len())
		if err := p.feedAgain(ctx); err != nil {
			return err
		}
		if _, err := p.settleUnits(ctx, &units, after); err != nil {
			return err
		}
		if err := p.finish(ctx, after); err != nil {
			return err
		}
	}
	p.store.looked = true
	return nil
}

// lackingUnits are the units of rows of some months that are in the ledger alone.
func (p *Projector) lackingUnits(ctx context.Context, months []string) (ledger.Units, error) {
	units := ledger.NewUnits()
	for _, month := range months {
		rows, err := p.db.Query(ctx, statements.Text("lacking_units", struct{ Month string }{month}))
		if err == nil {
			err = addUnits(rows, &units)
		}
		if err != nil {
			return units, err
		}
	}
	return units, nil
}

// seeParts are the parts that are there.
func (p *Projector) seeParts(ctx context.Context) (*partsWatch, error) {
	seen := &partsWatch{}
	if err := p.db.QueryRow(ctx, `SELECT sipHash64(`+sql.ThisServer+`,
    (SELECT arraySort(groupArray((id, state))) FROM rebuilds FINAL))`).Scan(&seen.during); err != nil {
		return nil, fmt.Errorf("look for rebuilds: %w", err)
	}
	if err := p.db.Select(ctx, &seen.parts, `
SELECT table, partition_id, min_block_number AS first, max_block_number AS last FROM system.parts
WHERE database = currentDatabase() AND active AND rows > 0 AND table IN (?)`, keptTables); err != nil {
		return nil, fmt.Errorf("list the parts: %w", err)
	}
	return seen, nil
}

// gone are the tables of which a part was there and is in no other one now.
func gone(before, now *partsWatch) map[string]bool {
	lost := map[string]bool{}
	if before.during != now.during {
		return lost
	}
	type of struct{ table, partition string }
	there := map[of][]part{}
	for _, one := range now.parts {
		key := of{one.Table, one.Partition}
		there[key] = append(there[key], one)
	}
	for _, one := range before.parts {
		if !slices.ContainsFunc(there[of{one.Table, one.Partition}], func(in part) bool {
			return in.First <= one.First && in.Last >= one.Last
		}) {
			lost[one.Table] = true
		}
	}
	return lost
}

// detachedPart is a part that ClickHouse or a person has detached.
type detachedPart struct {
	Table string `ch:"table"`
	Name  string `ch:"name"`
}

// checkpoint is the name under which it is noted that what the part held was made again.
func (d detachedPart) checkpoint() string { return "detached " + d.Table + " " + d.Name }

// detachedParts are those that were detached, and of which it is not noted that what they held was made again.
func (p *Projector) detachedParts(ctx context.Context) (all []detachedPart, err error) {
	if err := p.db.Select(ctx, &all, statements.Text("detached_parts", nil), keptTables); err != nil {
		return nil, fmt.Errorf("list the detached parts: %w", err)
	}
	return all, nil
}

// mostAtOnce is how many rows of the ledger one statement looks at: bounds its memory.
const mostAtOnce = 1_000_000

// eachShare does something with one share of the ledger's rows after the other. A share is a condition: it picks rows
// by a hash of some columns.
func (p *Projector) eachShare(ctx context.Context, columns string, do func(share string) error) error {
	var rows uint64
	if err := p.db.QueryRow(ctx, "SELECT count() FROM ledger").Scan(&rows); err != nil {
		return fmt.Errorf("count the ledger: %w", err)
	}
	shares := rows/mostAtOnce + 1
	for n := range shares {
		if err := do(fmt.Sprintf("cityHash64(%s) %% %d = %d", columns, shares, n)); err != nil {
			return err
		}
	}
	return nil
}

// feedAgain feeds the tables that views fill from the ledger with what they lack of it.
func (p *Projector) feedAgain(ctx context.Context) error {
	const withAliases = " SETTINGS asterisk_include_alias_columns = 1"
	feed := func(table, query string) error {
		if err := p.db.Exec(ctx, "INSERT INTO "+table+" "+query+withAliases); err != nil {
			return fmt.Errorf("feed %s again: %w", table, err)
		}
		return nil
	}
	return p.eachShare(ctx, "source, event_id", func(share string) error {
		const key = "order_id, source, event_id, content, version"
		for _, table := range []string{"failures", "voids", "unpriced"} {
			lacking := fmt.Sprintf("(SELECT * FROM ledger FINAL WHERE %[1]s AND (%[2]s) NOT IN (SELECT %[2]s FROM %[3]s "+
				"WHERE %[1]s))", share, key, table)
			if err := feed(table, ledger.Feed(table, lacking)); err != nil {
				return err
			}
		}
		left := statements.Text("left_units", struct{ Where string }{share})
		if err := p.db.Exec(ctx, "INSERT INTO failures "+left); err != nil {
			return fmt.Errorf("take rows from the units that they left: %w", err)
		}
		for table, key := range map[string]string{"case_units": "error_id, order_id",
			"identities": "identity, content, month"} {
			query := ledger.Feed(table, "(SELECT * FROM ledger WHERE "+share+")")
			if err := feed(table, fmt.Sprintf("SELECT * FROM (%[1]s) WHERE (%[2]s) NOT IN (SELECT %[2]s FROM %[3]s) "+
				"LIMIT 1 BY %[2]s", query, key, table)); err != nil {
				return err
			}
		}
		return nil
	})
}

// settleAll settles all that doesn't post alone.
func (p *Projector) settleAll(ctx context.Context) error {
	return p.eachShare(ctx, "order_id, error_id", func(share string) error {
		units, after := ledger.NewUnits(), newFollowUp()
		if err := p.markWhere(ctx, &units, "NOT "+ledger.PostsAlone+" AND "+share); err != nil {
			return fmt.Errorf("find what is settled: %w", err)
		}
		if err := p.markSpends(ctx, &units, share); err != nil {
			return fmt.Errorf("find what was spent: %w", err)
		}
		if _, err := p.settleUnits(ctx, &units, after); err != nil {
			return err
		}
		return p.finish(ctx, after)
	})
}

// recountAll recomputes the leakage of all units.
func (p *Projector) recountAll(ctx context.Context) error {
	return p.eachShare(ctx, "unit", func(share string) error {
		from := share + " OR unit IN (" + ledger.SharedUnits + ")"
		if err := p.rollUpWhere(ctx, share, from); err != nil {
			return fmt.Errorf("recompute the leakage: %w", err)
		}
		return nil
	})
}
