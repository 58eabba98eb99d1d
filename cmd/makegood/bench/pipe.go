package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/ledger"
)

// pipe lets ClickHouse's own Kafka engine and makegood's projector read the same topic on the same server in turns.
//
// On two virtual CPUs that held broker, server and projector and did nothing else, five rounds of a million events gave
// medians of 73,000 events a second for the engine and 129,000 for the projector, with 20.4 and 14.6 µs of CPU an
// event: ratios of 1.76 (1.51 to 1.80) in wall time and 1.40 in CPU. The projector's process peaked at 250 MiB. Of the
// 14.6, half are the server's, who inserts, feeds and merges (see infra/clickhouse), and four tenths the projector's
// own: decoding is 40 % of those, messages and their acknowledgements 25 %, columns 11 %, collecting garbage 10 %. On
// the same machine with others on it, the same five rounds gave 1.52: measure on a quiet one.
func (b *bench) pipe(ctx context.Context) error {
	b.say("\npipe: (a) ClickHouse's Kafka engine + materialized view lands typed columns; (b) makegood posts and lands " +
		"the whole ledger")
	b.say("CPU: µs an event of all processes together (this one + server + broker)")
	var theirs, ours, cpuTheirs, cpuOurs, ratios []float64
	var worst usage
	for round := range b.Rounds {
		a, err := b.kafkaEngine(ctx)
		if err != nil {
			return fmt.Errorf("the Kafka engine: %w", err)
		}
		o, err := b.projector(ctx, b.profile(strconv.Itoa(round+1)))
		if err != nil {
			return fmt.Errorf("the projector: %w", err)
		}
		theirs, ours, ratios, worst = append(theirs, a.rate), append(ours, o.rate), append(ratios, o.rate/a.rate),
			worst.worse(o.self)
		cpuTheirs, cpuOurs = append(cpuTheirs, b.perEvent(a.cpu())), append(cpuOurs, b.perEvent(o.cpu()))
		b.say("  round %d: a %7s/s, CPU %5.2f (%s)   b %7s/s, CPU %5.2f (%s)   b/a %.2f", round+1,
			terminal.Count(a.rate), b.perEvent(a.cpu()), b.shares(a), terminal.Count(o.rate), b.perEvent(o.cpu()), b.shares(o),
			o.rate/a.rate)
	}
	b.say("  median:  a %7s/s, CPU %5.2f   b %7s/s, CPU %5.2f   b/a %.2f; CPU a/b %.2f", terminal.Count(median(theirs)),
		median(cpuTheirs),
		terminal.Count(median(ours)), median(cpuOurs), median(ratios), median(cpuTheirs)/median(cpuOurs))
	events := float64(b.Events)
	b.say("  b's process, worst round: %.2f allocations (%.0f bytes) an event, peak memory %.0f MiB",
		float64(worst.allocations)/events, float64(worst.bytes)/events, float64(worst.peak)/(1<<20))
	return nil
}

// lap is what one landing of the backlog took.
type lap struct {
	rate           float64 // events a second
	self           usage
	server, broker time.Duration // CPU
}

func (r *lap) cpu() time.Duration { return r.self.cpu + r.server + r.broker }

func (b *bench) perEvent(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(b.Events) }

func (b *bench) shares(r lap) string {
	return fmt.Sprintf("%.1f + %.1f + %.1f", b.perEvent(r.self.cpu), b.perEvent(r.server), b.perEvent(r.broker))
}

// cpuOf is the CPU that a process has taken so far; 0 where that can't be known.
func cpuOf(pid int) (spent time.Duration) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if pid == 0 || err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	const utime, stime, tick = 11, 12, time.Second / 100
	if fields := strings.Fields(rest); len(fields) > stime {
		for _, f := range []string{fields[utime], fields[stime]} {
			n, _ := strconv.ParseInt(f, 10, 64) // 0 where it is none
			spent += time.Duration(n) * tick
		}
	}
	return spent
}

// timed measures what work takes here, at the server and at the broker.
func (b *bench) timed(work func() error) (r lap, err error) {
	server, broker := cpuOf(b.serverPID), cpuOf(b.brokerPID)
	before := measure()
	start := time.Now()
	if err := work(); err != nil {
		return r, err
	}
	r.rate = float64(b.Events) / time.Since(start).Seconds()
	r.self = before.until()
	r.server, r.broker = cpuOf(b.serverPID)-server, cpuOf(b.brokerPID)-broker
	return r, nil
}

func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	if len(s) == 0 {
		return 0
	}
	return (s[len(s)/2] + s[(len(s)-1)/2]) / 2
}

