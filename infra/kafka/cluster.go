package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// layoutTTL is how old our own knowledge of a topic may get where nothing puts
// it in doubt: so soon a Publisher uses new partitions.
const layoutTTL = 30 * time.Second

// anyBroker routes a request to whichever broker answers.
const anyBroker int32 = -1

// cluster is one client's connections and what it knows of who leads what.
//
// kafka-go's Transport keeps the connections (TLS, SASL, version negotiation,
// pooling). Its own routing is by metadata that it refreshes at random times
// and can't be told to refresh, so that a moved leader, or a broker that is
// back, would stay unknown for seconds. Therefore we keep leaders and addresses
// here, and hand it every request with the address that it is for.
type cluster struct {
	cfg       Config
	log       *slog.Logger
	transport *kafkago.Transport

	// refreshing holds one token: whoever takes it may ask for metadata, others
	// wait and then find it fresh.
	refreshing chan struct{}

	background sync.WaitGroup

	mu      sync.RWMutex
	topics  map[string]topicLayout
	ids     map[string]TopicID // of the topics when they were first seen
	brokers map[int32]string   // addresses
	// versions are the highest versions of requests that each broker knows.
	versions map[int32]map[int16]int16
}

// topicLayout is who leads each partition of a topic; -1 is nobody.
type topicLayout struct {
	leaders []int32
	seen    time.Time
}

func newCluster(cfg Config) (*cluster, error) {
	mechanism, err := cfg.SASL.mechanism()
	if err != nil {
		return nil, fmt.Errorf("setting up SASL: %w", err)
	}
	return &cluster{
		cfg: cfg,
		log: cfg.Logger,
		transport: &kafkago.Transport{
			Dial:        newDialer(cfg).dial,
			DialTimeout: cfg.DialTimeout,
			IdleTimeout: time.Minute,
			MetadataTTL: cfg.RequestTimeout,
			// Empty and not nil: no topics. With nil, every client would read
			// the layout of the whole cluster again and again, for nothing.
			MetadataTopics: []string{},
			ClientID:       cfg.ClientID,
			TLS:            cfg.TLS,
			SASL:           mechanism,
		},
		refreshing: make(chan struct{}, 1),
		topics:     map[string]topicLayout{},
		ids:        map[string]TopicID{},
		brokers:    map[int32]string{},
		versions:   map[int32]map[int16]int16{},
	}, nil
}

func (c *cluster) close() {
	c.background.Wait()
	c.transport.CloseIdleConnections()
}

// leader answers from what is known, without asking anybody.
func (c *cluster) leader(topic string, partition int) (broker int32, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	l, ok := c.topics[topic]
	if !ok || partition >= len(l.leaders) || l.leaders[partition] < 0 {
		return 0, false
	}
	return l.leaders[partition], true
}

// findLeader is leader, but looks the layout up where that isn't known, unless
// somebody has done so after doubt arose at the time given.
func (c *cluster) findLeader(ctx context.Context, tp TopicPartition, doubt time.Time) (broker int32, err error) {
	if broker, ok := c.leader(tp.Topic, tp.Partition); ok {
		return broker, nil
	}
	if err := c.refresh(ctx, tp.Topic, doubt); err != nil {
		return 0, err
	}
	if broker, ok := c.leader(tp.Topic, tp.Partition); ok {
		return broker, nil
	}
	return 0, fmt.Errorf("%s: %w", tp, kafkago.LeaderNotAvailable)
}

// partitions tells how many partitions a topic has, asking if that isn't known.
func (c *cluster) partitions(ctx context.Context, topic string) (int, error) {
	c.mu.RLock()
	l, ok := c.topics[topic]
	c.mu.RUnlock()
	if ok && time.Since(l.seen) < layoutTTL {
		return len(l.leaders), nil
	}
	if ok {
		// It grew old, which is no reason to wait: nearly always it is still so.
		c.refreshSoon(topic, l.seen)
		return len(l.leaders), nil
	}
	if err := c.refresh(ctx, topic, time.Now()); err != nil {
		return 0, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.topics[topic].leaders), nil
}

// refreshSoon refreshes in the background, unless somebody does so anyway.
func (c *cluster) refreshSoon(topic string, seen time.Time) {
	select {
	case c.refreshing <- struct{}{}:
	default:
		return
	}
	c.mu.RLock()
	fresh := c.topics[topic].seen.After(seen)
	c.mu.RUnlock()
	if fresh {
		<-c.refreshing
		return
	}
	c.background.Go(func() {
		defer func() { <-c.refreshing }()
		ctx, cancel := context.WithTimeout(context.Background(), c.cfg.RequestTimeout)
		defer cancel()
		if _, err := c.describe(ctx, topic); err != nil {
			c.log.Debug("kafka: refreshing a topic's layout failed", "topic", topic, "error", err)
		}
	})
}

