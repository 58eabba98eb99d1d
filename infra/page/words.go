package page

import (
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// groups are the keys that a table can be grouped by, in the order of their picker.
var groups = []string{
	"root_cause", "kind", "store", "vendor", "party_at_fault", "avoidable", "element", "account", "basis",
	"category", "selling_store", "founded", "day", "month",
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
	return report.Sentence(code)
}

// eventWord is an event's type: makegood.order.placed.v1, Order placed.
func eventWord(kind string) string {
	return report.Sentence(domain.ShortName(kind))
}

// caseWords tells a case in one line.
func caseWords(c *report.Case) string {
	words := []string{report.Word("kind", c.Kind), "cause: " + strings.ToLower(report.Word("root_cause", c.RootCause))}
	if c.PartyAtFault != "" {
		words = append(words, "at fault: "+strings.ToLower(report.Word("party_at_fault", c.PartyAtFault)))
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
	words = append(words, "found "+strings.ToLower(report.Word("category", c.Category)))
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
