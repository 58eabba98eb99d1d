package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	promclient "github.com/prometheus/client_golang/prometheus"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/people"
	"github.com/makegood/makegood/infra/prometheus"
	"github.com/makegood/makegood/infra/tills/pipe"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/rebuild"
	"github.com/makegood/makegood/projections/report"
)

// Config is what serve, and every command that opens the books itself, can be told.
type Config struct {
	DataDir        string        `help:"Where everything embedded lives." default:"makegood-data" type:"path"`
	HTTP           string        `help:"Address to listen on." default:"127.0.0.1:8080"`
	Health         string        `help:"Another address, on which /healthz and /readyz alone are answered."`
	Brokers        []string      `help:"Kafka brokers; without them a broker runs inside."`
	ClickHouse     string        `help:"${clickhouse}" name:"clickhouse"`
	Roles          []string      `help:"${roles}" default:"gateway,projector,exporter,mapper"`
	Tills          string        `help:"${tills}" type:"path"`
	TillsRetention time.Duration `help:"${tills_retention}" default:"2160h"`

	KafkaListen string `help:"${kafka_listen}" default:"127.0.0.1:9092"`
	Prefix      string `help:"Prefix of the topics." default:"makegood."`
	Group       string `help:"Consumer group of the projectors." default:"makegood-projector"`
	Partitions  int    `help:"Partitions of a topic that has to be made." default:"4"`
	Accounts    string `help:"${accounts}" type:"existingfile"`
	Zone        string `help:"Time zone of the books: what a day and a month are." default:"UTC"`

	AcceptTopics []string `help:"${accept_topics}" placeholder:"TOPIC=ID"`

	ClickHouseHTTPPort int `help:"${clickhouse_http_port}" name:"clickhouse-http-port"`

	ClickHouseCluster      string `help:"${clickhouse_cluster}" name:"clickhouse-cluster"`
	ClickHousePasswordFile string `help:"${clickhouse_password_file}" name:"clickhouse-password-file"`

	Access AccessFlags `embed:"" group:"Who gets in:"`
	Kafka  KafkaFlags  `embed:"" prefix:"kafka-" group:"How the brokers let it in:"`
	Limits limitFlags  `embed:"" prefix:"http-" group:"Limits of the gateway, 0 for the default:"`

	People    PeopleFlags    `embed:"" group:"What is kept of people:"`
	Projector ProjectorFlags `embed:"" prefix:"projector-" group:"Limits of the projector, 0 for the default:"`

	MetricLabels int `help:"${metric_labels}" default:"50"`
}

const (
	RoleGateway   = "gateway"
	RoleProjector = "projector"
	RoleExporter  = "exporter"
	RoleMapper    = "mapper" // makes events of what tills sent
)

var roles = []string{RoleGateway, RoleProjector, RoleExporter, RoleMapper}

func (c *Config) Validate() error {
	for _, r := range c.Roles {
		if !slices.Contains(roles, r) {
			return fmt.Errorf("--roles: %q is none of %s", r, strings.Join(roles, ", "))
		}
	}
	if len(c.Roles) == 0 {
		return fmt.Errorf("--roles: at least one of %s", strings.Join(roles, ", "))
	}
	if len(c.Roles) == 1 && c.has(RoleMapper) && c.Tills == "" {
		return errors.New("--tills: a mapper wants to know the tills")
	}
	if c.MetricLabels < 0 {
		return fmt.Errorf("--metric-labels: %d is below zero", c.MetricLabels)
	}
	if c.Partitions < 1 || c.Partitions > 10_000 {
		return fmt.Errorf("--partitions: %d is not between 1 and 10,000", c.Partitions)
	}
	if c.ClickHouseCluster != "" && c.ClickHouse == "" {
		return errors.New("--clickhouse-cluster is for --clickhouse; the engine inside is one server")
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return fmt.Errorf("--zone: %w", err)
	}
	if len(c.Brokers) == 0 && c.Kafka.given() {
		return errors.New("--kafka-tls…, --kafka-sasl, --kafka-user and --kafka-password-file are for --brokers; the " +
			"broker inside is on loopback")
	}
	return errors.Join(c.validateAccess(), c.validatePeople(), c.Limits.validate(), c.Projector.Validate())
}

