package domain

import (
	"slices"
	"time"
)

// The stream redeliveries: what is done to make it good, and what it brings and costs.

const (
	TypeRedeliveryDispatched Type = iota + firstRedeliveries
	TypeRedeliveryCompleted
	TypeLabourSpent
	TypeRefundIssued
	TypeConcessionGranted
	TypeVoucherRedeemed
	TypeVoucherExpired
	TypeReturnReceived
	TypeSalvageSold
	TypeDisputeOpened
	TypeDisputeWon
	TypeDisputeLost
	TypeMarketplaceCharged
	TypeClaimFiled
	TypeClaimAccepted
	TypeClaimSettled
	TypeClaimClosed
)

var redeliveryKinds = []kind{
	{TypeRedeliveryDispatched, "redelivery.dispatched", Redeliveries, PostsSettled, []Data{
		&RedeliveryDispatched{RedeliveryID: "1", Mode: "own_truck", Lines: probeGoods},
		&RedeliveryDispatched{RedeliveryID: "1", Mode: "carrier", Lines: probeGoods[:1], CarrierCharge: probeC},
	}},
	{TypeRedeliveryCompleted, "redelivery.completed", Redeliveries, PostsSettled, []Data{
		&RedeliveryCompleted{RedeliveryID: "1", Succeeded: true, Vehicle: "known", DriveMinutes: 30_000_000,
			SiteMinutes: 15_000_000, WaitMinutes: 7_000_000, DistanceKM: 24_100_000, Stops: 3},
		&RedeliveryCompleted{RedeliveryID: "1", Vehicle: "other", DriveMinutes: 1_000_000},
		&RedeliveryCompleted{RedeliveryID: "1", Vehicle: "other", DistanceKM: 5_000_000, Stops: 1, CarrierCharge: probeA},
	}},
	{TypeLabourSpent, "labour.spent", Redeliveries, PostsSettled, []Data{
		&LabourSpent{Role: "known", Minutes: 18_000_000},
		&LabourSpent{Role: "other", Minutes: 7_500_000},
		&LabourSpent{Role: "void", Minutes: 1_000_000},
		&LabourSpent{Role: "known"},
	}},
	{TypeRefundIssued, "refund.issued", Redeliveries, PostsSettled, []Data{
		&RefundIssued{RefundID: "1", Net: probeA, Tax: probeB},
		&RefundIssued{RefundID: "1", Net: probeA, Method: MethodGiftCard, FeeReturned: probeC},
		&RefundIssued{RefundID: "1", Net: probeA, Method: MethodStoreCredit},
		&RefundIssued{RefundID: "1", Net: probeB, Method: MethodManual},
		&RefundIssued{RefundID: "1", Net: probeB, ReplacesGoods: true},
	}},
	{TypeConcessionGranted, "concession.granted", Redeliveries, PostsSettled, probeEach(ConcessionKinds(),
		func(kind string) Data {
			return &ConcessionGranted{ConcessionID: kind, Kind: kind, Amount: probeA, Tax: probeB}
		})},
	{TypeVoucherRedeemed, "voucher.redeemed", Redeliveries, PostsSettled, []Data{
		&VoucherRedeemed{ConcessionID: "1", Amount: probeA},
	}},
	{TypeVoucherExpired, "voucher.expired", Redeliveries, PostsSettled, []Data{
		&VoucherExpired{ConcessionID: "1", Amount: probeA},
	}},
	{TypeReturnReceived, "return.received", Redeliveries, PostsSettled, slices.Concat(
		[]Data{
			&ReturnReceived{ReturnID: "1", FreightCharge: probeC, InspectMinutes: 6_000_000, InspectRole: "known"},
		},
		probeEach(ReturnedAs(), func(was string) Data { return probeReturn(was, GradeSaleable) }),
		probeEach(ReturnedAs(), func(was string) Data { return probeReturn(was, GradeB) }),
		probeEach(ReturnedAs(), func(was string) Data { return probeReturn(was, GradeScrap) }),
		probeEach(ReturnedAs(), func(was string) Data { return probeReturn(was, GradeAbandoned) }),
	)},
	{TypeSalvageSold, "salvage.sold", Redeliveries, PostsSettled, []Data{
		&SalvageSold{SalvageID: "1", Amount: probeA},
	}},
	{TypeDisputeOpened, "dispute.opened", Redeliveries, PostsSettled, []Data{
		&DisputeOpened{DisputeID: "1", Amount: probeA, Fee: probeB},
		&DisputeOpened{DisputeID: "1", Amount: probeA},
	}},
	{TypeDisputeWon, "dispute.won", Redeliveries, PostsSettled, []Data{
		&DisputeWon{DisputeID: "1", Amount: probeA, FeeReturned: probeC},
	}},
	{TypeDisputeLost, "dispute.lost", Redeliveries, PostsSettled, []Data{
		&DisputeLost{DisputeID: "1", Amount: probeA, Tax: probeB},
	}},
	{TypeMarketplaceCharged, "marketplace.charged", Redeliveries, PostsSettled, []Data{
		&MarketplaceCharged{ChargeID: "1", Amount: probeA, Tax: probeB},
	}},
	{TypeClaimFiled, "claim.filed", Redeliveries, PostsNothing, []Data{
		&ClaimFiled{ClaimID: "1", Party: "carrier", Amount: probeA},
	}},
	{TypeClaimAccepted, "claim.accepted", Redeliveries, PostsSettled, []Data{
		&ClaimAccepted{ClaimID: "1", Amount: probeA},
	}},
	{TypeClaimSettled, "claim.settled", Redeliveries, PostsSettled, []Data{
		&ClaimSettled{ClaimID: "1", Amount: probeA},
	}},
	{TypeClaimClosed, "claim.closed", Redeliveries, PostsSettled, []Data{
		&ClaimClosed{ClaimID: "1", Reason: "short_paid"},
	}},
}

