package post_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// place is where the log has a copy of an event.
type place struct {
	partition int32
	offset    int64
	ms        int // after the first
}

// arrival is an event that came several times, and when each copy of it is booked.
type arrival struct {
	places   []place
	contents string // what each copy says: x or y
	slots    []int  // in which batch each copy is booked
}

const (
	closeAt     = 10_000 // the offset of the close, where there is one: what has a lower one stands before it
	closeMs     = 1000
	copiesSlots = 4
)

func (a *arrival) String() string {
	var text []string
	for i, p := range a.places {
		text = append(text, fmt.Sprintf("%c at %d@%d+%d ms in batch %d", a.contents[i], p.partition, p.offset, p.ms,
			a.slots[i]))
	}
	return strings.Join(text, ", ")
}

// recorded orders the copies as the contract does; closed says that there is a close.
func (a *arrival) recorded(closed bool) []int {
	order := make([]int, len(a.places))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int {
		at := func(p place) int {
			if closed && p.offset > closeAt {
				return max(p.ms, closeMs+1)
			}
			return p.ms
		}
		p, q := a.places[i], a.places[k]
		return cmp.Or(cmp.Compare(at(p), at(q)), cmp.Compare(p.offset%8192, q.offset%8192))
	})
	return order
}

// arrivals are the orders in which copies at the places are booked, in any batches, with two contents: one in so many
// of them.
func arrivals(places []place, oneIn int) (some []*arrival) {
	var all []*arrival
	for contents := 1; contents < 1<<(len(places)-1); contents++ { // the first says x, one of the others y
		said := []byte("x")
		for i := range len(places) - 1 {
			said = append(said, "xy"[contents>>i&1])
		}
		var slots func(chosen []int)
		slots = func(chosen []int) {
			if len(chosen) == len(places) {
				all = append(all, &arrival{places: places, contents: string(said), slots: slices.Clone(chosen)})
				return
			}
			for s := range copiesSlots {
				slots(append(chosen, s))
			}
		}
		slots(nil)
	}
	for i := 0; i < len(all); i += oneIn {
		some = append(some, all[i])
	}
	return some
}

// copiesRun books arrivals with two projectors, of the odd partitions and the even ones.
type copiesRun struct {
	store   *clickhouse.Store
	all     []*arrival
	records map[int][]reference.Record // by slot
	at      map[string]int32           // the partition, by the event
	log     []reference.Record         // of the books stream
}

func newCopiesRun(t *testing.T, all []*arrival) *copiesRun {
	r := &copiesRun{store: bookstest.Open(t), all: all, records: map[int][]reference.Record{}, at: map[string]int32{}}
	amount := map[byte]string{'x': "7.98", 'y': "5.11"}
	for n, a := range all {
		for i, p := range a.places {
			e := event(fmt.Sprint(n), "salvage.sold", "2026-01-10T00:00:00Z", fmt.Sprintf("o%d", n),
				fmt.Sprintf(`{"order_id":"o%d","store_id":"s","error_id":"e%d","salvage_id":"v","currency":"USD","amount":%q,`+
					`"copy":%d}`, n, n, amount[a.contents[i]], i))
			record := reference.Record{Stream: "redeliveries", Event: []byte(e), Seq: p.offset,
				RecordedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(p.ms) * time.Millisecond)}
			r.at[e] = p.partition
			r.records[a.slots[i]] = append(r.records[a.slots[i]], record)
		}
	}
	return r
}

func (r *copiesRun) projector(t *testing.T, limit int64) (*post.Projector, *bookstest.Log) {
	l := &bookstest.Log{Records: r.log, Partitions: 4,
		Partition: func(of reference.Record) int32 { return r.at[string(of.Event)] }}
	return bookstest.NewProjector(t, r.store, bookstest.With{Log: l, Books: bookstest.LateBooks{Log: l, Limit: limit}}), l
}

