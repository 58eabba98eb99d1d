package embedded

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// overHTTP asks the HTTP interface, and gives the status, the text and the headers of its answer.
func overHTTP(t *testing.T, e *Engine, method, query, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), method, "http://"+e.HTTPAddr()+"/?"+query,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text)), resp.Header
}

// asReader asks as the reader, and gives the status, the text and ClickHouse's code of an error.
func asReader(t *testing.T, e *Engine, query, body string, header ...string) (int, string, string) {
	t.Helper()
	login := base64.StdEncoding.EncodeToString([]byte(e.ReaderUser() + ":" + e.ReaderPassword()))
	status, text, said := overHTTP(t, e, http.MethodPost, query, body,
		append([]string{"Authorization", "Basic " + login}, header...)...)
	return status, text, said.Get("X-ClickHouse-Exception-Code")
}

func startReader(t *testing.T) (*Engine, driver.Conn) {
	t.Helper()
	e, writer := startBooks(t, EngineConfig{Dir: t.TempDir(), HTTPPort: AnyPort})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return e, writer
}

// TestEngineReader: finance reads the books and nothing else.
func TestEngineReader(t *testing.T) {
	e, _ := startReader(t)
	for statement, want := range map[string]string{
		"SELECT count() FROM makegood.journal":                                           "10",
		"SELECT 1 SETTINGS output_format_json_quote_64bit_integers = 1":                  "1",
		"SELECT 1 SETTINGS max_execution_time = 10, max_memory_usage = 1000000000":       "1",
		"SHOW TABLES FROM makegood":                                                      "journal",
		"show tables in `makegood` format JSONEachRow;":                                  `{"name":"journal"}`,
		"EXISTS makegood.journal":                                                        "1",
		"DESCRIBE TABLE makegood.journal":                                                "a\tUInt64",
		"(SELECT 1) UNION ALL (SELECT 1) EXCEPT SELECT 2":                                "1\n1",
		"SELECT sumIf(a, a > 3), quantilesExactIf(0.5, 0.9)(a, 1) FROM makegood.journal": "39\t[5,9]",
		"WITH x -> x + 1 AS f SELECT arrayMap(x -> x + 1, [1]), sum(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING " +
			"AND CURRENT ROW) FROM makegood.journal ORDER BY a DESC LIMIT 1 BY a LIMIT 1": "[2]\t17",
		"SELECT * EXCEPT b REPLACE (a + 1 AS a) FROM (SELECT 1 AS a, 2 AS b)":                                "2",
		"SELECT 'file(1)' FROM (SELECT 1 AS `file(1)`)":                                                      "file(1)",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT max(n) FROM r": "3",
		"WITH (x -> x + 1) AS plus_one SELECT plus_one(1), arrayMap(plus_one, [1])":                          "2\t[2]",
		"SELECT n FROM (SELECT 2 AS n) ORDER BY n WITH FILL FROM 1 TO 3":                                     "1\n2",
		"-- a remark\nSELECT /* file('x') */ count() FROM numbers(3)":                                        "3",
	} {
		if status, text, _ := asReader(t, e, "", statement); status != http.StatusOK || text != want &&
			!strings.HasPrefix(statement, "DESCRIBE") || !strings.HasPrefix(text, want) {
			t.Errorf("%s: %d %s, want %s", statement, status, text, want)
		}
	}
	for statement, want := range map[string]string{
		"SELECT a FROM makegood.ledger":                                                   "497",
		"SELECT * FROM other.secret":                                                      "497",
		"SELECT * FROM system.parts":                                                      "497",
		"SELECT 1 SETTINGS max_memory_usage = 100000000000":                               "452",
		"SELECT 1 SETTINGS max_memory_usage = 0":                                          "452",
		"SELECT 1 SETTINGS max_execution_time = 0":                                        "452",
		"SELECT 1 SETTINGS add_http_cors_header = 1":                                      "164",
		"SELECT 1 SETTINGS readonly = 0":                                                  "164",
		"SELECT count() FROM numbers(1e18) SETTINGS max_execution_time = 1":               "159",
		"SELECT groupArray(number) FROM numbers(1e9) SETTINGS max_memory_usage = 1000000": "241",
		"SELECT":                       "62",
		"SELECT 1 AS `several\nlines`": "497",
		"SELECT no_such_name":          "47",
	} {
		if status, text, code := asReader(t, e, "wait_end_of_query=1", statement); status == http.StatusOK || code != want {
			t.Errorf("%s: %d %s, want the code %s", statement, status, text, want)
		}
	}
}

