package post

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// Who somebody is is hidden before a row is written. Two things are left for afterwards: rows that were written
// before there were keys, which are hidden once, and people who are erased. An erasure is an event of the books
// stream, which is read ahead of the others: so what is posted from then on, a whole log posted again included, is
// posted without the person. What is in the tables already is changed there, in all copies of a row. Amounts,
// identities and content hashes stay.

// WatchPeople hides, until ctx ends, who is in rows of before, and erases people.
func (p *Projector) WatchPeople(ctx context.Context) error {
	hidden := p.config.HideRow == nil
	seen := map[string]time.Time{}
	for wait := time.Second; ; {
		err := p.terms.CatchUp(ctx)
		if err == nil && !hidden {
			err = p.hideStored(ctx)
			hidden = err == nil
		}
		if err == nil {
			err = p.eraseStored(ctx, seen)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			p.config.Logger.Warn("waiting to hide people", "error", p.withRemedy(ctx, err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

const peopleCheckpoint = "people"

// hideStored hides people in rows that were written without, once. Somebody may write a row again meanwhile, as it
// was: so it looks again until there is nothing left.
func (p *Projector) hideStored(ctx context.Context) error {
	if done, err := p.noted(ctx, peopleCheckpoint); err != nil || done {
		return err
	}
	for range mostRounds {
		n, err := p.hideRows(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		p.config.Logger.Info("people were hidden in rows of before", "rows", n)
		for _, table := range []string{"ledger", "failures", "leakage_daily"} {
			if err := p.db.Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL"); err != nil { // lets go of the copies of before
				return fmt.Errorf("let go of rows that name people: %w", err)
			}
		}
	}
	if p.config.Hide != nil {
		if err := deadletter.Rewrite(ctx, p.db, func(d *deadletter.Letter) {
			o := Original{Key: d.Key, Headers: d.Headers, Payload: d.Payload}
			p.config.Hide(&o)
			d.Headers, d.Payload = o.Headers, o.Payload
		}); err != nil {
			return err
		}
	}
	return p.note(ctx, peopleCheckpoint)
}

// noted reports whether something is noted as done.
func (p *Projector) noted(ctx context.Context, name string) (bool, error) {
	var n uint64
	if err := p.db.QueryRow(ctx, "SELECT count() FROM checkpoints WHERE name = ?", name).Scan(&n); err != nil {
		return false, fmt.Errorf("read whether %s is done: %w", name, err)
	}
	return n > 0, nil
}

// note notes that something is done.
func (p *Projector) note(ctx context.Context, name string) error {
	if err := p.db.Exec(ctx, "INSERT INTO checkpoints (name, stream, partition, upto) VALUES (?, 'books', 0, 0)",
		name); err != nil {
		return fmt.Errorf("note that %s is done: %w", name, err)
	}
	return nil
}

// hideRows is one look at all rows; it returns how many it wrote again.
func (p *Projector) hideRows(ctx context.Context) (written int, err error) {
	const most = 20_000
	b := p.writer.Batch()
	rollUps := map[string]bool{}
	land := func() error {
		if b.Rows() == 0 {
			return nil
		}
		written += b.Rows()
		if err := b.Insert(ctx); err != nil {
			return fmt.Errorf("write rows again without people: %w", err)
		}
		b.Reset()
		err := p.rollUp(ctx, rollUps)
		clear(rollUps)
		return err
	}
	if err := p.config.Ledger.ReadLedger(ctx, "ledger FINAL", func(r *ledger.Row) error {
		if !p.config.HideRow(r) {
			return nil
		}
		r.Revise(ledger.ByRebuild)
		b.Append(r)
		if len(r.Facts) > 0 {
			rollUps[strings.Clone(r.Unit())] = true
		}
		if b.Rows() < most {
			return nil
		}
		return land()
	}); err != nil {
		return written, fmt.Errorf("look for rows that name people: %w", err)
	}
	return written, land()
}

// erasure takes a hash out of what stands before a mark.
type erasure struct {
	mark   domain.Mark
	person string
}

// erasures are those of the books stream, by hash; not to be changed.
type erasures map[string][]erasure

// erasedPerson keeps who was erased.
func (t *Terms) erasedPerson(d *domain.PersonErased, mark domain.Mark) {
	all := maps.Clone(t.erased)
	if all == nil {
		all = erasures{}
	}
	person := strings.Clone(d.Person)
	for _, h := range d.Hashes {
		if !slices.ContainsFunc(all[h.Hash], func(e erasure) bool { return e.person == person }) {
			all[strings.Clone(h.Hash)] = append(slices.Clone(all[h.Hash]), erasure{mark: mark, person: person})
		}
	}
	t.erased = all
}

// erasures are all, as far as the books stream was read.
func (t *Terms) erasures() erasures {
	t.rules.RLock()
	defer t.rules.RUnlock()
	return t.erased
}

// of is who stands for a hash in a record at a place; the hash itself where nobody was erased there.
func (e erasures) of(hash string, at domain.Position) string {
	for _, one := range e[hash] {
		if !one.mark.Precedes(at) {
			return one.person
		}
	}
	return hash
}

// meet reports whether a row names somebody who was erased after it came, or before.
func (e erasures) meet(r *ledger.Row) (before, after bool) {
	if len(e) == 0 {
		return false, false
	}
	look := func(hash string) string {
		for i := range e[hash] {
			precedes := e[hash][i].mark.Precedes(r.Position)
			before, after = before || !precedes, after || precedes
		}
		return hash
	}
	replaceHashes(r.Data, look)
	look(r.Customer)
	return before, after
}

// apply takes who was erased out of a row that is about to be written, as one that stands at a place: its own, or that
// of its first copy. It changes no slice that the row came with.
func (e erasures) apply(r *ledger.Row, at domain.Position) {
	if len(e) == 0 {
		return
	}
	of := func(hash string) string { return e.of(hash, at) }
	r.Data = replaceHashes(r.Data, of)
	r.Customer = of(r.Customer)
	switch d := r.Event.Data.(type) {
	case *domain.OrderPlaced:
		d.CustomerID, d.EmployeeID = of(d.CustomerID), of(d.EmployeeID)
	case *domain.FeedbackReceived:
		d.CustomerID = of(d.CustomerID)
	case *domain.ErrorReported:
		d.EmployeeID = of(d.EmployeeID)
	case *domain.ErrorClassified:
		d.EmployeeID = of(d.EmployeeID)
	}
	for i := range r.Facts {
		r.Facts[i].EmployeeID = of(r.Facts[i].EmployeeID)
	}
}

// replaceHashes replaces strings of JSON that begin as hashes of people do.
func replaceHashes(data []byte, of func(string) string) []byte {
	text := string(data)
	const begin = `"` + domain.PersonPrefix
	var out []byte
	done := 0
	for at := 0; ; {
		next := strings.Index(text[at:], begin)
		if next < 0 {
			break
		}
		at += next + 1
		end := strings.IndexByte(text[at:], '"')
		if end < 0 {
			break
		}
		if hash := text[at : at+end]; of(hash) != hash {
			out = append(append(out, text[done:at]...), of(hash)...)
			done = at + end
		}
		at += end
	}
	if done == 0 {
		return data
	}
	return append(out, text[done:]...)
}

// settles is how long after an erasure all that was posted without knowing of it has landed.
const settles = time.Minute

// eraseStored erases from the tables who was not yet: at once, and again when what was under way has landed. seen
// is since when this process knows of an erasure; zero where it is over.
func (p *Projector) eraseStored(ctx context.Context, seen map[string]time.Time) error {
	again := p.swapped.Swap(false) // a rebuild brought rows that were read before
	people := map[string]*Erased{}
	for hash, list := range p.terms.erasures() {
		for _, e := range list {
			if people[e.person] == nil {
				people[e.person] = &Erased{Person: e.person, Mark: e.mark}
			}
			people[e.person].Hashes = append(people[e.person].Hashes, hash)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(people)) {
		first, known := seen[name]
		if known && first.IsZero() && !again {
			continue
		}
		done, err := p.noted(ctx, erasedCheckpoint+name)
		if err != nil {
			return err
		}
		if done && !again {
			seen[name] = time.Time{}
			continue
		}
		last := known && !first.IsZero() && p.config.Now().Sub(first) >= settles
		if known && !last && !again {
			continue
		}
		e := people[name]
		slices.Sort(e.Hashes)
		if err := Erase(ctx, p.db, e); err != nil {
			return err
		}
		switch {
		case last:
			if err := p.note(ctx, erasedCheckpoint+name); err != nil {
				return err
			}
			seen[name] = time.Time{}
		case !known:
			seen[name] = p.config.Now()
		}
	}
	return nil
}

const erasedCheckpoint = "erased "
