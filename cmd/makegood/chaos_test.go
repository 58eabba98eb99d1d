//go:build chaos

// Chaos: makegood run apart, as in production, while everything that it stands on fails at random moments; in the end
// the books must be those of the independent reference, to the cent.
//
//	go test -tags chaos -run TestChaos ./cmd/makegood -v -timeout 15m
//
// TestChaosEmbeddedBroker has the broker that comes along, TestChaosRealKafka Apache Kafka (Java 17 and Maven are
// needed; they are fetched like those of infra/kafka). In the environment:
//
//	MAKEGOOD_CHAOS_FAULTS      how many faults, 60 unless given; 1000 take about an hour (give -timeout as well)
//	MAKEGOOD_CHAOS_EVENTS      how many events, of blocks beside those that change the terms; six orders a fault unless
//	                           given
//	MAKEGOOD_CHAOS_DUPLICATES  percent of the events that are sent twice, 10 unless given
//	MAKEGOOD_CHAOS_PAUSE       milliseconds at most between the beginnings of two faults, 2000 unless given
//	MAKEGOOD_CHAOS_MINUTES     after which no fault begins any more, where not all of them have
//	MAKEGOOD_CHAOS_SEED        of a run to repeat: the same events, by the same routes, the same faults in the same order
//
// A long run: MAKEGOOD_CHAOS_FAULTS=1000 MAKEGOOD_CHAOS_EVENTS=10000000 go test -tags chaos -run TestChaosRealKafka
// ./cmd/makegood -v -timeout 24h. Each block is a millisecond of the reference's time for each of its events.
//
// What runs: three projectors, two gateways and a mapper, each a process under a supervisor that starts it again
// whenever it ends; a broker and a ClickHouse, processes as well; a proxy before each of these two. Four producers at
// once: two send over HTTP and go to the other gateway when one fails, two write straight to Kafka in both content
// modes, and not by the gateway's partitioner either; and a shop sends its orders as webhooks. Events are shuffled
// within a window, a tenth of them is sent twice by different producers, some break the contract, and every one is sent
// until it is acknowledged. Meanwhile two months are closed, and the journal of each is asked for until it is given as
// final; with Apache Kafka, rates come as well, and months are reopened.
//
// What fails, with a pause between of 0 to 2 seconds, for up to 3 (faults overlap):
//
//   - a projector, gateway or mapper is killed (-9), or told to stop and away for a while (which makes the group
//     rebalance), or stands still (SIGSTOP), some of them for longer than the group waits for a member;
//   - the broker or ClickHouse is killed, stopped in good order, or stands still;
//   - their disk is full. ClickHouse has one of its own (a tmpfs), which shrinks until ClickHouse begins nothing more,
//     and then to what it holds (see fillDisk); where mounting isn't allowed, that is said, and ClickHouse is killed
//     instead. For the broker every write beyond the first 4 KiB of a file fails (RLIMIT_FSIZE of that process, which
//     needs no privilege and fills nothing). ClickHouse itself doesn't bear that: it keeps files that were cut short, a
//     view's definition or a merged part, as if they were whole;
//   - all connections to one of them are cut and no new ones let in, or half of them are cut, or every piece that
//     passes waits, or nothing passes while connections stay open.
//
// What must be true then: no role ended that was not told to; journals that were final are byte for byte the same; all
// that was acknowledged is in the log; the ledger has every event of the log once, and every entry balances; journal,
// reports and orders equal the independent reference's, which is given the log read back record by record; no row and
// no bucket of the roll-up comes out otherwise when it is settled once more from the log; and every record that breaks
// the contract, or lost to another of its identity, is a dead letter with the bytes that stand in the log. The log of a
// run that fails is kept, cut down where it can be, and said how to replay: see histories_test.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sys/unix"

	"github.com/makegood/makegood/infra/embedded"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

func TestChaosEmbeddedBroker(t *testing.T) {
	chaos(t, false, embeddedBroker, nil)
}

func embeddedBroker(t *testing.T, p *proxy) part {
	addr := freeAddress(t)
	p.target = addr
	m := newHost(t, "broker", hostArguments{Dir: t.TempDir(), Addr: addr, Advertise: p.addr()})
	return hostPart{m}
}

