package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/report"
)

// say runs a command against c with an answer on its standard input, and returns what it printed.
func say(t *testing.T, c *client, answer string, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if status := run(t.Context(), append(args, "--to", c.base), terminal.Streams{In: strings.NewReader(answer), Out: &out,
		Err: &said}); status != 0 {
		t.Fatalf("%v: exit status %d\n%s%s", args, status, &out, &said)
	}
	return out.String()
}

// unreadable puts a record on the log that nobody can read, and returns its dead letter.
func unreadable(t *testing.T, app *server.App, c *client, text string) deadletter.Letter {
	t.Helper()
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll, Transport: &kafkago.Transport{Dial: app.Dial}}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafkago.Message{Topic: "makegood.orders", Key: []byte("x"),
		Value: []byte(text)}); err != nil {
		t.Fatal(err)
	}
	mustCatchUp(t, c)
	var answer struct {
		Letters []deadletter.Letter `json:"dead_letters"`
	}
	if err := c.get(t.Context(), "/v1/deadletters", nil, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Letters) != 1 {
		t.Fatalf("%d dead letters", len(answer.Letters))
	}
	return answer.Letters[0]
}

func audited(t *testing.T, c *client, query url.Values) []string {
	t.Helper()
	mustCatchUp(t, c)
	var a audit.Audit
	if err := c.get(t.Context(), "/v1/audit", query, &a); err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for i, e := range a.Entries {
		if i > 0 && e.RecordedAt.Before(a.Entries[i-1].RecordedAt) {
			t.Errorf("%s is listed behind what was recorded later", e.ID)
		}
		lines = append(lines, fmt.Sprintf("%s | %s | %s | %s", domain.ShortName(e.Type), e.Change, e.Actor, e.Reason))
	}
	return lines
}

