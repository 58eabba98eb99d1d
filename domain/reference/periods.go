package reference

import "time"

// periodMark is one period.closed or period.reopened that changed something. "Of two closes the first counts, until the
// month is reopened."
type periodMark struct {
	period string
	closed bool
	seq    int64
}

// closedAt tells whether a month was closed when seq was recorded: the last mark before it says so. marks are in order
// of seq.
func closedAt(marks []periodMark, period string, seq int64) bool {
	closed := false
	for _, m := range marks {
		if m.period == period && m.seq < seq {
			closed = m.closed
		}
	}
	return closed
}

// epochOf is "the number of closes that counted and stand in the log before the event was recorded".
func epochOf(marks []periodMark, seq int64) int {
	n := 0
	for _, m := range marks {
		if m.closed && m.seq < seq {
			n++
		}
	}
	return n
}

// postingPeriod is the month itself, or, where that was closed when seq was recorded, the first later month that was
// open.
func postingPeriod(marks []periodMark, origin string, seq int64) string {
	period := origin
	for closedAt(marks, period, seq) {
		period = nextMonth(period)
	}
	return period
}

func nextMonth(period string) string {
	t, err := time.Parse("2006-01", period)
	if err != nil {
		panic(err) // origin periods are formatted by us, and only those and their successors come here
	}
	return t.AddDate(0, 1, 0).Format("2006-01")
}
