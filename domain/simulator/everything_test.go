package simulator

import (
	"fmt"
	"testing"

	"github.com/makegood/makegood/domain"
)

// TestEverythingHappens: whoever draws on a simulation for a test can rely on meeting every word of the contract.
func TestEverythingHappens(t *testing.T) {
	words := words{}
	for _, e := range all(t, config(11, 60_000)) {
		words.take(&e)
	}
	want := everyWord
	for _, ty := range domain.Types() {
		if !ty.Own() { // no business says these: makegood does
			want = append(want, ty.String())
		}
	}
	for prefix, list := range everyWordOf {
		for _, w := range list {
			want = append(want, prefix+" "+w)
		}
	}
	for _, w := range want {
		if words[w] == 0 {
			t.Errorf("never: %s", w)
		}
	}
}

var everyWord = []string{
	"no order", "succeeded true", "succeeded false", "prevention", "appraisal", "by customer", "by business",
	"by employee",
	"by system", "by carrier", "found before_delivery", "found after_delivery", "avoidable 0", "avoidable 1",
	"avoidable 2",
	"void makegood.order.placed.v1", "void makegood.refund.issued.v1", "kit", "empties", "delivery cost", "commission",
	"lines cancelled", "cancelled without cost", "promise changed by an edit", "credit", "refund without a case",
	"refund replaces goods", "fee returned", "dispute fee returned", "tax of a dispute", "tax of a marketplace",
	"redemption numbered", "redemption not numbered", "same as", "decided true", "decided false", "decided separate",
	"trip numbered", "claim filed for goods", "scrap numbered",
}

var everyWordOf = map[string][]string{
	"kind": {"wrong_item", "damaged", "defective", "missing_item", "over_shipped", "late", "not_delivered",
		"wrong_address",
		"not_as_described", "billing_error", "credit_not_processed", "document_error", "service_conduct", "unspecified",
		"changed_mind"},
	"cause": {"order_capture", "catalog_data", "overpromise", "pick_pack", "preparation", "inventory_accuracy",
		"supplier_quality", "carrier", "dispatch", "billing_system", "training", "customer", "unknown"},
	"party":      {"own", "supplier", "carrier", "marketplace", "customer", "unknown"},
	"severity":   {"minor", "major", "critical"},
	"mode":       {"own_truck", "carrier", "pickup"},
	"concession": {"discount", "price_reduction", "cash", "fee_waiver", "voucher", "store_credit"},
	"wrong_item": {"saleable", "b_grade", "scrap", "abandoned"},
	"sold":       {"saleable", "b_grade", "scrap", "abandoned"},
	"claim":      {"supplier", "carrier", "insurer", "marketplace"},
	"closed":     {"paid", "short_paid", "refused", "withdrawn"},
	"channel":    {"counter", "phone", "web", "marketplace"},
	"line":       {"goods", "service", "gift_card", "tip", "deposit"},
	"tender":     {"card", "cash", "gift_card", "invoice"},
	"refund":     {"card", "account", "cash", "gift_card", "store_credit"},
	"charge":     {"delivery", "commission", "payment_fee", "packaging", "other"},
	"changed":    {"customer", "business"},
	"removed":    {"line_id", "sku"},
}

// words counts what was said.
type words map[string]int

func (w words) when(condition bool, word string) {
	if condition {
		w[word]++
	}
}

func (w words) take(e *domain.Event) {
	w[e.Type.String()]++
	switch d := e.Data.(type) {
	case *domain.OrderPlaced:
		w.placed(d)
	case *domain.OrderCancelled:
		w["by "+d.By]++
		w.when(len(d.Lines) > 0, "lines cancelled")
		w.when(!d.Cost.Set && len(d.Lines) == 0, "cancelled without cost")
		w.removed(d.Lines)
	case *domain.OrderChanged:
		w["changed "+d.By]++
		w.when(!d.Promise.Until.IsZero(), "promise changed by an edit")
		w.removed(d.LinesRemoved)
	case *domain.OrderCharged:
		w["charge "+d.Kind]++
		w.when(d.Credit, "credit")
	case *domain.ErrorReported:
		w.reported(e, d)
	case *domain.ErrorClassified:
		w.when(d.SameAs != "", "same as")
	case *domain.QualitySpent:
		w[d.Category]++
	case *domain.EventVoided:
		w["void "+d.Original.Type.String()]++
	case *domain.FactDecided:
		w.when(d.Counts == domain.Yes, "decided true")
		w.when(d.Counts == domain.No, "decided false")
		w.when(d.Separate, "decided separate")
	default:
		w.fixed(e)
	}
}

func (w words) placed(d *domain.OrderPlaced) {
	w["channel "+d.Channel]++
	for _, l := range d.Lines {
		kind := l.Kind
		if kind == "" {
			kind = "goods"
		}
		w["line "+kind]++
		w.when(len(l.Components) > 0, "kit")
		w.when(l.Quantity < 0, "empties")
	}
	for _, tender := range d.Tenders {
		w["tender "+tender.Method]++
	}
	w.when(d.DeliveryCost > 0, "delivery cost")
	w.when(d.Commission > 0, "commission")
}

func (w words) removed(lines []domain.RemovedLine) {
	for _, l := range lines {
		w.when(l.LineID != "", "removed line_id")
		w.when(l.SKU != "", "removed sku")
	}
}

func (w words) reported(e *domain.Event, d *domain.ErrorReported) {
	w["kind "+d.Kind]++
	w["found "+d.Found]++
	w["by "+d.DetectedBy]++
	w["cause "+d.RootCause]++
	w["party "+d.PartyAtFault]++
	w["severity "+d.Severity]++
	w[fmt.Sprint("avoidable ", d.Avoidable)]++
	w.when(e.OrderID == "", "no order")
}

// fixed counts what is said of a fix.
func (w words) fixed(e *domain.Event) {
	switch d := e.Data.(type) {
	case *domain.GoodsScrapped:
		w.when(d.ScrapID != "", "scrap numbered")
	case *domain.RedeliveryDispatched:
		w["mode "+d.Mode]++
	case *domain.RedeliveryCompleted:
		w[fmt.Sprint("succeeded ", d.Succeeded)]++
		w.when(d.TripID != "", "trip numbered")
	case *domain.RefundIssued:
		w["refund "+d.Method]++
		w.when(e.ErrorID == "", "refund without a case")
		w.when(d.ReplacesGoods, "refund replaces goods")
		w.when(d.FeeReturned > 0, "fee returned")
	case *domain.ConcessionGranted:
		w["concession "+d.Kind]++
	case *domain.VoucherRedeemed:
		w.when(d.RedemptionID != "", "redemption numbered")
		w.when(d.RedemptionID == "", "redemption not numbered")
	case *domain.ReturnReceived:
		w[d.Lines[0].Was+" "+d.Lines[0].Grade]++
	case *domain.DisputeWon:
		w.when(d.FeeReturned > 0, "dispute fee returned")
	case *domain.DisputeLost:
		w.when(d.Tax > 0, "tax of a dispute")
	case *domain.MarketplaceCharged:
		w.when(d.Tax > 0, "tax of a marketplace")
	case *domain.ClaimFiled:
		w.when(len(d.Lines) > 0, "claim filed for goods")
	case *domain.ClaimAccepted:
		w["claim "+d.Party]++
	case *domain.ClaimClosed:
		w["closed "+d.Reason]++
	}
}
