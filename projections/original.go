package projections

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
)

// Original is a record as the log holds it.
type Original struct {
	Key     string
	Headers map[string]string
	Payload []byte
	Time    time.Time
}

// originalOf is what the log took for a row of the ledger. Where the log has it no more, or nobody reads it back, it is
// written anew from the row: the data is as it came, the envelope's members may stand in another order.
func (p *Projector) originalOf(ctx context.Context, r *stored) (*Original, error) {
	if p.config.Original != nil {
		original, err := p.config.Original(ctx, r.Position)
		if err != nil {
			return nil, fmt.Errorf("read back what the log took for event %s of %s: %w", r.Event.ID, r.Event.Source, err)
		}
		if original != nil {
			return original, nil
		}
	}
	return &Original{Key: r.Event.Subject(), Payload: r.structured(), Time: r.RecordedAt,
		Headers: map[string]string{"content-type": "application/cloudevents+json"}}, nil
}

// FirstHeader is the header of a record that was sent again after it had been a dead letter: "partition/offset" of where
// the same topic held it first. It keeps the event's recorded_at. A claim is not enough: the log is asked, and where it
// doesn't hold the same bytes there, the header says nothing. Neither does it put an event before a close: see
// domain.Periods.RecordedSince. Rates and the posting period are those of where the record stands now.
const FirstHeader = "makegood_first"

// FormatFirst writes FirstHeader.
func FormatFirst(partition int32, offset int64) string {
	return fmt.Sprintf("%d/%d", partition, offset)
}

// firstTimes are the times of those messages that the log had held before.
func (p *Projector) firstTimes(ctx context.Context, chunk []*message.Message) (map[*message.Message]time.Time, error) {
	var times map[*message.Message]time.Time
	for _, m := range chunk {
		text := m.Metadata[FirstHeader]
		if text == "" || p.config.Original == nil {
			continue
		}
		at, ok := p.config.Position(m)
		first, ok2 := parseFirst(text)
		if !ok || !ok2 {
			continue
		}
		first.Stream = at.Stream
		var original *Original
		if err := p.insist(ctx, "read back a record that was sent again", func(ctx context.Context) (err error) {
			original, err = p.config.Original(ctx, first)
			return err
		}); err != nil {
			return nil, err
		}
		if original == nil || string(original.Payload) != string(m.Payload) || !original.Time.Before(at.Time) {
			continue
		}
		if times == nil {
			times = map[*message.Message]time.Time{}
		}
		times[m] = original.Time
	}
	return times, nil
}

func parseFirst(text string) (p domain.Position, ok bool) {
	partition, offset, _ := strings.Cut(text, "/")
	n, err := strconv.ParseInt(partition, 10, 32)
	at, err2 := strconv.ParseInt(offset, 10, 64)
	return domain.Position{Partition: int32(n), Offset: at}, err == nil && err2 == nil && n >= 0 && at >= 0
}
