package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// contradicting starts books in which a refund of 30 contradicts one of 45, and holds says what they must say of it.
func contradicting(t *testing.T) (c *client, holds func(net string, contradictions uint64)) {
	t.Helper()
	_, c = startTestApp(t, t.TempDir())
	mustPost(t, c, sold.on("o1", 1))
	mustPost(t, c, refundFrom("urn:till:1", "till", "30"))
	mustPost(t, c, refundFrom("urn:hook:1", "hook", "45"))
	return c, func(net string, contradictions uint64) {
		t.Helper()
		s, err := c.caughtUp(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f := orderFigures(t, c, "o1")
		if s.Contradictions != contradictions || !sameAmount(f["net"], net) {
			t.Errorf("net is %s with %d contradictions, want %s with %d", f["net"], s.Contradictions, net, contradictions)
		}
		// 36.57 was promised: what a decision posts is in the order's story, whether it names the order or not.
		var contribution, leaks float64
		fmt.Sscan(f["contribution"], &contribution)
		fmt.Sscan(f["net"], &leaks)
		if d := contribution + leaks - 36.57; d > 1e-6 || d < -1e-6 {
			t.Errorf("contribution %s and net %s don't come to 36.57", f["contribution"], f["net"])
		}
	}
}

// TestDecisionsAreTakenBack: a decision counts, is voided, its void is voided, whether any of them names the order.
func TestDecisionsAreTakenBack(t *testing.T) {
	t.Parallel()
	for _, names := range []string{"", `"order_id":"o1",`} {
		c, holds := contradicting(t)
		holds("30", 1)
		decided := event("d1", "fact.decided", "2026-01-20T09:00:00Z", "",
			`{`+names+`"source":"urn:hook:1","id":"hook","counts":true,"actor":"ann","reason":"the bank says 45"}`)
		mustPost(t, c, decided)
		holds("45", 0)
		void := func(id, of, original, names string) string {
			return event(id, "event.voided", "2026-01-21T09:00:00Z", "",
				`{`+names+`"voids":{"source":"urn:till:1","id":"`+of+`"},"reason":"it says 30 after all",`+
					`"actor":"bob","original":`+original+`}`)
		}
		first := void("v1", "d1", decided, `"order_id":"o1",`)
		mustPost(t, c, first)
		holds("30", 1)
		mustPost(t, c, void("v2", "v1", first, ""))
		holds("45", 0)
		status, text := postBody(t, c, "application/cloudevents+json", void("v3", "d1", decided, `"order_id":"o2",`))
		if refused := status == http.StatusUnprocessableEntity && strings.Contains(text,
			"void_mismatch"); refused != (names != "") {
			t.Errorf("a void that names another order than its decision, which says %q: %d %s", names, status, text)
		}
	}
}

// TestDecidedAgain: a person decides on an event that was decided on already, on either of the two, by the command
// line.
func TestDecidedAgain(t *testing.T) {
	t.Parallel()
	c, holds := contradicting(t)
	ask := func(args ...string) string {
		t.Helper()
		status, out, said := command(t, append(args, "--to", c.base)...)
		if status != 0 {
			t.Fatalf("%v: status %d: %s", args, status, said)
		}
		return out
	}
	decide := func(source, id, how string) string {
		t.Helper()
		return ask("doubles", "decide", source, id, how, "--yes", "--actor", "ann", "--reason", "as the bank says")
	}
	holds("30", 1)
	decide("urn:hook:1", "hook", "--counts")
	holds("45", 0)
	if shown := decide("urn:till:1", "till", "--counts"); !strings.Contains(shown, "was decided against") {
		t.Errorf("what was decided before isn't shown:\n%s", shown)
	}
	holds("30", 0)
	decide("urn:hook:1", "hook", "--separate")
	holds("75", 0)
	if status, _, said := command(t, "doubles", "decide", "urn:till:1", "o1-1", "--discard", "--yes", "--to",
		c.base); status == 0 ||
		!strings.Contains(said, "contradicts no other") {
		t.Errorf("an event that nobody doubted was decided on: %d %s", status, said)
	}
	var hook report.BookedEvent
	if err := c.get(t.Context(), "/v1/events", map[string][]string{"source": {"urn:hook:1"}, "id": {"hook"}},
		&hook); err != nil {
		t.Fatal(err)
	}
	if d := hook.DecidedBy; d == nil || !d.Separate || d.Actor != "ann" {
		t.Fatalf("the event says it was decided by %+v", d)
	}
	voided := ask("void", hook.DecidedBy.Source, hook.DecidedBy.ID, "--yes", "--actor", "bob", "--reason", "a mistake")
	holds("30", 0)
	for _, line := range strings.Split(voided, "\n") {
		if strings.Contains(line, "returns") && !strings.Contains(line, "USD") {
			t.Errorf("an amount has no currency: %s", line)
		}
	}
	story := ask("explain", "o1")
	for _, want := range []string{"hook of urn:hook:1 counts", "hook of urn:hook:1 is a fact of its own", "takes back " +
		hook.DecidedBy.ID,
		"by ann", "by bob"} {
		if !strings.Contains(story, want) {
			t.Errorf("the story doesn't say %q:\n%s", want, story)
		}
	}
}

// TestReconcileListsDoubts: what waits for a person and what can't be right is listed with its events. It is no
// difference.
func TestReconcileListsDoubts(t *testing.T) {
	t.Parallel()
	c, holds := contradicting(t)
	mustPost(t, c, strings.Replace(refundFrom("urn:till:1", "much", "500"), `"refund_id":"r"`, `"refund_id":"much"`, 1))
	holds("530", 1)
	status, out, said := command(t, "reconcile", "--to", c.base)
	if status != 0 {
		t.Fatalf("status %d: %s%s", status, out, said)
	}
	for _, want := range []string{"contradictions", "urn:hook:1  hook", "together more than was paid", "USD"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	var found audit.Reconciliation
	if err := c.post(t.Context(), "/v1/reconcile", "", nil, &found); err != nil {
		t.Fatal(err)
	}
	if !found.Clean() || len(found.Contradictions) != 1 || found.Contradictions[0].ID != "hook" || len(found.Flags) != 1 ||
		found.Flags[0].Code != domain.OverRefunded {
		t.Errorf("clean %t, %+v, %+v", found.Clean(), found.Contradictions, found.Flags)
	}
}

// TestRefundByHandIsSeen: a refund that no payment service made is flagged until somebody saw that it was paid, and
// says so by the command.
func TestRefundByHandIsSeen(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	mustPost(t, c, sold.on("o1", 1))
	mustPost(t, c, strings.Replace(refundFrom("urn:till:1", "hand", "20"), `"net"`, `"method":"manual","net"`, 1))
	flagged := func() string {
		t.Helper()
		if _, err := c.caughtUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		status, out, said := command(t, "flags", "--to", c.base)
		if status != 0 {
			t.Fatalf("flags: %d %s", status, said)
		}
		return out
	}
	const byHand = "No payment service made this refund"
	if out := flagged(); !strings.Contains(out, byHand) || !strings.Contains(out, "20.0000 USD") {
		t.Errorf("a refund by hand isn't flagged:\n%s", out)
	}
	if status, _, said := command(t, "doubles", "decide", "urn:till:1", "hand", "--counts", "--yes", "--actor", "ann",
		"--reason", "saw the transfer", "--to", c.base); status != 0 {
		t.Fatalf("decide: %d %s", status, said)
	}
	if out := flagged(); strings.Contains(out, byHand) {
		t.Errorf("it is flagged still:\n%s", out)
	}
}
