package page

import (
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// What the reports' keys are called in front of people.
var keyWords = map[string]string{
	"day": "Day", "month": "Month", "store": "Store", "vendor": "Supplier", "kind": "What went wrong",
	"root_cause":     "Cause",
	"party_at_fault": "Who was at fault", "employee": "Employee", "avoidable": "Could it have been avoided?",
	"element": "What the money went on", "account": "Account", "basis": "How it is recorded",
	"category": "Found before or after delivery", "case": "Case", "order": "Order",
	"founded": "Was it founded?", "selling_store": "Sold by",
}

// groups are the keys that a table can be grouped by, in the order of their picker.
var groups = []string{
	"root_cause", "kind", "store", "vendor", "party_at_fault", "employee", "avoidable", "element", "account", "basis",
	"category", "selling_store", "founded", "day", "month",
}

// valueWords are values that aren't self-explaining, by key.
var valueWords = map[string]map[string]string{
	"element": {
		"REFUND": "Refunds", "GOODS": "Replacement goods", "WRITE_DOWN": "Goods written down",
		"FREIGHT_OUT": "Freight to the customer", "FREIGHT_RETURN": "Freight of returns", "FLEET": "Own trucks",
		"LABOUR": "Staff time", "CONCESSION": "Discounts and vouchers", "DISPUTE": "Payment disputes",
		"MARKETPLACE": "Marketplace charges", "RECOVERY": "Paid back by suppliers and others", "SALVAGE": "Sold as salvage",
	},
	"basis":     {"CASH": "Money moved", "ACCRUED": "Booked, not yet paid", "IMPUTED": "Hidden in wages and fleet"},
	"category":  {"internal": "Before delivery", "external": "After delivery"},
	"founded":   {"yes": "Founded", "no": "Unfounded", "": "No case"},
	"avoidable": {"true": "Yes", "false": "No", "": "Not known"},
	"root_cause": {
		"pick_pack": "Picking and packing", "order_capture": "Order taken down wrongly", "catalog_data": "Catalogue data",
		"overpromise": "Promised too much", "supplier_quality": "Supplier quality",
		"inventory_accuracy": "Stock not as recorded", "billing_system": "Billing system", "": "No case recorded",
		"customer": "Customer", "unknown": "Not known", "carrier": "Carrier", "dispatch": "Dispatch",
		"training": "Training", "preparation": "Preparation",
	},
	"party_at_fault": {"own": "Ourselves", "": "Not said", "unknown": "Not known"},
}

// nothing is what a key's empty value means.
var nothing = map[string]string{
	"case": "No case", "order": "No order", "vendor": "No supplier named", "employee": "Nobody named",
	"kind": "No case recorded", "store": "No store named", "selling_store": "Not known",
}

// standingWords say how an event stands that doesn't count.
var standingWords = map[string]string{
	domain.Double.String():       "says what another event says, and posts nothing",
	domain.Waits.String():        "contradicts another event, posts nothing and waits for a decision",
	domain.Voided.String():       "was taken back",
	domain.Discarded.String():    "was decided against",
	domain.VoidsNothing.String(): "takes back what is not there",
}

// flagWords say what can't be right, each with its amount.
func flagWords(flags []report.StoryFlag) []string {
	var all []string
	for _, f := range flags {
		words := flagMeaning(f.Code)
		if f.Currency != "" {
			words += " By " + f.Amount + thin + f.Currency + "."
		}
		all = append(all, words)
	}
	return all
}

// flagMeaning is the sentence that explains a code.
func flagMeaning(code string) string {
	for _, c := range domain.FlagCodes() {
		if c.Code == code {
			return c.Means
		}
	}
	return sentence(code)
}

// word is a key's value in front of people.
func word(key, value string) string {
	if w, ok := valueWords[key][value]; ok {
		return w
	}
	switch {
	case value == "":
		return nothing[key]
	case key == "kind" || key == "root_cause" || key == "party_at_fault":
		return sentence(value)
	}
	return value
}

// sentence turns a word of the contract into one for people: pick_pack, Pick pack.
func sentence(s string) string {
	s = strings.NewReplacer("_", " ", ".", " ").Replace(s)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// eventWord is an event's type: makegood.order.placed.v1, Order placed.
func eventWord(kind string) string {
	return sentence(domain.ShortName(kind))
}

// caseWords tells a case in one line.
func caseWords(c *report.Case) string {
	words := []string{word("kind", c.Kind), "cause: " + strings.ToLower(word("root_cause", c.RootCause))}
	if c.PartyAtFault != "" {
		words = append(words, "at fault: "+strings.ToLower(word("party_at_fault", c.PartyAtFault)))
	}
	if c.VendorID != "" {
		words = append(words, "supplier "+c.VendorID)
	}
	if c.EmployeeID != "" {
		words = append(words, "employee "+domain.ShortPerson(c.EmployeeID))
	}
	if c.Avoidable != "" {
		words = append(words, map[string]string{"true": "avoidable", "false": "not avoidable"}[c.Avoidable])
	}
	words = append(words, "found "+strings.ToLower(word("category", c.Category)))
	switch {
	case c.SameAs != "":
		words = append(words, "part of case "+c.SameAs)
	case !c.Founded && domain.IsFailure(c.Kind):
		words = append(words, "unfounded: the customer was mistaken")
	}
	if !c.Reported {
		words = append(words, "nobody reported it")
	}
	return strings.Join(words, " · ")
}
