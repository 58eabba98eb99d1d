package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/ledger"
)

// patience is how long brokers, or a server of ClickHouse, have to answer: they may just be choosing who leads.
const patience = 10 * time.Second

// Examine looks at what a deployment needs: brokers, topics, the projectors' group, and the servers of ClickHouse, with
// the config that its processes have. It changes nothing there, and goes on where something doesn't answer. Its error
// says that the config is wrong, or that it names no brokers or no ClickHouse.
//
// Codes of what is found: brokers, topic, group, skew; connect, version, database, engines, schema, settings,
// mutations, shadows, replicas, disk, rights, clock.
func Examine(ctx context.Context, config Config, logger *slog.Logger) ([]ledger.Finding, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Embedded() {
		return nil, errors.New("--brokers and --clickhouse are wanted: what runs inside makegood is not looked at here " +
			"(see makegood status)")
	}
	a := &App{Config: config, logger: logger, Now: time.Now, Brokers: config.Brokers}
	var err error
	if a.secured, err = config.Kafka.Config(logger); err != nil {
		return nil, err
	}
	found := a.examineKafka(ctx)
	return append(found, a.examineStore(ctx)...), nil
}

func (a *App) examineKafka(ctx context.Context) []ledger.Finding {
	where := "Kafka " + strings.Join(a.Brokers, ",")
	admin, err := kafka.NewAdmin(a.kafkaConfig())
	if err != nil {
		return []ledger.Finding{{Where: where, Code: "brokers", Wrong: err.Error(), Do: "mend the flags"}}
	}
	defer admin.Close()
	if err := admin.Ping(ctx); err != nil {
		return []ledger.Finding{{Where: where, Code: "brokers", Wrong: err.Error(), Do: "look at the brokers, and at how " +
			"they let makegood in (--kafka-…)"}}
	}
	specs := a.logSpecs()
	topics := make([]ledger.Finding, len(specs))
	var group []ledger.Finding
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all sync.WaitGroup
	for i, spec := range specs {
		all.Go(func() { topics[i] = examineTopic(ctx, admin, spec) })
	}
	all.Go(func() { group = a.examineGroup(ctx, admin) })
	all.Wait()
	return slices.Concat([]ledger.Finding{{Where: where, Code: "brokers", Seen: "answer"}}, topics, group)
}

func examineTopic(ctx context.Context, admin *kafka.Admin, spec kafka.TopicSpec) ledger.Finding {
	f := ledger.Finding{Where: "topic " + spec.Name, Code: "topic", Seen: "as makegood makes it"}
	differences, err := admin.CompareTopic(ctx, spec)
	if err != nil {
		f.Wrong, f.Seen = err.Error(), ""
		f.Do = "the first process that serves makes a topic that is missing, where it may"
		return f
	}
	var said []string
	for _, d := range differences {
		said = append(said, fmt.Sprintf("%s is %s and not %s", d.What, d.Have, d.Want))
	}
	if len(said) > 0 {
		f.Wrong, f.Seen = strings.Join(said, "; "), ""
		f.Do = "kafka-configs.sh --alter, or leave it if you know why (infra/kafka's package documentation)"
	}
	return f
}

// examineGroup looks at what the projectors' group has still to book, and at how the records lie in the partitions.
func (a *App) examineGroup(ctx context.Context, admin *kafka.Admin) []ledger.Finding {
	f := ledger.Finding{Where: "group " + a.Config.Group, Code: "group"}
	topics := a.Config.topics()
	ends, err := admin.Ends(ctx, topics...)
	var starts, committed map[kafka.TopicPartition]int64
	if err == nil {
		starts, err = admin.Starts(ctx, topics...)
	}
	if err == nil {
		committed, err = admin.Committed(ctx, a.Config.Group, topics...)
	}
	if err != nil {
		f.Wrong, f.Do = err.Error(), "look at the brokers; where a topic is missing, the first process that serves makes it"
		return []ledger.Finding{f}
	}
	behind, records := map[kafka.TopicPartition]int64{}, map[kafka.TopicPartition]int64{}
	for tp, end := range ends {
		records[tp] = end - starts[tp]
		// Of a topic made again the group may have committed more.
		behind[tp] = max(end-max(committed[tp], starts[tp]), 0)
	}
	all, most, of := fullest(behind)
	f.Seen = fmt.Sprintf("%d records are not booked yet", all)
	const many = 100_000
	if all > many {
		f.Wrong = fmt.Sprintf("%s, %d of them in %s, partition %d", f.Seen, of, most.Topic, most.Partition)
		f.Do = "run more projectors, up to one for each partition, or look at why they stand still (makegood status)"
	}
	found := []ledger.Finding{f}
	for _, topic := range topics {
		if skew, ok := examineSkew(topic, records); ok {
			found = append(found, skew)
		}
	}
	return found
}

