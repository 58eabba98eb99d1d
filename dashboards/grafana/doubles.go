package grafana

import "github.com/makegood/makegood/domain"

// storyOf leads from an order's id to its story.
var storyOf = Column{Name: "Order", Width: 130, Link: &Link{"Its story", "makegood-case?var-order=" + clicked}}

func saidTwice() Panel {
	return Panel{Kind: table, Title: "Said twice", Width: 24,
		Description: "Events that post nothing. One that waits contradicts another one until a person decides (makegood " +
			"doubles); a double says what another one says; one that voids nothing takes back what is not there. The " +
			"contradictions first.",
		SQL: `SELECT transform(standing, ` + list(twice()) + `,
           ['waits for a decision', 'double', 'voids nothing'], standing) AS "Standing",
       occurred_at AS "Happened", ` + eventName + ` AS "Event", order_id AS "Order", error_id AS "Case",
       event_id AS "Event id", of_source AS "Other's source", of_id AS "Other's id"
FROM ledger FINAL
WHERE refused = '' AND standing IN ` + names(twice()) + ` AND ` + months + ` AND $__dateFilter(day)
  AND ` + chosen("store_id", "store") + `
ORDER BY standing = '` + domain.Waits.String() + `' DESC, occurred_at DESC, source, event_id LIMIT 200`,
		Columns: []Column{{Name: "Standing", Width: 135}, {Name: "Happened", Shows: moment, Width: 135},
			{Name: "Event", Width: 140}, storyOf, {Name: "Case", Width: 110}, {Name: "Event id", Width: 90},
			{Name: "Other's source", Width: 120}, {Name: "Other's id"}}}
}

// twice are the standings of events that other events stand against.
func twice() []string {
	return []string{domain.Waits.String(), domain.Double.String(), domain.VoidsNothing.String()}
}

func flagged() Panel {
	var codes, means []string
	for _, f := range domain.FlagCodes() {
		codes, means = append(codes, f.Code), append(means, f.Means)
	}
	return Panel{Kind: table, Title: "What can't be right", Width: 24,
		Description: "It is booked as far as it is known. Amounts say by how much it is too much, each in its own currency.",
		SQL: `SELECT transform(code, ` + list(codes) + `,
           ` + list(means) + `, code) AS "What",
       if(of_currency = '', '', ` + exactlyIn("of_currency", "by") + `) AS "By",
       order_id AS "Order", of_case AS "Case", occurred_at AS "Happened", event_id AS "Event id"
FROM ledger FINAL
ARRAY JOIN flag_code AS code, flag_case AS of_case, flag_currency AS of_currency, flag_amount AS by
WHERE refused = '' AND ` + months + ` AND $__dateFilter(day) AND ` + chosen("store_id", "store") + `
ORDER BY occurred_at DESC, source, event_id LIMIT 200`,
		Columns: []Column{{Name: "What"}, {Name: "By", Shows: exact, Width: 150}, storyOf, {Name: "Case", Width: 120},
			{Name: "Happened", Shows: moment}, {Name: "Event id", Width: 150}}}
}
