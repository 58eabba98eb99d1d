package rebuild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/shadow"
)

// A rebuild posts history again from the ledger's own payloads, with today's posting rules and the rates that are known
// by now, into a shadow: tables of its own that nobody reads. What it would change is reported, and nothing else
// happens until somebody says so. Then books.rebuilt is written to the log, and the projector that books it makes the
// shadow's partitions part of the books (see swap.go of package post). What an event posts stays a function of the log
// alone: domain.Terms.PricedFrom says what the rebuild means, and whoever reads the log from its beginning comes to
// the same books.
//
// Rows that post alone are read month by month, in no other order; the others are settled again, unit by unit. Entries
// of closed epochs stay as they are. Where a rebuild prices them, the difference is an entry of its own in each unit,
// in the open month: it is posted when the rebuild is swapped in, and its place in the log is known.
//
// # What it takes
//
// What an event posts depends on the rules, on the rates and on nothing else. So a row says which rules its lines
// follow and whether its event asks for rates, and what neither can change isn't read at all: rows of today's rules
// that ask for none, or that come after the last rate in the log. Two columns of five bytes and the row's place
// tell. A whole rebuild reads everything, also what somebody may have changed behind the books' back. Where nothing
// comes out otherwise, a row is read, decoded and posted, and that is all; what changes is inserted once more. Two
// workers decode beside the reader (see the bench: makegood bench --only rebuild).
//
// Of what is left, reading takes most: rows that ask for rates stand among those that don't, so that the server
// unpacks both. By how much accounts move is summed up as the rows pass; what they hold, in months that move, is asked
// of the ledger.

// Config says how rebuilds are computed.
type Config struct {
	DB     driver.Conn
	Ledger ledger.Reader
	// Shadow is a writer to a table that has the ledger's columns.
	Shadow func(table string) ShadowWriter
	Decode func() ledger.DecodeStored // makes a reader of stored events, one for each worker
	// Terms reads the books stream, all of it, and says where a record that is written to it now would stand. They are the
	// caller's own from then on.
	Terms  func(context.Context) (*post.Known, domain.Mark, error)
	ID     func() string // of the next rebuild: small letters and digits
	Logger *slog.Logger
}

// ShadowWriter is a Writer that is closed after use.
type ShadowWriter interface {
	ledger.Writer
	Close() error
}

// Rebuilder computes rebuilds, one at a time.
type Rebuilder struct {
	config  Config
	working context.Context //nolint:containedctx // that of the work in the background, ended by Close
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	running map[string]*running // by the rebuild's id
}

// running is a rebuild that this process computes.
type running struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when nothing of it works any more
}

// New joins the parts.
func New(c Config) (*Rebuilder, error) {
	if c.DB == nil || c.Ledger == nil || c.Shadow == nil || c.Decode == nil || c.Terms == nil || c.ID == nil ||
		c.Logger == nil {
		return nil, errors.New("a rebuilder wants the ledger's reader, writers for the shadow, decoders, terms, ids " +
			"and a logger")
	}
	r := &Rebuilder{config: c, running: map[string]*running{}}
	r.working, r.stop = context.WithCancel(context.Background())
	return r, nil
}

// Close ends what is being computed: it has failed, and the books are as they were.
func (b *Rebuilder) Close() error {
	b.stop()
	b.work.Wait()
	return nil
}

// lost is how long nothing is heard of a rebuild whose process has ended.
const lost = 10 * time.Second

// Order says who wants a rebuild, why, and of what.
type Order struct {
	Actor, Reason string
	ClosedPeriods bool // months that are closed may move
	Whole         bool // read also what neither rules nor rates can change
}

