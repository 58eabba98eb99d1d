package grafana

import (
	"strings"

	"github.com/makegood/makegood/domain"
)

// storyOf leads from an order's id to its story.
var storyOf = Column{Name: "Order", Link: &Link{"Its story", "makegood-case?var-order=" + clicked}}

func saidTwice() Panel {
	return Panel{Kind: table, Title: "Said twice", Width: 14, Unit: "string",
		Description: "Events that post nothing. One that waits contradicts another one until a person decides (makegood " +
			"doubles); a double says what another one says; one that voids nothing takes back what is not there. The " +
			"contradictions first.",
		SQL: `SELECT transform(standing, ` + list(twice()) + `,
           ['waits for a decision', 'double', 'voids nothing'], standing) AS "Standing",
       occurred_at AS "Happened", ` + eventName + ` AS "Event", order_id AS "Order", error_id AS "Case",
       source AS "Source", event_id AS "Event id", of_source AS "The other's source", of_id AS "The other's id"
FROM ledger FINAL
WHERE refused = '' AND standing IN ` + names(twice()) + ` AND ` + months + ` AND $__dateFilter(day)
  AND ` + chosen("store_id", "store") + `
ORDER BY standing = '` + domain.Waits.String() + `' DESC, occurred_at DESC, source, event_id LIMIT 200`,
		Columns: []Column{storyOf}}
}

// twice are the standings of events that other events stand against.
func twice() []string {
	return []string{domain.Waits.String(), domain.Double.String(), domain.VoidsNothing.String()}
}

func flagged() Panel {
	var codes, means []string
	for _, f := range domain.FlagCodes() {
		codes, means = append(codes, f.Code), append(means, strings.ReplaceAll(f.Means, `'`, `\'`))
	}
	return Panel{Kind: table, Title: "What can't be right", Width: 10, Unit: "string",
		Description: "It is booked as far as it is known. Amounts say by how much it is too much, each in its own currency.",
		SQL: `SELECT transform(code, ` + list(codes) + `,
           ` + list(means) + `, code) AS "What",
       if(of_currency = '', '', ` + exactly("by") + `) AS "By", of_currency AS "Currency",
       order_id AS "Order", of_case AS "Case", occurred_at AS "Happened", source AS "Source", event_id AS "Event id"
FROM ledger FINAL
ARRAY JOIN flag_code AS code, flag_case AS of_case, flag_currency AS of_currency, flag_amount AS by
WHERE refused = '' AND ` + months + ` AND $__dateFilter(day) AND ` + chosen("store_id", "store") + `
ORDER BY occurred_at DESC, source, event_id LIMIT 200`,
		Columns: []Column{storyOf}}
}

// list is an array.
func list(of []string) string { return `['` + strings.Join(of, `', '`) + `']` }
