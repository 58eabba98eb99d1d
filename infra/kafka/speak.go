package kafka

import (
	"context"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// speak sends a request of kmsg's to a broker and reads its answer, in the
// highest version that the broker and kmsg know and that is at most the given
// one. kafka-go codes no version that has the ids of topics.
func (c *cluster) speak(ctx context.Context, broker int32, req kmsg.Request, most int16) (kmsg.Response, error) {
	got, err := c.exchange(ctx, broker, protocol.ApiKey(req.Key()), func(conn *protocol.Conn, _ int16) (any, error) {
		version, err := c.version(conn, broker, req.Key())
		if err != nil {
			return nil, err
		}
		req.SetVersion(min(version, most, req.MaxVersion()))
		if _, err := conn.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID(c.cfg.ClientID)).
			AppendRequest(nil, req, correlationID)); err != nil {
			return nil, err
		}
		answer, err := readAnswer(conn)
		if err != nil {
			return nil, err
		}
		return readResponse(req.ResponseKind(), answer)
	})
	if err != nil {
		c.forgetVersions(broker) // it may be another one by now
		return nil, err
	}
	return got.(kmsg.Response), nil
}

// readResponse reads an answer into a response of its version. The response
// shares the answer's memory.
func readResponse(response kmsg.Response, answer []byte) (kmsg.Response, error) {
	if response.IsFlexible() {
		head := kbin.Reader{Src: answer}
		kmsg.SkipTags(&head)
		if !head.Ok() {
			return nil, errShortAnswer
		}
		answer = head.Src
	}
	if err := response.ReadFrom(answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errShortAnswer, err)
	}
	return response, nil
}

// version is the highest version of a request that a broker knows.
func (c *cluster) version(conn *protocol.Conn, broker int32, key int16) (int16, error) {
	c.mu.RLock()
	known := c.versions[broker]
	c.mu.RUnlock()
	if known == nil {
		got, err := protocol.RoundTrip(conn, 0, correlationID, c.cfg.ClientID, &apiversions.Request{})
		if err != nil {
			return 0, err
		}
		answer, ok := got.(*apiversions.Response)
		if !ok {
			return 0, fmt.Errorf("the broker answered %T when it was asked what it speaks", got)
		}
		if answer.ErrorCode != 0 {
			return 0, kafkago.Error(answer.ErrorCode)
		}
		known = map[int16]int16{}
		for _, k := range answer.ApiKeys {
			known[k.ApiKey] = k.MaxVersion
		}
		if broker != anyBroker { // which is another one each time
			c.mu.Lock()
			c.versions[broker] = known
			c.mu.Unlock()
		}
	}
	version, ok := known[key]
	if !ok {
		return 0, fmt.Errorf("the broker doesn't know requests of kind %d: %w", key, kafkago.UnsupportedVersion)
	}
	return version, nil
}

func (c *cluster) forgetVersions(broker int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.versions, broker)
}
