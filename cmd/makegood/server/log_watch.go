package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// Kinds of what can be wrong with the log.
const (
	topicRemade    = "topic_remade"
	topicCompacted = "topic_compacted"
	booksSplit     = "books_split"
)

// logSpecs are the topics as makegood wants them. Nothing in them expires or is compacted: the log is what the books
// can be held against. Their records are stamped by the broker, not by producers' clocks.
func (a *App) logSpecs() []kafka.TopicSpec {
	settings := map[string]string{"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete",
		"message.timestamp.type": "LogAppendTime"}
	var specs []kafka.TopicSpec
	for _, s := range []domain.Stream{domain.Orders, domain.Errors, domain.Redeliveries} {
		specs = append(specs, kafka.TopicSpec{Name: a.Config.Topic(s), Partitions: a.Config.Partitions, Config: settings})
	}
	if a.Config.Tills != "" {
		specs = append(specs, kafka.TopicSpec{Name: a.Config.tillsTopic(), Partitions: a.Config.Partitions, Config: settings})
	}
	return append(specs,
		kafka.TopicSpec{Name: a.Config.Topic(domain.Books), Partitions: 1, Config: settings},
		kafka.TopicSpec{Name: a.Config.Prefix + deadletter.Topic, Partitions: 1, Config: settings})
}

// ensureTopics makes the topics that are missing.
func (a *App) ensureTopics(ctx context.Context) error {
	differences, err := a.Admin.EnsureTopics(ctx, a.logSpecs())
	if err != nil {
		return err
	}
	for _, d := range differences {
		if p, is := a.problemOf(d); is && p.Kind == topicCompacted {
			return errors.New(p.Reason)
		}
		a.logger.Warn("a topic is not as makegood would make it", "difference", d.String())
	}
	return nil
}

// problemOf is what a difference means for the books, where it means anything.
func (a *App) problemOf(d kafka.TopicDiff) (gateway.LogProblem, bool) {
	switch {
	case d.What == "cleanup.policy" && strings.Contains(d.Have, "compact"):
		return gateway.LogProblem{Kind: topicCompacted, Topic: d.Topic, Reason: fmt.Sprintf(
			"topic %s is compacted: Kafka deletes a record when another one with its key comes, booked or not; set its "+
				"cleanup.policy to delete", d.Topic)}, true
	case d.What == "partitions" && d.Topic == a.Config.Topic(domain.Books):
		return gateway.LogProblem{Kind: booksSplit, Topic: d.Topic, Reason: fmt.Sprintf(
			"topic %s has %s partitions: the order of its records matters, so only partition 0 is read and written; what "+
				"others write to the rest becomes dead letters", d.Topic, d.Have)}, true
	}
	return gateway.LogProblem{}, false
}

// checkTopics holds the topics against those that the books were made of, and notes them where the books are new.
func (a *App) checkTopics(ctx context.Context) error {
	accepted := map[string]string{}
	for _, text := range a.Config.AcceptTopics {
		topic, id, ok := strings.Cut(text, "=")
		if _, err := kafka.ParseTopicID(id); !ok || err != nil {
			return fmt.Errorf("--accept-topics: %q is not topic=id", text)
		}
		accepted[topic] = id
	}
	ids, err := a.Admin.TopicIDs(ctx, a.Config.topics()...)
	if err != nil {
		return err
	}
	known, err := ledger.KnownTopics(ctx, a.Store.DB)
	if err != nil {
		return err
	}
	for s := domain.Orders; s <= domain.Books; s++ {
		topic := ledger.Topic{Stream: s.String(), Name: a.Config.Topic(s)}
		id := ids[topic.Name]
		if topic.ID = id.String(); id == (kafka.TopicID{}) {
			continue // brokers that know no ids
		}
		before := known[topic.Stream]
		if slices.ContainsFunc(before, func(t ledger.Topic) bool { return t.ID == topic.ID }) {
			continue
		}
		if len(before) > 0 && accepted[topic.Name] != topic.ID {
			return fmt.Errorf("topic %s has the id %s, and the books were made of %s with the id %s: its offsets mean other "+
				"records. Give back the log that the books were made of, or make new books of this one (another database and "+
				"--group). If it holds the same records at the same offsets: --accept-topics %s=%s",
				topic.Name, topic.ID, before[0].Name, before[0].ID, topic.Name, topic.ID)
		}
		if err := ledger.KeepTopic(ctx, a.Store.DB, topic); err != nil {
			return err
		}
	}
	return nil
}

// lookAtLog says what is not as it was with the log.
func (a *App) lookAtLog(ctx context.Context) ([]gateway.LogProblem, error) {
	problems := []gateway.LogProblem{}
	var errs []error
	for _, spec := range a.logSpecs() {
		differences, err := a.Admin.CompareTopic(ctx, spec)
		if remade, is := errors.AsType[*kafka.RemadeError](err); is {
			problems = append(problems, remadeProblem(remade))
			continue
		}
		errs = append(errs, err)
		for _, d := range differences {
			if p, is := a.problemOf(d); is {
				problems = append(problems, p)
			}
		}
	}
	return problems, errors.Join(errs...)
}

func remadeProblem(remade *kafka.RemadeError) gateway.LogProblem {
	return gateway.LogProblem{Kind: topicRemade, Topic: remade.Topic,
		Reason: remade.Error() + "; nothing of it is booked or written"}
}

// looksAtLog is how often the log is looked at.
const looksAtLog = 10 * time.Second

// watchLog notes what is not as it was with the log.
func (a *App) watchLog(ctx context.Context) {
	problems, err := a.lookAtLog(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.logger.Warn("the topics can't be looked at", "error", err)
		return
	}
	a.noteProblems(problems)
}

// noteProblems keeps what was found, and logs what is new of it.
func (a *App) noteProblems(problems []gateway.LogProblem) {
	was := a.logProblems()
	for _, p := range problems {
		if !slices.Contains(was, p) {
			a.logger.Error("the log is not what it was", "kind", p.Kind, "topic", p.Topic, "reason", p.Reason)
		}
	}
	if !slices.Equal(was, problems) {
		a.problems.Store(&problems)
	}
}

// logProblems are those that were found last.
func (a *App) logProblems() []gateway.LogProblem {
	if p := a.problems.Load(); p != nil {
		return *p
	}
	return []gateway.LogProblem{}
}