// fullest gives the sum over all partitions, and the partition that holds most with what it holds. Of two that hold the
// same it is the first by topic and number.
func fullest(of map[kafka.TopicPartition]int64) (sum int64, most kafka.TopicPartition, n int64) {
	n = -1
	for tp, here := range of {
		sum += here
		first := tp.Topic < most.Topic || tp.Topic == most.Topic && tp.Partition < most.Partition
		if here > n || here == n && first {
			most, n = tp, here
		}
	}
	return sum, most, n
}

// examineSkew looks at how even the partitions of a topic are. An order's events lie in one partition, which one
// projector books: where most orders lie in one, the other projectors wait. Nothing is said of a topic with one
// partition, or with too few records to tell.
func examineSkew(topic string, records map[kafka.TopicPartition]int64) (f ledger.Finding, ok bool) {
	mine := map[kafka.TopicPartition]int64{}
	for tp, n := range records {
		if tp.Topic == topic {
			mine[tp] = n
		}
	}
	sum, most, n := fullest(mine)
	const enough = 10_000
	if len(mine) < 2 || sum < enough {
		return f, false
	}
	share := n * 100 / sum
	f = ledger.Finding{Where: "topic " + topic, Code: "skew"}
	f.Seen = fmt.Sprintf("the fullest of %d partitions holds %d %% of the records", len(mine), share)
	// Two and a half times an even share; of two partitions, nearly all.
	if share > min(90, 250/int64(len(mine))) {
		f.Wrong = fmt.Sprintf("partition %d holds %d %% of the records of %d partitions", most.Partition, share, len(mine))
		f.Do = "let producers key their records by order_id (else error_id), and choose the partition by the key"
	}
	return f, true
}

// examineStore looks at each server of ClickHouse.
func (a *App) examineStore(ctx context.Context) []ledger.Finding {
	config, err := a.storeConfig()
	var servers []clickhouse.Server
	var closeAll func() error
	if err == nil {
		servers, closeAll, err = clickhouse.Look(ctx, config, ledger.Migrations())
	}
	if err != nil {
		return []ledger.Finding{{Where: "ClickHouse", Code: "connect", Wrong: err.Error(),
			Do: "look at --clickhouse, --clickhouse-cluster and the password"}}
	}
	var found []ledger.Finding
	var versions []string
	for _, s := range servers {
		all, version := a.examineServer(ctx, s)
		for i := range all {
			all[i].Where = "ClickHouse " + s.Addr
		}
		found = append(found, all...)
		if version != "" && !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	if len(versions) > 1 {
		found = append(found, ledger.Finding{Where: "ClickHouse", Code: "version",
			Wrong: "the servers are of several versions: " + strings.Join(versions, ", "),
			Do:    "run one version on all of them"})
	}
	if err := closeAll(); err != nil {
		a.logger.Warn("a connection could not be closed", "error", err)
	}
	return found
}

func (a *App) examineServer(ctx context.Context, s clickhouse.Server) (found []ledger.Finding, version string) {
	switch {
	case s.Err != nil:
		return []ledger.Finding{{Code: "connect", Wrong: s.Err.Error(), Do: "start it, or mend the way to it"}}, ""
	case s.DB == nil || s.Version == 0:
		return []ledger.Finding{{Code: "database", Wrong: "there are no books yet",
			Do: "start a process that serves: it makes them"}}, ""
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.DB.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		return []ledger.Finding{{Code: "connect", Wrong: err.Error(), Do: "look at the server"}}, ""
	}
	f := ledger.Finding{Code: "version", Seen: fmt.Sprintf("ClickHouse %s, schema %d", version, s.Version)}
	switch {
	case s.Version < s.Newest:
		f.Wrong = fmt.Sprintf("the schema has the version %d, this program's is %d", s.Version, s.Newest)
		f.Do = "start a process of this version while all servers are up"
	case s.Version > s.Newest:
		f.Wrong = fmt.Sprintf("the schema has the version %d, this program knows %d", s.Version, s.Newest)
		f.Do = "use the version of makegood that serves"
	}
	found = append(found, f)
	all, err := ledger.Examine(ctx, s.DB, a.Config.ClickHouseCluster != "", a.Now)
	if err != nil {
		all = append(all, ledger.Finding{Code: "connect", Wrong: err.Error(), Do: "look at the server and the user's rights"})
	}
	return append(found, all...), version
}