// Start begins to compute a rebuild in the background. Its error may be shadow.ErrUnderWay. One that is ready gives
// way to it, and so does one whose process ended.
func (b *Rebuilder) Start(ctx context.Context, o Order) (*shadow.Rebuild, error) {
	// What arrives from now on is looked at again when it is swapped in, whatever of it is met until then.
	seen, err := shadow.Look(ctx, b.config.DB)
	if err != nil {
		return nil, err
	}
	var now time.Time
	if err := b.config.DB.QueryRow(ctx, "SELECT now64(3, 'UTC')").Scan(&now); err != nil {
		return nil, fmt.Errorf("ask ClickHouse for the time: %w", err)
	}
	known, mark, err := b.config.Terms(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the books stream: %w", err)
	}
	terms := known.Terms
	before, err := shadow.List(ctx, b.config.DB, "state IN ('computing', 'ready', 'swapping')")
	if err != nil {
		return nil, err
	}
	for i := range before {
		old := &before[i]
		switch {
		case old.State == shadow.Ready:
			old.State = shadow.Discarded
		case old.Idle.Abs() < lost || b.computes(old.ID) || old.State == shadow.Swapping && isWritten(terms, old.ID):
			return nil, &shadow.UnderWayError{Rebuild: *old}
		default:
			old.State, old.Error = shadow.Failed, "its process ended"
		}
		if err := b.end(ctx, old); err != nil {
			return nil, err
		}
	}
	r := &shadow.Rebuild{ID: b.config.ID(), State: shadow.Computing, Actor: o.Actor, Reason: o.Reason,
		ClosedPeriods: o.ClosedPeriods, Whole: o.Whole,
		Started: now, Seen: seen, Terms: mark.Offset, Rules: domain.PostingRules(), Ends: mark.Ends}
	if !shadow.ID.MatchString(r.ID) {
		return nil, fmt.Errorf("%q is no id for a rebuild", r.ID)
	}
	if err := b.keep(ctx, r); err != nil {
		return nil, err
	}
	// Two that began at once see each other now, and agree on which of them goes on.
	if rivals, err := shadow.List(ctx, b.config.DB, "state = 'computing'"); err != nil {
		return nil, err
	} else if len(rivals) == 0 || rivals[0].ID != r.ID {
		under := shadow.ErrUnderWay
		if len(rivals) > 0 {
			under = &shadow.UnderWayError{Rebuild: rivals[0]}
		}
		r.State = shadow.Discarded
		if err := b.keep(ctx, r); err != nil {
			return nil, err
		}
		return nil, under
	}
	terms.Apply(&domain.Event{Source: ownSource, ID: r.ID, Type: domain.TypeBooksRebuilt,
		Data: &domain.BooksRebuilt{RebuildID: r.ID, ClosedPeriods: o.ClosedPeriods}}, mark)
	answer := *r
	b.begin(r, known)
	return &answer, nil
}

// computes reports whether this process computes a rebuild, also where ClickHouse is too busy to be told of it.
func (b *Rebuilder) computes(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running[id] != nil
}

// ownSource is who says, while a rebuild is computed, that there is one: its record isn't written yet.
const ownSource = "urn:makegood:rebuild"

// isWritten reports whether the log holds the rebuild.
func isWritten(terms *domain.Terms, id string) bool {
	for _, r := range terms.Rebuilds.All() {
		if r.ID == id {
			return true
		}
	}
	return false
}

// begin computes a rebuild in the background.
func (b *Rebuilder) begin(r *shadow.Rebuild, known *post.Known) {
	id := r.ID
	working, cancel := context.WithCancelCause(b.working)
	is := &running{cancel: cancel, done: make(chan struct{})}
	b.mu.Lock()
	b.running[id] = is
	b.mu.Unlock()
	b.work.Go(func() {
		defer func() {
			cancel(nil)
			b.mu.Lock()
			delete(b.running, id)
			b.mu.Unlock()
			close(is.done)
		}()
		b.run(working, cancel, r, known)
	})
}

// run computes it and notes how that went.
func (b *Rebuilder) run(ctx context.Context, cancel context.CancelCauseFunc, r *shadow.Rebuild, known *post.Known) {
	s := newComputation(b, r, known)
	var beating sync.WaitGroup
	beat, still := context.WithCancel(ctx)
	beating.Go(func() { b.beat(beat, cancel, s) })
	err := s.compute(ctx)
	still()
	beating.Wait()
	r.Done, r.Total, r.PassedOver = s.done.Load(), s.total.Load(), s.passed.Load()
	ending := context.WithoutCancel(ctx)
	switch {
	case b.takenAway(ctx, r.ID):
		// Whoever did that has noted it; what was made since then goes as well.
		err = shadow.Drop(ending, b.config.DB, r.ID)
	case err != nil:
		r.State, r.Error = shadow.Failed, err.Error()
		if b.working.Err() != nil {
			r.Error = "its process was stopped"
		} else {
			b.config.Logger.Error("a rebuild failed; the books are as they were", "rebuild", r.ID, "error", err)
		}
		err = b.end(ending, r)
	default:
		r.State, r.Total = shadow.Ready, r.Done // the copies among them are folded now
		err = b.keep(ending, r)
	}
	if err != nil {
		b.config.Logger.Error("how a rebuild ended could not be noted", "rebuild", r.ID, "error", err)
	}
}

