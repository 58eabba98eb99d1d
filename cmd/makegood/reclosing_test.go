package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

func changedIDs(t *testing.T, c *client, since string) (ids string, found report.Changes) {
	t.Helper()
	if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {since}}, &found); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range found.Changes {
		all = append(all, found.Changes[i].ID)
	}
	return strings.Join(all, " "), found
}

// TestEveryCloseCanBeAskedFor: a month that was closed, reopened and closed again says what came after each of its
// closes, and every report of each of them is still to be had.
func TestEveryCloseCanBeAskedFor(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	late := func(id string) {
		mustPost(t, c, event(id, "refund.issued", "2026-01-20T10:00:00Z", "o1", `{`+goldenCase+`,"refund_id":"`+id+
			`","currency":"USD","net":"5"}`))
		mustCatchUp(t, c)
	}
	questions := map[string]string{
		"/v1/reports/leakage": "from=2026-01-01&to=2026-02-01&group_by=element",
		"/v1/summary":         "from=2026-01-01&to=2026-02-01&period_by=posting",
		"/v1/statement":       "store=s1&period=2026-01", "/v1/journal": "from=2026-01-01&to=2026-02-01", "/v1/orders/o1": "",
	}
	reports := func(asOf string) string {
		t.Helper()
		var all []string
		for path, query := range questions {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			values.Set("as_of", asOf)
			all = append(all, path+" "+answered(t, c, path, values))
		}
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	if out := say(t, c, "", "close", "2026-01", "--yes"); !strings.Contains(out,
		"its report, until it is reopened and closed again: makegood report --as-of close:2026-01 ") {
		t.Errorf("close says\n%s", out)
	}
	first := reports("close:2026-01")
	late("late1")
	say(t, c, "", "reopen", "2026-01", "--yes")
	late("late2")
	say(t, c, "", "close", "2026-01", "--yes")
	second := reports("close:2026-01")
	late("late3")
	if first == second || reports("close:2026-01/1") != first || reports("close:2026-01/2") != second {
		t.Errorf("the reports of the two closes are\n%s\n%s\nand now\n%s\n%s", first, second, reports("close:2026-01/1"),
			reports("close:2026-01/2"))
	}
	if told := answered(t, c, "/v1/orders/o1", url.Values{"as_of": {"close:2026-01"}}); !strings.Contains(second, told) {
		t.Errorf("the last close says\n%s\nand said\n%s", told, second)
	}
	if page := answered(t, c, "/", url.Values{"as_of": {"close:2026-01/1"}, "from": {"2026-01-01"},
		"to": {"2026-02-01"}}); !strings.Contains(page, "63.35") {
		t.Errorf("the page doesn't know of the first close")
	}

	eachCloseHasItsChanges(t, c)

	// What closes a month, mostly in some other, is no change to either.
	today := time.Now().UTC().Format("2006-01")
	if out := say(t, c, "", "close", today, "--yes"); !strings.Contains(out, "is not over yet") {
		t.Errorf("closing %s says\n%s", today, out)
	}
	if ids, _ := changedIDs(t, c, today); ids != "" {
		t.Errorf("since the close of %s: %s", today, ids)
	}
}

// eachCloseHasItsChanges: what came after each of two closes is listed; a close that never was is said not to be one.
func eachCloseHasItsChanges(t *testing.T, c *client) {
	t.Helper()
	for since, want := range map[string]string{"2026-01": "late3", "2026-01/2": "late3",
		"2026-01/1": "late1 late2 late3"} {
		ids, found := changedIDs(t, c, since)
		var closes []string
		for _, one := range found.Closes {
			closes = append(closes, fmt.Sprint(one.Number, " ", one.Events, " ", one.ReopenedAt != nil))
			if one.Number == found.Close && !one.ClosedAt.Equal(found.ClosedAt) {
				t.Errorf("since %s: %+v", since, found)
			}
		}
		if got := strings.Join(closes, ", "); ids != want || got != "1 3 true, 2 1 false" {
			t.Errorf("since %s: %s, of closes %s", since, ids, got)
		}
	}
	if out := say(t, c, "", "report", "changes", "--since-close", "2026-01"); !strings.Contains(out,
		"since close 2 of 2 of 2026-01, at ") ||
		!strings.Contains(out, ": 3 events (--since-close 2026-01/1)") || strings.Contains(out, "late1") {
		t.Errorf("since the last close:\n%s", out)
	}
	if out := say(t, c, "", "report", "changes", "--since-close", "2026-01/1"); !strings.Contains(out,
		"closed again at ") || !strings.Contains(out, "late1") {
		t.Errorf("since the first close:\n%s", out)
	}
	for text, want := range map[string]string{"2026-01/3": "closed 2 times", "2026-01/0": "a number from 1 on",
		"2026-02/1": "never closed"} {
		var p *problem
		if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {text}}, nil); !errors.As(err, &p) ||
			p.Status != http.StatusBadRequest || !strings.Contains(p.Detail, "since_close: ") || !strings.Contains(p.Detail,
			want) {
			t.Errorf("since %s: %v", text, err)
		}
		if err := c.get(t.Context(), "/v1/reports/leakage", url.Values{"as_of": {"close:" + text}}, nil); !errors.As(err,
			&p) || p.Status != http.StatusBadRequest || !strings.Contains(p.Detail, want) {
			t.Errorf("as of close:%s: %v", text, err)
		}
	}
}

