package kafkatest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// The user that a cluster with SASL knows.
const (
	User     = "makegood"
	Password = "a secret of no worth"
)

// Options say what kind of real cluster to start. The zero value is one broker
// without encryption or authentication.
type Options struct {
	// Nodes is how many brokers there are, each a controller as well. Default 1.
	// From three on, topics have three replicas and need two of them in sync.
	Nodes int
	// TLS encrypts the listener for clients; MutualTLS also asks clients for a
	// certificate.
	TLS, MutualTLS bool
	// SASL makes clients authenticate as User with Password, by PLAIN,
	// SCRAM-SHA-256 or SCRAM-SHA-512.
	SASL bool
	// Properties are added to server.properties, over what is there.
	Properties map[string]string
	// Advertise are the addresses, one a node, that clients are told to use
	// instead of those that the brokers listen on: those of a test's proxies.
	Advertise []string
	// HeapMB bounds each broker's heap. Default 320.
	HeapMB int
	// Optimize lets the JVM compile thoroughly: slower to start, faster when
	// warm. For measurements.
	Optimize bool
	// Dir is where the cluster keeps its data. Required by Start; StartReal
	// makes one.
	Dir string
	// Progress is told what takes time. Default: nobody.
	Progress io.Writer
}

// Real is a cluster of Apache Kafka in child processes on loopback.
type Real struct {
	Certificates Certificates // of a cluster with TLS

	opts  Options
	jars  string
	nodes []*node
}

// node is one broker and controller.
type node struct {
	id                           int
	dir                          string
	client, internal, controller int // ports
	log                          string

	mu      sync.Mutex
	process *process
}

// StartReal starts a real cluster that ends with the test.
func StartReal(t testing.TB, opts Options) *Real {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if opts.Progress == nil {
		opts.Progress = logWriter{t}
	}
	r, err := Start(ctx, opts)
	if err != nil {
		t.Fatalf("starting Apache Kafka: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			r.dump(t)
		}
		r.Close()
	})
	return r
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

// dump shows the end of what the brokers said.
func (r *Real) dump(t testing.TB) {
	for _, n := range r.nodes {
		said, err := os.ReadFile(n.log)
		if err != nil {
			continue
		}
		t.Logf("node %d said:\n%s", n.id, said[max(0, len(said)-4096):])
	}
}

