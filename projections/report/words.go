package report

import (
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
)

// keyWords are what the keys of reports are called in front of people.
var keyWords = map[string]string{
	"day": "Day", "month": "Month", "store": "Store", "vendor": "Supplier", "kind": "What went wrong",
	"root_cause":     "Cause",
	"party_at_fault": "Who was at fault", "employee": "Employee", "avoidable": "Could it have been avoided?",
	"element": "What the money went on", "account": "Account", "basis": "How it is recorded",
	"category": "Found before or after delivery", "case": "Case", "order": "Order",
	"founded": "Was it founded?", "selling_store": "Sold by",
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
	"founded":   {"yes": "Founded", "no": "Unfounded", "true": "Founded", "false": "Unfounded", "": "No case"},
	"avoidable": {"true": "Yes", "false": "No", "": "Not known"},
	"root_cause": {
		"pick_pack": "Picking and packing", "order_capture": "Order taken down wrongly", "catalog_data": "Catalogue data",
		"overpromise": "Promised too much", "supplier_quality": "Supplier quality",
		"inventory_accuracy": "Stock not as recorded", "billing_system": "Billing system", "": "No case recorded",
		"customer": "Customer", "unknown": "Not known", "carrier": "Carrier", "dispatch": "Dispatch",
		"training": "Training", "preparation": "Preparation",
	},
	"party_at_fault": {"own": "Ourselves", "": "Not said", "unknown": "Not known"},
	"mode":           {"own_truck": "Own truck"},
	"standing": {
		domain.Counts.String(): "Counts", domain.Double.String(): "Says what another event says",
		domain.Waits.String(): "Contradicts another event and waits", domain.Voided.String(): "Was taken back",
		domain.Discarded.String(): "Was decided against", domain.VoidsNothing.String(): "Takes back what is not there",
	},
	"missing": {
		"unpriced": "events that no rate could price", "waiting": "events that contradict other ones and wait for a person",
		"dead_letters": "messages that could not be read", "unplaced": "orders whose first message never came",
	},
	// Of the owner's questions.
	"action": {
		"set_terms": "Put the terms on record", "get_right": "Get it right the first time",
		"hold_budget": "Hold the failure budget", "cant_tell_yet": "Can't tell yet", "nothing_to_do": "Nothing to do",
	},
	"verdict": {"paid": "It paid", "not_paid": "It did not pay", "cant_tell_yet": "Can't tell yet"},
	"outcome": {"open": "Not due yet", "withdrawn": "The customer cancelled", "none": "No time was promised"},
	"fix":     {"no_case": "No case", "not_fixed": "Not fixed"},
	"status":  {"to_file": "To be claimed", "filed": "Claimed, not answered", "lapsed": "Too late to claim"},
	"view":    {"economic": "All of it", "booked": "What the ledger books"},
	"series":  {"company": "The whole company", "vendor": "Supplier"},
}

// coded are the keys whose every value is a code of the contract, and not a name.
var coded = []string{"kind", "root_cause", "party_at_fault", "avoidable", "founded", "element", "basis", "category",
	"party", "mode", "found", "detected_by", "by", "standing", "missing", "action", "verdict", "outcome", "fix", "status",
	"view", "series", "type", "flag"}

// sameWords are keys whose values are those of another key.
var sameWords = map[string]string{"party": "party_at_fault", "cause": "root_cause", "promise": "outcome"}

// Coded reports whether the values of a key are codes, which Word turns into words.
func Coded(key string) bool { return slices.Contains(coded, key) || sameWords[key] != "" }

// nothing is what a key's empty value means.
var nothing = map[string]string{
	"case": "No case", "order": "No order", "vendor": "No supplier named", "employee": "Nobody named",
	"kind": "No case recorded", "store": "No store named", "selling_store": "Not known",
}

// KeyWord is what a key of LeakageKeys is called in front of people.
func KeyWord(key string) string { return keyWords[key] }

// Word is the value of a key of LeakageKeys, or of a column of an answer, in front of people: root_cause pick_pack is
// Picking and packing. Names of stores and vendors stay as they are. Files and the API have the codes; in CSV and XLSX
// the words stand beside them.
func Word(key, value string) string {
	if same := sameWords[key]; same != "" {
		key = same
	}
	if w, ok := valueWords[key][value]; ok {
		return w
	}
	switch {
	case value == "":
		return nothing[key]
	case key == "type":
		return EventWord(value)
	case key == "flag":
		return flagMeaning(value)
	case Coded(key):
		return Sentence(value)
	}
	return value
}

// flagMeaning is the sentence that explains a flag.
func flagMeaning(code string) string {
	for _, c := range domain.FlagCodes() {
		if c.Code == code {
			return c.Means
		}
	}
	return Sentence(code)
}

// Sentence turns a word of the contract into one for people: pick_pack, Pick pack.
func Sentence(s string) string {
	s = strings.NewReplacer("_", " ", ".", " ").Replace(s)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// AccountWord is the name of an account in front of people.
func AccountWord(name string) string {
	if name == "cogs" {
		return "Cost of goods sold"
	}
	return Sentence(name)
}

// headings are what columns of reports are called in front of people, where that isn't the column's own name.
var headings = map[string]string{
	"recoveries": "Paid back", "recovered": "Paid back", "of": "What", "n": "n", "error_id": "Case", "order_id": "Order",
	"store_id": "Store", "vendor_id": "Supplier", "flag": "What can't be right", "standing": "How it stands",
	"recorded_at": "Recorded", "occurred_at": "Occurred",
}

// Heading is what a column of a table is called in front of people: in CSV, XLSX and terminals. JSON has its name.
func Heading(column string) string {
	if w := keyWords[column]; w != "" {
		return w
	}
	if w := headings[column]; w != "" {
		return w
	}
	return Sentence(column)
}

// InWords is the heading of the column that has the words for the codes of another one.
func InWords(heading string) string { return strings.TrimSuffix(heading, "?") + ", in words" }

// Headings are those of several columns.
func Headings(columns ...string) []string {
	words := make([]string, 0, len(columns))
	for _, c := range columns {
		words = append(words, Heading(c))
	}
	return words
}
