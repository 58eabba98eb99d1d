package embedded

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

const (
	// writerUser owns the books: it creates tables, inserts, reads.
	writerUser = "makegood"
	// readerUser is for people who bring their own tools.
	readerUser = "finance"
)

// engineFiles are the paths of one engine under Dir/clickhouse.
type engineFiles struct {
	Data, Log, Users          string // the templates read these
	root, config, start, lock string
}

func engineLayout(dir string) engineFiles {
	root := filepath.Join(dir, "clickhouse")
	return engineFiles{
		Data:   filepath.Join(root, "data"),
		Log:    filepath.Join(root, "log"),
		Users:  filepath.Join(root, "users.xml"),
		root:   root,
		config: filepath.Join(root, "config.xml"),
		start:  filepath.Join(root, "start.sql"),
		lock:   filepath.Join(root, "lock"),
	}
}

// OutputLog is where the engine's standard output and error go.
func (f engineFiles) OutputLog() string { return filepath.Join(f.Log, "output.log") }

// ErrorLog is where the engine writes its own errors.
func (f engineFiles) ErrorLog() string { return filepath.Join(f.Log, "error.log") }

func (f engineFiles) create() error {
	for _, dir := range []string{f.root, f.Data, f.Log} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("creating engine directory: %w", err)
		}
	}
	return nil
}

// password returns a user's password, made at the first start of a data
// directory and kept in a file that only its owner reads.
func (f engineFiles) password(user string) (string, error) {
	path := filepath.Join(f.root, user+".password")
	text, err := os.ReadFile(path)
	if err == nil {
		if p := strings.TrimSpace(string(text)); p != "" {
			return p, nil
		}
		return "", fmt.Errorf("the password file %s is empty; remove it to get a new one", path)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading password of %s: %w", user, err)
	}
	p := rand.Text()
	if err := writeFileAtomic(path, []byte(p+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keeping password of %s: %w", user, err)
	}
	return p, nil
}

type engineSettings struct {
	Files                engineFiles
	TCPPort, HTTPPort    int
	Writer, Reader       string
	WriterSum, ReaderSum string // sha256 of the passwords, in hex
	ReaderMemory         int64
	ReaderSeconds        int // what a reader's query gets unasked
	ReaderSecondsMax     int // and what it may ask for: clients pass on their own deadlines
	FsyncAfterInsert     bool
}

// write renders the configuration anew for each start: the ports differ, and a
// newer makegood may want other settings.
func (f engineFiles) write(s engineSettings) error {
	s.Files = f
	for path, t := range map[string]*template.Template{f.config: serverConfig, f.Users: usersConfig} {
		var b strings.Builder
		if err := t.Execute(&b, s); err != nil {
			return fmt.Errorf("rendering %s: %w", filepath.Base(path), err)
		}
		if err := writeFileAtomic(path, []byte(b.String()), 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
		}
	}
	if err := writeFileAtomic(f.start, []byte(startQueries), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(f.start), err)
	}
	return nil
}

func digest(password string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(password)))
}

// startQueries are all that the session of clickhouse-local does itself, so its
// user needs no other right. What keeps it alive after them is the prompt: the
// session has a terminal, whose other end is ours, and waits there for a query
// that never comes. It ends when we close our end, or when the kernel does
// because we are gone.
//
// It has to be a terminal. Without one clickhouse-local aborts on the first
// error in any connection (a wrong password on the native port, a client that
// goes away in the middle of an answer: ClickHouse issue 115666); a session
// with a prompt logs such errors and goes on, as a server does.
const startQueries = "SYSTEM START LISTEN TCP;\nSYSTEM START LISTEN HTTP;\n"

var configFuncs = template.FuncMap{"x": func(s string) (string, error) {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "", fmt.Errorf("escaping: %w", err)
	}
	return b.String(), nil
}}