func (c *Config) Embedded() bool { return len(c.Brokers) == 0 || c.ClickHouse == "" }

func (c *Config) has(role string) bool { return slices.Contains(c.Roles, role) }

func (c *Config) Topic(s domain.Stream) string { return c.Prefix + s.String() }

func (c *Config) topics() []string {
	return []string{c.Topic(domain.Orders), c.Topic(domain.Errors), c.Topic(domain.Redeliveries), c.Topic(domain.Books)}
}

// App is a running makegood: the rooms joined. Close undoes what startApp did, in reverse.
type App struct {
	Config Config
	logger *slog.Logger
	Now    func() time.Time

	Dir       *embedded.DataDir
	Dial      func(ctx context.Context, network, address string) (net.Conn, error) // to the broker inside
	Engine    *embedded.Engine
	Brokers   []string
	Admin     *kafka.Admin
	Publisher *kafka.Publisher
	Store     *clickhouse.Store
	counter   *report.Counter
	Terms     *post.Terms
	Projector *post.Projector
	still     func() []kafka.Problem // partitions that the projector can't read now; nil without a projector

	stillMapping func() []kafka.Problem // the same of the mapper

	problems  atomic.Pointer[[]gateway.LogProblem]
	Rebuilder *rebuild.Rebuilder // of a gateway
	metrics   *promclient.Registry
	address   string   // of the HTTP server
	URL       string   // of the same
	Routes    []string // that it answers

	tills  *pipe.Tills     // nil: nothing of tills is taken in
	events *gateway.Events // see intake
	told   toldLetters

	People  *people.File  // the keys that hide people; nil where nothing is taken in and booked
	privacy *wire.Privacy // what of people is kept

	guard       *access.Guard       // nil: everybody is let in
	certificate *access.Certificate // nil: no HTTPS
	secured     kafka.Config        // how to be let in by the brokers

	failed chan error // the first part that ended by itself
	closes []func() error
	once   sync.Once
	err    error
}

