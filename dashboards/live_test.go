//go:build monitoring

package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/sql"
)

// live is a real makegood with the demo's data, its engine, and a Prometheus with our configuration that scrapes it.
type live struct {
	binary, makegood, prometheus, clickhouse string // addresses as URLs; the books' for the user finance
}

// startLive starts all of it. What it starts ends with the test.
func startLive(t *testing.T) *live {
	t.Helper()
	dir := t.TempDir()
	l := &live{binary: filepath.Join(dir, "makegood"), makegood: "http://" + freeAddress(t),
		prometheus: "http://" + freeAddress(t)}
	if out, err := exec.Command("go", "build", "-o", l.binary, "../cmd/makegood").CombinedOutput(); err != nil {
		t.Fatalf("build makegood: %v\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	run(t, filepath.Join(dir, "makegood.log"), l.binary, "demo", "--data-dir", data,
		"--http", strings.TrimPrefix(l.makegood, "http://"),
		"--clickhouse-http-port", port)
	awaitURL(t, l.makegood+"/readyz")
	awaitText(t, filepath.Join(dir, "makegood.log"), "New events come in")
	l.clickhouse = finance(t, filepath.Join(data, "clickhouse"), port)
	l.misbehave(t)

	config := filepath.Join(dir, "prometheus")
	if err := os.CopyFS(config, os.DirFS("prometheus")); err != nil {
		t.Fatal(err)
	}
	targets := fmt.Sprintf("- targets: [%q]\n", strings.TrimPrefix(l.makegood, "http://"))
	if err := os.WriteFile(filepath.Join(config, "targets/makegood.yml"), []byte(targets), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, filepath.Join(dir, "prometheus.log"), "prometheus", "--config.file="+filepath.Join(config, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"),
		"--web.listen-address="+strings.TrimPrefix(l.prometheus, "http://"))
	awaitURL(t, l.prometheus+"/-/ready")
	return l
}

// misbehave sends what a healthy demo doesn't have: two events of one identity, work at a rate that nobody set, a
// refund of more than was paid, and a refund that two systems tell differently.
func (l *live) misbehave(t *testing.T) {
	t.Helper()
	labour := func(id, currency string, minutes int) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/tills/reset","type":"makegood.labour.spent.v1",
"time":%q,"subject":"truck-1","data":{"order_id":"truck-1","store_id":"store-1","error_id":"truck-1-late",
"labour_id":%q,"role":"agent","minutes":%d,"currency":%q}}`,
			id, time.Now().UTC().Format(time.RFC3339), id, minutes, currency)
	}
	refund := func(source, id, net string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":"1","source":%q,"type":"makegood.refund.issued.v1",
"time":%q,"subject":"truck-1","data":{"order_id":"truck-1","store_id":"store-1","error_id":"truck-1-late",
"refund_id":%q,"currency":"USD","net":%q}}`, source, time.Now().UTC().Format(time.RFC3339), id, net)
	}
	for _, event := range []string{labour("1", "CHF", 5), labour("2", "CHF", 7), labour("2", "CHF", 8),
		refund("/tills/generous", "too-much", "9000"), refund("/tills/a", "twice", "1"), refund("/tills/b", "twice", "2")} {
		answer, err := http.Post(l.makegood+"/v1/events", "application/cloudevents+json", strings.NewReader(event))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: %s\n%s", answer.Status, text, event)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func run(t *testing.T, log, name string, args ...string) {
	t.Helper()
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // Prometheus and the demo end with whatever status their interruption has
		_ = out.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log)
			t.Logf("%s:\n%s", log, text[max(0, len(text)-2000):])
		}
	})
}