// Start formats and starts a cluster and waits until all its brokers are there.
func Start(ctx context.Context, opts Options) (*Real, error) {
	if opts.Nodes == 0 {
		opts.Nodes = 1
	}
	if opts.HeapMB == 0 {
		opts.HeapMB = 320
	}
	if opts.Progress == nil {
		opts.Progress = io.Discard
	}
	opts.TLS = opts.TLS || opts.MutualTLS
	jars, err := Jars(ctx, opts.Progress)
	if err != nil {
		return nil, err
	}
	r := &Real{opts: opts, jars: jars}
	if opts.TLS {
		if r.Certificates, err = NewCertificates(); err != nil {
			return nil, err
		}
	}
	ports, err := freePorts(3 * opts.Nodes)
	if err != nil {
		return nil, err
	}
	for i := range opts.Nodes {
		dir := filepath.Join(opts.Dir, fmt.Sprintf("node-%d", i))
		r.nodes = append(r.nodes, &node{
			id: i + 1, dir: dir, log: filepath.Join(dir, "broker.out"),
			client: ports[3*i], internal: ports[3*i+1], controller: ports[3*i+2],
		})
	}
	if err := r.format(ctx); err != nil {
		return nil, err
	}
	for i := range r.nodes {
		if err := r.launch(i); err != nil {
			r.Close()
			return nil, err
		}
	}
	if err := r.Wait(ctx, opts.Nodes); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Brokers are the addresses for clients.
func (r *Real) Brokers() []string {
	var list []string
	for _, n := range r.nodes {
		list = append(list, loopback(n.client))
	}
	return list
}

// InternalBrokers are the addresses of the plain listeners that brokers use
// among themselves: for a test that looks behind TLS and SASL.
func (r *Real) InternalBrokers() []string {
	var list []string
	for _, n := range r.nodes {
		list = append(list, loopback(n.internal))
	}
	return list
}

// Nodes is how many brokers the cluster was started with.
func (r *Real) Nodes() int { return len(r.nodes) }

// Wait waits until so many brokers are in the cluster.
func (r *Real) Wait(ctx context.Context, brokers int) error {
	var last error
	for {
		for _, n := range r.nodes {
			if err := n.died(); err != nil {
				return err
			}
			seen, err := countBrokers(ctx, loopback(n.internal))
			if err == nil && seen >= brokers {
				return nil
			}
			last = errors.Join(err, fmt.Errorf("node %d sees %d brokers, not %d", n.id, seen, brokers))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d brokers: %w: %w", brokers, ctx.Err(), last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func countBrokers(ctx context.Context, address string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := kafkago.DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return 0, err
	}
	brokers, err := conn.Brokers()
	return len(brokers), err
}

// Close ends all brokers at once and waits until they are gone.
func (r *Real) Close() {
	for i := range r.nodes {
		_ = r.Kill(i)
	}
}

// format writes each node's configuration and prepares its storage.
func (r *Real) format(ctx context.Context) error {
	id, err := clusterID()
	if err != nil {
		return err
	}
	errs := make(chan error, len(r.nodes))
	for i, n := range r.nodes {
		if err := os.MkdirAll(n.dir, 0o755); err != nil {
			return fmt.Errorf("making a node's directory: %w", err)
		}
		if err := r.configure(i); err != nil {
			return err
		}
		go func() {
			args := []string{"format", "-t", id, "-c", filepath.Join(n.dir, "server.properties")}
			if r.opts.SASL {
				for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
					args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, User, Password))
				}
			}
			out, err := r.java(ctx, "kafka.tools.StorageTool", args...).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("formatting node %d: %w: %s", n.id, err, out)
			}
			errs <- err
		}()
	}
	var all []error
	for range r.nodes {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// advertised is the address of a node that clients are told.
func (r *Real) advertised(i int) string {
	if i < len(r.opts.Advertise) {
		return r.opts.Advertise[i]
	}
	return loopback(r.nodes[i].client)
}

// configure writes server.properties and, for TLS, the certificates.
func (r *Real) configure(i int) error {
	n := r.nodes[i]
	var voters []string
	for _, v := range r.nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", v.id, loopback(v.controller)))
	}
	replicas, inSync := "1", "1"
	if len(r.nodes) >= 3 {
		replicas, inSync = "3", "2"
	}
	protocol := "PLAINTEXT"
	switch {
	case r.opts.SASL && r.opts.TLS:
		protocol = "SASL_SSL"
	case r.opts.SASL:
		protocol = "SASL_PLAINTEXT"
	case r.opts.TLS:
		protocol = "SSL"
	}
	p := map[string]string{
		"process.roles":            "broker,controller",
		"node.id":                  fmt.Sprint(n.id),
		"controller.quorum.voters": strings.Join(voters, ","),
		"listeners": fmt.Sprintf("CLIENT://%s,INTERNAL://%s,CONTROLLER://%s", loopback(n.client),
			loopback(n.internal), loopback(n.controller)),
		"advertised.listeners":           fmt.Sprintf("CLIENT://%s,INTERNAL://%s", r.advertised(i), loopback(n.internal)),
		"listener.security.protocol.map": "CLIENT:" + protocol + ",INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":     "INTERNAL",
		"controller.listener.names":      "CONTROLLER",
		"log.dirs":                       filepath.Join(n.dir, "log"),

		"default.replication.factor":                       replicas,
		"min.insync.replicas":                              inSync,
		"offsets.topic.replication.factor":                 replicas,
		"offsets.topic.num.partitions":                     "5",
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    inSync,
		"transaction.state.log.num.partitions":             "5",
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            inSync,

		// Nothing here waits for a crowd, and a dead broker is soon missed.
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "1000",
		"auto.create.topics.enable":        "false",
		"broker.heartbeat.interval.ms":     "500",
		"broker.session.timeout.ms":        "3000",
		"replica.lag.time.max.ms":          "3000",
		"num.network.threads":              "2",
		"num.io.threads":                   "2",
		"num.partitions":                   "1",
	}
	if r.opts.TLS {
		files := map[string][]byte{
			"server.pem": slices.Concat(r.Certificates.ServerKey, r.Certificates.ServerCert),
			"ca.pem":     r.Certificates.CA,
		}
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(n.dir, name), content, 0o600); err != nil {
				return fmt.Errorf("writing a certificate: %w", err)
			}
		}
		p["ssl.keystore.type"], p["ssl.keystore.location"] = "PEM", filepath.Join(n.dir, "server.pem")
		p["ssl.truststore.type"], p["ssl.truststore.location"] = "PEM", filepath.Join(n.dir, "ca.pem")
		if r.opts.MutualTLS {
			// With SASL, Kafka minds this only where it names the listener.
			p["listener.name.client.ssl.client.auth"] = "required"
		}
	}
	if r.opts.SASL {
		p["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
		p["listener.name.client.plain.sasl.jaas.config"] = fmt.Sprintf(
			`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s";`, User, Password)
		for _, m := range []string{"scram-sha-256", "scram-sha-512"} {
			p["listener.name.client."+m+".sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule " +
				"required;"
		}
	}
	maps.Copy(p, r.opts.Properties)
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s=%s\n", k, p[k])
	}
	if err := os.WriteFile(filepath.Join(n.dir, "server.properties"), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("writing a node's configuration: %w", err)
	}
	return nil
}

// java is a command that runs a class of Kafka's.
func (r *Real) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	flags := []string{fmt.Sprintf("-Xmx%dm", r.opts.HeapMB), "-Xms64m", "-XX:+UseSerialGC"}
	if !r.opts.Optimize {
		flags = append(flags, "-XX:TieredStopAtLevel=1")
	}
	flags = append(flags, "-cp", filepath.Join(r.jars, "*"), class)
	return exec.CommandContext(ctx, "java", append(flags, args...)...)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func clusterID() (string, error) {
	for {
		var id [16]byte
		if _, err := rand.Read(id[:]); err != nil {
			return "", fmt.Errorf("making a cluster id: %w", err)
		}
		// Kafka's tools take a leading dash for an option.
		if s := base64.RawURLEncoding.EncodeToString(id[:]); s[0] != '-' {
			return s, nil
		}
	}
}

// freePorts finds ports that nobody listens on, outside the range that the
// system gives to outgoing connections: a port must still be free when its
// broker comes back after a while.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range 1000 {
		port := 15000 + mathrand.IntN(15000)
		if slices.Contains(ports, port) {
			continue
		}
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		_ = l.Close()
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("there are no %d free ports", n)
}
