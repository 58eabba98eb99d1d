package main

import (
	"cmp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/makegood/makegood/cmd/makegood/bench"
	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/report"
)

// flagHelp gives flags their long texts. They are no variables of kong's, since it reads all of its variables again for
// each flag: each start would take 0.2 s.
var flagHelp = kong.PostBuild(func(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if value, is := node.(*kong.Value); is {
			name := strings.Trim(value.Help, "${}")
			if text := cmp.Or(longHelp[name], server.FlagHelp[name]); text != "" && value.Help == "${"+name+"}" {
				value.Help = text
			}
		}
		return next(nil)
	})
})

// longHelp are the texts of flags that are too long for a struct's tag, by the names that the tags have for them.
var longHelp = map[string]string{
	"as_of": "What was recorded by then: a time, or close:YYYY-MM (its last close; close:YYYY-MM/1 " +
		"its first).",
	"balances_as_of": "Open balances as they were known then: a time (RFC 3339), or close:YYYY-MM, at the " +
		"end of that month as its last close has it.",
	"bench_clickhouse": "Address of ClickHouse; without it an engine runs inside. Databases named " +
		"makegood_bench… are made there and dropped.",
	"bench_data_dir": "Where the embedded broker and engine keep their data, a new directory; without it a " +
		"temporary one.",
	"bench_events": "Events of the backlog that pipe, stages, rebuild and trouble read, and of the books " +
		"that page reads; of more than 200,000 most are copies there.",
	"bench_parts": "Parts to run: " + strings.Join(bench.Parts(), ", ") + ".",
	"claim_cover": "ELEMENT:CAUSE:SHARE:CLAUSE, once for each. CAUSE may be empty (all causes), SHARE " +
		"too (1: all of it), CLAUSE too.",
	"examples": "A folder with a mapping and examples: CASE.in.json and CASE.want.ndjson, or " +
		"CASE.refused.txt.",
	"from_events": "Hold the answers themselves against what was planted: simulated events are booked " +
		"into an engine that runs inside, and asked. Some seconds a shop; with --only provision,budget they are settled " +
		"in memory, two shops a second.",
	"group_by": "Keys: " + strings.Join(report.LeakageKeys(), ", ") + "; store is the one that fixed it.",
	"import_as": "The till that they are of, which is in the source of their events; without it, the " +
		"name of the mapping.",
	"import_till": "Read the files by a mapping: the name of a till in the file of --tills, of a mapping " +
		"that is built in, or a mapping's file.",
	"insight_checks": "Questions to check: signals, counter, vendors, sources, provision, budget, " +
		"customers, prevention, what-if.",
	"journal_detail": "aggregated by account and store, or events: one entry an event.",
	"journal_format": "csv, xlsx, json, or quickbooks (CSV of its import).",
	"new_key_in":     "How long from now the new key begins: by then every process must have the file.",
	"packet_format": "pdf, html (prints on A4 and Letter), csv, xlsx or json; without it that of the " +
		"file's name, else html.",
	"period_by": "By when it happened, or by the period it is posted in.",
	"person_id": "The id of a customer or an employee, or the hash of one; - reads it from standard " +
		"input, which keeps it out of the shell's history.",
	"rates_file": "YAML; - is standard input. See: makegood rates example. Its name is the reason that " +
		"goes on record where none is given.",
	"reason": "Why. Where it is missing, a command that asks anyway asks for it; else 'no reason " +
		"given' goes on record.",
	"rebuild_whole": "Post everything again, also what neither rules nor rates can change: finds what " +
		"somebody changed in the tables by hand.",
	"report_sort": "The rows of the table: cost is the most expensive first, within each day or month " +
		"where it is grouped by one; key is the order of the keys, as in csv and json.",
	"scopes": "What they may do: read, write, books, operate, people, process.",
	"since_close": "The closed month, YYYY-MM: since its last close; YYYY-MM/1 is since its first, and " +
		"so on.",
	"source_format": "cloudevents (NDJSON or a JSON array) or online-retail (UCI's CSV).",
	"to_url": "URL of a running makegood; without it, whoever serves the data directory, else the " +
		"directory itself is opened.",
	"token_out": "File to write the token to, for its owner alone; it must not be there yet. Without " +
		"it the token is printed.",
	"translate_to": "Show all currencies in this one, at the exchange_rate of each line's day (see: " +
		"makegood rates).",
	"truth": "Tell a story (seasons, prevention, vendors that worsen, customers lost) and write " +
		"what was planted to this file, as JSON. Over 364 days where --days isn't given.",
	"verify_period": "The month, YYYY-MM, with each of its closes; YYYY-MM/N is its Nth close alone. " +
		"Without it all months that were ever closed.",
	"verify_root": "The root that you kept of the month's last close, or of the one that you name: the " +
		"books must make it.",
	"view": "economic (everything), booked (what the general ledger sees) or cash.",
}
