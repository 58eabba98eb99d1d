package main

import (
	"bytes"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/wire/paper/papertest"
	"github.com/makegood/makegood/projections/insight"
)

// strange is a vendor whose name is meant badly, and the letters of which a font has only some.
const strange = `=1+1 (Tj) \ {pages} <b> Müller & Söhne Timișoara 中文 ` + "\u202E" + ` שלום`

// plantClaims are two cases of the strange vendor: goods and a truck, and goods alone under a name without an end.
func plantClaims() []string {
	p := &planted{store: "paper-1"}
	of := fmt.Sprintf(`"party_at_fault":"supplier","root_cause":"supplier_quality","vendor_id":%q`, strange)
	for _, order := range []string{"truck-2", strings.Repeat("long", 25) + "-o"} {
		p.sold(order, "2026-01-09T09:00:00Z", until("2026-01-10T09:00:00Z"))
		p.tell("error.reported", "2026-01-10T12:00:00Z", order, fmt.Sprintf(`"error_id":"%s-e","kind":"defective",
			"found":"after_delivery","detected_by":"customer",%s,"lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`, order,
			of))
		p.tell("redelivery.dispatched", "2026-01-10T13:00:00Z", order, fmt.Sprintf(`"error_id":"%s-e",
			"redelivery_id":"%[1]s-d","mode":"own_truck","lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`, order))
	}
	p.tell("redelivery.completed", "2026-01-10T14:00:00Z", "truck-2", `"error_id":"truck-2-e","redelivery_id":"truck-2-d",
		"succeeded":true,"drive_minutes":30,"site_minutes":15,"distance_km":24`)
	return append(p.all, event("terms-9", "vendor.terms", "2026-01-01T00:00:00Z", "", fmt.Sprintf(`{"vendor_id":%q,
		"window_days":30000,"effective_from":"2026-01-01","covers":[{"element":"GOODS","clause":"4.1"},
		{"element":"FLEET","share":"0.333333","clause":"§ 4.2"}]}`, strange)))
}

