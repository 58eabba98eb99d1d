package tills

import (
	"regexp"
	"slices"
	"strings"
)

// Signed says whether senders sign what they send.
func (m *Mapping) Signed() bool { return m.sign.Scheme != "none" }

// maxTrial bounds a body that a sender tries an address with, in bytes.
const maxTrial = 1 << 10

// Trial says whether a body is what the sender tries a new address with, before it signs anything. It tells nothing of
// the business, so it is answered and not kept.
func (m *Mapping) Trial(body []byte) bool {
	return m.sign.trial != nil && len(body) <= maxTrial && m.sign.trial.Match(body)
}

// CheckTill says what a till's settings lack, or have that the mapping doesn't know.
func (m *Mapping) CheckTill(till Till) error {
	settings, wrong := m.settings(till)
	if wrong == nil {
		_, wrong = m.read.ofTill(settings)
	}
	if wrong != nil {
		return &MappingError{File: m.Name, Reason: wrong.reason, Hint: wrong.hint}
	}
	return nil
}

// headerNames find $headers.name, $headers["name"] and $headers."name" in a program.
var headerNames = regexp.MustCompile(`\$headers\s*\.?\s*(?:\[\s*"([^"\\]+)"\s*\]|"([^"\\]+)"|([A-Za-z_][A-Za-z0-9_]*))`)

// Headers are the names, in small letters, of those that kinds and programs look at. Whoever keeps a body for later
// keeps these with it: others may hold what is nobody's business.
func (m *Mapping) Headers() []string {
	programs := append(slices.Clone(m.unwrap), m.each)
	var names []string
	for _, k := range m.kinds {
		programs = append(programs, k.when, k.events)
		if k.header != "" {
			names = append(names, k.header)
		}
	}
	texts := []string{m.functions}
	for _, p := range programs {
		if p != nil {
			texts = append(texts, p.source.text)
		}
	}
	for _, text := range texts {
		for _, found := range headerNames.FindAllStringSubmatch(text, -1) {
			names = append(names, strings.ToLower(found[1]+found[2]+found[3]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