// TestEveryChangeIsOnRecord: who sets a rate, closes, reopens, voids, replays and discards is in the books with their
// reason, is listed in that order, and posts nothing but the void.
func TestEveryChangeIsOnRecord(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range goldenEvents {
		mustPost(t, c, e)
	}
	rates := writeFile(t, "rates.yaml", "currency: USD\neffective_from: 2026-01-01\nlabour_hour:\n  agent: 34\n")
	say(t, c, "", "rates", "load", rates, "--actor", "ann", "--reason", "wages of 2026")
	say(t, c, "", "close", "2025-12", "--yes", "--actor", "ann", "--reason", "month end")
	sealedBy(t, c, "2025-12")
	say(t, c, "", "reopen", "2025-12", "--yes", "--actor", "bob", "--reason", "an invoice was missing")
	letter := unreadable(t, app, c, `=1+1`)
	say(t, c, "", "deadletters", "replay", letter.ID, "--actor", "carl", "--reason", "try again")
	if again := unreadable(t, app, c, `=1+1`); again.ID != letter.ID {
		t.Fatalf("seen again, it is dead letter %s", again.ID)
	}
	say(t, c, "", "deadletters", "discard", letter.ID, "--actor", "=carl", "--reason", "no event\nat all")
	voided := say(t, c, "yes\n", "void", "urn:till:1", "8", "--actor", "dora", "--reason", "the supplier took it back")
	if !strings.Contains(voided, "1300 claims_receivable") || !strings.Contains(voided, "voided by dora, posted in "+
		time.Now().UTC().Format("2006-01")) {
		t.Errorf("void says\n%s", voided)
	}
	want := []string{
		"rate.set | labour_hour agent 34 USD from 2026-01-01 | ann | wages of 2026",
		"period.closed | 2025-12 | ann | month end",
		"books.sealed | 2025-12, close 1, 0 events, root e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" +
			" | makegood | a seal for every close",
		"period.reopened | 2025-12 | bob | an invoice was missing",
		fmt.Sprintf("deadletter.replayed | %s from makegood.orders/%d/%d | carl | try again", letter.ID, letter.Partition,
			letter.Offset),
		fmt.Sprintf("deadletter.discarded | %s from makegood.orders/%d/%d | =carl | no event\nat all", letter.ID,
			letter.Partition, letter.Offset),
		"event.voided | claim.accepted 8 of urn:till:1 | dora | the supplier took it back",
	}
	if got := audited(t, c, nil); !slices.Equal(got, want) {
		t.Errorf("on record\n%s\nwanted\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	today, tomorrow := time.Now().UTC().Format(time.DateOnly), time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	if got := audited(t, c, url.Values{"from": {today}, "to": {tomorrow}}); !slices.Equal(got, want) {
		t.Errorf("today %d", len(got))
	}
	if got := audited(t, c, url.Values{"to": {today}}); len(got) != 0 {
		t.Errorf("before today %q", got)
	}
	table := say(t, c, "", "audit")
	if lines := strings.Split(strings.TrimSpace(table), "\n"); len(lines) != 1+len(want) || !strings.Contains(lines[6],
		"no event at all") {
		t.Errorf("the table is\n%s", table)
	}
	rows, err := csv.NewReader(strings.NewReader(say(t, c, "", "audit", "--format", "csv"))).ReadAll()
	if err != nil || len(rows) != 1+len(want) || rows[7][4] != "dora" || rows[7][5] != "" {
		t.Errorf("as csv %q (%v)", rows, err)
	}

	voidedOnce(t, c, len(want))
	if s := mustCatchUp(t, c); s.DeadLetters != 0 || s.Conflicts != 0 {
		t.Errorf("status %+v", s)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("log and books differ:\n%s", differences)
	}
}

// voidedOnce: repeated, a void changes nothing and says by whom it was done. It posts the entry the other way round.
func voidedOnce(t *testing.T, c *client, onRecord int) {
	t.Helper()
	again := say(t, c, "yes\n", "void", "urn:till:1", "8", "--actor", "eve", "--reason", "once more")
	if !strings.Contains(again, "was voided by dora") || len(audited(t, c, nil)) != onRecord {
		t.Errorf("voided twice:\n%s", again)
	}
	var story report.Story
	if err := c.get(t.Context(), "/v1/orders/o1", nil, &story); err != nil {
		t.Fatal(err)
	}
	for _, l := range story.Events[len(story.Events)-1].Lines {
		if l.Account == "5900" && l.Amount != "25.0000" || l.Account == "1300" && l.Amount != "-25.0000" {
			t.Errorf("the void posts %+v", l)
		}
	}
	if status := run(t.Context(), []string{"void", "urn:till:1", "7", "--reason", "x", "--to", c.base},
		terminal.Streams{In: strings.NewReader("no\n"), Out: os.Stderr, Err: os.Stderr}); status == 0 {
		t.Error("voided although the answer was no")
	}
	if status := run(t.Context(), []string{"void", "urn:till:1", "none", "--reason", "x", "--yes", "--to", c.base},
		terminal.Streams{In: strings.NewReader(""), Out: os.Stderr, Err: os.Stderr}); status == 0 {
		t.Error("voided what isn't there")
	}
}

// TestBookedEvent: an event is found by its identity alone, whole, and what the books hold of it can be sent again.
func TestBookedEvent(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	for _, sent := range slices.Concat(goldenRates, goldenEvents) {
		var want map[string]any
		if err := json.Unmarshal([]byte(sent), &want); err != nil {
			t.Fatal(err)
		}
		e, err := c.event(t.Context(), "urn:till:1", want["id"].(string))
		if err != nil {
			t.Fatal(err)
		}
		mustPost(t, c, string(e.Event)) // the same event, or it would be a conflict
		if e.VoidedBy != nil || e.RecordedAt.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	if s := mustCatchUp(t, c); s.DeadLetters != 0 || s.Events != 13 {
		t.Errorf("status %+v", s)
	}
	var p *problem
	if err := c.get(t.Context(), "/v1/events", url.Values{"source": {"urn:till:1"}, "id": {"none"}}, nil); !errors.As(err,
		&p) || p.Status != http.StatusNotFound {
		t.Errorf("an event that isn't there: %v", err)
	}
	if err := c.get(t.Context(), "/v1/events", url.Values{"id": {"1"}}, nil); !errors.As(err, &p) ||
		p.Status != http.StatusBadRequest {
		t.Errorf("without a source: %v", err)
	}
}

// TestHalfDoneIsDoneAgain: what ended between its event and its act leaves the dead letter open; done again by the same
// person it is the same event, and no conflict.
func TestHalfDoneIsDoneAgain(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	letter := unreadable(t, app, c, `{"half`)
	d, err := deadletter.Read(t.Context(), app.Store.DB, letter.ID)
	if err != nil {
		t.Fatal(err)
	}
	by := gateway.Actor{Name: "ann", Reason: "no event"}
	if err := (server.Books{App: app}).PutOnRecord(t.Context(), d, domain.TypeDeadLetterDiscarded,
		&domain.DeadLetterDiscarded{HandledLetter: server.HandledLetter(d, by)}, by); err != nil {
		t.Fatal(err)
	}
	if s := mustCatchUp(t, c); s.DeadLetters != 1 {
		t.Errorf("half done, %d dead letters are open", s.DeadLetters)
	}
	if err := (server.Books{App: app}).Discard(t.Context(), letter.ID, by); err != nil {
		t.Fatal(err)
	}
	if s := mustCatchUp(t, c); s.DeadLetters != 0 || s.Events != 1 {
		t.Errorf("done again: %+v", s)
	}
	if got := audited(t, c, nil); len(got) != 1 {
		t.Errorf("on record %q", got)
	}
}

// TestTokenIsBesideTheActor: whatever an event claims of who did it, the name of the token that it came with stands
// beside that, by every way in. What a token may not send gets in by none of them.
func TestTokenIsBesideTheActor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access")
	token := func(args ...string) string {
		t.Helper()
		code, token, said := command(t, append([]string{"token", "new", "--access-file", file}, args...)...)
		if code != 0 {
			t.Fatal(said)
		}
		return strings.TrimSpace(token)
	}
	office := token("--name", "office", "--scope", "read,books")
	till := token("--name", "till", "--scope", "write", "--source", "urn:till:1")
	app, err := server.Start(t.Context(), server.Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0",
		KafkaListen: "127.0.0.1:0",
		Prefix:      "makegood.", Group: "makegood-projector", Partitions: 1, Zone: "UTC",
		Roles:  []string{server.RoleGateway, server.RoleProjector, server.RoleExporter},
		Access: server.AccessFlags{AccessFile: file}},
		slog.New(slog.DiscardHandler), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	})
	c := newClient(app.URL).withToken(office)
	letter := unreadable(t, app, c, "x")
	path := "/v1/deadletters/" + letter.ID + "/discard"
	for _, body := range []string{`{"actor":`, `{"who":"ann"}`, `[]`, `{"actor":"` + strings.Repeat("x", 129) + `"}`,
		`{"actor":"a\u0007"}`, `{"reason":"` + strings.Repeat("x", 16<<10) + `"}`} {
		var p *problem
		if err := c.post(t.Context(), path, "application/json", strings.NewReader(body), nil); !errors.As(err, &p) ||
			p.Status != http.StatusBadRequest {
			t.Errorf("%.40s: %v", body, err)
		}
	}
	if err := c.post(t.Context(), path, "application/json",
		strings.NewReader(`{"actor":"somebody else","reason":"no event"}`), nil); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MAKEGOOD_TOKEN", office)
	say(t, c, "", "close", "2025-12", "--yes", "--actor", "ann", "--reason", "month end")
	sealedBy(t, c, "2025-12")
	rate := `{"specversion":"1.0","id":"r","source":"urn:office","type":"makegood.rate.set.v1",
		"time":"2026-01-01T00:00:00Z","data":{"rate":"fleet_km","key":"*","value":"1","currency":"USD",
		"effective_from":"2026-01-01"}}`
	if err := c.post(t.Context(), "/v1/events", "application/cloudevents+json", strings.NewReader(rate), nil); err != nil {
		t.Fatal(err)
	}
	sentByToken(t, app, office, till)
	mustCatchUp(t, c)
	var a audit.Audit
	if err := c.get(t.Context(), "/v1/audit", nil, &a); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range a.Entries {
		got = append(got, fmt.Sprintf("%s by %s with %s: %s", domain.ShortName(e.Type), e.Actor, e.Token, e.Reason))
	}
	want := []string{"deadletter.discarded by somebody else with office: no event",
		"period.closed by ann with office: month end", "books.sealed by makegood with : a seal for every close",
		"rate.set by no actor given with office: no reason given",
		"event.voided by the owner with till: a typo"}
	if !slices.Equal(got, want) {
		t.Errorf("on record\n%s\nwanted\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if table := say(t, c, "", "audit"); !strings.Contains(table, "the owner") || !strings.Contains(table, "till ") {
		t.Errorf("the table is\n%s", table)
	}
}