func awaitURL(t *testing.T, address string) {
	t.Helper()
	await(t, address, func() bool {
		answer, err := http.Get(address)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func awaitText(t *testing.T, path, text string) {
	t.Helper()
	await(t, path+": "+text, func() bool {
		had, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(had), text)
	})
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// finance is the address of the engine for the user who may only read.
func finance(t *testing.T, dir, port string) string {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(dir, "finance.password"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://finance:%s@127.0.0.1:%s/?database=finance", strings.TrimSpace(string(password)), port)
}

// sql asks as Grafana's plugin would, and returns the rows.
func (l *live) sql(query string) ([][]any, error) {
	answer, err := http.Post(l.clickhouse, "text/plain", strings.NewReader(query+"\nFORMAT JSONCompact"))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var parsed struct{ Data [][]any }
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Status, text)
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return parsed.Data, nil
}

// promql asks over the last minutes, as a panel with a time axis does, or for now, and says whether there is a number.
func (l *live) promql(query string, instant bool) (bool, error) {
	path, values := "/api/v1/query_range", url.Values{"query": {query}, "step": {"15"},
		"start": {fmt.Sprint(time.Now().Add(-5 * time.Minute).Unix())}, "end": {fmt.Sprint(time.Now().Unix())}}
	if instant {
		path, values = "/api/v1/query", url.Values{"query": {query}}
	}
	answer, err := http.PostForm(l.prometheus+path, values)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	var parsed struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Value  []any
				Values [][]any
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&parsed); err != nil {
		return false, err
	}
	if parsed.Status != "success" {
		return false, errors.New(parsed.Error)
	}
	for _, r := range parsed.Data.Result {
		for _, v := range append(r.Values, r.Value) {
			if len(v) == 2 && v[1] != "NaN" {
				return true, nil
			}
		}
	}
	return false, nil
}

// TestLive runs everything that stands in these files against real services: every panel's query, every runbook's
// command, and the metrics against the report.
func TestLive(t *testing.T) {
	l := startLive(t)
	t.Run("metrics", l.metricsAgreeWithTheReport)
	t.Run("boards", l.everyPanelShowsSomething)
	t.Run("waterfall", l.waterfallEndsAtTheLedger)
	t.Run("runbooks", l.everyCommandWorks)
}

// metricsAgreeWithTheReport compares the monitored leakage of the month with the exact report.
func (l *live) metricsAgreeWithTheReport(t *testing.T) {
	now := time.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var report struct {
		Totals struct{ Net, Gross, Hidden, Recoveries json.Number }
	}
	query := func() [4]string {
		answer, err := http.Get(l.makegood + "/v1/reports/leakage?currency=USD&from=" + month.Format(time.DateOnly) +
			"&to=" + month.AddDate(0, 1, 0).Format(time.DateOnly))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&report); err != nil {
			t.Fatal(err)
		}
		of := report.Totals
		return [4]string{cents(of.Net), cents(of.Gross), cents(of.Hidden), cents(of.Recoveries)}
	}
	var want, got [4]string
	// The demo's trickle goes on meanwhile: wait for a moment at which both have seen the same.
	await(t, "the metrics to agree with the report", func() bool {
		want = query()
		for i, name := range []string{"net", "gross", "hidden", "recoveries"} {
			got[i] = l.value(t, `period_currency:makegood_leakage_`+name+`_amount:sum{period="month", currency="USD"}`)
		}
		return got == want && want[0] != "0.00"
	})
}

func cents(n json.Number) string {
	f, _ := n.Float64()
	return fmt.Sprintf("%.2f", f)
}

func (l *live) value(t *testing.T, query string) string {
	t.Helper()
	answer, err := http.PostForm(l.prometheus+"/api/v1/query", url.Values{"query": {query}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var parsed struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&parsed); err != nil {
		t.Fatal(err)
	}
	if len(parsed.Data.Result) != 1 {
		return ""
	}
	return cents(json.Number(parsed.Data.Result[0].Value[1].(string)))
}

// everyPanelShowsSomething runs every query with everything chosen, then with one value of each variable, as Grafana
// would write it. Nothing may fail; with everything chosen nothing may be empty.
func (l *live) everyPanelShowsSomething(t *testing.T) {
	for _, b := range boards(t) {
		every, one := l.choices(t, b)
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				where := b.Title + ": " + p.Title + " " + q.RefID
				if q.Expr != "" {
					query := strings.ReplaceAll(q.Expr, "$__rate_interval", "1m")
					await(t, where, func() bool {
						shows, err := l.promql(query, q.Instant)
						if err != nil {
							t.Fatalf("%s: %v", where, err)
						}
						return shows
					})
					continue
				}
				if rows, err := l.sql(grafanaSQL(q.RawSQL, every)); err != nil || blank(rows) {
					t.Errorf("%s: empty (%v) or %v\n%s", where, blank(rows), err, grafanaSQL(q.RawSQL, every))
				}
				if _, err := l.sql(grafanaSQL(q.RawSQL, one)); err != nil {
					t.Errorf("%s, one of each chosen: %v", where, err)
				}
			}
		}
	}
}

