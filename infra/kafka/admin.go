package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"
)

// TopicSpec is a topic as it should be.
type TopicSpec struct {
	Name string
	// Partitions and Replication: 0 leaves it to the brokers' defaults.
	Partitions  int
	Replication int
	// Config holds topic settings by Kafka's names, such as "retention.ms".
	Config map[string]string
}

// TopicDiff is how an existing topic differs from its TopicSpec. Nothing is
// changed about it: adding partitions moves keys, and settings are the
// operators'.
type TopicDiff struct {
	Topic string
	What  string // "partitions", "replication", or the name of a setting
	Want  string
	Have  string
}

// String says it in a line.
func (d TopicDiff) String() string {
	return fmt.Sprintf("topic %s: %s is %s, not %s", d.Topic, d.What, d.Have, d.Want)
}

// Admin asks and tells a cluster what isn't reading or writing. It is safe for
// concurrent use.
type Admin struct {
	cfg     Config
	cluster *cluster
}

// NewAdmin makes an Admin. It doesn't connect yet.
func NewAdmin(cfg Config) (*Admin, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("kafka admin: %w", err)
	}
	cfg = cfg.withDefaults()
	c, err := newCluster(cfg)
	if err != nil {
		return nil, fmt.Errorf("kafka admin: %w", err)
	}
	return &Admin{cfg: cfg, cluster: c}, nil
}

// Close lets the connections go.
func (a *Admin) Close() error {
	a.cluster.close()
	return nil
}

// Ping asks the cluster for a sign of life.
func (a *Admin) Ping(ctx context.Context) error {
	if _, err := a.cluster.describe(ctx); err != nil {
		return fmt.Errorf("kafka: pinging %v: %w", a.cfg.Brokers, err)
	}
	return nil
}

// EnsureTopics makes the topics that don't exist, waits until they can be
// written to, and says how those that do exist differ from what was asked for.
func (a *Admin) EnsureTopics(ctx context.Context, specs []TopicSpec) ([]TopicDiff, error) {
	diffs, err := ensureTopics(ctx, a.cluster, specs...)
	if err != nil {
		return nil, fmt.Errorf("kafka: ensuring topics: %w", err)
	}
	return diffs, nil
}

