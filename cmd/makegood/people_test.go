package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/people"
	"github.com/makegood/makegood/projections/deadletter"
)

// inTables counts what is in any column of any table, also of copies of a row that are superseded.
func inTables(t *testing.T, app *server.App, word string) map[string]uint64 {
	t.Helper()
	var tables []string
	if err := app.Store.DB.QueryRow(t.Context(), `SELECT groupArray(name) FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'`).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	found := map[string]uint64{}
	for _, table := range tables {
		var n uint64
		if err := app.Store.DB.QueryRow(t.Context(), "SELECT count() FROM "+table+
			" WHERE position(toString(tuple(*)), ?) > 0", word).Scan(&n); err != nil {
			t.Fatal(table, err)
		}
		if n > 0 {
			found[table] = n
		}
	}
	return found
}

// inLog counts the records of a topic that hold a word.
func inLog(t *testing.T, app *server.App, topic, word string) (n int) {
	t.Helper()
	ends, err := app.Admin.Ends(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for tp, end := range ends {
		for offset := range end {
			r, ok, err := app.Admin.Record(t.Context(), kafka.TopicPartition{Topic: topic, Partition: tp.Partition}, offset)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if strings.Contains(fmt.Sprintf("%s %s %s", r.Key, r.Value, r.Headers), word) {
				n++
			}
		}
	}
	return n
}

// namesEverywhere are events that name somebody wherever a till could, and one that is refused for it.
func namesEverywhere(r *rand.Rand, customer, employee string) []string {
	order := fmt.Sprintf("o%d", r.IntN(1e9))
	error, fix := `"error_id":"e-`+order+`",`, `"order_id":"`+order+`","store_id":"s1",`
	at := func(minute int) string { return fmt.Sprintf("2026-01-10T09:%02d:00Z", minute) }
	placed := event("1-"+order, "order.placed", at(0), order, fmt.Sprintf(`{%s"customer_id":%q,"employee_id":%q,`+
		`"currency":"USD","gift_note":%q,"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100",`+
		`"unit_cost":"60","for":%q}]}`, fix, customer, employee, "for "+customer, customer))
	return []string{
		placed,
		event("2-"+order, "error.reported", at(1), order, fmt.Sprintf(`{%s%s"kind":"damaged","found":"after_delivery",`+
			`"detected_by":"customer","employee_id":%q}`, fix, error, employee)),
		event("3-"+order, "refund.issued", at(2), order, fmt.Sprintf(`{%s%s"refund_id":"r","currency":"USD","net":"10.25",`+
			`"customer_id":%q,"to":{"iban":%q}}`, fix, error, customer, customer)),
		event("4-"+order, "error.rejected", at(3), order, fmt.Sprintf(`{%s%s"reason":%q}`, fix, error,
			customer+" was wrong")),
		event("5-"+order, "feedback.received", at(4), order, fmt.Sprintf(`{%s"rating":2,"public":false,"customer_id":%q}`,
			fix, customer)),
		event("6-"+order, "labour.spent", at(5), order, fmt.Sprintf(`{%s%s"labour_id":"l","role":"agent","minutes":4,`+
			`"activity":%q,"currency":"USD"}`, fix, error, "called "+customer)),
		event("7-"+order, "event.voided", at(6), order, fmt.Sprintf(`{%s"voids":{"source":"urn:till:1","id":"1-%s"},`+
			`"reason":"keyed twice","original":%s}`, fix, order, placed)),
		event("8-"+order, "order.placed", at(7), "x"+order, fmt.Sprintf(`{"order_id":"x%s","store_id":"s1","currency":"USD",`+
			`"customer_id":%q}`, order, customer)), // no lines: refused
	}
}

// TestNobodyIsKeptPlain sends names wherever they can be sent, by every way there is, and looks for them in the log,
// the dead letters, every table, and every byte of the data directory.
func TestNobodyIsKeptPlain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var app *server.App
	var c *client
	words := []string{"Mqzimmermann", "Kfjorgensen"}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 4))
	t.Run("run", func(t *testing.T) {
		app, c = startTestAppWith(t, dir, engineInside)
		for range 5 {
			for _, e := range namesEverywhere(r, words[0]+" 4711", words[1]) {
				status, text := postBody(t, c, "application/cloudevents+json", e)
				if strings.Contains(e, `"8-`) != (status == http.StatusUnprocessableEntity) || status > 422 {
					t.Fatal(status, text)
				}
				if status == http.StatusAccepted && !strings.Contains(text, "accepted") {
					t.Fatal(text)
				}
			}
			// The same event again is no conflict.
			batch := namesEverywhere(r, words[0], words[1]+"@example.com")
			for range 2 {
				postBody(t, c, "application/cloudevents-batch+json", "["+strings.Join(batch[:7], ",")+"]")
			}
		}
		file := writeFile(t, "events.ndjson", strings.ReplaceAll(
			strings.Join(namesEverywhere(r, words[0], words[1])[:7], "\n"), "\n", "\n"))
		say(t, c, "", "import", file)
		if s := mustCatchUp(t, c); s.DeadLetters != 0 || s.Events != 5*14+7 {
			t.Errorf("%+v", s)
		}
		for _, word := range words {
			if found := inTables(t, app, word); len(found) > 0 {
				t.Errorf("%s is in %v", word, found)
			}
		}
	})
	// Now that nothing runs, every byte on disk.
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) {
				t.Errorf("%s is in %s", word, path)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWhatComesByKafkaIsHiddenFromTheTables: a producer's topic is its own, but no table and no dead letter holds the
// names that it wrote, nor a dead letter that is replayed.
func TestWhatComesByKafkaIsHiddenFromTheTables(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), Balancer: &kafkago.Hash{}, BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll}
	defer w.Close()
	const word = "Mqzimmermann"
	send := func(topic, text string) {
		t.Helper()
		if err := w.WriteMessages(t.Context(), kafkago.Message{Topic: "makegood." + topic, Key: []byte("k"),
			Value: []byte(text), Headers: []kafkago.Header{{Key: "content-type",
				Value: []byte("application/cloudevents+json")}, {Key: "vip", Value: []byte(word)}}}); err != nil {
			t.Fatal(err)
		}
	}
	mustCatchUp(t, c)
	events := namesEverywhere(rand.New(rand.NewPCG(1, 1)), word, word)
	for i, topic := range []string{"orders", "errors", "redeliveries", "errors", "orders", "redeliveries", "orders",
		"orders"} {
		send(topic, events[i])
	}
	send("orders", strings.Replace(events[0], `"100"`, `"101"`, 1)) // a conflict
	send("orders", `{"customer_id":"`+word)
	send("orders", strings.Replace(events[4], "feedback.received", "feedback.sung", 1))
	for deadline := time.Now().Add(time.Minute); mustCatchUp(t, c).DeadLetters != 4; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", mustCatchUp(t, c))
		}
	}
	for _, d := range openLetters(t, c) {
		if d.Reason != "conflict" {
			if err := c.post(t.Context(), "/v1/deadletters/"+d.ID+"/replay", "", nil, nil); err != nil {
				t.Error(d.Reason, err)
			}
		}
	}
	mustCatchUp(t, c)
	if found := inTables(t, app, word); len(found) > 0 {
		t.Errorf("it is in %v", found)
	}
	if n := inLog(t, app, app.Config.Prefix+deadletter.Topic, word); n > 0 {
		t.Errorf("%d dead letters hold it", n)
	}
	say(t, c, "", "reconcile")
}

