package reference

import (
	"slices"
	"sort"
)

// units divide the events of the log: "The unit is an order with its cases; a case without an order is a unit by
// itself." Events that name one order or one case belong together, and a case that is part of another belongs to that
// one's unit. A void goes with what it voids, a decision with what it is about, a rebuild that prices closed epochs
// with every unit. Each unit is in its sequence.
func units(events []*event) [][]*event {
	leader := make(map[any]any) // of each event and name; who leads itself leads a unit
	find := func(x any) any {
		for leader[x] != nil && leader[x] != x {
			x = leader[x]
		}
		return x
	}
	join := func(x, y any) {
		if x, y = find(x), find(y); x != y {
			leader[x] = y
		}
	}
	byIdentity := make(map[Identity]*event)
	for _, e := range events {
		byIdentity[e.Identity] = e
	}
	for _, e := range events {
		about, target := e.data, e.Identity
		switch e.kind {
		case "event.voided":
			if target = voided(e); byIdentity[target] == nil {
				about = e.data.obj("original").obj("data") // where it will belong once the original comes
			}
		case "fact.decided":
			target = Identity{e.data.str("source"), e.data.str("id")}
		}
		if o := byIdentity[target]; o != nil {
			join(e, o)
		}
		for field, what := range map[string]string{"order_id": "order", "error_id": "case", "same_as": "case",
			"spend_id": "spend"} {
			if id := about.str(field); id != "" {
				join(e, what+" "+id)
			}
		}
	}
	members := make(map[any][]*event)
	var leaders []any
	for _, e := range events {
		l := find(e)
		if members[l] == nil {
			leaders = append(leaders, l)
		}
		members[l] = append(members[l], e)
	}
	var all [][]*event
	for _, l := range leaders {
		all = append(all, withRebuilds(members[l], events))
	}
	return all
}

func withRebuilds(unit, events []*event) []*event {
	unit = slices.Clone(unit)
	for _, r := range events {
		if r.kind == "books.rebuilt" && r.data.boolText("closed_periods") == "true" && !slices.Contains(unit, r) {
			unit = append(unit, r)
		}
	}
	sort.Slice(unit, func(i, j int) bool { return unit[i].before(unit[j]) })
	return unit
}
