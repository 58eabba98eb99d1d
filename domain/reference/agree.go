package reference

import "slices"

// aside are the fields that say nothing of money, goods or case: "store, people, text, time do not matter".
var aside = []string{
	"store_id", "order_id", "error_id", "customer_id", "employee_id", "vendor_id", "party", "party_id", "channel", "actor",
	"reason",
	"description", "activity", "detected_by", "expires", "promise", "delivered_at", "root_cause", "target_cause",
	"party_at_fault", "severity", "avoidable", "mode", "line_id", "change_id",
}

// agree: "Events of one fact agree if, wherever both say something of money, goods or case, they say the same. What one
// leaves out does not contradict; two refunds or disputes of one total, one without tax, agree."
func (v *view) agree(a, b *event) bool {
	if a.named() != "" && b.named() != "" && v.caseOf(a.named()) != v.caseOf(b.named()) {
		return false
	}
	if a.kind == "refund.issued" && !sameRefund(a.data, b.data) {
		return false
	}
	return sameSayings(a.kind, a.data, b.data)
}

// sameRefund compares the totals where one of two does not split off the tax.
func sameRefund(a, b fields) bool {
	sameNet := a.dec("net").Cmp(b.dec("net")) == 0
	sameTotal := plus(a.dec("net"), a.dec("tax")).Cmp(plus(b.dec("net"), b.dec("tax"))) == 0
	if a.dec("tax").Sign() == 0 || b.dec("tax").Sign() == 0 {
		return sameNet || sameTotal
	}
	return sameNet && sameTotal
}

func sameSayings(kind string, a, b fields) bool {
	for name, x := range a {
		y := b[name]
		refund := kind == "refund.issued" && (name == "net" || name == "tax")
		unsaid := kind == "error.reported" && name == "kind" && (x == "unspecified" || y == "unspecified")
		if refund || unsaid || slices.Contains(aside, name) || x == nil || y == nil {
			continue
		}
		if !sameSaying(name, x, y) {
			return false
		}
	}
	return true
}

func sameSaying(name string, x, y any) bool {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		return ok && sameSayings("", x, y)
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameSaying(name, x[i], y[i]) {
				return false
			}
		}
		return true
	}
	return sameValue(name, x, y)
}
