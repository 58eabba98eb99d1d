package domain

// The stream errors: what went wrong.

const (
	TypeErrorReported Type = iota + firstErrors
	TypeErrorClassified
	TypeErrorRejected
	TypeGoodsScrapped
)

var errorKinds = []kind{
	{TypeErrorReported, "error.reported", Errors, PostsSettled, probeEach(Kinds(), func(kind string) Data {
		return &ErrorReported{Classification: Classification{Kind: kind}, Lines: []ErrorLine{
			{SKU: "known", Quantity: 2_000_000, UnitCost: probeCost, ReceivedSKU: "other", ReceivedUnitCost: Some(probeC)},
			{SKU: "other", Quantity: 1_000_000, ReceivedSKU: "known", ReceivedQuantity: Some(2_000_000)},
			{SKU: "known", Quantity: 1_000_000, UnitCost: probeCost}}}
	})},
	{TypeErrorClassified, "error.classified", Errors, PostsSettled, []Data{
		&ErrorClassified{Classification: Classification{Kind: KindWrongItem}},
		&ErrorClassified{SameAs: "another"},
	}},
	{TypeErrorRejected, "error.rejected", Errors, PostsSettled, []Data{
		&ErrorRejected{Reason: "mistaken"},
	}},
	{TypeGoodsScrapped, "goods.scrapped", Errors, PostsSettled, []Data{
		&GoodsScrapped{Lines: probeGoods},
	}},
}

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
	Experiment        Experiment
}

// Experiment says that a draw decided how this customer is treated: its name, and the arm that was drawn. Customers in
// the arm Holdout get nothing extra.
type Experiment struct{ Name, Arm string }

// Holdout is the arm that the others are compared with.
const Holdout = "holdout"

func (*ErrorReported) data() Type { return TypeErrorReported }

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

func (*ErrorClassified) data() Type { return TypeErrorClassified }

// ErrorRejected says that the case is unfounded.
type ErrorRejected struct{ Reason string }

func (*ErrorRejected) data() Type { return TypeErrorRejected }

// GoodsScrapped is stock lost to a failure.
type GoodsScrapped struct {
	ScrapID, Reason string
	Lines           []GoodsLine
}

func (*GoodsScrapped) data() Type           { return TypeGoodsScrapped }
func (d *GoodsScrapped) businessID() string { return d.ScrapID }

func (d *GoodsScrapped) post(v *view, i int32) { v.scrapped(i, d) }

// GoodsLine is some of a sku, at its cost.
type GoodsLine struct {
	SKU      string
	Quantity Decimal
	UnitCost Optional
}
