package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/makegood/makegood/projections/report"
)

// People are what is kept of customers and employees. An id is the plain one or its hash.
type People interface {
	// Person is what there is of somebody.
	Person(ctx context.Context, id string) (*report.Person, error)
	// ErasePerson puts on record that somebody is erased, by the hashes that they are kept under, and returns the
	// name that takes their place.
	ErasePerson(ctx context.Context, id string, by Actor) (name string, err error)
}

// NoKeys says that this process has no keys, and so can't tell whose a hash is: ask a gateway.
func NoKeys() *Problem {
	return NewProblem(http.StatusServiceUnavailable, ProblemNotReady,
		"this process has no keys of people: ask one that takes events in or books them")
}

// asksFor says who is asked for. It comes in a body: addresses end up in the logs of proxies.
type asksFor struct {
	ID string `json:"id"`
}

const maxPersonID = 128 // characters: those of every id are fewer

func (a *asksFor) check() error {
	if a.ID == "" || len(a.ID) > 4*maxPersonID {
		return &badQuery{"the body says whose data is meant: {\"id\": \"…\"}, of at most 128 characters"}
	}
	return nil
}

// personRoutes adds what is done about somebody's data.
func personRoutes(b People, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("POST /v1/person", plain(func(w http.ResponseWriter, r *http.Request) error {
		var of asksFor
		if err := told(w, r, &of, `{"id": "…"}`); err != nil {
			return err
		}
		if err := of.check(); err != nil {
			return err
		}
		// All that was ever sent is read: that takes longer than other answers may.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // writers that can't have none
		found, err := b.Person(r.Context(), of.ID)
		return answer(w, found, err)
	}))
	handle("POST /v1/person/erase", plain(func(w http.ResponseWriter, r *http.Request) error {
		var of struct {
			asksFor
			Actor
		}
		if err := told(w, r, &of, `{"id": "…", "actor": "…", "reason": "…"}`); err != nil {
			return err
		}
		if err := of.check(); err != nil {
			return err
		}
		if err := of.settle(r); err != nil {
			return err
		}
		name, err := b.ErasePerson(r.Context(), of.ID, of.Actor)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusAccepted, map[string]string{"person": name})
		return nil
	}))
}
