package domain

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// rightCase is a row of the contract's "Cases with their right values".
type rightCase struct {
	name    string
	said    []told
	net     string             // net leakage
	own     string             // contribution, where the row tells it
	changes string             // customer_changes; "" is none
	hold    map[Account]string // balances in the end; accounts of open cases are 0 where nothing is said
	doubles int
	nothing int // voids of nothing
	against int // what a person decided against
}

func expected(received, quantity string) []ErrorLine {
	l := ErrorLine{SKU: "p", Quantity: piece, UnitCost: Some(d("60"))}
	if received != "" {
		l.ReceivedSKU, l.ReceivedUnitCost = "q", Some(d(received))
	}
	if quantity != "" {
		l.ReceivedQuantity = Some(d(quantity))
	}
	return []ErrorLine{l}
}

func report(kind, received string) *ErrorReported {
	return &ErrorReported{
		Classification: Classification{Kind: kind},
		Found:          FoundAfterDelivery,
		Lines:          expected(received, ""),
	}
}

func sent(id string) *RedeliveryDispatched {
	return &RedeliveryDispatched{RedeliveryID: id, Mode: "carrier", Lines: goodsLines("1", "60")}
}

func comesBack(sku, quantity, cost, was, grade, nrv string) *ReturnReceived {
	l := ReturnLine{GoodsLine: GoodsLine{SKU: sku, Quantity: d(quantity)}, Was: was, Grade: grade}
	if cost != "" {
		l.UnitCost = Some(d(cost))
	}
	if nrv != "" {
		l.NRV = Some(d(nrv))
	}
	return &ReturnReceived{ReturnID: "b", Lines: []ReturnLine{l}}
}

func refunded(id, net, tax string) *RefundIssued {
	return &RefundIssued{RefundID: id, Net: d(net), Tax: d(tax)}
}

func kindIs(kind string) *ErrorClassified {
	return &ErrorClassified{Classification: Classification{Kind: kind}}
}

func line(id, sku, price, cost string) OrderLine {
	return OrderLine{LineID: id, SKU: sku, Quantity: piece, UnitPrice: d(price), UnitCost: Some(d(cost))}
}

var (
	twoLines = &OrderPlaced{
		Lines:      []OrderLine{line("1", "p", "100", "60"), line("2", "x", "20", "9")},
		PaymentFee: d("3.43"),
	}
	whole = &OrderCancelled{By: ByBusiness, Net: Some(d("100")), Tax: Some(d("8")), Cost: Some(d("60"))}
)

