package tills

import (
	"fmt"
	"strings"
)

// Codes of refusals. They are never renamed.
const (
	CodeBadMapping  = "bad_mapping"  // the mapping itself
	CodeBadSetting  = "bad_setting"  // the till's configuration lacks a setting, or has one that there isn't
	CodeBadBody     = "bad_body"     // not JSON, CSV … at all
	CodeTooLarge    = "too_large"    // a body of more than MaxBody bytes
	CodeTooDeep     = "too_deep"     // nested deeper than any till nests
	CodeTooLong     = "too_long"     // the programs don't end
	CodeTooMuch     = "too_much"     // the programs make too much, or the table is too large
	CodeUnknownKind = "unknown_kind" // no kind of the mapping fits
	CodeProgram     = "program"      // a program failed
	CodeFloat       = "float"        // a number that went through a float
	CodeRefused     = "refused"      // the program refused it
	CodeUnknownWord = "unknown_word" // a word that a table doesn't have
	CodeNotAnEvent  = "not_an_event" // what a program gave is no event; wire's own codes come beside these
	CodeUnknown     = "unknown_member"
	CodeConflict    = "conflict" // two events of one document have one id and say different things
)

// Refusal is why nothing, or not all, became of a body. A body, of many in a document, is mapped whole or not at all.
type Refusal struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
	File   string `json:"file,omitempty"` // that the body is of, where there are several
	Record int    `json:"record"`         // which body of the document, from 1
	// FileLines are the lines of a table, from 1, that the rows of the body begin in: at most 10, none where a program
	// made other rows of them.
	FileLines []int  `json:"file_lines,omitempty"`
	Kind      string `json:"kind,omitempty"`    // of body
	Line      int    `json:"line,omitempty"`    // of the mapping
	Program   string `json:"program,omitempty"` // the piece of it
	Event     int    `json:"event,omitempty"`   // which event of the body, from 1
	Pointer   string `json:"pointer,omitempty"` // into the event
	Value     string `json:"value,omitempty"`   // what is there, cut short
	ID        string `json:"id,omitempty"`      // of the event, cut short
	// At is where in the body it is (RFC 6901), of a table the column in the line, and Found what stands there, cut
	// short; both are empty where nothing says which place it is.
	At    string `json:"at,omitempty"`
	Found string `json:"found,omitempty"`
	// Named is Pointer, else At, with * for each step that may say something of people: see mapRun.named.
	Named string `json:"-"`
}

// Place is where in the document it is: the lines of a table, else which record.
func (r Refusal) Place() string {
	switch n := len(r.FileLines); {
	case n == 1:
		return fmt.Sprintf("line %d of the file", r.FileLines[0])
	case n > 1:
		s := "lines"
		for i, line := range r.FileLines {
			if s += fmt.Sprintf(" %d", line); i < n-1 {
				s += ","
			}
		}
		if n == maxLines {
			s += " …"
		}
		return s + " of the file"
	case r.Record > 1:
		return fmt.Sprintf("record %d", r.Record)
	}
	return ""
}

func (r Refusal) String() string {
	var place []string
	if r.File != "" {
		place = append(place, r.File)
	}
	if where := r.Place(); where != "" {
		place = append(place, where)
	}
	if r.Kind != "" {
		place = append(place, r.Kind)
	}
	if r.Line > 0 {
		place = append(place, fmt.Sprintf("line %d of the mapping", r.Line))
	}
	if event := r.event(); event != "" {
		place = append(place, event)
	}
	if r.Pointer != "" {
		place = append(place, r.Pointer)
	}
	if r.At != "" {
		place = append(place, r.At+" of the body")
	}
	s := r.Code + ": " + r.Reason
	if r.Value != "" {
		s += ", not " + r.Value
	}
	if r.Found != "" && r.Value == "" && !strings.Contains(r.Reason, strings.Trim(r.Found, `"`)) {
		s += "; found " + r.Found
	}
	if len(place) > 0 {
		s = strings.Join(place, ", ") + ": " + s
	}
	if r.Program != "" && !strings.HasPrefix(r.Program, "refuse(") { // which says no more than the reason
		s += " in " + cut(r.Program)
	}
	if r.Hint != "" {
		s += " (" + r.Hint + ")"
	}
	return s
}

// event is which one of the body it is, with its id where it has one.
func (r Refusal) event() string {
	switch {
	case r.Event == 0:
		return ""
	case r.ID != "":
		return fmt.Sprintf("event %d (id %s)", r.Event, r.ID)
	}
	return fmt.Sprintf("event %d", r.Event)
}