// sentByToken: a token sends by Kafka what it may send by HTTP, and nothing else.
func sentByToken(t *testing.T, app *server.App, office, till string) {
	t.Helper()
	order := goldenEvents[0]
	void := func(id, of string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"makegood.event.voided.v1","subject":"o1",
			"time":"2026-01-11T00:00:00Z","data":{"voids":{"source":%q,"id":"1"},"actor":"the owner","reason":"a typo",
			"original":%s}}`, id, "urn:till:1", of, strings.ReplaceAll(order, "urn:till:1", of))
	}
	for _, s := range []struct {
		token, topic, event string
		ok                  bool
	}{
		{till, "orders", order, true},
		{till, "orders", strings.ReplaceAll(order, "urn:till:1", "urn:till:2"), false},
		{till, "orders", void("v", "urn:till:1"), true},
		{till, "orders", void("w", "urn:till:2"), false},
		{till, "books", goldenRates[0], false},
		{office, "books", goldenRates[0], false},
		{office, "orders", order, false},
		{"guess", "orders", order, false},
	} {
		if err := sendAs(t, app, s.token, s.topic, s.event); (err == nil) != s.ok {
			t.Errorf("to %s over Kafka, wanted %t: %v: %.200s", s.topic, s.ok, err, s.event)
		}
	}
}

// sendAs writes one record to the broker inside, with a token as its password.
func sendAs(t *testing.T, app *server.App, token, topic, event string) error {
	t.Helper()
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), BatchTimeout: time.Millisecond, MaxAttempts: 1,
		RequiredAcks: kafkago.RequireAll,
		Transport:    &kafkago.Transport{SASL: plain.Mechanism{Username: "anybody", Password: token}}}
	defer w.Close()
	return w.WriteMessages(t.Context(), kafkago.Message{Topic: "makegood." + topic, Key: []byte("o1"),
		Value:   []byte(event),
		Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}}})
}