// CompareTopic says how a topic differs from what it should be, without making it.
func (a *Admin) CompareTopic(ctx context.Context, spec TopicSpec) (diffs []TopicDiff, err error) {
	err = retry(ctx, func() error {
		diffs, err = compareTopic(ctx, a.cluster, spec)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: comparing topic %q: %w", spec.Name, err)
	}
	return diffs, nil
}

// Ends gives the offset after the last record of every partition of the topics
// that is acknowledged: the high watermark. Behind a transaction that is still
// open that is more than anybody may read yet.
func (a *Admin) Ends(ctx context.Context, topics ...string) (map[TopicPartition]int64, error) {
	return a.edges(ctx, kafkago.LastOffset, topics)
}

// Starts gives the oldest offset still there of every partition of the topics.
func (a *Admin) Starts(ctx context.Context, topics ...string) (map[TopicPartition]int64, error) {
	return a.edges(ctx, kafkago.FirstOffset, topics)
}

func (a *Admin) edges(ctx context.Context, edge int64, topics []string) (map[TopicPartition]int64, error) {
	var edges map[TopicPartition]int64
	err := retry(ctx, func() error {
		tps, err := a.partitions(ctx, topics)
		if err != nil {
			return err
		}
		edges, err = a.cluster.logEdges(ctx, edge, tps...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: asking for offsets of %q: %w", topics, err)
	}
	return edges, nil
}

func (a *Admin) partitions(ctx context.Context, topics []string) ([]TopicPartition, error) {
	if _, err := a.cluster.describe(ctx, topics...); err != nil {
		return nil, err
	}
	var tps []TopicPartition
	for _, topic := range topics {
		n, err := a.cluster.partitions(ctx, topic)
		if err != nil {
			return nil, err
		}
		for i := range n {
			tps = append(tps, TopicPartition{topic, i})
		}
	}
	return tps, nil
}

// Committed gives the offsets that a group has committed. Partitions without
// one are not in the answer.
func (a *Admin) Committed(ctx context.Context, group string, topics ...string) (map[TopicPartition]int64, error) {
	var committed map[TopicPartition]int64
	err := retry(ctx, func() error {
		tps, err := a.partitions(ctx, topics)
		if err != nil {
			return err
		}
		committed, err = a.cluster.committed(ctx, group, tps)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: asking for the committed offsets of group %q: %w", group, err)
	}
	return committed, nil
}

// ensureTopics makes what isn't there and compares what is.
func ensureTopics(ctx context.Context, c *cluster, specs ...TopicSpec) ([]TopicDiff, error) {
	var diffs []TopicDiff
	for _, spec := range specs {
		if spec.Name == "" {
			return nil, errors.New("a topic has no name")
		}
		made := false
		err := retry(ctx, func() error {
			// Asked first: where we have no right to make topics, Kafka refuses to make even one that exists.
			if _, err := c.describe(ctx, spec.Name); !errors.Is(err, kafkago.UnknownTopicOrPartition) {
				return err
			}
			switch err := createTopic(ctx, c, spec); {
			case err == nil:
				made = true
			case !errors.Is(err, kafkago.TopicAlreadyExists):
				return err
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("creating topic %q: %w", spec.Name, err)
		}
		if err := retry(ctx, func() error { return c.ready(ctx, spec.Name) }); err != nil {
			return nil, fmt.Errorf("waiting for topic %q: %w", spec.Name, err)
		}
		if made {
			continue
		}
		err = retry(ctx, func() error {
			found, err := compareTopic(ctx, c, spec)
			if err == nil {
				diffs = append(diffs, found...)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("comparing topic %q: %w", spec.Name, err)
		}
	}
	return diffs, nil
}

func createTopic(ctx context.Context, c *cluster, spec TopicSpec) error {
	layout, err := c.describe(ctx)
	if err != nil {
		return err
	}
	orDefault := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	t := createtopics.RequestTopic{
		Name: spec.Name, NumPartitions: int32(orDefault(spec.Partitions)),
		ReplicationFactor: int16(orDefault(spec.Replication)),
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Config)) {
		t.Configs = append(t.Configs, createtopics.RequestConfig{Name: name, Value: spec.Config[name]})
	}
	res, err := ask[*createtopics.Response](ctx, c, layout.ControllerID, &createtopics.Request{
		Topics: []createtopics.RequestTopic{t}, TimeoutMs: int32(c.cfg.RequestTimeout.Milliseconds()),
	})
	if err != nil {
		return err
	}
	for _, t := range res.Topics {
		if t.ErrorCode != 0 {
			return fmt.Errorf("%w: %s", kafkago.Error(t.ErrorCode), t.ErrorMessage)
		}
	}
	return nil
}

// ready says whether every partition of a topic has a leader.
func (c *cluster) ready(ctx context.Context, topic string) error {
	res, err := c.describe(ctx, topic)
	if err != nil {
		return err
	}
	for _, p := range res.Topics[0].Partitions {
		if p.Leader < 0 {
			return fmt.Errorf("%s: %w", TopicPartition{topic, int(p.Partition)}, kafkago.LeaderNotAvailable)
		}
	}
	return nil
}

const resourceTopic int8 = 2

func compareTopic(ctx context.Context, c *cluster, spec TopicSpec) ([]TopicDiff, error) {
	var diffs []TopicDiff
	differ := func(what string, want, have any) {
		if w, h := fmt.Sprint(want), fmt.Sprint(have); w != h {
			diffs = append(diffs, TopicDiff{Topic: spec.Name, What: what, Want: w, Have: h})
		}
	}
	layout, err := c.describe(ctx, spec.Name)
	if err != nil {
		return nil, err
	}
	if partitions := layout.Topics[0].Partitions; len(partitions) > 0 {
		if spec.Partitions > 0 {
			differ("partitions", spec.Partitions, len(partitions))
		}
		if spec.Replication > 0 {
			differ("replication", spec.Replication, len(partitions[0].Replicas))
		}
	}
	if len(spec.Config) == 0 {
		return diffs, nil
	}
	names := slices.Sorted(maps.Keys(spec.Config))
	res, err := ask[*describeconfigs.Response](ctx, c, anyBroker, &describeconfigs.Request{
		Resources: []describeconfigs.RequestResource{{ResourceType: resourceTopic, ResourceName: spec.Name,
			ConfigNames: names}},
	})
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, r := range res.Resources {
		if r.ErrorCode != 0 {
			return nil, fmt.Errorf("reading settings: %w: %s", kafkago.Error(r.ErrorCode), r.ErrorMessage)
		}
		for _, e := range r.ConfigEntries {
			have[e.ConfigName] = e.ConfigValue
		}
	}
	for _, name := range names {
		differ(name, spec.Config[name], have[name])
	}
	return diffs, nil
}
