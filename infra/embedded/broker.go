package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	// maxBatchBytes is the largest record batch that the broker takes. An
	// event may be 256 KiB; a dead letter carries one whole with its headers;
	// producers put some hundreds of events in a batch.
	maxBatchBytes = 16 << 20

	// segmentBytes is the size at which a new segment begins. At a start each
	// partition has one segment in memory at a time.
	segmentBytes = 32 << 20

	// maxRequestBytes is Kafka's own socket.request.max.bytes.
	maxRequestBytes = 100 << 20

	// Committed offsets of a group without members expire after 7 days by
	// Kafka's default. A laptop may sleep longer than that. kfake holds them
	// against a time.Duration, which 292 years would overflow: then it forgets
	// all of them at its next look, every 10 minutes.
	offsetsRetention = 100 * 365 * 24 * time.Hour

	defaultPartitions = 4
)

// BrokerConfig says where and how the embedded broker runs.
type BrokerConfig struct {
	// Dir is the data directory; the broker keeps its log in Dir/kafka.
	Dir string
	// Addr is the loopback address to listen on, host:port; port 0 takes any
	// free one. The default is 127.0.0.1:0.
	Addr string
	// Advertise is the address that clients are told to use, where they reach
	// the broker by another than the one it listens on: through a tunnel or a
	// proxy. The default is the address it listens on.
	Advertise string
	// Partitions is how many a topic gets that is created without a number;
	// the default is 4.
	Partitions int
	// AutoCreateTopics lets a client create a topic by asking for it. It is
	// off by default: events sent to a mistyped topic would be taken and
	// never read.
	AutoCreateTopics bool
	// Authenticate says who brings a token, which clients send as the password
	// of SASL PLAIN; an error refuses them, and its text is what they are told.
	// Nil lets everybody in who reaches the address. Connections of Broker.Dial
	// are not asked.
	Authenticate func(token string) (*Principal, error)
	// Groups are consumer groups that nobody but connections of Broker.Dial,
	// and who is Own, may join or commit for: what they have committed is what
	// is booked.
	Groups []string
	// OwnHeaders are headers of records that are believed, and so must come
	// from connections of Broker.Dial, or from who is Own. Records of others
	// that have one are refused.
	OwnHeaders []string
	// NameHeader is the header that a record gets where Principal.MaySend says so: the name of who sent it.
	NameHeader string
	// MaySend is Principal.MaySend of everybody who isn't asked who they are.
	MaySend func(headers map[string]string, value []byte) (sign bool, err error)
	// Private are topics that nobody but connections of Broker.Dial, and who is
	// Own, may read or write: what is in them is not for who may read the rest.
	Private []string
	// Logger takes the broker's own log; nil discards it.
	Logger *slog.Logger

	cluster      *atomic.Pointer[kfake.Cluster] // once it is there: who asks for a topic may give its id alone
	refused      *refusals
	segmentBytes int           // for tests: many segments from few records
	offsetsCheck time.Duration // for tests: how often expired offsets are looked for
	// for tests: how often to look for members that are gone, and how long to
	// miss them
	memberCheckEvery, memberPatience time.Duration
	mostProducers                    int           // for tests: see the constant
	loginTime, bodyTime              time.Duration // for tests: see the constants
}

// Validate says what is wrong with the configuration.
func (c BrokerConfig) Validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("broker: Dir is empty"))
	}
	if c.Addr != "" {
		if _, _, err := loopback(c.Addr); err != nil {
			errs = append(errs, fmt.Errorf("broker: Addr: %w", err))
		}
	}
	if c.Advertise != "" {
		if _, err := net.ResolveTCPAddr("tcp", c.Advertise); err != nil {
			errs = append(errs, fmt.Errorf("broker: Advertise: %w", err))
		}
	}
	if c.Partitions < 0 {
		errs = append(errs, fmt.Errorf("broker: Partitions is negative: %d", c.Partitions))
	}
	return errors.Join(errs...)
}

