package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/makegood/makegood/infra/wire/paper/papertest"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// week are books of which the promises may take long, and that lack a rate.
type week struct {
	slow
	promises *atomic.Bool // take long
}

func (w week) Counts(context.Context) (report.Counts, error) { return report.Counts{Unpriced: 3}, nil }

func (w week) Summary(context.Context, report.SummaryQuery) (*report.Summary, error) {
	return &report.Summary{}, nil
}

func (w week) Ask(_ context.Context, q *insight.Question, _ insight.Query) (*insight.Answer, error) {
	const none = "0.0000"
	if q.Name == "promises" {
		if w.promises.Load() {
			<-w.wait
		}
		totals := insight.Row{"leakage_late": none, "leakage_broken": none, "leakage_kept": none}
		return &insight.Answer{Table: insight.Table{Totals: totals}, Parts: map[string]insight.Table{
			"fixes": {Totals: totals}}}, nil
	}
	return &insight.Answer{Parts: map[string]insight.Table{insight.Saved: {Rows: []insight.Row{{}}},
		insight.Owed: {Totals: insight.Row{"to_file": none, "filed": none, "lapsed": none}}}}, nil
}

// TestTheWeekSaysWhatItLacks: what a reader must know of the numbers is on the paper, with what is older than the rest;
// where a part isn't known yet the answer says which, and when to ask again. As of a moment nothing of now is on it.
func TestTheWeekSaysWhatItLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := week{slow{hangs: new(atomic.Bool), wait: make(chan struct{})}, new(atomic.Bool)}
		p, get := pageOf(t, b, time.Now)
		load := func(query string, status int) *httptest.ResponseRecorder {
			answer := get("/weekly.pdf" + query)
			if answer.Code != status {
				t.Fatalf("%d, not %d\n%s", answer.Code, status, answer.Body)
			}
			return answer
		}
		paper := func(query string) string {
			text, err := papertest.Text(load(query, http.StatusOK).Body.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			return strings.ReplaceAll(text, "\n", " ")
		}
		const unpriced = "3 events have no rate to price them yet"
		const older = "Older than the other numbers: promises (as known at "
		b.promises.Store(true)
		answer := load("", http.StatusServiceUnavailable)
		if answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Body.String(),
			"Still being counted: promises. Ask again in some seconds.") {
			t.Errorf("%v\n%s", answer.Header(), answer.Body)
		}
		close(b.wait)
		time.Sleep(time.Hour) // all of it is asked again
		if text := paper(""); !strings.Contains(text, unpriced) || strings.Contains(text, older) {
			t.Errorf("it doesn't say what is not in the numbers, or says that they are old:\n%s", text)
		}
		if text := paper("?as_of=1999-12-31"); strings.Contains(text, unpriced) {
			t.Errorf("as of a moment it says what is so now:\n%s", text)
		}
		time.Sleep(time.Hour)
		b.wait = make(chan struct{})
		p.books = b
		if text := paper(""); !strings.Contains(text, older) {
			t.Errorf("it doesn't say that a part is older:\n%s", text)
		}
		close(b.wait)
		p.Close()
	})
}
