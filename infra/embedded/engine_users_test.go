package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func login(e *Engine, user, password string) string {
	return (&url.URL{Scheme: "clickhouse", User: url.UserPassword(user, password), Host: e.Addr(), Path: "/"}).String()
}

// refused runs a query that must fail with one of the given codes.
func refused(t *testing.T, conn driver.Conn, query string, codes ...int32) {
	t.Helper()
	err := conn.Exec(testContext(t), query)
	var ex *clickhouse.Exception
	if errors.As(err, &ex) {
		for _, code := range codes {
			if ex.Code == code {
				return
			}
		}
	}
	t.Errorf("%s: %v, want one of the codes %d", query, err, codes)
}

const (
	codeReadonly           = 164
	codeConstraint         = 452
	codeNotEnoughRights    = 497
	codeAuthentication     = 516
	codeTooSlowOrTimeLimit = 159
	codeMemoryLimit        = 241
	codeTooManySessions    = 700
	codeNoPlaceForUsers    = 514
	codeAccessDenied       = 76   // a file that the system doesn't let it open
	codeNoSuchFile         = 107  // a file that it can't even see
	codeStdException       = 1001 // a directory that the system doesn't let it list
	codeNetwork            = 210
	codePoco               = 1000 // an address that the system doesn't let it connect to
)

// startBooks starts an engine with a small ledger in it, and connects as its writer.
func startBooks(t *testing.T, cfg EngineConfig) (*Engine, driver.Conn) {
	t.Helper()
	cfg.Grants = append(cfg.Grants, "GRANT ALL ON other.*")
	e := startEngine(t, cfg)
	writer := connect(t, e.DSN())
	exec1(t, writer, "CREATE DATABASE makegood",
		"CREATE TABLE makegood.ledger (a UInt64) ENGINE = MergeTree ORDER BY a",
		"CREATE VIEW makegood.journal DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT a FROM makegood.ledger",
		"CREATE DATABASE other", "CREATE TABLE other.secret (a UInt64) ENGINE = MergeTree ORDER BY a",
		"INSERT INTO makegood.ledger SELECT number FROM numbers(10)")
	return e, writer
}

func TestEnginePasswords(t *testing.T) {
	dir := t.TempDir()
	e := startEngine(t, EngineConfig{Dir: dir})
	for user, password := range map[string]string{e.User(): e.Password(), e.ReaderUser(): e.ReaderPassword()} {
		path := filepath.Join(dir, "clickhouse", user+".password")
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode().Perm())
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(text)) != password || len(password) < 20 {
			t.Errorf("%s holds %q, password is %q", path, text, password)
		}
	}
	if e.Password() == e.ReaderPassword() {
		t.Error("both users have one password")
	}
	if host, _, err := net.SplitHostPort(e.Addr()); err != nil || host != "127.0.0.1" {
		t.Errorf("listens on %s", e.Addr())
	}
}

// TestEngineWriter: makegood owns its database and nothing else.
func TestEngineWriter(t *testing.T) {
	_, writer := startBooks(t, EngineConfig{Dir: t.TempDir()})
	for _, query := range []string{
		"CREATE DATABASE third",
		"GRANT SELECT ON *.* TO finance",
		"CREATE FUNCTION f AS x -> x",
		"CREATE TABLE makegood.x (a UInt8) ENGINE = File(CSV)",
		"CREATE TABLE makegood.x (a UInt8) ENGINE = URL('http://127.0.0.1:1/', CSV)",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT * FROM remote('127.0.0.1:1', system.one)",
		"INSERT INTO FUNCTION file('/tmp/makegood-written', 'CSV', 'x UInt8') VALUES (1)",
		"SYSTEM STOP LISTEN TCP",
		"SYSTEM SHUTDOWN",
	} {
		refused(t, writer, query, codeNotEnoughRights)
	}
	refused(t, writer, "CREATE USER other", codeNotEnoughRights, codeNoPlaceForUsers)
}

// TestEngineStrangers: without a password nobody gets in, by no protocol, also not as the user of the engine's own
// session; and there is no HTTP interface that nobody asked for.
func TestEngineStrangers(t *testing.T) {
	e := startEngine(t, EngineConfig{Dir: t.TempDir()})
	for user, passwords := range map[string][]string{
		"default":      {"", "guess"},
		e.User():       {"", "guess", e.ReaderPassword()},
		e.ReaderUser(): {"", "guess", e.Password(), e.ReaderPassword()}, // it has the HTTP interface alone
		"nobody":       {""},
	} {
		for _, password := range passwords {
			refused(t, connect(t, login(e, user, password)), "SELECT 1", codeAuthentication, codeTooManySessions)
		}
	}
	if e.HTTPAddr() != "" {
		t.Errorf("HTTP at %s", e.HTTPAddr())
	}
	config, err := os.ReadFile(e.files.config)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(config), "http_port") {
		t.Error("the configuration names an HTTP port")
	}
	if got := scan1[uint8](t, connect(t, e.DSN()), "SELECT 1"); got != 1 {
		t.Errorf("answered %d", got)
	}
}

