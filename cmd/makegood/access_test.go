package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/alecthomas/kong"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// command runs makegood and returns its exit status and what it said.
func command(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, said bytes.Buffer
	code := run(ctx, args, terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &said})
	return code, out.String(), said.String()
}

// What would let in anybody is refused before anything is started.
func TestServeRefusesToBeOpen(t *testing.T) {
	t.Parallel()
	access := writeFile(t, "access", "")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"--access-file", []string{"--http", "0.0.0.0:0"}},
		{"--access-file", []string{"--http", ":0"}},
		{"--access-file", []string{"--http", "[::]:0"}},
		{"--access-file", []string{"--http", "192.0.2.1:80"}},
		{"--access-file", []string{"--http", "localhost.example.com:80"}},
		{"--insecure-open", []string{"--http", "0.0.0.0:0"}},
		{"--kafka-listen", []string{"--http", "0.0.0.0:0", "--access-file", access, "--kafka-listen", "0.0.0.0:0"}},
		{"give one", []string{"--http", "0.0.0.0:0", "--access-file", access, "--insecure-open"}},
		{"no such file", []string{"--http", "0.0.0.0:0", "--access-file", access + "-missing"}},
		{"line 1", []string{"--access-file", writeFile(t, "access", "till write secret\n")}},
		{"go together", []string{"--tls-cert", access}},
		{"--tls-cert", []string{"--tls-cert", access, "--tls-key", access}},
		{"are for --brokers", []string{"--kafka-user", "u"}},
		{"--kafka-sasl needs", []string{"--brokers", "127.0.0.1:1", "--kafka-sasl", "plain", "--kafka-user", "u"}},
		{"need --kafka-sasl", []string{"--brokers", "127.0.0.1:1", "--kafka-user", "u"}},
		{"--kafka-tls-ca", []string{"--brokers", "127.0.0.1:1", "--kafka-tls-ca", access}},
		{"go together", []string{"--brokers", "127.0.0.1:1", "--kafka-tls-cert", access}},
		{"--http-request-timeout", []string{"--http-request-timeout", "30s"}},
		{"64KiB", []string{"--http-max-body", "8 MB"}},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		code, _, said := command(t, append([]string{"serve", "--data-dir", dir}, c.args...)...)
		if code == 0 || !strings.Contains(said, c.says) {
			t.Errorf("%v ended with %d and said %s", c.args, code, said)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%v made a data directory", c.args)
		}
	}
	for address, want := range map[string]bool{"": true, "127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true,
		"localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "example.com:1": false,
		"127.0.0.1.example.com:1": false, "nonsense": false} {
		if server.IsLoopback(address) != want {
			t.Errorf("%q: loopback is not %t", address, want)
		}
	}
}

