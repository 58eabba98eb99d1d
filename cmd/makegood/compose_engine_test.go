//go:build monitoring

package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/embedded"
)

// composedEngine runs the real engine with the very files that docker-compose.yml mounts into ClickHouse, and returns
// its native and its HTTP address.
func composedEngine(t *testing.T) (native, web string) {
	t.Helper()
	dir := t.TempDir()
	library, err := embedded.Fetch(t.Context(), embedded.FetchConfig{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	native, web = freePort(t), freePort(t)
	_, nativePort, _ := strings.Cut(native, ":")
	_, webPort, _ := strings.Cut(web, ":")
	for path, text := range map[string]string{
		"config.xml": fmt.Sprintf(`<clickhouse><logger><level>warning</level><log>%[1]s/log</log>
    <errorlog>%[1]s/errors</errorlog></logger><path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path>
<users_config>%[1]s/users.xml</users_config><tcp_port>%[2]s</tcp_port><http_port>%[3]s</http_port></clickhouse>`, dir,
			nativePort, webPort),
		"users.xml": `<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><no_password/>
    <networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users></clickhouse>`,
		"start.sql": "SYSTEM START LISTEN TCP;\nSYSTEM START LISTEN HTTP;\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for mounted, in := range map[string]string{"server.xml": "config.d", "users.xml": "users.d"} {
		text, err := os.ReadFile(filepath.Join("../../infra/container/clickhouse", mounted))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, in), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, in, "makegood.xml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "engine-child", "none", "library", library, "--config-file="+filepath.Join(dir,
		"config.xml"), "--queries-file", filepath.Join(dir, "start.sql"), "--interactive", "--disable_suggestion")
	cmd.Env = append(os.Environ(), "TZ=UTC", "TERM=dumb", "MAKEGOOD_WRITER_PASSWORD=writes",
		"MAKEGOOD_FINANCE_PASSWORD=reads")
	terminal, err := pty.Start(cmd) // it wants a terminal: see infra/embedded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = terminal.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "errors"))
			t.Logf("the engine's errors:\n%s", log[max(0, len(log)-4000):])
		}
	})
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://" + web + "/ping")
		if err == nil {
			answer.Body.Close()
			return native, web
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "errors"))
			t.Fatalf("the engine doesn't answer: %v\n%s", err, log)
		}
	}
}

// freePort is an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func askEngine(t *testing.T, web, user, password, query string) (int, string) {
	t.Helper()
	answer, err := http.Post("http://"+web+"/?"+url.Values{"user": {user}, "password": {password}}.Encode(), "text/plain",
		strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestComposedUsers starts makegood as docker-compose.yml's writer against an engine with docker-compose.yml's users:
// its grants suffice for schema and bookings, and not for more; finance reads, and no more.
func TestComposedUsers(t *testing.T) {
	native, web := composedEngine(t)
	app, err := server.Start(t.Context(), server.Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0",
		ClickHouse:  "clickhouse://makegood:writes@" + native + "/makegood",
		KafkaListen: "127.0.0.1:0", Prefix: "makegood.", Group: "makegood-projector", Partitions: 1, Zone: "UTC",
		Roles: []string{server.RoleGateway, server.RoleProjector, server.RoleExporter}},
		slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	}()
	client := newClient(app.URL)
	event := `{"specversion":"1.0","id":"1","source":"/till","type":"makegood.refund.issued.v1",
    "time":"2026-01-05T09:00:00Z","subject":"o1",
"data":{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r1","currency":"USD","net":"10"}}`
	answer, err := http.Post(app.URL+"/v1/events", "application/cloudevents+json", strings.NewReader(event))
	if err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("%v %v", answer, err)
	}
	answer.Body.Close()
	if _, err := client.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if metrics, err := http.Get(app.URL + "/metrics"); err != nil || metrics.StatusCode != http.StatusOK {
		t.Errorf("metrics: %v %v", metrics, err)
	} else {
		metrics.Body.Close()
	}
	for _, c := range []struct {
		user, password, query string
		ok                    bool
	}{
		{"finance", "reads", "SELECT throwIf(sum(amount) != 10) FROM makegood.leakage_daily FINAL", true},
		{"finance", "reads", "SELECT 1 SETTINGS max_execution_time = 30", true},
		{"finance", "reads", "SELECT 1 SETTINGS max_execution_time = 6000", false},
		{"finance", "reads", "INSERT INTO makegood.checkpoints VALUES ('x', now())", false},
		{"finance", "reads", "DROP TABLE makegood.checkpoints", false},
		{"finance", "reads", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'x String')", false},
		{"finance", "wrong", "SELECT 1", false},
		{"finance", "reads", "SELECT 1 SETTINGS add_http_cors_header = 1", false},
		{"default", "", "SELECT * FROM makegood.ledger", false},
		{"default", "", "CREATE DATABASE other", false},
		{"default", "", "SYSTEM SHUTDOWN", false},
		{"makegood", "writes", "CREATE DATABASE other", false},
		{"makegood", "writes", "CREATE USER other", false},
		{"makegood", "writes", "SELECT * FROM file('/etc/passwd', 'LineAsString')", false},
	} {
		if status, text := askEngine(t, web, c.user, c.password, c.query); (status == http.StatusOK) != c.ok {
			t.Errorf("%s: %s: %d %s", c.user, c.query, status, text)
		}
	}
	for _, question := range forFinance {
		if status, text := askEngine(t, web, "finance", "reads", question); status != http.StatusOK {
			t.Errorf("finance: %s: %d %s", question, status, text)
		}
	}
	for _, question := range notForFinance {
		if status, text := askEngine(t, web, "finance", "reads", question); !strings.Contains(text, "Code: 497") {
			t.Errorf("finance: %s: %d %s", question, status, text)
		}
	}
	if _, text := askEngine(t, web, "makegood", "writes", "SELECT value FROM system.merge_tree_settings WHERE name = "+
		"'fsync_after_insert'"); strings.TrimSpace(text) != "1" {
		t.Errorf("the server's settings are not those of server.xml: fsync_after_insert is %q", text)
	}
}
