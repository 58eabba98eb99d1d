package post

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
)

// ClickHouse may lose what was booked: a disk that forgets, a part that is broken, a backup that is put back, a hand
// that drops a partition. The consumer group doesn't know, and would never read it again. So the places of the log
// that the books have (the table places, which every insert into the ledger fills) are compared with what the group
// has committed, and the ledger with those places; what is missing is read again from the log, and booked as if it
// came for the first time.

// WatchStore looks for what the store has lost, at once and then every minute, until ctx ends. A look takes at most a
// tenth of the time.
func (p *Projector) WatchStore(ctx context.Context) error {
	const idle, most = time.Minute, time.Hour
	for wait := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		start := p.config.Now()
		_, err := p.Recover(ctx)
		if ctx.Err() != nil {
			return nil
		}
		wait = every(idle, p.config.Now().Sub(start), most)
		if err != nil && !errors.Is(err, context.Canceled) {
			p.config.Logger.Warn("waiting to compare the ledger with the log", "error", p.withRemedy(ctx, err))
			wait = 5 * time.Second
		}
	}
}

// blockOffsets is how many offsets are compared, and read again, at once.
const blockOffsets = 1 << 14

// mostAgain is how many bytes are read again at once.
const mostAgain = 32 << 20

// block is a stretch of a partition: the offsets from number × blockOffsets on.
type block struct {
	of     domain.Partition
	number int64
}

// storeWatch is what was found in order, as long as nothing changes about it.
type storeWatch struct {
	mu     sync.Mutex       // one look at a time
	blocks map[block]uint64 // incomplete, and all that is missing there is nobody's: with so many places
	months map[string]uint64
	parts  partsWatch
	looked bool // at what is in the ledger alone, once
}

// span is the part of a partition that the log has and the group has committed.
type span struct{ from, upto int64 }

// Recover looks for records that are committed and not in the books, and books them again. It returns how many there
// were. The log is asked only where the books have fewer places than it has offsets: transactions take some, and dead
// letters that came several times.
func (p *Projector) Recover(ctx context.Context) (again int, err error) {
	if p.config.Log == nil {
		return 0, nil
	}
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	open, err := OpenGaps(ctx, p.db)
	if err != nil {
		return 0, err
	}
	spans, err := p.spans(ctx)
	if err != nil {
		return 0, err
	}
	if err := p.catchUp(ctx); err != nil {
		return 0, err
	}
	lost, months, err := p.lostRows(ctx, spans)
	if err != nil {
		return 0, err
	}
	incomplete, err := p.incomplete(ctx, spans)
	if err != nil {
		return 0, err
	}
	for b := range lost {
		if _, known := incomplete[b]; !known {
			incomplete[b] = 0
		}
	}
	for _, of := range sortedPartitions(spans) {
		n, err := p.recoverPartition(ctx, of, spans[of], incomplete, lost)
		again += n
		if err != nil {
			return again, err
		}
	}
	p.store.months = months
	if err := p.mendParts(ctx); err != nil {
		return again, err
	}
	if err := p.mendLacking(ctx, months); err != nil {
		return again, err
	}
	// What an earlier process began and did not end is whole now, too.
	return again, closeGaps(ctx, p.db, open)
}

func (p *Projector) spans(ctx context.Context) (map[domain.Partition]span, error) {
	committed, err := p.config.Log.Committed(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask what is booked: %w", err)
	}
	starts, err := p.config.Log.Starts(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask where the log begins: %w", err)
	}
	spans := map[domain.Partition]span{}
	for of, upto := range committed {
		if from, known := starts[of]; known && from < upto {
			spans[of] = span{from, upto}
		}
	}
	return spans, nil
}

