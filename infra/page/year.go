package page

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/makegood/makegood/projections/report"
)

// year is what a month alone can't tell: whether more prevention means fewer failures, and whether customers whom
// something went wrong for come back. Each is empty where it took too long to ask.
type year struct {
	Span           string // in words
	Months         []pafMonth
	Total          *pafMonth
	Again          []again
	PAFAt, AgainAt string // when they were known, where a newer answer took too long
}

// pafMonth is a month of the cost of quality: prevention, appraisal, failures before and after delivery.
type pafMonth struct {
	Text, URL                                        string
	Prevention, Appraisal, Internal, External, Total *money
}

// again is how many of a group of customers bought again, with the 95 % interval.
type again struct {
	Text        string
	N, Returned string
	percents    // empty where N is 0
}

// year is the question about the twelve months up to the last day that is shown, or about all that is shown where that
// is more.
func (a *ask) year(q report.SummaryQuery) report.SummaryQuery {
	last := a.query.To.AddDate(0, 0, -1)
	q.From, q.To = day(last.Year(), last.Month(), 1).AddDate(0, -11, 0), a.query.To
	if a.query.From.Before(q.From) {
		q.From = a.query.From
	}
	return q
}

func (a *ask) yearOf(got *answers) (*year, error) {
	y := &year{Span: span(got.year.From, got.year.To), PAFAt: at(got.paf), AgainAt: at(got.returning)}
	if got.paf.Known {
		if err := y.months(a, got.paf.Value, got.year.From, got.year.To); err != nil {
			return nil, err
		}
	}
	return y, y.again(got.returning.Value)
}

func (y *year) months(a *ask, paf *report.PAF, from, to time.Time) error {
	zero := &money{currency: a.query.Currency}
	y.Total = &pafMonth{Text: "Total", Prevention: zero, Appraisal: zero, Internal: zero, External: zero, Total: zero}
	found := map[string]report.PAFPeriod{}
	for _, period := range paf.Periods {
		found[period.Period] = period
	}
	last := to.AddDate(0, 0, -1)
	for month := day(from.Year(), from.Month(), 1); !month.After(last); month = month.AddDate(0, 1, 0) {
		period, ok := found[month.Format("2006-01")]
		if !ok {
			if len(y.Months) == 0 {
				continue // a row for each month from the first on that has anything
			}
			const none = "0.0000"
			period = report.PAFPeriod{Prevention: none, Appraisal: none, Internal: none, External: none, Total: none}
		}
		first, through := month, month.AddDate(0, 1, -1)
		if first.Before(from) {
			first = from
		}
		if through.After(last) {
			through = last
		}
		m := pafMonth{Text: month.Format("Jan 2006"), URL: a.Link("/", "from", first.Format(time.DateOnly), "through",
			through.Format(time.DateOnly))}
		for _, n := range []struct {
			into, total **money
			text        string
		}{
			{&m.Prevention, &y.Total.Prevention, period.Prevention}, {&m.Appraisal, &y.Total.Appraisal, period.Appraisal},
			{&m.Internal, &y.Total.Internal, period.Internal}, {&m.External, &y.Total.External, period.External}, {&m.Total,
				&y.Total.Total, period.Total},
		} {
			var err error
			if *n.into, err = read(n.text, a.query.Currency); err != nil {
				return err
			}
			*n.total = (*n.total).plus(*n.into)
		}
		y.Months = append(y.Months, m)
	}
	return nil
}

func (y *year) again(all []report.Returning) error {
	for _, r := range all {
		for _, group := range []struct {
			text  string
			share report.Share
		}{{"first order with an error", r.WithError}, {"first order without", r.WithoutError}} {
			s := group.share
			g := again{Text: "Within " + counted(uint64(r.Days)) + " days, " + group.text, N: counted(s.N),
				Returned: counted(s.Returned)}
			if s.Share != nil && s.Low != nil && s.High != nil {
				p, err := percentsOf(*s.Share, *s.Low, *s.High)
				if err != nil {
					return err
				}
				g.percents = p
			}
			y.Again = append(y.Again, g)
		}
	}
	for i := range y.Again {
		if y.Again[i].Share != "" {
			return nil
		}
	}
	y.Again = nil // nobody's days are over
	return nil
}

// percent is a share, as a report writes it, in percent with one decimal.
func percent(text string) (string, error) {
	r, ok := new(big.Rat).SetString(strings.TrimSpace(text))
	if !ok {
		return "", fmt.Errorf("%q is no share", text)
	}
	return r.Mul(r, big.NewRat(100, 1)).FloatString(1), nil
}

// percents are a share and the ends of the range that it lies in, in percent.
type percents struct{ Share, Low, High string }

func percentsOf(share, low, high string) (p percents, err error) {
	for _, of := range []struct {
		into *string
		text string
	}{{&p.Share, share}, {&p.Low, low}, {&p.High, high}} {
		if *of.into, err = percent(of.text); err != nil {
			return p, err
		}
	}
	return p, nil
}

// ShareText is the share in words.
func (p percents) ShareText() string { return p.Share + thin + "%" }

// RangeText is the range in words.
func (p percents) RangeText() string { return p.Low + " to " + p.High + thin + "%" }
