package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/kafka"
)

// TestErasedAsOfBefore: no answer names somebody who is erased, in no format and as of no time, also one before the
// erasure. A backup from before the erasure brings them back, and the page says what to do: where the log is as old,
// they are erased once more; where the tables alone are, the projectors do it by themselves.
func TestErasedAsOfBefore(t *testing.T) {
	t.Parallel()
	dir, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	var then time.Time
	var hashes []string
	t.Run("before", func(t *testing.T) {
		app, c := startTestAppWith(t, dir, engineInside)
		for _, e := range namesOfAVendor("Mq0", "Kf") {
			mustPost(t, c, e)
		}
		mustCatchUp(t, c)
		time.Sleep(5 * time.Millisecond) // recorded_at has milliseconds
		then = time.Now()
		hashes = []string{app.People.Hash("customer", "Mq0", then), app.People.Hash("employee", "Kf", then)}
	})
	copyWhole(t, dir, backup)
	t.Run("erased", func(t *testing.T) {
		app, c := startTestAppWith(t, dir, engineInside)
		if naming := namedIn(t, c, then, []string{"json"}, hashes); len(naming) < 4 {
			t.Fatalf("before the erasure only %q name somebody: this finds nothing", naming)
		}
		eraseAll(t, c, "Mq0", "Kf")
		times, formats := []time.Time{then}, []string{"json"}
		if reference.AllStreams() { // where there is time
			times, formats = append(times, time.Time{}), append(formats, "csv", "xlsx", "html")
		}
		for _, at := range times {
			if naming := namedIn(t, c, at, formats, append(hashes, "Mq0", "Kf")); len(naming) > 0 {
				t.Errorf("as of %v they are named by %q", at, naming)
			}
		}
		lateCopyGoes(t, app, c, hashes[0])
	})
	old := filepath.Join(dir, "clickhouse")
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
	copyWhole(t, filepath.Join(backup, "clickhouse"), old)
	t.Run("older tables", func(t *testing.T) {
		app, c := startTestAppWith(t, dir, engineInside)
		mustCatchUp(t, c)
		// What a roll-up under way wrote again goes a minute after the first look.
		for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
			found := inTables(t, app, hashes[0])
			maps.Copy(found, inTables(t, app, hashes[1]))
			if len(found) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("restored tables still name them in %v", found)
			}
		}
	})
	t.Run("all older", func(t *testing.T) {
		app, c := startTestAppWith(t, backup, engineInside)
		mustCatchUp(t, c)
		if out := say(t, c, "", "person", "Mq0"); strings.Contains(out, "\n0 events") {
			t.Errorf("the page says that a whole backup brings them back, and there is\n%s", out)
		}
		eraseAll(t, c, "Mq0", "Kf")
		for _, hash := range hashes {
			if found := inTables(t, app, hash); len(found) > 0 {
				t.Errorf("erased once more, %s is in %v", hash, found)
			}
		}
	})
}

// namesOfAVendor are the events of one order that name somebody, with a vendor from whom is claimed.
func namesOfAVendor(customer, employee string) []string {
	events := slices.Delete(namesEverywhere(rand.New(rand.NewPCG(5, 7)), customer, employee)[:6], 3, 4)
	_, order, _ := strings.Cut(events[0], `"order_id":"`)
	order, _, _ = strings.Cut(order, `"`)
	return append(events, event("9-"+order, "error.classified", "2026-01-10T10:00:00Z", order, fmt.Sprintf(
		`{"order_id":%q,"store_id":"s1","error_id":"e-%s","kind":"damaged","vendor_id":"v1","employee_id":%q}`, order,
		order, employee)))
}

func eraseAll(t *testing.T, c *client, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if out := say(t, c, "", "person", id, "--erase", "--yes", "--reason", "asked", "--actor", "ann"); !strings.Contains(
			out, "erased: p-erased00-") {
			t.Fatalf("%s", out)
		}
	}
}