// atPrompt is a command that waits for its answers.
type atPrompt struct {
	answers *io.PipeWriter
	mu      sync.Mutex
	said    bytes.Buffer
	done    chan int
}

func (a *atPrompt) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said.Write(p)
}

func (a *atPrompt) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said.String()
}

// startAtPrompt runs a command until it says what is awaited.
func startAtPrompt(t *testing.T, c *client, awaited string, args ...string) *atPrompt {
	t.Helper()
	in, answers := io.Pipe()
	a := &atPrompt{answers: answers, done: make(chan int, 1)}
	go func() {
		a.done <- run(t.Context(), append(args, "--to", c.base), terminal.Streams{In: in, Out: a, Err: a})
	}()
	for !strings.Contains(a.text(), awaited) {
		select {
		case status := <-a.done:
			t.Fatalf("%v: exit status %d\n%s", args, status, a.text())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return a
}

// TestTwoCloseAtOnce: of two people who close the same month at once one closes it, and the other is told who did and
// when.
func TestTwoCloseAtOnce(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	people := map[string]*atPrompt{}
	for _, name := range []string{"ann", "bob"} {
		people[name] = startAtPrompt(t, c, "Type yes: ", "close", "2026-01", "--actor", name)
	}
	for name, p := range people {
		go func() { _, _ = io.WriteString(p.answers, "yes\nmonth end of "+name+"\n") }()
	}
	status := map[string]int{}
	for name, p := range people {
		status[name] = <-p.done
	}
	winner, loser := "ann", "bob"
	if status["bob"] == 0 {
		winner, loser = "bob", "ann"
	}
	if status[winner] != 0 || status[loser] == 0 {
		t.Fatalf("exit status %v:\n%s\n%s", status, people["ann"].text(), people["bob"].text())
	}
	state, err := c.period(t.Context(), 2026*12)
	if err != nil {
		t.Fatal(err)
	}
	if by := state.ClosedBy; by == nil || by.Actor != winner || by.Reason != "month end of "+winner ||
		by.Source != actorSource {
		t.Errorf("closed by %+v", by)
	}
	who := fmt.Sprintf("by %s at %s (month end of %s)", winner, state.ClosedAt.Format(time.RFC3339), winner)
	if text := people[loser].text(); !strings.Contains(text, "2026-01 was closed already, "+who) ||
		strings.Contains(text, "closed by "+loser) {
		t.Errorf("%s is told\n%s", loser, text)
	}
	if code, text := said(t, c, "", "close", "2026-01", "--yes"); code == 0 ||
		!strings.Contains(text, "2026-01 is closed already, "+who) {
		t.Errorf("who comes later is told\n%s", text)
	}
	mustPost(t, c, event("again", "period.closed", "2026-02-03T00:00:00Z", "", `{"period":"2026-01","actor":"a till"}`))
	mustPost(t, c, event("open", "period.reopened", "2026-02-03T00:00:00Z", "", `{"period":"2025-12","actor":"a till"}`))
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids, found := changedIDs(t, c, "2026-01"); ids != "" || len(found.Closes) != 1 {
		t.Errorf("changes %s since closes %+v", ids, found.Closes)
	}
	var listed audit.Audit
	if err := c.get(t.Context(), "/v1/audit", nil, &listed); err != nil {
		t.Fatal(err)
	}
	closed := map[string]string{}
	for _, e := range listed.Entries {
		if strings.HasPrefix(e.Type, "makegood.period.") {
			closed[e.Actor] += e.Change + ";"
		}
	}
	if closed[winner] != "2026-01;" || closed["a till"] != "2026-01, which was closed already;2025-12, which was open "+
		"already;" ||
		closed[loser] != "" && closed[loser] != "2026-01, which was closed already;" {
		t.Errorf("the audit says %v, and %s was first", closed, winner)
	}
}
