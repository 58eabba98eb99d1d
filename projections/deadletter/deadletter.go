package deadletter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"sort"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// Letter is a record that could not be booked, as it came. The same bytes sent again are the same dead letter, seen
// again.
type Letter struct {
	ID        string    `json:"id"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Reason    string    `json:"reason"` // a stable code
	Detail    string    `json:"detail"`
	Pointer   string    `json:"pointer"` // RFC 6901, into the event or what a till sent; at most MaxPointer bytes
	Source    string    `json:"source"`
	EventID   string    `json:"event_id"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`

	Key     string            `json:"-"`
	Headers map[string]string `json:"-"`
	Payload []byte            `json:"-"`

	lastOffset int64 // where it was last seen
}

// MaxPointer bounds a pointer, in bytes.
const MaxPointer = 200

// ShortPointer is a pointer of at most MaxPointer bytes: a longer one is cut between two characters, and
// ends with "…".
func ShortPointer(pointer string) string {
	const more = "…"
	if len(pointer) <= MaxPointer {
		return pointer
	}
	return strings.ToValidUTF8(pointer[:MaxPointer-len(more)], "") + more
}

// Identify gives the dead letter its id: a hash of what was sent and where.
func (d *Letter) Identify() {
	h := sha256.New()
	part := func(b string) { fmt.Fprintf(h, "%d:%s", len(b), b) }
	part(d.Topic)
	part(d.Key)
	names := make([]string, 0, len(d.Headers))
	for name := range d.Headers {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if name == ledger.EndsHeader || name == ledger.FirstHeader || name == ledger.TokenHeader ||
			name == ledger.CustomerHeader || name == ReceivedHeader {
			continue // what we add, and which differs each time, is no part of what was sent
		}
		part(name)
		part(d.Headers[name])
	}
	h.Write(d.Payload)
	d.ID = hex.EncodeToString(h.Sum(nil)[:16])
}

// Is reports whether the letter, as the log holds its record, is another one, as that was kept.
func (d *Letter) Is(kept *Letter) bool {
	same := *d
	same.Identify()
	return same.ID == kept.ID
}

// WithoutPayload is the letter without what was sent, whose length and SHA-256 its detail says; its place leads to it.
func (d *Letter) WithoutPayload() Letter {
	small := *d
	small.Detail = fmt.Sprintf("%s (what was sent isn't kept: %d bytes, SHA-256 %x)",
		strings.ToValidUTF8(d.Detail[:min(len(d.Detail), maxShrunkHeader)], ""), len(d.Payload), sha256.Sum256(d.Payload))
	small.Key, small.Payload, small.Headers = "", nil, nil
	return small
}

// ReceivedHeader is the header of a record of what a till sent that says when it came, in RFC 3339. The same body sent
// again is the same dead letter.
const ReceivedHeader = "makegood_received"

// Topic is where dead letters go for others to read, under the prefix of the topics.
const Topic = "deadletters"

// Keep writes them to ClickHouse. Written twice they are the same.
func Keep(ctx context.Context, db driver.Conn, letters []Letter) error {
	batch,
		err := db.PrepareBatch(
		ctx, `INSERT INTO dead_letters (id, topic, partition, offset, reason, detail, pointer, source, event_id,
        record_key, headers, payload, first_seen, last_seen, last_offset)`)
	if err != nil {
		return fmt.Errorf("keep %d dead letters: %w", len(letters), err)
	}
	defer batch.Close()
	for i := range letters {
		d := &letters[i]
		headers := d.Headers
		if headers == nil {
			headers = map[string]string{}
		}
		if err := batch.Append(d.ID, d.Topic, d.Partition, d.Offset, d.Reason, d.Detail, d.Pointer, d.Source, d.EventID,
			d.Key,
			headers, string(d.Payload), d.FirstSeen, d.LastSeen, d.Offset); err != nil {
			return fmt.Errorf("keep dead letter %s: %w", d.ID, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("keep %d dead letters: %w", len(letters), err)
	}
	return nil
}

// Open is the dead letters that nobody has dealt with since they were last seen: later in the log than what was
// dealt with, or later by the clock, for a topic that has got more partitions has new places for old keys.
const Open = `(SELECT * FROM dead_letters FINAL WHERE id NOT IN (
        SELECT d.id FROM dead_letters AS d FINAL INNER JOIN
            (SELECT id, max(at) AS at, max(seen_offset) AS seen_offset
                FROM dead_letter_actions GROUP BY id) AS a ON a.id = d.id
        WHERE a.at >= d.last_seen AND a.seen_offset >= d.last_offset))`

const letterColumns = `id, topic, partition, offset, reason, detail, pointer, source, event_id, first_seen, ` +
	`last_seen, record_key, headers, payload, last_offset`

// List lists the open ones, the last seen first, at most limit.
func List(ctx context.Context, db driver.Conn, limit int) ([]Letter, error) {
	return readLetters(ctx, db, `SELECT `+letterColumns+` FROM `+Open+` ORDER BY last_seen DESC, id LIMIT ?`, limit)
}

// Places are the offsets in its partition where the letter was seen first and last. The records there say the same.
func (d *Letter) Places() []int64 {
	if d.lastOffset > d.Offset {
		return []int64{d.Offset, d.lastOffset}
	}
	return []int64{d.Offset}
}

// Needs gives by partition of a topic the offset of the first record that an open dead letter needs. starts says where
// the partitions begin; one that it doesn't have begins at 0. A letter needs the record where it was seen first; where
// that is gone, the one where it was seen last; where both are gone, none.
func Needs(ctx context.Context, db driver.Conn, topic string, starts map[int32]int64) (map[int32]int64, error) {
	begin := make([]int64, 1) // by partition
	for partition, start := range starts {
		for len(begin) <= int(partition) {
			begin = append(begin, 0)
		}
		begin[partition] = start
	}
	first, err := offsetsBy[int32](ctx, db, `WITH arrayElement(?, partition + 1) AS start
SELECT partition, min(if(offset >= start, offset, last_offset)) FROM `+Open+`
WHERE topic = ? AND greatest(offset, last_offset) >= start GROUP BY partition`, begin, topic)
	if err != nil {
		return nil, fmt.Errorf("ask what dead letters need: %w", err)
	}
	return first, nil
}

// LastOffsets gives by id the offset where each dead letter of a topic was last seen, dealt with or not.
func LastOffsets(ctx context.Context, db driver.Conn, topic string) (map[string]int64, error) {
	last, err := offsetsBy[string](ctx, db, `SELECT id, max(last_offset) FROM dead_letters WHERE topic = ? GROUP BY id`,
		topic)
	if err != nil {
		return nil, fmt.Errorf("ask where dead letters were seen: %w", err)
	}
	return last, nil
}

// offsetsBy asks for rows of a key and an offset.
func offsetsBy[K comparable](ctx context.Context, db driver.Conn, query string, args ...any) (map[K]int64, error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	offsets := map[K]int64{}
	for rows.Next() {
		var key K
		var offset int64
		if err := rows.Scan(&key, &offset); err != nil {
			return nil, err
		}
		offsets[key] = offset
	}
	return offsets, rows.Err()
}

// Read finds one by its id, dealt with or not.
func Read(ctx context.Context, db driver.Conn, id string) (*Letter, error) {
	letters, err := readLetters(ctx, db, `SELECT `+letterColumns+` FROM dead_letters FINAL WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	if len(letters) == 0 {
		return nil, ledger.ErrNotFound
	}
	return &letters[0], nil
}

