package reference

import "slices"

const changedMind = "changed_mind"

// caseKey is a case of an order: one that a person separated is one of each of two.
type caseKey struct{ order, id string }

// facts are what is known of a case; "" is not known.
type facts struct {
	id, order string
	sameAs    string // the case that it is part of; then its report counts for nothing
	report    *event
	events    []*event // reports and fixes of it, by time
	rejected  bool
	founded   bool   // "not rejected, kind not changed_mind"
	found     string // before_delivery or after_delivery
	avoidable string // true or false
	vendor    string
	kind      string
	rootCause string
	atFault   string
	employee  string
	severity  string
	gone      bool // no case any more: the rest is what was known of it last
}

func (c *facts) before() bool { return c.found == "before_delivery" }

func (c *facts) is(kinds ...string) bool { return c.founded && slices.Contains(kinds, c.kind) }

// makesACase: "A report and a fix make a case. What is only said of one (error.classified, error.rejected) makes none."
func makesACase(e *event) bool {
	return e.named() != "" && e.kind != "error.classified" && e.kind != "error.rejected"
}

// gatherCases finds the cases of the file and their facts: by time, wherever a close put it in the log.
func (f *file) gatherCases() {
	for _, e := range byTime(f.events) {
		if !makesACase(e) {
			continue
		}
		id := f.view.caseOf(e.named())
		c := f.caseNamed(id) // "and what a case is part of"
		if e.named() != id {
			f.partOf(id, e.named(), e)
		}
		if e.kind == "error.reported" && e.named() != id {
			continue // "its report counts for nothing, its fixes belong to the other"
		}
		c.events = append(c.events, e)
		if e.kind == "error.reported" {
			c.report = e
		}
	}
	for _, c := range f.cases {
		f.learn(c)
	}
	for _, c := range f.merged {
		f.learn(c)
		c.founded = false
	}
}

// partOf keeps what an event said of a case that is part of another.
func (f *file) partOf(other, id string, e *event) {
	c := f.view.cases[caseKey{f.home, id}]
	if c == nil || c.sameAs == "" {
		c = &facts{id: id, order: f.home, sameAs: other}
		f.view.cases[caseKey{f.home, id}] = c
		f.merged = append(f.merged, c)
	}
	if e.kind == "error.reported" {
		c.report = e
	}
}

// fixedBy adds a fix that names no case to the one that it belongs to, at its time.
func (c *facts) fixedBy(e *event) {
	at := len(c.events)
	for at > 0 && e.earlier(c.events[at-1]) {
		at--
	}
	c.events = slices.Insert(c.events, at, e)
}

// opener is the report of a case, else its first fix by time; nil where it is a case by another one that is part of
// it.
func (c *facts) opener() *event {
	if c.report != nil {
		return c.report
	}
	for _, e := range c.events {
		if isFix(e) {
			return e
		}
	}
	return nil
}

// learn: "kind as last classified (by time), else as reported; unspecified, or nothing reported, becomes wrong_item if
// a returned line says was: wrong_item. Founded: not rejected, kind not changed_mind."
func (f *file) learn(c *facts) {
	if c.report != nil {
		c.found = c.report.data.str("found")
		c.take(c.report.data)
	}
	for _, e := range byTime(f.events) {
		if e.named() == c.id && e.kind == "error.classified" {
			c.take(e.data)
		}
		if e.named() == c.id && e.kind == "error.rejected" {
			c.rejected = true
		}
	}
	if c.kind == "" || c.kind == "unspecified" {
		for _, e := range c.events {
			for _, l := range e.data.list("lines") {
				if e.kind == "return.received" && l.str("was") == "wrong_item" {
					c.kind = "wrong_item"
				}
			}
		}
	}
	c.founded = !c.rejected && c.kind != changedMind
}

// learnOwn learns what is said of a case whose error_id is a refund_id or dispute_id: of what kind it is, that it is
// rejected, that it is a part of another one.
func (f *file) learnOwn(c *facts, id string, e *event) {
	f.learn(c)
	if id == c.id {
		return
	}
	f.partOf(c.id, id, e)
	part := f.view.cases[caseKey{f.home, id}]
	f.learn(part)
	part.founded = false
}

func (c *facts) take(data fields) {
	for name, field := range map[string]*string{
		"kind": &c.kind, "root_cause": &c.rootCause, "party_at_fault": &c.atFault,
		"vendor_id": &c.vendor, "employee_id": &c.employee, "severity": &c.severity,
	} {
		if data.has(name) {
			*field = data.str(name)
		}
	}
	if data.has("avoidable") {
		c.avoidable = data.boolText("avoidable")
	}
}

// nameVendors: "vendor of a case: as classified or reported, else that of the order's lines with its skus if they name
// one". Its skus are those of its report, else those that were sent for it or came back.
func (f *file) nameVendors() {
	for _, c := range slices.Concat(f.cases, f.merged) {
		if c.vendor != "" {
			continue
		}
		vendors := map[string]bool{}
		for _, sku := range c.skus() {
			for _, o := range f.sale.lines {
				if o.sku == sku && o.vendor != "" {
					vendors[o.vendor] = true
				}
			}
		}
		if names := slices.Sorted(mapKeys(vendors)); len(names) == 1 {
			c.vendor = names[0]
		}
	}
}

func (c *facts) skus() (all []string) {
	said := c.events
	if c.report != nil && len(c.report.data.list("lines")) > 0 {
		said = []*event{c.report}
	}
	for _, e := range said {
		if e.kind == "error.reported" || e.kind == "redelivery.dispatched" || e.kind == "return.received" {
			for _, l := range e.data.list("lines") {
				all = append(all, l.str("sku"))
			}
		}
	}
	return all
}