// TestPerson lists what there is of somebody, by the id and by the hash, and erases it: their money stays, their next
// order is somebody else's, and they don't come back with a log that is posted again.
func TestPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var hash, name string
	t.Run("erase", func(t *testing.T) { hash, name = listedAndErased(t, dir) })
	// Everything again from the log.
	if err := os.RemoveAll(filepath.Join(dir, "clickhouse")); err != nil {
		t.Fatal(err)
	}
	app, c := startTestAppWith(t, dir, func(c *server.Config) { c.Group, c.ClickHouse = "another", "" })
	mustCatchUp(t, c)
	if out := say(t, c, "", "person", "Mq0"); !strings.Contains(out, "\n1 events") {
		t.Errorf("posted again there is\n%s", out)
	}
	if out := say(t, c, "", "person", name); strings.Count(out, "Order placed") != 2 {
		t.Errorf("posted again there is in their place\n%s", out)
	}
	awaitConflict(t, c)
	if n := inTables(t, app, hash)["dead_letters"]; n > 0 {
		t.Errorf("posted again, %d dead letters hold the hash", n)
	}
	// The log held it before, and is no place to change; the dead letter that was made again holds the name.
	if n, m := inLog(t, app, app.Config.Prefix+deadletter.Topic, hash), inLog(t, app,
		app.Config.Prefix+deadletter.Topic, name); n != 1 || m != 1 {
		t.Errorf("%d dead letters in the log hold the hash, %d the name", n, m)
	}
	if n := inLog(t, app, app.Config.Topic(domain.Orders), hash); n == 0 {
		t.Error("the log holds no hash any more, and the page says that it does")
	}
}