// projector has makegood book the backlog, from its start until the last event is acknowledged.
func (b *bench) projector(ctx context.Context, profile func() func() error) (r lap, err error) {
	a, err := b.app(ctx, server.RoleExporter)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	r, err = b.timed(func() error {
		stop := profile()
		if err := a.StartProjector(ctx); err != nil {
			return err
		}
		return errors.Join(a.Booked(ctx, int64(b.Events)), stop())
	})
	if err != nil {
		return r, err
	}
	n, err := rows(ctx, a.Store.DB, "ledger FINAL")
	if err == nil && n != uint64(b.Events) {
		err = fmt.Errorf("%d events are in the ledger, not %d", n, b.Events)
	}
	return r, err
}

func rows(ctx context.Context, db driver.Conn, from string) (n uint64, err error) {
	if err := db.QueryRow(ctx, "SELECT count() FROM "+from).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", from, err)
	}
	return n, nil
}

// kafkaEngine has ClickHouse read the topic itself: the way of its documentation, with as many consumers as the
// projector has cores here, and the sorting and partition key of the ledger.
func (b *bench) kafkaEngine(ctx context.Context) (r lap, err error) {
	name := b.database()
	dsn, err := inDatabase(b.server, name)
	if err != nil {
		return r, err
	}
	store, err := clickhouse.Open(ctx, clickhouse.Config{DSN: dsn, Logger: b.logger}, ledger.Migrations())
	if err != nil {
		return r, err
	}
	defer func() {
		err = errors.Join(err, store.DB.Exec(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" SYNC"),
			store.Close())
	}()
	for _, statement := range []string{kafkaTarget, fmt.Sprintf(kafkaSource, strings.Join(b.brokers, ","),
		b.prefix+"orders", name)} {
		if err := store.DB.Exec(ctx, statement); err != nil {
			return r, fmt.Errorf("make its tables: %w", err)
		}
	}
	return b.timed(func() error {
		if err := store.DB.Exec(ctx, kafkaView); err != nil { // from now on it reads
			return fmt.Errorf("make its view: %w", err)
		}
		for n, last := uint64(0), time.Now(); n < uint64(b.Events); {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
			now, err := rows(ctx, store.DB, "landed")
			if err != nil {
				return err
			}
			if now > n {
				n, last = now, time.Now()
			}
			if time.Since(last) > time.Minute {
				return fmt.Errorf("it stopped at %d events", n)
			}
		}
		return nil
	})
}

// ClickHouse's own way from Kafka: the table that is filled, the one that reads the topic, and the view between them.
var (
	//go:embed sql/kafka_target.sql
	kafkaTarget string
	//go:embed sql/kafka_source.sql
	kafkaSource string // with the brokers, the topic and the group
	//go:embed sql/kafka_view.sql
	kafkaView string
)

// usage is what this process took between two moments.
type usage struct {
	cpu                time.Duration
	allocations, bytes uint64
	peak               uint64 // bytes resident; 0 where the system doesn't tell
}

func measure() usage {
	debug.FreeOSMemory()
	// Linux forgets the peak so far.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	return now()
}

func now() usage {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	u := usage{allocations: memory.Mallocs, bytes: memory.TotalAlloc}
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) == nil {
		u.cpu = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	if kb, err := strconv.ParseUint(strings.TrimSuffix(field("/proc/self/status", "VmHWM"), " kB"), 10, 64); err == nil {
		u.peak = kb << 10
	}
	return u
}

func (u usage) until() usage {
	n := now()
	return usage{cpu: n.cpu - u.cpu, allocations: n.allocations - u.allocations, bytes: n.bytes - u.bytes, peak: n.peak}
}

func (u usage) worse(o usage) usage {
	return usage{max(u.cpu, o.cpu), max(u.allocations, o.allocations), max(u.bytes, o.bytes), max(u.peak, o.peak)}
}

// profile begins profiles of a part, if they are asked for; what it returns ends them.
func (b *bench) profile(name string) func() func() error {
	return func() func() error {
		if b.Profile == "" {
			return func() error { return nil }
		}
		cpu, err := os.Create(filepath.Join(b.Profile, "cpu-"+name+".pprof"))
		if err == nil {
			err = pprof.StartCPUProfile(cpu)
		}
		return func() error {
			pprof.StopCPUProfile()
			if err != nil {
				return fmt.Errorf("profile: %w", err)
			}
			heap, err := os.Create(filepath.Join(b.Profile, "allocs-"+name+".pprof"))
			if err != nil {
				return fmt.Errorf("profile: %w", err)
			}
			return errors.Join(pprof.Lookup("allocs").WriteTo(heap, 0), heap.Close(), cpu.Close())
		}
	}
}
