package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// series is what failures of one kind cost in one store, week by week.
type series struct {
	store, key       string
	net, cash, hours []float64
}

// weeks reads what failures cost in the whole weeks before the end of the time, or before today. by is the column of
// the roll-up that tells them apart. The first week is the first in which anything cost something.
func (q *Query) weeks(ctx context.Context, db driver.Conn, by string, most int) (all []series, since time.Time,
	n int, err error) {
	end := q.wholeDays()
	since = end.AddDate(0, 0, -7*most)
	var found []struct {
		Store string  `ch:"store"`
		Key   string  `ch:"keyed"`
		Week  uint32  `ch:"week"`
		Net   float64 `ch:"net"`
		Cash  float64 `ch:"cash"`
		Hours float64 `ch:"hours"`
	}
	if err := q.makeWith("weeks_of_failures", by, sql.Named("since", since), sql.Named("end", end)).Select(ctx, db,
		&found); err != nil {
		return nil, since, 0, fmt.Errorf("read the weeks of the failures: %w", err)
	}
	first := most
	for _, f := range found {
		first = min(first, int(f.Week))
	}
	n, since = most-first, since.AddDate(0, 0, 7*first)
	for _, f := range found {
		if last := len(all) - 1; last < 0 || all[last].store != f.Store || all[last].key != f.Key {
			all = append(all, series{f.Store, f.Key, make([]float64, n), make([]float64, n), make([]float64, n)})
		}
		s, week := &all[len(all)-1], int(f.Week)-first
		s.net[week], s.cash[week], s.hours[week] = f.Net, f.Cash, f.Hours
	}
	return all, since, n, nil
}

// wholeDays is the day up to which days are whole, exclusive: the end of the time, or today.
func (q *Query) wholeDays() time.Time {
	end := date(q.Now)
	if to := date(q.To); to.Before(end) {
		end = to
	}
	return end
}

// spend is what was spent on preventing one cause in one store; both may be empty.
type spend struct {
	Store string  `ch:"store"`
	Cause string  `ch:"cause"`
	First string  `ch:"first"` // the day of the first
	Spent string  `ch:"spent"` // in the time
	Since float64 `ch:"since"` // since the first
	Year  float64 `ch:"year"`  // in the last year
}

func (q *Query) spent(ctx context.Context, db driver.Conn) (all []spend, err error) {
	if err := q.make("spent_on_prevention").Select(ctx, db, &all); err != nil {
		return nil, fmt.Errorf("read what was spent on prevention: %w", err)
	}
	return all, nil
}
