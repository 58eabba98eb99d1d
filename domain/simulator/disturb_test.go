package simulator

import (
	"reflect"
	"testing"

	"github.com/makegood/makegood/domain"
)

func TestDisturbLosesNothingAndKeepsTheBooksInPlace(t *testing.T) {
	for _, c := range []struct {
		window int
		share  float64
	}{{0, 0}, {1, 0.2}, {64, 0}, {500, 0.1}} {
		events := all(t, config(6, 4000))
		got := disturbed(t, events, c.window, c.share)
		if !reflect.DeepEqual(got, disturbed(t, events, c.window, c.share)) {
			t.Errorf("window %d: one seed, two orders", c.window)
		}
		place := map[[2]string]int{}
		for i, e := range events {
			place[[2]string{e.Source, e.ID}] = i
		}
		first := map[[2]string]bool{}
		books, moved := -1, 0
		for i, e := range got {
			key := [2]string{e.Source, e.ID}
			p := place[key]
			if !reflect.DeepEqual(e, events[p]) {
				t.Fatalf("%s isn't what it was", e.ID)
			}
			if first[key] {
				continue
			}
			first[key] = true
			if p < books {
				t.Errorf("window %d: %s, before an event of the books, comes after it", c.window, e.ID)
			}
			if e.Stream() == domain.Books {
				if len(first)-1 != p {
					t.Errorf("window %d: %s stands at %d of %d", c.window, e.ID, len(first)-1, p)
				}
				books = p
			}
			if i != p {
				moved++
			}
		}
		if len(first) != len(events) {
			t.Errorf("window %d: %d events of %d", c.window, len(first), len(events))
		}
		twice := float64(len(got)-len(events)) / float64(len(events))
		if twice < 0.9*c.share || twice > 1.1*c.share {
			t.Errorf("a share of %g are sent twice, instead of %g", twice, c.share)
		}
		if c.window > 1 != (moved > len(events)/2) && c.share == 0 {
			t.Errorf("window %d: %d of %d events moved", c.window, moved, len(events))
		}
	}
	if _, err := Disturb(nil, 1, -1, 0); err == nil {
		t.Error("a negative window is no error")
	}
	if _, err := Disturb(nil, 1, 1, 1.5); err == nil {
		t.Error("a share above 1 is no error")
	}
}

// disturbed is what becomes of events.
func disturbed(t *testing.T, events []domain.Event, window int, share float64) (out []domain.Event) {
	t.Helper()
	n := 0
	d, err := Disturb(func() (domain.Event, bool) {
		if n == len(events) {
			return domain.Event{}, false
		}
		n++
		return events[n-1], true
	}, 12, window, share)
	if err != nil {
		t.Fatal(err)
	}
	for e, more := d.Next(); more; e, more = d.Next() {
		out = append(out, e)
	}
	return out
}
