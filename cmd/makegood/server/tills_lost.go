package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/tills/pipe"
	"github.com/makegood/makegood/projections/deadletter"
)

// Dead letters of bodies are kept in ClickHouse; besides, a topic tells others of them. The mapper has committed their
// bodies: where ClickHouse has lost the letters, or was restored from an older backup, nobody would ask for these
// bodies, and they would be deleted.

// toldLetters are the dead letters of bodies that the topic of dead letters tells of, as far as it is read.
type toldLetters struct {
	mu   sync.Mutex
	next map[kafka.TopicPartition]int64 // of the topic
	last map[string]toldLetter          // by id, where it was last seen
}

type toldLetter struct {
	record kafka.Position // that tells of it
	body   kafka.TopicPartition
	offset int64 // of the body
}

// maxTelling bounds how long the topic is read in one go. The next one goes on from there.
const maxTelling = 10 * time.Minute

// restoreLetters keeps the dead letters again that the store has lost, of bodies that the log still has, and says how
// many there were. The partitions of bodies begin at starts.
func (a *App) restoreLetters(ctx context.Context, starts map[kafka.TopicPartition]int64) (lost int, err error) {
	if err := a.readTold(ctx); err != nil {
		return 0, err
	}
	kept, err := deadletter.LastOffsets(ctx, a.Store.DB, a.Config.tillsTopic())
	if err != nil {
		return 0, err
	}
	for id, told := range a.told.last {
		if told.offset < starts[told.body] {
			delete(a.told.last, id) // its body is gone
			continue
		}
		if last, is := kept[id]; is && last >= told.offset {
			continue
		}
		r, there, err := a.Admin.Record(ctx, kafka.TopicPartition{Topic: told.record.Topic, Partition: told.record.Partition},
			told.record.Offset)
		if err != nil {
			return lost, fmt.Errorf("read a dead letter that was lost: %w", err)
		}
		letter := letterOf(&r)
		if !there || letter == nil {
			return lost, fmt.Errorf("dead letter %s is lost, and %v is gone, which told of it", id, told.record)
		}
		if err := deadletter.Keep(ctx, a.Store.DB, []deadletter.Letter{*letter}); err != nil {
			return lost, err
		}
		lost++
	}
	return lost, nil
}

// readTold reads on in the topic of dead letters, up to where it ends now.
func (a *App) readTold(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxTelling)
	defer cancel()
	topic := a.Config.Prefix + deadletter.Topic
	starts, err := a.Admin.Starts(ctx, topic)
	if err != nil {
		return err
	}
	ends, err := a.Admin.Ends(ctx, topic)
	if err != nil {
		return err
	}
	if a.told.last == nil {
		a.told.last, a.told.next = map[string]toldLetter{}, map[kafka.TopicPartition]int64{}
	}
	for tp, end := range ends {
		if from := max(a.told.next[tp], starts[tp]); from < end {
			if err := a.readToldOf(ctx, tp, from, end); err != nil {
				return fmt.Errorf("read the dead letters that were told of: %w", err)
			}
		}
	}
	return nil
}

func (a *App) readToldOf(ctx context.Context, tp kafka.TopicPartition, from, end int64) error {
	tail, err := kafka.NewTail(kafka.TailConfig{Config: a.kafkaConfig(), Topic: tp.Topic, Partition: tp.Partition,
		From: from})
	if err != nil {
		return err
	}
	read := tail.ReadTo(ctx, end, func(r kafka.Record) error {
		a.told.next[tp] = r.Offset + 1
		if d := letterOf(&r); d != nil && d.Topic == a.Config.tillsTopic() {
			a.told.last[d.ID] = toldLetter{r.Position, kafka.TopicPartition{Topic: d.Topic, Partition: int(d.Partition)},
				d.Offset}
		}
		return nil
	})
	return errors.Join(read, tail.Close())
}

// letterOf is the dead letter that a record tells of; nil where it tells of none.
func letterOf(r *kafka.Record) *deadletter.Letter {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	d := deadletter.FromRecord(headers, r.Value, r.Time.UTC())
	if d == nil {
		return nil
	}
	if till := pipe.TillOf(headers); till != "" {
		d.Source = gateway.TillSource + till
	}
	return d
}
