package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// A rebuild posts history anew from the ledger's own payloads, with today's posting rules and the rates that are known by
// now, into a shadow: tables of its own that nobody reads. What it would change is reported, and nothing else happens until
// somebody says so. Then books.rebuilt is written to the log, and the projector that books it makes the shadow's partitions
// part of the books (see rebuild_swap.go). What an event posts stays a function of the log alone: domain.Terms.PricedAt
// says what the rebuild means, and whoever reads the log from its beginning comes to the same books.
//
// Rows are read month by month, in no other order: positions in the log decide what each of them posts, and none of it
// depends on another but a void on its original, which is seen to afterwards.
//
// # What it takes
//
// What an event posts depends on the rules, on the rates and on nothing else. So a row says which rules its lines follow and
// whether its event asks for rates, and what neither can change isn't read at all: rows of today's rules that ask for none, or
// that stand behind the last rate in the log. Two columns of five bytes and the row's place tell. A whole rebuild reads
// everything, also what somebody may have changed behind the books' back. Where nothing comes out otherwise, a row is read,
// decoded and posted, and that is all; what changes is inserted once more. Two workers decode beside the reader (see the bench:
// makegood bench --only rebuild).
//
// Of what is left, reading takes most: rows that ask for rates stand among those that don't, so that the server unpacks both. By
// how much accounts move is summed up as the rows pass; what they hold, in months that move, is asked of the ledger.

// States of a rebuild.
const (
	RebuildComputing = "computing"
	RebuildReady     = "ready"     // its report can be read, and it can be swapped in
	RebuildSwapping  = "swapping"  // books.rebuilt is written, or about to be
	RebuildDone      = "done"      // it is the books
	RebuildFailed    = "failed"    // see Error; the books are as they were
	RebuildDiscarded = "discarded" // somebody did not want it
)

// Rebuild is how far a rebuild is.
type Rebuild struct {
	ID            string         `json:"id"`
	State         string         `json:"state"`
	Actor         string         `json:"actor"`
	Reason        string         `json:"reason"`
	ClosedPeriods bool           `json:"closed_periods"`
	Whole         bool           `json:"whole"` // it passes over nothing
	Started       time.Time      `json:"started"`
	Done          uint64         `json:"done"`        // rows of the ledger posted anew
	Total         uint64         `json:"total"`       // rows of the ledger to post anew; copies that are not folded yet are counted
	PassedOver    uint64         `json:"passed_over"` // rows that neither today's rules nor the rates can change
	Error         string         `json:"error"`       // why it failed; empty where it did not
	Report        *RebuildReport `json:"report"`      // null until it is known

	snapshot time.Time
	terms    int64
	rules    uint32                     // that it was computed with
	ends     map[domain.Partition]int64 // of the other streams when it began
	idle     time.Duration              // since it was last heard of
}

// Errors of what can't be done to a rebuild in its state.
var (
	ErrRebuildUnderWay = errors.New("a rebuild is under way")
	ErrRebuildNotReady = errors.New("only a rebuild that is ready can be swapped in")
	ErrRebuildStale    = errors.New("rates or closes came since it was computed: rebuild again")
)

// UnderWayError says which rebuild is under way; it is an ErrRebuildUnderWay.
type UnderWayError struct{ Rebuild Rebuild }

func (e *UnderWayError) Error() string {
	r := &e.Rebuild
	text := fmt.Sprintf("%v, %s since %s, begun by %s (%s)", ErrRebuildUnderWay, r.ID, r.Started.UTC().Format(time.RFC3339), r.Actor, r.State)
	if r.State == RebuildSwapping {
		return text + ": it is being made the books, wait for it"
	}
	return text + ": wait for it, or discard it (makegood rebuild --discard)"
}

// Is makes it an ErrRebuildUnderWay.
func (e *UnderWayError) Is(target error) bool { return target == ErrRebuildUnderWay }

// RebuildConfig says how rebuilds are computed.
type RebuildConfig struct {
	DB     driver.Conn
	Ledger Reader
	// Shadow is a writer to a table that has the ledger's columns.
	Shadow func(table string) ShadowWriter
	Decode func() DecodeStored // makes a reader of stored events, one for each worker
	// Terms reads the books stream, all of it, and says where a record that is written to it now would stand. They are the
	// caller's own from then on.
	Terms  func(context.Context) (*domain.Terms, domain.Mark, error)
	ID     func() string // of the next rebuild: small letters and digits
	Logger *slog.Logger
}

