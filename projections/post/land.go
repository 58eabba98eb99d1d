package post

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// Every step of a landing asks ClickHouse or the log, and each may fail in three ways. What may get better, also by a
// person's hand, is waited for: nothing is acknowledged meanwhile, and readiness says what is waited for. What was too
// much for ClickHouse's memory is done in halves. What ClickHouse refuses for what it says will be refused for ever:
// the halves lead to the record or the unit, the record becomes a dead letter, the unit stays as it is, and the others
// land.

// Wait is something that the projector waits for.
type Wait struct {
	Doing string
	Since time.Time
	Place string // topic/partition@offset of the first record that waits; empty where no record does
	Err   error  // the last failure
}

// Outside says it to people who may not read what ClickHouse says: there may be paths, statements and values in it.
func (w Wait) Outside() string {
	if code := ledger.StoreCode(w.Err); code != 0 {
		return fmt.Sprintf("%s: ClickHouse's code %d, its words are in the log", w.what(), code)
	}
	return w.what() + ": the reason is in the log"
}

func (w Wait) what() string {
	text := "the projector waits to " + w.Doing
	if w.Place != "" {
		text += ", from " + w.Place + " on"
	}
	return text
}

// Error says it in a line.
func (w Wait) Error() string {
	text := w.what()
	said := []rune(w.Err.Error())
	const most = 300
	return text + ": " + string(said[:min(len(said), most)])
}

// waits are what is waited for now: batches are posted and landed side by side.
type waits struct {
	mu   sync.Mutex
	next int
	now  map[int]Wait
}

func (w *waits) begin() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	return w.next
}

func (w *waits) set(id int, wait Wait) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now == nil {
		w.now = map[int]Wait{}
	}
	if was, is := w.now[id]; is {
		wait.Since = was.Since
	}
	w.now[id] = wait
}

func (w *waits) end(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.now, id)
}

// Waiting is what the projector waits for now, the longest wait first.
func (s *Stats) Waiting() []Wait {
	s.waits.mu.Lock()
	defer s.waits.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.waits.now), func(a, b Wait) int { return a.Since.Compare(b.Since) })
}

// retry does it again until it succeeds or ctx ends: an outage is no poison message. Meanwhile nothing is
// acknowledged, so the subscriber hands over no more than its bound, and readiness says so. What ClickHouse refuses
// for good, and what was too much for it at once, is returned: the caller knows what to do with less. place may be
// empty.
func (p *Projector) retry(ctx context.Context, doing, place string, do func(context.Context) error) error {
	id := p.stats.waits.begin()
	defer p.stats.waits.end(id)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := do(ctx)
		if err == nil || ledger.RefusesContent(err) || ledger.TooMuch(err) {
			return err
		}
		if err := p.pause(ctx, id, Wait{Doing: doing, Place: place, Err: err}, wait); err != nil {
			return err
		}
	}
}

// retryWhole is retry for what can't be done in parts: also too little memory is waited for.
func (p *Projector) retryWhole(ctx context.Context, doing, place string, do func(context.Context) error) error {
	id := p.stats.waits.begin()
	defer p.stats.waits.end(id)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := p.retry(ctx, doing, place, do)
		if !ledger.TooMuch(err) {
			return err
		}
		if err := p.pause(ctx, id, Wait{Doing: doing, Place: place, Err: err}, wait); err != nil {
			return err
		}
	}
}

