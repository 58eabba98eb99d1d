package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/report"
)

// asMakegood makes the test binary be makegood itself, so that tests can kill a real process.
const asMakegood = "MAKEGOOD_TEST_AS_MAKEGOOD"

// startTestApp runs everything inside of the test but ClickHouse, where it has a database of the engine that the tests
// share: what starts again on the same directory finds the same database.
func startTestApp(t testing.TB, dir string) (*server.App, *client) {
	t.Helper()
	return startTestAppWith(t, dir, func(*server.Config) {})
}

// booksOf is the address of the database of what starts on a directory. It goes when the test ends that asked first.
func booksOf(t testing.TB, dir string) string {
	return bookstest.Books(t, filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir)))
}

// engineInside makes the app start an engine of its own, in its directory.
func engineInside(c *server.Config) { c.ClickHouse = "" }

func startTestAppWith(t testing.TB, dir string, change func(*server.Config)) (*server.App, *client) {
	t.Helper()
	config := server.Config{DataDir: dir, HTTP: "127.0.0.1:0", KafkaListen: "127.0.0.1:0", Prefix: "makegood.",
		Group:      "makegood-projector",
		Partitions: 4, Zone: "UTC", Roles: []string{server.RoleGateway, server.RoleProjector, server.RoleExporter},
		ClickHouse: booksOf(t, dir)}
	change(&config)
	app, err := server.Start(t.Context(), config,
		slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	})
	return app, newClient(app.URL)
}

// process is makegood in a process of its own.
type process struct {
	cmd  *exec.Cmd
	said *bytes.Buffer
}

func startProcess(t testing.TB, args ...string) *process {
	t.Helper()
	return startProcessWith(t, nil, args...)
}

// startProcessWith gives it an environment beside that of the tests.
func startProcessWith(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], args...), said: new(bytes.Buffer)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // one that has ended can't be killed
	return p
}

