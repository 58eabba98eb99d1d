package insight

import (
	"testing"
	"time"
)

// TestLately: without a time, next speaks of the last 30 days; what was asked for stays.
func TestLately(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	now := day("2026-11-28").Add(17 * time.Hour)
	for _, c := range [][4]string{
		{"1970-01-01", "2149-06-06", "2026-10-30", "2026-11-29"},
		{"2026-02-01", "2149-06-06", "2026-02-01", "2026-11-29"},
		{"2026-11-01", "2026-12-01", "2026-11-01", "2026-12-01"}, // the month isn't over
		{"1970-01-01", "2026-03-01", "2026-01-30", "2026-03-01"},
		{"2031-01-01", "2031-02-01", "2031-01-01", "2031-02-01"}, // nothing is known of it, and that is said
	} {
		q := (&Query{From: day(c[0]), To: day(c[1]), Now: now}).lately()
		if got := [2]string{q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)}; got != [2]string{c[2], c[3]} {
			t.Errorf("%s to %s became %s", c[0], c[1], got)
		}
	}
}
