package reference

// rebuild is one books.rebuilt.
type rebuild struct {
	seq           int64
	closedPeriods bool
}

func rebuildsOf(events []*event) []rebuild {
	var all []rebuild
	for _, e := range events {
		if e.kind == "books.rebuilt" {
			all = append(all, rebuild{e.seq, e.data.boolText("closed_periods") == "true"})
		}
	}
	return all
}

// pricedAt is the moment whose rates price an event: when it was recorded, or the last rebuild after that which covers it.
// about is the event's entry and, where it was voided, the void's: their lines are one, so a rebuild that has both before
// it covers both or none.
func pricedAt(rebuilds []rebuild, marks []periodMark, about []Entry) int64 {
	seq := about[0].Seq
	for _, r := range rebuilds {
		covers := r.seq > about[0].Seq
		for _, e := range about {
			if e.Seq < r.seq && !r.closedPeriods && frozen(marks, e.OriginPeriod, e.Seq, r.seq) {
				covers = false
			}
		}
		if covers {
			seq = r.seq
		}
	}
	return seq
}

// frozen tells whether the month, or a later one, was closed at the moment at, and seq recorded before that close.
func frozen(marks []periodMark, period string, seq, at int64) bool {
	closed := map[string]int64{}
	for _, m := range marks {
		if m.period >= period && m.closed && m.seq < at && (m.voidedSeq == 0 || m.voidedSeq >= at) {
			closed[m.period] = m.seq
		}
	}
	for period, closedSeq := range closed {
		if closedAt(marks, period, at) && seq < closedSeq {
			return true
		}
	}
	return false
}
