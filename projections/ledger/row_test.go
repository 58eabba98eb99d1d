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

// TestVersionsAndTimesAgree: where copies of an event that say the same were recorded in one millisecond, the one that
// the ledger keeps is the first, and no copy that says something else stands between two of the same version.
func TestVersionsAndTimesAgree(t *testing.T) {
	copyAt := func(partition int32, offset int64, content uint64) *Stored {
		return &Stored{Row: Row{Event: &domain.Event{}, RecordedAt: time.UnixMilli(1_700_000_000_000), Content: content,
			Position: domain.Position{Stream: domain.Redeliveries, Partition: partition, Offset: offset}}}
	}
	var copies []*Stored
	for partition := range int32(3) {
		for _, offset := range []int64{3, 4, 8191, 8192, 8195, 100_000} {
			copies = append(copies, copyAt(partition, offset, 1), copyAt(partition, offset, 2))
		}
	}
	for _, a := range copies {
		for _, b := range copies {
			if a.Content == b.Content && a.Version() > b.Version() && a.Earlier(b) >= 0 {
				t.Errorf("the ledger keeps %+v, and %+v is before it", a.Position, b.Position)
			}
			for _, other := range copies {
				if a.Content == b.Content && a.Version() == b.Version() && other.Content != a.Content &&
					a.Earlier(other) < 0 && other.Earlier(b) < 0 {
					t.Errorf("%+v stands between %+v and %+v", other.Position, a.Position, b.Position)
				}
			}
		}
	}
}