// hostileStatements are those that would read the file PATH, write, or hide what they do.
var hostileStatements = []string{
	"SELECT file('PATH')", "SELECT `file`('PATH')", "SELECT \"file\"('PATH')", "select FILE('PATH')",
	"SELECT/**/file/**/('PATH')", "SELECT file('PATH') AS `x\nIdentifier y`", "SELECT 1, (SELECT file('PATH'))",
	"SELECT arrayMap(file, ['PATH'])", "SELECT arrayMap(`file`, ['PATH'])", "SELECT arrayMap(x -> file(x), ['PATH'])",
	"WITH file AS f SELECT arrayMap(f, ['PATH'])", "WITH file AS f SELECT f('PATH')",
	"WITH x -> x AS file SELECT file('PATH')",
	"SELECT 1 AS `x\n  Function lambda (alias file) (children 1)`, file('PATH')",
	"WITH x -> x AS file SELECT arrayMap(file, ['PATH'])",
	"WITH x -> x AS url SELECT * FROM url('file://PATH', 'LineAsString')", "WITH x -> file(x) AS f SELECT f('PATH')",
	"WITH (SELECT file('PATH')) AS x SELECT x", "WITH y AS (SELECT file('PATH')) SELECT * FROM y",
	"SELECT arrayMap({f:Identifier}, ['PATH'])", "SELECT arrayFold(file, ['PATH'], '')",
	"SELECT arraySort(file, ['PATH'])",
	"SELECT * APPLY(file) FROM (SELECT 'PATH' AS a)", "SELECT * APPLY(x -> file(x)) FROM (SELECT 'PATH' AS a)",
	"SELECT COLUMNS('a') APPLY file FROM (SELECT 'PATH' AS a)",
	"SELECT COLUMNS(a) APPLY(file) FROM (SELECT 'PATH' AS a)",
	"SELECT t.* APPLY(file) FROM (SELECT 'PATH' AS a) AS t",
	"SELECT * REPLACE (file(a) AS a) FROM (SELECT 'PATH' AS a)",
	"SELECT 1 WHERE file('PATH') != ''", "SELECT 1 GROUP BY file('PATH')", "SELECT 1 ORDER BY file('PATH')",
	"SELECT 1 AS a ORDER BY a WITH FILL FROM length(file('PATH'))", "SELECT 1 LIMIT length(file('PATH'))",
	"SELECT 1 AS a ORDER BY a WITH FILL TO 3 INTERPOLATE (a AS file('PATH'))",
	"SELECT 1 AS a LIMIT length(file('PATH')) BY a",
	"SELECT sum(1) OVER (PARTITION BY file('PATH'))", "SELECT sum(1) OVER w WINDOW w AS (ORDER BY file('PATH'))",
	"SELECT 1 QUALIFY file('PATH') != ''", "SELECT 1 HAVING file('PATH') != ''", "SELECT DISTINCT ON (file('PATH')) 1",
	"SELECT 1 FROM (SELECT 1 AS a) AS x JOIN (SELECT 1 AS a) AS y ON x.a = length(file('PATH'))",
	"SELECT c FROM (SELECT 1) ARRAY JOIN [file('PATH')] AS c", "SELECT CAST(file('PATH') AS String)",
	"SELECT file('PATH')::String",
	"SELECT sumIf(length(file('PATH')), 1)", "SELECT CASE WHEN 1 THEN file('PATH') END", "SELECT 1 IN (file('PATH'))",
	"SELECT 1 UNION ALL SELECT length(file('PATH'))", "SELECT 1 EXCEPT SELECT length(file('PATH'))",
	"(SELECT file('PATH'))",
	"SELECT * FROM file('PATH', 'LineAsString')", "SELECT * FROM file('PATH', 'LineAsString', 'x String')",
	"SELECT * FROM `PATH`", "SELECT * FROM 'PATH'", "SELECT * FROM default.`PATH`", "DESCRIBE file('PATH')",
	"DESCRIBE (SELECT file('PATH'))", "DESCRIBE TABLE `PATH`", "SELECT * FROM view(SELECT file('PATH'))",
	"SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file('PATH')))", "SELECT * FROM (EXPLAIN SELECT file('PATH'))",
	"EXPLAIN SELECT file('PATH')", "EXPLAIN AST SELECT 1", "EXPLAIN SELECT 1", "EXPLAIN ESTIMATE SELECT 1",
	"SELECT * FROM values('x String DEFAULT file(\\'PATH\\')', ('a'))", "SELECT * FROM format(CSV, 'x String', 'a')",
	"SELECT * FROM eval('SELECT file(\\'PATH\\')')", "SELECT * FROM executable('cat PATH', CSV, 'x String')",
	"SELECT * FROM remote('127.0.0.1', other.secret)", "SELECT * FROM url('file://PATH', 'LineAsString')",
	"SELECT * FROM merge('other', '.*')", "SELECT * FROM loop(other.secret)", "SELECT * FROM input('x String')",
	"SELECT * FROM mergeTreeIndex(other, secret)", "SELECT * FROM sqlite('PATH', 't')", "SELECT * FROM null('x String')",
	"SHOW TABLES WHERE file('PATH') != ''", "SHOW TABLES FROM makegood WHERE name = file('PATH')",
	"SHOW COLUMNS FROM journal FROM makegood WHERE file('PATH') != ''", "SHOW DATABASES WHERE file('PATH') = ''",
	"SHOW TABLES FROM makegood; SELECT file('PATH')", "SHOW PROCESSLIST", "SHOW SETTINGS LIKE '%'", "SHOW FUNCTIONS",
	"SELECT 1; SELECT file('PATH')", "SELECT 1 PARALLEL WITH SELECT file('PATH')", "graph = 1 SELECT file('PATH')",
	"SELECT 1 SETTINGS additional_table_filters = {'makegood.journal': 'file(\\'PATH\\') = \\'\\''}",
	"SELECT 1 SETTINGS additional_result_filter = 'file(\\'PATH\\') = \\'\\''",
	"SELECT 1 SETTINGS format_schema = 'PATH'",
	"SELECT a FROM makegood.journal SETTINGS parallel_replicas_custom_key = 'file(\\'PATH\\')'",
	"SELECT 1 FORMAT Template SETTINGS format_template_row = 'PATH'", "SELECT 1 SETTINGS dialect = 'kusto'",
	"SELECT 1 FORMAT Template SETTINGS format_template_resultset = 'PATH'",
	"SELECT 1 SETTINGS output_format_schema = 'x'",
	"SELECT 1 FORMAT Protobuf SETTINGS format_schema = 'PATH:x'", "SELECT 1 SETTINGS allow_introspection_functions = 0",
	"SELECT formatRow('Template', 1)", "SELECT catboostEvaluate('PATH', 1)", "SELECT addressToLine(1)",
	"SELECT sleep(1)",
	"SELECT hasColumnInTable('127.0.0.1', 'makegood', '', 'other', 'secret', 'a')", "SELECT getServerSetting('path')",
	"SELECT getMacro('x')", "SELECT aiGenerate('x')", "SELECT dictGet('x', 'y', 1)", "SELECT showCertificate()",
	"SELECT no_such_function(1)", "SELECT fileIf('PATH', 1)", "SELECT arrayReduce(file, ['PATH'])",
	"SELECT filesystemAvailable()", "SELECT evalMLMethod(1)", "SELECT joinGet('x', 'y', 1)",
	"SELECT zookeeperSessionUptime()",
	"INSERT INTO makegood.ledger VALUES (1)", "INSERT INTO makegood.ledger SELECT file('PATH')",
	"DROP TABLE makegood.ledger",
	"INSERT INTO FUNCTION file('x', 'CSV', 'x UInt8') VALUES (1)", "CREATE TABLE makegood.x (a UInt8) ENGINE = Memory",
	"CREATE TEMPORARY TABLE x AS SELECT file('PATH') AS a", "CREATE FUNCTION f AS x -> file(x)",
	"ATTACH TABLE x FROM 'PATH'",
	"CREATE VIEW makegood.v AS SELECT file('PATH')", "ALTER TABLE makegood.ledger DELETE WHERE file('PATH') = ''",
	"SET readonly = 0", "SET param_x = 1", "USE other", "SYSTEM STOP LISTEN TCP", "SYSTEM SHUTDOWN",
	"KILL QUERY WHERE 1",
	"BACKUP TABLE makegood.ledger TO File('x')", "GRANT ALL ON *.* TO finance", "CREATE USER x", "BEGIN TRANSACTION",
	"CHECK TABLE makegood.ledger", "OPTIMIZE TABLE makegood.ledger", "SELECT 1 INTO OUTFILE 'PATH'", "WATCH makegood.v",
	"EXECUTE AS makegood SELECT 1", "DESCRIBE CACHE 'x'", "EXCHANGE TABLES a AND b",
	"UPDATE makegood.ledger SET a = 1 WHERE 1",
	"COPY x TO 'PATH'", "FROM file('PATH', 'LineAsString') SELECT *", "VALUES (file('PATH'))", "file('PATH')", "",
	"SELECT 1\x00; SELECT file('PATH')", "SELECT file('PATH') FORMAT Null", "SELECT file('PATH') FORMAT CSV",
}

