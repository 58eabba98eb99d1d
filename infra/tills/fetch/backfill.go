package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/makegood/makegood/infra/tills"
)

// Pages says which addresses a backfill asks: a mapping's fetch.
type Pages interface {
	First(ctx context.Context, since string) (string, error)
	Next(ctx context.Context, p *tills.Page) (string, error)
	Since(ctx context.Context, p *tills.Page) (string, error)
}

// State is where a backfill stands.
type State struct {
	Since  string `json:"since,omitempty"`  // where the last whole run ended
	Found  string `json:"found,omitempty"`  // where this one ends, as far as its pages told
	Next   string `json:"next,omitempty"`   // the page that comes next; "" between runs
	Number int    `json:"number,omitempty"` // of the pages of this run that were taken
}

// Store keeps the state over restarts.
type Store interface {
	Load() (State, error)
	Save(State) error
}

// maxPages bounds one run: an API whose pages don't end is broken.
const maxPages = 100_000

// Backfill asks page after page, and hands each to take, which returns nil only when it is durable. It gives how many
// it took. After an error the next run goes on with the page that it was about.
func Backfill(ctx context.Context, c *Client, pages Pages, store Store, take func(context.Context,
	*Answer) error) (int, error) {
	state, err := store.Load()
	if err != nil {
		return 0, err
	}
	taken, resumed := 0, state.Next != ""
	if !resumed {
		if state, err = begin(ctx, pages, state.Since); err != nil {
			return 0, err
		}
	}
	for state.Next != "" {
		answer, err := c.Get(ctx, state.Next)
		if resumed && gone(err) {
			resumed = false
			if state, err = begin(ctx, pages, state.Since); err != nil {
				return taken, err
			}
			continue
		}
		if err != nil {
			return taken, err
		}
		resumed = false
		if err := take(ctx, answer); err != nil {
			return taken, err
		}
		taken++
		if state, err = after(ctx, pages, state, answer); err != nil {
			return taken, err
		}
		if err := store.Save(state); err != nil {
			return taken, err
		}
	}
	return taken, nil
}

func begin(ctx context.Context, pages Pages, since string) (State, error) {
	first, err := pages.First(ctx, since)
	if err != nil {
		return State{}, fmt.Errorf("the first page: %w", err)
	}
	return State{Since: since, Next: first}, nil
}

// gone says that the page where a run was broken off is no more.
func gone(err error) bool {
	var status *StatusError
	return errors.As(err, &status) &&
		slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone}, status.Status)
}

// after is the state behind a page.
func after(ctx context.Context, pages Pages, s State, answer *Answer) (State, error) {
	s.Number++
	page := &tills.Page{URL: answer.URL, Links: answer.Links(), Number: s.Number, Since: s.Since, Found: s.Found,
		Body: answer.Body}
	found, err := pages.Since(ctx, page)
	if err != nil {
		return s, fmt.Errorf("where the run ends: %w", err)
	}
	if found != "" {
		s.Found, page.Found = found, found
	}
	next, err := pages.Next(ctx, page)
	if err != nil {
		return s, fmt.Errorf("the next page: %w", err)
	}
	if next == "" {
		return State{Since: or(s.Found, s.Since)}, nil
	}
	if next, err = resolved(answer.URL, next); err != nil {
		return s, err
	}
	if next == s.Next || s.Number >= maxPages {
		return s, fmt.Errorf("the pages don't end: after %d the next is the same, or there are too many", s.Number)
	}
	s.Next = next
	return s, nil
}

// resolved makes an address whole: some APIs give a path.
func resolved(at, next string) (string, error) {
	base, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("%w: the page's address is no URL", ErrNotAllowed)
	}
	u, err := base.Parse(next)
	if err != nil {
		return "", fmt.Errorf("%w: the next page's address is no URL", ErrNotAllowed)
	}
	return u.String(), nil
}

// File is a Store in a file.
type File string

// maxState bounds the file, in bytes.
const maxState = 64 << 10

// Load reads the state; that of no file is the beginning.
func (f File) Load() (State, error) {
	file, err := os.Open(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("read where a backfill stands: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxState))
	if err != nil {
		return State{}, fmt.Errorf("read where a backfill stands: %w", err)
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, fmt.Errorf("%s doesn't say where a backfill stands: %w", f, err)
	}
	return s, nil
}

// Save writes the state, whole or not at all, also where the machine stops while it does.
func (f File) Save(s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write where a backfill stands: %w", err)
	}
	if err := write(string(f), text); err != nil {
		return fmt.Errorf("write where a backfill stands: %w", err)
	}
	return nil
}

func write(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".backfill-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}
