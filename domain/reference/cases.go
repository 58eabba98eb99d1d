package reference

import "sort"

// caseFacts are the attributes of a case as last classified; "" is not known.
type caseFacts struct {
	kind, rootCause, partyAtFault, vendor, employee, avoidable, severity string
	found                                                                string
}

const changedMind = "changed_mind"

// gatherCases takes the earliest report of each case and overrides it, field by field, with the latest classification that
// names the field. Voided events say nothing.
func gatherCases(events []*event, voidOf map[Identity]*event) map[string]caseFacts {
	var reports, classified []*event
	for _, e := range events {
		switch {
		case voidOf[e.Identity] != nil:
		case e.kind == "error.reported":
			reports = append(reports, e)
		case e.kind == "error.classified":
			classified = append(classified, e)
		}
	}
	byTime := func(list []*event) {
		sort.Slice(list, func(i, j int) bool {
			if !list[i].time.Equal(list[j].time) {
				return list[i].time.Before(list[j].time)
			}
			return list[i].less(list[j].Identity)
		})
	}
	byTime(reports)
	byTime(classified)

	cases := make(map[string]caseFacts)
	for _, e := range reports {
		id := e.data.str("error_id")
		if _, there := cases[id]; !there {
			facts := caseFacts{found: e.data.str("found")}
			facts.take(e.data)
			cases[id] = facts
		}
	}
	for _, e := range classified { // the latest comes last and stays
		id := e.data.str("error_id")
		facts := cases[id]
		facts.take(e.data)
		cases[id] = facts
	}
	return cases
}

func (c *caseFacts) take(data fields) {
	for name, field := range map[string]*string{
		"kind": &c.kind, "root_cause": &c.rootCause, "party_at_fault": &c.partyAtFault,
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
