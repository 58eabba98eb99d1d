package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
)

// verified asks whether a period is as it was sealed, and writes what deviates one a line: code, event, place.
func verified(t *testing.T, c *client, period string, more ...string) (*audit.Verification, string) {
	t.Helper()
	query := url.Values{}
	if period != "" {
		query.Set("period", period)
	}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	var v audit.Verification
	if err := c.get(t.Context(), "/v1/verify", query, &v); err != nil {
		t.Fatal(err)
	}
	return &v, deviations(&v)
}

func deviations(v *audit.Verification) string {
	var lines []string
	for _, d := range v.Deviations {
		where, _, _ := strings.Cut(d.Place, "@")
		where, _, _ = strings.Cut(where, "/")
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s/%d %s %s %s", d.Period, d.Close, d.Code, d.ID, where)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// sealedBy waits until a period's last close is sealed.
func sealedBy(t *testing.T, c *client, period string) audit.SealSaid {
	t.Helper()
	p, err := domain.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; { // a busy machine takes longer than somebody at a terminal waits
		seal, err := c.sealed(t.Context(), p)
		if seal != nil && err == nil {
			return *seal
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("%s isn't sealed: %v", period, err)
		}
	}
}

// TestTampering: what is changed in a closed month behind makegood's back is named, event by event; books that nobody
// changed are as they were sealed, also after what comes later, a reopening, another close and a rebuild.
func TestTampering(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents, goldenEvents[2:5]) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	out := say(t, c, "", "close", "2026-01", "--yes")
	seal := sealedBy(t, c, "2026-01")
	if !strings.Contains(out, "sealed: "+fmt.Sprint(seal.Events)+" events, root "+seal.Root) {
		t.Errorf("close says\n%s", out)
	}
	v, found := verified(t, c, "2026-01", "root", seal.Root)
	if found != "" || !v.Clean() || len(v.Seals) != 1 || !v.Seals[0].Verified || v.Seals[0].Root != seal.Root ||
		v.Seals[0].Events != seal.Events || seal.Events == 0 || v.Records == 0 {
		t.Fatalf("untouched books deviate: %s %+v", found, v)
	}
	if out := say(t, c, "", "audit"); !strings.Contains(out, "2026-01, close 1, ") || !strings.Contains(out, seal.Root) {
		t.Errorf("audit says\n%s", out)
	}

	// What comes after the close changes nothing of it: a late refund, a void, a reopening, another close, a rebuild.
	mustPost(t, c, event("late", "refund.issued", "2026-01-20T10:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"late","currency":"USD","net":"5"}`))
	mustCatchUp(t, c)
	say(t, c, "", "reopen", "2026-01", "--yes")
	mustPost(t, c, event("later", "refund.issued", "2026-01-21T10:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"later","currency":"USD","net":"6"}`))
	mustCatchUp(t, c)
	say(t, c, "", "close", "2026-01", "--yes")
	second := sealedBy(t, c, "2026-01")
	if second.Previous != seal.Hash || second.Root == seal.Root || second.Close != 2 || second.Events != seal.Events+1 {
		t.Errorf("the second seal is %+v after %+v", second, seal)
	}
	mustPost(t, c, event("rate2", "rate.set", "2026-02-01T00:00:00Z", "",
		`{"rate":"fleet_hour","key":"*","value":"99","currency":"USD","effective_from":"2025-01-01"}`))
	mustCatchUp(t, c)
	say(t, c, "", "rebuild", "--yes")
	say(t, c, "", "close", "2025-12", "--yes")
	sealedBy(t, c, "2025-12")
	if v, found := verified(t, c, ""); found != "" || len(v.Seals) != 3 {
		t.Fatalf("untouched books deviate: %s", found)
	}
	if _, found := verified(t, c, "2026-01/1", "root", seal.Root); found != "" {
		t.Fatalf("the first close deviates: %s", found)
	}
	if _, found := verified(t, c, "2026-01", "root", seal.Root); found != "2026-01/2 kept_root_differs" {
		t.Errorf("held against the root of the first close: %q", found)
	}
	tamper(t, app, c)
}

// tamper changes rows, one after another, as whoever may write to the books can, and puts each back.
func tamper(t *testing.T, app *server.App, c *client) {
	t.Helper()
	const wait = ` SETTINGS mutations_sync = 1`
	exec := func(statement string) {
		t.Helper()
		if err := app.Store.DB.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE kept AS ledger`)
	exec(`INSERT INTO kept SELECT * FROM ledger`)
	row := func(id, replace string) string {
		return `INSERT INTO ledger SELECT * REPLACE (` + replace + `, version + 1 AS version)
			FROM (SELECT * FROM ledger FINAL WHERE event_id = '` + id + `' AND refused = '')`
	}
	for what, test := range map[string]struct{ change, want string }{
		"an amount": {`ALTER TABLE ledger UPDATE amount = arrayMap(x -> 2 * x, amount) WHERE event_id = '3'` + wait,
			"entry_changed 3 redeliveries"},
		"a payload": {`ALTER TABLE ledger UPDATE payload = replaceAll(payload, 'o1', 'o2') WHERE event_id = '3'` + wait,
			"event_changed 3 redeliveries\nrecord_differs 3 redeliveries"},
		"a month":   {row("3", `toDate('2026-02-01') AS posting_period`), "event_missing 3 redeliveries"},
		"a refusal": {row("3", `'conflict' AS refused`), "event_missing 3 redeliveries"},
		"a row less": {`ALTER TABLE ledger DELETE WHERE event_id = '8'` + wait,
			"event_missing 8 redeliveries\nrecord_unbooked 8 redeliveries"},
		"a row more": {row("3", `'new' AS event_id`),
			"event_added new redeliveries\nrecord_differs new redeliveries"},
		"a moment": {row("3", `recorded_at - toIntervalSecond(1) AS recorded_at`), "moment_differs 3 redeliveries"},
		"a place":  {row("3", `offset + 1000000 AS offset`), "event_missing 3 redeliveries"},
	} {
		exec(test.change)
		_, found := verified(t, c, "2026-01/2")
		for want := range strings.SplitSeq(test.want, "\n") {
			if !strings.Contains(found, "2026-01/2 "+want) {
				t.Errorf("%s: not found: %s\n%s", what, want, found)
			}
		}
		exec(`TRUNCATE TABLE ledger`)
		exec(`INSERT INTO ledger SELECT * FROM kept`)
		if _, found := verified(t, c, ""); found != "" {
			t.Fatalf("%s: put back, it deviates: %s", what, found)
		}
	}
	var out, said bytes.Buffer
	exec(`ALTER TABLE ledger UPDATE amount = arrayMap(x -> 2 * x, amount) WHERE event_id = '3'` + wait)
	if status := run(t.Context(), []string{"verify", "2026-01", "--to", c.base}, terminal.Streams{
		In: strings.NewReader(""), Out: &out, Err: &said}); status != 1 ||
		!strings.Contains(out.String(), "event 3 of urn:till:1") {
		t.Errorf("exit status %d\n%s%s", status, &out, &said)
	}
}

// TestSealIsMadeUp: a close without a seal, since whoever was to write it had ended, is sealed at the next start;
// nobody else can seal; and two processes at once make one seal.
func TestSealIsMadeUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, c := startTestAppWith(t, dir, func(config *server.Config) { config.Roles = []string{server.RoleGateway} })
	for _, e := range slices.Concat(goldenRates, goldenEvents, []string{
		event("c1", "period.closed", "2026-02-02T00:00:00Z", "", `{"period":"2026-01"}`),
		event("c2", "period.closed", "2026-02-02T00:00:01Z", "", `{"period":"2025-12"}`)}) {
		mustPost(t, c, e)
	}
	if _, found := verified(t, c, "", "ledger_only", "true"); found != "2025-12/1 not_sealed\n2026-01/1 not_sealed" {
		t.Errorf("before anything is booked: %s", found)
	}
	var p *problem
	err := c.post(t.Context(), "/v1/events", "application/cloudevents+json", strings.NewReader(event("forged",
		"books.sealed", "2026-02-02T00:00:00Z", "", `{"period":"2026-01","close":1,"format":1,"events":1,"root":"`+
			strings.Repeat("0", 64)+`"}`)), nil)
	if !errors.As(err, &p) || p.Status != http.StatusForbidden {
		t.Errorf("somebody else's seal: %v", err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}

	app, c := startTestApp(t, dir)
	group, ctx := errgroup.WithContext(t.Context())
	for range 3 {
		group.Go(func() error { return app.NewSealer().All(ctx) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	first, second := sealedBy(t, c, "2026-01"), sealedBy(t, c, "2025-12")
	if first.Previous != "" || second.Previous != first.Hash || first.Events == 0 || second.Events != 0 {
		t.Errorf("the seals are %+v and %+v", first, second)
	}
	mustCatchUp(t, c)
	if v, found := verified(t, c, ""); found != "" || !v.Clean() || len(v.Seals) != 2 {
		t.Errorf("what was made up deviates: %s", found)
	}
	var now status
	if err := c.get(t.Context(), "/v1/status", nil, &now); err != nil || now.DeadLetters != 0 || now.Conflicts != 0 {
		t.Errorf("seals of several processes: %+v, %v", now, err)
	}
}