// TestOnPaper: the claim's total is the sum of the journal lines that it names, to the last digit; claim and weekly
// report are the same bytes again as of a close, whatever came later; and no name breaks them.
func TestOnPaper(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range append(append([]string{}, goldenRates...), plantClaims()...) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	january := url.Values{"vendor": {strange}, "from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}}
	packet := insightAnswer(t, c, "claims/packet", january)
	total := sumOfLines(t, c, packet)
	// 60 + 60 + 57.15, and of the truck the third that is covered.
	hold(t, "totals", packet.Totals, map[string]string{"amount": total, "claimed": "139.0500"})
	if total != "177.1500" {
		t.Errorf("the journal lines that are named sum to %s", total)
	}

	say(t, c, "", "close", "2026-01", "--yes", "--actor", "ann", "--reason", "done")
	mustCatchUp(t, c)
	january.Set("as_of", "close:2026-01")
	january.Set("format", "pdf")
	week := url.Values{"week": {"2026-01-07"}, "as_of": {"close:2026-01"}}
	claim, weekly := answered(t, c, "/v1/claims/packet", january), answered(t, c, "/weekly.pdf", week)
	isPaper(t, claim, 1, "Claim on =1+1 (Tj) \\ {pages} <b> Müller & Söhne Timișoara [U+4E2D][U+6587] [U+202E]", total,
		"139.0500", "45 minutes and 24 km", "§ 4.2", "0.333333", "5220 57.1500", "2026-01-09 09:00, 2026-01-10 09:00")
	isPaper(t, weekly, 1, "What quality service cost: 5 to 11 January 2026", "177.15", "Supplier quality",
		"What to do next", "Promises that fell due")

	p := &planted{store: "paper-2"} // what comes later, of the same month
	p.sold("truck-3", "2026-01-08T09:00:00Z", "")
	p.given("truck-3", "late", "2026-01-09T10:00:00Z", "12")
	for _, e := range append(p.all, event("later", "concession.granted", "2026-01-11T10:00:00Z", "truck-2",
		`{"order_id":"truck-2","store_id":"paper-1","error_id":"truck-2-e","concession_id":"c9","kind":"cash",
		"currency":"USD","amount":"5"}`)) {
		mustPost(t, c, e)
	}
	say(t, c, "", "claim", "file", "--vendor", strange, "--from", "2026-01-01", "--until", "2026-02-01", "--yes")
	mustCatchUp(t, c)
	if answered(t, c, "/v1/claims/packet", january) != claim || answered(t, c, "/weekly.pdf", week) != weekly {
		t.Error("as of a close the claim or the week has other bytes after more events")
	}
	week.Del("as_of")
	if answered(t, c, "/weekly.pdf", week) == weekly {
		t.Error("as of now the week knows nothing of what came later")
	}
	commandsWritePaper(t, c, claim, weekly)
	paperIsRefused(t, c)
}

// sumOfLines looks each journal line that the claim names up in its event, and sums them.
func sumOfLines(t *testing.T, c *client, packet *insight.Answer) string {
	t.Helper()
	sum := new(big.Rat)
	for _, row := range packet.Rows {
		lines, _ := row["lines"].([]any)
		for _, line := range lines {
			words := strings.Fields(fmt.Sprint(line)) // source, id, account, amount
			var e struct {
				Lines []struct{ Account, Amount string }
			}
			if err := c.get(t.Context(), "/v1/events", url.Values{"source": {words[0]}, "id": {words[1]}}, &e); err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, l := range e.Lines {
				if l.Account == words[2] && l.Amount == words[3] {
					found++
				}
			}
			amount, is := new(big.Rat).SetString(words[3])
			if !is || found != 1 {
				t.Fatalf("%s is %d lines of its event: %+v", line, found, e.Lines)
			}
			sum.Add(sum, amount)
		}
	}
	return sum.FloatString(4)
}

// isPaper: it is a PDF of so many pages that says all of this.
func isPaper(t *testing.T, pdf string, pages int, says ...string) {
	t.Helper()
	text, err := papertest.Text([]byte(pdf))
	if err != nil {
		t.Fatal(err)
	}
	if got := papertest.Pages([]byte(pdf)); got != pages || !strings.HasPrefix(pdf, "%PDF-") {
		t.Errorf("it has %d pages, not %d", got, pages)
	}
	flat := strings.ReplaceAll(text, "\n", " ")
	for _, what := range says {
		if !strings.Contains(flat, what) {
			t.Errorf("it doesn't say %q:\n%s", what, text)
		}
	}
}

// commandsWritePaper: the commands write what the routes answer, and a client that accepts a PDF is given one.
func commandsWritePaper(t *testing.T, c *client, claim, weekly string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "claim.pdf")
	say(t, c, "", "claim", "packet", "--vendor", strange, "--from", "2026-01-01", "--until", "2026-02-01", "--currency",
		"USD", "--as-of", "close:2026-01", "-o", file)
	if got, err := os.ReadFile(file); err != nil || string(got) != claim {
		t.Errorf("the command writes another claim: %v", err)
	}
	file = filepath.Join(dir, "week.pdf")
	say(t, c, "", "report", "weekly", "--week", "2026-01-11", "--as-of", "close:2026-01", "-o", file)
	if got, err := os.ReadFile(file); err != nil || string(got) != weekly {
		t.Errorf("the command writes another week: %v", err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/v1/claims/packet?"+
		url.Values{"vendor": {strange}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/pdf")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	name := response.Header.Get("Content-Disposition")
	if response.Header.Get("Content-Type") != "application/pdf" || strings.ContainsAny(name, "()<>\\中") {
		t.Errorf("%v", response.Header)
	}
}

// paperIsRefused: a question that can't be answered is refused with its reason, also by the command.
func paperIsRefused(t *testing.T, c *client) {
	t.Helper()
	for args, reason := range map[string]string{
		"report weekly --week 2026-13-01 -o x":                                      "no day of the form",
		"report weekly --as-of close:2025-01 -o x":                                  "2025-01",
		"claim packet --vendor v --from 2026-01-01 --until 2026-01-01 --format pdf": "--from must be before",
	} {
		var out, said bytes.Buffer
		if status := run(t.Context(), append(strings.Fields(args), "--to", c.base),
			terminal.Streams{Out: &out, Err: &said}); status == 0 || !strings.Contains(said.String(), reason) {
			t.Errorf("%s: %d %s", args, status, said.String())
		}
	}
	if p, is := c.get(t.Context(), "/weekly.pdf", url.Values{"weak": {"2026-01-01"}}, nil).(*problem); !is ||
		p.Status != http.StatusBadRequest || !strings.Contains(p.Detail, "weak") {
		t.Errorf("a parameter that there isn't: %+v", p)
	}
	// Of another week nothing is known, and that is said.
	isPaper(t, answered(t, c, "/weekly.pdf", url.Values{"week": {"2031-01-01"}}), 1, "Nothing was spent")
	isPaper(t, answered(t, c, "/v1/claims/packet", url.Values{"vendor": {"nobody"}, "format": {"pdf"}}), 1,
		"Nothing is to be claimed")
}
