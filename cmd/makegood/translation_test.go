package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/shadow"
)

// exchangeRate is a rate.set by which one unit of a currency is worth so many dollars from a day on.
func exchangeRate(id, of, value, day string) string {
	return event(id, "rate.set", day+"T00:00:00Z", "",
		fmt.Sprintf(`{"rate":"exchange_rate","key":%q,"value":%q,"currency":"USD","effective_from":%q}`, of, value, day))
}

// euros is a case of the same company in euros, its rate changing within the month. What it costs, by hand:
//
//	day    what          euros     rate     dollars
//	15th   refund      10.0001   1.0850   10.85010850   booked
//	15th   labour      10.0000   1.0850   10.85000000   hidden   (20 minutes at 30.00)
//	16th   refund       7.0003   1.1001    7.70103003   booked
//	16th   labour       1.5000   1.1001    1.65015000   hidden   (3 minutes)
//	20th   claim        4.5000   1.1001    4.95045000   recovered
//	16th   refund       4.0000   1.1001    4.40040000   of somebody who changed their mind: apart
//
// booked 18.55113853 → 18.5511, hidden 12.50015 → 12.5002 and recovered 4.95045 → 4.9504, half to even; so gross,
// as shown, is 31.0513, and net 26.1009, though 31.05128853 − 4.95045 = 26.10083853 would be 26.1008 by itself.
var euros = []string{
	event("er", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"agent","value":"30","currency":"EUR","effective_from":"2026-01-01"}`),
	event("e1", "error.reported", "2026-01-15T09:00:00Z", "o2",
		`{`+euroCase+`,"kind":"late","found":"after_delivery","detected_by":"customer"}`),
	event("e2", "refund.issued", "2026-01-15T10:00:00Z", "o2",
		`{`+euroCase+`,"refund_id":"a","currency":"EUR","net":"10.0001"}`),
	event("e3", "labour.spent", "2026-01-15T23:59:59Z", "o2",
		`{`+euroCase+`,"labour_id":"a","role":"agent","minutes":20,"currency":"EUR"}`),
	event("e4", "refund.issued", "2026-01-16T00:00:00Z", "o2",
		`{`+euroCase+`,"refund_id":"b","currency":"EUR","net":"7.0003"}`),
	event("e5", "labour.spent", "2026-01-16T12:00:00Z", "o2",
		`{`+euroCase+`,"labour_id":"b","role":"agent","minutes":3,"currency":"EUR"}`),
	event("e6", "claim.accepted", "2026-01-20T12:00:00Z", "o2",
		`{`+euroCase+`,"claim_id":"c","party":"carrier","currency":"EUR","amount":"4.5"}`),
	event("e7", "error.reported", "2026-01-16T09:00:00Z", "o3",
		`{"order_id":"o3","store_id":"s2","error_id":"e3","kind":"changed_mind","found":"after_delivery",`+
			`"detected_by":"customer"}`),
	event("e8", "refund.issued", "2026-01-16T10:00:00Z", "o3",
		`{"order_id":"o3","store_id":"s2","error_id":"e3","refund_id":"c","currency":"EUR","net":"4"}`),
}

const euroCase = `"order_id":"o2","store_id":"s2","error_id":"e2"`

var euroRates = []string{exchangeRate("x1", "EUR", "1.0850", "2026-01-01"), exchangeRate("x2", "EUR", "1.1001",
	"2026-01-16")}

func whole(t *testing.T, c *client, query url.Values) string {
	t.Helper()
	var text bytes.Buffer
	if err := c.get(t.Context(), "/v1/reports/leakage", query, &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// refusal is the problem that a question is answered with.
func refusal(t *testing.T, c *client, query url.Values) (int, map[string]any) {
	t.Helper()
	response, err := c.http.Get(c.base + "/v1/reports/leakage?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var problem map[string]any
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, problem
}

// TestTranslation is the truck in dollars beside a case in euros, worked out by hand, in every format.
func TestTranslation(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "group_by": {"store"}}
	with := func(more ...string) url.Values {
		q := url.Values{}
		for name, values := range january {
			q[name] = values
		}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	// What is in one currency already is as it was, and needs no rate.
	plain := strings.Split(whole(t, c, january), `"rows"`)
	same := strings.Split(whole(t, c, with("translate_to", "USD")), `"rows"`)
	if plain[1] != same[1] || !strings.Contains(same[0], `"translation":{"currency":"USD","rates":[]}`) ||
		strings.Contains(plain[0], "translation") {
		t.Errorf("dollars in dollars:\n%s\n%s", plain, same)
	}
	for _, e := range slices.Concat(euroRates, euros) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)

	var answer report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", with("translate_to", "USD"), &answer); err != nil {
		t.Fatal(err)
	}
	dollars := report.LeakageFigures{Gross: "88.3500", Net: "63.3500", Booked: "18.0000", Hidden: "70.3500",
		Recoveries: "25.0000", Cases: 1, Orders: 1}
	translated := report.LeakageFigures{Gross: "31.0513", Net: "26.1009", Booked: "18.5511", Hidden: "12.5002",
		Recoveries: "4.9504", Cases: 1, Orders: 1}
	total := report.LeakageFigures{Gross: "119.4013", Net: "89.4509", Booked: "36.5511", Hidden: "82.8502",
		Recoveries: "29.9504", Cases: 2, Orders: 2}
	if len(answer.Rows) != 2 || answer.Rows[0].LeakageFigures != dollars || answer.Rows[1].LeakageFigures != translated ||
		answer.Totals != total ||
		answer.Apart["changed_mind"] != "4.4004" || answer.Currency != "USD" {
		t.Errorf("the report reads %+v", answer)
	}
	if got := fmt.Sprint(*answer.Translation); got != "{USD [{EUR 1.085 2026-01-01 00:00:00 +0000 UTC urn:till:1 x1} "+
		"{EUR 1.1001 2026-01-16 00:00:00 +0000 UTC urn:till:1 x2}]}" {
		t.Errorf("the rates read %s", got)
	}
	// Rates that aren't used aren't there, and neither is a currency that isn't asked for.
	if err := c.get(t.Context(), "/v1/reports/leakage", with("translate_to", "USD", "currency", "EUR", "from",
		"2026-01-16"), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Translation.Rates) != 1 || answer.Translation.Rates[0].ID != "x2" || len(answer.Rows) != 1 ||
		answer.Totals.Net != "4.4008" || answer.Currency != "USD" {
		t.Errorf("euros from the 16th: %+v", answer)
	}

	ratesInEveryFormat(t, c, with)
	missingRates(t, c, with)
}

// ratesInEveryFormat: the rates that a report was translated at stand beside it, in every format and list.
func ratesInEveryFormat(t *testing.T, c *client, with func(...string) url.Values) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(whole(t, c, with("translate_to", "USD", "format", "csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	table := []string{"Store Gross Net Booked Hidden Paid back Cases Orders Currency Rates",
		"s1 88.3500 63.3500 18.0000 70.3500 25.0000 1 1 USD ",
		"s2 31.0513 26.1009 18.5511 12.5002 4.9504 1 1 USD EUR 1.085 from 2026-01-01; EUR 1.1001 from 2026-01-16"}
	sameRows(t, "csv", rows, table)
	rows,
		err = csv.NewReader(strings.NewReader(whole(t, c, with("translate_to", "USD", "format", "csv", "group_by", "day",
		"store", "s2")))).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][9] != "EUR 1.085 from 2026-01-01" ||
		rows[2][9] != "EUR 1.1001 from 2026-01-16" || rows[2][4] != "1.6502" {
		t.Errorf("by day (%v): %q", err, rows)
	}
	book, err := excelize.OpenReader(strings.NewReader(whole(t, c, with("translate_to", "USD", "format", "xlsx"))))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for sheet, want := range map[string][]string{"leakage": {table[0], strings.TrimSpace(table[1]), table[2]},
		"rates": {"From To Rate Effective from Source Id", "EUR USD 1.085 2026-01-01 urn:till:1 x1",
			"EUR USD 1.1001 2026-01-16 urn:till:1 x2"}} {
		rows, err := book.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			rows[i] = strings.Fields(strings.Join(rows[i], " "))
		}
		sameRows(t, sheet, rows, want)
	}
	text := makegood(t, "report", "--to", c.base, "--translate-to", "USD", "--group-by", "store", "--from", "2026-01-01",
		"--until", "2026-02-01")
	for _, want := range []string{"119.4013", "in USD, as of", "translated to USD", "1.1001", "2026-01-16",
		"urn:till:1 x2"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if listed := makegood(t, "rates", "list", "--to", c.base, "--at", "2026-01-10"); !strings.Contains(listed,
		"exchange_rate") || strings.Contains(listed, "1.1001") {
		t.Errorf("the rates of the 10th are\n%s", listed)
	}
	if audit := makegood(t, "audit", "--to", c.base); !strings.Contains(audit,
		"exchange_rate EUR 1.1001 USD from 2026-01-16") {
		t.Errorf("the audit reads\n%s", audit)
	}
}

// TestTranslationInAnotherZone: the day of a line is one of the books' zone, and that of a rate is the one that it
// names.
func TestTranslationInAnotherZone(t *testing.T) {
	t.Parallel()
	_, c := startTestAppWith(t, t.TempDir(), func(config *server.Config) { config.Zone = "America/New_York" })
	for _, e := range slices.Concat(euroRates, []string{
		// the 15th there
		event("n1", "refund.issued", "2026-01-16T04:59:59Z", "o2",
			`{`+euroCase+`,"refund_id":"a","currency":"EUR","net":"1"}`),
		event("n2", "refund.issued", "2026-01-16T05:00:00Z", "o2",
			`{`+euroCase+`,"refund_id":"b","currency":"EUR","net":"1"}`),
		// the first there
		event("n3", "refund.issued", "2026-01-01T05:00:00Z", "o2",
			`{`+euroCase+`,"refund_id":"c","currency":"EUR","net":"1"}`),
	}) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	var answer report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", url.Values{"group_by": {"day"}, "translate_to": {"USD"}},
		&answer); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range answer.Rows {
		got = append(got, r.Key["day"]+" "+r.Net)
	}
	if want := []string{"2026-01-01 1.0850", "2026-01-15 1.0850", "2026-01-16 1.1001"}; !slices.Equal(got, want) {
		t.Errorf("got %q, not %q", got, want)
	}
}

// missingRates: what no rate translates is said, with the first day of each currency, until there is one, and again
// once that is taken back.
func missingRates(t *testing.T, c *client, with func(...string) url.Values) {
	t.Helper()
	wants := func(want string, query url.Values) {
		t.Helper()
		status, problem := refusal(t, c, query)
		missing, _ := json.Marshal(problem["missing"])
		if status != http.StatusConflict || problem["type"] != "urn:makegood:problem:rate_missing" ||
			string(missing) != want {
			t.Errorf("%s: %d %v", query.Encode(), status, problem)
		}
	}
	wants(`[{"currency":"USD","day":"2026-01-10"}]`, with("translate_to", "EUR"))
	wants(`[{"currency":"EUR","day":"2026-01-15"},{"currency":"USD","day":"2026-01-10"}]`, with("translate_to", "JPY"))
	pound := func(id, day string) string {
		return event(id, "refund.issued", day+"T12:00:00Z", "o4",
			`{"order_id":"o4","store_id":"s3","error_id":"e4","refund_id":`+fmt.Sprintf("%q", id)+`,"currency":"GBP","net":"1"}`)
	}
	for _, e := range []string{pound("p1", "2026-01-05"), pound("p2", "2026-01-12"), exchangeRate("x3", "GBP", "1.27",
		"2026-01-06")} {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	wants(`[{"currency":"GBP","day":"2026-01-05"}]`, with("translate_to", "USD"))
	whole(t, c, with("translate_to", "USD", "from", "2026-01-06"))
	mustPost(t, c, exchangeRate("x4", "GBP", "1.25", "2026-01-05"))
	mustCatchUp(t, c)
	if answer := whole(t, c, with("translate_to", "USD")); !strings.Contains(answer, `"gross":"2.5200"`) {
		t.Errorf("two pounds: %s", answer)
	}
	makegood(t, "void", "urn:till:1", "x4", "--yes", "--actor", "ann", "--reason", "keyed twice", "--to", c.base)
	wants(`[{"currency":"GBP","day":"2026-01-05"}]`, with("translate_to", "USD"))
	// No rate is above or beside the contract: what is refused at the door translates nothing.
	for _, e := range []string{exchangeRate("b1", "GBP", "0", "2026-01-05"), exchangeRate("b2", "USD", "1", "2026-01-05"),
		exchangeRate("b3", "*", "1", "2026-01-05")} {
		if status, text := postBody(t, c, "application/cloudevents+json", e); status != http.StatusUnprocessableEntity ||
			!strings.Contains(text, `"pointer":"/data/`) {
			t.Errorf("%d %s\n%s", status, text, e)
		}
	}
	wants(`[{"currency":"GBP","day":"2026-01-05"}]`, with("translate_to", "USD"))
}

