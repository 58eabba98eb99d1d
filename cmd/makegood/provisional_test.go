package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/post"
)

// TestWhatIsNotSettledYet: records that nobody has booked yet are told apart from conflicts that wait for their check,
// and a journal isn't final before both are none.
func TestWhatIsNotSettledYet(t *testing.T) {
	t.Parallel()
	// nobody books
	_, c := startTestAppWith(t, t.TempDir(), func(config *server.Config) { config.Roles = []string{server.RoleGateway} })
	refund := event("r", "refund.issued", "2026-01-15T00:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"r","currency":"USD","net":1}`)
	state := func() *audit.PeriodState {
		t.Helper()
		state, err := c.period(t.Context(), 2026*12)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	if s := state(); !s.Settled || s.Unbooked != 0 || s.Conflicts != 0 {
		t.Errorf("of empty books: %+v", s)
	}
	mustPost(t, c, refund)
	mustPost(t, c, refund)
	provisional := func(s *audit.PeriodState) string {
		t.Helper()
		var out bytes.Buffer
		if err := printProvisional(terminal.Streams{Out: &out}, s); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	s := state()
	if s.Settled || s.Unbooked != 2 || s.Conflicts != 0 || s.Closed {
		t.Errorf("with two records that are not booked: %+v", s)
	}
	if text := provisional(s); !strings.Contains(text, "provisional: 2 records are not booked yet\n") ||
		strings.Contains(text, "conflict") {
		t.Errorf("it says\n%s", text)
	}
	s.Unsettled = audit.Unsettled{Conflicts: 1}
	if text := provisional(s); !strings.Contains(text, "provisional: 1 events, each of one identity with two contents, "+
		"wait for the conflict check\n") || strings.Contains(text, "booked") {
		t.Errorf("it says\n%s", text)
	}
	mustPost(t, c, event("c", "period.closed", "2026-02-02T00:00:00Z", "", `{"period":"2026-01"}`))
	mustPost(t, c, strings.Replace(refund, `"r"`, `"late"`, 1))
	mustPost(t, c, event("r", "rate.set", "2026-01-01T00:00:00Z", "", agentRate))
	if s := state(); s.Settled || !s.Closed || s.Unbooked != 3 { // what came after the close is not waited for
		t.Errorf("closed: %+v", s)
	}
	var p *problem
	err := c.get(t.Context(), "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "final": {"true"}},
		nil)
	if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable || !strings.Contains(p.Detail,
		"3 records are not booked yet") {
		t.Errorf("a final journal before all is booked: %v", err)
	}
	// One that can never become final says that at once.
	err = c.get(t.Context(), "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-03-01"}, "final": {"true"}},
		nil)
	if !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Errorf("a final journal of an open month: %v", err)
	}
}

// TestMonthIsOverInTheBooksZone: whether a month is over is a question of the books' calendar, not of the process's.
func TestMonthIsOverInTheBooksZone(t *testing.T) {
	t.Parallel()
	app, _ := startTestApp(t, t.TempDir())
	january := domain.Period(2026 * 12)
	for _, of := range []struct {
		zone, now string
		over      bool
	}{
		{"UTC", "2026-01-31T23:59:59Z", false}, {"UTC", "2026-02-01T00:00:00Z", true},
		{"America/New_York", "2026-02-01T04:59:59Z", false}, {"America/New_York", "2026-02-01T05:00:00Z", true},
		{"Asia/Tokyo", "2026-01-31T14:59:59Z", false}, {"Asia/Tokyo", "2026-01-31T15:00:00Z", true},
	} {
		zone, err := time.LoadLocation(of.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, of.now)
		if err != nil {
			t.Fatal(err)
		}
		there := &server.App{Config: app.Config, Admin: app.Admin, Store: app.Store, Now: func() time.Time { return now },
			Terms: post.NewTerms(&bookstest.Log{Records: bookstest.Sequence(goldenEvents[4])}, decode.Log(), decode.Stored,
				zone)}
		state, err := server.Books{App: there}.Period(t.Context(), january)
		if err != nil {
			t.Fatal(err)
		}
		if state.Over != of.over {
			t.Errorf("%s in %s: over %t", of.now, of.zone, state.Over)
		}
	}
}
