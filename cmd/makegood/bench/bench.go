package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/embedded"
	"github.com/makegood/makegood/infra/kafka"
)

// Command measures the pipe on the machine that it runs on, beside ClickHouse's own on the same broker and the
// same server. It prints what it measured and nothing that it knew before.
type Command struct {
	Events   int      `help:"${bench_events}" default:"1000000"`
	Rounds   int      `help:"How often the pipe and ClickHouse's own Kafka engine take turns." default:"5"`
	Only     []string `help:"${bench_parts}" default:"pipe,stages,latency,gateway,tills"`
	Rate     int      `help:"Events a second while latency is measured." default:"10000"`
	Webhooks int      `help:"Webhooks of a till a second while tills are measured." default:"2000"`
	Readers  int      `help:"Readers of the page." default:"20"`
	Seconds  int      `help:"How long latency, gateway, tills and page are measured." default:"20"`
	History  []int    `help:"How many rows of history growth is measured with." default:"1000000,10000000"`
	Profile  string   `help:"Directory to write CPU and allocation profiles of pipe and gateway to." type:"path"`

	DataDir    string   `help:"${bench_data_dir}" type:"path"`
	Brokers    []string `help:"Kafka brokers; without them one runs in a process of its own."`
	ClickHouse string   `help:"${bench_clickhouse}" name:"clickhouse"`
}

// bench is a run of it.
type bench struct {
	Command
	logger  *slog.Logger
	out     io.Writer
	brokers []string
	server  string // address of ClickHouse, without a database
	keys    string // file with the keys that hide people
	prefix  string // of this run's topics, groups and databases
	made    int    // databases and groups so far

	// Process ids of the server and the broker; 0 where they aren't ours.
	serverPID, brokerPID int
}

type benchPart struct {
	name string
	run  func(*bench, context.Context) error
}

var benchParts = []benchPart{
	{"pipe", (*bench).pipe},
	{"stages", (*bench).stages},
	{"latency", (*bench).latency},
	{"gateway", (*bench).gateway},
	{"tills", (*bench).webhooks},
	{"growth", (*bench).growth},
	{"rebuild", (*bench).rebuild},
	{"trouble", (*bench).trouble},
	{"page", (*bench).page},
}

// Parts are the names of what can be measured.
func Parts() []string {
	names := make([]string, len(benchParts))
	for i, p := range benchParts {
		names[i] = p.name
	}
	return names
}

// Run measures.
func (c *Command) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	for _, name := range c.Only {
		if !slices.Contains(Parts(), name) {
			return fmt.Errorf("--only: %q is none of %s", name, strings.Join(Parts(), ", "))
		}
	}
	if c.Events < 1 || c.Rounds < 1 || c.Rate < 1 || c.Webhooks < 1 || c.Seconds < 1 || c.Readers < 1 {
		return errors.New("--events, --rounds, --rate, --webhooks, --readers and --seconds are at least 1")
	}
	b := &bench{Command: *c, logger: logger, out: s.Out, prefix: fmt.Sprintf("bench%d.", time.Now().UnixNano()/1e6)}
	stop, err := b.start(ctx, s.Err)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	b.say("machine: %s", machine())
	if slices.Contains(c.Only, "pipe") || slices.Contains(c.Only, "stages") {
		if err := b.fill(ctx, c.Events); err != nil {
			return err
		}
	}
	for _, part := range benchParts {
		if !slices.Contains(c.Only, part.name) {
			continue
		}
		if err := part.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

// start starts what no address was given for. The broker is a process of its own, so that CPU, allocations and memory
// of this one are the pipe's.
func (b *bench) start(ctx context.Context, progress io.Writer) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var all error
		for _, f := range slices.Backward(stops) {
			all = errors.Join(all, f())
		}
		return all
	}
	dir := b.DataDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "makegood-bench"); err != nil {
			return stop, fmt.Errorf("make a directory for the benchmark: %w", err)
		}
		stops = append(stops, func() error { return os.RemoveAll(dir) })
	} else if err := os.Mkdir(dir, 0o700); err != nil {
		return stop, fmt.Errorf("make the benchmark's directory: %w", err)
	}
	b.brokers, b.server, b.keys = b.Brokers, b.ClickHouse, filepath.Join(dir, "people.key")
	if len(b.brokers) == 0 {
		address, pid, end, err := startBenchBroker(ctx, dir, progress)
		if err != nil {
			return stop, err
		}
		stops = append(stops, end)
		b.brokers, b.brokerPID = []string{address}, pid
	}
	if b.server == "" {
		ports, err := portsOf(b.brokers)
		if err != nil {
			return stop, err
		}
		// ClickHouse's own Kafka engine reads the topic as well, to compare with.
		engine, err := embedded.StartEngine(ctx, embedded.EngineConfig{Dir: dir, Connect: ports, Grants: []string{
			"GRANT ALL ON makegood_bench*.*", "GRANT TABLE ENGINE ON Kafka", "GRANT KAFKA ON *.*",
		}, Logger: b.logger, Progress: progress})
		if err != nil {
			return stop, err
		}
		stops = append(stops, engine.Close)
		b.server, b.serverPID = engine.DSN(), engine.PID()
	}
	return stop, nil
}