// lateCopyGoes writes a copy of an order that stands behind the erasure with the hash, as a projector does that doesn't
// find its original: it loses, but it is kept until ClickHouse merges it away. Erasing once more replaces it.
func lateCopyGoes(t *testing.T, app *server.App, c *client, hash string) {
	t.Helper()
	placed := namesOfAVendor("Mq0", "Kf")[0]
	var partition int32
	if err := app.Store.DB.QueryRow(t.Context(), `SELECT partition FROM ledger FINAL
WHERE event_type = 'makegood.order.placed.v1'`).Scan(&partition); err != nil {
		t.Fatal(err)
	}
	ends, err := app.Admin.Ends(t.Context(), app.Config.Topic(domain.Orders))
	if err != nil {
		t.Fatal(err)
	}
	mustPost(t, c, placed)
	mustCatchUp(t, c)
	if found := inTables(t, app, hash); len(found) > 0 {
		t.Errorf("sent again, the hash is in %v", found)
	}
	if err := app.Store.DB.Exec(t.Context(), `SYSTEM STOP MERGES ledger`); err != nil {
		t.Fatal(err)
	}
	if err := app.Store.DB.Exec(t.Context(), `INSERT INTO ledger SELECT * REPLACE(? AS customer_id,
    replaceAll(payload, customer_id, ?) AS payload, toInt64(?) AS offset, version - 1 AS version)
FROM ledger FINAL WHERE event_type = 'makegood.order.placed.v1'`, hash, hash, ends[kafka.TopicPartition{
		Topic: app.Config.Topic(domain.Orders), Partition: int(partition)}]); err != nil {
		t.Fatal(err)
	}
	if found := inTables(t, app, hash); found["ledger"] != 1 {
		t.Errorf("the late copy is in %v", found)
	}
	if err := app.Store.DB.Exec(t.Context(), `SYSTEM START MERGES ledger`); err != nil {
		t.Fatal(err)
	}
	eraseAll(t, c, "Mq0")
	for deadline := time.Now().Add(3 * time.Minute); len(inTables(t, app, hash)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("erased once more, the late copy is in %v", inTables(t, app, hash))
		}
	}
}

// copyWhole copies a directory of a process that has ended, as the page says.
func copyWhole(t *testing.T, from, to string) {
	t.Helper()
	if said, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

// namedIn are the questions of the contract whose answer holds one of the words, as of a time where they take one, in
// some formats where they have several.
func namedIn(t *testing.T, c *client, at time.Time, asked, words []string) (naming []string) {
	t.Helper()
	_, order, _ := strings.Cut(namesOfAVendor("", "")[0], `"order_id":"`)
	order, _, _ = strings.Cut(order, `"`)
	usual := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}, "period": {"2026-01"},
		"vendor": {"v1"}, "source": {"urn:till:1"}, "id": {order}, "group_by": {"employee,order,case"},
		"detail": {"events"}}
	for path, parameters := range getters(t) {
		if strings.HasPrefix(path, "/assets/") || path == "/schemas/{name}" {
			continue
		}
		query, place := url.Values{}, path
		formats := []string{""}
		for _, p := range parameters {
			switch {
			case p.Name == "as_of" && !at.IsZero():
				query.Set("as_of", at.UTC().Format(time.RFC3339Nano))
			case p.Name == "format":
				formats = asked
			case p.In == "path" && path == "/v1/cases/{id}":
				place = "/v1/cases/e-" + order
			case p.In == "path":
				place = strings.ReplaceAll(place, "{"+p.Name+"}", usual.Get(p.Name))
			case path == "/v1/events" && p.Name == "id":
				query.Set("id", "1-"+order)
			case usual[p.Name] != nil:
				query[p.Name] = usual[p.Name]
			}
		}
		for _, format := range formats {
			if format != "" {
				query.Set("format", format)
			}
			var answer strings.Builder
			if err := c.get(t.Context(), place, query, &answer); err != nil {
				continue // it doesn't know the format, or there is no such thing
			}
			text := answer.String()
			if format == "xlsx" {
				text = cellsOf(t, text)
			}
			if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) }) {
				naming = append(naming, place+" "+format)
			}
		}
	}
	return naming
}

// cellsOf is all that a workbook says.
func cellsOf(t *testing.T, workbook string) string {
	t.Helper()
	book, err := excelize.OpenReader(strings.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	var all []string
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all = append(all, strings.Join(row, "\n"))
		}
	}
	return strings.Join(all, "\n")
}
