package embedded

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// mostStatementBytes is less than ClickHouse's own max_query_size of 256 KiB, so that it reads the same statement
	// with the words EXPLAIN AST before it.
	mostStatementBytes = 200 << 10
	mostTreeBytes      = 16 << 20
	mostReaders        = 128 // connections
	mostReaderHeader   = 512 << 10

	readerHeaderTime = 5 * time.Second
	readerBodyTime   = 30 * time.Second
	readerIdleTime   = 2 * time.Minute

	explain = "EXPLAIN AST\n"
)

// readerSettings are all that a reader may set; the engine refuses every other. None holds an expression, names a file
// or an address, or changes how a statement is read.
var readerSettings = []string{
	"aggregate_functions_null_for_empty", "bool_false_representation", "bool_true_representation",
	"date_time_output_format", "date_time_overflow_behavior", "decimal_check_overflow", "enable_http_compression",
	"extremes", "final", "format_csv_delimiter", "format_csv_null_representation", "format_tsv_null_representation",
	"group_by_use_nulls", "http_headers_progress_interval_ms", "http_write_exception_in_output_format",
	"http_zlib_compression_level", "join_use_nulls", "limit", "log_comment", "max_block_size", "max_bytes_to_read",
	"max_result_bytes", "max_result_rows", "max_rows_to_read", "max_threads", "network_compression_method",
	"network_zstd_compression_level", "offset",
	"output_format_csv_crlf_end_of_line", "output_format_decimal_trailing_zeros",
	"output_format_json_array_of_rows", "output_format_json_escape_forward_slashes",
	"output_format_json_named_tuples_as_objects", "output_format_json_quote_64bit_floats",
	"output_format_json_quote_64bit_integers", "output_format_json_quote_decimals",
	"output_format_json_quote_denormals", "output_format_native_encode_types_in_binary_format",
	"output_format_native_write_json_as_string", "output_format_pretty_color", "output_format_pretty_max_rows",
	"output_format_pretty_row_numbers", "output_format_tsv_crlf_end_of_line", "output_format_write_statistics",
	"read_overflow_mode", "result_overflow_mode", "send_progress_in_http_headers", "session_timezone",
	"timeout_overflow_mode", "transform_null_in", "use_uncompressed_cache",
}

// boundedSettings may be set within bounds: see engine/users.xml.
var boundedSettings = []string{"max_execution_time", "max_memory_usage"}

// requestParameters are those of ClickHouse's HTTP interface that are no settings, and say only how the answer is sent.
// Not among them: sessions, roles, and bodies that are compressed.
var requestParameters = []string{
	"buffer_size", "client_protocol_version", "compress", "database", "default_format", "query_id", "wait_end_of_query",
}

// readerGate is ClickHouse's HTTP interface for people who bring their own tools. It takes the password of readerUser,
// lets the engine parse the statement without running it, refuses what isn't allowed, and hands on the rest. The engine
// knows another password for readerUser, made for each start and kept nowhere: there is no way around.
type readerGate struct {
	password string // of the reader
	login    string // that the engine wants
	engine   string // host:port of its HTTP interface
	rules    statementRules
	server   *http.Server
	proxy    *httputil.ReverseProxy
	client   *http.Client
	logger   *slog.Logger
}

func newReaderGate(e *Engine, rules statementRules) *readerGate {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: readerIdleTime}
	g := &readerGate{password: e.reader, login: e.login, engine: loopbackAddr(e.inside), rules: rules,
		client: &http.Client{Transport: transport}, logger: e.cfg.Logger}
	g.proxy = &httputil.ReverseProxy{Transport: transport, FlushInterval: -1,
		Rewrite:      func(*httputil.ProxyRequest) {}, // it's made in pass
		ErrorHandler: g.unreachable,
		ErrorLog:     slog.NewLogLogger(e.cfg.Logger.Handler(), slog.LevelWarn)}
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: readerHeaderTime, IdleTimeout: readerIdleTime,
		MaxHeaderBytes: mostReaderHeader, ErrorLog: g.proxy.ErrorLog}
	return g
}

