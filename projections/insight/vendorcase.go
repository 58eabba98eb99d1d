package insight

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// vendorCase is a case that a supplier or a carrier caused, with what it cost in the time.
type vendorCase struct {
	unit, id, order     string
	store               string
	kind, cause, party  string
	vendor              string // that of the case, else who a claim was sent to
	reported            time.Time
	gross               *big.Rat
	recovered           *big.Rat // what claims brought, by the journal
	salvaged            *big.Rat // what was sold of the leftovers
	settled             *big.Rat // what was paid, by claim.settled
	covered, notCovered *big.Rat // together the gross
	costs               []vendorCost
	claims              []*claim
	terms               *agreement
	lastDay             time.Time // until when a claim may be filed; zero without terms
}

// vendorCost is what a case cost of one element, and the clause that covers it.
type vendorCost struct {
	element string
	amount  *big.Rat
	cover   *cover // nil: nobody pays it
	covered *big.Rat
}

// claim is what became of one.
type claim struct {
	id                        string
	filed, accepted, isClosed bool
	reason                    string // of its end
	filedAt, acceptedAt       time.Time
	settled                   *big.Rat
}

// The statuses of a case, by which its covered cost is split.
const (
	statusToFile   = "to_file"
	statusFiled    = "filed"
	statusAccepted = "accepted"
	statusRefused  = "refused"
	statusLapsed   = "lapsed"
)

// status is where the claim of a case stands on a day. A claim that was withdrawn is none.
func (c *vendorCase) status(today time.Time) string {
	filed, refused := false, false
	for _, k := range c.claims {
		switch {
		case k.accepted && k.reason != "refused" && k.reason != "withdrawn":
			return statusAccepted
		case k.isClosed && k.reason == "refused":
			refused = true
		case k.filed && !k.isClosed:
			filed = true
		}
	}
	switch {
	case filed:
		return statusFiled
	case refused:
		return statusRefused
	case !c.lastDay.IsZero() && today.After(c.lastDay):
		return statusLapsed
	}
	return statusToFile
}

// caseKey names a case.
type caseKey struct{ unit, id string }

// readVendorCases reads the cases with costs in the time, in the order of their names. It reads the roll-up, and of the
// ledger the events of their orders.
func readVendorCases(ctx context.Context, db driver.Conn, q *Query) ([]*vendorCase, error) {
	terms, err := readTerms(ctx, db, q)
	if err != nil {
		return nil, err
	}
	all, byKey, err := readVendorCosts(ctx, db, q)
	if err != nil {
		return nil, err
	}
	if err := readVendorClaims(ctx, db, q, byKey); err != nil {
		return nil, err
	}
	if err := readVendorReports(ctx, db, q, byKey); err != nil {
		return nil, err
	}
	for _, c := range all {
		c.apply(terms, q.Now.Location())
	}
	return all, nil
}

func readVendorCosts(ctx context.Context, db driver.Conn, q *Query) ([]*vendorCase, map[caseKey]*vendorCase, error) {
	var found []struct {
		Unit    string `ch:"unit"`
		ID      string `ch:"error_id"`
		Order   string `ch:"of_order"`
		Store   string `ch:"of_store"`
		Vendor  string `ch:"vendor"`
		Kind    string `ch:"of_kind"`
		Cause   string `ch:"cause"`
		Party   string `ch:"party"`
		Element string `ch:"of_element"`
		Amount  string `ch:"amount"`
	}
	if err := q.make("vendor_costs").Select(ctx, db, &found); err != nil {
		return nil, nil, fmt.Errorf("read what vendors caused: %w", err)
	}
	var all []*vendorCase
	byKey := map[caseKey]*vendorCase{}
	recoveries := domain.RecoveryElements()
	for _, f := range found {
		key := caseKey{f.Unit, f.ID}
		c := byKey[key]
		if c == nil {
			c = &vendorCase{unit: f.Unit, id: f.ID, order: f.Order, store: f.Store, kind: f.Kind, cause: f.Cause, party: f.Party,
				vendor: f.Vendor, gross: new(big.Rat), recovered: new(big.Rat), salvaged: new(big.Rat),
				settled: new(big.Rat)}
			byKey[key] = c
			all = append(all, c)
		}
		amount, is := new(big.Rat).SetString(f.Amount)
		switch {
		case !is:
			return nil, nil, fmt.Errorf("%q of case %s is no amount", f.Amount, f.ID)
		case f.Element == domain.Recovery.String():
			c.recovered.Sub(c.recovered, amount)
		case slices.Contains(recoveries, f.Element):
			c.salvaged.Sub(c.salvaged, amount)
		default:
			c.gross.Add(c.gross, amount)
			c.costs = append(c.costs, vendorCost{element: f.Element, amount: amount})
		}
	}
	return all, byKey, nil
}

