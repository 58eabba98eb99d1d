package domain

import "slices"

// The words of the contract stand here once: the codec, the schemas, SQL, boards, pages and commands take them from
// here. The lists are in the contract's order and are not to be changed.

// Kinds of cases that a rule speaks of.
const (
	KindWrongItem   = "wrong_item"
	KindMissingItem = "missing_item"
	KindOverShipped = "over_shipped"
	KindUnspecified = "unspecified" // the till doesn't say
	KindChangedMind = "changed_mind"
)

var kindWords = []string{
	KindWrongItem, "damaged", "defective", KindMissingItem, KindOverShipped, "late", "not_delivered", "wrong_address",
	"not_as_described", "billing_error", "credit_not_processed", "document_error", "service_conduct", KindUnspecified,
	KindChangedMind,
}

// Kinds lists what can go wrong.
func Kinds() []string { return slices.Clone(kindWords) }

var noFailures = []string{KindChangedMind}

// NoFailures lists the kinds of cases that are no failure: what they cost is never leakage, and stands apart.
func NoFailures() []string { return slices.Clone(noFailures) }

// IsFailure reports whether a case of this kind is a failure.
func IsFailure(kind string) bool { return !slices.Contains(noFailures, kind) }

// RootCauses lists what can cause a case.
func RootCauses() []string {
	return []string{
		"order_capture", "catalog_data", "overpromise", "pick_pack", "preparation", "inventory_accuracy", "supplier_quality",
		"carrier", "dispatch", "billing_system", "training", "customer", "unknown",
	}
}

// Parties lists who can be at fault.
func Parties() []string {
	return []string{"own", "supplier", "carrier", "marketplace", "customer", "unknown"}
}

// Severities lists how bad a case can be, the least first.
func Severities() []string { return []string{"minor", "major", "critical"} }

// When a case was found.
const (
	FoundBeforeDelivery = "before_delivery"
	FoundAfterDelivery  = "after_delivery"
)

// FoundWhen lists when a case can be found.
func FoundWhen() []string { return []string{FoundBeforeDelivery, FoundAfterDelivery} }

// Detectors lists who can find a case.
func Detectors() []string { return []string{"customer", "employee", "system", "carrier"} }

// Who changes or cancels an order.
const (
	ByCustomer = "customer"
	ByBusiness = "business"
)

// Changers lists who can change or cancel an order.
func Changers() []string { return []string{ByCustomer, ByBusiness} }

// Kinds of order lines.
const (
	LineGoods    = "goods" // also where a line doesn't say
	LineService  = "service"
	LineGiftCard = "gift_card"
	LineTip      = "tip"
	LineDeposit  = "deposit"
)

// LineKinds lists the kinds of order lines.
func LineKinds() []string {
	return []string{LineGoods, LineService, LineGiftCard, LineTip, LineDeposit}
}

// Methods of payment and of refunds that a rule speaks of.
const (
	MethodGiftCard    = "gift_card"
	MethodStoreCredit = "store_credit" // of a refund
	MethodManual      = "manual"       // of a refund that no payment service makes: somebody pays it
)

// TenderMethods lists how an order can be paid.
func TenderMethods() []string { return []string{"card", "cash", MethodGiftCard, "invoice", "other"} }

// Kinds of order.charged.
const (
	ChargeDelivery   = "delivery"
	ChargeCommission = "commission"
	ChargePaymentFee = "payment_fee"
	ChargePackaging  = "packaging"
	ChargeOther      = "other"
)

// ChargeKinds lists what an order can be charged beside its goods.
func ChargeKinds() []string {
	return []string{ChargeDelivery, ChargeCommission, ChargePaymentFee, ChargePackaging, ChargeOther}
}

// ConditionDamaged is that of goods that were delivered damaged.
const ConditionDamaged = "damaged"

// Conditions lists those of delivered goods.
func Conditions() []string { return []string{"good", ConditionDamaged} }

// Modes lists how a redelivery can be made.
func Modes() []string { return []string{"own_truck", "carrier", "pickup"} }

// Kinds of concessions that a rule speaks of: they are granted in face value, and cost what is redeemed.
const (
	ConcessionVoucher     = "voucher"
	ConcessionStoreCredit = "store_credit"
)

// ConcessionKinds lists what can be conceded.
func ConcessionKinds() []string {
	return []string{"discount", "price_reduction", "cash", "fee_waiver", ConcessionVoucher, ConcessionStoreCredit}
}

// What a returned line was.
const (
	WasWrongItem = "wrong_item"
	WasSold      = "sold"
)

// ReturnedAs lists what a returned line can have been.
func ReturnedAs() []string { return []string{WasWrongItem, WasSold} }

// Grades of returned goods.
const (
	GradeSaleable  = "saleable"
	GradeB         = "b_grade"
	GradeScrap     = "scrap"
	GradeAbandoned = "abandoned" // left with the customer
)

// Grades lists those of returned goods, the best first.
func Grades() []string { return []string{GradeSaleable, GradeB, GradeScrap, GradeAbandoned} }

// Claimants lists of whom money can be claimed.
func Claimants() []string { return []string{"supplier", "carrier", "insurer", "marketplace"} }

// ClaimEnds lists why nothing more comes of a claim.
func ClaimEnds() []string { return []string{"paid", "short_paid", "refused", "withdrawn"} }

// Categories of quality.spent.
const (
	CategoryPrevention = "prevention"
	CategoryAppraisal  = "appraisal"
)

// QualityCategories lists what can be spent on serving right the first time.
func QualityCategories() []string { return []string{CategoryPrevention, CategoryAppraisal} }

// Streams lists the streams' names.
func Streams() []string { return slices.Clone(streamNames[Orders : Books+1]) }
