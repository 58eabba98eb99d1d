package main

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/report"
)

// TestReportRowsForPeople: the most expensive row comes first, and days stay in order. Sums may be larger than any
// single amount, and below zero.
func TestReportRowsForPeople(t *testing.T) {
	t.Parallel()
	row := func(day, cause, net string) report.LeakageRow {
		return report.LeakageRow{Key: map[string]string{"day": day, "root_cause": cause},
			LeakageFigures: report.LeakageFigures{Net: net}}
	}
	rows := func() []report.LeakageRow {
		return []report.LeakageRow{row("2026-01-02", "a", "9.0000"), row("2026-01-02", "b", "10.0000"),
			row("2026-01-01", "c", "-3.5000"), row("2026-01-01", "d", "-3.4999"),
			row("2026-01-03", "e", "10.0000"), row("2026-01-03", "f", "123456789012345678901.0001"),
			row("2026-01-03", "g", "123456789012345678901.0002")}
	}
	for by, want := range map[string]string{"root_cause": "g f b e a d c", "root_cause,day": "d c b a g f e"} {
		sorted := rows()
		if err := mostExpensiveFirst(sorted, strings.Split(by, ",")); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range sorted {
			got = append(got, r.Key["root_cause"])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s the rows are %v, not %s", by, got, want)
		}
	}
	if err := mostExpensiveFirst([]report.LeakageRow{row("", "a", "?")}, nil); err == nil {
		t.Error("a cost that is no number was sorted")
	}
}
