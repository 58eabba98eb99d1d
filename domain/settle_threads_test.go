package domain

import (
	"fmt"
	"testing"
)

// What several events of one claim, voucher or dispute say goes by time, wherever a close put them in the log.

// inTheEnd are the amounts of an account by case and store, and the flags, in the order of their words.
func inTheEnd(s *Settlement, all []Recorded, a Account) string {
	sums := map[string]Amount{}
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			if l.Account == a {
				sums[l.Case+" "+l.Store] += l.Amount
			}
		}
	}
	for at, sum := range sums {
		if sum == 0 {
			delete(sums, at)
		}
	}
	text := fmt.Sprint(sums)
	for _, f := range s.Flags {
		text += fmt.Sprint(" ", f.Code, " of ", f.Event.ID)
	}
	return text
}

// ofCases says events of the cases c and d, each in a store of its own: of c in s1, of d in s2.
func ofCases(said ...told) []*Event {
	events := asEvents(said)
	for _, e := range events {
		if e.ErrorID == "d" {
			e.StoreID = "s2"
		}
	}
	return events
}

func TestOneIDOfTwoCases(t *testing.T) {
	voucher := &ConcessionGranted{ConcessionID: "v", Kind: ConcessionVoucher, Amount: d("10")}
	for name, c := range map[string]struct {
		said    []told
		account Account
		want    string
	}{
		"a claim is of the case and store of its first event": {[]told{
			{minute: 1, errorID: "d", data: &ClaimAccepted{ClaimID: "k", Amount: d("60")}},
			{minute: 2, errorID: "c", data: &ClaimSettled{ClaimID: "k", Amount: d("45")}},
			{minute: 3, errorID: "c", data: &ClaimClosed{ClaimID: "k"}}}, Recoveries, "map[d s2:-45.0000]"},
		"a claim that was filed in another one": {[]told{
			{minute: 1, errorID: "c", data: &ClaimFiled{ClaimID: "k", Amount: d("60")}},
			{minute: 2, errorID: "d", data: &ClaimAccepted{ClaimID: "k", Amount: d("60")}}},
			ClaimsReceivable, "map[c s1:60.0000]"},
		"a voucher is of the case of its grant": {[]told{
			{minute: 1, errorID: "d", data: redeemed("1", "4")},
			{minute: 2, errorID: "c", data: voucher},
			{minute: 3, errorID: "d", data: redeemed("2", "6")}}, Goodwill, "map[c s1:10.0000]"},
		"a voucher that nobody granted": {[]told{
			{minute: 1, errorID: "d", data: redeemed("1", "4")},
			{minute: 2, errorID: "c", data: redeemed("2", "6")}}, Goodwill, "map[d s2:10.0000]"},
		"a dispute is of the first case that an event of it names": {[]told{
			{minute: 1, data: &DisputeOpened{DisputeID: "x", Amount: d("50"), Fee: d("15")}},
			{minute: 2, errorID: "d", data: &DisputeWon{DisputeID: "x", Amount: d("50"), FeeReturned: d("5")}},
			{minute: 3, errorID: "c", data: &DisputeLost{DisputeID: "x", Amount: d("50")}}},
			DisputeLosses, "map[d s1:50.0000]"},
	} {
		everyWay(t, ofCases(c.said...), func(s *Settlement, all []Recorded) {
			if got := inTheEnd(s, all, c.account); got != c.want {
				t.Errorf("%s, in the sequence %v: %s, not %s", name, s.Sequence, got, c.want)
			}
		})
	}
}

// TestFlagsNameTheLast: a flag about what several events come to names the last of them by time.
func TestFlagsNameTheLast(t *testing.T) {
	for _, c := range []struct {
		said []told
		want string
	}{
		{claimed("", "60", "45", "30"), "settled_above_accepted of e3"},
		{claimed("60", "", "45", "30"), "settled_above_filed of e3"},
		{vouched(ConcessionVoucher, redeemed("1", "8"), redeemed("2", "7")), "redeemed_too_much of e3"},
		{twoRefunds, "over_refunded of e2"},
		{[]told{{data: sale}, inCase(1, refunded("r", "100", "0")), inCase(2, &DisputeLost{DisputeID: "x", Amount: d("50")}),
			inCase(3, &DisputeLost{DisputeID: "y", Amount: d("0")})}, "over_refunded of e2"},
		{[]told{{data: sale}, inCase(1, backAgain("1", "p", "1")), inCase(2, backAgain("2", "p", "1"))},
			"returned_too_much of e2"},
	} {
		everyWay(t, asEvents(c.said), func(s *Settlement, all []Recorded) {
			if got := inTheEnd(s, all, 0); got != "map[] "+c.want {
				t.Errorf("in the sequence %v: %s, not %s", s.Sequence, got, c.want)
			}
		})
	}
}

