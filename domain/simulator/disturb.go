package simulator

import (
	"fmt"
	"math/rand/v2"

	"github.com/makegood/makegood/domain"
)

// Disturbed is a stream of events as a network delivers it: some twice, and within a window in any order. What the
// books stream says keeps its place: all that was told before it comes before it, so that a rate is there before what
// needs it and a month isn't closed too early.
type Disturbed struct {
	next    func() (domain.Event, bool)
	random  *rand.Rand
	window  int
	share   float64
	held    []held
	waiting *domain.Event // of the books stream, until what is held is out
	ended   bool
}

type held struct {
	event domain.Event
	again bool
}

// Disturb wraps a stream. window is how many events are held back to be shuffled (0 or 1: none, and the order stays),
// duplicateShare how many of all events, 0 to 1, are sent a second time, with the same content, some events later.
func Disturb(next func() (domain.Event, bool), seed uint64, window int, duplicateShare float64) (*Disturbed, error) {
	if window < 0 || duplicateShare < 0 || duplicateShare > 1 {
		return nil, fmt.Errorf("disturb: a window of %d events and a duplicate share of %g make no sense", window,
			duplicateShare)
	}
	return &Disturbed{
		next: next, random: rand.New(rand.NewPCG(seed, 0x6469737475726264)), window: max(window, 1), share: duplicateShare,
	}, nil
}

// Next is the next event to send; false at the end.
func (d *Disturbed) Next() (domain.Event, bool) {
	for !d.ended && d.waiting == nil && len(d.held) < d.window {
		e, more := d.next()
		switch {
		case !more:
			d.ended = true
		case e.Stream() == domain.Books:
			d.waiting = &e
		default:
			d.held = append(d.held, held{event: e})
		}
	}
	if len(d.held) == 0 {
		if d.waiting == nil {
			return domain.Event{}, false
		}
		e := *d.waiting
		d.waiting = nil
		d.repeat(e)
		return e, true
	}
	n := 0
	if d.window > 1 {
		n = d.random.IntN(len(d.held))
	}
	h := d.held[n]
	if d.window > 1 {
		last := len(d.held) - 1
		d.held[n], d.held[last] = d.held[last], held{}
		d.held = d.held[:last]
	} else {
		d.held = d.held[1:]
	}
	if !h.again {
		d.repeat(h.event)
	}
	return h.event, true
}

// repeat holds an event back to be sent once more.
func (d *Disturbed) repeat(e domain.Event) {
	if d.share > 0 && d.random.Float64() < d.share {
		d.held = append(d.held, held{e, true})
	}
}
