package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// opens says of each table of an answer how its rows open: which figure of what the link leads to equals which one of
// the row. # is how many rows are there, "# late" and "leakage late" those whose outcome is late.
var opens = map[string]map[string]string{
	"recoverable": {"cases": "#", "gross": "gross", "not_covered": "not_covered"},
	"vendors":     {"cases": "#", "gross": "gross"},
	"counter":     {"orders": "#", "failed": "failed", "caught": "caught", "promised": "promised"},
	"signals":     {"cases": "#"}, "signals money": {"leakage": "net"},
	"signals right_first_time": {"delivered": "#", "right": "right"},
	"budget":                   {"leakage": "net"},
	"provision":                {"cases": "cases", "came": "came", "later": "later"},
	"prevention":               {"spent": "spent"},
	"what-if":                  {"year": "a year of net"}, "what-if whole": {"year": "a year of net"},
	"customers": {"failed": "#"}, "customers fixes": {"failed": "#"}, "customers experiments": {"customers": "#"},
	"promises": promisesOpen, "promises fixes": promisesOpen,
	"promises leakage": {"orders": "orders", "leakage": "leakage"},
	"feedback":         {"ratings": "ratings", "public": "public"},
	"sources":          {"orders": "#"},
}

var promisesOpen = map[string]string{"promised": "#", "kept": "# kept", "late": "# late", "broken": "# broken",
	"open": "# open", "withdrawn": "# withdrawn", "leakage_late": "leakage late", "leakage_broken": "leakage broken",
	"leakage_kept": "leakage kept"}

// opensNot are the tables whose rows need no link, and why.
var opensNot = map[string]string{
	"claims/packet":           "each row names its case, journal lines and events",
	"customers balance":       "it has no case and no amount",
	"provision still_to_come": "it is an estimate of what has no event yet",
	"provision entry":         "it is that estimate, as an entry",
	"next":                    "its links are held where its advice is",
	"next owed":               "it is recoverable", "next saved": "it is what-if's whole",
}

// linksHold: every row of every answer that counts or sums something opens to what it counts and sums, with the same
// range, currency, store and moment, and that comes to the same to the last digit.
func linksHold(t *testing.T, c *client) {
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}}
	with := func(more ...string) url.Values {
		q := maps.Clone(january)
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	now := insightAnswer(t, c, "budget", january).AsOf.Format("2006-01-02T15:04:05.999Z07:00")
	followed := map[string]int{}
	for _, asked := range []struct {
		only  string // one question alone; empty: all
		query url.Values
	}{
		{"", january}, {"signals", with("currency", "NZD")}, {"what-if", with("currency", "NZD")},
		{"promises", with("by", "slot")}, {"customers", with("from", "2026-02-01", "to", "2026-03-01", "store", "p7")},
		{"budget", with("as_of", now, "store", "p1")}, {"provision", with("as_of", now)},
	} {
		for _, q := range insight.Questions() {
			if asked.only != "" && q.Name != asked.only || slices.ContainsFunc(q.Params,
				func(p insight.Param) bool { return p.Must }) {
				continue
			}
			a := insightAnswer(t, c, q.Name, asked.query)
			for _, part := range append([]string{""}, q.PartNames()...) {
				columns, table := q.Table(a, part)
				followed[strings.TrimSpace(q.Name+" "+part)] += rowsOpen(t, c, q, part, columns, table.Rows)
			}
		}
	}
	for table := range opens {
		if followed[table] == 0 {
			t.Errorf("no row of %s was there to be opened", table)
		}
	}
}

// rowsOpen holds the rows of a table, and says how many of them were followed.
func rowsOpen(t *testing.T, c *client, q *insight.Question, part string, columns []insight.Column,
	rows []insight.Row) (n int) {
	t.Helper()
	table := strings.TrimSpace(q.Name + " " + part)
	figures, known := opens[table]
	if figure := slices.ContainsFunc(columns, func(c insight.Column) bool {
		return c.Unit == insight.Money || c.Unit == insight.Count
	}); figure && !known && opensNot[table] == "" && !q.IsList() && table != "recoverable cases" {
		t.Errorf("nothing says how the rows of %s open", table)
	}
	if opensNot[table] != "" {
		return 0
	}
	for i, row := range rows {
		link, _ := row["link"].(string)
		if link == "" {
			t.Errorf("%s: row %d has no link: %v", table, i, row)
			continue
		}
		if i < len(rows)-1 && (i > 0 || q.IsList()) {
			continue // each takes a question: the first row and the last, and of a list the last, stand for all
		}
		n++
		var text bytes.Buffer
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.get(t.Context(), u.Path, u.Query(), &text); err != nil {
			t.Errorf("%s: %s: %v", table, link, err)
			continue
		}
		if len(figures) > 0 {
			opened := openedBy(t, u.Path, text.Bytes())
			for mine, theirs := range figures {
				if got := figureOf(row[mine]); got != opened[theirs] && (got != "0" || opened[theirs] != "") {
					t.Errorf("%s: %s is %s, and %s of %s comes to %q", table, mine, got, theirs, link, opened[theirs])
				}
			}
		}
	}
	return n
}

