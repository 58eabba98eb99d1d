package post

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Settler makes the entries of units. It is for one goroutine at a time.
type Settler struct {
	// New makes a reader of stored events: those of a unit are needed at once, each with a reader of its own.
	New func() ledger.DecodeStored
	// Rebuilds are the rebuilds that price closed epochs again, in the order of the log: each has an entry of its own in
	// every unit that it changes.
	Rebuilds []RebuildEvent

	readers []ledger.DecodeStored
	events  []domain.Recorded
	of      []*ledger.Stored
}

// RebuildEvent is the event of a rebuild and where the books stream holds it.
type RebuildEvent struct {
	Event   domain.Event
	Content uint64 // hash of what it means: what it posts for a unit is no other event
	Mark    domain.Mark
}

// NotPostedError says that an event which is in the books could not be posted: today's rules refuse what it says. It
// stays as it is.
type NotPostedError struct {
	Source, ID string
	Err        error
}

func (e *NotPostedError) Error() string {
	return fmt.Sprintf("post the event %s of %s: %v", e.ID, e.Source, e.Err)
}

func (e *NotPostedError) Unwrap() error { return e.Err }

// Settle makes the entries of the rows of one unit, and changes those that come out otherwise; their revision stays.
// changed may hold rows that are not among the given ones: what a rebuild posts for the unit. refused are rows that
// make an amount which no account can hold: they have to leave the books. not are events that can't be read any more;
// they stay as they are, and the others are settled without them.
func (s *Settler) Settle(terms *domain.Terms, rows []*ledger.Stored) (changed []*ledger.Row, refused []*ledger.Stored,
	not []*NotPostedError) {
	s.events, s.of = s.events[:0], s.of[:0]
	not = s.read(terms, rows)
	s.addRebuilds(terms, rows)
	for {
		settlement, err := terms.Settle(s.events)
		if err == nil {
			return s.apply(terms, settlement), refused, not
		}
		// Who came last made it so.
		last := s.latest()
		if last < 0 {
			return nil, refused, append(not, &NotPostedError{rows[0].Event.Source, rows[0].Event.ID, err})
		}
		refused = append(refused, s.of[last])
		s.events, s.of = slices.Delete(s.events, last, last+1), slices.Delete(s.of, last, last+1)
	}
}

// read reads what the rows' events say.
func (s *Settler) read(terms *domain.Terms, rows []*ledger.Stored) (not []*NotPostedError) {
	now := terms.Periods.Epoch(domain.Position{Stream: domain.Books, Offset: math.MaxInt64}) // behind all closes
	for i, r := range rows {
		if i == len(s.readers) {
			s.readers = append(s.readers, s.New())
		}
		e, err := s.decode(i, r)
		if err != nil {
			not = append(not, &NotPostedError{Source: r.Event.Source, ID: r.Event.ID, Err: err})
			continue
		}
		of := domain.Recorded{Event: e, At: r.Position, RecordedAt: r.RecordedAt}
		if r.Rules != domain.PostingRules() && terms.Periods.Epoch(r.Position) < now {
			r.CompleteLines()
			of.Kept, of.Keeps = slices.Clone(r.Lines), true
		}
		s.events, s.of = append(s.events, of), append(s.of, r)
	}
	return not
}

// decode reads a stored event. What a person decided, and what a rebuild posts, stands with the unit that it is about:
// that is the row's to say, not its data's.
func (s *Settler) decode(reader int, r *ledger.Stored) (*domain.Event, error) {
	stored, data := r.Event, r.Data
	if !r.Decides() && stored.Type != domain.TypeBooksRebuilt {
		return s.readers[reader](stored, data)
	}
	plain := *stored
	plain.OrderID, plain.ErrorID = "", ""
	e, err := s.readers[reader](&plain, data)
	if err != nil {
		return nil, err
	}
	e.OrderID, e.ErrorID = stored.OrderID, stored.ErrorID
	return e, nil
}