func spanConditions(spans map[domain.Partition]span) string {
	conditions := []string{"false"}
	for _, of := range sortedPartitions(spans) {
		conditions = append(conditions, within(of, spans[of].from, spans[of].upto))
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

// incomplete are the blocks that have fewer places in the books than offsets in the log, with how many.
func (p *Projector) incomplete(ctx context.Context, spans map[domain.Partition]span) (map[block]uint64, error) {
	rows, err := p.db.Query(ctx, fmt.Sprintf(`
SELECT toString(stream), partition, intDiv(offset, %[1]d) AS block, toUInt64(groupBitmap(toUInt32(offset %% %[1]d)))
    AS places
FROM (SELECT stream, partition, offset FROM places UNION ALL %[2]s)
WHERE %[3]s GROUP BY stream, partition, block`, blockOffsets, p.letterPlaces(), spanConditions(spans)))
	if err != nil {
		return nil, fmt.Errorf("compare the ledger with the log: %w", err)
	}
	defer rows.Close()
	found := map[block]uint64{}
	for rows.Next() {
		var stream string
		var b block
		var places uint64
		if err := rows.Scan(&stream, &b.of.Number, &b.number, &places); err != nil {
			return nil, fmt.Errorf("compare the ledger with the log: %w", err)
		}
		b.of.Stream = domain.ParseStream(stream)
		found[b] = places
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("compare the ledger with the log: %w", err)
	}
	all := map[block]uint64{}
	for of, s := range spans {
		for number := s.from / blockOffsets; number*blockOffsets < s.upto; number++ {
			b := block{of, number}
			from, upto := b.within(s)
			if n := found[b]; n < uint64(upto-from) {
				all[b] = n
			}
		}
	}
	return all, nil
}

// within is the part of the block that belongs to the span.
func (b block) within(s span) (from, upto int64) {
	return max(s.from, b.number*blockOffsets), min(s.upto, (b.number+1)*blockOffsets)
}

// letterPlaces is the statement for the places of dead letters: the first and the last of each.
func (p *Projector) letterPlaces() string {
	parts := make([]string, 0, 2*len(p.config.Topics))
	for s := domain.Orders; s <= domain.Books; s++ {
		for _, offset := range []string{"offset", "last_offset"} {
			parts = append(parts, fmt.Sprintf("SELECT CAST('%s' AS Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, "+
				"'books' = 4)) AS stream, partition, %s AS offset FROM dead_letters WHERE topic = %s", s, offset,
				quoted(p.config.Topics[s])))
		}
	}
	return strings.Join(parts, " UNION ALL ")
}

// quoted is a text as ClickHouse reads it.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// recoverPartition reads the incomplete blocks of a partition again, and books what is missing of them.
func (p *Projector) recoverPartition(ctx context.Context, of domain.Partition, s span, incomplete map[block]uint64,
	lost map[block]map[int64]bool) (again int, err error) {
	gap := &Gap{Stream: of.Stream.String(), Partition: of.Number, Found: p.config.Now().UTC()}
	for number := s.from / blockOffsets; number*blockOffsets < s.upto; number++ {
		b := block{of, number}
		places, is := incomplete[b]
		if known, seen := p.store.blocks[b]; !is || seen && known == places && len(lost[b]) == 0 {
			continue
		}
		n, err := p.recoverBlock(ctx, b, s, lost[b], gap)
		again += n
		if err != nil {
			return again, err
		}
		if n == 0 {
			p.store.blocks[b] = places
		}
	}
	if again == 0 {
		return 0, nil
	}
	gap.Records = uint64(again)
	p.stats.ReadAgain.Add(int64(again))
	p.config.Logger.Error("what the store had lost is booked again", "stream", gap.Stream, "partition", gap.Partition,
		"from", gap.First, "to", gap.Upto, "records", again)
	return again, closeGap(ctx, p.db, gap, s.upto)
}

// recoverBlock books what is missing of a block, some of it at a time, and returns how many records it was.
func (p *Projector) recoverBlock(ctx context.Context, b block, s span, lost map[int64]bool, gap *Gap) (again int,
	err error) {
	for from, upto := b.within(s); from < upto; {
		missing, next, err := p.missing(ctx, b.of, from, upto, lost)
		if err != nil {
			return again, err
		}
		from = next
		if len(missing.messages) == 0 {
			continue
		}
		if gap.Upto == 0 {
			gap.First, gap.Upto = p.offsetOf(missing.messages[0]), s.upto
			if err := keepGap(ctx, p.db, gap, false); err != nil {
				return again, err
			}
			p.config.Logger.Error("the store has lost records that were booked: they are read again from the log",
				"stream", gap.Stream, "partition", gap.Partition, "from", gap.First)
		}
		again += len(missing.messages)
		gap.Upto = p.offsetOf(missing.messages[len(missing.messages)-1]) + 1
		if err := p.bookAgain(ctx, b.of, missing); err != nil {
			return again, err
		}
	}
	return again, nil
}

func (p *Projector) offsetOf(m *message.Message) int64 {
	at, _ := p.config.Position(m)
	return at.Offset
}

// errEnough ends a reading that has brought enough for once.
var errEnough = errors.New("enough for once")

// missing gathers records of a stretch that the log has and the books don't: neither as a row nor as a dead letter. It
// returns where to go on.
func (p *Projector) missing(ctx context.Context, of domain.Partition, from, upto int64,
	lost map[int64]bool) (found *batch,
	next int64, err error) {
	there, err := p.placesOf(ctx, of, from, upto)
	if err != nil {
		return nil, from, err
	}
	var messages []*message.Message
	size := 0
	next = upto
	err = p.config.Log.Read(ctx, of, from, upto, func(m *message.Message) error {
		offset := p.offsetOf(m)
		if there[offset] && !lost[offset] {
			return nil
		}
		if size >= mostAgain {
			next = offset
			return errEnough
		}
		messages, size = append(messages, m), size+len(m.Payload)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, from, fmt.Errorf("read %s/%d from %d to %d again: %w", of.Stream, of.Number, from, upto, err)
	}
	found = p.newBatch()
	found.again = true
	if len(messages) == 0 {
		return found, next, nil
	}
	return found, next, p.keepUnknown(ctx, messages, found)
}

// keepUnknown posts messages into a batch, without those that are dead letters which are known already.
func (p *Projector) keepUnknown(ctx context.Context, messages []*message.Message, found *batch) error {
	first := p.newBatch()
	first.again = true
	if err := p.post(ctx, messages, first); err != nil {
		return err
	}
	known, err := p.knownLetters(ctx, first)
	if err != nil || len(known) == 0 {
		*found = *first
		return err
	}
	letters := map[domain.Position]string{}
	for i := range first.letters {
		l := &first.letters[i]
		letters[domain.Position{Partition: l.Partition, Offset: l.Offset}] = l.ID
	}
	var rest []*message.Message
	for _, m := range messages {
		at, _ := p.config.Position(m)
		id, is := letters[domain.Position{Partition: at.Partition, Offset: at.Offset}]
		if !is || !known[id] {
			rest = append(rest, m)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return p.post(ctx, rest, found)
}

func (p *Projector) knownLetters(ctx context.Context, b *batch) (map[string]bool, error) {
	if len(b.letters) == 0 {
		return nil, nil
	}
	ids := make([]string, len(b.letters))
	for i := range b.letters {
		ids[i] = b.letters[i].ID
	}
	var found []string
	if err := p.db.QueryRow(ctx, "SELECT groupUniqArray(id) FROM dead_letters WHERE id IN (?)",
		ids).Scan(&found); err != nil {
		return nil, fmt.Errorf("look for dead letters: %w", err)
	}
	known := make(map[string]bool, len(found))
	for _, id := range found {
		known[id] = true
	}
	return known, nil
}

func (p *Projector) placesOf(ctx context.Context, of domain.Partition, from, upto int64) (map[int64]bool, error) {
	var offsets []int64
	if err := p.db.QueryRow(ctx, "SELECT groupUniqArray(offset) FROM places WHERE "+within(of, from, upto)).Scan(
		&offsets); err != nil {
		return nil, fmt.Errorf("read the places of %s/%d: %w", of.Stream, of.Number, err)
	}
	there := make(map[int64]bool, len(offsets))
	for _, o := range offsets {
		there[o] = true
	}
	return there, nil
}

// bookAgain books what was missing, and checks it for conflicts: the check in the background has passed its places.
func (p *Projector) bookAgain(ctx context.Context, of domain.Partition, b *batch) error {
	if err := p.land(ctx, b); err != nil {
		return err
	}
	first, last := p.offsetOf(b.messages[0]), p.offsetOf(b.messages[len(b.messages)-1])
	_, err := p.settleWhere(ctx, within(of, first, last+1))
	return err
}
