package main

import (
	"strings"
	"testing"
)

// refundFrom tells of the refund r of the order o1. The till is the first to tell of it.
func refundFrom(source, id, net string) string {
	at := "2026-01-15T09:00:01Z"
	if source == "urn:till:1" {
		at = "2026-01-15T09:00:00Z"
	}
	e := told{kind: "refund.issued", at: at,
		data: onCase + `,"refund_id":"r","net":"` + net + `"`, source: source}.on("o1", 0)
	return strings.Replace(e, `"id":"o1-0"`, `"id":"`+id+`"`, 1)
}

// TestSaidTwiceIsListedShownAndDecided: a refund that the till and a webhook tell with other amounts waits for a
// person, whose decision posts; one told alike is a double.
func TestSaidTwiceIsListedShownAndDecided(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	mustPost(t, c, sold.on("o1", 1))
	mustPost(t, c, refundFrom("urn:till:1", "till", "30"))
	mustPost(t, c, refundFrom("urn:hook:1", "hook", "45"))
	mustPost(t, c, refundFrom("urn:hook:2", "again", "30"))
	ask := func(args ...string) string {
		t.Helper()
		status, out, said := command(t, append(args, "--to", c.base)...)
		if status != 0 {
			t.Fatalf("%v: status %d: %s", args, status, said)
		}
		return out
	}
	holds := func(net string, contradictions, doubles, flagged uint64) {
		t.Helper()
		s, err := c.caughtUp(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Contradictions != contradictions || s.Doubles != doubles || s.Flagged != flagged {
			t.Errorf("status says %d contradictions, %d doubles, %d flags; want %d, %d, %d",
				s.Contradictions, s.Doubles, s.Flagged, contradictions, doubles, flagged)
		}
		if got := orderFigures(t, c, "o1")["net"]; !sameAmount(got, net) {
			t.Errorf("net is %s, want %s", got, net)
		}
	}
	holds("30", 1, 1, 0)
	list := ask("doubles")
	for _, want := range []string{"contradictions", "urn:hook:1", "doubles", "urn:hook:2"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %s:\n%s", want, list)
		}
	}
	shown := ask("doubles", "show", "urn:hook:1", "hook")
	if !strings.Contains(shown, "≠") || !strings.Contains(shown, "45") {
		t.Errorf("shown beside each other:\n%s", shown)
	}
	ask("doubles", "decide", "urn:hook:1", "hook", "--counts", "--yes", "--actor", "ann", "--reason", "the bank says 45")
	holds("45", 0, 0, 0)
	if trail := ask("audit"); !strings.Contains(trail, "ann") || !strings.Contains(trail, "the bank says 45") {
		t.Errorf("the decision is not on record:\n%s", trail)
	}
}

// TestTwoFactsUnderOneId: a person may say that two events of one id are two facts.
func TestTwoFactsUnderOneId(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	mustPost(t, c, sold.on("o1", 1))
	mustPost(t, c, refundFrom("urn:till:1", "till", "60"))
	mustPost(t, c, refundFrom("urn:hook:1", "hook", "70"))
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _, said := command(t, "doubles", "decide", "urn:hook:1", "hook", "--separate", "--yes", "--actor", "ann",
		"--reason", "two refunds on one day", "--to", c.base); status != 0 {
		t.Fatal(said)
	}
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := orderFigures(t, c, "o1")["net"]; !sameAmount(got, "130") || s.Contradictions != 0 || s.Flagged != 1 {
		t.Errorf("net is %s with %d contradictions and %d flags", got, s.Contradictions, s.Flagged)
	}
	if status, out, said := command(t, "flags", "--to", c.base); status != 0 || !strings.Contains(out,
		"together more than was paid") {
		t.Errorf("flags say %s%s", out, said)
	}
}

// TestVoidsOfNothingAreCounted: a void of an event that never existed posts nothing, whatever original it carries.
func TestVoidsOfNothingAreCounted(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	original := told{kind: "refund.issued", at: "2026-01-15T09:00:00Z",
		data: onCase + `,"refund_id":"r","net":"500000"`}.on("o1", 7)
	mustPost(t, c, event("v", "event.voided", "2026-01-16T09:00:00Z", "o1",
		`{"voids":{"source":"urn:till:1","id":"o1-7"},"reason":"x","original":`+original+`}`))
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.VoidsNothing != 1 {
		t.Errorf("%d voids of nothing", s.VoidsNothing)
	}
	mustPost(t, c, original)
	if s, err = c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := orderFigures(t, c, "o1")["net"]; s.VoidsNothing != 0 || !sameAmount(got, "0") {
		t.Errorf("when the original has come: %d voids of nothing, net %s", s.VoidsNothing, got)
	}
}