func readVendorClaims(ctx context.Context, db driver.Conn, q *Query, byKey map[caseKey]*vendorCase) error {
	var found []struct {
		Unit   string    `ch:"unit"`
		ID     string    `ch:"error_id"`
		Claim  string    `ch:"claim"`
		Said   string    `ch:"said"`
		Amount string    `ch:"amount"`
		Party  string    `ch:"party"`
		Reason string    `ch:"reason"`
		At     time.Time `ch:"at"`
		Source string    `ch:"source"`
		Event  string    `ch:"event_id"`
	}
	if err := q.make("vendor_claims").Select(ctx, db, &found); err != nil {
		return fmt.Errorf("read the claims on vendors: %w", err)
	}
	for _, f := range found {
		c := byKey[caseKey{f.Unit, f.ID}]
		if c == nil {
			continue
		}
		var k *claim
		for _, other := range c.claims {
			if other.id == f.Claim {
				k = other
			}
		}
		if k == nil {
			k = &claim{id: f.Claim, settled: new(big.Rat)}
			c.claims = append(c.claims, k)
		}
		if c.vendor == "" && f.Party != "" {
			c.vendor = f.Party
		}
		switch domain.ParseType([]byte(f.Said)) {
		case domain.TypeClaimFiled:
			k.filed, k.filedAt = true, f.At
		case domain.TypeClaimAccepted:
			k.accepted, k.acceptedAt = true, f.At
		case domain.TypeClaimSettled:
			k.accepted = true
			if amount, is := new(big.Rat).SetString(f.Amount); is { // nothing in another currency
				k.settled.Add(k.settled, amount)
				c.settled.Add(c.settled, amount)
			}
		case domain.TypeClaimClosed:
			k.isClosed, k.reason = true, f.Reason
		}
	}
	return nil
}

// readVendorReports says when each case became known.
func readVendorReports(ctx context.Context, db driver.Conn, q *Query, byKey map[caseKey]*vendorCase) error {
	var found []struct {
		Unit     string    `ch:"unit"`
		ID       string    `ch:"error_id"`
		Reported time.Time `ch:"reported_at"`
	}
	if err := q.make("vendor_reports").Select(ctx, db, &found); err != nil {
		return fmt.Errorf("read when the cases of vendors became known: %w", err)
	}
	for _, f := range found {
		if c := byKey[caseKey{f.Unit, f.ID}]; c != nil {
			c.reported = f.Reported
		}
	}
	return nil
}

// apply splits the costs by the terms that hold for the case.
func (c *vendorCase) apply(all agreements, zone *time.Location) {
	reported := day(c.reported, zone)
	c.covered, c.notCovered = new(big.Rat), new(big.Rat)
	if c.terms = all.of(c.vendor, reported); c.terms != nil {
		c.lastDay = reported.AddDate(0, 0, int(min(c.terms.window, maxWindow)))
	}
	for i := range c.costs {
		cost := &c.costs[i]
		cost.covered = new(big.Rat)
		if cost.cover = c.terms.covering(cost.element, c.cause); cost.cover != nil {
			cost.covered = cost.cover.of(cost.amount)
		}
		c.covered.Add(c.covered, cost.covered)
	}
	c.notCovered.Sub(c.gross, c.covered)
}

// maxWindow is the longest window, in days: a hundred years.
const maxWindow = 36_525

// day is the day of a moment in a zone, as its midnight UTC: days of ClickHouse are such.
func day(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
