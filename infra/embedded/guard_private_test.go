package embedded

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// TestBrokerKeepsPrivateTopics: what is in a private topic is for makegood alone to read and write, whether a client
// asks by the topic's name or by its id; the other topics are as ever.
func TestBrokerKeepsPrivateTopics(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), Private: []string{"private"}})
	ours := stranger(t, b, kgo.Dialer(b.Dial))
	createTopicWith(t, ours, "private", "public")
	for _, topic := range []string{"private", "public"} {
		if err := write(t, ours, &kgo.Record{Topic: topic, Value: []byte(topic)}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(topic string, opts ...kgo.Opt) string {
		client := stranger(t, b, append(opts, kgo.ConsumeTopics(topic),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		for ctx.Err() == nil {
			if records := client.PollFetches(ctx).Records(); len(records) > 0 {
				return string(records[0].Value)
			}
		}
		return ""
	}
	for name, versions := range map[string]*kversion.Versions{"by name": kversion.V3_0_0(), "by id": kversion.Stable()} {
		theirs := []kgo.Opt{kgo.MaxVersions(versions)}
		if got := read("private", theirs...); got != "" {
			t.Errorf("%s: a stranger read %q", name, got)
		}
		if got := read("public", theirs...); got != "public" {
			t.Errorf("%s: a stranger read %q of the public topic", name, got)
		}
		if got := read("private", append(theirs, kgo.Dialer(b.Dial))...); got != "private" {
			t.Errorf("%s: we read %q", name, got)
		}
	}
	theirs := stranger(t, b)
	if err := write(t, theirs, &kgo.Record{Topic: "private", Value: []byte("lie")}); !errors.Is(err,
		kerr.TopicAuthorizationFailed) {
		t.Errorf("a stranger wrote: %v", err)
	}
	if err := write(t, theirs, &kgo.Record{Topic: "public", Value: []byte("x")}); err != nil {
		t.Error(err)
	}
}

// TestBrokerLetsUsDeleteWhatIsPrivate: records of a private topic may have to go, and makegood deletes them; nobody
// else does, and nobody deletes those of another topic.
func TestBrokerLetsUsDeleteWhatIsPrivate(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), Private: []string{"private"}})
	ours, theirs := stranger(t, b, kgo.Dialer(b.Dial)), stranger(t, b)
	createTopicWith(t, ours, "private", "public")
	for _, topic := range []string{"private", "public"} {
		if err := write(t, ours, &kgo.Record{Topic: topic, Value: []byte(topic)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		client *kgo.Client
		topics []string
		want   int16
	}{
		{theirs, []string{"private"}, kerr.PolicyViolation.Code}, {ours, []string{"public"}, kerr.PolicyViolation.Code},
		{ours, []string{"private", "public"}, kerr.PolicyViolation.Code}, {ours, []string{"private"}, 0},
	} {
		del := kmsg.NewPtrDeleteRecordsRequest()
		for _, topic := range c.topics {
			del.Topics = append(del.Topics, kmsg.DeleteRecordsRequestTopic{Topic: topic,
				Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 1}}})
		}
		answer, err := c.client.Request(t.Context(), del)
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range answer.(*kmsg.DeleteRecordsResponse).Topics {
			if got := topic.Partitions[0].ErrorCode; got != c.want {
				t.Errorf("deleting records of %v: %s answers %d, not %d", c.topics, topic.Topic, got, c.want)
			}
		}
	}
}
