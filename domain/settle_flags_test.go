package domain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// impossible is what can't be right, or is next to it, and how it is flagged: codes with amounts, one a comma.
type impossible struct {
	name   string
	said   []told
	change func([]*Event)
	want   string
}

func inCase(minute int, d Data) told { return told{minute: minute, errorID: "c", data: d} }

func claimed(filed, accepted string, settled ...string) []told {
	all := []told{{data: sale}}
	if filed != "" {
		all = append(all, inCase(1, &ClaimFiled{ClaimID: "k", Party: "supplier", Amount: d(filed)}))
	}
	if accepted != "" {
		all = append(all, inCase(2, &ClaimAccepted{ClaimID: "k", Party: "supplier", Amount: d(accepted)}))
	}
	for i, z := range settled {
		all = append(all, inCase(3+i, &ClaimSettled{ClaimID: "k", PaymentID: fmt.Sprint(i), Party: "supplier", Amount: d(z)}))
	}
	return all
}

func vouched(kind string, uses ...Data) []told {
	all := []told{{data: sale}, inCase(1, &ConcessionGranted{ConcessionID: "v", Kind: kind, Amount: d("10")})}
	for i, u := range uses {
		all = append(all, inCase(2+i, u))
	}
	return all
}

func redeemed(id, amount string) *VoucherRedeemed {
	return &VoucherRedeemed{ConcessionID: "v", RedemptionID: id, Amount: d(amount)}
}

func lapsed(id, amount string) *VoucherExpired {
	return &VoucherExpired{ConcessionID: "v", RedemptionID: id, Amount: d(amount)}
}

func backAgain(id, sku, quantity string) *ReturnReceived {
	r := comesBack(sku, quantity, "60", WasSold, GradeSaleable, "")
	r.ReturnID = id
	return r
}

func off(quantity string) []RemovedLine { return []RemovedLine{{LineID: "1", Quantity: d(quantity)}} }

var (
	wholeByCustomer = told{minute: 1, data: &OrderCancelled{By: ByCustomer}}
	byHand          = inCase(1, &RefundIssued{RefundID: "r", Net: d("20"), Tax: d("2"), Method: MethodManual})
	twoRefunds      = []told{{data: sale}, inCase(1, refunded("r", "60", "0")), inCase(2, refunded("s", "70", "0"))}
)

func inCurrency(code string, numbers ...int) func([]*Event) {
	return func(events []*Event) {
		for _, i := range numbers {
			events[i].Currency = code
		}
	}
}