// TestPartedDisputes: two openings, or two losses, are one, unless a person said that they are two. Then both count,
// and what was opened again after the end is open.
func TestPartedDisputes(t *testing.T) {
	open := func(minute int, amount, fee string) told {
		return inCase(minute, &DisputeOpened{DisputeID: "x", Amount: d(amount), Fee: d(fee)})
	}
	lost := func(minute int, amount string) told {
		return inCase(minute, &DisputeLost{DisputeID: "x", Amount: d(amount)})
	}
	won := inCase(3, &DisputeWon{DisputeID: "x", Amount: d("60"), FeeReturned: d("5")})
	two := func(minute, number int) told {
		return told{minute: minute, data: decided("till", number, Unknown, true)}
	}
	for name, c := range map[string]struct {
		said                []told
		held, losses, costs string
	}{
		"both open": {[]told{open(1, "60", "15"), open(2, "40", "10"), two(9, 1)}, "100", "0", "25"},
		"both ended": {[]told{open(1, "60", "15"), open(2, "40", "10"), two(9, 1), lost(4, "100")},
			"0", "100", "25"},
		"opened again": {[]told{open(1, "60", "15"), won, open(4, "60", "15"), two(9, 2)}, "60", "0", "25"},
		"and lost": {[]told{open(1, "60", "15"), won, open(4, "60", "15"), two(9, 2), lost(5, "60")},
			"0", "60", "30"},
		"lost twice":                 {[]told{lost(1, "60"), lost(2, "40"), two(9, 1)}, "0", "100", "0"},
		"won between":                {[]told{lost(1, "60"), won, lost(4, "40"), two(9, 2)}, "0", "40", "0"},
		"lost, and opened only then": {[]told{lost(1, "60"), open(2, "60", "15")}, "0", "60", "15"},
	} {
		everyWay(t, asEvents(c.said), func(s *Settlement, _ []Recorded) {
			b := sumUp(s)
			got := fmt.Sprint(b.byAccount[DisputeReceivable], b.byAccount[DisputeLosses], b.byAccount[DisputeFees])
			if want := fmt.Sprintf("%s.0000 %s.0000 %s.0000", c.held, c.losses, c.costs); got != want {
				t.Errorf("%s, in the sequence %v: held, lost and fees are %s, not %s", name, s.Sequence, got, want)
			}
		})
	}
}

// TestDecisionsOnVoidsOfDecisions: a decision against a void undoes it, also where it is the void of a decision.
func TestDecisionsOnVoidsOfDecisions(t *testing.T) {
	void := func(minute, number int) told {
		return told{minute: minute, data: &EventVoided{Source: "till", ID: fmt.Sprint("e", number)}}
	}
	against := func(minute, number int) told {
		return told{minute: minute, data: decided("till", number, No, false)}
	}
	for name, c := range map[string]struct {
		more []told
		want Amount
	}{
		"decided against":                 {nil, 0},
		"that is taken back":              {[]told{void(4, 2)}, 40_0000},
		"the void is taken back":          {[]told{void(4, 2), void(5, 3)}, 0},
		"the void is decided against":     {[]told{void(4, 2), against(5, 3)}, 0},
		"and that is taken back":          {[]told{void(4, 2), against(5, 3), void(6, 4)}, 40_0000},
		"the decision is decided against": {[]told{against(4, 2)}, 40_0000},
	} {
		events := asEvents(append([]told{{data: sale}, inCase(1, refunded("r", "40", "0")), against(3, 1)}, c.more...))
		everyWay(t, events, func(s *Settlement, _ []Recorded) {
			if got := sumUp(s).net; got != c.want {
				t.Errorf("%s, in the sequence %v: %s, not %s", name, s.Sequence, got, c.want)
			}
		})
	}
}

// TestAVoidedSaleTakesNothingAlong: what the source of a second store's sale sends follows that sale where it was
// decided against, and not where it was voided too: then there is one store.
func TestAVoidedSaleTakesNothingAlong(t *testing.T) {
	said := []told{{data: sale}, {source: "b", minute: 1, data: sale}, {source: "b", minute: 2, errorID: "c",
		data: refunded("r", "40", "0")}, {minute: 3, data: decided("b", 1, No, false)},
		{source: "b", minute: 4, data: voids("b", 1)}}
	for n, want := range map[int]Standing{4: Discarded, 5: Counts} {
		events := asEvents(said[:n])
		events[1].StoreID = "s2"
		everyWay(t, events, func(s *Settlement, all []Recorded) {
			for i := range all {
				if is := s.Events[i].Standing; all[i].Event == events[2] && is != want {
					t.Errorf("of %d events, in the sequence %v: the refund is %s, not %s", n, s.Sequence, is, want)
				}
			}
		})
	}
}
