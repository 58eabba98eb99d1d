package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

// signals asks where failures have become more than chance explains. It reads the cases and the orders of the time and
// of the year before, and makes a chart of every series: some hundredths of a second each, the first time that its
// baseline is asked for.
var signals = Question{
	Name: "signals",
	About: "Where failures have become more than chance explains: by company, store, cause and vendor, and weekly money " +
		"by store, and what was right first time by week.",
	Params: []Param{{Name: "alarms", About: "False alarms a year that the company accepts, of all charts together; 1 " +
		"where nothing is said."}},
	Method: "Each series has a CUSUM of its cases that looks for a doubling of the year before the time; its threshold " +
		"is computed so that all charts together call falsely no more than the alarms a year that are accepted. Weekly " +
		"money (XmR) and the weekly share right first time (Laney p′) have limits of the same budget.",
	Heading: "Signals instead of thresholds",
	Columns: []Column{
		{Name: "series", Unit: Text, About: "company, store, cause or vendor."},
		{Name: "of", Unit: Text, About: "Which one.", Of: func(r Row) string {
			series, _ := r["series"].(string)
			return series
		}},
		{Name: "signal", Unit: YesNo, About: "More than chance explains; null where the baseline doesn't let tell."},
		{Name: "since", Unit: Day, About: "Day on which the run of more cases that the chart called began."},
		{Name: "called", Unit: Day, About: "Day on which the chart called, or the last of that week."},
		{Name: "watch", Unit: YesNo, About: "More than chance explains of one chart by itself: of many charts some are " +
			"always so."},
		{Name: "found_in", Unit: Days, About: "Days that the chart takes, in half of all cases, till it finds a doubling."},
		{Name: "fastest", Unit: Days, About: "Days below which no method finds one in half of all cases, at that rate of " +
			"false alarms."},
		{Name: "cases", Unit: Count, About: "Cases of the time."},
		{Name: "expected", Unit: Price, About: "Cases that the orders of the time let expect, at the baseline."},
		{Name: "baseline", Unit: Price, About: "Cases a day of usual trade, in the year before the time."},
		{Name: "baseline_days", Unit: Count, About: "Days that the baseline rests on."},
		{Name: "periods", Unit: Text, About: "day, or week where cases are rare."},
		{Name: "why_not", Unit: Text, About: "What would be needed."},
		link("The cases of the time."),
	},
	Parts: []Part{{"money", "Weeks of the time whose net leakage is outside the limits of the year before.", []Column{
		{Name: "store", Unit: Text, About: "The store that sold."},
		{Name: "week", Unit: Day, About: "Its first day."},
		{Name: "leakage", Unit: Money, About: "Net leakage of the week."},
		{Name: "usual", Unit: Money, About: "Mean of the baseline's weeks."},
		{Name: "low", Unit: Money, About: "Lower limit."},
		{Name: "high", Unit: Money, About: "Upper limit."},
		{Name: "signal", Unit: YesNo, About: "Outside of them."},
		link("The cases, with what each cost in the week."),
	}}, rightFirstTime},
	Read: readSignals,
}

const (
	baselineDays  = 364     // whole weeks
	doubling      = 2       // what a chart looks for
	rare          = 0.25    // cases a day below which a chart counts weeks: else most days say nothing
	mostAlarms    = 365_000 // a thousand a day
	alarmDecimals = 4
)

// counted is a series of cases by day, from the first of the baseline on.
type counted struct {
	series, of string
	cases      []int
}

func readSignals(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	accepted := 1.0
	if text := q.Of["alarms"]; text != "" {
		a, err := domain.ParseDecimal([]byte(text), alarmDecimals)
		if err != nil || a <= 0 || a > mostAlarms*priceUnits {
			return nil, nil, &report.Invalid{Code: report.NotAPrice, Parameter: "alarms", Value: text}
		}
		accepted = float64(a) / priceUnits
	}
	c, err := q.charts(ctx, db, accepted, q)
	if err != nil {
		return nil, nil, err
	}
	return c.cases, map[string][]Row{"money": c.money, "right_first_time": slices.Concat(c.rights...)}, nil
}

// charted are the charts of a time: the rows of cases, of money by store and week, and of each of right by week.
type charted struct {
	cases, money []Row
	right        []rightWeeks
	rights       [][]Row
}