func (p *Projector) pause(ctx context.Context, id int, w Wait, wait time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.Since, w.Err = p.config.Now(), p.withRemedy(ctx, w.Err)
	p.stats.waits.set(id, w)
	p.stats.Retries.Add(1)
	p.config.Logger.Warn("waiting to "+w.Doing, "from", w.Place, "error", w.Err, "again_in", wait)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// place is where the first of some messages stands.
func (p *Projector) place(messages []*message.Message) string {
	if len(messages) == 0 {
		return ""
	}
	at, ok := p.config.Position(messages[0])
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s/%d@%d", p.config.Topics[at.Stream], at.Partition, at.Offset)
}

// land writes a batch, makes it visible, and acknowledges it.
func (p *Projector) land(ctx context.Context, b *batch) error {
	start := p.config.Now()
	var landing Landing
	place := p.place(b.messages)
	if err := p.settleAhead(ctx, b); err != nil {
		return err
	}
	ahead := p.config.Now().Sub(start)
	if err := p.insertRows(ctx, b); err != nil {
		return err
	}
	landing.Insert = p.config.Now().Sub(start) - ahead
	steps := []struct {
		doing string
		do    func(context.Context) error
		need  bool
		took  *time.Duration
	}{
		{"publish dead letters", func(context.Context) error { return p.publishLetters(b.letters) }, len(b.letters) > 0, nil},
		{"keep dead letters", func(ctx context.Context) error { return p.keepLetters(ctx, b.letters) }, len(b.letters) > 0,
			nil},
		// Only now: what came to the books stream since these rows were posted may be about them.
		{"read the books stream", p.terms.CatchUp, true, nil},
		{"finish rebuilds", func(ctx context.Context) error { return p.finishRebuilds(ctx, b) }, true, nil},
		{"find what the books stream overtook", func(ctx context.Context) error { return p.markOvertaken(ctx, b) }, true,
			nil},
		{"find the orders that were awaited", func(ctx context.Context) error { return p.markAwaited(ctx, b) },
			len(b.placed) > 0, nil},
		{"find what was decided on", func(ctx context.Context) error { return p.markDecided(ctx, b) }, true, nil},
		{"ask whether units are settled", func(ctx context.Context) error { return p.confirmAhead(ctx, b) }, true, nil},
		{"settle units", func(ctx context.Context) error { return p.settleBatch(ctx, b) }, true, &landing.Settle},
		{"recompute roll-ups", func(ctx context.Context) error { return p.finish(ctx, b.after) }, true, &landing.RollUp},
	}
	for _, s := range steps {
		if !s.need {
			continue
		}
		began := p.config.Now()
		if err := p.retryWhole(ctx, s.doing, place, patient(s.do)); err != nil {
			return err
		}
		if s.took != nil {
			*s.took = p.config.Now().Sub(began)
		}
	}
	landing.Settle += ahead
	if !b.plain && !b.again {
		p.recent.keep(b)
	}
	for _, m := range b.messages {
		m.Ack()
	}
	p.landed(b, landing, start)
	return nil
}

func (p *Projector) landed(b *batch, landing Landing, start time.Time) {
	p.stats.Booked.Add(int64(b.rows.Rows() - b.ahead.extra))
	p.stats.DeadLetters.Add(int64(len(b.letters)))
	p.stats.Batches.Add(1)
	p.stats.LastRows.Store(int64(len(b.messages)))
	if len(b.erased) > 0 { // copies are found in the ledger now; whoever posts is not waited for without need
		p.posting.Lock()
		for _, event := range b.erased {
			delete(p.erasedEvents, event)
		}
		p.posting.Unlock()
	}
	landing.Records, landing.Took = len(b.messages), p.config.Now().Sub(start)
	p.stats.LastInsertNanos.Store(int64(landing.Took))
	if p.config.Landed != nil {
		p.config.Landed(landing.with(b.letters))
	}
}

// patient makes a refusal one that is waited for: what can be done with less of it was done.
func patient(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := do(ctx)
		if ledger.RefusesContent(err) {
			return errors.New(err.Error()) // without ClickHouse's code
		}
		return err
	}
}

// insertRows inserts the batch's rows into the ledger, in parts where all at once is refused.
func (p *Projector) insertRows(ctx context.Context, b *batch) error {
	if b.rows.Rows() == 0 {
		return nil
	}
	err := p.retry(ctx, "insert into the ledger", p.place(b.messages), b.rows.Insert)
	if !ledger.RefusesContent(err) && !ledger.TooMuch(err) {
		return err
	}
	p.config.Logger.Warn("ClickHouse doesn't take a batch: its records are inserted in parts", "records", len(b.messages),
		"from", p.place(b.messages), "error", err)
	b.settleLater()
	return p.insertHalves(ctx, b, b.messages)
}

