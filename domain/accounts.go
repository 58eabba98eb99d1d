package domain

// Account is a number of the default chart. A company's own general-ledger codes are a mapping in its configuration.
type Account uint16

// The default chart. Numbers from 4000 to 5999 are profit and loss of the order; 6xxx are the quality process and what
// the fixes absorbed of wages and fleet that the general ledger has already.
const (
	Clearing          Account = 1010
	Inventory         Account = 1200
	ReturnAsset       Account = 1210
	ClaimsReceivable  Account = 1300
	DisputeReceivable Account = 1310
	Tax               Account = 2200
	VoucherLiability  Account = 2300
	GiftCardLiability Account = 2310
	TipsPayable       Account = 2320
	Deposits          Account = 2330
	AccruedCosts      Account = 2400
	GoodsOwed         Account = 2410
	Sales             Account = 4000
	Returns           Account = 4100
	Allowances        Account = 4110
	Goodwill          Account = 4120
	CostOfGoods       Account = 5000
	PaymentFees       Account = 5050
	DeliveryCosts     Account = 5060
	Commissions       Account = 5070
	Packaging         Account = 5080
	OtherOrderCosts   Account = 5090
	ReplacementGoods  Account = 5100
	WriteDown         Account = 5110
	Salvage           Account = 5120
	RedeliveryFreight Account = 5200
	ReturnFreight     Account = 5210
	TruckRoll         Account = 5220
	RecoveryLabour    Account = 5300
	DisputeFees       Account = 5400
	DisputeLosses     Account = 5410
	MarketplaceCharge Account = 5420
	Recoveries        Account = 5900
	Prevention        Account = 6100
	Appraisal         Account = 6110
	AbsorbedLabour    Account = 6900
	AbsorbedFleet     Account = 6910
)

// Chart lists the accounts in order with their default names.
func Chart() []struct {
	Account Account
	Name    string
} {
	return []struct {
		Account Account
		Name    string
	}{
		{Clearing, "clearing"}, {Inventory, "inventory"}, {ReturnAsset, "return_asset"},
		{ClaimsReceivable, "claims_receivable"}, {DisputeReceivable, "dispute_receivable"},
		{Tax, "tax"}, {VoucherLiability, "voucher_liability"}, {GiftCardLiability, "gift_card_liability"},
		{TipsPayable, "tips_payable"}, {Deposits, "deposits"}, {AccruedCosts, "accrued_costs"}, {GoodsOwed, "goods_owed"},
		{Sales, "sales"}, {Returns, "returns"}, {Allowances, "allowances"}, {Goodwill, "goodwill"},
		{CostOfGoods, "cogs"}, {PaymentFees, "payment_fees"}, {DeliveryCosts, "delivery_costs"},
		{Commissions, "commissions"}, {Packaging, "packaging"}, {OtherOrderCosts, "other_order_costs"},
		{ReplacementGoods, "replacement_goods"},
		{WriteDown, "write_down"}, {Salvage, "salvage"}, {RedeliveryFreight, "redelivery_freight"},
		{ReturnFreight, "return_freight"}, {TruckRoll, "truck_roll"}, {RecoveryLabour, "recovery_labour"},
		{DisputeFees, "dispute_fees"}, {DisputeLosses, "dispute_losses"}, {MarketplaceCharge, "marketplace_charges"},
		{Recoveries, "recoveries"}, {Prevention, "prevention"}, {Appraisal, "appraisal"},
		{AbsorbedLabour, "absorbed_labour"}, {AbsorbedFleet, "absorbed_fleet"},
	}
}

// Basis says how real a line is for the general ledger.
type Basis uint8

const (
	Cash    Basis = iota + 1 // money moved
	Accrued                  // booked, not yet moved
	Imputed                  // already in the wages and fleet of the general ledger, absorbed here
)

var basisNames = [...]string{"", "CASH", "ACCRUED", "IMPUTED"}

func (b Basis) String() string { return basisNames[b] }

// Element marks a profit-and-loss line as failure cost and says of what sort. NoElement: not a failure cost.
type Element uint8

const (
	NoElement Element = iota
	Refund
	Goods
	WriteDownElement
	FreightOut
	FreightReturn
	Fleet
	Labour
	Concession
	Dispute
	Marketplace
	Recovery
	SalvageElement
)

var elementNames = [...]string{"", "REFUND", "GOODS", "WRITE_DOWN", "FREIGHT_OUT", "FREIGHT_RETURN", "FLEET", "LABOUR",
	"CONCESSION", "DISPUTE", "MARKETPLACE", "RECOVERY", "SALVAGE"}

func (e Element) String() string { return elementNames[e] }

// Elements and Bases list the names by their number, index 0 being "none": what ClickHouse's enums are made of.
func Elements() []string { return elementNames[:] }

// Bases lists the names of the bases by their number; index 0 is not a basis.
func Bases() []string { return basisNames[:] }

// The profit and loss of orders: sales and their cost, fixes included. It begins with the first of these numbers and
// ends before the second. What is below it is carried from month to month.
const (
	FirstProfitAndLoss Account = 4000
	EndProfitAndLoss   Account = 6000
)

// IsRecovery reports whether lines of the element are money that somebody paid back: what gross leakage leaves out.
func (e Element) IsRecovery() bool { return e == Recovery || e == SalvageElement }

// IsCost reports whether lines of the element are what failures cost, before anything was paid back: gross leakage.
func (e Element) IsCost() bool { return e != NoElement && !e.IsRecovery() }

// CostElements lists the names of the elements that are cost.
func CostElements() []string { return elementsThat(Element.IsCost) }

// RecoveryElements lists the names of the elements that are paid back.
func RecoveryElements() []string { return elementsThat(Element.IsRecovery) }

func elementsThat(are func(Element) bool) []string {
	var names []string
	for i, name := range elementNames {
		if are(Element(i)) {
			names = append(names, name)
		}
	}
	return names
}

// IsHidden reports whether amounts on the basis are in wages and fleet already, where the general ledger doesn't show
// them as a cost of failures. Others are booked.
func (b Basis) IsHidden() bool { return b == Imputed }

// Name is the account's name in the default chart.
func (a Account) Name() string { return accountNames[a] }

// ProfitAndLoss reports whether the account counts in an order's contribution: sales and their cost, fixes included.
func (a Account) ProfitAndLoss() bool { return a >= FirstProfitAndLoss && a < EndProfitAndLoss }

var accountNames = func() map[Account]string {
	names := map[Account]string{}
	for _, c := range Chart() {
		names[c.Account] = c.Name
	}
	return names
}()
