package insight

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// cover is a clause of an agreement.
type cover struct {
	element, cause, clause string
	share                  *big.Rat // of 1
	text                   string   // the share as it was said
}

// agreement are the terms of a vendor that hold for a case.
type agreement struct {
	window int64 // days
	covers []cover
}

// agreements are all terms by vendor, those of each by the day on which they take effect.
type agreements map[string][]agreed

type agreed struct {
	from time.Time
	agreement
}

func readTerms(ctx context.Context, db driver.Conn, q *Query) (agreements, error) {
	var found []struct {
		Vendor        string    `ch:"vendor"`
		WindowDays    int64     `ch:"window_days"`
		EffectiveFrom time.Time `ch:"effective_from"`
		Covers        [][]any   `ch:"covers"`
	}
	if err := q.make("vendor_terms").Select(ctx, db, &found); err != nil {
		return nil, fmt.Errorf("read the terms of vendors: %w", err)
	}
	all := agreements{}
	for _, f := range found {
		a := agreed{from: f.EffectiveFrom, agreement: agreement{window: f.WindowDays}}
		for _, said := range f.Covers {
			c := cover{element: fmt.Sprint(said[0]), cause: fmt.Sprint(said[1]), text: fmt.Sprint(said[2]),
				clause: fmt.Sprint(said[3]), share: big.NewRat(1, 1)}
			if c.text == "" {
				c.text = "1"
			}
			if _, is := c.share.SetString(c.text); !is {
				return nil, fmt.Errorf("terms of %s: %q is no share", f.Vendor, c.text)
			}
			a.covers = append(a.covers, c)
		}
		all[f.Vendor] = append(all[f.Vendor], a)
	}
	return all, nil
}

// of are the terms that hold for a case of a vendor that was reported on a day: the last that take effect by then, of
// two alike the later recorded. nil where there are none.
func (all agreements) of(vendor string, reported time.Time) *agreement {
	var found *agreement
	for i := range all[vendor] {
		if a := &all[vendor][i]; !a.from.After(reported) {
			found = &a.agreement
		}
	}
	return found
}

// covering is the clause for the cost of an element in a case of that root cause: one for the cause goes before one for
// all, else the first. nil where nothing covers it.
func (a *agreement) covering(element, cause string) *cover {
	if a == nil {
		return nil
	}
	var found *cover
	for i := range a.covers {
		c := &a.covers[i]
		switch {
		case c.element != element:
		case c.cause == cause && c.cause != "":
			return c
		case c.cause == "" && found == nil:
			found = c
		}
	}
	return found
}

// of is the share of a cost that the clause covers, rounded half to even to 4 decimals.
func (c *cover) of(cost *big.Rat) *big.Rat { return rounded(new(big.Rat).Mul(cost, c.share)) }

// rounded is half to even at 4 decimals.
func rounded(r *big.Rat) *big.Rat {
	const tenThousand = 10_000
	scaled := new(big.Rat).Mul(r, big.NewRat(tenThousand, 1))
	quotient, rest := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int)) // rest is never below zero
	switch twice := new(big.Int).Lsh(rest, 1); twice.Cmp(scaled.Denom()) {
	case 1:
		quotient.Add(quotient, big.NewInt(1))
	case 0:
		if quotient.Bit(0) == 1 {
			quotient.Add(quotient, big.NewInt(1))
		}
	}
	return new(big.Rat).SetFrac(quotient, big.NewInt(tenThousand))
}