// charts makes every chart, with one budget of so many false alarms a year for all of them. weekly is the same question
// with the end that weeks of money end at.
func (q *Query) charts(ctx context.Context, db driver.Conn, accepted float64, weekly *Query) (c charted, err error) {
	since, end := date(q.From).AddDate(0, 0, -baselineDays), q.wholeDays()
	all, err := q.countCases(ctx, db, since, end)
	if err != nil {
		return c, err
	}
	stores, names, err := q.daysOfStores(ctx, db, since, end)
	if err != nil {
		return c, err
	}
	money, first, weeks, err := weekly.weeks(ctx, db, "''", 104)
	if err != nil {
		return c, err
	}
	if c.right, err = q.readRightWeeks(ctx, db, since, end); err != nil {
		return c, err
	}
	budget := estimate.Budget{PerYear: accepted, Charts: len(all) + len(money) + len(c.right)}
	c.cases = make([]Row, 0, len(all))
	for i := range all {
		if err := ctx.Err(); err != nil { // a chart takes a while, and there may be hundreds
			return c, err
		}
		days := stores[allStores]
		if all[i].series == "store" && slices.Contains(names, all[i].of) {
			days = stores[all[i].of]
		}
		row := all[i].chart(days, since, budget)
		row["link"] = q.listLink("signals/cases", all[i].keys()...)
		c.cases = append(c.cases, row)
	}
	for i := range c.right {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		rows := c.right[i].rows(since, budget)
		for _, row := range rows {
			row["link"] = q.week(row).listLink("signals/deliveries", ofOneStore(c.right[i].store)...)
		}
		c.rights = append(c.rights, rows)
	}
	c.money = moneyRows(money, first, weeks, date(q.From), budget)
	for _, row := range c.money {
		store, _ := row["store"].(string)
		row["link"] = q.week(row).listLink("what-if/cases", "store", store)
	}
	return c, nil
}

// keys are those of the list of the series' cases.
func (c *counted) keys() []string {
	if c.of == "" {
		return nil
	}
	return []string{c.series, c.of}
}

// week is the question for the week of a row.
func (q *Query) week(row Row) *Query {
	text, _ := row["week"].(string)
	first, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return q
	}
	return q.within(first, first.AddDate(0, 0, 7))
}

// countCases reads the cases of each series by day.
func (q *Query) countCases(ctx context.Context, db driver.Conn, since, end time.Time) ([]counted, error) {
	var found []struct {
		Store  string `ch:"store"`
		Cause  string `ch:"cause"`
		Vendor string `ch:"vendor"`
		Day    string `ch:"day"`
		Cases  uint64 `ch:"cases"`
	}
	asked := q.make("signals_cases", sql.Named("since", since), sql.Named("end", end))
	if err := asked.Select(ctx, db, &found); err != nil {
		return nil, fmt.Errorf("count the cases: %w", err)
	}
	n := max(0, int(end.Sub(since).Hours()/24))
	byName := map[[2]string]*counted{}
	for _, f := range found {
		day, err := time.Parse(time.DateOnly, f.Day)
		if err != nil {
			return nil, fmt.Errorf("count the cases: %w", err)
		}
		for _, key := range [][2]string{{"company", ""}, {"store", f.Store}, {"cause", f.Cause}, {"vendor", f.Vendor}} {
			if key[1] == "" && key[0] != "company" {
				continue // nobody said which
			}
			if byName[key] == nil {
				byName[key] = &counted{key[0], key[1], make([]int, n)}
			}
			byName[key].cases[int(day.Sub(since).Hours()/24)] += int(f.Cases)
		}
	}
	all := make([]counted, 0, len(byName))
	for _, c := range byName {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.series, b.series), cmp.Compare(a.of, b.of))
	})
	return all, nil
}

