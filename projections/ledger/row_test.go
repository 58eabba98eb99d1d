package ledger

import (
	"testing"
	"time"

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

// TestCorrectedTimeKeepsItsPlace: a row whose time is corrected stands above itself as it was, and below a copy of it
// that was recorded before.
func TestCorrectedTimeKeepsItsPlace(t *testing.T) {
	at := time.Date(2026, 2, 26, 17, 0, 0, 0, time.UTC)
	first := Row{Event: &domain.Event{}, RecordedAt: at}
	second := Row{Event: &domain.Event{}, RecordedAt: at.Add(time.Second)}
	var read Row
	read.SetVersion(second.Version())
	read.RecordedAt = at.Add(time.Hour)
	read.Revise(ByEvents)
	if v := read.Version(); v <= second.Version() || v >= first.Version() {
		t.Errorf("corrected, it has version %d; as it was %d, and the first copy %d", v, second.Version(), first.Version())
	}
}