// addRebuilds gives the unit an event for each rebuild that prices closed epochs and that any of its events stands
// before.
func (s *Settler) addRebuilds(terms *domain.Terms, rows []*ledger.Stored) {
	order, errorID := unitOf(rows)
	if order == "" && errorID == "" {
		return // what was spent on quality asks for no rate
	}
	for i := range s.Rebuilds {
		r := &s.Rebuilds[i]
		at := domain.Position{Stream: domain.Books, Offset: r.Mark.Offset, Time: r.Mark.Time}
		there, before := false, false
		for _, row := range rows {
			there = there || row.Event.Type == domain.TypeBooksRebuilt && row.Event.Source == r.Event.Source &&
				row.Event.ID == r.Event.ID
			before = before || !r.Mark.Precedes(row.Position) && terms.Periods.Epoch(row.Position) < terms.Periods.Epoch(at)
		}
		if there || !before {
			continue
		}
		e := r.Event
		e.OrderID, e.ErrorID = order, errorID
		data, _ := e.Data.(*domain.BooksRebuilt)
		stored := &ledger.Stored{Row: ledger.Row{Event: &e, Content: unitContent(r.Content, order, errorID),
			Data:     fmt.Appendf(nil, `{"rebuild_id":%q,"closed_periods":true}`, data.RebuildID),
			Position: at, Terms: at.Offset + 1, Rules: domain.PostingRules(), Rated: true}}
		stored.Place(terms.Periods)
		s.events = append(s.events, domain.Recorded{Event: &e, At: at, RecordedAt: stored.RecordedAt})
		s.of = append(s.of, stored)
	}
}

// unitContent tells the rows apart that one rebuild has in several units. The ledger's key has the order, and not the
// case: without this all cases that have no order would share one row, and with the rebuild's own event.
func unitContent(content uint64, order, errorID string) uint64 {
	if order != "" {
		return content
	}
	return content ^ xxhash.Sum64String(errorID)
}

// unitOf names the unit of rows: of several orders the first by name.
func unitOf(rows []*ledger.Stored) (order, errorID string) {
	for _, r := range rows {
		if o := r.Event.OrderID; o != "" && (order == "" || o < order) {
			order = o
		}
		if c := r.Event.ErrorID; c != "" && (errorID == "" || c < errorID) {
			errorID = c
		}
	}
	if order != "" {
		return order, ""
	}
	return "", errorID
}

// latest is the event that was recorded last; -1 where there is none but rebuilds.
func (s *Settler) latest() int {
	last := -1
	for i, r := range s.of {
		if r.Event.Type != domain.TypeBooksRebuilt && (last < 0 || s.of[last].Earlier(r) < 0) {
			last = i
		}
	}
	return last
}

// apply writes what was settled into the rows, and returns those that this changes.
func (s *Settler) apply(terms *domain.Terms, settlement *domain.Settlement) (changed []*ledger.Row) {
	flags := map[domain.Identity][]domain.Flag{}
	for _, f := range settlement.Flags {
		flags[f.Event] = append(flags[f.Event], f)
	}
	sellers := s.sellers(terms, settlement)
	homes := s.homes()
	for i, r := range s.of {
		was, e := r.Row, &settlement.Events[i]
		r.Place(terms.Periods)
		if !s.events[i].Keeps {
			r.Lines, r.Unpriced, r.Rules = e.Lines, e.Unpriced, domain.PostingRules()
			r.Rated = was.Rated || e.Rated || len(e.Unpriced) > 0
		}
		r.With = homes.unit(r, e.Home)
		r.Standing, r.Of, r.Facts, r.Flags, r.SoldBy = e.Standing, e.Of, e.Cases, nil, ""
		for _, f := range flags[domain.Identity{Source: r.Event.Source, ID: r.Event.ID}] {
			f.Event = domain.Identity{}
			r.Flags = append(r.Flags, f)
		}
		if !was.PostsAlone() || s.placedLate(terms, r) {
			r.SoldBy = seller(sellers, r)
		}
		rebuilds := r.Event.Type == domain.TypeBooksRebuilt
		if r.Books(&was) && r.Rated == was.Rated && !r.Unfed && !(rebuilds && r.Revision == 0 && len(r.Lines) > 0) {
			r.Row = was
			continue
		}
		if err := r.Check(); err != nil {
			panic("projections: " + err.Error()) // not an error of the input: a rule itself would be wrong
		}
		r.Settled, r.Stood = true, was.Version()
		changed = append(changed, &r.Row)
	}
	return changed
}

// NotPosted passes over what can't be posted again: it stays as it is.
func NotPosted(err error) (*NotPostedError, error) {
	var not *NotPostedError
	if errors.As(err, &not) {
		return not, nil
	}
	return nil, err
}