// PaidElsewhere lists the kinds whose money on Clearing no payment processor moves: a till takes a voucher, a scrap
// dealer or a supplier pays. Money of all others is held against what a processor says that it paid.
func PaidElsewhere() []Type {
	return []Type{TypeVoucherRedeemed, TypeSalvageSold, TypeClaimSettled}
}

// RedeliveryDispatched sends the right goods after the wrong ones.
type RedeliveryDispatched struct {
	RedeliveryID, Mode string
	Lines              []GoodsLine
	CarrierCharge      Decimal
	Promise            Promise
}

func (*RedeliveryDispatched) data() Type           { return TypeRedeliveryDispatched }
func (d *RedeliveryDispatched) businessID() string { return d.RedeliveryID }

func (d *RedeliveryDispatched) post(v *view, i int32) {
	v.owed(i, RedeliveryFreight, FreightOut, d.CarrierCharge)
}

// RedeliveryCompleted is the trip as it went. Minutes and kilometres are those of the whole trip, shared by Stops.
type RedeliveryCompleted struct {
	RedeliveryID, TripID, Vehicle                      string
	Succeeded                                          bool
	DriveMinutes, SiteMinutes, WaitMinutes, DistanceKM Decimal
	Stops                                              int64
	CarrierCharge                                      Decimal
}

func (*RedeliveryCompleted) data() Type           { return TypeRedeliveryCompleted }
func (d *RedeliveryCompleted) businessID() string { return d.TripID }

func (d *RedeliveryCompleted) post(v *view, i int32) {
	v.truck(i, d)
	v.owed(i, RedeliveryFreight, FreightOut, d.CarrierCharge)
}

// LabourSpent is somebody's minutes on a case.
type LabourSpent struct {
	LabourID, Role, Activity string
	Minutes                  Decimal
}

func (*LabourSpent) data() Type           { return TypeLabourSpent }
func (d *LabourSpent) businessID() string { return d.LabourID }

func (d *LabourSpent) post(v *view, i int32) { v.labour(i, d.Role, d.Minutes) }

// RefundIssued is money given back. FeeReturned is the part of the payment fee that the processor gives back.
// ReplacesGoods: the customer gets the money in place of goods that are still owed.
type RefundIssued struct {
	RefundID, Method string
	Net, Tax         Decimal
	FeeReturned      Decimal
	ReplacesGoods    bool
}

func (*RefundIssued) data() Type           { return TypeRefundIssued }
func (d *RefundIssued) businessID() string { return d.RefundID }
func (d *RefundIssued) saidTax() Decimal   { return d.Tax }

// ConcessionGranted is given on top, of one of the kinds discount, price_reduction, cash, fee_waiver, voucher,
// store_credit.
type ConcessionGranted struct {
	ConcessionID, Kind string
	Amount, Tax        Decimal
	Expires            time.Time
}

func (*ConcessionGranted) data() Type           { return TypeConcessionGranted }
func (d *ConcessionGranted) businessID() string { return d.ConcessionID }
func (d *ConcessionGranted) saidTax() Decimal   { return d.Tax }

// post is of a concession in money; a voucher and store credit have their own rules.
func (d *ConcessionGranted) post(v *view, i int32) {
	if d.Kind != ConcessionVoucher && d.Kind != ConcessionStoreCredit {
		v.paid(i, Allowances, Concession, d.Amount)
	}
}

// VoucherRedeemed is a voucher used.
type VoucherRedeemed struct {
	ConcessionID, RedemptionID string
	Amount                     Decimal
}