// Listening for the world, with TLS and tokens, through the commands; then a second makegood beside it that reaches the
// same ClickHouse by a password from a file.
func TestTokensAndTLS(t *testing.T) {
	t.Parallel()
	access := filepath.Join(t.TempDir(), "access")
	of := newTokens(t, access)
	certificates, err := kafkatest.NewCertificates()
	if err != nil {
		t.Fatal(err)
	}
	cert, key, ca := writeFile(t, "cert", string(certificates.ServerCert)),
		writeFile(t, "key", string(certificates.ServerKey)), writeFile(t, "ca", string(certificates.CA))

	var log bytes.Buffer
	dir := t.TempDir()
	app, err := server.Start(t.Context(), server.Config{DataDir: dir, HTTP: "0.0.0.0:0", KafkaListen: "127.0.0.1:0",
		Prefix: "makegood.", Group: "makegood-projector",
		Partitions: 1, Zone: "UTC", Roles: []string{server.RoleGateway, server.RoleProjector, server.RoleExporter},
		Access: server.AccessFlags{AccessFile: access, TLSCert: cert, TLSKey: key}},
		slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	})
	_, port, _ := strings.Cut(strings.TrimPrefix(app.URL, "https://["), "]:")
	base := "https://127.0.0.1:" + port
	rates := writeFile(t, "rates", strings.Join(goldenRates, "\n"))
	events := writeFile(t, "events", strings.Join(goldenEvents, "\n"))
	foreign := writeFile(t, "foreign", strings.ReplaceAll(goldenEvents[0], "urn:till:1", "urn:till:9"))
	// A process of its own: which authorities are trusted is read once.
	var env []string
	makegood := func(want int, says string, args ...string) {
		t.Helper()
		p := startProcessWith(t, env, args...)
		err := p.cmd.Wait()
		if got := p.cmd.ProcessState.ExitCode(); got != want || !strings.Contains(p.said.String(), says) {
			t.Errorf("%v ended with %d (%v) and said %s", args, got, err, p.said)
		}
	}
	makegood(1, "certificate", "status", "--to", base, "--token-file", of.office)
	env = append(env, "SSL_CERT_FILE="+ca)
	makegood(1, "Unauthorized", "status", "--to", base)
	makegood(1, "Forbidden", "status", "--to", base, "--token-file", of.stranger)
	makegood(1, "forbidden_type", "import", rates, "--to", base, "--token-file", of.till)
	makegood(0, "new 5", "import", rates, "--to", base, "--token-file", of.office)
	makegood(0, "new 8", "import", events, "--to", base, "--token-file", of.till)
	makegood(1, "forbidden_source", "import", foreign, "--to", base, "--token-file", of.till)
	makegood(1, "Forbidden", "deadletters", "replay", "x", "--to", base, "--token-file", of.till)
	makegood(1, "Not Found", "deadletters", "replay", "x", "--to", base, "--token-file", of.office)
	makegood(0, "", "loadgen", "--orders", "3", "--to", base, "--token-file", of.office)
	secret, err := os.ReadFile(of.office)
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, "MAKEGOOD_TOKEN="+strings.TrimSpace(string(secret)))
	makegood(0, "caught up: ", "status", "--to", base)
	makegood(1, "both given", "status", "--to", base, "--token-file", of.office)
	if strings.Contains(log.String(), "makegood_") {
		t.Errorf("a token is in the log: %s", &log)
	}

	besideIt(t, app, of)
}