// serve answers on the listener until close.
func (g *readerGate) serve(l net.Listener) {
	if err := g.server.Serve(netutil.LimitListener(l, mostReaders)); !errors.Is(err, http.ErrServerClosed) {
		g.logger.Error("the ClickHouse inside can't be read over HTTP any more", "error", err)
	}
}

func (g *readerGate) close() error {
	err := g.server.Close()
	g.client.CloseIdleConnections() // they would hold up the engine's stop
	if err != nil {
		return fmt.Errorf("closing the engine's HTTP interface: %w", err)
	}
	return nil
}

// readerRefusal is an answer as ClickHouse gives it.
type readerRefusal struct {
	status, code int
	name, reason string
}

func (r *readerRefusal) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s: %s. (%s)", r.code, readerUser, r.reason, r.name)
}

func notAllowed(format string, a ...any) *readerRefusal {
	return &readerRefusal{http.StatusForbidden, 497, "ACCESS_DENIED", fmt.Sprintf(format, a...)}
}

func badRequest(reason string) *readerRefusal {
	return &readerRefusal{http.StatusBadRequest, 36, "BAD_ARGUMENTS", reason}
}

func (r *readerRefusal) write(w http.ResponseWriter) {
	w.Header().Set("X-ClickHouse-Exception-Code", fmt.Sprint(r.code))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.Error(w, r.Error(), r.status)
}

// ServeHTTP answers one request.
func (g *readerGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ping" && r.Method == http.MethodGet {
		_, _ = io.WriteString(w, "Ok.\n") // whoever asked is gone if it fails
		return
	}
	statement, parameters, err := g.read(w, r)
	if err == nil {
		err = g.judge(r.Context(), statement, parameters)
	}
	var refused *readerRefusal
	var said *engineSaid
	switch {
	case errors.As(err, &refused):
		refused.write(w)
	case errors.As(err, &said):
		said.write(w)
	case err != nil:
		g.unreachable(w, r, err)
	default:
		g.pass(w, r, statement, parameters)
	}
}

// read gives the statement and what else may be handed on.
func (g *readerGate) read(w http.ResponseWriter, r *http.Request) (string, url.Values, error) {
	switch {
	case r.URL.Path != "/":
		return "", nil, &readerRefusal{http.StatusNotFound, 36, "BAD_ARGUMENTS", "there is nothing at this path"}
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		return "", nil, &readerRefusal{http.StatusMethodNotAllowed, 36, "BAD_ARGUMENTS", "GET and POST only"}
	case r.Header.Get("Content-Encoding") != "":
		return "", nil, badRequest("a statement can't be compressed here")
	case strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/"):
		return "", nil, notAllowed("external tables aren't allowed here")
	}
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", nil, badRequest("the query string can't be read")
	}
	if !g.knows(r, asked) {
		return "", nil, &readerRefusal{http.StatusForbidden, 516, "AUTHENTICATION_FAILED",
			"Authentication failed: password is incorrect, or there is no user with such name"}
	}
	handOn := url.Values{}
	for name, values := range asked {
		switch {
		case len(values) != 1:
			return "", nil, badRequest("the parameter " + name + " is there more than once")
		case slices.Contains([]string{"query", "user", "password"}, name):
		case strings.HasPrefix(name, "param_") || slices.Contains(requestParameters, name) ||
			slices.Contains(readerSettings, name) || slices.Contains(boundedSettings, name):
			handOn[name] = values
		default:
			return "", nil, &readerRefusal{http.StatusForbidden, 164, "READONLY",
				"the parameter " + name + " isn't allowed here"}
		}
	}
	for header, name := range map[string]string{"X-Clickhouse-Database": "database",
		"X-Clickhouse-Format": "default_format"} {
		if v := r.Header.Get(header); v != "" && !handOn.Has(name) {
			handOn.Set(name, v)
		}
	}
	body, err := readStatement(w, r)
	return asked.Get("query") + body, handOn, err
}