// TestEngineAndAPageInABrowser asks the HTTP interface as the page of another origin does: with an Origin, a content
// type that needs no preflight, and any parameters.
func TestEngineAndAPageInABrowser(t *testing.T) {
	e, _ := startBooks(t, EngineConfig{Dir: t.TempDir(), HTTPPort: AnyPort})
	defer http.DefaultClient.CloseIdleConnections() // an idle one would hold the stop up
	ask := func(method, query, body string, header ...string) (int, string, http.Header) {
		t.Helper()
		return overHTTP(t, e, method, query, body,
			append([]string{"Origin", "https://evil.example", "Content-Type", "text/plain"}, header...)...)
	}
	for _, query := range []string{
		"", "user=default", "user=default&password=", "user=makegood", "user=finance&password=",
		"add_http_cors_header=1", "user=default&add_http_cors_header=1", "session_id=a", "user=default&session_id=b",
	} {
		for _, sql := range []string{"SELECT 1", "SELECT file('/etc/passwd')", "SYSTEM STOP LISTEN TCP"} {
			status, text, header := ask(http.MethodPost, query, sql)
			if status == http.StatusOK || strings.Contains(text, "root:") {
				t.Errorf("%s: %s: %d %s", query, sql, status, text)
			}
			if header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %s: an answer for other origins: %v", query, sql, header)
			}
		}
	}
	login := "user=finance&password=" + e.ReaderPassword()
	if status, text, header := ask(http.MethodPost, login, "SELECT currentUser()"); status != http.StatusOK ||
		text != e.ReaderUser() || header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("finance with its password: %d %s %v", status, text, header)
	}
	if status, text, header := ask(http.MethodPost, login+"&add_http_cors_header=1", "SELECT 1"); header.Get(
		"Access-Control-Allow-Origin") != "" {
		t.Errorf("an answer for other origins on request: %d %s %v", status, text, header)
	}
}

// TestEngineIsShutIn: with a password, too, nobody reads or writes a file through the engine, or connects to an
// address.
func TestEngineIsShutIn(t *testing.T) {
	if v := fenceVersion(); v < fenceNetwork {
		t.Fatalf("this test wants a kernel with Landlock of version %d or newer; this one has %d", fenceNetwork, v)
	}
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(elsewhere, []byte("s3cret"), 0o644); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	e, writer := startBooks(t, EngineConfig{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Grants: []string{"GRANT FILE, URL, REMOTE ON *.*"}})
	reader := connect(t, login(e, e.ReaderUser(), e.login)) // as if it came around the gate
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, path := range []string{
		elsewhere, "/etc/passwd", "/etc/shadow", "/etc/hostname", filepath.Join(os.Getenv("HOME"), ".bashrc"),
		filepath.Join(dir, "clickhouse", "makegood.password"), filepath.Join(dir, "clickhouse", "finance.password"),
		filepath.Join(dir, "serve.json"), fmt.Sprintf("/proc/%d/environ", os.Getpid()), "/proc/1/cmdline",
	} {
		for _, conn := range []driver.Conn{writer, reader} {
			refused(t, conn, fmt.Sprintf("SELECT file('%s')", path), codeAccessDenied, codeNoSuchFile, codeStdException,
				codeNotEnoughRights)
		}
		refused(t, writer, fmt.Sprintf("SELECT * FROM file('%s', 'LineAsString')", path), codeAccessDenied, codeNoSuchFile,
			codeStdException)
	}
	written := filepath.Join(t.TempDir(), "written")
	refused(t, writer, fmt.Sprintf("INSERT INTO FUNCTION file('%s', 'CSV', 'x UInt8') VALUES (1)", written),
		codeAccessDenied, codeStdException)
	if _, err := os.Stat(written); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
	refused(t, writer, fmt.Sprintf("SELECT * FROM url('http://%s/', 'LineAsString') SETTINGS http_max_tries = 1",
		listener.Addr()), codeNetwork, codePoco)
	if !strings.Contains(log.String(), "shut in") {
		t.Errorf("the log doesn't say that the engine is shut in:\n%s", log.String())
	}
	exec1(t, writer, "INSERT INTO makegood.ledger VALUES (10)", "OPTIMIZE TABLE makegood.ledger FINAL")
}