// ShadowWriter is a Writer that is closed after use.
type ShadowWriter interface {
	Writer
	Close() error
}

// Rebuilder computes rebuilds, one at a time.
type Rebuilder struct {
	config  RebuildConfig
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

// NewRebuilder joins the parts.
func NewRebuilder(c RebuildConfig) (*Rebuilder, error) {
	if c.DB == nil || c.Ledger == nil || c.Shadow == nil || c.Decode == nil || c.Terms == nil || c.ID == nil || c.Logger == nil {
		return nil, errors.New("a rebuilder wants the ledger's reader, writers for the shadow, decoders, terms, ids and a logger")
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

// RebuildOrder says who wants a rebuild, why, and of what.
type RebuildOrder struct {
	Actor, Reason string
	ClosedPeriods bool // months that are closed may move
	Whole         bool // read also what neither rules nor rates can change
}

// Start begins to compute a rebuild in the background. Its error may be ErrRebuildUnderWay. One that is ready gives way to
// it, and so does one whose process ended.
func (b *Rebuilder) Start(ctx context.Context, o RebuildOrder) (*Rebuild, error) {
	// What arrives from now on is looked at again when it is swapped in, whatever of it is met until then.
	var now time.Time
	if err := b.config.DB.QueryRow(ctx, "SELECT now64(3, 'UTC')").Scan(&now); err != nil {
		return nil, fmt.Errorf("ask ClickHouse for the time: %w", err)
	}
	terms, mark, err := b.config.Terms(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the books stream: %w", err)
	}
	before, err := readRebuilds(ctx, b.config.DB, "state IN ('computing', 'ready', 'swapping')")
	if err != nil {
		return nil, err
	}
	for i := range before {
		old := &before[i]
		switch {
		case old.State == RebuildReady:
			old.State = RebuildDiscarded
		case old.idle < lost || old.State == RebuildSwapping && isWritten(terms, old.ID):
			return nil, &UnderWayError{*old}
		default:
			old.State, old.Error = RebuildFailed, "its process ended"
		}
		if err := b.end(ctx, old); err != nil {
			return nil, err
		}
	}
	r := &Rebuild{ID: b.config.ID(), State: RebuildComputing, Actor: o.Actor, Reason: o.Reason, ClosedPeriods: o.ClosedPeriods, Whole: o.Whole,
		Started: now, snapshot: now, terms: mark.Offset, rules: domain.PostingRules(), ends: mark.Ends}
	if !rebuildID.MatchString(r.ID) {
		return nil, fmt.Errorf("%q is no id for a rebuild", r.ID)
	}
	if err := b.keep(ctx, r); err != nil {
		return nil, err
	}
	// Two that began at once see each other now, and agree on which of them goes on.
	if rivals, err := readRebuilds(ctx, b.config.DB, "state = 'computing'"); err != nil {
		return nil, err
	} else if len(rivals) == 0 || rivals[0].ID != r.ID {
		under := ErrRebuildUnderWay
		if len(rivals) > 0 {
			under = &UnderWayError{rivals[0]}
		}
		r.State = RebuildDiscarded
		if err := b.keep(ctx, r); err != nil {
			return nil, err
		}
		return nil, under
	}
	terms.Apply(&domain.Event{Source: "urn:makegood:rebuild", ID: r.ID, Type: domain.TypeBooksRebuilt,
		Data: &domain.BooksRebuilt{RebuildID: r.ID, ClosedPeriods: o.ClosedPeriods}}, mark)
	answer := *r
	working, cancel := context.WithCancelCause(b.working)
	is := &running{cancel: cancel, done: make(chan struct{})}
	b.mu.Lock()
	b.running[r.ID] = is
	b.mu.Unlock()
	b.work.Go(func() {
		defer func() {
			cancel(nil)
			b.mu.Lock()
			delete(b.running, answer.ID)
			b.mu.Unlock()
			close(is.done)
		}()
		b.run(working, cancel, r, terms)
	})
	return &answer, nil
}

// isWritten reports whether the log holds the rebuild.
func isWritten(terms *domain.Terms, id string) bool {
	for _, r := range terms.Rebuilds.All() {
		if r.ID == id {
			return true
		}
	}
	return false
}

// run computes it and notes how that went.
func (b *Rebuilder) run(ctx context.Context, cancel context.CancelCauseFunc, r *Rebuild, terms *domain.Terms) {
	s := newShadow(b, r, terms)
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
		err = dropShadow(ending, b.config.DB, r.ID)
	case err != nil:
		r.State, r.Error = RebuildFailed, err.Error()
		if b.working.Err() != nil {
			r.Error = "its process was stopped"
		} else {
			b.config.Logger.Error("a rebuild failed; the books are as they were", "rebuild", r.ID, "error", err)
		}
		err = b.end(ending, r)
	default:
		r.State, r.Total = RebuildReady, r.Done // the copies among them are folded now
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
	is, err := ReadRebuild(context.WithoutCancel(ctx), b.config.DB, id)
	return err == nil && is.State != RebuildComputing
}

var errTakenAway = errors.New("the rebuild was discarded")

// beatEvery is how often it is noted how far a rebuild is.
const beatEvery = time.Second

// beat notes every now and then how far it is, and ends it where somebody has discarded it.
func (b *Rebuilder) beat(ctx context.Context, cancel context.CancelCauseFunc, s *shadow) {
	id := s.rebuild.ID
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(beatEvery):
		}
		is, err := ReadRebuild(ctx, b.config.DB, id)
		if err == nil && is.State != RebuildComputing {
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

// Swap notes that a rebuild is to be swapped in, which the caller does by writing books.rebuilt, and who said so, where that
// is not who asked for it. Again for one that is being swapped changes nothing. Errors: ErrNotFound, ErrRebuildNotReady,
// ErrRebuildStale.
func (b *Rebuilder) Swap(ctx context.Context, id, actor string) (*Rebuild, error) {
	r, err := ReadRebuild(ctx, b.config.DB, id)
	if err != nil {
		return nil, err
	}
	if r.State == RebuildSwapping {
		return r, nil
	}
	if r.State != RebuildReady {
		return nil, fmt.Errorf("%w: this one is %s", ErrRebuildNotReady, r.State)
	}
	terms, mark, err := b.config.Terms(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the books stream: %w", err)
	}
	if terms.LaidDown(r.terms, mark.Offset) {
		r.State = RebuildDiscarded
		return nil, errors.Join(ErrRebuildStale, b.end(ctx, r))
	}
	r.State = RebuildSwapping
	if actor != "" {
		r.Actor = actor
	}
	return r, b.keep(ctx, r)
}

// Discard throws a rebuild away that is not in the books. What works at it ends first, here or in another process, and then
// its tables go. Errors: ErrNotFound, ErrRebuildUnderWay where it is being swapped.
func (b *Rebuilder) Discard(ctx context.Context, id string) error {
	r, err := ReadRebuild(ctx, b.config.DB, id)
	if err != nil {
		return err
	}
	switch r.State {
	case RebuildComputing, RebuildReady:
	case RebuildSwapping:
		return &UnderWayError{*r}
	default:
		return nil // there is nothing left of it
	}
	computing := r.State == RebuildComputing
	r.State = RebuildDiscarded
	if computing {
		if err := b.takeAway(ctx, r); err != nil {
			return err
		}
	}
	return b.end(ctx, r)
}

// takeAway ends the work at a rebuild that is being computed. Another process looks every second whether it was discarded;
// one of which nothing is heard has ended.
func (b *Rebuilder) takeAway(ctx context.Context, r *Rebuild) error {
	b.mu.Lock()
	here := b.running[r.ID]
	b.mu.Unlock()
	ended, idle := make(<-chan struct{}), r.idle
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
func (b *Rebuilder) end(ctx context.Context, r *Rebuild) error {
	if err := b.keep(ctx, r); err != nil {
		return err
	}
	return dropShadow(ctx, b.config.DB, r.ID)
}

func (b *Rebuilder) keep(ctx context.Context, r *Rebuild) error {
	return keepRebuild(ctx, b.config.DB, r)
}
