package pipe

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Mapping is what a till speaks, with its settings: the part of the engine that the pipe needs.
type Mapping interface {
	// Signed says whether senders sign.
	Signed() bool
	// Headers are the names of those that Map looks at.
	Headers() []string
	// Trial says whether a body is one that the sender tries a new address with, unsigned.
	Trial(body []byte) bool
	// Verify says why a request isn't of the till; nil where it is. Its error holds no secret.
	Verify(r *Request, now time.Time) error
	// Map makes events of a body. The error of a *Refused says what of it can't be mapped: what can is in events.
	Map(ctx context.Context, b *Body) (events [][]byte, err error)
}

// Request is what a signature may be over.
type Request struct {
	URL    string
	Header http.Header
	Body   []byte
}

// Refused says what of a body can't be mapped, and why.
type Refused struct {
	Refusals []Refusal // at least one
}

// Refusal is one place of a body or a mapping that doesn't go together.
type Refusal struct {
	Code    string // a stable word
	Place   string // the kind, the line of its program, the record and the event
	Pointer string // RFC 6901, into the event, else into the body; empty where nothing says which place it is
	Named   string // Pointer, with * for each step that may say something of people
	EventID string
	Reason  string
	Hint    string
}

// String is one line for people.
func (r Refusal) String() string {
	text := r.Reason
	if r.Place != "" {
		text = r.Place + ": " + text
	}
	if r.Pointer != "" {
		text += " (" + r.Pointer + ")"
	}
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	return text
}

func (r *Refused) Error() string {
	if len(r.Refusals) == 1 {
		return r.Refusals[0].String()
	}
	return fmt.Sprintf("%s, and %d more", r.Refusals[0], len(r.Refusals)-1)
}

// loaded is a till with its mapping. Counts go on when its configuration is read again.
type loaded struct {
	*Till
	mapping Mapping
	api     *api // nil: it isn't asked
	counts  *Counts
}

// Counts are what this process has done for a till since it began.
type Counts struct {
	Received, Unsigned, Mapped, Events, Nothing, Refused atomic.Int64
	LastReceived                                         atomic.Int64 // Unix, in milliseconds; 0: nothing came
}

func (c *Counts) received(at time.Time) {
	c.Received.Add(1)
	c.LastReceived.Store(at.UnixMilli())
}

// Tills are those of a tills file. It and the files that it names are looked at every second; what can't be used then
// changes nothing, and is said.
type Tills struct {
	config  TillsConfig
	current atomic.Pointer[map[string]*loaded]
	problem atomic.Pointer[string] // why the files can't be used as they are now
	seen    [sha256.Size]byte
	mu      sync.Mutex // of counts
	counts  map[string]*Counts
}

// TillsConfig is what Tills need.
type TillsConfig struct {
	File string
	// OwnTopics begins the names of topics that no till may have: those that we write.
	OwnTopics string
	// Load reads a mapping, with the settings of a till and the secrets that its senders sign with.
	Load func(t *Till, secrets []string) (Mapping, error)
	// ReadSecret reads a file that holds a secret.
	ReadSecret func(path string) (string, error)
	// Loopback lets tests ask an API on this machine.
	Loopback bool
	Now      func() time.Time
	Logger   *slog.Logger
}

// Open reads the tills file. From then on what can't be used changes nothing.
func Open(c TillsConfig) (*Tills, error) {
	t := &Tills{config: c, counts: map[string]*Counts{}}
	none := ""
	t.problem.Store(&none)
	if err := t.look(); err != nil {
		return nil, err
	}
	return t, nil
}

const lookEvery = time.Second

// Watch reads the files again when they change, until ctx ends.
func (t *Tills) Watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		before, said := t.current.Load(), *t.problem.Load()
		text := ""
		if err := t.look(); err != nil {
			text = err.Error()
		}
		t.problem.Store(&text)
		switch {
		case text != "" && text != said:
			t.config.Logger.Error("the tills can't be used as they are now: what was said before stays in force", "error", text)
		case text == "" && t.current.Load() != before:
			t.config.Logger.Info("the tills were read again", "file", t.config.File)
		}
	}
}