var rightCases = []rightCase{
	{
		name: "mix-up reported unspecified, classified afterwards",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("unspecified", "60")},
			{
				minute:  2,
				errorID: "c",
				data:    sent("r"),
			}, {minute: 3, errorID: "c", data: comesBack("q", "1", "60", "wrong_item", "saleable", "")},
			{minute: 4, errorID: "c", data: kindIs("wrong_item")}},
		net: "0",
		own: "36.57",
	},
	{
		name: "mix-up reported unspecified, never classified",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("unspecified", "60")},
			{
				minute:  2,
				errorID: "c",
				data:    sent("r"),
			}, {minute: 3, errorID: "c", data: comesBack("q", "1", "60", "wrong_item", "saleable", "")}},
		net: "0",
		own: "36.57",
	},
	{
		name: "mix-up known at once",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "60")},
			{
				minute:  2,
				errorID: "c",
				data:    sent("r"),
			}, {minute: 3, errorID: "c", data: comesBack("q", "1", "60", "wrong_item", "saleable", "")}},
		net: "0",
		own: "36.57",
	},
	{
		name: "reported wrong_item, classified damaged",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{minute: 2, errorID: "c", data: kindIs("damaged")}, {minute: 3, errorID: "c", data: sent("r")},
			{minute: 4, errorID: "c", data: comesBack("p", "1", "60", "sold", "scrap", "")}},
		net: "60",
	},
	{
		name: "reported wrong_item, rejected",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{minute: 2, errorID: "c", data: &ErrorRejected{Reason: "mistaken"}}},
		net: "0",
		own: "36.57",
	},
	{
		name: "reported wrong_item, the right part sent",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{minute: 2, errorID: "c", data: sent("r")}},
		net:  "0",
		hold: map[Account]string{ReturnAsset: "55"},
	},
	{name: "goods back, refunded", said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("defective", "")},
		{
			minute:  2,
			errorID: "c",
			data:    comesBack("p", "1", "", "sold", "saleable", ""),
		}, {minute: 3, errorID: "c", data: refunded("r", "100", "8")}}, net: "40"},
	{
		name: "missing_item, refunded",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("missing_item", "")},
			{minute: 2, errorID: "c", data: refunded("r", "100", "8")}},
		net: "40",
	},
	{
		name: "missing_item, goodwill of 10, then sent",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("missing_item", "")},
			{minute: 2, errorID: "c", data: refunded("r", "10", "0")}, {minute: 3, errorID: "c", data: sent("r")}},
		net: "10",
	},
	{
		name: "wrong_item without lines, refunded",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ErrorReported{Classification: Classification{Kind: "wrong_item"}}},
			{minute: 2, errorID: "c", data: refunded("r", "100", "8")},
		},
		net: "40",
	},
	{
		name: "wrong_item, cancelled whole by the business",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "")}, {minute: 2, data: whole}},
		net:  "40",
	},
	{
		name: "found before delivery, sent by redelivery",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: &ErrorReported{
			Classification: Classification{
				Kind: "wrong_item",
			}, Found: FoundBeforeDelivery, Lines: expected("55", "")}}, {minute: 2, errorID: "c", data: sent("r")}},
		net: "0",
	},
	{name: "found before delivery, repicked", said: []told{{data: sale}, {minute: 1, errorID: "c", data: &ErrorReported{
		Classification: Classification{Kind: "damaged"}, Found: FoundBeforeDelivery, Lines: expected("", "")}}}, net: "0"},
	{
		name: "found before delivery, damaged, sent by redelivery",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: &ErrorReported{
			Classification: Classification{
				Kind: "damaged",
			}, Found: FoundBeforeDelivery, Lines: expected("", "")}}, {minute: 2, errorID: "c", data: sent("r")}},
		net: "0",
	},
	{name: "cancelled whole by the business, then goods back", said: []told{{data: sale}, {minute: 1, data: whole},
		{
			minute:  2,
			errorID: "c",
			data:    comesBack("p", "1", "60", "sold", "saleable", ""),
		}}, net: "40", hold: map[Account]string{Inventory: "0"}},
	{
		name: "cancelled whole by the business and refunded with error_id",
		said: []told{{data: sale}, {minute: 1, data: whole},
			{minute: 2, errorID: "c", data: refunded("r", "100", "8")}},
		net: "40",
	},
	{name: "cancelled whole by the customer, refunded without error_id", said: []told{{data: sale},
		{minute: 1, data: &OrderCancelled{By: ByCustomer, Net: Some(d("100")), Tax: Some(d("8")), Cost: Some(d("60"))}},
		{minute: 2, data: refunded("r", "100", "8")}}, net: "0", own: "-3.43", changes: "-40"},
	{
		name: "over_shipped",
		said: []told{
			{data: sale},
			{
				minute:  1,
				errorID: "c",
				data: &ErrorReported{Classification: Classification{Kind: "over_shipped"}, Lines: []ErrorLine{
					{
						SKU:              "p",
						Quantity:         piece,
						UnitCost:         Some(d("60")),
						ReceivedSKU:      "p",
						ReceivedQuantity: Some(d("10")),
						ReceivedUnitCost: Some(d("60")),
					}}},
			},
			{minute: 2, errorID: "c", data: &ReturnReceived{ReturnID: "b", Lines: []ReturnLine{
				{
					GoodsLine: goodsLines("4", "60")[0],
					Was:       "wrong_item",
					Grade:     "saleable",
				}, {GoodsLine: goodsLines("5", "60")[0], Was: "wrong_item", Grade: "abandoned"}}}},
		},
		net:  "300",
		hold: map[Account]string{Inventory: "-360"},
	},
	{
		name: "customer keeps the wrong part and pays it",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{
				minute: 2,
				data: &OrderChanged{
					ChangeID:     "x",
					By:           ByCustomer,
					LinesAdded:   []OrderLine{line("2", "q", "90", "55")},
					LinesRemoved: []RemovedLine{{LineID: "1", Quantity: piece}},
				},
			}},
		net:     "0",
		changes: "-5",
	},
	{
		name: "exchange 100 for 250",
		said: []told{{data: sale}, {minute: 1, data: &OrderChanged{ChangeID: "x", By: ByCustomer,
			LinesAdded: []OrderLine{
				line("2", "q", "250", "150"),
			}, LinesRemoved: []RemovedLine{{LineID: "1", Quantity: piece}}}},
			{minute: 2, errorID: "c", data: comesBack("p", "1", "60", "sold", "saleable", "")}},
		net:     "0",
		changes: "60",
	},
	{name: "customer takes the second line off", said: []told{{data: twoLines}, {minute: 1, data: &OrderDelivered{}},
		{
			minute: 2,
			data:   &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "2", Quantity: piece}}},
		}}, net: "0", changes: "-11"},
	{name: "business takes the second line off", said: []told{{data: twoLines},
		{
			minute: 2,
			data:   &OrderChanged{By: ByBusiness, LinesRemoved: []RemovedLine{{SKU: "x", Quantity: piece}}},
		}}, net: "11"},
	{
		name: "voucher lapsed",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ConcessionGranted{ConcessionID: "v", Kind: "voucher", Amount: d("10")}},
			{minute: 2, errorID: "c", data: &VoucherExpired{ConcessionID: "v", Amount: d("10")}},
		},
		net: "0",
	},
	{
		name: "voucher used",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ConcessionGranted{ConcessionID: "v", Kind: "voucher", Amount: d("10")}},
			{minute: 2, errorID: "c", data: &VoucherRedeemed{ConcessionID: "v", Amount: d("10")}},
		},
		net: "10",
	},
	{
		name: "voucher redeemed twice",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ConcessionGranted{ConcessionID: "v", Kind: "voucher", Amount: d("10")}},
			{minute: 2, errorID: "c", data: &VoucherRedeemed{ConcessionID: "v", RedemptionID: "x", Amount: d("10")}},
			{
				source:  "shop",
				minute:  3,
				errorID: "c",
				data:    &VoucherRedeemed{ConcessionID: "v", RedemptionID: "x", Amount: d("10")},
			},
		},
		net:     "10",
		doubles: 1,
	},
	{
		name: "store credit of a refund",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &RefundIssued{RefundID: "v", Net: d("100"), Method: "store_credit"}},
			{
				minute:  2,
				errorID: "c",
				data:    &VoucherRedeemed{ConcessionID: "v", Amount: d("70")},
			},
			{minute: 3, errorID: "c", data: &VoucherExpired{ConcessionID: "v", Amount: d("30")}},
		},
		net: "70",
	},
	{
		name: "store credit granted",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ConcessionGranted{ConcessionID: "v", Kind: "store_credit", Amount: d("100")}},
			{
				minute:  2,
				errorID: "c",
				data:    &VoucherRedeemed{ConcessionID: "v", Amount: d("70")},
			},
			{minute: 3, errorID: "c", data: &VoucherExpired{ConcessionID: "v", Amount: d("30")}},
		},
		net: "70",
	},
	{
		name: "refund from till and webhook",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: report("damaged", "")},
			{minute: 2, data: refunded("r1", "30", "2.4")},
			{source: "webhook", minute: 3, errorID: "c", data: refunded("r1", "32.4", "0")},
		},
		net:     "30",
		doubles: 1,
	},
	{
		name: "refund from webhook and till",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: report("damaged", "")},
			{minute: 3, data: refunded("r1", "30", "2.4")},
			{source: "webhook", minute: 2, errorID: "c", data: refunded("r1", "32.4", "0")},
		},
		net:     "30",
		doubles: 1,
	},
	{
		name:    "one order.placed from two sources",
		said:    []told{{data: sale}, {source: "shop", minute: 1, data: sale}},
		net:     "0",
		own:     "36.57",
		doubles: 1,
	},
	{
		name: "b_grade worth more than it cost",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{minute: 2, errorID: "c", data: sent("r")},
			{
				minute:  3,
				errorID: "c",
				data:    comesBack("q", "1", "55", "wrong_item", "b_grade", "80"),
			},
		},
		net:  "0",
		hold: map[Account]string{WriteDown: "0"},
	},
	{
		name: "trip failed",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: report("damaged", "")},
			{minute: 2, errorID: "c", data: sent("r")},
			{
				minute:  3,
				errorID: "c",
				data:    &RedeliveryCompleted{RedeliveryID: "r", TripID: "1", DriveMinutes: d("60"), Stops: 1},
			},
			{minute: 4, errorID: "c", data: sent("r")},
			{
				minute:  5,
				errorID: "c",
				data:    &RedeliveryCompleted{RedeliveryID: "r", TripID: "2", Succeeded: true, DriveMinutes: d("60"), Stops: 1},
			},
		},
		net:  "180.40",
		hold: map[Account]string{TruckRoll: "120.40", ReplacementGoods: "60"},
	},
	{
		name: "dispute lost twice, never opened",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &DisputeLost{DisputeID: "x", Amount: d("108"), Tax: d("8")}},
			{source: "bank", minute: 2, data: &DisputeLost{DisputeID: "x", Amount: d("108")}},
		},
		net:     "100",
		doubles: 1,
	},
	{
		name: "claim short paid",
		said: []told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ClaimAccepted{ClaimID: "k", Party: "supplier", Amount: d("60")}},
			{
				minute:  2,
				errorID: "c",
				data:    &ClaimSettled{ClaimID: "k", Party: "supplier", Amount: d("45")},
			},
			{minute: 3, errorID: "c", data: &ClaimClosed{ClaimID: "k", Reason: "short_paid"}},
		},
		net: "-45",
	},
	{
		name: "void of what never was",
		said: []told{
			{data: sale},
			{minute: 1, data: &EventVoided{Source: "till", ID: "never", Original: &Event{Currency: "USD", Time: when,
				Data: &RefundIssued{Net: d("500000")}}}},
		},
		net:     "0",
		own:     "36.57",
		nothing: 1,
	},
}

// TestCasesWithTheirRightValues: every row, in all orders of arrival (100 random ones of more than 6 events), each
// split by a close at every place.
func TestCasesWithTheirRightValues(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for _, c := range slices.Concat(rightCases, owedCases, moreCases, soldCases, ownCases, refundCases, decidedCases) {
		t.Run(c.name, func(t *testing.T) {
			events := asEvents(c.said)
			for _, arrival := range arrivals(len(events), random) {
				for closeAt := -1; closeAt <= len(events); closeAt++ {
					terms, all := recorded(events, arrival, closeAt)
					s, err := terms.Settle(all)
					if err != nil {
						t.Fatal(err)
					}
					if problem := c.check(s); problem != "" {
						t.Errorf("arriving as %v, closed before %d (seed %d): %s", arrival, closeAt, seed, problem)
						for n := range s.Events {
							t.Log(all[n].Event.ID, s.Events[n].Standing, inWords(s.Events[n].Lines), s.Events[n].Unpriced)
						}
						return
					}
				}
			}
		})
	}
}