// figureOf is a figure of a row without the zeros at its end.
func figureOf(value any) string {
	if e, is := value.(*estimate.Estimate); is {
		if e.Value == nil {
			return ""
		}
		value = *e.Value
	}
	return bare(fmt.Sprint(value))
}

func bare(text string) string {
	r, is := new(big.Rat).SetString(text)
	if !is {
		return text
	}
	return r.RatString()
}

// openedBy are the figures of what a link leads to.
func openedBy(t *testing.T, path string, text []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	if path == "/v1/reports/leakage" {
		var l report.Leakage
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatal(err)
		}
		all["net"] = bare(l.Totals.Net)
		return all
	}
	q := insight.QuestionOf(strings.TrimPrefix(path, "/v1/"))
	a, err := q.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	of := a.Table
	if q.Name == "recoverable" {
		of = a.Parts["cases"]
	}
	all["#"] = fmt.Sprint(len(of.Rows))
	for name, sum := range of.Totals {
		all[name] = bare(fmt.Sprint(sum))
	}
	counts, sums := map[string]int{}, map[string]*big.Rat{}
	for _, row := range of.Rows {
		outcome := fmt.Sprint(row["outcome"])
		counts[outcome]++
		if leaked, is := new(big.Rat).SetString(fmt.Sprint(row["leakage"])); is {
			if sums[outcome] == nil {
				sums[outcome] = new(big.Rat)
			}
			sums[outcome].Add(sums[outcome], leaked)
		}
	}
	for outcome, n := range counts {
		all["# "+outcome] = fmt.Sprint(n)
	}
	for outcome, sum := range sums {
		all["leakage "+outcome] = sum.RatString()
	}
	if q.Name == "what-if/cases" {
		all["a year of net"] = yearOf(t, a)
	}
	return all
}

// yearOf is what the cases of some weeks cost in a year, in cents.
func yearOf(t *testing.T, a *insight.Answer) string {
	t.Helper()
	from, err := time.Parse(time.DateOnly, a.From)
	if err != nil {
		t.Fatal(err)
	}
	to, err := time.Parse(time.DateOnly, a.To)
	if err != nil {
		t.Fatal(err)
	}
	weeks := big.NewRat(int64(to.Sub(from).Hours()/24), 7)
	if weeks.Cmp(big.NewRat(estimate.LeastWeeks, 1)) < 0 {
		return "" // too few to tell
	}
	net, is := new(big.Rat).SetString(fmt.Sprint(a.Totals["net"]))
	if !is {
		t.Fatalf("%v", a.Totals)
	}
	year := net.Quo(net, weeks)
	year.Mul(year, new(big.Rat).SetFloat64(estimate.WeeksAYear))
	return bare(year.FloatString(2))
}

// opensOnThePage finds the rows' links of a page with an answer.
var opensOnThePage = regexp.MustCompile(`<th scope="row"><a href="(/(?:answers|cases|case|order)[?/][^"]+)"`)

// answersHavePages: each answer that names nobody is also a page, of which the last row opens to a page.
func answersHavePages(t *testing.T, c *client) {
	read := func(path string) string {
		t.Helper()
		u, err := url.Parse(html.UnescapeString(path))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := c.get(t.Context(), u.Path, u.Query(), &text); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return text.String()
	}
	const january = "?from=2026-01-01&amp;through=2026-01-31&amp;currency=USD"
	for _, q := range insight.Questions() {
		if q.People || q.Page || q.IsList() {
			continue
		}
		text := read("/answers/" + q.Name + january)
		links := opensOnThePage.FindAllStringSubmatch(text, -1)
		if !strings.Contains(text, html.EscapeString(q.Heading)) || len(links) == 0 && q.Name != "prevention" {
			t.Errorf("the page of %s has %d links:\n%s", q.Name, len(links), text)
			continue
		}
		if len(links) > 0 {
			read(links[len(links)-1][1])
		}
	}
	first := ""
	for end := time.Now().Add(time.Minute); !strings.Contains(first, "outcome=late") && time.Now().Before(end); {
		first = read("/" + january) // what takes long comes later
	}
	for _, wanted := range []string{"/answers/vendors?", "/answers/budget?", "outcome=late"} {
		if !strings.Contains(first, wanted) {
			t.Errorf("the first page has no link to %s", wanted)
		}
	}
	for _, hidden := range []string{"counter", "counter/orders", "claims/packet", "nothing"} {
		if err := c.get(t.Context(), "/answers/"+hidden, nil, io.Discard); err == nil {
			t.Errorf("the page shows %s", hidden)
		}
	}
	late := read("/answers/promises/orders" + january + "&amp;store=p1&amp;outcome=late")
	if !strings.Contains(late, "Late, hours") || !strings.Contains(late, ">3.00<") || strings.Contains(late, "Group") {
		t.Errorf("late orders are shown as %s", late)
	}
	if strings.Contains(first, "/answers/counter") {
		t.Error("the first page names the counter")
	}
}