// besideIt starts a second makegood on the log and the ClickHouse of the first, which both ask who it is.
func besideIt(t *testing.T, app *server.App, of tokenFiles) {
	t.Helper()
	engine, err := url.Parse(app.Engine.DSN())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := engine.User.Password()
	engine.User = url.User(engine.User.Username())
	beside := server.Config{Brokers: app.Brokers, ClickHouse: engine.String(), HTTP: "127.0.0.1:0", Prefix: "makegood.",
		Group:      "makegood-projector",
		Partitions: 1, Zone: "UTC", Roles: []string{server.RoleExporter}, ClickHousePasswordFile: writeFile(t, "password",
			password+"\n")}
	quiet := slog.New(slog.DiscardHandler)
	// The broker inside asks as well. It lets in everybody whom it knows, and holds each request against their rights.
	unknown := writeFile(t, "token", strings.Repeat("unknown-", 8)+"\n")
	for who, file := range map[string]string{"nobody": "", "somebody unknown": unknown} {
		if file != "" {
			beside.Kafka = server.KafkaFlags{SASL: "plain", User: who, PasswordFile: file}
		}
		if refused, err := server.Start(t.Context(), beside, quiet, io.Discard); err == nil {
			t.Errorf("as %s another makegood was let in by the broker (%v)", who, refused.Close())
		}
		beside.Kafka = server.KafkaFlags{}
	}
	beside.Kafka = server.KafkaFlags{SASL: "plain", User: "second", PasswordFile: of.process}
	second, err := server.Start(t.Context(), beside, quiet, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := newClient(second.URL).caughtUp(t.Context()); err != nil || s.Events < 13 {
		t.Errorf("%+v %v", s, err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	beside.ClickHouse = app.Engine.DSN()
	if _, err := server.Start(t.Context(), beside, quiet, io.Discard); err == nil || !strings.Contains(err.Error(),
		"a password is in the address") || strings.Contains(err.Error(), password) {
		t.Errorf("two passwords: %v", err)
	}
	beside.ClickHouse = engine.String()
	beside.ClickHousePasswordFile = writeFile(t, "password", "wrong")
	if _, err := server.Start(t.Context(), beside, quiet, io.Discard); err == nil || strings.Contains(err.Error(),
		"wrong") {
		t.Errorf("a wrong password: %v", err)
	}
}

// tokenFiles are the files with the tokens of who reaches a gateway that is open to the world.
type tokenFiles struct{ office, process, till, stranger string }

// newTokens makes them by the command, and holds what it does against what it should.
func newTokens(t *testing.T, access string) (of tokenFiles) {
	t.Helper()
	token := func(args ...string) (file string) {
		t.Helper()
		code, out, said := command(t, append([]string{"token", "new", "--access-file", access}, args...)...)
		if code != 0 || strings.Count(out, "\n") != 1 || strings.Contains(said, strings.TrimSpace(out)) {
			t.Fatalf("%d: %s%s", code, out, said)
		}
		return writeFile(t, "token", out)
	}
	of = tokenFiles{
		office:   token("--name", "office", "--scope", "read,write", "--scope", "books"),
		process:  token("--name", "second", "--scope", "process"),
		till:     token("--name", "till", "--scope", "write,read", "--source", "urn:till:1"),
		stranger: token("--name", "stranger", "--scope", "write", "--source", "urn:till:2,3"),
	}
	if code, _, _ := command(t, "token", "new", "--access-file", access, "--name", "x", "--scope", "admin"); code == 0 {
		t.Error("an unknown scope")
	}
	written := filepath.Join(t.TempDir(), "token")
	for _, want := range []int{0, 1} { // a file that is there already is not written over
		code, out, _ := command(t, "token", "new", "--access-file", access, "--name", "file", "--scope", "read", "--out",
			written)
		if (code != 0) != (want != 0) || out != "" {
			t.Errorf("--out ended with %d and printed %q", code, out)
		}
	}
	if info, err := os.Stat(written); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("--out made %v (%v)", info, err)
	}
	return of
}

// To brokers that want TLS and to know who we are, from flags, files and the environment. What becomes of those whom
// brokers refuse, or who don't trust a broker, infra/kafka holds to real Kafka.
func TestKafkaSecurity(t *testing.T) {
	certificates, err := kafkatest.NewCertificates()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificates.ServerCert, certificates.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	const password = "pass word"
	ca, right := writeFile(t, "ca", string(certificates.CA)), writeFile(t, "password", password+"\n")
	keys := filepath.Join(t.TempDir(), "people.key")
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		broker := kafkatest.StartFake(t, kfake.EnableSASL(), kfake.Superuser(strings.ToUpper(mechanism), "till", password),
			kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}),
			kfake.AllowAutoTopicCreation(),
			kfake.SeedTopics(1, "makegood.orders", "makegood.errors", "makegood.redeliveries", "makegood.books"))
		load := func(args ...string) (int, string) {
			t.Helper()
			code, out,
				said := command(t, append([]string{"loadgen", "--orders", "2", "--brokers", strings.Join(broker.Brokers(), ","),
				"--kafka-sasl", mechanism,
				"--kafka-user", "till", "--people-key", keys}, args...)...)
			return code, out + said
		}
		if code, said := load("--kafka-tls-ca", ca, "--kafka-password-file", right); code != 0 {
			t.Errorf("%s: %d %s", mechanism, code, said)
		}
		t.Setenv("MAKEGOOD_KAFKA_PASSWORD", password)
		if code, said := load("--kafka-tls-ca", ca); code != 0 {
			t.Errorf("%s from the environment: %d %s", mechanism, code, said)
		}
		if code, said := load("--kafka-tls-ca", ca, "--kafka-password-file", right); code == 0 ||
			!strings.Contains(said, "both given") || strings.Contains(said, password) {
			t.Errorf("%s twice: %d %s", mechanism, code, said)
		}
		if err := os.Unsetenv("MAKEGOOD_KAFKA_PASSWORD"); err != nil {
			t.Fatal(err)
		}
	}
}