// knows tells whether the request has the reader's name and password, in one of the ways that ClickHouse takes them.
func (g *readerGate) knows(r *http.Request, asked url.Values) bool {
	user, password, basic := r.BasicAuth()
	switch {
	case basic:
	case r.Header.Get("X-Clickhouse-User") != "":
		user, password = r.Header.Get("X-Clickhouse-User"), r.Header.Get("X-Clickhouse-Key")
	default:
		user, password = asked.Get("user"), asked.Get("password")
	}
	right := subtle.ConstantTimeCompare([]byte(password), []byte(g.password)) == 1
	return right && user == readerUser
}

func readStatement(w http.ResponseWriter, r *http.Request) (string, error) {
	slow := http.NewResponseController(w)
	if err := slow.SetReadDeadline(time.Now().Add(readerBodyTime)); err != nil {
		return "", fmt.Errorf("setting a deadline: %w", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostStatementBytes))
	if err != nil {
		return "", badRequest("the statement can't be read, or is longer than 200 KiB")
	}
	if err := slow.SetReadDeadline(time.Time{}); err != nil {
		return "", fmt.Errorf("taking a deadline back: %w", err)
	}
	return string(body), nil
}

// ask is a request to the engine.
func (g *readerGate) ask(ctx context.Context, statement string, parameters url.Values) *http.Request {
	address := url.URL{Scheme: "http", Host: g.engine, Path: "/", RawQuery: parameters.Encode()}
	body := []byte(statement)
	r := &http.Request{Method: http.MethodPost, URL: &address, Host: g.engine, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body))}
	r.SetBasicAuth(readerUser, g.login)
	return r.WithContext(ctx)
}

// engineSaid is an answer of the engine that is no result.
type engineSaid struct {
	status int
	code   string
	text   []byte
}

func (s *engineSaid) Error() string { return string(s.text) }

func (s *engineSaid) write(w http.ResponseWriter) {
	w.Header().Set("X-ClickHouse-Exception-Code", s.code)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(s.status)
	_, _ = w.Write(s.text) // whoever asked is gone if it fails
}

// judge lets the engine parse the statement, with its parameters in their places, and holds the tree against the rules.
func (g *readerGate) judge(ctx context.Context, statement string, parameters url.Values) error {
	if len(statement) > mostStatementBytes {
		return badRequest("the statement is longer than 200 KiB")
	}
	if isShow(statement) {
		return nil
	}
	const format = "TabSeparatedRaw"
	parse := url.Values{"default_format": {format}, "wait_end_of_query": {"1"}}
	for name, values := range parameters {
		if name == "database" || strings.HasPrefix(name, "param_") {
			parse[name] = values
		}
	}
	answer, err := g.client.Do(g.ask(ctx, explain+statement, parse))
	if err != nil {
		return fmt.Errorf("asking the engine: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	tree, err := io.ReadAll(io.LimitReader(answer.Body, mostTreeBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the engine's answer: %w", err)
	case answer.StatusCode != http.StatusOK:
		return &engineSaid{answer.StatusCode, answer.Header.Get("X-ClickHouse-Exception-Code"), tree}
	case len(tree) > mostTreeBytes:
		return badRequest("the statement has too many parts")
	}
	// The statement must not have said how its own tree is written.
	if f := answer.Header.Get("X-ClickHouse-Format"); f != format && f != "TSVRaw" {
		return notAllowed("this statement isn't allowed here")
	}
	return g.rules.judge(string(tree))
}

// pass runs the statement.
func (g *readerGate) pass(w http.ResponseWriter, r *http.Request, statement string, parameters url.Values) {
	out := g.ask(r.Context(), statement, parameters)
	for _, name := range []string{"Accept-Encoding", "User-Agent"} {
		if v := r.Header.Get(name); v != "" {
			out.Header.Set(name, v)
		}
	}
	g.proxy.ServeHTTP(w, out)
}

func (g *readerGate) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		g.logger.Warn("a reader's statement failed", "error", err)
	}
	(&readerRefusal{http.StatusBadGateway, 210, "NETWORK_ERROR", "the engine doesn't answer"}).write(w)
}
