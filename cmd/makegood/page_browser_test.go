//go:build browser

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/projections/report"
)

const (
	hostile  = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	relative = `../..`
)

// TestPageInABrowser goes the way of a reader: from the first number down to a journal line, where each level has to
// sum up to the one above.
func TestPageInABrowser(t *testing.T) {
	app, c := startTestApp(t, t.TempDir())
	from, through := fillPage(t, c)
	b := startBrowser(t, app.URL)
	first := "/?from=" + from + "&through=" + through + "&currency=USD"

	b.whole(first)
	b.quiet("the first screen")
	figures, drawn := eval[int](b, `document.querySelectorAll("figure[data-chart]").length`),
		eval[int](b, `document.querySelectorAll("figure[data-chart] .plot svg").length`)
	if figures != 7 || drawn != figures {
		t.Errorf("%d of %d charts are drawn", drawn, figures)
	}
	headline, ok := new(big.Rat).SetString(eval[string](b, `document.querySelector(".card .value").dataset.exact`))
	if !ok || headline.Sign() <= 0 {
		t.Fatalf("the first number is %v", headline)
	}
	const groups = "[aria-labelledby=groups] table"
	b.same("all groups", sum(b.amounts(groups+" tbody td:nth-child(2) data")), headline)
	b.same("the groups' total", sum(b.amounts(groups+" tfoot td:nth-child(2) data")), headline)
	b.same("what the money went on", sum(b.amounts(`[aria-labelledby="cost-h"] tbody tr:not(.total) data`)), headline)
	b.same("the days", sum(b.amounts(`[aria-labelledby="trend-h"] tbody td:nth-child(4) data`)), headline)
	margin := b.amounts(`[aria-labelledby="profit-h"] tbody data`)
	b.same("from promised to real margin", sum(margin[:len(margin)-1]), margin[len(margin)-1])
	b.saysAsTheAPI(c, through)
	b.picture("light", 1280)
	b.withoutGaps()
	b.firstScreen(first)
	b.saysWhatToDoNext()

	b.down(groups)

	// And up again, by the trail.
	b.follow(`.trail li:first-child a`)
	if now := eval[string](b, `document.querySelector(".card .value").dataset.exact`); now != headline.FloatString(4) {
		t.Errorf("back on the first screen it says %s, not %s", now, headline.FloatString(4))
	}

	// What the pickers ask, and the spreadsheet beside a table.
	b.do(chromedp.SetValue(`select[name=group]`, "kind", chromedp.ByQuery))
	b.follow(`.pickers button`)
	b.same("the same by another key", sum(b.amounts(groups+" tbody td:nth-child(2) data")), headline)
	table := eval[string](b,
		`document.querySelector('[aria-labelledby=groups] .links a[href*="format=csv"]').getAttribute("href")`)
	var csv bytes.Buffer
	if err := c.get(t.Context(), table, nil, &csv); err != nil {
		t.Fatal(err)
	}
	if rows := strings.Count(csv.String(), "\n") - 1; rows != len(b.amounts(groups+" tbody td:nth-child(2) data")) {
		t.Errorf("the spreadsheet has %d rows:\n%s", rows, csv.String())
	}

	b.asides(first)
	b.open("/case?id=nobody")
	if title := eval[string](b, `document.querySelector("h1").textContent`); title != "Not in the books" {
		t.Errorf("what isn't there is shown as %q", title)
	}
	b.mu.Lock()
	b.complaints = nil // the browser notes the 404 itself
	b.mu.Unlock()

	t.Run("accessible", func(t *testing.T) { b.on(t).accessible(first) })
	t.Run("keyboard", func(t *testing.T) { b.on(t).keyboard(first) })
	t.Run("narrow", func(t *testing.T) { b.on(t).narrow(first) })
	t.Run("print", func(t *testing.T) { b.on(t).print(first) })
	t.Run("without scripts", func(t *testing.T) { b.on(t).withoutScripts(first) })
}

// whole opens the first screen and waits until it has fetched what was still being counted.
func (b *browser) whole(path string) {
	b.Helper()
	b.open(path)
	b.do(chromedp.Poll(`!document.querySelector("[data-counting]")`, nil, chromedp.WithPollingTimeout(100*time.Second)))
	if words := eval[string](b, `document.querySelector("main").textContent`); strings.Contains(words, "being counted") ||
		strings.Contains(words, "being worked out") {
		b.Error("the page says that something is being counted, and doesn't wait for it")
	}
}