// Start starts everything that the roles want. progress takes what a person waits for: the engine's download.
func Start(ctx context.Context, config Config, logger *slog.Logger, progress io.Writer) (_ *App, err error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	a := &App{Config: config, logger: logger, Now: time.Now, metrics: prometheus.NewRegistry(),
		failed: make(chan error, 8)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := a.prepareAccess(); err != nil {
		return nil, err
	}
	if len(config.Brokers) > 0 {
		if a.secured, err = config.Kafka.Config(logger); err != nil {
			return nil, err
		}
	}
	if err := a.startEmbedded(ctx, progress); err != nil {
		return nil, err
	}
	if err := a.preparePeople(); err != nil {
		return nil, err
	}
	if err := a.connect(ctx); err != nil {
		return nil, err
	}
	if config.has(RoleProjector) {
		if err := a.StartProjector(ctx); err != nil {
			return nil, err
		}
	}
	if config.has(RoleGateway) {
		if err := a.StartRebuilder(); err != nil {
			return nil, err
		}
	}
	if err := a.openTills(ctx); err != nil {
		return nil, err
	}
	if config.has(RoleMapper) {
		if err := a.startMapper(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.startHTTP(ctx); err != nil {
		return nil, err
	}
	if a.Dir != nil {
		if err := a.Dir.Announce(embedded.Announcement{HTTP: a.address, TLS: config.Access.TLSCert != "", Kafka: a.Brokers[0],
			Started: a.Now()}); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// startEmbedded starts what no address was given for.
func (a *App) startEmbedded(ctx context.Context, progress io.Writer) error {
	a.Brokers = a.Config.Brokers
	if !a.Config.Embedded() {
		return nil
	}
	dir, err := embedded.Open(a.Config.DataDir)
	if err != nil {
		return err
	}
	a.Dir = dir
	if dir.Opened != 0 {
		a.logger.Warn("the data directory was open to others, and is closed to them now: what is in it may be theirs",
			"directory", dir.Path(), "mode", fmt.Sprintf("%04o", dir.Opened))
	}
	a.OnClose(dir.Close)
	if a.Config.ClickHouse == "" {
		if a.Engine, err = embedded.StartEngine(ctx, embedded.EngineConfig{Dir: dir.Path(),
			HTTPPort: a.Config.ClickHouseHTTPPort, Logger: a.logger, Progress: progress}); err != nil {
			return err
		}
		a.OnClose(a.Engine.Close)
		go func() {
			<-a.Engine.Done()
			if err := a.Engine.Err(); err != nil {
				a.fail(fmt.Errorf("the embedded ClickHouse ended: %w", err))
			}
		}()
	}
	if len(a.Config.Brokers) == 0 {
		broker, err := a.startBroker(ctx)
		if err != nil {
			return err
		}
		a.OnClose(broker.Close)
		prometheus.WatchBroker(a.metrics, broker.Refused)
		a.Brokers, a.Dial = []string{broker.Addr()}, broker.Dial
	}
	return nil
}

// startBroker listens where it was told to. The usual port is a convenience for producers: where somebody else has it,
// any port will do.
func (a *App) startBroker(ctx context.Context) (*embedded.Broker, error) {
	config := embedded.BrokerConfig{Dir: a.Dir.Path(), Addr: a.Config.KafkaListen, Partitions: a.Config.Partitions,
		Groups:     []string{a.Config.Group, a.Config.Prefix + mapperGroup, a.Config.Prefix + copierGroup},
		NameHeader: ledger.TokenHeader,
		OwnHeaders: []string{ledger.EndsHeader, ledger.FirstHeader, ledger.TokenHeader, ledger.CustomerHeader},
		Private:    []string{a.Config.tillsTopic()}, MaySend: maySend(nil), Logger: a.logger}
	if a.guard != nil {
		config.Authenticate = a.brokerPrincipal
	}
	broker, err := embedded.StartBroker(ctx, config)
	if errors.Is(err, syscall.EADDRINUSE) && config.Addr == usualKafka {
		config.Addr = "127.0.0.1:0"
		return embedded.StartBroker(ctx, config)
	}
	return broker, err
}

// usualKafka is the default of --kafka-listen.
const usualKafka = "127.0.0.1:9092"

func (a *App) kafkaConfig() kafka.Config {
	config := a.secured
	config.Brokers, config.ClientID, config.Logger, config.Dial = a.Brokers, "makegood", a.logger, a.Dial
	return config
}

// connect opens the connections that every role wants, and makes topics and schema.
func (a *App) connect(ctx context.Context) (err error) {
	if a.Admin, err = kafka.NewAdmin(a.kafkaConfig()); err != nil {
		return err
	}
	a.OnClose(a.Admin.Close)
	if err := a.ensureTopics(ctx); err != nil {
		return err
	}
	if a.Publisher, err = kafka.NewPublisher(kafka.PublisherConfig{Config: a.kafkaConfig(),
		Substitute: a.smallerLetter,
		Partitions: map[string]int{a.Config.Topic(domain.Books): 0}}); err != nil {
		return err
	}
	a.OnClose(a.Publisher.Close)
	server, err := a.storeConfig()
	if err != nil {
		return err
	}
	if a.Store, err = clickhouse.Open(ctx, server, ledger.Migrations()); err != nil {
		return err
	}
	a.OnClose(a.Store.Close)
	if err := ledger.CheckSchema(ctx, a.Store.DB); err != nil {
		return err
	}
	if err := a.Store.Everywhere(ctx, ledger.CreateViews); err != nil {
		return err
	}
	if err := a.checkTopics(ctx); err != nil {
		return err
	}
	a.background(ctx, often(looksAtLog, a.watchLog))
	if err := a.createFinanceViews(ctx); err != nil {
		return err
	}
	a.counter = report.NewCounter(a.Store.Watch)
	zone, err := time.LoadLocation(a.Config.Zone)
	if err != nil {
		return err
	}
	books, err := kafka.NewTail(kafka.TailConfig{Config: a.kafkaConfig(), Topic: a.Config.Topic(domain.Books)})
	if err != nil {
		return err
	}
	a.OnClose(books.Close)
	a.Terms = post.NewTerms(booksLog{books}, decode.Log(), decode.Stored, zone)
	return nil
}

// storeConfig says where the books are.
func (a *App) storeConfig() (clickhouse.Config, error) {
	c := clickhouse.Config{DSN: a.Config.ClickHouse, Cluster: a.Config.ClickHouseCluster, Logger: a.logger,
		Check: ledger.CheckEngines}
	if c.Cluster != "" {
		c.Check = ledger.CheckReplicatedEngines
	}
	if c.DSN == "" {
		c.DSN = a.Engine.DSN()
		return c, nil
	}
	password := func() (string, error) {
		return Secret("--clickhouse-password-file", a.Config.ClickHousePasswordFile, "MAKEGOOD_CLICKHOUSE_PASSWORD")
	}
	var err error
	if c.Password, err = password(); err != nil {
		return c, err
	}
	if a.Config.ClickHousePasswordFile != "" {
		c.Renew = password
	}
	return c, nil
}

const (
	// drain bounds how long a projector may take to land what it holds, where it stops or the group's partitions are
	// shared out again. A landing may take more than ten seconds on a busy server.
	drain = 15 * time.Second
	// session is how long the group waits for a silent projector, and so when at the latest the partitions of one that was
	// killed go to others. It leaves a projector that drains and commits ten seconds to join again.
	session = 30 * time.Second
)

func (a *App) subscriberConfig() kafka.SubscriberConfig {
	c := kafka.SubscriberConfig{Config: a.kafkaConfig(), Group: a.Config.Group,
		FetchMaxBytes: 1 << 20, Buffer: 4096, FetchMaxWait: 250 * time.Millisecond, CommitInterval: 100 * time.Millisecond,
		SessionTimeout: session, RebalanceTimeout: session, DrainTimeout: drain,
		InStep: true} // an order is settled together with its errors and redeliveries, which are in other topics
	a.Config.Projector.subscriber(&c)
	return c
}

// collectOften trades a little CPU for memory where nobody has set GOGC: what a projector holds is short-lived, so that
// between two collections as much garbage gathers as there is to keep. makegood bench peaked at 315 MiB with Go's own
// 100, 245 with 50 and 200 with 30; its own CPU rose by some 5 and 10 %.
func collectOften() {
	const percent = 50
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

func (a *App) StartProjector(ctx context.Context) error {
	collectOften()
	subscriber, err := kafka.NewSubscriber(a.subscriberConfig())
	if err != nil {
		return err
	}
	a.still = subscriber.StandingStill
	writer := a.Store.Writer()
	topics := map[domain.Stream]string{}
	for s := domain.Orders; s <= domain.Books; s++ {
		topics[s] = a.Config.Topic(s)
	}
	a.Projector, err = post.New(post.Config{
		Topics: topics, Letters: a.Config.Prefix + deadletter.Topic, Position: Positions(topics), Key: keyOf,
		Original: a.original, Log: bookedLog{a}, Hide: a.hide, SameButHidden: a.sameButHidden,
		HideRow: a.hideRow(), CatchUp: a.Store.CatchUp(),
		Ledger: a.Store.Reader(), Stored: decode.Stored, Now: a.Now, Logger: a.logger,
		MaxRows: a.Config.Projector.Batch, Landed: prometheus.NewLandings(a.metrics).Landed,
	}, subscriber, a.Publisher, decode.Private(a.privacy), a.Terms, writer, a.Store.DB)
	if err != nil {
		return err
	}
	// The work outlives ctx. Close first stops it, and then closes what it reads from and writes to.
	a.OnClose(func() error { return errors.Join(subscriber.Close(), writer.Close()) })
	a.background(ctx,
		named("the projector", func(ctx context.Context) error { return a.Projector.Run(ctx, drain) }),
		named("the watch for conflicts", a.Projector.WatchConflicts),
		named("the watch over the store", a.Projector.WatchStore),
		named("the watch for people", a.Projector.WatchPeople),
		often(sealing, a.NewSealer().watch))
	return nil
}

// fail notes that a part ended by itself.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Failed delivers the error of a part that ended by itself: nothing can go on without it.
func (a *App) Failed() <-chan error { return a.failed }

func (a *App) OnClose(f func() error) { a.closes = append(a.closes, f) }

// Close stops taking events in, lands what is held, and stops the rest.
func (a *App) Close() error {
	a.once.Do(func() {
		for _, f := range slices.Backward(a.closes) {
			a.err = errors.Join(a.err, f())
		}
	})
	return a.err
}
