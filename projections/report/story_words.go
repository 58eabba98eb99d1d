package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// EventWord is an event's type in front of people: makegood.order.placed.v1 is Order placed.
func EventWord(kind string) string { return Sentence(domain.ShortName(kind)) }

// InWords tells a case in one line.
func (c *Case) InWords() string {
	words := []string{Word("kind", c.Kind), "cause: " + lower("root_cause", c.RootCause)}
	if c.PartyAtFault != "" {
		words = append(words, "at fault: "+lower("party_at_fault", c.PartyAtFault))
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
	words = append(words, "found "+lower("category", c.Category))
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

func lower(key, value string) string { return strings.ToLower(Word(key, value)) }

// What a person wants to see first of an event's data: words, measures with their unit, and amounts.
var (
	detailWords = []string{"kind", "found", "detected_by", "root_cause", "mode", "role", "rate", "key", "category",
		"party", "by", "reason", "rating"}
	detailMeasures = []struct{ name, unit string }{
		{"minutes", "minutes"}, {"drive_minutes", "minutes driving"}, {"site_minutes", "minutes on site"},
		{"wait_minutes", "minutes waiting"}, {"distance_km", "km"},
	}
	detailAmounts = []string{"amount", "net", "value"}
	// detailLabels come before a word that says too little alone.
	detailLabels = map[string]string{"found": "found ", "detected_by": "by the ", "root_cause": "cause: ", "by": "by ",
		"rating": "rating "}
)

// targetWords say of a decision, and of a void, which event it is about, what was decided, and by whom.
func targetWords(fields map[string]any) (words []string) {
	if voids, is := fields["voids"].(map[string]any); is {
		words = append(words, fmt.Sprintf("takes back %v of %v", voids["id"], voids["source"]))
	} else if id, source := fields["id"], fields["source"]; id != nil && source != nil {
		what := "counts"
		switch {
		case fields["separate"] == true:
			what = "is a fact of its own"
		case fields["counts"] == false:
			what = "does not count"
		}
		words = append(words, fmt.Sprintf("%v of %v %s", id, source, what))
	}
	if actor, is := fields["actor"].(string); is && len(words) > 0 {
		words = append(words, "by "+actor)
	}
	return words
}

// Details are what a person wants to see first of an event's data.
func Details(data json.RawMessage) string {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return ""
	}
	words := targetWords(fields)
	for _, name := range detailWords {
		if v, ok := fields[name]; ok && v != nil {
			words = append(words, detailLabels[name]+detailWord(name, fmt.Sprint(v)))
		}
	}
	for _, n := range detailMeasures {
		if v, ok := fields[n.name]; ok && v != nil {
			words = append(words, fmt.Sprint(v)+" "+n.unit)
		}
	}
	currency, _ := fields["currency"].(string)
	for _, name := range detailAmounts {
		if v, ok := fields[name]; ok && v != nil {
			words = append(words, strings.TrimSpace(fmt.Sprint(v)+" "+currency))
		}
	}
	if promise, is := fields["promise"].(map[string]any); is && promise["until"] != nil {
		words = append(words, "promised until "+momentWords(fmt.Sprint(promise["until"])))
	}
	return strings.Join(append(words, lineWords(fields)...), ", ")
}

// momentWords is a moment as people read it; as it is where it is none.
func momentWords(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return text
	case at.Second() == 0:
		return at.UTC().Format("2 Jan 2006, 15:04 MST")
	}
	return at.UTC().Format("2 Jan 2006, 15:04:05 MST")
}

// detailWord is a value in the middle of a line.
func detailWord(name, value string) string {
	if Coded(name) {
		return lower(name, value)
	}
	return strings.ReplaceAll(value, "_", " ")
}

// lineWords are the first lines of what was ordered, sent or came back.
func lineWords(fields map[string]any) (words []string) {
	lines, _ := fields["lines"].([]any)
	const few = 3
	for i, l := range lines {
		if line, ok := l.(map[string]any); ok && i < few {
			words = append(words, fmt.Sprintf("%v × %v", line["quantity"], line["sku"]))
		}
	}
	if len(lines) > few {
		words = append(words, fmt.Sprintf("and %d more", len(lines)-few))
	}
	return words
}
