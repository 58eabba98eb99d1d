package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCloses: each close that counted is found, by its number, with whose event it was and whether it stands.
func TestCloses(t *testing.T) {
	p := NewPeriods(time.UTC)
	january := PeriodOf(time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC), time.UTC)
	for i, step := range strings.Fields("open close close open open other close close") {
		e := &Event{Source: "urn:cli", ID: fmt.Sprint(step, i), Type: TypePeriodClosed, Data: &PeriodClosed{january}}
		switch step {
		case "open":
			e.Type, e.Data = TypePeriodReopened, &PeriodReopened{january}
		case "other":
			e.Data = &PeriodClosed{january + 1}
		}
		p.apply(e, Mark{Offset: int64(i)})
	}
	var got []string
	for _, c := range p.Closes(january) {
		text := fmt.Sprint(c.Source, " ", c.ID, " at ", c.Offset)
		if c.Reopened != nil {
			text += fmt.Sprint(", reopened at ", c.Reopened.Offset)
		}
		got = append(got, text)
	}
	if got, want := strings.Join(got, "; "), "urn:cli close1 at 1, reopened at 3; urn:cli close6 at 6"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if len(p.Closes(january-1)) != 0 {
		t.Error("a month that was never closed has closes")
	}
}

// TestParseClose: a month is its last close, and a number names another.
func TestParseClose(t *testing.T) {
	for text, want := range map[string]int{"2026-01": 0, "2026-01/1": 1, "2026-01/12": 12} {
		if period, n, err := ParseClose(text); err != nil || n != want || period.String() != "2026-01" {
			t.Errorf("%s: %s %d (%v)", text, period, n, err)
		}
	}
	for _, text := range []string{"", "2026-01/", "2026-01/0", "2026-01/-1", "2026-01/01", "2026-01/+1", "2026-01/1/1",
		"2026-01/x", "2026-13/1", "/1", "2026-01/99999999999999999999"} {
		if _, _, err := ParseClose(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
