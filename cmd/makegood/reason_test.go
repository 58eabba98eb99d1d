package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/terminal"
)

// said runs a command against c with answers on its standard input, and returns its exit status and all that it
// printed.
func said(t *testing.T, c *client, answers string, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	status := run(t.Context(), append(args, "--to", c.base), terminal.Streams{In: strings.NewReader(answers), Out: &out,
		Err: &out})
	return status, out.String()
}

// TestEveryChangeSaysWhy: who is asked anyway is asked for the reason as well and can't leave it out; scripts, files
// and requests that give none have that on record.
func TestEveryChangeSaysWhy(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	mustPost(t, c, event("l", "labour.spent", "2025-11-10T14:00:00Z", "o1",
		`{`+goldenCase+`,"labour_id":"l","role":"agent","minutes":60,"currency":"USD"}`))
	var want []string
	recorded := func(entry string) {
		t.Helper()
		if entry != "" {
			want = append(want, entry)
		}
		if got := audited(t, c, nil); !slices.Equal(got, want) {
			t.Errorf("on record\n%s\nwanted\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			want = got
		}
	}
	refused := func(answers string, args ...string) {
		t.Helper()
		status, text := said(t, c, answers, args...)
		if status == 0 || !strings.Contains(text, "nothing was changed") {
			t.Errorf("%v, answered %q: exit status %d, and it says\n%s", args, answers, status, text)
		}
		recorded("")
	}
	closed := func(number int, entry string) {
		t.Helper()
		want = append(want, entry)
		recorded(fmt.Sprintf("books.sealed | 2025-11, close %d, 1 events, root %s | makegood | a seal for every close",
			number, sealedBy(t, c, "2025-11").Root))
	}
	by := []string{"--actor", "ann"}
	refused("", append([]string{"close", "2025-11"}, by...)...)
	refused("no\nmonth end\n", append([]string{"close", "2025-11"}, by...)...)
	say(t, c, "yes\n\n  month end \n", append([]string{"close", "2025-11"}, by...)...)
	closed(1, "period.closed | 2025-11 | ann | month end")
	say(t, c, "yes\nan invoice was missing", append([]string{"reopen", "2025-11"}, by...)...)
	recorded("period.reopened | 2025-11 | ann | an invoice was missing")
	say(t, c, "yes\n\n  \n", append([]string{"close", "2025-11"}, by...)...) // all that a script says
	closed(2, "period.closed | 2025-11 | ann | no reason given")
	say(t, c, "", append([]string{"reopen", "2025-11", "--yes", "--reason", " "}, by...)...)
	recorded("period.reopened | 2025-11 | ann | no reason given")

	rates := writeFile(t, "wages.yaml", "currency: USD\neffective_from: 2025-01-01\nlabour_hour:\n  agent: 34\n")
	say(t, c, "", append([]string{"rates", "load", rates}, by...)...)
	recorded("rate.set | labour_hour agent 34 USD from 2025-01-01 | ann | rates of " + filepath.Base(rates))

	// A close saw what needs the wages: only with the closed months does anything come out otherwise.
	refused("", append([]string{"rebuild", "--closed-periods"}, by...)...)
	refused("the wages came late\n", append([]string{"rebuild", "--closed-periods"}, by...)...)
	say(t, c, "the wages came late\nyes\n", append([]string{"rebuild", "--closed-periods"}, by...)...)
	if got := audited(t, c, nil); !strings.HasSuffix(got[len(got)-1],
		"2 events, closed months as well | ann | the wages came late") {
		t.Errorf("the last on record is %s", got[len(got)-1])
	} else {
		recorded(got[len(got)-1])
	}

	letter := unreadable(t, app, c, "no event")
	if err := c.post(t.Context(), "/v1/deadletters/"+letter.ID+"/discard", "application/json",
		strings.NewReader(`{"actor":"bob"}`), nil); err != nil {
		t.Fatal(err)
	}
	if got := audited(t, c, nil); !strings.HasPrefix(got[len(got)-1], "deadletter.discarded") ||
		!strings.HasSuffix(got[len(got)-1], " | bob | no reason given") {
		t.Errorf("the last on record is %s", got[len(got)-1])
	}
	if table := say(t, c, "", "audit"); strings.Count(table, "no reason given") != 3 {
		t.Errorf("the table is\n%s", table)
	}
}
