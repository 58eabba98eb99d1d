package reference

import (
	"cmp"
	"slices"
)

// aside are the fields that say nothing of money, goods or case: "store, people, text, time do not matter".
var aside = []string{
	"store_id", "order_id", "error_id", "customer_id", "employee_id", "vendor_id", "party", "party_id", "channel", "actor",
	"reason", "description", "activity", "detected_by", "expires", "promise", "delivered_at", "root_cause",
	"target_cause", "party_at_fault", "severity", "avoidable", "mode", "line_id", "change_id", "role", "inspect_role",
	"vehicle", "components", "experiment",
}

// named are the lists of lines that are taken off: of these the line_id says which goods are meant.
var named = []string{"order.changed/lines_removed", "order.cancelled/lines"}

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

// sameSayings compares what is said in one place: an event's data, by its kind, or an object in it, by where it stands.
func sameSayings(in string, a, b fields) bool {
	switch in {
	case "order.charged": // credit? "default false"
		if (a.boolText("credit") == "true") != (b.boolText("credit") == "true") {
			return false
		}
	case "order.placed/lines", "order.changed/lines_added": // "goods is what is meant where nothing is said"
		if cmp.Or(a.str("kind"), "goods") != cmp.Or(b.str("kind"), "goods") {
			return false
		}
	}
	for name, x := range a {
		y := b[name]
		refund := in == "refund.issued" && (name == "net" || name == "tax")
		beside := slices.Contains(aside, name) && !(name == "line_id" && slices.Contains(named, in))
		if refund || beside || unsaid(in, name, x) || unsaid(in, name, y) {
			continue
		}
		if in == "refund.issued" && name == "method" {
			x, y = meaning(x), meaning(y)
		}
		if !sameSaying(in+"/"+name, name, x, y) {
			return false
		}
	}
	return true
}

// unsaid reports whether a value says no more than leaving it out.
func unsaid(in, name string, x any) bool {
	switch name {
	case "kind":
		return x == nil || in == "error.reported" && x == "unspecified"
	case "stops": // "default 1"
		d := asDecimal(name, x)
		return d == nil || d.Cmp(one()) == 0
	case "replaces_goods":
		return x != true
	}
	return x == nil
}

// meaning is that of a refund's method: "any word; gift_card and store_credit have a meaning".
func meaning(method any) any {
	if method == "gift_card" || method == "store_credit" {
		return method
	}
	return "money"
}

func sameSaying(in, name string, x, y any) bool {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		return ok && sameSayings(in, x, y)
	case []any:
		y, ok := y.([]any)
		return ok && sameLists(in, name, x, y)
	}
	return sameValue(name, x, y)
}

// sameLists finds for each element in turn another one that says the same: the order of lines doesn't matter. An empty
// list says nothing.
func sameLists(in, name string, x, y []any) bool {
	if len(x) == 0 || len(y) == 0 {
		return true
	}
	if len(x) != len(y) {
		return false
	}
	left := slices.Clone(y)
	for _, one := range x {
		at := slices.IndexFunc(left, func(other any) bool { return sameSaying(in, name, one, other) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return true
}