// choices are, for a board, all that can be chosen, and the first of each. US dollars are the currency in both.
func (l *live) choices(t *testing.T, b grafanaBoard) (every, one chosen) {
	t.Helper()
	every = chosen{"order": {"truck-1"}, "currency": {"USD"}}
	one = maps.Clone(every)
	for _, v := range b.Templating.List {
		if v.Type != "query" {
			continue
		}
		var query string
		if err := json.Unmarshal(v.Query, &query); err != nil {
			t.Fatal(err)
		}
		rows, err := l.sql(grafanaSQL(query, nil))
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: variable %s has no choices (%v)", b.Title, v.Name, err)
		}
		if v.IncludeAll {
			one[v.Name] = []string{rows[0][0].(string)}
			if v.AllValue != "all" {
				t.Errorf("%s: All of %s is %q", b.Title, v.Name, v.AllValue)
			}
		}
	}
	return every, one
}

// waterfallEndsAtTheLedger compares the waterfall's last step with the ledger, in one query.
func (l *live) waterfallEndsAtTheLedger(t *testing.T) {
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if !strings.HasPrefix(p.Title, "The same, exactly") {
				continue
			}
			steps, _, _ := strings.Cut(p.Targets[0].RawSQL, "SELECT step AS")
			query := steps + `SELECT toString(after), toString((
    SELECT -sum(CAST(x AS Decimal(38, 4)))
    FROM ledger FINAL ARRAY JOIN account AS a, amount AS x, ` + sql.LineCurrency + ` AS of_currency
    WHERE $__dateFilter(day) AND of_currency = 'USD' AND a >= 4000 AND a < 6000))
FROM steps WHERE n = (SELECT max(n) FROM steps)`
			// The demo's trickle goes on, and the roll-up follows the ledger: wait for a moment at which both have the same.
			var rows [][]any
			await(t, "the waterfall to end at the ledger", func() bool {
				var err error
				if rows, err = l.sql(grafanaSQL(query, chosen{"currency": {"USD"}})); err != nil || len(rows) != 1 {
					t.Fatalf("the waterfall ends at %v: %v", rows, err)
				}
				return rows[0][0] == rows[0][1] && rows[0][0] != "0"
			})
			return
		}
	}
	t.Error("there is no waterfall")
}

func blank(rows [][]any) bool {
	for _, r := range rows {
		for _, v := range r {
			if v != nil && v != "" {
				return false
			}
		}
	}
	return true
}

// grafanaSQL is a query as Grafana sends it, for the last 30 days.
func grafanaSQL(query string, c chosen) string {
	to := time.Now().UTC()
	return expand(query, c, to.AddDate(0, 0, -30), to)
}

// everyCommandWorks runs the shell blocks of the runbooks as they stand.
func (l *live) everyCommandWorks(t *testing.T) {
	await(t, "the conflict and the missing rate to be noticed", func() bool {
		unpriced := l.value(t, `max(makegood_books_unpriced)`)
		conflicts := l.value(t, `sum(makegood_books_dead_letters{reason="conflict"})`)
		return conflicts == "1.00" && unpriced != "" && unpriced != "0.00"
	})
	for _, path := range glob(t, "runbooks/*.md") {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range commands(string(page)) {
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", block)
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(l.binary)+":"+os.Getenv("PATH"), "MAKEGOOD_TO="+l.makegood,
				"PROMETHEUS="+l.prometheus, "CLICKHOUSE="+l.clickhouse)
			out, err := cmd.CombinedOutput()
			stop()
			if err != nil || len(out) == 0 {
				t.Errorf("%s:\n%s\nends with %v and says:\n%s", path, block, err, out)
			}
		}
	}
}