// withoutGaps: charts beside each other end at one height, and the next row begins right below.
func (b *browser) withoutGaps() {
	b.Helper()
	type box struct{ Top, Bottom, Plot float64 }
	boxes := eval[[]box](b, `[...document.querySelectorAll(".charts > section, .first > section")].map(s => {
		const r = s.getBoundingClientRect(), p = s.querySelector(".plot");
		return {Top: r.top, Bottom: r.bottom, Plot: p ? r.bottom - p.getBoundingClientRect().bottom : 0}; })`)
	const most = 24 // a gap between rows
	for i, s := range boxes {
		if i > 0 && s.Top == boxes[i-1].Top && s.Bottom != boxes[i-1].Bottom {
			b.Errorf("the %dth part ends at %.0f, that beside it at %.0f", i, s.Bottom, boxes[i-1].Bottom)
		}
		if i > 2 && s.Top > boxes[i-1].Top && s.Top-boxes[i-1].Bottom > most {
			b.Errorf("above the %dth part are %.0f pixels of nothing", i, s.Top-boxes[i-1].Bottom)
		}
		if s.Plot > 110 {
			b.Errorf("below the chart of the %dth part are %.0f pixels of nothing", i, s.Plot)
		}
	}
}

// firstScreen: on a small laptop the first number, what to do next, the pickers in one row and a whole chart are seen
// at once.
func (b *browser) firstScreen(first string) {
	b.Helper()
	b.do(chromedp.EmulateViewport(1366, 768))
	b.open(first)
	for _, what := range []string{".lead strong", "#next-h", ".pickers button", `[aria-labelledby="trend-h"] svg`} {
		bottom := eval[float64](b, fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().bottom`, what))
		if bottom > 768 {
			b.Errorf("%s ends at %.0f of 768", what, bottom)
		}
	}
	if !eval[bool](b, `document.querySelector("select[name=currency]") !== null`) {
		b.Error("there is no other currency to choose, and the pickers have room")
	}
	if from, to := eval[float64](b, `document.querySelector(".pickers .more").getBoundingClientRect().top`),
		eval[float64](b, `document.querySelector(".presets").getBoundingClientRect().bottom`); from >= to {
		b.Errorf("the pickers take more than one row: the last begins at %.0f, the first end at %.0f", from, to)
	}
	if dir := os.Getenv("MAKEGOOD_SCREENSHOTS"); dir != "" {
		var png []byte
		b.do(chromedp.CaptureScreenshot(&png))
		if err := os.WriteFile(filepath.Join(dir, "first.png"), png, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.do(chromedp.EmulateViewport(1280, 1000))
}

// saysWhatToDoNext: three things below the first number, as /v1/next has them, each with a link that answers.
func (b *browser) saysWhatToDoNext() {
	b.Helper()
	links := eval[[]string](b, `[...document.querySelectorAll(".next li p a")].map(a => a.getAttribute("href"))`)
	if len(links) != 3 {
		b.Fatalf("what to do next has the links %q", links)
	}
	for _, link := range links {
		answer, err := http.Get(b.base + link)
		if err != nil {
			b.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusOK {
			b.Errorf("%s: %d", link, answer.StatusCode)
		}
	}
}

// asides are ways beside the one down: to what a till has called as it liked, and to what is said twice.
func (b *browser) asides(first string) {
	b.Helper()
	for _, id := range []string{hostile, relative} {
		b.open("/")
		b.open("/?" + strings.TrimPrefix(first, "/?") + "&group=store")
		b.do(
			chromedp.Evaluate(
				fmt.Sprintf(`[...document.querySelectorAll(".wide th a")].find(a => a.textContent === %q).id = "wanted"`, id), nil))
		b.follow("#wanted")
		b.follow("tbody tr:first-child th a")
		if title := eval[string](b, `document.querySelector("h1").textContent`); title != "Case "+id {
			b.Errorf("the case %q is shown as %q", id, title)
		}
		b.quiet("an id like " + id)
	}
	b.open(first)
	b.follow(`.warning a[href^="/doubts"]`)
	b.picture("doubts", 1280)
	b.follow(`[aria-labelledby="waits-h"] tbody th a`)
	words := eval[string](b, `document.querySelector(".warning").textContent`)
	if !strings.Contains(words, "waits for a decision") {
		b.Errorf("what waits is shown as %q", words)
	}
	b.quiet("what is said twice")
}

// down goes from a group by its cases and events down to the journal lines, where each level sums up to the one above.
func (b *browser) down(groups string) {
	b.Helper()
	group := b.amounts(groups + " tbody td:nth-child(2) data")[0]
	b.follow(groups + " tbody tr:first-child th a")
	b.same("the cases of the first group", sum(b.amounts("tbody td.strong data")), group)
	b.same("their total", sum(b.amounts("tfoot td.strong data")), group)
	b.picture("cases", 1280)
	wanted := b.amounts("tbody td.strong data")[0]
	b.follow("tbody tr:first-child th a")
	b.same("what the report holds of the case", sum(b.amounts("#in-report data")), wanted)
	whole := sum(b.amounts("#sum data"))
	b.same("the steps of the case", sum(b.amounts("#events tbody data")), whole)
	b.same("the case's net", sum(b.amounts("#net data")), whole)
	b.same("the case's journal lines", b.failureLines(), whole)
	b.picture("case", 1280)
	step := b.amounts("#events tbody data")[0]
	b.do(chromedp.Evaluate(`document.querySelector("#events tbody data").closest("tr").querySelector("a").id = "costly"`,
		nil))
	b.follow("#costly")
	b.same("the journal lines of the event", b.failureLines(), step)
	b.same("debits and credits", sum(b.amounts("tfoot td:nth-child(2) data")),
		sum(b.amounts("tfoot td:nth-child(3) data")))
	b.picture("event", 1280)
	b.quiet("the way down")
}

// saysAsTheAPI: what the page says of a year, the API says, and what is drawn is what the table says.
func (b *browser) saysAsTheAPI(c *client, through string) {
	b.Helper()
	var year report.Summary // what the page says of a year, the API says
	if err := c.get(b.Context(), "/v1/summary", url.Values{"from": {"2025-05-01"}, "to": {dayAfter(b.T, through)},
		"currency": {"USD"}}, &year); err != nil {
		b.Fatal(err)
	}
	paf := b.amounts(`[aria-labelledby="paf-h"] tfoot data`)
	for i, r := range []report.Ratio{year.PAF.Prevention, year.PAF.Appraisal, year.PAF.Internal, year.PAF.External} {
		if paf[i].FloatString(4) != r.Numerator {
			b.Errorf("part %d of the cost of quality: %s on the page, %s in the summary", i, paf[i].FloatString(4), r.Numerator)
		}
	}
	b.same("the months of the cost of quality", sum(b.amounts(`[aria-labelledby="paf-h"] tbody td:nth-child(6) data`)),
		paf[4])
	b.same("its parts", sum(paf[:4]), paf[4])
	var again []string
	for _, r := range year.ReturningCustomers {
		again = append(again, fmt.Sprint(r.WithError.Returned, " of ", r.WithError.N), fmt.Sprint(r.WithoutError.Returned,
			" of ", r.WithoutError.N))
	}
	if shown := eval[[]string](b,
		`[...document.querySelectorAll('[aria-labelledby="again-h"] tbody tr')].map(r => r.cells[2].textContent + " of " `+
			`+ r.cells[1].textContent)`); !slices.Equal(shown, again) {
		b.Errorf("who came back: %q on the page, %q in the summary", shown, again)
	}
	for _, chart := range []string{"cost-h", "profit-h"} { // what is drawn is what the table says
		if missing := eval[[]string](b,
			fmt.Sprintf(`(() => { const s = document.querySelector("[aria-labelledby=%[1]s]"),
    drawn = [...s.querySelectorAll("svg text")].map(t => t.textContent);
			return [...s.querySelectorAll("tbody data")].map(d => d.dataset.label).filter(l => !drawn.includes(l)); })()`,
				chart)); len(missing) > 0 {
			b.Errorf("%s: %v is in the table and not in the chart", chart, missing)
		}
	}
}

func dayAfter(t *testing.T, text string) string {
	t.Helper()
	last, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return last.AddDate(0, 0, 1).Format(time.DateOnly)
}

// on is the browser for a subtest.
func (b *browser) on(t *testing.T) *browser {
	return &browser{T: t, ctx: b.ctx, base: b.base}
}

// failureLines sums the journal lines that count as cost of putting right: debit less credit.
func (b *browser) failureLines() *big.Rat {
	b.Helper()
	cell := func(n int) []string {
		return eval[[]string](b,
			fmt.Sprintf(`[...document.querySelectorAll(".journal tr.failure td:nth-child(%d) data")].map(d => d.value)`, n))
	}
	total := new(big.Rat)
	for n, sign := range map[int]*big.Rat{2: big.NewRat(1, 1), 3: big.NewRat(-1, 1)} {
		for _, text := range cell(n) {
			amount, _ := new(big.Rat).SetString(text)
			total.Add(total, amount.Mul(amount, sign))
		}
	}
	return total
}

// accessible holds the pages against axe, in light and dark: contrast, names, roles, order of headings, tables.
func (b *browser) accessible(first string) {
	axe, err := os.ReadFile(os.Getenv("MAKEGOOD_AXE"))
	if err != nil {
		b.Fatalf("MAKEGOOD_AXE must name axe.min.js of the npm package axe-core: %v", err)
	}
	b.open(first)
	var pages []string
	pages = append(pages, strings.TrimPrefix(first, "/"))
	b.follow(".wide tbody tr:first-child th a")
	b.do(chromedp.Evaluate(`location.pathname + location.search`, &first))
	pages = append(pages, strings.TrimPrefix(first, "/"))
	b.follow("tbody tr:first-child th a")
	pages = append(pages, strings.TrimPrefix(eval[string](b, `location.pathname + location.search`), "/"))
	b.follow("#events tbody a")
	pages = append(pages, strings.TrimPrefix(eval[string](b, `location.pathname + location.search`), "/"))
	pages = append(pages, "doubts", "words", "answers/promises", "answers/vendors")
	for _, scheme := range []string{"light", "dark"} {
		b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme",
			Value: scheme}}))
		for i, path := range pages {
			b.open("/" + path)
			b.do(chromedp.Evaluate(string(axe), nil))
			var found []struct {
				ID    string `json:"id"`
				Help  string `json:"help"`
				Nodes []struct {
					HTML    string `json:"html"`
					Summary string `json:"failureSummary"`
				} `json:"nodes"`
			}
			b.do(chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`, &found,
				func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
			for _, f := range found {
				b.Errorf("%s, page %d: %s (%s): %d times, first %s: %s", scheme, i, f.ID, f.Help, len(f.Nodes), f.Nodes[0].HTML,
					f.Nodes[0].Summary)
			}
			if i == 0 {
				b.picture(scheme+"-again", 1280)
			}
		}
		ground := eval[string](b, `getComputedStyle(document.body).backgroundColor`)
		if dark := ground == "rgb(17, 21, 28)"; dark != (scheme == "dark") {
			b.Errorf("in %s mode the ground is %s", scheme, ground)
		}
	}
	b.do(emulation.SetEmulatedMedia())
}

