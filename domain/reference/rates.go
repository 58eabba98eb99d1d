package reference

import (
	"fmt"
	"math/big"
	"time"
)

// rateSet is one rate.set. From voidedSeq on (0: never) it no longer counts.
type rateSet struct {
	name, key, currency string
	value               *big.Rat
	effectiveFrom       time.Time
	seq, voidedSeq      int64
}

func newRate(e *event, voidedSeq int64, zone *time.Location) (rateSet, error) {
	from, err := time.Parse(time.RFC3339, e.data.str("effective_from"))
	if err != nil {
		if from, err = time.ParseInLocation(time.DateOnly, e.data.str("effective_from"), zone); err != nil {
			return rateSet{}, fmt.Errorf("effective_from of rate %v: %w", e.Identity, err)
		}
	}
	return rateSet{
		name: e.data.str("rate"), key: e.data.str("key"), currency: e.data.str("currency"),
		value: e.data.dec("value"), effectiveFrom: from, seq: e.seq, voidedSeq: voidedSeq,
	}, nil
}

// inForce is the rate of a moment: recorded no later than seq, the latest effective_from ≤ at, of two alike the later
// recorded; for its key, else for *. nil where there is none.
func inForce(all []rateSet, name, key, currency string, at time.Time, seq int64) *big.Rat {
	for _, k := range []string{key, "*"} {
		var best *rateSet
		for i := range all {
			r := &all[i]
			switch {
			case r.name != name || r.key != k:
			case r.currency != currency && name != "voucher_redemption": // a fraction has no currency
			case r.seq > seq, r.effectiveFrom.After(at):
			case r.voidedSeq != 0 && r.voidedSeq <= seq:
			case best == nil, r.effectiveFrom.After(best.effectiveFrom),
				r.effectiveFrom.Equal(best.effectiveFrom) && r.seq > best.seq:
				best = r
			}
		}
		if best != nil {
			return best.value
		}
	}
	return nil
}