func readLetters(ctx context.Context, db driver.Conn, query string, args ...any) ([]Letter, error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	defer rows.Close()
	letters := []Letter{}
	for rows.Next() {
		var d Letter
		var payload string
		if err := rows.Scan(&d.ID, &d.Topic, &d.Partition, &d.Offset, &d.Reason, &d.Detail, &d.Pointer, &d.Source, &d.EventID,
			&d.FirstSeen, &d.LastSeen, &d.Key, &d.Headers, &payload, &d.lastOffset); err != nil {
			return nil, fmt.Errorf("read the dead letters: %w", err)
		}
		d.Payload = []byte(payload)
		letters = append(letters, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	return letters, nil
}

// Seen identifies the dead letter as it was read: when it comes again, it is another.
func (d *Letter) Seen() string {
	return fmt.Sprintf("%s-%d-%d", d.ID, d.lastOffset, d.LastSeen.UnixMilli())
}

// What can be done about a dead letter.
const (
	Replayed  = "replayed"
	Discarded = "discarded"
)

// Note records that somebody replayed or discarded the dead letter as it was read.
func Note(ctx context.Context, db driver.Conn, d *Letter, action, actor string, at time.Time) error {
	if at.Before(d.LastSeen) {
		at = d.LastSeen // by another clock
	}
	// In milliseconds: a time as it is would be bound in whole seconds.
	if err := db.Exec(ctx, `INSERT INTO dead_letter_actions (id, action, actor, at, seen_offset) VALUES (?, ?, ?, `+
		`fromUnixTimestamp64Milli(?), ?)`,
		d.ID, action, actor, at.UnixMilli(), d.lastOffset); err != nil {
		return fmt.Errorf("note that dead letter %s was %s: %w", d.ID, action, err)
	}
	return nil
}

// NoReplayError says that a dead letter can't become part of the books by being sent again.
type NoReplayError struct{ Reason string }

// Gone is why a dead letter can't be sent again of which nothing is left to send.
const Gone = "gone"

func (e *NoReplayError) Error() string {
	if e.Reason == Gone {
		return "it was kept without its payload, which may say something of people, and the log has its record no more. " +
			"Discard it."
	}
	return "sent again it would be refused again: " + Refusals[e.Reason] +
		". Send what it says as a new event, with a source and id of its own, or discard it."
}

// Replayable says whether sending the dead letter again can help: not where its identity is another event's.
func (d *Letter) Replayable() error {
	if _, refused := Refusals[d.Reason]; refused {
		return &NoReplayError{Reason: d.Reason}
	}
	return nil
}

// Rewrite changes the headers and payloads of all that are kept, in place.
func Rewrite(ctx context.Context, db driver.Conn, change func(*Letter)) error {
	letters, err := readLetters(ctx, db, `SELECT `+letterColumns+` FROM dead_letters FINAL ORDER BY id`)
	if err != nil {
		return err
	}
	for i := range letters {
		d := letters[i]
		headers := maps.Clone(d.Headers)
		if change(&d); maps.Equal(headers, d.Headers) && bytes.Equal(d.Payload, letters[i].Payload) {
			continue
		}
		if err := db.Exec(ctx, `ALTER TABLE dead_letters UPDATE headers = ?, payload = ? WHERE id = ?
        SETTINGS mutations_sync = 2`, d.Headers, string(d.Payload), d.ID); err != nil {
			return fmt.Errorf("write dead letter %s again: %w", d.ID, err)
		}
	}
	return nil
}
