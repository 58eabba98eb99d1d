package kafka

import (
	"context"
	"fmt"
	"log/slog"
)

// Kind says what a Problem is about.
type Kind string

// What can happen to a subscription that somebody should know of.
const (
	// RecordsLost: the log begins after the position that was to be read next,
	// because retention or somebody removed what was between. Reading goes on
	// at the log's beginning; From and To bound what was never seen.
	RecordsLost Kind = "records_lost"
	// TopicRemade: the topic was deleted, and another one was made under its name
	// (see RemadeError). Its partitions stand still from there on: what their
	// offsets mean is not what was committed.
	TopicRemade Kind = "topic_remade"
	// LogTruncated: the log ends before the position that was to be read next:
	// the cluster lost its end, or the topic was made again where brokers have
	// no ids of topics. Reading starts again at the log's beginning, so records
	// may come again.
	LogTruncated Kind = "log_truncated"
	// PartitionsChanged: a topic has another number of partitions than before.
	// The group is balanced again.
	PartitionsChanged Kind = "partitions_changed"
	// CorruptRecords: the log holds bytes at From that can't be read. The
	// partition stands still there until that changes.
	CorruptRecords Kind = "corrupt_records"
	// FetchFailing: fetching has failed several times in a row and goes on
	// being tried.
	FetchFailing Kind = "fetch_failing"
	// CommitFailing: a commit failed. What was acknowledged since the last one
	// that succeeded comes again if this instance ends now.
	CommitFailing Kind = "commit_failing"
	// GroupFailing: joining the consumer group failed, and is tried again.
	GroupFailing Kind = "group_failing"
	// DrainTimedOut: a rebalance or close came, and messages handed over
	// weren't settled in time. They come again.
	DrainTimedOut Kind = "drain_timed_out"
)

// Problem is something a subscription met and got around, or still tries to.
type Problem struct {
	Kind      Kind
	Group     string
	Topic     string
	Partition int // -1 where it isn't about one
	// From and To are offsets, To exclusive, where the kind has them.
	From, To int64
	Err      error // may be nil
}

// Error makes a Problem an error, for those who keep it as one.
func (p Problem) Error() string {
	s := string(p.Kind)
	if p.Topic != "" {
		s += " on " + p.Topic
	}
	if p.Partition >= 0 {
		s += fmt.Sprintf("/%d", p.Partition)
	}
	if p.To > p.From {
		s += fmt.Sprintf(", offsets %d to %d", p.From, p.To)
	}
	if p.Err != nil {
		s += ": " + p.Err.Error()
	}
	return s
}

// Unwrap gives the error behind the problem, if there is one.
func (p Problem) Unwrap() error { return p.Err }

func (p Problem) level() slog.Level {
	switch p.Kind {
	case RecordsLost, LogTruncated, CorruptRecords, TopicRemade:
		return slog.LevelError
	case PartitionsChanged:
		return slog.LevelInfo
	default:
		return slog.LevelWarn
	}
}

func (p Problem) tell(log *slog.Logger, hook func(Problem)) {
	log.LogAttrs(context.Background(), p.level(), "kafka: "+string(p.Kind),
		slog.String("group", p.Group), slog.String("topic", p.Topic), slog.Int("partition", p.Partition),
		slog.Int64("from", p.From), slog.Int64("to", p.To), slog.Any("error", p.Err))
	if hook != nil {
		hook(p)
	}
}
