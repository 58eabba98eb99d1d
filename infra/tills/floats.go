package tills

import (
	"regexp"
	"strconv"
	"strings"
)

// An id that a program somewhere took for a float has lost digits: 9007199254740993000 comes as 9.007199254740993e18,
// as 9.00720E+18 out of a spreadsheet, and 1001 as 1001.0. Many orders become one, or an order becomes another one. As
// an amount such a number is exact. So what was written in this way is noted where it is read, and refused as an id.

// floats are the numbers of a document, as they were written, that no id is.
type floats map[string]bool

var (
	jsonFloat  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?[eE][-+]?[0-9]+$|^-?[0-9]+\.0$`)
	tableFloat = regexp.MustCompile(`^-?[0-9]([.,][0-9]+)?E\+[0-9]{2,3}$`)
)

// note keeps a number of JSON that was a float.
func (f floats) note(number string) {
	candidate := strings.ContainsAny(number, "eE") || strings.HasSuffix(number, ".0")
	if f != nil && candidate && jsonFloat.MatchString(number) {
		f[number] = true
	}
}

// noteCell keeps what a spreadsheet makes of a long number, also in a text that it exports. Any other cell is a text as
// its writer meant it.
func (f floats) noteCell(cell string) {
	if strings.Contains(cell, "E+") && tableFloat.MatchString(cell) {
		f[cell] = true
	}
}

// asID refuses an event of which an id is one of them: its own, its subject, and whatever is called an id, or sku.
func (f floats) asID(e map[string]any) *failure {
	if len(f) == 0 {
		return nil
	}
	for _, name := range []string{"id", "subject"} {
		for _, piece := range strings.Split(asString(e[name]), "/") {
			if f[piece] {
				return floatID(piece, "/"+name)
			}
		}
	}
	return f.within(e["data"], "/data")
}

func (f floats) within(v any, pointer string) *failure {
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			if wrong := f.within(one, pointer+"/"+strconv.Itoa(i)); wrong != nil {
				return wrong
			}
		}
	case map[string]any:
		for _, name := range memberOrder(v) {
			at := pointer + "/" + name
			if s := asString(v[name]); f[s] && (name == "sku" || name == "id" || strings.HasSuffix(name, "_id")) {
				return floatID(s, at)
			}
			if wrong := f.within(v[name], at); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

func floatID(id, pointer string) *failure {
	return &failure{code: CodeFloat, pointer: pointer,
		reason: "the id " + show(id) + " went through a float, and may have lost digits",
		hint:   "have ids sent as texts; in a spreadsheet the column's format is text before they are put in"}
}