type acknowledging struct{}

func (acknowledging) Publish(string, ...*message.Message) error { return nil }
func (acknowledging) Close() error                              { return nil }

// Every limit of the gateway comes from its flag or variable, and holds at its edge.
func TestLimitFlags(t *testing.T) {
	t.Setenv("MAKEGOOD_HTTP_MAX_BATCH", "3")
	var line commandLine
	parser, err := kong.New(&line, flagHelp, kong.DefaultEnvars("MAKEGOOD"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve", "--http-max-body", "512KiB", "--http-max-in-flight", "1MiB",
		"--http-max-header", "8KiB", "--http-max-connections", "7",
		"--http-header-timeout", "300ms", "--http-body-timeout", "400ms", "--http-publish-timeout", "3s",
		"--http-request-timeout", "4s", "--http-idle-timeout", "5s",
		"--http-stop-timeout", "6s", "--http-retry-after", "7s"}); err != nil {
		t.Fatal(err)
	}
	limits := &line.Serve.Limits
	config := gateway.Config{Addr: "127.0.0.1:0"}
	intake := gateway.EventsConfig{Publisher: acknowledging{}, PartitionKey: "key"}
	limits.Server(&config)
	limits.Events(&intake)
	if got, want := fmt.Sprint(config.MaxHeader, config.MaxConnections, config.HeaderTimeout, config.WriteTimeout,
		config.IdleTimeout, config.ShutdownTimeout),
		"8192 7 300ms 4s 5s 6s"; got != want {
		t.Errorf("the server gets %s", got)
	}
	if got, want := fmt.Sprint(intake.MaxBody, intake.MaxBatch, intake.MaxInFlight, intake.BodyTimeout,
		intake.PublishTimeout, intake.RetryAfter),
		"524288 3 1048576 400ms 3s 7s"; got != want {
		t.Errorf("the intake gets %s", got)
	}
	if config.Events, err = gateway.NewEvents(intake); err != nil {
		t.Fatal(err)
	}
	gate, err := gateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := gate.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- gate.Run(ctx) }()
	c := newClient("http://" + gate.Addr().String())
	batch := func(n, size int) string {
		text := "[" + strings.Join(goldenEvents[:n], ",")
		return text + strings.Repeat(" ", max(size-len(text)-1, 0)) + "]"
	}
	for _, edge := range []struct {
		events, bytes, header, status int
	}{
		{3, 0, 0, http.StatusAccepted}, {4, 0, 0, http.StatusRequestEntityTooLarge},
		{1, 512 << 10, 0, http.StatusAccepted}, {1, 512<<10 + 1, 0, http.StatusRequestEntityTooLarge},
		{1, 0, 7 << 10, http.StatusAccepted}, {1, 0, 16 << 10, http.StatusRequestHeaderFieldsTooLarge},
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/events",
			strings.NewReader(batch(edge.events, edge.bytes)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/cloudevents-batch+json")
		request.Header.Set("X-Padding", strings.Repeat("x", edge.header))
		response, err := c.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != edge.status {
			t.Errorf("%+v: %s", edge, response.Status)
		}
	}
	c.http.CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestByteSizes: sizes are said in bytes, KiB, MiB and GiB, and nothing else is one.
func TestByteSizes(t *testing.T) {
	for text, want := range map[string]server.ByteSize{"0": 0, "17": 17, "17B": 17, "3KiB": 3072, "2MiB": 2 << 20,
		"1GiB": 1 << 30} {
		var b server.ByteSize
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%s is %d (%v)", text, b, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1KB", "1 MiB x", "1.5MiB", "9223372036854775807GiB", "1KiBMiB"} {
		var b server.ByteSize
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d", text, b)
		}
	}
}
