package bookstest_test

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// TestWithoutVoidedConflicts: of an event that came with two contents neither a void stays, nor the void of one.
func TestWithoutVoidedConflicts(t *testing.T) {
	void := func(id, of, original string) string {
		return bookstest.Event(id, "event.voided", "2026-01-11T00:00:00Z", "o1",
			`{"order_id":"o1","voids":{"source":"urn:till:1","id":"`+of+`"},"reason":"mistake","original":`+original+`}`)
	}
	refund := bookstest.Event("x", "refund.issued", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r","currency":"USD","net":"5"}`)
	other := strings.Replace(refund, `"net":"5"`, `"net":"7"`, 1)
	plain := strings.Replace(refund, `"id":"x"`, `"id":"y"`, 1)
	kept := bookstest.WithoutVoidedConflicts(t, bookstest.Sequence(refund, other, plain, void("v", "x", other),
		void("w", "v", void("v", "x", other)), void("z", "y", plain)))
	var got []string
	for _, r := range kept {
		got = append(got, string(r.Event))
	}
	if want := []string{refund, other, plain, void("z", "y", plain)}; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("kept are\n%s", strings.Join(got, "\n"))
	}
	if all := bookstest.Voided(t, []byte(void("w", "v", void("v", "x", refund)))); len(all) != 2 ||
		all[1] != (reference.Identity{Source: "urn:till:1", ID: "x"}) {
		t.Errorf("the void of a void voids %v", all)
	}
}
