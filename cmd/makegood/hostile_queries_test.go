package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/infra/wire/schemas"
	"github.com/makegood/makegood/projections/bookstest"
)

// hostileValues are what somebody may write in a parameter.
var hostileValues = []string{"", "-1", "0", "1e9", "NaN", "99999999999999999999999", "0001-01-01", "9999-12-31",
	"1969-12-31", "2262-04-12", "2026-02-30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
	"' OR 1=1 --", `\'; DROP TABLE ledger`,
	"a\x00b", "\r\nX-Evil: 1", "\u202e", "\xff\xfe", "=1+1", "../../etc/passwd", "{}",
	"[]", "%%%", "USD", "close:0001-01"}

// apiParameter is what the contract says of a parameter.
type apiParameter struct {
	Ref      string `yaml:"$ref"`
	Name, In string
	Required bool
}

type apiContract struct {
	Paths map[string]struct {
		Parameters []apiParameter
		Get        *struct{ Parameters []apiParameter }
	}
	Components struct{ Parameters map[string]apiParameter }
}

// getters are the paths that may be asked, each with its parameters.
func getters(t *testing.T) map[string][]apiParameter {
	t.Helper()
	var contract apiContract
	if err := yaml.Unmarshal(schemas.OpenAPI(), &contract); err != nil {
		t.Fatal(err)
	}
	all := map[string][]apiParameter{}
	for path, of := range contract.Paths {
		if of.Get == nil {
			continue
		}
		all[path] = []apiParameter{}
		for _, p := range slices.Concat(of.Parameters, of.Get.Parameters) {
			if name, is := strings.CutPrefix(p.Ref, "#/components/parameters/"); is {
				p = contract.Components.Parameters[name]
			}
			all[path] = append(all[path], p)
		}
	}
	return all
}

// TestHostileQueries: whatever stands in a parameter, and however far a range reaches, the answer is an answer or a
// problem of the asker's, in few words; it is no error of ours, and says nothing in a header.
func TestHostileQueries(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	seed := uint64(bookstest.Seeds(t, 1, 1)[0])
	random := rand.New(rand.NewPCG(seed, 31))
	mustPost(t, c, orderOf("o1"))
	mustPost(t, c, event("r1", "refund.issued", "2026-01-11T09:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r1","currency":"USD","net":"5"}`))
	mustCatchUp(t, c)
	usual := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}, "period": {"2026-01"}}
	paths := getters(t)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		parameters := paths[path]
		if strings.HasPrefix(path, "/assets/") {
			continue // files, by net/http
		}
		ask := func(change func(url.Values)) {
			t.Helper()
			query := url.Values{}
			at := path
			for _, p := range parameters {
				if values := usual[p.Name]; p.Required && len(values) > 0 {
					query[p.Name] = values
				} else if p.Required {
					query.Set(p.Name, "o1")
				}
			}
			change(query)
			for _, p := range parameters {
				if p.In == "path" {
					at = strings.ReplaceAll(at, "{"+p.Name+"}", url.PathEscape(query.Get(p.Name)))
					query.Del(p.Name)
				}
			}
			askHostile(t, c, at+"?"+query.Encode())
		}
		names := []string{}
		for _, p := range parameters {
			names = append(names, p.Name)
			ask(func(q url.Values) { q.Set(p.Name, hostileValues[random.IntN(len(hostileValues))]) })
			ask(func(q url.Values) { q.Set(p.Name, strings.Repeat("x", 7000)) })
		}
		if slices.Contains(names, "from") {
			ask(func(q url.Values) { q.Set("from", "0001-01-01"); q.Set("to", "9999-12-31") })
		}
		if len(names) > 0 {
			ask(func(q url.Values) { q[names[0]] = slices.Repeat([]string{"x"}, 500) })
		}
	}
}

func askHostile(t *testing.T, c *client, at string) {
	t.Helper()
	answer, err := c.http.Get(c.base + at)
	if err != nil {
		t.Errorf("%.300s: %v", at, err)
		return
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		t.Errorf("%.300s: %v", at, err)
	}
	said := fmt.Sprintf("%.300s: %d, %d bytes: %.500s", at, answer.StatusCode, len(body), body)
	if answer.StatusCode >= http.StatusInternalServerError || answer.Header.Get("X-Evil") != "" {
		t.Error(said)
	}
	const most = 9000 // bytes: a value may be said again, once
	// What people open is answered with a page that says what is wrong.
	page := !strings.HasPrefix(at, "/v1/") && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html")
	if answer.StatusCode >= http.StatusBadRequest && (len(body) > most || !page && !json.Valid(body)) {
		t.Errorf("no problem in few words: %s", said)
	}
}
