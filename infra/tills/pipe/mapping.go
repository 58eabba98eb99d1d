package pipe

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/makegood/makegood/infra/tills"
)

// spoken is a mapping with the settings and secrets of a till.
type spoken struct {
	*tills.Mapping
	till    tills.Till
	secrets []string
}

// LoadMapping reads the mapping of a till, and holds the till's settings against it.
func LoadMapping(t *Till, secrets []string) (Mapping, error) {
	m, err := tills.Load(t.Mapping)
	if err != nil {
		return nil, fmt.Errorf("read its mapping: %w", err)
	}
	till := t.Engine()
	if err := m.CheckTill(till); err != nil {
		return nil, fmt.Errorf("its settings: %w", err)
	}
	return &spoken{m, till, secrets}, nil
}

// Engine is the till as mappings see it.
func (t *Till) Engine() tills.Till {
	settings := map[string]string{}
	for name, value := range t.Settings {
		settings[name] = value
	}
	for name, value := range map[string]string{"store_id": t.Store, "currency": t.Currency, "zone": t.Zone} {
		if value != "" {
			settings[name] = value
		}
	}
	return tills.Till{Name: t.Name, Settings: settings}
}

// Fetching is how the till's API is asked; nil where the mapping doesn't say.
func (s *spoken) Fetching() (*tills.Fetching, error) { return s.Mapping.Fetching(s.till) }

// Map makes events of a body.
func (s *spoken) Map(ctx context.Context, b *Body) ([][]byte, error) {
	result := s.Mapping.Map(ctx, s.till, tills.Input{Body: b.Content, Headers: b.Header, Kind: b.Kind,
		Received: b.Received, SkipThin: b.fetched})
	if err := ctx.Err(); err != nil {
		return nil, err // what it ended isn't the body's fault
	}
	events := make([][]byte, len(result.Events))
	for i := range result.Events {
		events[i] = result.Events[i].JSON
	}
	if len(result.Refusals) == 0 {
		return events, nil
	}
	refused := &Refused{}
	for _, r := range result.Refusals {
		refused.Refusals = append(refused.Refusals, Refusal{Code: r.Code, Place: place(r), Pointer: cmp.Or(r.Pointer, r.At),
			Named: r.Named, Reason: r.Reason, Hint: r.Hint})
	}
	return events, refused
}

// place is where in the body and in the mapping it is.
func place(r tills.Refusal) string {
	var parts []string
	add := func(n int, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n))
		}
	}
	if where := r.Place(); where != "" {
		parts = append(parts, where)
	}
	if r.Kind != "" {
		parts = append(parts, r.Kind)
	}
	add(r.Line, "line %d of the mapping")
	add(r.Event, "event %d")
	if r.ID != "" {
		parts = append(parts, "id "+r.ID)
	}
	return strings.Join(parts, ", ")
}

// Verify holds a request against what the till signs.
func (s *spoken) Verify(r *Request, now time.Time) error {
	headers := make(map[string]string, len(r.Header))
	for name := range r.Header {
		headers[name] = r.Header.Get(name)
	}
	return s.Mapping.Verify(tills.Request{URL: r.URL, Headers: headers, Body: r.Body}, s.secrets, now)
}