func (*VoucherRedeemed) data() Type           { return TypeVoucherRedeemed }
func (d *VoucherRedeemed) businessID() string { return d.RedemptionID }

// VoucherExpired releases a voucher's liability.
type VoucherExpired struct {
	ConcessionID, RedemptionID string
	Amount                     Decimal
}

func (*VoucherExpired) data() Type           { return TypeVoucherExpired }
func (d *VoucherExpired) businessID() string { return d.RedemptionID }

// ReturnReceived is goods that came back, graded.
type ReturnReceived struct {
	ReturnID, InspectRole         string
	Lines                         []ReturnLine
	FreightCharge, InspectMinutes Decimal
}

func (*ReturnReceived) data() Type           { return TypeReturnReceived }
func (d *ReturnReceived) businessID() string { return d.ReturnID }

func (d *ReturnReceived) post(v *view, i int32) {
	v.owed(i, ReturnFreight, FreightReturn, d.FreightCharge)
	v.labour(i, d.InspectRole, d.InspectMinutes)
}

// ReturnLine is what came back of one sku: Was wrong_item or sold, Grade saleable, b_grade, scrap or abandoned. NRV is
// the net realisable value of the whole line (IAS 2), which a b_grade has.
type ReturnLine struct {
	GoodsLine
	Was, Grade string
	NRV        Optional
}

// SalvageSold is what the wreck still brought.
type SalvageSold struct {
	SalvageID string
	Amount    Decimal
}

func (*SalvageSold) data() Type           { return TypeSalvageSold }
func (d *SalvageSold) businessID() string { return d.SalvageID }

func (d *SalvageSold) post(v *view, i int32) {
	v.move(v.ofCase(Fix, i), Salvage, SalvageElement, Clearing, -v.money(d.Amount))
}

// DisputeOpened is a charge-back begun: the bank holds Amount and takes Fee.
type DisputeOpened struct {
	DisputeID   string
	Amount, Fee Decimal
}

func (*DisputeOpened) data() Type           { return TypeDisputeOpened }
func (d *DisputeOpened) businessID() string { return d.DisputeID }

// DisputeWon ends a dispute with the money back.
// FeeReturned is the part of the dispute's fee that comes back too.
type DisputeWon struct {
	DisputeID           string
	Amount, FeeReturned Decimal
}

func (*DisputeWon) data() Type           { return TypeDisputeWon }
func (d *DisputeWon) businessID() string { return d.DisputeID }

// DisputeLost ends a dispute with the money gone. Tax is the part of Amount that is sales tax.
type DisputeLost struct {
	DisputeID   string
	Amount, Tax Decimal
}

func (*DisputeLost) data() Type           { return TypeDisputeLost }
func (d *DisputeLost) businessID() string { return d.DisputeID }
func (d *DisputeLost) saidTax() Decimal   { return d.Tax }

// MarketplaceCharged is a penalty of a marketplace. Amount is net of Tax.
type MarketplaceCharged struct {
	ChargeID    string
	Amount, Tax Decimal
}

func (*MarketplaceCharged) data() Type           { return TypeMarketplaceCharged }
func (d *MarketplaceCharged) businessID() string { return d.ChargeID }
func (d *MarketplaceCharged) saidTax() Decimal   { return d.Tax }

func (d *MarketplaceCharged) post(v *view, i int32) {
	v.paid(i, MarketplaceCharge, Marketplace, d.Amount)
}

// ClaimFiled asks a supplier, carrier, insurer or marketplace to pay. It posts nothing.
type ClaimFiled struct {
	ClaimID, Party, PartyID string
	Amount                  Decimal
	Lines                   []GoodsLine
}

func (*ClaimFiled) data() Type           { return TypeClaimFiled }
func (d *ClaimFiled) businessID() string { return d.ClaimID }

// ClaimAccepted is a supplier, carrier, insurer or marketplace agreeing to pay.
type ClaimAccepted struct {
	ClaimID, Party, PartyID string
	Amount                  Decimal
}

func (*ClaimAccepted) data() Type           { return TypeClaimAccepted }
func (d *ClaimAccepted) businessID() string { return d.ClaimID }

// ClaimSettled is that party having paid.
type ClaimSettled struct {
	ClaimID, PaymentID, Party, PartyID string
	Amount                             Decimal
}

func (*ClaimSettled) data() Type           { return TypeClaimSettled }
func (d *ClaimSettled) businessID() string { return d.PaymentID }

// ClaimClosed says that nothing more will come: Reason paid, short_paid, refused or withdrawn.
type ClaimClosed struct{ ClaimID, Reason string }

func (*ClaimClosed) data() Type           { return TypeClaimClosed }
func (d *ClaimClosed) businessID() string { return d.ClaimID }