// book books everything; limit is what of the books stream is known in a slot, checked whether conflicts are looked for
// after it.
func (r *copiesRun) book(t *testing.T, limit func(slot int) int64, checked func(slot int) bool) {
	for slot := range copiesSlots {
		for _, odd := range [][]int32{{0, 1}, {1, 0}}[slot%2] {
			p, l := r.projector(t, limit(slot))
			var messages []*message.Message
			if odd == 0 && len(r.log) > 0 && limit(slot) > 0 {
				messages = append(messages, l.Message(r.log[0]))
			}
			for _, record := range r.records[slot] {
				if r.at[string(record.Event)]%2 == odd {
					messages = append(messages, l.Message(record))
				}
			}
			bookstest.Feed(t, p, l, messages)
		}
		if checked(slot) {
			p, _ := r.projector(t, limit(slot))
			if _, err := p.SettleConflicts(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// hold holds what counts against the contract.
func (r *copiesRun) hold(t *testing.T, closed bool) {
	t.Helper()
	rows, err := ledger.Read(t.Context(), r.store.DB, "ledger FINAL WHERE refused = '' AND event_type LIKE '%salvage%'")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string][]string{}
	for i := range rows {
		said := "x"
		if strings.Contains(string(rows[i].Data), "5.11") {
			said = "y"
		}
		counts[rows[i].Event.ID] = append(counts[rows[i].Event.ID],
			fmt.Sprintf("%s at %d@%d in %s", said, rows[i].Position.Partition, rows[i].Position.Offset, rows[i].Posting))
	}
	wrong := 0
	for n, a := range r.all {
		first := a.recorded(closed)[0]
		p := a.places[first]
		posting := domain.PeriodOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC)
		if closed && p.offset > closeAt {
			posting++
		}
		want := fmt.Sprintf("%c at %d@%d in %s", a.contents[first], p.partition, p.offset, posting)
		if got := strings.Join(counts[fmt.Sprint(n)], " and "); got != want {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: counts is %s, not %s", a, got, want)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("of %d, %d are wrong", len(r.all), wrong)
	}
	tablesAgree(t, r.store)
}

// TestCopiesInEveryOrder: of the copies of one event with two contents the first recorded counts, in whatever order and
// batches they are booked, by the projectors of whichever partitions, and whenever conflicts are looked for. They may
// have come within one millisecond, in several partitions: then two alike may stand on both sides of another one.
func TestCopiesInEveryOrder(t *testing.T) {
	t.Parallel()
	var all []*arrival
	for _, places := range [][]place{
		{{0, 50, 0}, {1, 40, 0}},
		{{0, 1, 0}, {0, 2, 0}, {0, 3, 0}},
		{{0, 50, 0}, {1, 40, 0}, {2, 30, 0}},
		{{0, 50, 0}, {1, 10, 0}, {0, 51, 0}},
		{{0, 30, 0}, {0, 40, 0}, {1, 20, 0}},
		{{0, 5, 0}, {1, 3, 1}, {2, 1, 2}},
		{{0, 8191, 0}, {0, 8192, 0}, {1, 8190, 0}},
		{{0, 50, 0}, {1, 50, 0}, {2, 30, 0}},
		{{0, 50, 0}, {1, 40, 0}, {2, 30, 0}, {3, 20, 1}},
	} {
		oneIn := 1
		if len(places) > 3 {
			oneIn = 7 // no divisor of how often anything changes
		}
		all = append(all, arrivals(places, oneIn)...)
	}
	r := newCopiesRun(t, all)
	r.book(t, func(int) int64 { return 0 }, checked)
	r.hold(t, false)
}

// TestCloseChangesWhichCopyIsFirst: a conflict was settled before a close became known that both copies stand behind.
// That puts them into one millisecond, so that the other copy is the first. It counts as soon as the close is booked.
func TestCloseChangesWhichCopyIsFirst(t *testing.T) {
	t.Parallel()
	r := newCopiesRun(t, []*arrival{{places: []place{{1, 10_009, 500}, {0, 10_004, 700}}, contents: "xy",
		slots: []int{0, 0}}})
	r.log = closeRecord()
	r.book(t, func(slot int) int64 { return int64(slot) * (closeAt + 1) }, func(slot int) bool { return slot == 0 })
	r.hold(t, true)
}

// checked: conflicts are looked for between the second and the third batch, and at the end.
func checked(slot int) bool { return slot%2 == 1 }

func closeRecord() []reference.Record {
	return []reference.Record{{Stream: "books", Seq: closeAt,
		Event:      []byte(event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`)),
		RecordedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(closeMs * time.Millisecond)}}
}

// TestCopiesAroundAClose: the same where some of the copies stand behind a close, also with times before it, and the
// close becomes known before, between and after they are booked.
func TestCopiesAroundAClose(t *testing.T) {
	t.Parallel()
	var all []*arrival
	for _, places := range [][]place{
		{{0, 5, 0}, {1, 10_001, 1500}},
		{{0, 5, 0}, {1, 10_001, 500}},
		{{0, 5, 0}, {1, 3, 1}, {0, 10_001, 500}},
		{{0, 5, 0}, {1, 10_001, 500}, {2, 10_002, 500}},
		{{1, 5, 0}, {0, 10_003, 1500}, {0, 10_004, 1500}},
		{{1, 10_009, 1500}, {0, 10_004, 1500}, {2, 10_002, 1500}},
		{{1, 10_003, 500}, {0, 10_004, 700}, {2, 10_005, 900}},
		{{1, 10_009, 500}, {0, 10_004, 700}},
		{{1, 5, 700}, {0, 10_004, 500}}, // by a clock that lags behind
	} {
		all = append(all, arrivals(places, len(places))...) // of three copies one in three
	}
	for known := 1; known < copiesSlots; known++ {
		t.Run(fmt.Sprintf("known in batch %d", known), func(t *testing.T) {
			t.Parallel()
			r := newCopiesRun(t, all)
			r.log = closeRecord()
			r.book(t, func(slot int) int64 {
				if slot >= known {
					return closeAt + 1
				}
				return 0
			}, checked)
			r.hold(t, true)
		})
	}
}