// serverConfig keeps the engine small beside the program that it serves: two
// cores do ingestion, merges and reports at once. System log tables (query_log
// and the rest) exist only where they are configured, so they are off; the
// log files hold warnings.
var serverConfig = template.Must(template.New("config.xml").Funcs(configFuncs).Parse(`<?xml version="1.0"?>
<!-- Written by makegood at every start: changes here are lost. -->
<clickhouse>
    <logger>
        <level>warning</level>
        <log>{{x .Files.Log}}/engine.log</log>
        <errorlog>{{x .Files.ErrorLog}}</errorlog>
        <size>10M</size>
        <count>3</count>
        <console>0</console>
    </logger>
    <!-- clickhouse-local takes the level of its log from here -->
    <send_logs_level>warning</send_logs_level>

    <path>{{x .Files.Data}}/</path>
    <tmp_path>{{x .Files.Data}}/tmp/</tmp_path>
    <user_files_path>{{x .Files.Data}}/user_files/</user_files_path>
    <format_schema_path>{{x .Files.Data}}/format_schemas/</format_schema_path>
    <users_config>{{x .Files.Users}}</users_config>
    <listen_host>127.0.0.1</listen_host>
    <tcp_port>{{.TCPPort}}</tcp_port>
    <http_port>{{.HTTPPort}}</http_port>
    <!-- idle clients hold a stop up for so many seconds -->
    <shutdown_wait_unfinished>1</shutdown_wait_unfinished>

    <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
    <mark_cache_size>134217728</mark_cache_size>
    <index_mark_cache_size>16777216</index_mark_cache_size>
    <primary_index_cache_size>134217728</primary_index_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <compiled_expression_cache_size>33554432</compiled_expression_cache_size>
    <query_condition_cache_size>33554432</query_condition_cache_size>
    <max_concurrent_queries>64</max_concurrent_queries>

    <background_pool_size>2</background_pool_size>
    <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
    <background_move_pool_size>1</background_move_pool_size>
    <background_fetches_pool_size>1</background_fetches_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_schedule_pool_size>4</background_schedule_pool_size>
    <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
    <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
    <background_message_broker_schedule_pool_size>4</background_message_broker_schedule_pool_size>
    <asynchronous_metrics_update_period_s>30</asynchronous_metrics_update_period_s>
    <asynchronous_metrics_enable_heavy_metrics>0</asynchronous_metrics_enable_heavy_metrics>
    <memory_worker_period_ms>200</memory_worker_period_ms>

    <merge_tree>
        <!-- 2 threads x ratio 2 = 4 entries in the pool: these must fit -->
        <number_of_free_entries_in_pool_to_execute_mutation>2</number_of_free_entries_in_pool_to_execute_mutation>
        <number_of_free_entries_in_pool_to_lower_max_size_of_merge>2</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
        <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>3</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
        <!-- Identity by event makes a repeated insert harmless; a window that
             forgets would only hide it sometimes. -->
        <non_replicated_deduplication_window>0</non_replicated_deduplication_window>
{{- if .FsyncAfterInsert}}
        <!-- An offset that is committed promises the rows: see doc.go -->
        <fsync_after_insert>1</fsync_after_insert>
        <fsync_part_directory>1</fsync_part_directory>
{{- end}}
    </merge_tree>
</clickhouse>
`))

var usersConfig = template.Must(template.New("users.xml").Funcs(configFuncs).Parse(`<?xml version="1.0"?>
<!-- Written by makegood at every start: changes here are lost. -->
<clickhouse>
    <profiles>
        <default>
            <async_insert>0</async_insert>
            <insert_deduplicate>0</insert_deduplicate>
            <!-- seconds after which an idle connection notices a stop -->
            <poll_interval>1</poll_interval>
        </default>
        <session>
            <max_memory_usage>33554432</max_memory_usage>
            <max_threads>1</max_threads>
        </session>
        <reader>
            <!-- 2 and not 1: drivers set things like output formats -->
            <readonly>2</readonly>
            <poll_interval>1</poll_interval>
            <max_memory_usage>{{.ReaderMemory}}</max_memory_usage>
            <max_execution_time>{{.ReaderSeconds}}</max_execution_time>
            <max_concurrent_queries_for_user>8</max_concurrent_queries_for_user>
            <constraints>
                <max_memory_usage><max>{{.ReaderMemory}}</max><min>1</min></max_memory_usage>
                <max_execution_time><max>{{.ReaderSecondsMax}}</max><min>1</min></max_execution_time>
                <max_concurrent_queries_for_user><const/></max_concurrent_queries_for_user>
            </constraints>
        </reader>
    </profiles>
    <quotas><default/></quotas>
    <users>
        <!-- The session of clickhouse-local logs in as default, from 127.0.0.1
             and with no password: that can't be changed. All that it may do is
             open and close the ports; it can't read a table or a file. -->
        <default>
            <no_password/>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>session</profile>
            <quota>default</quota>
            <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
        </default>
        <{{.Writer}}>
            <password_sha256_hex>{{.WriterSum}}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </{{.Writer}}>
        <{{.Reader}}>
            <password_sha256_hex>{{.ReaderSum}}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>reader</profile>
            <quota>default</quota>
            <grants>
                <query>GRANT SELECT, SHOW, dictGet ON makegood.*</query>
            </grants>
        </{{.Reader}}>
    </users>
</clickhouse>
`))

// openOutput opens the file for the child's standard output and error. What
// the run before left is kept once: it may tell why that run ended.
func (f engineFiles) openOutput() (*os.File, error) {
	path := f.OutputLog()
	if err := os.Rename(path, path+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keeping the engine's last output: %w", err)
	}
	// The same goes for its error log, or an old error would look like the
	// reason of a new end.
	if err := os.Rename(f.ErrorLog(), f.ErrorLog()+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keeping the engine's last errors: %w", err)
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the engine's output: %w", err)
	}
	return out, nil
}

// logTail is the end of what the engine said, for an error's text.
func (f engineFiles) logTail() string {
	var tail string
	for _, path := range []string{f.OutputLog(), f.ErrorLog()} {
		text, err := readEnd(path)
		if err != nil || len(text) == 0 {
			continue
		}
		tail += "\n" + path + ":" + indentTail(text)
	}
	return tail
}

func readEnd(path string) ([]byte, error) {
	const end = 8 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	if info, err := f.Stat(); err == nil && info.Size() > end {
		if _, err := f.Seek(-end, io.SeekEnd); err != nil {
			return nil, fmt.Errorf("seeking: %w", err)
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return text, nil
}