var impossibles = []impossible{
	{"refunds of all that was paid", []told{{data: sale}, inCase(1, refunded("r", "100", "8"))}, nil, ""},
	{"refunds of more", twoRefunds, nil, "over_refunded 22.0000 USD"},
	{"the second is voided", append(twoRefunds[:3:3], inCase(3, &EventVoided{Source: "till", ID: "e2"})), nil, ""},
	{"refunds of more, each without a case", []told{{data: sale}, {minute: 1, data: refunded("r", "60", "0")},
		{minute: 2, data: refunded("s", "70", "0")}}, nil, "over_refunded 22.0000 USD"},
	{"a refund and a lost dispute", []told{{data: sale}, inCase(1, refunded("r", "60", "0")),
		inCase(2, &DisputeLost{DisputeID: "d", Amount: d("60")})}, nil, "over_refunded 12.0000 USD"},
	{"cancelled whole, and refunded", []told{{data: sale}, wholeByCustomer, {minute: 2, data: refunded("r", "100", "8")}},
		nil, ""},
	{"cancelled whole, and refunded more", []told{{data: sale}, wholeByCustomer,
		{minute: 2, data: refunded("r", "120", "8")}}, nil, "over_refunded 20.0000 USD"},
	{"a refund in a currency that nothing was paid in", []told{{data: sale}, inCase(1, refunded("r", "9000", "0"))},
		inCurrency("JPY", 1), "over_refunded 9000.0000 JPY"},
	{"nobody knows what was paid", twoRefunds[1:], nil, ""},
	{"to be paid by hand", []told{{data: sale}, byHand}, nil, "paid_by_hand 22.0000 USD"},
	{"to be paid by hand, of no order that is known", []told{byHand}, nil, "paid_by_hand 22.0000 USD"},
	{"by hand, and it is taken back", []told{{data: sale}, byHand, inCase(3, &EventVoided{Source: "till", ID: "e1"})},
		nil, ""},
	{"by hand, and somebody saw that it was paid", []told{{data: sale}, byHand,
		{minute: 3, data: decided("till", 1, Yes, false)}}, nil, ""},
	{"by hand, and it is decided against", []told{{data: sale}, byHand,
		{minute: 3, data: decided("till", 1, No, false)}}, nil, ""},

	{"a case under two orders", twoRefunds, func(e []*Event) { e[2].OrderID = "o2" }, "case_under_two_orders"},
	{"a person says of which it is", append(twoRefunds[:3:3], told{minute: 3, data: decided("till", 2, No, false)}),
		func(e []*Event) { e[2].OrderID = "o2" }, ""},

	{"settled as it was asked", claimed("60", "60", "45", "15"), nil, ""},
	{"settled for more than was asked", claimed("30", "", "45"), nil, "settled_above_filed 15.0000 USD"},
	{"in two payments", claimed("30", "", "20", "20"), nil, "settled_above_filed 10.0000 USD"},
	{"for more than was accepted", claimed("", "30", "45"), nil, "settled_above_accepted 15.0000 USD"},
	{"for more than either", claimed("40", "30", "45"), nil,
		"settled_above_accepted 15.0000 USD, settled_above_filed 5.0000 USD"},
	{"settled, and nobody knows what was asked", claimed("", "", "45"), nil, ""},

	{"all comes back", []told{{data: sale}, inCase(1, backAgain("t", "p", "1"))}, nil, ""},
	{"more comes back", []told{{data: sale}, inCase(1, backAgain("t", "p", "2"))}, nil, "returned_too_much"},
	{"it comes back twice", []told{{data: sale}, inCase(1, backAgain("t", "p", "1")), inCase(2, backAgain("u", "p", "1"))},
		nil, "returned_too_much"},
	{"what was never sold comes back", []told{{data: sale}, inCase(1, backAgain("t", "z", "1"))}, nil,
		"returned_too_much"},
	{"both come back, for one was sent again", []told{{data: sale}, inCase(1, report("damaged", "")), inCase(2, sent("n")),
		inCase(3, backAgain("t", "p", "2"))}, nil, ""},

	{"a voucher is used up", vouched(ConcessionVoucher, redeemed("1", "6"), lapsed("2", "4")), nil, ""},
	{"redeemed for more", vouched(ConcessionVoucher, redeemed("1", "6"), redeemed("2", "6")), nil,
		"redeemed_too_much 2.0000 USD"},
	{"lapses for more", vouched(ConcessionVoucher, redeemed("1", "6"), lapsed("2", "6")), nil,
		"redeemed_too_much 2.0000 USD"},
	{"a store credit redeemed for more", vouched(ConcessionStoreCredit, redeemed("1", "12")), nil,
		"redeemed_too_much 2.0000 USD"},
	{"redeemed, and nobody knows the grant", []told{{data: sale}, inCase(1, redeemed("1", "12"))}, nil, ""},

	{"more is taken off than is there", []told{{data: sale},
		{minute: 1, data: &OrderChanged{By: ByBusiness, LinesRemoved: off("2")}}}, nil, "removed_too_much"},
	{"it is taken off twice", []told{{data: sale},
		{minute: 1, data: &OrderChanged{ChangeID: "1", By: ByBusiness, LinesRemoved: off("1")}},
		{minute: 2, data: &OrderCancelled{ChangeID: "2", By: ByCustomer, Lines: off("1")}}}, nil, "removed_too_much"},
	{"a part is cancelled, of what nobody says", []told{{data: sale},
		{minute: 1, data: &OrderCancelled{By: ByBusiness, Net: Some(d("40"))}}}, nil, "part_unknown"},
	{"changed in another currency", []told{{data: sale},
		{minute: 1, data: &OrderChanged{By: ByBusiness, LinesRemoved: off("1")}}}, inCurrency("EUR", 1), "other_currency"},
	{"cancelled in another currency", []told{{data: sale},
		{minute: 1, data: &OrderCancelled{By: ByCustomer, Net: Some(d("100"))}}}, inCurrency("EUR", 1), "other_currency"},
}

// TestWhatCantBeRightIsFlaggedWheneverItCame: in all orders of arrival, each split by a close at every place; and what
// is next to it isn't.
func TestWhatCantBeRightIsFlaggedWheneverItCame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	told := map[string]bool{}
	for _, c := range impossibles {
		events := asEvents(c.said)
		if c.change != nil {
			c.change(events)
		}
		for _, arrival := range arrivals(len(events), random) {
			for closeAt := -1; closeAt < len(events); closeAt++ {
				terms, all := recorded(events, arrival, closeAt)
				s, err := terms.Settle(all)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, f := range s.Flags {
					told[f.Code] = true
					if f.Amount != 0 {
						f.Code += " " + f.Amount.String() + " " + f.Currency
					}
					got = append(got, f.Code)
				}
				slices.Sort(got)
				if text := strings.Join(got, ", "); text != c.want {
					t.Errorf("%s, arrival %v, closed before %d: flagged %q, not %q", c.name, arrival, closeAt, text, c.want)
				}
			}
		}
	}
	for _, f := range FlagCodes() {
		if !told[f.Code] {
			t.Errorf("nothing is flagged as %s", f.Code)
		}
	}
}
