package reference

import "time"

// periodMark is one period.closed or period.reopened. From voidedSeq on (0: never) it no longer counts.
type periodMark struct {
	period         string
	closed         bool
	seq, voidedSeq int64
}

// closedAt tells whether a month was closed when seq was recorded: the last mark before it says so. marks are in order of seq.
func closedAt(marks []periodMark, period string, seq int64) bool {
	closed := false
	for _, m := range marks {
		if m.period == period && m.seq < seq && (m.voidedSeq == 0 || m.voidedSeq >= seq) {
			closed = m.closed
		}
	}
	return closed
}

// postingPeriod is the month itself, or, where that was closed when seq was recorded, the first later month that was open.
func postingPeriod(marks []periodMark, origin string, seq int64) string {
	period := origin
	for closedAt(marks, period, seq) {
		period = nextMonth(period)
	}
	return period
}

// closedBetween tells whether the month of the entry's event, or a later one, was closed after it was recorded and before seq was.
func closedBetween(marks []periodMark, entry Entry, seq int64) bool {
	for _, m := range marks {
		if m.closed && m.period >= entry.OriginPeriod && entry.Seq < m.seq && m.seq < seq {
			return true
		}
	}
	return false
}

func nextMonth(period string) string {
	t, err := time.Parse("2006-01", period)
	if err != nil {
		panic(err) // origin periods are formatted by us, and only those and their successors come here
	}
	return t.AddDate(0, 1, 0).Format("2006-01")
}
