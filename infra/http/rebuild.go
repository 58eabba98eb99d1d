package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/shadow"
)

// Rebuilds post history again. Errors: ledger.ErrNotFound, shadow.ErrUnderWay, shadow.ErrNotReady, shadow.ErrStale;
// ErrNoRebuilds.
type Rebuilds interface {
	// Rebuild is the rebuild of that id, the last one begun where it is empty.
	Rebuild(ctx context.Context, id string) (*shadow.Rebuild, error)
	// StartRebuild begins to compute one in the background.
	StartRebuild(context.Context, RebuildRequest) (*shadow.Rebuild, error)
	// SwapRebuild makes one that is ready part of the books. Without a name it is done in that of who asked for it.
	SwapRebuild(ctx context.Context, id string, by Actor) (*shadow.Rebuild, error)
	// DiscardRebuild throws one away.
	DiscardRebuild(ctx context.Context, id string) error
}

// ErrNoRebuilds says that this process takes no events in and rebuilds nothing: ask a gateway.
var ErrNoRebuilds = errors.New("this process is no gateway: ask one that is")

// RebuildRequest says who wants a rebuild and why.
type RebuildRequest struct {
	Actor
	ClosedPeriods bool `json:"closed_periods"` // months that are closed may move
	Whole         bool `json:"whole"`          // read also what neither rules nor rates can change
}

func rebuildRoutes(b Rebuilds, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/rebuild", func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		if err := onlyParameters(q, "id"); err != nil {
			return err
		}
		found, err := b.Rebuild(r.Context(), q.Get("id"))
		if errors.Is(err, ledger.ErrNotFound) && q.Get("id") == "" {
			found, err = nil, nil // there never was one
		}
		return answer(w, map[string]any{"rebuild": found}, err)
	})
	handle("POST /v1/rebuild", plain(func(w http.ResponseWriter, r *http.Request) error {
		var request RebuildRequest
		const example = `{"actor": "…", "reason": "…", "closed_periods": false, "whole": false}`
		if err := told(w, r, &request, example); err != nil {
			return err
		}
		if err := request.settle(r); err != nil {
			return err
		}
		started, err := b.StartRebuild(r.Context(), request)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusAccepted, map[string]any{"rebuild": started})
		return nil
	}))
	handle("POST /v1/rebuild/{id}/swap", plain(func(w http.ResponseWriter, r *http.Request) error {
		by, err := actorOf(w, r)
		if err != nil {
			return err
		}
		if !by.Named {
			by.Name = "" // it is who asked for the rebuild
		}
		swapping, err := b.SwapRebuild(r.Context(), r.PathValue("id"), by)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusAccepted, map[string]any{"rebuild": swapping})
		return nil
	}))
	handle("DELETE /v1/rebuild/{id}", plain(func(w http.ResponseWriter, r *http.Request) error {
		if err := b.DiscardRebuild(r.Context(), r.PathValue("id")); err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, map[string]string{"discarded": r.PathValue("id")})
		return nil
	}))
}