// takenAway reports whether somebody, here or in another process, has discarded a rebuild while it was computed.
func (b *Rebuilder) takenAway(ctx context.Context, id string) bool {
	if errors.Is(context.Cause(ctx), errTakenAway) {
		return true
	}
	is, err := shadow.Read(context.WithoutCancel(ctx), b.config.DB, id)
	return err == nil && is.State != shadow.Computing
}

var errTakenAway = errors.New("the rebuild was discarded")

// beatEvery is how often it is noted how far a rebuild is.
const beatEvery = time.Second

// beat notes every now and then how far it is, and ends it where somebody has discarded it.
func (b *Rebuilder) beat(ctx context.Context, cancel context.CancelCauseFunc, s *computation) {
	id := s.rebuild.ID
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(beatEvery):
		}
		is, err := shadow.Read(ctx, b.config.DB, id)
		if err == nil && is.State != shadow.Computing {
			cancel(errTakenAway)
			return
		}
		if err == nil {
			is.Done, is.Total, is.PassedOver = s.done.Load(), s.total.Load(), s.passed.Load()
			err = b.keep(ctx, is)
		}
		if err != nil && ctx.Err() == nil {
			b.config.Logger.Warn("how far a rebuild is could not be noted", "rebuild", id, "error", err)
		}
	}
}

// Swap notes that a rebuild is to be swapped in, which the caller does by writing books.rebuilt, and who said so,
// where that is not who asked for it. Again for one that is being swapped changes nothing. Errors: ErrNotFound,
// shadow.ErrNotReady, shadow.ErrStale.
func (b *Rebuilder) Swap(ctx context.Context, id, actor string) (*shadow.Rebuild, error) {
	r, err := shadow.Read(ctx, b.config.DB, id)
	if err != nil {
		return nil, err
	}
	if r.State == shadow.Swapping {
		return r, nil
	}
	if r.State != shadow.Ready {
		return nil, fmt.Errorf("%w: this one is %s", shadow.ErrNotReady, r.State)
	}
	known, mark, err := b.config.Terms(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the books stream: %w", err)
	}
	if known.Terms.ChangedBetween(r.Terms, mark.Offset) {
		r.State = shadow.Discarded
		return nil, errors.Join(shadow.ErrStale, b.end(ctx, r))
	}
	r.State = shadow.Swapping
	if actor != "" {
		r.Actor = actor
	}
	return r, b.keep(ctx, r)
}

// Discard throws a rebuild away that is not in the books. What works at it ends first, here or in another process, and
// then its tables go. Errors: ErrNotFound, shadow.ErrUnderWay where it is being swapped.
func (b *Rebuilder) Discard(ctx context.Context, id string) error {
	r, err := shadow.Read(ctx, b.config.DB, id)
	if err != nil {
		return err
	}
	switch r.State {
	case shadow.Computing, shadow.Ready:
	case shadow.Swapping:
		return &shadow.UnderWayError{Rebuild: *r}
	default:
		return nil // there is nothing left of it
	}
	computing := r.State == shadow.Computing
	r.State = shadow.Discarded
	if computing {
		if err := b.takeAway(ctx, r); err != nil {
			return err
		}
	}
	return b.end(ctx, r)
}

// takeAway ends the work at a rebuild that is being computed. Another process looks every second whether it was
// discarded; one of which nothing is heard has ended.
func (b *Rebuilder) takeAway(ctx context.Context, r *shadow.Rebuild) error {
	b.mu.Lock()
	here := b.running[r.ID]
	b.mu.Unlock()
	ended, idle := make(<-chan struct{}), r.Idle
	if here != nil {
		here.cancel(errTakenAway)
		ended, idle = here.done, 0
	}
	if err := b.keep(ctx, r); err != nil || idle >= lost {
		return err
	}
	var enough <-chan time.Time
	if here == nil {
		enough = time.After(2 * beatEvery)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of rebuild %s: %w", r.ID, ctx.Err())
	case <-ended:
	case <-enough:
	}
	return nil
}

// end notes how a rebuild ended, and then drops what is left of it.
func (b *Rebuilder) end(ctx context.Context, r *shadow.Rebuild) error {
	if err := b.keep(ctx, r); err != nil {
		return err
	}
	return shadow.Drop(ctx, b.config.DB, r.ID)
}

func (b *Rebuilder) keep(ctx context.Context, r *shadow.Rebuild) error {
	return shadow.Keep(ctx, b.config.DB, r)
}
