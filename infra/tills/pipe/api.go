package pipe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/infra/tills"
	"github.com/makegood/makegood/infra/tills/fetch"
)

// CodeNotFetched is the refusal of a body whose object the till's API doesn't give.
const CodeNotFetched = "not_fetched"

// fetchedHeader marks a body that came from an API: nothing more is fetched for it.
const fetchedHeader = "makegood-fetched"

// api is a till's API.
type api struct {
	*tills.Fetching
	client *fetch.Client
	turns  chan struct{} // bounds what is asked at once
}

// atOnce is how many requests one API gets at the same time: most allow few a second.
const atOnce = 4

// apiOf is the API that a till's key is for; nil where it has none.
func (t *Tills) apiOf(till *Till, m Mapping, key string) (*api, error) {
	if till.APIKeyFile == "" {
		return nil, nil
	}
	says, is := m.(interface {
		Fetching() (*tills.Fetching, error)
	})
	if !is {
		return nil, errors.New("api_key_file: its mapping asks no API")
	}
	f, err := says.Fetching()
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if f == nil {
		return nil, errors.New("api_key_file: its mapping doesn't say how its API is asked (fetch:)")
	}
	client, err := fetch.New(fetch.Config{Hosts: f.Hosts, Auth: f.Auth, Header: f.Header, Key: key, Headers: f.Headers,
		Loopback: t.config.Loopback})
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return &api{f, client, make(chan struct{}, atOnce)}, nil
}

// fetch keeps what a body only names as bodies of their own, so that they are mapped as if they had been sent. What of
// the body is whole is mapped as it is.
func (m *Mapper) fetch(ctx context.Context, till *loaded, body *Body) error {
	if till.api == nil || body.Header[fetchedHeader] != "" {
		return nil
	}
	urls, err := till.api.Thin(ctx, tills.Input{Body: body.Content, Headers: body.Header, Kind: body.Kind,
		Received: body.Received})
	if err != nil {
		return &Refused{[]Refusal{{Code: CodeNotFetched, Reason: err.Error()}}}
	}
	for _, address := range urls {
		answer, err := till.api.get(ctx, address)
		if err != nil {
			return whyNotFetched(err)
		}
		if err := keepAnswer(ctx, till.Name, body.Received, answer, m.config.Keep); err != nil {
			return err
		}
	}
	body.fetched = true
	return nil
}

func (a *api) get(ctx context.Context, address string) (*fetch.Answer, error) {
	select {
	case a.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-a.turns }()
	return a.client.Get(ctx, address)
}

// whyNotFetched tells what stays so, which is a dead letter, from what may be answered later.
func whyNotFetched(err error) error {
	var status *fetch.StatusError
	final := errors.Is(err, fetch.ErrNotAllowed) || errors.Is(err, fetch.ErrTooLarge)
	if errors.As(err, &status) {
		final = !status.Again()
	}
	if !final {
		return err
	}
	refusal := Refusal{Code: CodeNotFetched, Reason: err.Error()}
	if status != nil && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden) {
		refusal.Hint = "see that the key in api_key_file may read this, and replay it"
	}
	return &Refused{[]Refusal{refusal}}
}

// keepAnswer makes an answer a body that is kept.
func keepAnswer(ctx context.Context, till string, at time.Time, answer *fetch.Answer,
	keep func(context.Context, *message.Message) error,
) error {
	b := &Body{Till: till, Header: map[string]string{fetchedHeader: "1"}, Content: answer.Body, Received: at}
	record, err := b.Record()
	if errors.Is(err, ErrTooLarge) {
		return &Refused{[]Refusal{{Code: CodeTooLarge, Reason: "what its API answers is " + err.Error()}}}
	}
	if err != nil {
		return err
	}
	record.SetContext(ctx)
	return keep(ctx, record)
}

// BackfillConfig is what Backfill needs.
type BackfillConfig struct {
	Tills *Tills
	// Dir keeps where each backfill stands.
	Dir    string
	Keep   func(ctx context.Context, m *message.Message) error
	Now    func() time.Time
	Logger *slog.Logger
}

// Backfill asks the APIs of tills for what was missed, now and as often as their mappings say, until ctx ends. What
// can't be asked now is asked from where it stopped.
func Backfill(ctx context.Context, c BackfillConfig) {
	due := map[string]time.Time{}
	running := map[string]bool{}
	ended := make(chan string)
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for _, l := range c.Tills.all() {
			if l.api == nil || l.api.Every == 0 || running[l.Name] || c.Now().Before(due[l.Name]) {
				continue
			}
			due[l.Name], running[l.Name] = c.Now().Add(l.api.Every), true
			all.Go(func() {
				c.run(ctx, l)
				select {
				case ended <- l.Name:
				case <-ctx.Done():
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case name := <-ended:
			running[name] = false
		case <-tick.C:
		}
	}
}

func (c *BackfillConfig) run(ctx context.Context, l *loaded) {
	store := fetch.File(filepath.Join(c.Dir, l.Name+".json"))
	pages, err := fetch.Backfill(ctx, l.api.client, l.api.Fetching, store, func(ctx context.Context,
		a *fetch.Answer) error {
		now := c.Now().UTC()
		if err := keepAnswer(ctx, l.Name, now, a, c.Keep); err != nil {
			return err
		}
		l.counts.received(now)
		return nil
	})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.Logger.Warn("what a till's API has can't be asked for: it goes on later", "till", l.Name, "pages", pages,
			"error", err)
	default:
		c.Logger.Info("asked a till's API for what was missed", "till", l.Name, "pages", pages)
	}
}