// chart runs a CUSUM over the time, with the days before it as its baseline.
func (c *counted) chart(days *daysOfStore, since time.Time, budget estimate.Budget) Row {
	row := Row{"series": c.series, "of": c.of, "signal": nil, "since": nil, "called": nil, "expected": nil, "watch": nil,
		"found_in": nil, "fastest": nil,
		"baseline": nil, "periods": "day", "why_not": nil}
	open := exposure(days, len(c.cases))
	start := min(baselineDays, len(c.cases))
	first := 0
	for first < start && open[first] == 0 && c.cases[first] == 0 {
		first++ // nothing was sold yet
	}
	before, usual, later := 0, 0.0, 0
	for d := first; d < start; d++ {
		before, usual = before+c.cases[d], usual+open[d]
	}
	for d := start; d < len(c.cases); d++ {
		later += c.cases[d]
	}
	row["cases"], row["baseline_days"] = uint64(later), uint64(start-first)
	if usual == 0 || before == 0 {
		row["why_not"] = "no case and order is known of the year before the time"
		return row
	}
	length, mean := 1, float64(before)/float64(start-first)
	if mean < rare {
		length = 7
		row["periods"] = "week"
	}
	baseCases, baseOpen := periods(c.cases[first:start], open[first:start], length)
	scale := float64(len(baseOpen)) / total(baseOpen) // orders to usual periods
	for i := range baseOpen {
		baseOpen[i] *= scale
	}
	base := estimate.Counts{Cases: sum(baseCases), Periods: len(baseCases),
		Dispersion: estimate.Dispersion(baseCases, baseOpen)}
	alone := estimate.Budget{PerYear: budget.PerYear, Charts: 1}
	made := thresholds.of(chartKey{base, budget.PerPeriod(float64(length)), alone.PerPeriod(float64(length))})
	if made.err != nil {
		row["why_not"] = made.err.Error()
		return row
	}
	chart, watch := made.chart, made.watch
	row["found_in"] = strconv.Itoa(length * made.foundIn)
	row["fastest"] = strconv.Itoa(length * made.fastest)
	row["watch"] = false
	row["signal"], row["baseline"] = false, *estimate.Text(chart.Mean/float64(length), 8)
	cases, exposed := periods(c.cases[start:], open[start:], length)
	at, began, expected := 0.0, 0, 0.0
	for i := range cases {
		expected += chart.Mean * exposed[i] * scale
		if at == 0 {
			began = i
		}
		at = chart.Next(at, cases[i], exposed[i]*scale)
		if at >= watch.Threshold {
			row["watch"] = true
		}
		if at >= chart.Threshold && row["called"] == nil {
			row["signal"] = true
			row["since"] = since.AddDate(0, 0, start+began*length).Format(time.DateOnly)
			row["called"] = since.AddDate(0, 0, start+(i+1)*length-1).Format(time.DateOnly)
		}
	}
	row["expected"] = *estimate.Text(expected, 8)
	return row
}

// exposure is how many orders the cases of a day can come from: the mean of the week up to it, since cases are heard of
// some days after the order, and on Sundays too.
func exposure(days *daysOfStore, n int) []float64 {
	open := make([]float64, n)
	for d := range open {
		for back := d; days != nil && back > d-7 && back >= 0; back-- {
			if back < len(days.orders) {
				open[d] += float64(days.orders[back]) / 7
			}
		}
	}
	return open
}

// periods sums days up to whole periods of so many; what is left over isn't counted yet.
func periods(cases []int, open []float64, length int) ([]int, []float64) {
	n := len(cases) / length
	counts, exposed := make([]int, n), make([]float64, n)
	for i := range n * length {
		counts[i/length] += cases[i]
		exposed[i/length] += open[i]
	}
	return counts, exposed
}

func sum(x []int) (n int) {
	for _, v := range x {
		n += v
	}
	return n
}

// moneyRows are the weeks of the time on an individuals chart of the weeks before it.
func moneyRows(weekly []series, first time.Time, weeks int, from time.Time, budget estimate.Budget) []Row {
	rows := []Row{}
	for _, s := range weekly {
		start := min(max(0, int(from.Sub(first).Hours()/24+6)/7), weeks)
		limits, err := estimate.XmR(s.net[max(0, start-baselineDays/7):start], budget.PerPeriod(7))
		for w := start; w < weeks; w++ {
			row := Row{"store": s.store, "week": first.AddDate(0, 0, 7*w).Format(time.DateOnly),
				"leakage": *estimate.Text(s.net[w], 4), "usual": nil, "low": nil, "high": nil, "signal": nil}
			if err == nil {
				row["usual"], row["signal"] = *estimate.Text(limits.Centre, 4), limits.Outside(s.net[w]) != 0
				row["low"], row["high"] = *estimate.Text(limits.Low, 4), *estimate.Text(limits.High, 4)
			}
			rows = append(rows, row)
		}
	}
	return rows
}