// waitReady waits until the process can do its work.
func waitReady(ctx context.Context, t testing.TB, c *client, p *process) {
	t.Helper()
	for c.get(ctx, "/readyz", nil, nil) != nil {
		if ctx.Err() != nil {
			t.Fatalf("it doesn't get ready: %s", p.said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// freeAddress is a loopback address that nobody listened on a moment ago, outside of the range that the system gives to
// outgoing connections: it has to be the same after a restart. No test gets the one of another, which may be free just
// then.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		if _, given := portsGiven.LoadOrStore(port, true); given {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

var portsGiven sync.Map

func postBody(t testing.TB, c *client, contentType, body string) (int, string) {
	t.Helper()
	response, err := c.http.Post(c.base+"/v1/events", contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func mustPost(t testing.TB, c *client, event string) {
	t.Helper()
	if status, text := postBody(t, c, "application/cloudevents+json", event); status != http.StatusAccepted {
		t.Fatalf("%d %s\n%s", status, text, event)
	}
}

// The golden case of the contract: the truck.
var goldenRates = []string{
	event("r1", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"fleet_hour","key":"*","value":"60.20","currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`),
	event("r2", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"fleet_km","key":"*","value":0.50,"currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`),
	event("r3", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"agent","value":"34","currency":"USD","effective_from":"2026-01-01"}`),
	event("r4", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"inspector","value":30,"currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`),
	event("r5", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"voucher_redemption","key":"*","value":"0.8","effective_from":"2026-01-01T00:00:00Z"}`),
}

const goldenCase = `"order_id":"o1","store_id":"s1","error_id":"e1"`

var goldenEvents = []string{
	event("1", "order.placed", "2026-01-10T09:00:00+01:00", "o1",
		`{"order_id":"o1","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,`+
			`"unit_price":"100","tax":"8","unit_cost":"60"}],"payment_fee":"3.43"}`),
	event("2", "error.reported", "2026-01-10T12:00:00Z", "o1",
		`{`+goldenCase+
			`,"kind":"wrong_item","found":"after_delivery","detected_by":"customer","party_at_fault":"supplier",`+
			`"vendor_id":"v1","root_cause":"supplier_quality","avoidable":true,"currency":"USD","lines":[{"sku":"M",`+
			`"quantity":1,"unit_cost":"60","received_sku":"S","received_quantity":1,"received_unit_cost":"55"}]}`),
	event("3", "redelivery.dispatched", "2026-01-10T12:10:00Z", "o1",
		`{`+goldenCase+
			`,"redelivery_id":"d1","mode":"own_truck","currency":"USD","lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]}`),
	event("4", "redelivery.completed", "2026-01-10T13:00:00Z", "o1",
		`{`+goldenCase+
			`,"redelivery_id":"d1","succeeded":true,"currency":"USD","drive_minutes":30,"site_minutes":15,"distance_km":24}`),
	event("5", "labour.spent", "2026-01-10T13:10:00Z", "o1",
		`{`+goldenCase+`,"labour_id":"l1","role":"agent","minutes":18,"currency":"USD"}`),
	event("6", "concession.granted", "2026-01-10T13:20:00Z", "o1",
		`{`+goldenCase+`,"concession_id":"c1","kind":"voucher","currency":"USD","amount":"10"}`),
	event("7", "return.received", "2026-01-11T10:00:00Z", "o1",
		`{`+goldenCase+
			`,"return_id":"t1","currency":"USD","lines":[{"sku":"S","quantity":1,"unit_cost":"55","was":"wrong_item",`+
			`"grade":"b_grade","nrv":"45"}],"inspect_minutes":6,"inspect_role":"inspector"}`),
	event("8", "claim.accepted", "2026-01-12T10:00:00Z", "o1",
		`{`+goldenCase+`,"claim_id":"k1","party":"supplier","party_id":"v1","currency":"USD","amount":25}`),
}

// TestTheTruck is the golden case, number by number, through HTTP and back.
func TestTheTruck(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range goldenRates {
		mustPost(t, c, e)
	}
	if status, text := postBody(t, c, "application/cloudevents-batch+json", "["+strings.Join(goldenEvents, ",")+
		"]"); status != http.StatusAccepted || strings.TrimSpace(text) != `{"accepted":8}` {
		t.Fatalf("%d %s", status, text)
	}
	mustPost(t, c, goldenEvents[3]) // again: changes nothing
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Events != 13 || s.DeadLetters != 0 || s.Unpriced != 0 || s.Conflicts != 0 {
		t.Errorf("status %+v", s)
	}
	var story report.Story
	if err := c.get(t.Context(), "/v1/orders/o1", nil, &story); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(story.PerfectContribution, " ", story.Contribution, " ", story.Gross, " ", story.Net, " ",
		story.Hidden, " ", story.Unpriced, " ", len(story.Events)); got !=
		"36.5700 -26.7800 88.3500 63.3500 70.3500 false 8" {
		t.Errorf("the order reads %s", got)
	}
	if got := story.Events[3].Lines; len(got) != 2 || got[0] != (report.StoryLine{Account: "5220", Name: "truck_roll",
		Element: "FLEET", Basis: "IMPUTED", Step: "fix", Amount: "57.1500", Currency: "USD", ErrorID: "e1", StoreID: "s1"}) {
		t.Errorf("the truck posts %+v", got)
	}
	for query, want := range map[string]string{
		"from=2026-01-01&to=2026-02-01&group_by=store,kind": `[{"key":{"kind":"wrong_item","store":"s1"},` +
			`"gross":"88.3500","net":"63.3500","booked":"18.0000","hidden":"70.3500","recoveries":"25.0000","cases":1,` +
			`"orders":1}]`,
		"group_by=store&view=booked": `[{"key":{"store":"s1"},"gross":"18.0000","net":"-7.0000",` +
			`"booked":"18.0000","hidden":"0.0000","recoveries":"25.0000","cases":1,"orders":1}]`,
		"group_by=store&view=cash": `[]`,
		"group_by=vendor,category,avoidable": `[{"key":{"avoidable":"true","category":"external","vendor":"v1"},` +
			`"gross":"88.3500","net":"63.3500","booked":"18.0000","hidden":"70.3500","recoveries":"25.0000","cases":1,` +
			`"orders":1}]`,
		"from=2026-01-11&to=2026-01-12&group_by=element": `[{"key":{"element":"LABOUR"},"gross":"3.0000","net":"3.0000",` +
			`"booked":"0.0000","hidden":"3.0000","recoveries":"0.0000","cases":1,"orders":1},` +
			`{"key":{"element":"WRITE_DOWN"},"gross":"10.0000","net":"10.0000","booked":"10.0000","hidden":"0.0000",` +
			`"recoveries":"0.0000","cases":1,"orders":1}]`,
		"group_by=store&as_of=2020-01-01T00:00:00Z": `[]`,
	} {
		var report struct{ Rows json.RawMessage }
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.get(t.Context(), "/v1/reports/leakage", values, &report); err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if string(report.Rows) != want {
			t.Errorf("%s:\n got %s\nwant %s", query, report.Rows, want)
		}
	}
	for _, path := range []string{"/v1/orders/nobody", "/v1/cases/nobody", "/v1/nothing"} {
		var p *problem
		if err := c.get(t.Context(), path, nil, nil); !errors.As(err, &p) || p.Status != http.StatusNotFound {
			t.Errorf("%s: %v", path, err)
		}
	}
	var p *problem
	if err := c.get(t.Context(), "/v1/reports/leakage", url.Values{"group_by": {"moon"}}, nil); !errors.As(err, &p) ||
		p.Status != http.StatusBadRequest {
		t.Errorf("a report by moon: %v", err)
	}
}

// TestBadInputIsSaid: what a foreign producer writes is booked where it can be read, and a dead letter with its reason
// and place where it can't; one identity with two contents ends with the first in the books.
func TestBadInputIsSaid(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), Balancer: &kafkago.Hash{}, BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll}
	defer w.Close()
	placed := func(order, price string) string {
		return fmt.Sprintf(
			`{"order_id":%q,"store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":%q,`+
				`"unit_cost":"1"}]}`, order, price)
	}
	header := func(pairs ...string) (h []kafkago.Header) {
		for i := 0; i < len(pairs); i += 2 {
			h = append(h, kafkago.Header{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return h
	}
	structured := header("content-type", "application/cloudevents+json")
	messages := []kafkago.Message{
		{Topic: "makegood.orders", Key: []byte("a"), Headers: structured,
			Value: []byte(event("a", "order.placed", "2026-01-01T00:00:00Z", "a", placed("a", "10")))},
		{Topic: "makegood.orders", Key: []byte("b"), Value: []byte(placed("b", "20")), Headers: header("content-type",
			"application/json",
			"ce_specversion", "1.0", "ce_id", "b", "ce_source", "urn:till:1", "ce_type", "makegood.order.placed.v1", "ce_time",
			"2026-01-01T00:00:00Z", "ce_subject", "b")},
		{Topic: "makegood.orders", Key: []byte("x"), Headers: structured, Value: []byte(`{"half`)},
		{Topic: "makegood.orders", Key: []byte("x"), Headers: structured,
			Value: []byte(event("x", "order.placed", "2026-01-01T00:00:00Z", "x", strings.Replace(placed("x", "10"),
				`"quantity":1`, `"quantity":-1`, 1)))},
		{Topic: "makegood.orders", Key: []byte("x"), Headers: structured,
			Value: []byte(event("y", "order.vanished", "2026-01-01T00:00:00Z", "x", `{}`))},
		{Topic: "makegood.errors", Key: []byte("z"), Headers: structured,
			Value: []byte(event("z", "order.placed", "2026-01-01T00:00:00Z", "z", placed("z", "10")))},
		{Topic: "makegood.orders", Key: []byte("c"), Headers: structured,
			Value: []byte(event("c", "order.placed", "2026-01-01T00:00:00Z", "c", placed("c", "30")))},
	}
	for range 2 { // the same bytes again are the same event, and the same dead letter
		if err := w.WriteMessages(t.Context(), messages...); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Events != 3 || s.DeadLetters != 4 {
		t.Errorf("status %+v", s)
	}
	var answer struct {
		Letters []deadletter.Letter `json:"dead_letters"`
	}
	if err := c.get(t.Context(), "/v1/deadletters", nil, &answer); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range answer.Letters {
		got[d.EventID] = d.Reason + " " + d.Pointer
	}
	for id, want := range map[string]string{"": "bad_json ", "x": "negative /data/lines/0/quantity",
		"y": "unknown_type /type", "z": "wrong_topic /type"} {
		if got[id] != want {
			t.Errorf("event %q is a dead letter for %q, not %q", id, got[id], want)
		}
	}

	// A till whose counter was reset: the same id for another order, on another day.
	mustPost(t, c, event("a", "order.placed", "2026-03-01T00:00:00Z", "other", placed("other", "99")))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if s, err = c.caughtUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Conflicts == 1 && s.Events == 3 { // the dead letter comes first, so that a crash between loses nothing
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the conflict isn't settled within a minute: %+v", s)
		}
	}
	var p *problem
	if err := c.get(t.Context(), "/v1/orders/other", nil, nil); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("the loser of a conflict is still in the books: %v", err)
	}
	if err := c.get(t.Context(), "/v1/orders/a", nil, nil); err != nil {
		t.Errorf("the first recorded is gone: %v", err)
	}
}

// TestTightestLimits: a projector that may hold next to nothing books all the same.
func TestTightestLimits(t *testing.T) {
	t.Parallel()
	_, c := startTestAppWith(t, t.TempDir(), func(config *server.Config) {
		config.Projector = server.ProjectorFlags{Batch: 1, InFlight: 1, InFlightBytes: server.LeastInFlight}
	})
	for _, e := range goldenEvents {
		mustPost(t, c, e)
	}
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Events != 8 {
		t.Errorf("status %+v", s)
	}
	for _, f := range []server.ProjectorFlags{{Batch: -1}, {Batch: 1_000_001}, {InFlight: -1}, {InFlight: 1_000_001},
		{InFlightBytes: server.LeastInFlight - 1}} {
		if f.Validate() == nil {
			t.Errorf("%+v is fine", f)
		}
	}
}

// TestUnpricedIsCountedAndListed: a missing rate is never a silent zero.
func TestUnpricedIsCountedAndListed(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range goldenEvents {
		mustPost(t, c, e)
	}
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Unpriced != 4 { // truck, agent, voucher, inspector
		t.Errorf("status %+v", s)
	}
	var answer struct{ Unpriced []report.UnpricedEvent }
	if err := c.get(t.Context(), "/v1/unpriced", nil, &answer); err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, u := range answer.Unpriced {
		missing = append(missing, u.Missing...)
	}
	if got := strings.Join(missing, " "); got != "fleet_hour: labour_hour:agent voucher_redemption:voucher "+
		"labour_hour:inspector" {
		t.Errorf("missing %s", got)
	}
	// What leaves the books leaves the list: the loser of a conflict, unpriced like the first.
	mustPost(t, c, strings.Replace(goldenEvents[4], `"minutes":18`, `"minutes":19`, 1))
	for deadline := time.Now().Add(time.Minute); s.Conflicts == 0 || s.Events != 8 ||
		s.Unpriced != 4; time.Sleep(100 * time.Millisecond) {
		if s, err = c.caughtUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the loser is still there after a minute: %+v", s)
		}
	}
}

// TestImport: lines and arrays, plain and packed, from files and standard input; refusals are told by place.
func TestImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := strings.Join(append(goldenRates, goldenEvents...), "\n") + "\n{\"broken\n" + strings.Replace(goldenEvents[4],
		`"minutes":18`, `"minutes":"18.00001"`, 1) + "\n"
	var out, said bytes.Buffer
	run1 := func(in string, args ...string) int {
		out.Reset()
		said.Reset()
		return run(t.Context(), append(args, "--data-dir", dir), terminal.Streams{In: strings.NewReader(in), Out: &out,
			Err: &said})
	}
	if code := run1(input, "import", "-"); code != 1 {
		t.Errorf("an import with refusals ends with %d: %s%s", code, out.String(), said.String())
	}
	for _, want := range []string{"accepted 13, refused 2, new 13", "-:14: bad_json",
		`-:15: too_many_decimals at "/data/minutes"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the import doesn't say %q but\n%s", want, out.String())
		}
	}
	if code := run1("["+strings.Join(goldenEvents, ",\n")+"]", "import", "-"); code != 0 || !strings.Contains(out.String(),
		"accepted 8, refused 0, new 0") {
		t.Errorf("the same again ends with %d: %s%s", code, out.String(), said.String())
	}
	if code := run1("", "explain", "o1"); code != 0 || !strings.Contains(out.String(), "63.3500") ||
		!strings.Contains(out.String(), "5220 Truck roll") {
		t.Errorf("explain ends with %d: %s%s", code, out.String(), said.String())
	}
	if code := run1("", "report", "--group-by", "kind", "--format", "csv"); code != 0 || !strings.HasPrefix(out.String(),
		"What went wrong,\"What went wrong, in words\",Gross,Net,Booked,Hidden,Paid back,Cases,Orders,Currency\n"+
			"wrong_item,Wrong item,88.3500,63.3500,18.0000,70.3500,25.0000,1,1,USD") {
		t.Errorf("report ends with %d: %s%s", code, out.String(), said.String())
	}
	if lines := bufio.NewScanner(&out); !lines.Scan() {
		t.Error("the report is empty")
	}
}