// TestTranslationOfAClosedMonth: as of its close a month is translated at the rates that stood before the close in the
// books stream, and that never changes; what is asked for now follows what was set or taken back since. No exchange
// rate puts a rebuild out of date.
func TestTranslationOfAClosedMonth(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents, euroRates, euros) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	makegood(t, "close", "2026-01", "--yes", "--actor", "ann", "--reason", "month end", "--to", c.base)
	query := func(more ...string) url.Values {
		q := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "group_by": {"store,element"}, "translate_to": {"USD"}}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	closed := func() (all []string) {
		for _, by := range []string{"occurred", "posting"} {
			for _, format := range []string{"json", "csv"} {
				all = append(all, whole(t, c, query("as_of", "close:2026-01", "period_by", by, "format", format)))
			}
		}
		return all
	}
	before := closed()
	if !strings.Contains(before[0], `"totals":{"gross":"119.4013"`) {
		t.Errorf("as of its close: %s", before[0])
	}
	var closing report.Leakage
	if err := json.Unmarshal([]byte(before[0]), &closing); err != nil {
		t.Fatal(err)
	}

	ratesAroundARebuild(t, c)
	if after := closed(); !slices.Equal(before, after) {
		t.Errorf("the closed month changed:\n%s\n%s", before, after)
	}
	// By time as well, up to the moment of the close.
	if at := whole(t, c, query("as_of", closing.AsOf.Format("2006-01-02T15:04:05.999Z07:00"))); at != before[0] {
		t.Errorf("as of the moment of the close:\n%s\n%s", at, before[0])
	}
	// Now: 20.0001 at 2 and 9.5003, the late refund among it, less 4.5 at 3, beside 63.35 of the truck.
	var now report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", query(), &now); err != nil {
		t.Fatal(err)
	}
	if now.Totals.Net != "118.3511" || len(now.Translation.Rates) != 2 || now.Translation.Rates[1].Rate != "3" ||
		now.Translation.Rates[1].Source != actorSource {
		t.Errorf("now: %+v %+v", now.Totals, now.Translation)
	}
}

