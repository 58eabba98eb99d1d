package domain

import (
	"fmt"
	"math/rand/v2"
)

// check answers what of a row isn't right.
func (c *rightCase) check(s *Settlement) string {
	b := sumUp(s)
	is := func(a Amount, text string) bool { w, err := ParseAmount(text); return err == nil && w == a }
	if !is(b.net, c.net) {
		return fmt.Sprintf("net %s, not %s", b.net, c.net)
	}
	if c.own != "" && !is(b.contribution, c.own) {
		return fmt.Sprintf("contribution %s, not %s", b.contribution, c.own)
	}
	if c.changes == "" && b.changes != 0 || c.changes != "" && !is(b.changes, c.changes) {
		return fmt.Sprintf("customer changes %s, not %q", b.changes, c.changes)
	}
	if b.contribution != b.perfect+b.changes-b.changedMind-b.unfounded-b.net {
		return "the identity doesn't hold"
	}
	for _, a := range []Account{ReturnAsset, ClaimsReceivable, DisputeReceivable, VoucherLiability, GiftCardLiability,
		GoodsOwed} {
		if _, told := c.hold[a]; !told && b.byAccount[a] != 0 {
			return fmt.Sprintf("%d holds %s", a, b.byAccount[a])
		}
	}
	for a, want := range c.hold {
		if !is(b.byAccount[a], want) {
			return fmt.Sprintf("%d holds %s, not %s", a, b.byAccount[a], want)
		}
	}
	doubles, nothing, against := 0, 0, 0
	for i := range s.Events {
		switch s.Events[i].Standing {
		case Double:
			doubles++
		case VoidsNothing:
			nothing++
		case Discarded:
			against++
		case Waits, Voided, Copied:
			return "an event is " + s.Events[i].Standing.String()
		}
		if len(s.Events[i].Unpriced) > 0 {
			return fmt.Sprint("unpriced: ", s.Events[i].Unpriced)
		}
	}
	if doubles != c.doubles || nothing != c.nothing || against != c.against {
		return fmt.Sprintf("%d doubles, %d voids of nothing, %d decided against", doubles, nothing, against)
	}
	if len(s.Flags) > 0 {
		return fmt.Sprint("flagged: ", s.Flags)
	}
	return ""
}

// arrivals are all orders of n events; 100 random ones where n is more than 6.
func arrivals(n int, random *rand.Rand) [][]int {
	var all [][]int
	if n > 6 {
		for range 100 {
			all = append(all, random.Perm(n))
		}
		return all
	}
	var permute func(done, left []int)
	permute = func(done, left []int) {
		if len(left) == 0 {
			all = append(all, append([]int(nil), done...))
		}
		for i := range left {
			rest := append(append([]int(nil), left[:i]...), left[i+1:]...)
			permute(append(done[:len(done):len(done)], left[i]), rest)
		}
	}
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	permute(nil, left)
	return all
}
