package post

import (
	"context"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/projections/ledger"
)

// Original is a record as the log holds it.
type Original struct {
	Key     string
	Headers map[string]string
	Payload []byte
	Time    time.Time
}

// originalOf is what the log took for a row of the ledger. Where the log has it no more, or nobody reads it back, it is
// written again from the row: the data is as it came, the envelope's members may stand in another order.
func (p *Projector) originalOf(ctx context.Context, r *ledger.Stored) (*Original, error) {
	if p.config.Original != nil {
		original, err := p.config.Original(ctx, r.Position)
		if err != nil {
			return nil, fmt.Errorf("read back what the log took for event %s of %s: %w", r.Event.ID, r.Event.Source, err)
		}
		if original != nil {
			return original, nil
		}
	}
	return &Original{Key: r.Event.Subject(), Payload: r.Structured(), Time: r.RecordedAt,
		Headers: map[string]string{"content-type": "application/cloudevents+json"}}, nil
}

// sameBytes reports whether a record that was sent again is the one that the log holds: as it is there, or with people
// hidden in it.
func (p *Projector) sameBytes(original *Original, payload []byte) bool {
	if string(original.Payload) == string(payload) {
		return true
	}
	if p.config.Hide == nil {
		return false
	}
	hidden := *original
	p.config.Hide(&hidden)
	return string(hidden.Payload) == string(payload)
}

// firstTimes are the times of those messages that the log had held before.
func (p *Projector) firstTimes(ctx context.Context, chunk []*message.Message) (map[*message.Message]time.Time, error) {
	var times map[*message.Message]time.Time
	for _, m := range chunk {
		text := m.Metadata[ledger.FirstHeader]
		if text == "" || p.config.Original == nil {
			continue
		}
		at, ok := p.config.Position(m)
		first, ok2 := ledger.ParseFirst(text)
		if !ok || !ok2 {
			continue
		}
		first.Stream = at.Stream
		var original *Original
		if err := p.retryWhole(ctx, "read back a record that was sent again", p.place([]*message.Message{m}),
			func(ctx context.Context) (err error) {
				original, err = p.config.Original(ctx, first)
				return err
			}); err != nil {
			return nil, err
		}
		if original == nil || !original.Time.Before(at.Time) || !p.sameBytes(original, m.Payload) {
			continue
		}
		if times == nil {
			times = map[*message.Message]time.Time{}
		}
		times[m] = original.Time
	}
	return times, nil
}