// refresh looks up a topic's layout unless somebody has done so after doubt
// arose at the time given.
func (c *cluster) refresh(ctx context.Context, topic string, doubt time.Time) error {
	select {
	case c.refreshing <- struct{}{}:
		defer func() { <-c.refreshing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.RLock()
	fresh := c.topics[topic].seen.After(doubt)
	c.mu.RUnlock()
	if fresh {
		return nil
	}
	_, err := c.describe(ctx, topic)
	return err
}

// metadataByID is the version of metadata in which topics have their ids.
const metadataByID int16 = 12

// describe asks for the layout of topics now and remembers it. A topic that is
// another one than before is a *RemadeError, and has no layout.
func (c *cluster) describe(ctx context.Context, topics ...string) (*kmsg.MetadataResponse, error) {
	asked := time.Now()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // nil would mean all of them
	for _, topic := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
	}
	// Any broker knows; so one that stands still need not be waited for long.
	attempt, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout/3)
	defer cancel()
	got, err := c.speak(attempt, anyBroker, req, metadataByID)
	if err != nil {
		return nil, fmt.Errorf("asking for the layout of %q: %w", topics, err)
	}
	res := got.(*kmsg.MetadataResponse)
	var errs []error
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range res.Brokers {
		c.brokers[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	for i := range res.Topics {
		if err := c.learn(&res.Topics[i], asked); err != nil {
			errs = append(errs, fmt.Errorf("layout of topic %q: %w", nameOf(&res.Topics[i]), err))
		}
	}
	return res, errors.Join(errs...)
}

func nameOf(t *kmsg.MetadataResponseTopic) string {
	if t.Topic == nil {
		return ""
	}
	return *t.Topic
}

// learn remembers a topic's layout. The caller holds mu.
func (c *cluster) learn(t *kmsg.MetadataResponseTopic, asked time.Time) error {
	name := nameOf(t)
	var err error
	if t.ErrorCode != 0 {
		err = kafkago.Error(t.ErrorCode)
	} else {
		err = c.sameTopic(name, t.TopicID)
	}
	if err != nil {
		delete(c.topics, name)
		return err
	}
	n := 0
	for _, p := range t.Partitions {
		n = max(n, int(p.Partition)+1)
	}
	l := topicLayout{leaders: slices.Repeat([]int32{-1}, n), seen: asked}
	for _, p := range t.Partitions {
		l.leaders[p.Partition] = p.Leader
	}
	c.topics[name] = l
	return nil
}

// ask sends one of kafka-go's requests to a broker of our choice.
func ask[Answer protocol.Message](ctx context.Context, c *cluster, broker int32, req protocol.Message) (Answer, error) {
	var zero Answer
	got, err := c.exchange(ctx, broker, req.ApiKey(), func(conn *protocol.Conn, version int16) (any, error) {
		if p, ok := req.(protocol.PreparedMessage); ok {
			p.Prepare(version)
		}
		return protocol.RoundTrip(conn, version, 1, c.cfg.ClientID, req)
	})
	if err != nil {
		return zero, err
	}
	answer, ok := got.(Answer)
	if !ok {
		return zero, fmt.Errorf("broker %d answered %T to %s", broker, got, req.ApiKey())
	}
	return answer, nil
}

// exchange lends talk a connection to the broker for one request and its
// answer. An error from talk closes the connection.
func (c *cluster) exchange(ctx context.Context, broker int32, key protocol.ApiKey,
	talk func(*protocol.Conn, int16) (any, error)) (any, error) {
	addr := kafkago.TCP(c.cfg.Brokers...)
	if broker != anyBroker {
		c.mu.RLock()
		known, ok := c.brokers[broker]
		c.mu.RUnlock()
		if !ok {
			return nil, fmt.Errorf("broker %d: %w", broker, kafkago.BrokerNotAvailable)
		}
		addr = kafkago.TCP(known)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout)
	defer cancel()
	got, err := c.transport.RoundTrip(ctx, addr, &exchange{ctx: ctx, key: key, talk: talk})
	if err != nil {
		return nil, err
	}
	return got.(*exchanged).answer, nil
}

// exchange is a request that kafka-go routes and lends a connection to, but
// neither encodes nor decodes.
type exchange struct {
	ctx     context.Context // it lives exactly as long as the request
	key     protocol.ApiKey
	talk    func(*protocol.Conn, int16) (any, error)
	version int16
}

// exchanged hides the type of an answer from the Transport, which for some
// types waits for its own metadata to follow.
type exchanged struct {
	key    protocol.ApiKey
	answer any
}

var (
	_ protocol.Message      = (*exchange)(nil)
	_ protocol.RawExchanger = (*exchange)(nil)
)

func (e *exchange) ApiKey() protocol.ApiKey  { return e.key }
func (e *exchanged) ApiKey() protocol.ApiKey { return e.key }

func (e *exchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.version = versions[e.key]
	return true
}

func (e *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	conn, ok := rw.(*protocol.Conn)
	if !ok {
		return nil, fmt.Errorf("kafka-go lent a %T instead of a connection", rw)
	}
	// A long poll would otherwise keep the connection, and the goroutine that
	// reads from it, long after everybody has left.
	stop := context.AfterFunc(e.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	answer, err := e.talk(conn, e.version)
	if !stop() {
		return nil, errors.Join(context.Cause(e.ctx), err)
	}
	if err != nil {
		return nil, err
	}
	return &exchanged{key: e.key, answer: answer}, nil
}