// keyboard: the first stop leads past the head, and every stop is to be seen.
func (b *browser) keyboard(first string) {
	b.open(first)
	b.do(chromedp.KeyEvent("\t"))
	if at := eval[string](b, `document.activeElement.className`); at != "skip" {
		b.Errorf("the first stop is %q", at)
	}
	b.do(chromedp.KeyEvent("\r"))
	if at := eval[string](b, `document.activeElement.id`); at != "main" {
		b.Errorf("the way past the head leads to %q", at)
	}
	stops := map[string]bool{}
	for range 30 {
		b.do(chromedp.KeyEvent("\t"))
		stops[eval[string](b, `document.activeElement.tagName`)] = true
		if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
			b.Errorf("where the focus is can't be seen on %s", eval[string](b, `document.activeElement.outerHTML.slice(0, 120)`))
		}
	}
	for _, want := range []string{"A", "INPUT", "SELECT", "BUTTON", "SUMMARY"} {
		if !stops[want] {
			b.Errorf("the keyboard doesn't get to any %s: %v", want, stops)
		}
	}
}

// narrow: on a telephone nothing is wider than the screen but what scrolls by itself.
func (b *browser) narrow(first string) {
	b.do(chromedp.EmulateViewport(360, 800))
	b.open(first)
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > 360 {
		b.Errorf("the page is %d wide on a screen of 360", wide)
	}
	if right := eval[float64](b,
		`document.querySelector("[aria-labelledby=groups] td.strong data").getBoundingClientRect().right`); right > 360 {
		b.Errorf("on a telephone the net cost ends at %.0f of 360", right)
	}
	b.picture("narrow", 360)
	b.do(chromedp.EmulateViewport(1280, 1000))
}

