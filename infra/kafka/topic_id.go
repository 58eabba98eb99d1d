package kafka

import (
	"context"
	"encoding/base64"
	"fmt"
)

// TopicID is what a cluster calls a topic by itself: one that is deleted and made
// again under the same name has another. All zeros where brokers (before Kafka
// 2.8) have none.
type TopicID [16]byte

// String is the id as Kafka's own tools show it.
func (id TopicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// ParseTopicID reads what String wrote.
func ParseTopicID(text string) (id TopicID, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("%q is no id of a topic", text)
	}
	return TopicID(raw), nil
}

// RemadeError says that a topic is not the one that it was: it was deleted, and
// another one was made under its name, whose offsets mean other records. That
// doesn't pass: nothing is read from the new one or written to it.
type RemadeError struct {
	Topic   string
	Was, Is TopicID
}

// Error names the topic and both ids.
func (e *RemadeError) Error() string {
	return fmt.Sprintf("topic %s was made again: its id is %s and was %s", e.Topic, e.Is, e.Was)
}

// topicID is the id that a topic had when it was first seen.
func (c *cluster) topicID(topic string) TopicID {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ids[topic]
}

// sameTopic holds a topic's id against the one that it had when it was first
// seen. The caller holds mu.
func (c *cluster) sameTopic(topic string, id TopicID) error {
	was, seen := c.ids[topic]
	switch {
	case id == (TopicID{}):
	case !seen:
		c.ids[topic] = id
	case was != id:
		return &RemadeError{Topic: topic, Was: was, Is: id}
	}
	return nil
}

// TopicIDs asks for the ids of topics.
func (a *Admin) TopicIDs(ctx context.Context, topics ...string) (map[string]TopicID, error) {
	ids := map[string]TopicID{}
	err := retry(ctx, func() error {
		if _, err := a.cluster.describe(ctx, topics...); err != nil {
			return err
		}
		for _, topic := range topics {
			ids[topic] = a.cluster.topicID(topic)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: asking for the ids of %q: %w", topics, err)
	}
	return ids, nil
}
