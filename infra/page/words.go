package page

import (
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
		words := report.Word("flag", f.Code)
		if f.Currency != "" {
			words += " By " + f.Amount + thin + f.Currency + "."
		}
		all = append(all, words)
	}
	return all
}