// hostileQueries are what a request's address may hold beside the reader's name.
var hostileQueries = []string{
	"session_id=a", "role=makegood", "decompress=1", "quota_key=a", "readonly=0", "add_http_cors_header=1",
	"dialect=kusto",
	"additional_table_filters=%7B%27makegood.journal%27%3A%27file(1)%27%7D", "additional_result_filter=file(1)",
	"implicit_select=1", "format_schema=x", "format_template_row=x", "x_structure=a+String&x_format=CSV",
	"profile=default",
	"allow_introspection_functions=1", "session_timezone=UTC&session_timezone=UTC", "max_memory_usage=0",
	"max_query_size=1",
	"http_response_headers=%7B%27a%27%3A%27b%27%7D", "query=SELECT+file(%27PATH%27)%3B", "http_native_compression=1",
	"stacktrace=1",
	"param_x=1&session_check=1", "database=default&query=SELECT+*+FROM+%60PATH%60%2C",
}

// TestReadersReachNoFile: file() asks for no right in this engine, so what has it anywhere isn't run.
func TestReadersReachNoFile(t *testing.T) {
	e, writer := startReader(t)
	secret := "what nobody may read"
	exec1(t, writer, "CREATE TABLE makegood.kept (a String CODEC(NONE)) ENGINE = MergeTree ORDER BY tuple()",
		"INSERT INTO makegood.kept VALUES ('"+secret+"')")
	path := filepath.Join(scan1[string](t, writer, "SELECT path FROM system.parts WHERE table = 'kept'"), "data.bin")
	around := connect(t, login(e, e.ReaderUser(), e.login))
	for _, file := range []string{path, e.files.Users} {
		if got := scan1[string](t, around, "SELECT file('"+file+"')"); len(got) == 0 {
			t.Fatalf("the engine keeps %s from the reader by itself: the gate isn't needed any more", file)
		}
	}
	// Which of them the engine alone would have answered: the control.
	answered := 0
	for _, statement := range hostileStatements {
		for _, file := range []string{path, e.files.Users} {
			asked := strings.ReplaceAll(statement, "PATH", file)
			status, text, _ := asReader(t, e, "param_f=file", asked)
			if status == http.StatusOK || strings.Contains(text, secret) || strings.Contains(text, "password_sha256_hex") {
				t.Errorf("%s: %d %s", asked, status, text)
			}
		}
		if strings.Contains(statement, "PATH") && !strings.Contains(statement, "{f:") &&
			around.Exec(testContext(t), strings.ReplaceAll(statement, "PATH", path)) == nil {
			answered++
		}
	}
	if answered < 40 {
		t.Errorf("the engine alone answers only %d of the statements: they don't try the gate", answered)
	}
	for _, query := range hostileQueries {
		status, text, _ := asReader(t, e, strings.ReplaceAll(query, "PATH", url.QueryEscape(path)), "SELECT 1")
		if status == http.StatusOK || strings.Contains(text, secret) {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	for _, header := range [][]string{
		{"Content-Encoding", "gzip"}, {"Content-Type", "multipart/form-data; boundary=x"},
		{"X-Clickhouse-Format", "Template"},
	} {
		if status, text, _ := asReader(t, e, "", "SELECT 1", header...); status == http.StatusOK {
			t.Errorf("%v: %s", header, text)
		}
	}
	for _, at := range []string{"/play", "/dashboard", "/replicas_status", "/?query=SELECT+1", "/metrics", "//"} {
		resp, err := http.Get("http://" + e.HTTPAddr() + at) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode == http.StatusOK {
			t.Errorf("%s: %d %v", at, resp.StatusCode, err)
		}
	}
	if n := scan1[uint64](t, writer, "SELECT count() FROM makegood.ledger"); n != 10 {
		t.Errorf("%d rows of the ledger are left", n)
	}
	long := "SELECT '" + strings.Repeat("a", mostStatementBytes) + "'"
	if status, _, _ := asReader(t, e, "", long); status != http.StatusBadRequest {
		t.Errorf("a long statement: %d", status)
	}
	if _, err := os.Stat(filepath.Join(e.files.Data, "x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
}

// TestReadersFunctions: what the engine has and the lists don't name can't be called, in whatever letters; and the
// lists name nothing that there isn't.
func TestReadersFunctions(t *testing.T) {
	e, writer := startReader(t)
	var names, tables []string
	if err := errors.Join(
		writer.QueryRow(testContext(t), "SELECT groupArray(name) FROM system.functions").Scan(&names),
		writer.QueryRow(testContext(t), "SELECT groupArray(name) FROM system.table_functions").Scan(&tables)); err != nil {
		t.Fatal(err)
	}
	rules := newStatementRules(names, tables)
	listed := strings.Fields(functionsText + aggregatesText)
	letters := nameSet(strings.ToLower(functionsText + aggregatesText))
	for _, name := range append(names, tables...) {
		if rules.mayCall(name) && !letters[strings.ToLower(name)] {
			t.Errorf("%s is allowed by the name of another", name)
		}
	}
	own := []string{"lambda", "exists", "grouping", "untuple"} // the analyzer's
	known := slices.Concat(names, tables, own)
	for _, name := range listed {
		if !slices.Contains(known, name) {
			t.Errorf("there is no function %s", name)
		}
	}
	for _, name := range []string{"file", "FILE", "url", "remote", "executable", "eval", "sleep", "formatRow", "fileIf",
		"hasColumnInTable", "catboostEvaluate", "dictGet", "joinGet", "getMacro", "merge", "view", "values", "", "if_"} {
		if rules.mayCall(name) {
			t.Errorf("%s is allowed", name)
		}
	}
	if len(rules.others) < 100 || !rules.others["file"] || rules.others["sum"] {
		t.Errorf("%d functions are not to be called: %v", len(rules.others), rules.others)
	}
	if e.HTTPAddr() == loopbackAddr(e.inside) {
		t.Error("the reader is led to the engine itself")
	}
}

// TestReadersClients: a client of ClickHouse gets in over HTTP with each way to compress answers, with parameters.
func TestReadersClients(t *testing.T) {
	e, _ := startReader(t)
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4,
		clickhouse.CompressionZSTD, clickhouse.CompressionGZIP, clickhouse.CompressionBrotli} {
		conn, err := clickhouse.Open(&clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{e.HTTPAddr()},
			Auth:        clickhouse.Auth{Database: "makegood", Username: e.ReaderUser(), Password: e.ReaderPassword()},
			Settings:    clickhouse.Settings{"max_execution_time": 30},
			Compression: &clickhouse.Compression{Method: method}})
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		var s string
		err = conn.QueryRow(clickhouse.Context(testContext(t), clickhouse.WithParameters(clickhouse.Parameters{"s": "it's"})),
			"SELECT count(), {s:String} FROM journal").Scan(&n, &s)
		if err != nil || n != 10 || s != "it's" {
			t.Errorf("%s: %d %s: %v", method, n, s, err)
		}
		if err := conn.Exec(testContext(t), "SELECT file('/etc/passwd')"); err == nil ||
			!strings.Contains(err.Error(), "code: 497") {
			t.Errorf("%s: %v", method, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// FuzzReaderTree: whatever a tree holds, one with a function that a reader may not call on a line of its own is
// refused, and judging ends.
func FuzzReaderTree(f *testing.F) {
	rules := newStatementRules([]string{"file", "sum"}, []string{"url"})
	for _, tree := range []string{
		"SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  Function sum (alias x\ny) (children 1)\n",
		"", "\n", " ",
		"SelectWithUnionQuery\n Identifier file\n", "DescribeQuery\n Function sumIf",
		"SelectWithUnionQuery\n ColumnsApplyTransformer",
	} {
		f.Add(tree)
	}
	f.Fuzz(func(t *testing.T, tree string) {
		err := rules.judge(tree)
		if err == nil && !strings.HasPrefix(tree, "SelectWithUnionQuery") && !strings.HasPrefix(tree, "DescribeQuery") &&
			!strings.HasPrefix(tree, "ExistsTableQuery") && !strings.HasPrefix(tree, "ExistsViewQuery") &&
			!strings.HasPrefix(tree, "ShowCreateTableQuery") && !strings.HasPrefix(tree, "ShowCreateViewQuery") {
			t.Errorf("%q is a statement", tree)
		}
		for _, more := range []string{" Function file (children 1)\n", " Identifier file\n", " Explain EXPLAIN\n",
			" Function url\n"} {
			if rules.judge(strings.TrimSuffix(tree, "\n")+"\n"+more) == nil {
				t.Errorf("%q is allowed behind %q", more, tree)
			}
		}
	})
}
