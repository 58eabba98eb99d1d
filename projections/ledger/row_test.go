package ledger

import (
	"testing"

	"github.com/makegood/makegood/domain"
)

// TestRefusalStays: what another one makes of a row which he read before it was refused doesn't bring it back.
func TestRefusalStays(t *testing.T) {
	refused := Stored{Row: Row{Event: &domain.Event{}, Revision: 7}}
	settled := refused.Row
	refused.Refuse("conflict")
	settled.Revise(ByEvents)
	settled.Revise(ByRebuild) // as settling writes a row that moves
	if refused.Version() <= settled.Version() {
		t.Errorf("the refusal has version %d, and what was read before it %d", refused.Version(), settled.Version())
	}
}