func (c BrokerConfig) withDefaults() BrokerConfig {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Partitions == 0 {
		c.Partitions = defaultPartitions
	}
	if c.segmentBytes == 0 {
		c.segmentBytes = segmentBytes
	}
	if c.offsetsCheck == 0 {
		c.offsetsCheck = 10 * time.Minute // Kafka's default
	}
	if c.memberCheckEvery == 0 {
		c.memberCheckEvery, c.memberPatience = memberCheckEvery, memberPatience
	}
	if c.mostProducers == 0 {
		c.mostProducers = mostProducers
	}
	if c.loginTime == 0 {
		c.loginTime, c.bodyTime = loginTime, bodyTime
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.cluster, c.refused = new(atomic.Pointer[kfake.Cluster]), new(refusals)
	return c
}

// loopback splits an address and refuses one that other machines could reach:
// the embedded broker has no users.
func loopback(addr string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("splitting %q: %w", addr, err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() {
		return "", 0, fmt.Errorf("%q is not a loopback address", addr)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("reading the port of %q: %w", addr, err)
	}
	return host, int(n), nil
}

// Broker is a running embedded broker.
type Broker struct {
	cluster     *kfake.Cluster
	addr        string
	log         *brokerLog
	connections *connections
	refused     *refusals
	stop        context.CancelFunc
	watching    sync.WaitGroup
	close       sync.Once
	err         error
}

// StartBroker opens the log under cfg.Dir and serves the Kafka protocol on a
// loopback address until Close. Every topic's log is read once at the start,
// so the start takes longer as history grows; ctx bounds the wait for it.
func StartBroker(ctx context.Context, cfg BrokerConfig) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	host, port, err := loopback(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("broker: Addr: %w", err)
	}
	dir := filepath.Join(cfg.Dir, "kafka")
	if ctx.Err() != nil { // nothing that has begun to read the log can be called back
		return nil, fmt.Errorf("starting broker in %s: %w", dir, context.Cause(ctx))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating broker directory: %w", err)
	}
	// After a clean stop kfake would bring back the members that its groups
	// had. They lived in the stopped process, never answer again, and hold
	// their partitions until their session times out. Without the file a
	// clean start is like one after a crash: members join again, at once.
	if err := os.Remove(filepath.Join(dir, "session_state.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("forgetting group members of the last run: %w", err)
	}
	if n, err := refreshSummaries(dir); err != nil {
		return nil, fmt.Errorf("preparing the broker's log: %w", err)
	} else if n > 0 {
		cfg.Logger.Info("broker was not stopped in good order, its log is whole", "partitions", n)
	}

	log := &brokerLog{log: cfg.Logger}
	open := new(connections)
	members := &memberWatch{connections: open, log: cfg.Logger, watch: cfg.memberCheckEvery, wait: cfg.memberPatience}
	opts := cfg.options(dir, log, members, net.JoinHostPort(host, strconv.Itoa(port)))
	type started struct {
		cluster *kfake.Cluster
		err     error
	}
	done := make(chan started, 1)
	go func() {
		c, err := kfake.NewCluster(opts...)
		done <- started{c, err}
	}()
	select {
	case s := <-done:
		if s.err != nil {
			return nil, fmt.Errorf("starting broker in %s: %w", dir, s.err)
		}
		cfg.cluster.Store(s.cluster)
		debug.FreeOSMemory() // reading the log left whole segments behind
		b := &Broker{cluster: s.cluster, addr: s.cluster.ListenAddrs()[0], log: log, connections: open,
			refused: cfg.refused}
		watch, stop := context.WithCancel(context.WithoutCancel(ctx))
		b.stop = stop
		b.watching.Go(func() { members.run(watch) })
		cfg.Logger.Info("broker started", "addr", b.addr, "dir", dir)
		return b, nil
	case <-ctx.Done():
		go func() {
			if s := <-done; s.err == nil {
				s.cluster.Close()
			}
		}()
		return nil, fmt.Errorf("starting broker in %s: %w", dir, context.Cause(ctx))
	}
}

// options are what kfake is told.
func (cfg BrokerConfig) options(dir string, log *brokerLog, members *memberWatch, addr string) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.MaxVersions(versions()),
		kfake.ClusterID("makegood"),
		kfake.DefaultNumPartitions(cfg.Partitions),
		kfake.DataDir(dir),
		kfake.SyncWrites(),
		kfake.WithLogger(log),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			l, err := net.Listen(network, addr)
			if err != nil {
				return nil, fmt.Errorf("broker: %w", err)
			}
			members.addr = l.Addr().String()
			return cfg.advertised(guardedListener{l, newGuard(&cfg, members.connections)})
		}),
		// The log is the record of what was accepted: nothing expires.
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":          "-1",
			"log.retention.bytes":       "-1",
			"log.segment.bytes":         strconv.Itoa(cfg.segmentBytes),
			"offsets.retention.minutes": strconv.Itoa(int(offsetsRetention / time.Minute)),

			"offsets.retention.check.interval.ms": strconv.Itoa(int(cfg.offsetsCheck / time.Millisecond)),
			"message.max.bytes":                   strconv.Itoa(maxBatchBytes),
		}),
	}
	if cfg.AutoCreateTopics {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	return opts
}

// versions are those of requests that the broker speaks: of a produce request
// the last that names topics, since guard doesn't know their numbers.
func versions() *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(int16(kmsg.Produce), 12)
	return v
}

// Addr returns the address that the broker listens on, host:port.
func (b *Broker) Addr() string { return b.addr }

// Dial connects to the broker as makegood itself: without SASL, and with
// headers that are believed. It is for this process's own clients; addresses
// that aren't the broker's are connected to like any other.
func (b *Broker) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return b.connections.dial(ctx, network, address)
}

// Close stops the broker and writes what a fast start wants to find. All that
// was acknowledged is on disk already. Consumers and producers of this process
// should be closed before it.
func (b *Broker) Close() error {
	b.close.Do(func() {
		b.stop()
		b.cluster.Close()
		b.watching.Wait()
		if err := b.log.failure(); err != nil {
			b.err = fmt.Errorf("closing broker: %w", err)
		}
	})
	return b.err
}

// brokerLog hands kfake's log on. What kfake can't do at Close it only logs,
// so errors are kept for the caller as well.
type brokerLog struct {
	log *slog.Logger

	mu   sync.Mutex
	errs []error
}

const maxKeptErrors = 8

// Logf is kfake's logging interface.
func (l *brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
		l.mu.Lock()
		if len(l.errs) < maxKeptErrors {
			l.errs = append(l.errs, fmt.Errorf(format, args...))
		}
		l.mu.Unlock()
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	if l.log.Enabled(context.Background(), to) {
		l.log.Log(context.Background(), to, fmt.Sprintf(format, args...), "part", "broker")
	}
}

func (l *brokerLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}

// advertised makes a listener answer to the address that clients are to use:
// kfake tells them what its listener says.
func (c BrokerConfig) advertised(l net.Listener) (net.Listener, error) {
	if c.Advertise == "" {
		return l, nil
	}
	addr, err := net.ResolveTCPAddr("tcp", c.Advertise)
	if err != nil {
		return nil, fmt.Errorf("broker: Advertise: %w", errors.Join(err, l.Close()))
	}
	return advertisedListener{l, addr}, nil
}

type advertisedListener struct {
	net.Listener
	addr net.Addr
}

func (l advertisedListener) Addr() net.Addr { return l.addr }