// listedAndErased tells of a customer and an employee what there is, erases the customer, and gives their hash and the
// name that took its place.
func listedAndErased(t *testing.T, dir string) (hash, name string) {
	t.Helper()
	app, c := startTestAppWith(t, dir, engineInside)
	for i := range 3 {
		for n, e := range namesEverywhere(rand.New(rand.NewPCG(uint64(i), 7)), "Mq"+fmt.Sprint(i%2), "Kf")[:6] {
			if n != 3 { // which would make the case unfounded
				mustPost(t, c, e)
			}
		}
	}
	mustCatchUp(t, c)
	hash = app.People.Hash("customer", "Mq0", time.Now())
	reports := func() (all string) {
		for _, by := range []string{"order", "root_cause"} {
			rows, _, _ := strings.Cut(say(t, c, "", "report", "--group-by", by, "--from", "2026-01-01", "--until",
				"2026-02-01"), "as of")
			all += rows
		}
		return all
	}
	before := reports()
	if !strings.Contains(before, "30.7500") {
		t.Errorf("the reports are\n%s", before)
	}
	for _, id := range []string{"Mq0", hash} {
		out := say(t, c, "", "person", id)
		if strings.Count(out, "Order placed") != 2 || strings.Count(out, "29.7500  10.2500         USD") != 2 ||
			!strings.Contains(out, "4 events, 0 left out, 0 dead letters") {
			t.Errorf("of %s there is\n%s", id, out)
		}
	}
	if out := say(t, c, "", "person", "Kf"); !strings.Contains(out, "6 events") || !strings.Contains(out, "damaged") {
		t.Errorf("of the employee there is\n%s", out)
	}
	rated := namesEverywhere(rand.New(rand.NewPCG(0, 7)), "Mq0", "Kf")[4]
	mustPost(t, c, strings.Replace(rated, `"rating":2`, `"rating":3`, 1))
	awaitConflict(t, c)
	out := say(t, c, "yes\n", "person", "Mq0", "--erase", "--reason", "asked for it", "--actor", "ann")
	_, rest, _ := strings.Cut(out, "erased: ")
	name, _, _ = strings.Cut(rest, " ")
	if !strings.HasPrefix(name, "p-erased00-") {
		t.Fatalf("%s", out)
	}
	if out := say(t, c, "", "person", "Mq0"); !strings.Contains(out, "\n0 events") {
		t.Errorf("after the erasure there is\n%s", out)
	}
	if after := reports(); after != before {
		t.Errorf("the report was\n%s\nand is\n%s", before, after)
	}
	if out := say(t, c, "", "person", name); strings.Count(out, "Order placed") != 2 {
		t.Errorf("in their place there is\n%s", out)
	}
	if out := say(t, c, "", "audit"); !strings.Contains(out, "Person erased") || !strings.Contains(out, "asked for it") {
		t.Errorf("the audit says\n%s", out)
	}
	if found := inTables(t, app, hash); len(found) > 0 {
		t.Errorf("the hash is in %v", found)
	}
	mustPost(t, c, event("new", "order.placed", "2026-01-20T00:00:00Z", "new",
		`{"order_id":"new","store_id":"s1","currency":"USD","customer_id":"Mq0","lines":[{"line_id":"1","sku":"M",`+
			`"quantity":1,"unit_price":"5","unit_cost":"1"}]}`))
	mustCatchUp(t, c)
	if out := say(t, c, "", "person", "Mq0"); !strings.Contains(out, "\n1 events") {
		t.Errorf("of the new order there is\n%s", out)
	}
	say(t, c, "", "reconcile")
	return hash, name
}

// awaitConflict waits until the books have found a conflict.
func awaitConflict(t *testing.T, c *client) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); mustCatchUp(t, c).Conflicts != 1; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", mustCatchUp(t, c))
		}
	}
}