// portsOf are the ports of addresses.
func portsOf(addresses []string) ([]int, error) {
	var ports []int
	for _, a := range addresses {
		_, text, err := net.SplitHostPort(a)
		if err != nil {
			return nil, fmt.Errorf("read the address %q: %w", a, err)
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("read the port of %q: %w", a, err)
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// BrokerCommand is the embedded broker alone, until its standard input ends.
type BrokerCommand struct {
	Dir string `help:"Data directory." required:"" type:"path"`
}

// Run serves.
func (c *BrokerCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) error {
	broker, err := embedded.StartBroker(ctx, embedded.BrokerConfig{Dir: c.Dir, Logger: logger})
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, broker.Addr())
	_, err = io.Copy(io.Discard, s.In) // until the process that wants us is gone
	return errors.Join(err, broker.Close())
}

func startBenchBroker(ctx context.Context, dir string,
	stderr io.Writer) (address string, pid int, end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", 0, nil, fmt.Errorf("find this program: %w", err)
	}
	child := exec.CommandContext(context.WithoutCancel(ctx), self, "bench-broker", "--dir", dir)
	child.Stderr = stderr
	in, err := child.StdinPipe()
	if err != nil {
		return "", 0, nil, fmt.Errorf("start the broker: %w", err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return "", 0, nil, fmt.Errorf("start the broker: %w", err)
	}
	if err := child.Start(); err != nil {
		return "", 0, nil, fmt.Errorf("start the broker: %w", err)
	}
	end = func() error { return errors.Join(in.Close(), child.Wait()) }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", 0, nil, errors.Join(fmt.Errorf("start the broker: %w", err), end())
	}
	return strings.TrimSpace(line), child.Process.Pid, end, nil
}

// app is a makegood with a new database and a new consumer group on this run's topics.
func (b *bench) app(ctx context.Context, role string) (*server.App, error) {
	projecting := role == server.RoleProjector
	if projecting {
		role = server.RoleExporter
	}
	a, err := b.appOf(ctx, func(c *server.Config) { c.Roles = []string{role} })
	if err != nil {
		return nil, err
	}
	if projecting {
		if err := a.StartProjector(ctx); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

func (b *bench) appOf(ctx context.Context, change func(*server.Config)) (*server.App, error) {
	name := b.database()
	dsn, err := inDatabase(b.server, name)
	if err != nil {
		return nil, err
	}
	config := server.Config{HTTP: "127.0.0.1:0", Brokers: b.brokers, ClickHouse: dsn,
		People: server.PeopleFlags{PeopleKey: b.keys}, Prefix: b.prefix, Group: name, Partitions: 4, Zone: "UTC",
		MetricLabels: 50}
	change(&config)
	a, err := server.Start(ctx, config, b.logger, io.Discard)
	if err != nil {
		return nil, err
	}
	// What is closed runs backwards: the projector stops, then its database goes.
	a.OnClose(func() error {
		return a.Store.DB.Exec(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" SYNC")
	})
	return a, nil
}

// database is the name of the next one, and of its consumer group.
func (b *bench) database() string {
	b.made++
	return fmt.Sprintf("makegood_%s%d", strings.ReplaceAll(b.prefix, ".", "_"), b.made)
}

func (b *bench) kafkaConfig() kafka.Config {
	return kafka.Config{Brokers: b.brokers, ClientID: "makegood-bench", Logger: b.logger}
}

// machine says what it runs on.
func machine() string {
	text := fmt.Sprintf("%d CPUs", runtime.NumCPU())
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		text += " (" + model + ")"
	}
	if memory := field("/proc/meminfo", "MemTotal"); memory != "" {
		text += ", memory " + memory
	}
	text += fmt.Sprintf(", %s/%s, %s", runtime.GOOS, runtime.GOARCH, runtime.Version())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		text += ", load before " + strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return text
}

// field reads a line "name: value" of a file of the kernel's; empty where there is none.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
