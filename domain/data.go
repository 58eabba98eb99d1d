package domain

import "time"

// Truth is a yes or no that may be unknown.
type Truth uint8

const (
	Unknown Truth = iota
	Yes
	No
)

// Promise is the time span in which the customer was told to have the goods; zero times are open ends.
type Promise struct {
	From, Until time.Time
}

// --- stream orders ---

// OrderPlaced is what a customer was promised, at a price, by a time.
type OrderPlaced struct {
	CustomerID, Channel, EmployeeID      string
	Lines                                []OrderLine
	DeliveryFee, DeliveryTax, PaymentFee Decimal
	DeliveryCost                         Decimal // what the carrier of the first delivery bills
	Commission                           Decimal // what a marketplace keeps
	Tenders                              []Tender
	Promise                              Promise
}

// Tender is one way in which an order was paid: Method is card, cash, gift_card, invoice or other. The tenders of an order
// sum to its total, tax included.
type Tender struct {
	Method string
	Amount Decimal
}

// OrderLine is one line of an order. UnitPrice and Discount (whole line) are net of tax; Tax is for the whole line. Kind is
// goods, service, gift_card, tip or deposit; empty is goods. Only goods have a cost, only a deposit may have a quantity
// below zero (empties brought back).
type OrderLine struct {
	LineID, SKU, VendorID, Kind        string
	Quantity, UnitPrice, Discount, Tax Decimal
	UnitCost                           Optional
	Components                         []Component // of a kit; a delivery of all of them delivers the line
}

// Component is how many pieces of a sku are in one piece of a kit.
type Component struct {
	SKU      string
	Quantity Decimal
}

// PromiseChanged moves the promise; it binds only where the customer agreed.
type PromiseChanged struct {
	Promise            Promise
	AgreedWithCustomer bool
}

// OrderDelivered says when and what arrived. Zero DeliveredAt: at the event's time.
type OrderDelivered struct {
	DeliveredAt time.Time
	Lines       []DeliveredLine
	DocumentsOK Truth
}

// DeliveredLine is what arrived of one sku.
type DeliveredLine struct {
	SKU      string
	Quantity Decimal
	Damaged  bool
}

// OrderCancelled undoes (part of) a sale, by "customer" or "business". With Lines it cancels those. Net and Tax are what the
// customer gets back, Cost what the goods cost that stay; what is not said is as the order booked it.
type OrderCancelled struct {
	ChangeID, By, Reason string
	Net, Tax, Cost       Optional
	Lines                []RemovedLine
}

// OrderChanged edits an order, by "customer" or "business". A zero Promise leaves the promise as it is.
type OrderChanged struct {
	ChangeID, By, Reason string
	LinesAdded           []OrderLine
	LinesRemoved         []RemovedLine
	Promise              Promise
}

// RemovedLine takes some of a line off an order. The line is named by its LineID, else by its SKU.
type RemovedLine struct {
	LineID, SKU string
	Quantity    Decimal
}

// OrderCharged is what an order costs beside its goods: Kind delivery, commission, payment_fee, packaging or other. Credit:
// it is given back.
type OrderCharged struct {
	ChargeID, Kind string
	Amount         Decimal
	Credit         bool
}

// FeedbackReceived is what the customer said, 1 to 5.
type FeedbackReceived struct {
	Rating              int
	Public              bool
	Channel, CustomerID string
}

// --- stream errors ---

// Classification is what is known of a case's cause; empty strings and Unknown are "not said".
type Classification struct {
	Kind, RootCause, PartyAtFault, VendorID, EmployeeID, Severity string
	Avoidable                                                     Truth
}

// ErrorReported is a promise not kept: it opens a case.
type ErrorReported struct {
	Classification
	Found, DetectedBy string
	Lines             []ErrorLine
}

// ErrorLine is what was expected of one sku, and what came instead.
type ErrorLine struct {
	SKU              string
	Quantity         Decimal
	UnitCost         Optional
	ReceivedSKU      string
	ReceivedQuantity Optional
	ReceivedUnitCost Optional
}

// ErrorClassified says what is known better now. Per field, the one with the latest time wins.
// SameAs makes the case part of another one: its report counts for nothing, its fixes belong to the other.
type ErrorClassified struct {
	Classification
	SameAs string
}

// ErrorRejected says that the case is unfounded.
type ErrorRejected struct{ Reason string }

// GoodsScrapped is stock lost to a failure.
type GoodsScrapped struct {
	ScrapID, Reason string
	Lines           []GoodsLine
}

// GoodsLine is some of a sku, at its cost.
type GoodsLine struct {
	SKU      string
	Quantity Decimal
	UnitCost Optional
}

// --- stream redeliveries ---

// RedeliveryDispatched sends the right goods after the wrong ones.
type RedeliveryDispatched struct {
	RedeliveryID, Mode string
	Lines              []GoodsLine
	CarrierCharge      Decimal
	Promise            Promise
}

// RedeliveryCompleted is the trip as it went. Minutes and kilometres are those of the whole trip, shared by Stops.
type RedeliveryCompleted struct {
	RedeliveryID, TripID, Vehicle                      string
	Succeeded                                          bool
	DriveMinutes, SiteMinutes, WaitMinutes, DistanceKM Decimal
	Stops                                              int64
	CarrierCharge                                      Decimal
}

// LabourSpent is somebody's minutes on a case.
type LabourSpent struct {
	LabourID, Role, Activity string
	Minutes                  Decimal
}

// RefundIssued is money given back. FeeReturned is the part of the payment fee that the processor gives back.
// ReplacesGoods: the customer gets the money in place of goods that are still owed.
type RefundIssued struct {
	RefundID, Method string
	Net, Tax         Decimal
	FeeReturned      Decimal
	ReplacesGoods    bool
}