func TestChaosRealKafka(t *testing.T) {
	chaos(t, true, func(t *testing.T, p *proxy) part {
		r := kafkatest.StartReal(t, kafkatest.Options{Advertise: []string{p.addr()}})
		p.target = r.Brokers()[0]
		return kafkaPart{r}
	}, nil)
}

// fault is one thing that goes wrong: after a pause, for a while.
type fault struct {
	after, lasts time.Duration
	target, kind string
	seed         uint64
}

func (f fault) String() string { return fmt.Sprintf("%s: %s for %s", f.target, f.kind, f.lasts) }

var roleKinds = []string{"kill", "kill", "leave", "leave", "pause", "long pause"}

// possible is what can go wrong with what.
var possible = map[string][]string{
	"projector 0":     roleKinds,
	"projector 1":     roleKinds,
	"projector 2":     roleKinds,
	"mapper 0":        roleKinds,
	"gateway 0":       {"kill", "leave", "pause"},
	"gateway 1":       {"kill", "leave", "pause"},
	"broker":          {"kill", "stop", "pause", "full disk"},
	"engine":          {"kill", "stop", "pause", "full disk"},
	"path to broker":  {"cut", "cut half", "slow", "hold"},
	"path to engine":  {"cut", "cut half", "slow", "hold"},
	"path to engine ": {"cut half"}, // more often than the rest: a connection that ends within an insert
}

// plan is what goes wrong, with pauses of less than so many milliseconds, all of it said by the seed.
func plan(random *rand.Rand, possible map[string][]string, n, pause int) []fault {
	targets := slices.Sorted(maps.Keys(possible))
	var faults []fault
	for range n {
		f := fault{target: targets[random.IntN(len(targets))], seed: random.Uint64()}
		kinds := possible[f.target]
		f.target, f.kind = strings.TrimSpace(f.target), kinds[random.IntN(len(kinds))]
		f.after = time.Duration(random.IntN(pause)) * time.Millisecond
		f.lasts = time.Duration(50+random.IntN(3000)) * time.Millisecond
		if f.kind == "long pause" {
			f.lasts += 30 * time.Second // the session timeout of the projectors' group
		}
		faults = append(faults, f)
	}
	return faults
}

// fleet is all that runs.
type fleet struct {
	t              *testing.T
	broker, engine part
	brokerPath     *proxy
	enginePath     *proxy
	roles          map[string]*member
	gateways       []string          // their URLs
	dsn            string            // of ClickHouse itself
	peopleKey      string            // the file
	engineDisk     string            // where it has a disk of its own
	cluster        *cluster          // in place of an engine; nil where there is none
	serverPaths    map[string]*proxy // before the cluster's servers, by "path to" and the name of the part
}

func startFleet(ctx context.Context, t *testing.T, events int, startBroker func(*testing.T, *proxy) part,
	c *cluster) *fleet {
	f := &fleet{t: t, roles: map[string]*member{}, cluster: c}
	f.brokerPath, f.enginePath = startProxy(t, ""), startProxy(t, "")
	f.broker = startBroker(t, f.brokerPath)
	var store []string
	if c != nil {
		f.dsn = c.dsn
		store = []string{"--clickhouse", f.startServerPaths(t), "--clickhouse-cluster", c.name}
	} else {
		store = []string{"--clickhouse", f.startEngine(ctx, t, events)}
	}
	if h, ok := f.broker.(hostPart); ok {
		if _, err := h.await(ctx); err != nil {
			t.Fatal(err)
		}
	}
	f.startRoles(ctx, t, store)
	return f
}

// startEngine starts a ClickHouse, and gives the address of the proxy before it.
func (f *fleet) startEngine(ctx context.Context, t *testing.T, events int) string {
	_, native, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	nativePort, err := strconv.Atoi(native)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := ownDisk(t, dir, 160<<20+embedded.KeepFree+events*bytesOfEvent); err != nil {
		t.Logf("ClickHouse's disk can't be filled, since it has none of its own: %v", err)
	} else {
		f.engineDisk = dir
	}
	engine := newHost(t, "engine", hostArguments{Dir: dir, NativePort: nativePort})
	f.engine = hostPart{engine}
	report, err := engine.await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	f.dsn = report.DSN
	addr := net.JoinHostPort("127.0.0.1", native)
	f.enginePath.target = addr
	behind := strings.Replace(f.dsn, addr, f.enginePath.addr(), 1)
	if behind == f.dsn {
		t.Fatal("the engine has another address than it was given")
	}
	return behind
}

