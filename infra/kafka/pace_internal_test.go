package kafka

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestPaceWakesWhoseTurnItIs: partitions that wait for nothing but their turn hand over all that they have, and one
// that gets its turn is not later than the others.
func TestPaceWakesWhoseTurnItIs(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 20 {
		var p pace
		var all sync.WaitGroup
		never := func() bool { return true }
		steps := make([]*step, 1+random.IntN(6))
		for i := range steps {
			steps[i] = p.join(never)
		}
		for i, s := range steps {
			times := make([]int64, random.IntN(3000))
			for k := range times {
				times[k] = random.Int64N(5000)
			}
			slices.Sort(times)
			all.Go(func() {
				for _, at := range times {
					for !s.may(at) {
						<-s.turns()
					}
					if s.lease == paceRecords {
						for k, other := range steps {
							// The other one may have begun since, and then its head is later still.
							if head := other.head.Load(); head < at {
								t.Errorf("%d begins at %d before %d, which is at %d", i, at, k, head)
							}
						}
					}
					s.handed()
				}
				s.ended()
			})
		}
		all.Wait()
	}
}

// TestPaceHasAnEnd: no partition waits for ever for one that gives no sign; it waits longer for one of which the
// consumer holds all that it may.
func TestPaceHasAnEnd(t *testing.T) {
	t.Parallel()
	for held, most := range map[bool]time.Duration{false: paceWait, true: paceFull} {
		synctest.Test(t, func(t *testing.T) {
			var p pace
			other := p.join(func() bool { return held }) // and says nothing for long
			s := p.join(func() bool { return false })
			began := time.Now()
			for !s.may(7) {
				time.Sleep(paceWait / 4)
			}
			if took := time.Since(began); took < most || took > most+paceWait {
				t.Errorf("it waited %v, not %v", took, most)
			}
			s.lease = 0
			if !s.may(8) {
				t.Error("a partition that was waited for in vain is waited for again")
			}
			s.lease = 0
			if other.may(6); s.may(9) {
				t.Error("a partition that has said something is not waited for")
			}
		})
	}
	var none *step
	if !none.may(1) || none.turns() != nil {
		t.Error("a partition that isn't kept in step waits")
	}
	none.handed()
	none.ended()
}

// TestPaceStarvesNobody: a partition whose records are later than those of all others, because its clock is wrong or
// because somebody writes a year of old records, gets its turn though the others never stand still.
func TestPaceStarvesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p pace
		backlog, live := p.join(func() bool { return false }), p.join(func() bool { return false })
		const late = 1 << 40
		if live.may(late) {
			t.Fatal("it doesn't wait for one that gave no sign yet")
		}
		begun, handed, at := time.Now(), 0, int64(0)
		for time.Since(begun) < 4*(paceMost+paceWait) {
			for range 2 * paceRecords {
				if at++; !backlog.may(at) {
					t.Fatalf("%d waits for %d", at, int64(late))
				}
				backlog.handed()
			}
			for live.may(late) {
				live.handed()
				handed++
			}
			time.Sleep(paceWait / 4)
		}
		if handed < 3*paceRecords || handed > 4*paceRecords {
			t.Errorf("%d records were handed over in the time of 4 leases of %d", handed, paceRecords)
		}
	})
}