// insertHalves inserts the rows of messages in two parts. A record that ClickHouse refuses becomes a dead letter.
func (p *Projector) insertHalves(ctx context.Context, b *batch, messages []*message.Message) error {
	for _, part := range [][]*message.Message{messages[:len(messages)/2], messages[len(messages)/2:]} {
		if len(part) == 0 {
			continue
		}
		some := p.newBatch() // whose letters are among the batch's, and its units
		some.plain = true
		if err := p.post(ctx, part, some); err != nil {
			return err
		}
		if some.rows.Rows() == 0 {
			continue
		}
		retry := p.retry
		if len(part) == 1 {
			retry = p.retryWhole
		}
		err := retry(ctx, "insert into the ledger", p.place(part), some.rows.Insert)
		switch {
		case err == nil:
		case !ledger.RefusesContent(err) && !ledger.TooMuch(err):
			return err
		case len(part) == 1:
			b.letters = append(b.letters, p.letter(part[0], &ledger.Rejection{Code: "store_refuses", Detail: err.Error()},
				p.terms.erasures()))
		default:
			if err := p.insertHalves(ctx, b, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// inHalves does something for names, in halves where ClickHouse doesn't do it for all at once. What it refuses for one
// name stays undone, and is said.
func (p *Projector) inHalves(ctx context.Context, doing string, names []string,
	do func(context.Context, []string) error) error {
	err := do(ctx, names)
	refused := ledger.RefusesContent(err)
	switch {
	case len(names) == 1 && refused:
		p.config.Logger.Error("ClickHouse refuses what it is told of a unit, which stays as it is", "doing", doing, "unit",
			names[0], "error", err)
		p.stats.Skipped.Add(1)
		return nil
	case len(names) < 2 || !refused && !ledger.TooMuch(err):
		return err
	}
	if err := p.inHalves(ctx, doing, names[:len(names)/2], do); err != nil {
		return err
	}
	return p.inHalves(ctx, doing, names[len(names)/2:], do)
}

// settleBatch settles the units that the batch marks.
func (p *Projector) settleBatch(ctx context.Context, b *batch) error {
	_, err := p.settleUnits(ctx, &b.units, b.after)
	return err
}

// markAwaited marks the orders that were settled without their order.placed, or with a void without its original,
// which the batch brings.
func (p *Projector) markAwaited(ctx context.Context, b *batch) error {
	names, err := p.awaitedAmong(ctx, b.placed)
	for _, name := range names {
		if order, _, original := strings.Cut(name, afterOrder); original || !b.ahead.placed[order] {
			b.units.Orders[order] = true
		}
	}
	return err
}

func (l Landing) with(letters []deadletter.Letter) Landing {
	for i := range letters {
		if l.DeadLetters == nil {
			l.DeadLetters = map[string]int{}
		}
		l.DeadLetters[letters[i].Reason]++
	}
	return l
}

// permanent is an error of the log that knows whether it can get better.
type permanent interface{ Permanent() bool }

// publishLetters tells the log of dead letters. Those that it will never take, also without their payload, are kept in
// ClickHouse alone.
func (p *Projector) publishLetters(letters []deadletter.Letter) error {
	messages := make([]*message.Message, len(letters))
	for i := range letters {
		messages[i] = letters[i].Message()
	}
	err := p.letters.Publish(p.config.Letters, messages...)
	var never permanent
	if errors.As(err, &never) && never.Permanent() {
		p.config.Logger.Error("the log doesn't take dead letters, which are kept in ClickHouse alone", "error", err)
		return nil
	}
	return err
}

// keepLetters keeps dead letters, each by itself where ClickHouse doesn't take all at once, and without what was sent
// where it doesn't take that.
func (p *Projector) keepLetters(ctx context.Context, letters []deadletter.Letter) error {
	err := deadletter.Keep(ctx, p.db, letters)
	switch {
	case err == nil, !ledger.RefusesContent(err) && !ledger.TooMuch(err):
		return err
	case len(letters) > 1:
		if err := p.keepLetters(ctx, letters[:len(letters)/2]); err != nil {
			return err
		}
		return p.keepLetters(ctx, letters[len(letters)/2:])
	}
	p.config.Logger.Error("a dead letter is kept without what was sent: ClickHouse doesn't take it whole",
		"topic", letters[0].Topic, "partition", letters[0].Partition, "offset", letters[0].Offset, "error", err)
	return deadletter.Keep(ctx, p.db, []deadletter.Letter{letters[0].WithoutPayload()})
}