// TestPeopleOfBefore: rows and dead letters that a version without keys wrote are hidden at the next start, amounts and
// customers who come back stay as they were, what is sent again is no conflict, and nobody is left in any table.
func TestPeopleOfBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	booksOf(t, dir) // of both runs
	const customer, employee = "Mqzimmermann 4711", "Kfjorgensen"
	events := namesEverywhere(rand.New(rand.NewPCG(3, 3)), customer, employee)[:6]
	again := strings.NewReplacer(`"1-o`, `"9-o`, `"o2`, `"again-o2`, "2026-01-10", "2026-01-20").Replace(events[0])
	events = append(events, again)
	figures := func(t *testing.T, c *client) string {
		t.Helper()
		out := say(t, c, "", "summary", "--from", "2026-01-01", "--until", "2026-02-01", "--format", "json")
		at := strings.Index(out, `"returning_customers"`)
		if at < 0 {
			t.Fatalf("no returning customers in\n%s", out)
		}
		end := strings.Index(out[at:], "]")
		say(t, c, "", "reconcile") // which fails where anything differs
		return out[at : at+end]
	}
	var before string
	t.Run("before", func(t *testing.T) {
		app, c := startTestAppWith(t, dir, func(c *server.Config) { c.People.Off = true })
		for _, e := range events {
			mustPost(t, c, e)
		}
		mustCatchUp(t, c)
		if found := inTables(t, app, customer); found["ledger"] < 6 {
			t.Fatalf("the name is in %v", found)
		}
		before = figures(t, c)
	})
	app, c := startTestApp(t, dir)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		found := inTables(t, app, customer)
		if len(found) == 0 && len(inTables(t, app, employee)) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the name is still in %v", found)
		}
	}
	if after := figures(t, c); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if out := say(t, c, "", "person", customer); strings.Count(out, "Order placed") != 2 {
		t.Errorf("there is\n%s", out)
	}
	for _, e := range events {
		mustPost(t, c, e)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if s := mustCatchUp(t, c); s.Conflicts == 0 || time.Now().After(deadline) {
			if s.Conflicts != 0 || s.DeadLetters != 0 {
				t.Errorf("sent again: %+v", s)
			}
			break
		}
	}
}

// TestCustomersAfterARotation: a customer who ordered before the keys were rotated comes back after it as the same
// one, by the gateway and by Kafka alike, and is found under both hashes; a retry is the same event.
func TestCustomersAfterARotation(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "people.key")
	if err := people.Create(key); err != nil {
		t.Fatal(err)
	}
	if _, err := people.Rotate(key, time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	app, c := startTestAppWith(t, t.TempDir(), func(c *server.Config) { c.People.PeopleKey = key })
	placed := func(id, day string) string {
		return event(id, "order.placed", "2026-01-"+day+"T09:00:00Z", id, `{"order_id":"`+id+`","store_id":"s1",`+
			`"currency":"USD","customer_id":"Mq7","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"9",`+
			`"unit_cost":"1"}]}`)
	}
	for range 2 {
		mustPost(t, c, placed("a", "10"))
		mustPost(t, c, placed("b", "20"))
	}
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafkago.Message{Topic: "makegood.orders", Key: []byte("k"),
		Value: []byte(placed("k", "21"))}); err != nil {
		t.Fatal(err)
	}
	if s := mustCatchUp(t, c); s.Events != 3 || s.Conflicts != 0 || s.DeadLetters != 0 {
		t.Errorf("%+v", s)
	}
	var customers []string
	var keys uint64
	if err := app.Store.DB.QueryRow(t.Context(), `SELECT groupUniqArray(customer_id),
uniqExact(JSONExtractString(payload, 'customer_id')) FROM ledger FINAL`).Scan(&customers, &keys); err != nil {
		t.Fatal(err)
	}
	if len(customers) != 1 || keys != 2 {
		t.Errorf("the customers are %v, hashed with %d keys", customers, keys)
	}
	if out := say(t, c, "", "person", "Mq7"); strings.Count(out, "Order placed") != 3 {
		t.Errorf("there is\n%s", out)
	}
	mustPost(t, c, strings.Replace(placed("b", "20"), `"9"`, `"8"`, 1))
	awaitConflict(t, c)
	say(t, c, "yes\n", "person", "Mq7", "--erase", "--reason", "asked for it")
	// A till that repeats what it sent brings nobody back.
	mustPost(t, c, placed("a", "10"))
	mustPost(t, c, placed("b", "20"))
	if err := w.WriteMessages(t.Context(), kafkago.Message{Topic: "makegood.orders", Key: []byte("k"),
		Value: []byte(placed("k", "21"))}); err != nil {
		t.Fatal(err)
	}
	if s := mustCatchUp(t, c); s.Events != 4 || s.DeadLetters != 1 { // with the erasure
		t.Errorf("after all was sent again: %+v", s)
	}
	if out := say(t, c, "", "person", "Mq7"); !strings.Contains(out, "\n0 events") {
		t.Errorf("after all was sent again there is\n%s", out)
	}
	for _, hash := range app.People.Ring().Hashes("customer", "Mq7") {
		if found := inTables(t, app, hash); len(found) > 0 {
			t.Errorf("after all was sent again %s is in %v", hash, found)
		}
	}
}