// look reads everything, and takes it where something changed.
func (t *Tills) look() error {
	tills, err := ReadConfig(t.config.File)
	if err != nil {
		return err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%d", len(tills))
	secrets, keys := make([][]string, len(tills)), make([]string, len(tills))
	var errs []error
	for i, till := range tills {
		fmt.Fprintf(hash, "%q %v", till.Name, *till)
		if isFile(till.Mapping) {
			content, err := readBounded(till.Mapping, maxConfig)
			errs = append(errs, till.wrong("mapping", err))
			fmt.Fprintf(hash, "%q", content)
		}
		for _, path := range till.SecretFiles {
			secret, err := t.config.ReadSecret(path)
			errs = append(errs, till.wrong("secret_file", err))
			secrets[i] = append(secrets[i], secret)
			fmt.Fprintf(hash, "%q", secret)
		}
		if till.APIKeyFile != "" {
			keys[i], err = t.config.ReadSecret(till.APIKeyFile)
			errs = append(errs, till.wrong("api_key_file", err))
			fmt.Fprintf(hash, "%q", keys[i])
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var seen [sha256.Size]byte
	hash.Sum(seen[:0])
	if t.current.Load() != nil && seen == t.seen {
		return nil
	}
	all := map[string]*loaded{}
	for i, till := range tills {
		mapping, err := t.config.Load(till, secrets[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("till %s: %w", till.Name, err))
			continue
		}
		if own := t.config.OwnTopics; own != "" && strings.HasPrefix(till.Topic, own) {
			errs = append(errs, fmt.Errorf("till %s: topic %s is makegood's own, by its beginning %s", till.Name, till.Topic,
				own))
		}
		if mapping.Signed() && len(secrets[i]) == 0 && till.Folder == "" && till.Topic == "" {
			errs = append(errs, fmt.Errorf("till %s: its mapping %s signs what it sends: give its secret_file", till.Name,
				till.Mapping))
		}
		api, err := t.apiOf(till, mapping, keys[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("till %s: %w", till.Name, err))
		}
		all[till.Name] = &loaded{Till: till, mapping: mapping, api: api, counts: t.countsOf(till.Name)}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	t.seen = seen
	t.current.Store(&all)
	return nil
}

// wrong says which till, and which of its members, an error is of.
func (t *Till) wrong(member string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("till %s: %s: %w", t.Name, member, err)
}

func (t *Tills) countsOf(name string) *Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts[name] == nil {
		t.counts[name] = &Counts{}
	}
	return t.counts[name]
}

func (t *Tills) find(name string) *loaded { return (*t.current.Load())[name] }

// all are those that are configured now, by name.
func (t *Tills) all() []*loaded {
	var all []*loaded
	for _, l := range *t.current.Load() {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *loaded) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Each hands over what is configured now, by name, with what this process has done for it.
func (t *Tills) Each(f func(*Till, *Counts)) {
	for _, l := range t.all() {
		f(l.Till, l.counts)
	}
}

// Problem says why the files can't be used as they are now; empty where they can.
func (t *Tills) Problem() string { return *t.problem.Load() }

// Find says whether there is a till of that name, and whether its senders sign.
func (t *Tills) Find(name string) (known, signed bool) {
	l := t.find(name)
	return l != nil, l != nil && l.mapping.Signed()
}

// ErrUnknown says that no till of that name is configured.
var ErrUnknown = errors.New("no till of that name is configured")

// ErrTrial says that a body is one that the sender tries an address with: there is nothing to keep.
var ErrTrial = errors.New("the sender tries the address")

// VerifyError says why a request is not of the till. It holds no secret.
type VerifyError struct{ Reason string }

func (e *VerifyError) Error() string { return e.Reason }

// Verify holds a request against what its till signs, and makes a body of it. Errors: ErrUnknown, ErrTrial, a
// *VerifyError.
func (t *Tills) Verify(name, kind string, r *Request) (*Body, error) {
	l := t.find(name)
	if l == nil {
		return nil, ErrUnknown
	}
	if l.mapping.Trial(r.Body) {
		return nil, ErrTrial
	}
	if l.URL != "" {
		r.URL = l.URL
	}
	now := t.config.Now()
	if err := l.mapping.Verify(r, now); err != nil {
		l.counts.Unsigned.Add(1)
		return nil, &VerifyError{err.Error()}
	}
	if kind == "" {
		kind = l.Kind
	}
	return &Body{Till: name, Kind: kind, Header: headersOf(r.Header, l.mapping.Headers()), Content: r.Body,
		Received: now}, nil
}

// Kept notes that a body of a till is durable.
func (t *Tills) Kept(b *Body) { t.countsOf(b.Till).received(b.Received) }
