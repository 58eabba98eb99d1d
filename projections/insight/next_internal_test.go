package insight

import (
	"testing"
	"time"
)

// TestWholeMonth: this month up to today becomes the whole month; any other time stays.
func TestWholeMonth(t *testing.T) {
	for _, c := range []struct{ now, from, to, want string }{
		{"2026-11-28T19:00:00Z", "2026-11-01", "2026-11-29", "2026-12-01"},
		{"2027-01-31T08:00:00Z", "2027-01-01", "2027-02-01", "2027-02-01"},
		{"2026-12-05T08:00:00Z", "2026-12-01", "2026-12-06", "2027-01-01"},
		{"2026-11-28T19:00:00Z", "2026-11-22", "2026-11-29", "2026-11-29"},
		{"2026-11-28T19:00:00Z", "2026-10-01", "2026-11-01", "2026-11-01"},
		{"2026-11-28T19:00:00Z", "2026-11-01", "2026-12-15", "2026-12-15"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		q := &Query{Now: now}
		for text, at := range map[string]*time.Time{c.from: &q.From, c.to: &q.To} {
			if *at, err = time.Parse(time.DateOnly, text); err != nil {
				t.Fatal(err)
			}
		}
		if is := q.wholeMonth().To.Format(time.DateOnly); is != c.want {
			t.Errorf("asked at %s until %s, it is looked at until %s and not %s", c.now, c.to, is, c.want)
		}
	}
}
