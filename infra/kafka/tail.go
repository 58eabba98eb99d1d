package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// TailConfig says how a Tail reads. Zero fields mean their defaults.
type TailConfig struct {
	Config

	Topic     string
	Partition int
	// From is the offset of the first record to read: default 0. Where the log
	// begins later, that is told to Problems and reading begins there.
	From int64

	FetchMaxBytes int           // as in SubscriberConfig
	FetchMaxWait  time.Duration // as in SubscriberConfig

	// RetryDelay and MaxRetryDelay are as in SubscriberConfig.
	RetryDelay, MaxRetryDelay time.Duration

	// Problems, if set, hears of lost records, truncation and lasting failures.
	Problems func(Problem)
}

// Tail reads one partition without a group: whoever has one reads all of it. It
// is for one goroutine at a time.
type Tail struct {
	cfg     TailConfig
	cluster *cluster
	reader  reader
	closed  bool
	// Fetched and not handed over: ReadTo may stop within a fetch.
	waiting []Record
	next    int64 // of the record to hand over next
}

// NewTail makes a Tail. It doesn't connect yet.
func NewTail(cfg TailConfig) (*Tail, error) {
	if err := errors.Join(cfg.Validate(), notBelow("Partition", cfg.Partition, 0)); err != nil {
		return nil, fmt.Errorf("kafka tail: %w", err)
	}
	if cfg.Topic == "" {
		return nil, errors.New("kafka tail: no topic is given")
	}
	if cfg.From < 0 {
		return nil, fmt.Errorf("kafka tail: From is negative: %d", cfg.From)
	}
	cfg.Config = cfg.Config.withDefaults()
	orInt(&cfg.FetchMaxBytes, 1<<20)
	orDuration(&cfg.FetchMaxWait, 500*time.Millisecond)
	orDuration(&cfg.RetryDelay, 50*time.Millisecond)
	orDuration(&cfg.MaxRetryDelay, 2*time.Second)
	c, err := newCluster(cfg.Config)
	if err != nil {
		return nil, fmt.Errorf("kafka tail: %w", err)
	}
	t := &Tail{cfg: cfg, cluster: c, next: cfg.From}
	t.reader = reader{
		cluster: c, tp: TopicPartition{cfg.Topic, cfg.Partition}, offset: cfg.From,
		limits:  fetchLimits{maxBytes: cfg.FetchMaxBytes, maxWait: cfg.FetchMaxWait},
		problem: func(p Problem) { p.tell(c.log, cfg.Problems) },
	}
	return t, nil
}

// Next is the offset that the next record will have at least: everything before
// it has been handed over, or isn't anybody's.
func (t *Tail) Next() int64 { return t.next }

// End asks for the offset after the last record that is acknowledged now. Behind
// a transaction that is still open, reading to it waits for that one's end. It
// is an error when that is before what was read: the log isn't the one that it
// was, or has lost its end.
func (t *Tail) End(ctx context.Context) (int64, error) {
	if t.closed {
		return 0, ErrClosed
	}
	var end int64
	err := retry(ctx, func() error {
		var err error
		if end, err = t.cluster.logEdge(ctx, t.reader.tp, kafkago.LastOffset); err != nil || end >= t.next {
			return err
		}
		if err := t.cluster.refresh(ctx, t.cfg.Topic, time.Now()); err != nil {
			return err
		}
		return fmt.Errorf("it ends at %d, before our position %d: %w", end, t.next, errTruncated)
	})
	if err != nil {
		return 0, fmt.Errorf("kafka: asking for the end of %s: %w", t.reader.tp, err)
	}
	return end, nil
}

// ReadTo hands over every record before end, in order, and returns when there
// is none left: end 0 returns at once, an end that isn't written yet is waited
// for. It goes on where the last call stopped. When each fails, its error is
// returned, and the record comes again with the next call. Failures of the
// cluster are retried until ctx ends, save for what no waiting mends: a
// *RemadeError, or bytes that can't be read.
func (t *Tail) ReadTo(ctx context.Context, end int64, each func(Record) error) error {
	for failures := 0; ; {
		if t.closed {
			return ErrClosed
		}
		for len(t.waiting) > 0 {
			r := t.waiting[0]
			if r.Offset >= end {
				return nil
			}
			if err := each(r); err != nil {
				return err
			}
			t.waiting = t.waiting[1:]
			t.next = r.Offset + 1
		}
		t.next = t.reader.offset
		if t.next >= end {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("kafka: reading %s to %d, now at %d: %w", t.reader.tp, end, t.next, err)
		}
		err := t.fetch(ctx)
		if err == nil {
			failures = 0
			continue
		}
		if !retriable(err) && ctx.Err() == nil {
			return fmt.Errorf("kafka: reading %s at %d: %w", t.reader.tp, t.next, err)
		}
		if failures++; failures == 3 || failures%30 == 0 {
			t.reader.problem(Problem{Kind: FetchFailing, Topic: t.cfg.Topic, Partition: t.cfg.Partition, Err: err})
		}
		pause(ctx, backoff(failures, t.cfg.RetryDelay, t.cfg.MaxRetryDelay))
	}
}

// Read hands over records as they come, until ctx ends or each fails.
func (t *Tail) Read(ctx context.Context, each func(Record) error) error {
	const never = 1<<63 - 1
	return t.ReadTo(ctx, never, each)
}

func (t *Tail) fetch(ctx context.Context) error {
	return t.reader.read(ctx, func(b *batch, r *rawRecord) {
		t.waiting = append(t.waiting, Record{
			Position: Position{
				Topic: t.cfg.Topic, Partition: t.cfg.Partition, Offset: r.offset,
				Time: time.UnixMilli(r.time), LogTime: b.logAppendTime,
			},
			Key: r.key, Value: r.value, Headers: unpackHeaders(r.headers, r.nheader),
		})
	})
}

// Close lets the connections go.
func (t *Tail) Close() error {
	t.closed = true
	t.cluster.close()
	return nil
}