func (f *fleet) startRoles(ctx context.Context, t *testing.T, store []string) {
	f.peopleKey = filepath.Join(t.TempDir(), "people.key")
	common := append(store, "--brokers", f.brokerPath.addr(), "--data-dir", filepath.Join(t.TempDir(), "none"),
		"--people-key", f.peopleKey)
	tills := chaosTills(t)
	for i := range 2 {
		addr := freeAddress(t)
		f.gateways = append(f.gateways, "http://"+addr)
		name := fmt.Sprintf("gateway %d", i)
		f.roles[name] = newRole(t, name, append(common, "--roles", "gateway", "--http", addr, "--tills", tills)...)
	}
	f.roles["mapper 0"] = newRole(t, "mapper 0", append(common, "--roles", "mapper", "--http", freeAddress(t), "--tills",
		tills)...)
	for i := range 3 {
		name := fmt.Sprintf("projector %d", i)
		f.roles[name] = newRole(t, name, append(common, "--roles", "projector", "--http", freeAddress(t))...)
	}
	for _, m := range f.roles {
		if _, err := m.await(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// do lets one fault happen, from its beginning to its end.
func (f *fleet) do(ctx context.Context, x fault) error {
	wait := func() {
		select {
		case <-ctx.Done():
		case <-time.After(x.lasts):
		}
	}
	if m := f.roles[x.target]; m != nil {
		switch x.kind {
		case "kill":
			m.end(syscall.SIGKILL)
			wait()
			return m.begin()
		case "leave":
			m.end(syscall.SIGTERM)
			wait()
			return m.begin()
		default:
			m.signal(syscall.SIGSTOP)
			wait()
			m.signal(syscall.SIGCONT)
			return nil
		}
	}
	if f.cluster != nil && slices.Contains(f.cluster.parts, x.target) {
		return f.fail(ctx, f.cluster.part(x.target), x, wait)
	}
	switch x.target {
	case "broker":
		return f.fail(ctx, f.broker, x, wait)
	case "engine":
		if x.kind == "full disk" {
			if f.engineDisk != "" {
				return f.fillEngineDisk(ctx, wait)
			}
			x.kind = "kill"
		}
		return f.fail(ctx, f.engine, x, wait)
	}
	p := f.serverPaths[x.target]
	switch x.target {
	case "path to broker":
		p = f.brokerPath
	case "path to engine":
		p = f.enginePath
	}
	switch x.kind {
	case "cut":
		p.block(true)
		p.cut(nil)
		wait()
		p.block(false)
	case "cut half":
		p.cut(rand.New(rand.NewPCG(x.seed, 4)))
	case "slow":
		p.slowDown(time.Duration(1+x.seed%40) * time.Millisecond)
		wait()
		p.slowDown(0)
	case "hold":
		release := p.hold()
		wait()
		release()
	}
	return nil
}

// fail lets something happen to the broker or ClickHouse, and waits until it is back.
func (f *fleet) fail(ctx context.Context, p part, x fault, wait func()) error {
	switch x.kind {
	case "pause":
		if err := p.pause(); err != nil {
			return err
		}
		wait()
		return p.resume()
	case "full disk":
		limit := func(size uint64) error {
			pid := p.pid()
			if pid == 0 {
				return nil
			}
			err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil)
			if errors.Is(err, unix.ESRCH) {
				return nil // it ended of it
			}
			return err
		}
		if err := limit(4 << 10); err != nil {
			return err
		}
		wait()
		if err := limit(unix.RLIM_INFINITY); err != nil {
			return err
		}
		// There is room again. Sometimes the embedded broker goes on with it, sometimes it is started again; Apache Kafka
		// doesn't use a directory again that failed it.
		if _, real := p.(kafkaPart); !real && x.seed%2 == 0 {
			return nil
		}
		if err := p.kill(); err != nil {
			return err
		}
	case "stop":
		if err := p.stop(); err != nil {
			return err
		}
		wait()
	default:
		if err := p.kill(); err != nil {
			return err
		}
		wait()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return p.start(ctx)
}

// ownDisk gives a directory a disk of its own, of so many bytes.
func ownDisk(t *testing.T, dir string, size int) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return nil
}

// fillEngineDisk leaves nothing of ClickHouse's disk for a while. It is asked by its own address, so that no fault of
// the path to it bears on that.
func (f *fleet) fillEngineDisk(ctx context.Context, wait func()) error {
	options, err := clickhousego.ParseDSN(f.dsn)
	if err != nil {
		return err
	}
	db, err := clickhousego.Open(options)
	if err != nil {
		return err
	}
	empty, err := fillDisk(ctx, db, f.engineDisk)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	wait()
	return empty()
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func duplicates(t *testing.T) int { return int(number(t, "MAKEGOOD_CHAOS_DUPLICATES", 10)) }

func chaos(t *testing.T, stamps bool, startBroker func(*testing.T, *proxy) part, c *cluster) {
	faults := int(number(t, "MAKEGOOD_CHAOS_FAULTS", 60))
	pause := number(t, "MAKEGOOD_CHAOS_PAUSE", 2000)
	minutes := number(t, "MAKEGOOD_CHAOS_MINUTES", 1<<20)
	seed := number(t, "MAKEGOOD_CHAOS_SEED", uint64(time.Now().UnixNano()))
	settings := fmt.Sprintf("MAKEGOOD_CHAOS_SEED=%d MAKEGOOD_CHAOS_FAULTS=%d MAKEGOOD_CHAOS_EVENTS=%d "+
		"MAKEGOOD_CHAOS_DUPLICATES=%d MAKEGOOD_CHAOS_PAUSE=%d", seed, faults, number(t, "MAKEGOOD_CHAOS_EVENTS", 0),
		duplicates(t), pause)
	t.Log(settings)
	defer func() {
		if t.Failed() {
			t.Logf("again: %s go test -tags chaos -run %s ./cmd/makegood", settings, t.Name())
		}
	}()
	begun := time.Now()
	traffic := newTraffic(t, seed, faults, stamps)
	limit := time.Duration(faults)*10*time.Second + 5*time.Minute + time.Duration(traffic.volume.blocks)*10*time.Second
	if c != nil {
		limit *= 2 // each insert is done by all servers
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	f := startFleet(ctx, t, traffic.volume.blocks*eventsOfBlock, startBroker, c)
	traffic.sendBooks(ctx, t, f)

	producing, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	var producers sync.WaitGroup
	for _, produce := range traffic.producers(t, f) {
		producers.Go(func() {
			if err := produce(producing); err != nil {
				abort(err)
			}
		})
	}
	within := time.Duration(minutes) * time.Minute
	faulty := plan(rand.New(rand.NewPCG(seed, 5)), f.possible(), faults, int(pause))
	happened := f.happen(producing, t, faulty, within, traffic, abort)
	traffic.allow(1)
	producers.Wait()
	if err := context.Cause(producing); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	t.Logf("%d faults and %d events sent in %s", happened, traffic.sent.Load(), time.Since(begun).Round(time.Second))
	for _, m := range f.roles {
		if _, err := m.await(ctx); err != nil {
			t.Fatal(err)
		}
	}
	f.check(ctx, t, traffic, seed)
	lives := 0
	for _, m := range f.roles {
		lives += m.lives
		for _, end := range m.unasked() {
			t.Errorf("seed %d: %s", seed, end)
		}
	}
	t.Logf("the roles lived %d times; all is compared after %s", lives, time.Since(begun).Round(time.Second))
}

// happen lets the faults happen, one after the other begun, each target with one at a time. It begins none after some
// time, and says how many there were.
func (f *fleet) happen(ctx context.Context, t *testing.T, faults []fault, within time.Duration, traffic *traffic,
	abort func(error)) (happened int) {
	begun := time.Now()
	busy := map[string]*sync.Mutex{}
	for _, x := range faults {
		busy[x.target] = new(sync.Mutex)
	}
	var running sync.WaitGroup
	for i, x := range faults {
		select {
		case <-ctx.Done():
		case <-time.After(x.after):
		}
		busy[x.target].Lock()
		if ctx.Err() != nil || time.Since(begun) > within {
			busy[x.target].Unlock()
			break
		}
		happened++
		t.Logf("%3d %s", i+1, x)
		traffic.allow(float64(i+1) / float64(len(faults)+1))
		running.Go(func() {
			defer busy[x.target].Unlock()
			if err := f.do(ctx, x); err != nil {
				abort(fmt.Errorf("fault %d, %s: %w", i+1, x, err))
			}
		})
	}
	running.Wait()
	return happened
}