// print: on paper of either size, two pages, with whole charts.
func (b *browser) print(first string) {
	b.open(first)
	b.do(chromedp.Evaluate(`window.dispatchEvent(new Event("beforeprint"))`, nil),
		emulation.SetEmulatedMedia().WithMedia("print"))
	if cut := eval[[]string](b, `[...document.querySelectorAll(".plot svg")].filter(s => {
		const p = s.closest(".plot").getBoundingClientRect(), r = s.getBoundingClientRect();
		return p.height > 0 && (r.bottom > p.bottom + 1 || r.right > p.right + 1 || r.height < .9 * p.height);
	}).map(s => s.closest("section").getAttribute("aria-labelledby"))`); len(cut) > 0 {
		b.Errorf("on paper these charts are cut: %q", cut)
	}
	b.do(emulation.SetEmulatedMedia())
	for name, inches := range map[string][2]float64{"a4": {8.27, 11.69}, "letter": {8.5, 11}} {
		b.open(first)
		var pdf []byte
		b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			pdf, _, err = page.PrintToPDF().WithPaperWidth(inches[0]).WithPaperHeight(inches[1]).WithPreferCSSPageSize(
				false).WithPrintBackground(true).Do(ctx)
			return err //nolint:wrapcheck // a test
		}))
		if pages := bytes.Count(pdf, []byte("/Type /Page\n")) + bytes.Count(pdf, []byte("/Type /Page ")); !bytes.HasPrefix(
			pdf, []byte("%PDF")) || pages < 1 || pages > 2 {
			b.Errorf("%s: %d pages", name, pages)
		}
		if dir := os.Getenv("MAKEGOOD_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// withoutScripts: everything is there, as tables.
func (b *browser) withoutScripts(first string) {
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open(first)
	b.picture("plain", 1280)
	// The page runs no scripts; the debugger's own questions do.
	visible := eval[int](b,
		`[...document.querySelectorAll("figure table")].filter(t => t.getBoundingClientRect().height > 40).length`)
	plots := eval[int](b,
		`[...document.querySelectorAll(".plot")].filter(p => p.getBoundingClientRect().height > 0).length`)
	if visible != 7 || plots != 0 {
		b.Errorf("%d tables of 7 and %d empty charts are seen", visible, plots)
	}
	b.do(emulation.SetScriptExecutionDisabled(false))
}

// fillPage books what the pages show, and returns the first and last day of it.
func fillPage(t *testing.T, c *client) (from, through string) {
	t.Helper()
	config := simulator.Defaults()
	config.Orders, config.Days, config.Start = 1500, 45, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	simulation, err := simulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	out := httpSink(t.Context(), c)
	var last time.Time
	for {
		event, more := simulation.Next()
		if !more {
			break
		}
		if event.Time.After(last) {
			last = event.Time
		}
		if err := out.add(&event); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	// Another currency to choose.
	mustPost(t, c, event("eur", "refund.issued", config.Start.AddDate(0, 0, 3).Format(time.RFC3339), "eur",
		`{"order_id":"eur","store_id":"s1","error_id":"eur","refund_id":"R","currency":"EUR","net":"5"}`))
	for i, id := range []string{hostile, relative} {
		quoted, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		at := config.Start.AddDate(0, 0, 3).Format(time.RFC3339)
		mustPost(t, c,
			fmt.Sprintf(`{"specversion":"1.0","id":"hostile-%[3]d","source":"/till","type":"makegood.error.reported.v1",
    "time":%[2]q,"subject":%[1]s,
			"data":{"order_id":%[1]s,"store_id":%[1]s,"error_id":%[1]s,"kind":"wrong_item","found":"after_delivery",
			"detected_by":"customer","currency":"USD","lines":[{"sku":%[1]s,"quantity":1,"unit_cost":"12.3456"}]}}`,
				quoted, at, i))
		// A report alone costs nothing. The second system tells the refund otherwise, and waits.
		for source, net := range map[string]string{"/till": "12.3456", "/webhook": "12.3457"} {
			mustPost(t, c,
				fmt.Sprintf(`{"specversion":"1.0","id":"refund-%[3]d","source":%[4]q,"type":"makegood.refund.issued.v1",
			"time":%[2]q,"subject":%[1]s,"data":{"order_id":%[1]s,"store_id":%[1]s,"error_id":%[1]s,
			"refund_id":"refund-%[3]d","currency":"USD","net":%[5]q}}`,
					quoted, at, i, source, net))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.caughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	return config.Start.Format(time.DateOnly), last.Format(time.DateOnly)
}