// ConcessionGranted is given on top, of one of the kinds discount, price_reduction, cash, fee_waiver, voucher, store_credit.
type ConcessionGranted struct {
	ConcessionID, Kind string
	Amount, Tax        Decimal
	Expires            time.Time
}

// VoucherRedeemed is a voucher used.
type VoucherRedeemed struct {
	ConcessionID, RedemptionID string
	Amount                     Decimal
}

// VoucherExpired releases a voucher's liability.
type VoucherExpired struct {
	ConcessionID, RedemptionID string
	Amount                     Decimal
}

// ReturnReceived is goods that came back, graded.
type ReturnReceived struct {
	ReturnID, InspectRole         string
	Lines                         []ReturnLine
	FreightCharge, InspectMinutes Decimal
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

// DisputeOpened is a charge-back begun: the bank holds Amount and takes Fee.
type DisputeOpened struct {
	DisputeID   string
	Amount, Fee Decimal
}

// DisputeWon ends a dispute with the money back.
// FeeReturned is the part of the dispute's fee that comes back too.
type DisputeWon struct {
	DisputeID           string
	Amount, FeeReturned Decimal
}

// DisputeLost ends a dispute with the money gone. Tax is the part of Amount that is sales tax.
type DisputeLost struct {
	DisputeID   string
	Amount, Tax Decimal
}

// MarketplaceCharged is a penalty of a marketplace. Amount is net of Tax.
type MarketplaceCharged struct {
	ChargeID    string
	Amount, Tax Decimal
}

// ClaimFiled asks a supplier, carrier, insurer or marketplace to pay. It posts nothing.
type ClaimFiled struct {
	ClaimID, Party, PartyID string
	Amount                  Decimal
	Lines                   []GoodsLine
}

// ClaimAccepted is a supplier, carrier, insurer or marketplace agreeing to pay.
type ClaimAccepted struct {
	ClaimID, Party, PartyID string
	Amount                  Decimal
}

// ClaimSettled is that party having paid.
type ClaimSettled struct {
	ClaimID, PaymentID, Party, PartyID string
	Amount                             Decimal
}

// ClaimClosed says that nothing more will come: Reason paid, short_paid, refused or withdrawn.
type ClaimClosed struct{ ClaimID, Reason string }

// --- stream books ---

// RateSet puts a rate in force from a moment on, see Rates.
type RateSet struct {
	Rate, Key     string
	Value         Decimal
	EffectiveFrom time.Time
}

// QualitySpent is money for doing it right the first time, by category prevention or appraisal.
type QualitySpent struct {
	SpendID, Category, TargetCause, Description string
	Amount                                      Decimal
}

// PeriodClosed closes a month.
type PeriodClosed struct{ Period Period }

// PeriodReopened opens it again.
type PeriodReopened struct{ Period Period }

// DeadLetterReplayed notes that somebody had a dead letter sent again. It changes no term and posts nothing: what the dead
// letter says is booked, or refused, by itself.
type DeadLetterReplayed struct{ HandledLetter }

// DeadLetterDiscarded notes that somebody decided to do nothing about one.
type DeadLetterDiscarded struct{ HandledLetter }

// HandledLetter is which dead letter, where the log last held it, who dealt with it and why.
type HandledLetter struct {
	DeadLetterID, Topic string
	Partition, Offset   Optional
	Actor, Reason       string
}

// BooksRebuilt posts history anew: what was recorded before it is priced with the rates that are known at its own place in
// the log, see Terms.PricedAt. Unless ClosedPeriods, the months that are closed then keep what their reports hold.
type BooksRebuilt struct {
	RebuildID     string
	ClosedPeriods bool
}

// FactDecided is a person's word on two events that contradict each other, or that are taken for one and are two: whether
// the event of that identity counts, or is a fact of its own (Separate). OrderID and ErrorID say where to find it; both may be
// empty.
type FactDecided struct {
	Source, ID, OrderID, ErrorID string
	Counts                       Truth
	Separate                     bool
	Actor, Reason                string
}

// EventVoided takes an event back, on whatever stream that was.
type EventVoided struct {
	Source, ID, Reason string
	Original           *Event
}

func (*OrderPlaced) data()          {}
func (*PromiseChanged) data()       {}
func (*OrderDelivered) data()       {}
func (*OrderCancelled) data()       {}
func (*OrderChanged) data()         {}
func (*OrderCharged) data()         {}
func (*FeedbackReceived) data()     {}
func (*ErrorReported) data()        {}
func (*ErrorClassified) data()      {}
func (*ErrorRejected) data()        {}
func (*GoodsScrapped) data()        {}
func (*RedeliveryDispatched) data() {}
func (*RedeliveryCompleted) data()  {}
func (*LabourSpent) data()          {}
func (*RefundIssued) data()         {}
func (*ConcessionGranted) data()    {}
func (*VoucherRedeemed) data()      {}
func (*VoucherExpired) data()       {}
func (*ReturnReceived) data()       {}
func (*SalvageSold) data()          {}
func (*DisputeOpened) data()        {}
func (*DisputeWon) data()           {}
func (*DisputeLost) data()          {}
func (*MarketplaceCharged) data()   {}
func (*ClaimAccepted) data()        {}
func (*ClaimSettled) data()         {}
func (*ClaimFiled) data()           {}
func (*ClaimClosed) data()          {}
func (*FactDecided) data()          {}
func (*RateSet) data()              {}
func (*QualitySpent) data()         {}
func (*PeriodClosed) data()         {}
func (*PeriodReopened) data()       {}
func (*DeadLetterReplayed) data()   {}
func (*DeadLetterDiscarded) data()  {}
func (*BooksRebuilt) data()         {}
func (*EventVoided) data()          {}
