package ledger

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

//go:embed sql/*.sql
var files embed.FS

// statements are the .sql files of this room.
var statements = sql.Parse(files, "sql")

// FailureLines is the one place where a line meets the case that it belongs to: journal lines that are leakage, and
// those by which customers changed their orders, summed by unit, day and case, each with what is known of the case.
// known names the rows of failures to look at: those of some units for the roll-up, those recorded by a moment for an
// as_of report.
func FailureLines(known string) string { return FailureLinesOf("failures FINAL", known) }

// FailureLinesOf is the same of other rows than those of failures.
func FailureLinesOf(failures, known string) string {
	return statements.Text("failure_lines", struct {
		Failures, Known, PostsAlone, Gone string
		Part                              part
	}{failures, known, PostsAlone, goneCase, part{"element", "kind", "any(c.was_founded)"}})
}

// part are the columns that say to which figure an amount belongs.
type part struct{ Element, Kind, Founded string }

// CaseFacts are what is known of the cases of events, as a common table expression, cases.
var CaseFacts = statements.Text("case_facts", goneCase)

// SharedUnits selects the orders that are settled together with others. What is known of a case of one of them, and
// the lines of it, may stand with an event of another: who asks for some units asks for these rows as well.
var SharedUnits = strings.TrimSpace(statements.Text("shared_units", nil))

// The columns of leakage_daily: by which its rows are told apart, and what else is known of each.
const (
	LeakageKey   = "unit, error_id, day, posting_day, currency, store_id, account, element, basis"
	LeakageFacts = "order_id, selling_store, part, vendor_id, kind, root_cause, party_at_fault, employee_id, " +
		"avoidable, category, founded"
)

// viewStatements are the views by name.
func viewStatements() map[string]string {
	return map[string]string{
		"journal": statements.Text("view_journal", struct{ Chart any }{domain.Chart()}),
		"cases":   statements.Text("view_cases", struct{ Gone string }{goneCase}),
		"orders": statements.Text("view_orders", struct {
			Gone string
			Part part
		}{goneCase, part{"l.e", "c.kind", "c.was_founded"}}),
	}
}

// RollUpVersion is the version of a recount of leakage_daily that begins now. It counts the blocks that were inserted
// into the tables that are read, in ClickHouse's own numbers. Whoever inserts rows recounts afterwards: with a higher
// count than all who began before and don't know the rows. So, on one server, of two recounts of a unit that overlap
// the one that has seen more has the higher version.
//
// A block counts 2^16: a recount writes at least one above the version that it finds, and there may be many recounts
// between two blocks. 2^62 is added, which is more than any clock gave as a version.
func RollUpVersion(ctx context.Context, db driver.Conn) (uint64, error) {
	var version uint64
	if err := db.QueryRow(ctx, `
SELECT bitShiftLeft(toUInt64(1), 62) + bitShiftLeft(toUInt64(sum(last)), 16) FROM (
    SELECT max(max_block_number) AS last FROM system.parts
    WHERE database = currentDatabase() AND table IN ('failures', 'case_units') AND active
    GROUP BY table, partition_id)`).
		Scan(&version); err != nil {
		return 0, fmt.Errorf("count what was inserted: %w", err)
	}
	return version, nil
}
