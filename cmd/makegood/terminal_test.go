package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/report"
)

// TestWhatTheTerminalSays: commands speak of their own flags, know every key, and have a word for books that hold
// nothing.
func TestWhatTheTerminalSays(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, args := range [][]string{{"report"}, {"summary", "--from", "2026-01-01", "--until", "2026-02-01"}} {
		if out := say(t, c, "", args...); strings.Contains(out, "in ,") ||
			!strings.Contains(out, "nothing was booked in that time, as of 20") {
			t.Errorf("%v of empty books:\n%s", args, out)
		}
	}
	for _, of := range []struct {
		want string
		args []string
	}{
		{`--until: "tomorrow" is no day`, []string{"report", "--until", "tomorrow"}},
		{`--until: "tomorrow" is no day`, []string{"audit", "--until", "tomorrow"}},
		{"--from must be before --until", []string{"summary", "--from", "2026-02-01", "--until", "2026-01-01"}},
		{"--from and --until must be the first days of months", []string{"journal", "--final", "--from", "2026-01-02",
			"--until", "2026-02-01"}},
		{`--as-of: 2026-01 was never closed`, []string{"report", "--as-of", "close:2026-01"}},
		{`--group-by: "shop" is none of`, []string{"report", "--group-by", "shop"}},
		{`--since-close: 2026-01 was never closed`, []string{"report", "changes", "--since-close", "2026-01"}},
	} {
		if code, text := said(t, c, "", of.args...); code == 0 || !strings.Contains(text, of.want) {
			t.Errorf("%v: %s", of.args, text)
		}
	}
	_, help, _ := command(t, "report", "leakage", "--help")
	help = strings.Join(strings.Fields(help), " ")
	for _, key := range report.LeakageKeys() {
		if !strings.Contains(help, key) {
			t.Errorf("the help doesn't name %s\n%s", key, help)
		}
	}
}

// TestUnpricedIsListed: what lacks a rate is listed by the command as by the gateway, in every format, until it has
// one.
func TestUnpricedIsListed(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	mustPost(t, c, goldenEvents[4])
	if out := say(t, c, "", "unpriced"); !strings.Contains(out, "Labour spent  o1     e1    labour_hour:agent  "+
		"urn:till:1  5\n") || !strings.Contains(out, "makegood rebuild") {
		t.Errorf("it says\n%s", out)
	}
	rows, err := csv.NewReader(strings.NewReader(say(t, c, "", "unpriced", "--format", "csv"))).ReadAll()
	if want := []string{"urn:till:1", "5", "makegood.labour.spent.v1", "Labour spent", "o1", "e1",
		"labour_hour:agent"}; err != nil || len(rows) != 2 || !slices.Equal(rows[1], want) {
		t.Errorf("as csv %q (%v)", rows, err)
	}
	var answer struct{ Unpriced []report.UnpricedEvent }
	if err := json.Unmarshal([]byte(say(t, c, "", "unpriced", "--format", "json")), &answer); err != nil ||
		len(answer.Unpriced) != 1 || answer.Unpriced[0].EventID != "5" {
		t.Errorf("as json %+v (%v)", answer, err)
	}
}

// TestImportCountsItsOwn: what others write while an import runs is not told as new events of the import.
func TestImportCountsItsOwn(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	p := startAtPrompt(t, c, "", "import", "-")
	// it reads: its count has begun
	if _, err := io.WriteString(p.answers, strings.Join(goldenRates, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	mustPost(t, c, event("other", "period.closed", "2026-01-01T00:00:00Z", "", `{"period":"2025-12"}`))
	if _, err := io.WriteString(p.answers, strings.Join(goldenEvents, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.answers.Close(); err != nil {
		t.Fatal(err)
	}
	if status := <-p.done; status != 0 || !strings.Contains(p.text(),
		"accepted 13, refused 0, new at most 13\n  others wrote") {
		t.Errorf("exit status %d, and it says\n%s", status, p.text())
	}
	if strings.Contains(p.text(), "/s") {
		t.Errorf("a rate of some events says nothing: %s", p.text())
	}
	// Nor is the seal that makegood itself writes while one runs.
	mustPost(t, c, event("mine", "period.closed", "2026-01-01T00:00:00Z", "", `{"period":"2025-11"}`))
	p = startAtPrompt(t, c, "", "import", "-")
	if _, err := io.WriteString(p.answers, strings.Join(goldenEvents[:3], "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	sealedBy(t, c, "2025-11")
	if _, err := io.WriteString(p.answers, strings.Join(goldenEvents[3:], "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.answers.Close(); err != nil {
		t.Fatal(err)
	}
	if status := <-p.done; status != 0 || !strings.Contains(p.text(), "accepted 8, refused 0, new 0\n") {
		t.Errorf("exit status %d, and with a seal it says\n%s", status, p.text())
	}
	if out := say(t, c, strings.Join(goldenEvents, "\n"), "import", "-"); !strings.Contains(out,
		"accepted 8, refused 0, new 0\n") {
		t.Errorf("the same again: %s", out)
	}
}
