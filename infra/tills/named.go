package tills

import (
	"regexp"
	"slices"
	"sync"
)

// hiddenStep takes the place of a step that may say something of people.
const hiddenStep = "*"

var (
	// wordIn is a word of a program.
	wordIn = regexp.MustCompile(`[A-Za-z_]\w*`)
	// textIn is a text of a program: ."Order ID", ."@id".
	textIn = regexp.MustCompile(`"([^"\\]*)"`)
)

// named is a pointer from a value on, with * for each step that may say something of people: a body may have the
// customers by their e-mail addresses. What stays is what the mapping, the settings of the till or the contract names,
// and the places in lists.
func (r *mapRun) named(pointer string, from any) string {
	steps := stepsOf(pointer)
	for i, step := range steps {
		_, isList := from.([]any)
		next, there := inside(from, step)
		if isPlace := isList && there; !isPlace && !r.names(step) {
			steps[i] = hiddenStep
		}
		from = next
	}
	return pointerOf(steps)
}

// names reports whether the mapping, the contract or the till's settings have a name.
func (r *mapRun) names(step string) bool {
	if r.m.names[step] || contractNames()[step] {
		return true
	}
	for _, said := range r.till.Settings {
		if said == step || slices.Contains(wordIn.FindAllString(said, -1), step) {
			return true
		}
	}
	return false
}

// wordsOf are the names that a mapping has in its programs, for its columns, and in the defaults of its settings, such
// as order_path.
func (p *page) wordsOf() map[string]bool {
	words := map[string]bool{}
	add := func(s *source) {
		if s == nil {
			return
		}
		for _, word := range wordIn.FindAllString(s.text, -1) {
			words[word] = true
		}
		for _, text := range textIn.FindAllStringSubmatch(s.text, -1) {
			words[text[1]] = true
		}
	}
	add(p.Functions)
	add(p.Each)
	for i := range p.Unwrap {
		add(&p.Unwrap[i])
	}
	for i := range p.Kinds {
		add(p.Kinds[i].When)
		add(p.Kinds[i].Events)
	}
	for _, s := range p.Settings {
		add(&source{text: s.Default})
	}
	for _, column := range p.Read.Columns {
		words[column] = true
	}
	return words
}

// contractNames are the names of all members that events have.
var contractNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	var add func(m members)
	add = func(m members) {
		for name, inner := range m {
			names[name] = true
			add(inner)
		}
	}
	for _, m := range membersOf() {
		add(m)
	}
	for _, name := range attributes {
		names[name] = true
	}
	return names
})
