package report

import "strings"

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

// KeyWord is what a key of LeakageKeys is called in front of people.
func KeyWord(key string) string { return keyWords[key] }

// Word is the value of a key of LeakageKeys in front of people: root_cause pick_pack is Picking and packing. Names of
// stores and vendors, and what is not known here, stay as they are.
func Word(key, value string) string {
	if w, ok := valueWords[key][value]; ok {
		return w
	}
	switch {
	case value == "":
		return nothing[key]
	case key == "kind" || key == "root_cause" || key == "party_at_fault":
		return Sentence(value)
	}
	return value
}

// Sentence turns a word of the contract into one for people: pick_pack, Pick pack.
func Sentence(s string) string {
	s = strings.NewReplacer("_", " ", ".", " ").Replace(s)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// headings are what columns of reports are called in front of people, where that isn't the column's own name.
var headings = map[string]string{
	"recoveries": "Paid back", "recovered": "Paid back", "of": "What", "n": "n", "error_id": "Case", "order_id": "Order",
	"store_id": "Store", "vendor_id": "Supplier",
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

// Headings are those of several columns.
func Headings(columns ...string) []string {
	words := make([]string, 0, len(columns))
	for _, c := range columns {
		words = append(words, Heading(c))
	}
	return words
}