// ratesAroundARebuild computes a rebuild before new exchange rates came, and swaps it in after that.
func ratesAroundARebuild(t *testing.T, c *client) {
	t.Helper()
	var begun struct{ Rebuild shadow.Rebuild }
	if err := c.post(t.Context(), "/v1/rebuild", "application/json",
		strings.NewReader(`{"actor":"ann","reason":"a look"}`), &begun); err != nil {
		t.Fatal(err)
	}
	if _, err := c.computed(t.Context(), begun.Rebuild.ID, terminal.Streams{Out: io.Discard,
		Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "rates.yaml", "currency: USD\neffective_from: 2026-01-01\nexchange_rate: {EUR: 2}\n---\n"+
		"currency: USD\neffective_from: 2026-01-16\nexchange_rate: {EUR: 3}\n")
	for _, want := range []string{"2 rates read, 2 set", "2 rates read, 0 set"} {
		if said := makegood(t, "rates", "load", file, "--actor", "ann", "--reason", "another bank", "--to",
			c.base); !strings.Contains(said, want) {
			t.Errorf("loading says %s", said)
		}
	}
	mustPost(t, c, event("late", "refund.issued", "2026-01-17T10:00:00Z", "o2",
		`{`+euroCase+`,"refund_id":"late","currency":"EUR","net":"1"}`))
	mustCatchUp(t, c)
	if err := c.post(t.Context(), "/v1/rebuild/"+begun.Rebuild.ID+"/swap", "application/json", nil, nil); err != nil {
		t.Errorf("exchange rates put a rebuild out of date: %v", err)
	} else if err := c.swapped(t.Context(), begun.Rebuild.ID); err != nil {
		t.Fatal(err)
	}
	makegood(t, "void", "urn:till:1", "x1", "--yes", "--actor", "ann", "--reason", "another source", "--to", c.base)
}
