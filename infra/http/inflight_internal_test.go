package gateway

import (
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"
)

// TestNobodyHasAllTheRoom: whoever takes what, in whatever order, the holder of one token has half at most, an address
// of strangers a quarter, strangers together half; and all of it comes back.
func TestNobodyHasAllTheRoom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	f := newInFlight(1000, 10)
	from := func(address string) reservation {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = address
		return f.reserveForStranger(r)
	}
	kinds := []struct {
		who  string
		most int64
		make func() reservation
	}{
		{"a token", 500, func() reservation { return f.reserve(&Grant{Name: "a"}) }},
		{"another token", 500, func() reservation { return f.reserve(&Grant{Name: "b"}) }},
		{"an address", 250, func() reservation { return from("192.0.2.1:1") }},
		{"another address", 250, func() reservation { return from("192.0.2.2:1") }},
		{"a third address", 250, func() reservation { return from("192.0.2.3:1") }},
		{"nobody in particular", 1000, func() reservation { return f.reserve(nil) }},
	}
	held := make([]int64, len(kinds))
	var open []reservation
	var of []int
	for range 10_000 {
		if i := random.IntN(len(kinds)); len(open) == 0 || random.IntN(5) > 0 {
			r := kinds[i].make()
			n := 1 + random.Int64N(100)
			strange, all := held[2]+held[3]+held[4]+n, n
			for _, h := range held {
				all += h
			}
			fits := held[i]+n <= kinds[i].most && all <= 1000 && (i < 2 || i == 5 || strange <= 500)
			if took := r.take(n); took != fits {
				t.Fatalf("%s took %d of what is left beside %v: %t", kinds[i].who, n, held, took)
			}
			if fits {
				held[i] += n
				open, of = append(open, r), append(of, i)
			}
			continue
		}
		last := random.IntN(len(open))
		held[of[last]] -= open[last].held
		open[last].release()
		open, of = append(open[:last], open[last+1:]...), append(of[:last], of[last+1:]...)
	}
	for i := range open {
		open[i].release()
	}
	if f.now.Load() != 0 || len(f.of) != 0 {
		t.Errorf("%d bytes are in flight for ever, of %v", f.now.Load(), f.of)
	}
}
