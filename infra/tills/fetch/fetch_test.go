package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/tills"
	"github.com/makegood/makegood/infra/tills/fetch"
)

const key = "sk_live_never_tell"

// api is an API with items that grow, which pages as real ones do, and fails as they do.
type api struct {
	*httptest.Server
	mu    sync.Mutex // of what an answer that was broken off and the next one both use
	items int
	asked int
	fail  func(w http.ResponseWriter, r *http.Request, asked int) bool // says whether it answered
}

func serve(t *testing.T, items int) *api {
	t.Helper()
	a := &api{items: items}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

const pageSize = 10

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	if a.fail != nil && a.fail(w, r, a.asked) {
		return
	}
	if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+key {
		http.Error(w, `{"error":"unauthorized"}`, http.StatusUnauthorized)
		return
	}
	q := r.URL.Query()
	switch r.URL.Path {
	case "/cursor": // items after since or cursor; the cursor of the next page, as Square's and Zendesk's
		from := number(q.Get("since"))
		if c := q.Get("cursor"); c != "" {
			from = number(strings.TrimPrefix(c, "c/"))
		}
		to := min(from+pageSize, a.items)
		next := "null"
		if to < a.items {
			next = strconv.Quote(fmt.Sprintf("c/%d", to))
		}
		fmt.Fprintf(w, `{"items":%s,"cursor":%s}`, list(from, to), next)
	case "/link": // the header Link, as Shopify's and GitHub's
		from := number(q.Get("page_info")) + number(q.Get("since"))
		to := min(from+pageSize, a.items)
		if to < a.items {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s/link?page_info=%d>; rel="previous", `+
				`<http://%s/link?page_info=%d>; rel="next"`,
				r.Host, from, r.Host, to))
		}
		fmt.Fprintf(w, `{"items":%s}`, list(from, to))
	case "/number": // page numbers, as WooCommerce's
		from := (number(q.Get("page"))-1)*pageSize + number(q.Get("since"))
		fmt.Fprintf(w, `{"items":%s}`, list(min(from, a.items), min(from+pageSize, a.items)))
	default:
		http.NotFound(w, r)
	}
}

// number is that of a text that our own addresses hold.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func list(from, to int) string {
	var items []string
	for i := from; i < to; i++ {
		items = append(items, fmt.Sprintf(`{"id":%d}`, i+1))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// pages declares each way of paging, in a mapping.
var pages = map[string]string{
	"cursor": `
  first: '"HOST/cursor?x=1" + (if .since == null then "" else "&since=\(.since)" end)'
  next: |
    if .body.cursor == null then null
    else (.url | sub("&(since|cursor)=[^&]*"; "")) + "&cursor=\(.body.cursor | @uri)" end`,
	"link": `
  first: '"HOST/link" + (if .since == null then "" else "?since=\(.since)" end)'
  next: .links.next`,
	"number": `
  first: '"HOST/number?page=1" + (if .since == null then "" else "&since=\(.since)" end)'
  next: |
    .number as $n
    | if (.body.items | length) < 10 then null else (.url | sub("page=[0-9]+"; "page=\($n + 1)")) end`,
}

func declared(t *testing.T, a *api, name string) *tills.Fetching {
	t.Helper()
	m, err := tills.Parse("test.yaml", []byte(`
name: test
kinds: [{kind: any, when: "true", nothing: it is a test}]
fetch:
  hosts: [127.0.0.1]
  auth: bearer`+strings.ReplaceAll(pages[name], "HOST", a.URL)+`
  since: '(.body.items | last | objects | .id) // .found'
`))
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.Fetching(tills.Till{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func client(t *testing.T, change func(*fetch.Config)) *fetch.Client {
	t.Helper()
	config := fetch.Config{Hosts: []string{"127.0.0.1"}, Auth: "bearer", Key: key, Loopback: true, Wait: time.Millisecond,
		Timeout: 5 * time.Second}
	if change != nil {
		change(&config)
	}
	c, err := fetch.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBackfill asks an API that fails now and then, is broken off now and then, goes on in another process, and grows:
// every item is taken, and nothing is left out.
func TestBackfill(t *testing.T) {
	for name := range pages {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 1))
			a := serve(t, 57)
			a.fail = func(w http.ResponseWriter, _ *http.Request, _ int) bool { return stumble(w, random.IntN(12)) }
			f, c := declared(t, a, name), client(t, nil)
			store := fetch.File(filepath.Join(t.TempDir(), "state", "till.json"))
			var taken []string
			broken := 0
			run := func() {
				t.Helper()
				for failed := 0; ; failed++ {
					_, err := fetch.Backfill(t.Context(), c, f, store, func(_ context.Context, answer *fetch.Answer) error {
						if broken < 5 && random.IntN(3) == 0 {
							broken++
							return errors.New("the log doesn't answer")
						}
						taken = append(taken, string(answer.Body))
						return nil
					})
					if err == nil {
						return
					}
					if strings.Contains(err.Error(), key) {
						t.Fatalf("it tells the key: %v", err)
					}
					if failed > 50 {
						t.Fatal(err)
					}
				}
			}
			check := func() {
				t.Helper()
				all := strings.Join(taken, "")
				for i := range a.items {
					if !strings.Contains(all, fmt.Sprintf(`{"id":%d}`, i+1)) {
						t.Errorf("item %d wasn't taken", i+1)
					}
				}
			}
			run()
			check()
			a.items += 25
			before := len(taken)
			run()
			check()
			if again := strings.Join(taken[before:], ""); strings.Contains(again, `{"id":57}`) {
				t.Error("the second run begins before the end of the first")
			}
		})
	}
}

// stumble is one of the ways in which an API fails; it says whether it did.
func stumble(w http.ResponseWriter, how int) bool {
	switch how {
	case 0:
		http.Error(w, "slow down", http.StatusTooManyRequests)
	case 1:
		http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
	case 2: // the connection ends within the answer
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"items":[`)
		panic(http.ErrAbortHandler)
	case 3:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

func TestWaitsAsLongAsItIsAskedTo(t *testing.T) {
	a := serve(t, 1)
	a.fail = func(w http.ResponseWriter, _ *http.Request, asked int) bool {
		if asked == 1 {
			w.Header().Set("Retry-After", "1.0")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return asked == 1
	}
	began := time.Now()
	if _, err := client(t, nil).Get(t.Context(), a.URL+"/cursor"); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(began); waited < 900*time.Millisecond || a.asked != 2 {
		t.Errorf("it waited %v and asked %d times", waited, a.asked)
	}
}

func TestGivesUp(t *testing.T) {
	for _, c := range []struct {
		name          string
		status, asked int
		after         string
	}{
		{"forbidden", http.StatusForbidden, 1, ""},
		{"not found", http.StatusNotFound, 1, ""},
		{"always unavailable", http.StatusServiceUnavailable, 3, ""},
		{"asked to wait an hour", http.StatusTooManyRequests, 1, "3600"},
		{"asked to wait until a date", http.StatusServiceUnavailable, 1,
			time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)},
		{"no content", http.StatusNoContent, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := serve(t, 1)
			a.fail = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
				return true
			}
			_, err := client(t, func(c *fetch.Config) { c.Tries = 3 }).Get(t.Context(), a.URL+"/cursor?token="+key)
			var status *fetch.StatusError
			if !errors.As(err, &status) || status.Status != c.status || a.asked != c.asked {
				t.Fatalf("%v after %d times", err, a.asked)
			}
			if (status.After > 0) != (c.after != "") || strings.Contains(err.Error(), key) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNothingElseMayBeAsked(t *testing.T) {
	a, elsewhere := serve(t, 1), serve(t, 1)
	at, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	a.fail = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch r.URL.Path {
		case "/other":
			http.Redirect(w, r, elsewhere.URL+"/cursor", http.StatusFound)
		case "/here":
			http.Redirect(w, r, "/cursor", http.StatusMovedPermanently)
		case "/around":
			http.Redirect(w, r, "/around", http.StatusFound)
		default:
			return false
		}
		return true
	}
	c, strict := client(t, nil), client(t, func(c *fetch.Config) { c.Loopback = false })
	if _, err := c.Get(t.Context(), a.URL+"/here"); err != nil {
		t.Errorf("a redirect on the same host: %v", err)
	}
	for name, get := range map[string]func() (*fetch.Answer, error){
		"another host": func() (*fetch.Answer, error) { return c.Get(t.Context(), "https://example.com/") },
		"a host that begins alike": func() (*fetch.Answer, error) {
			return c.Get(t.Context(),
				"https://127.0.0.1.example.com/")
		},
		"a redirect to another":  func() (*fetch.Answer, error) { return c.Get(t.Context(), a.URL+"/other") },
		"a redirect without end": func() (*fetch.Answer, error) { return c.Get(t.Context(), a.URL+"/around") },
		"somebody's name": func() (*fetch.Answer, error) {
			return c.Get(t.Context(),
				"http://me:"+key+"@"+at.Host+"/cursor")
		},
		"no URL": func() (*fetch.Answer, error) { return c.Get(t.Context(), "http://%zz/?"+key) },
		"a file": func() (*fetch.Answer, error) {
			return c.Get(t.Context(),
				"file://127.0.0.1/etc/passwd")
		},
		"without TLS": func() (*fetch.Answer, error) { return strict.Get(t.Context(), "http://127.0.0.1/") },
		"another port": func() (*fetch.Answer, error) {
			return strict.Get(t.Context(),
				"https://127.0.0.1:8443/")
		},
		"an address within the net": func() (*fetch.Answer, error) { return strict.Get(t.Context(), "https://127.0.0.1/") },
	} {
		before := elsewhere.asked
		if _, err := get(); !errors.Is(err, fetch.ErrNotAllowed) || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
		if elsewhere.asked != before {
			t.Errorf("%s: it was asked", name)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	a := serve(t, 1)
	a.fail = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		fmt.Fprint(w, strings.Repeat(" ", 2000))
		return true
	}
	_, err := client(t, func(c *fetch.Config) { c.MaxBody = 1000 }).Get(t.Context(), a.URL+"/cursor")
	if !errors.Is(err, fetch.ErrTooLarge) || a.asked != 1 {
		t.Errorf("%v after %d times", err, a.asked)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	a := serve(t, 1)
	a.fail = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := client(t, nil).Get(ctx, a.URL+"/cursor"); !errors.Is(err,
		context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestPagesMustEnd(t *testing.T) {
	a := serve(t, 100)
	a.fail = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("Link", `</link>; rel=next`)
		fmt.Fprint(w, `{"items":[]}`)
		return true
	}
	pages := declared(t, a, "link")
	store := fetch.File(filepath.Join(t.TempDir(), "state.json"))
	_, err := fetch.Backfill(t.Context(), client(t, nil), pages, store, func(context.Context,
		*fetch.Answer) error {
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the pages don't end") {
		t.Error(err)
	}
}

func TestBeginsAgainWhereThePageIsGone(t *testing.T) {
	a := serve(t, 25)
	a.fail = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Query().Get("cursor") == "c/gone" {
			w.WriteHeader(http.StatusGone)
			return true
		}
		return false
	}
	store := fetch.File(filepath.Join(t.TempDir(), "state.json"))
	if err := store.Save(fetch.State{Since: "5", Found: "15", Next: a.URL + "/cursor?cursor=c/gone",
		Number: 1}); err != nil {
		t.Fatal(err)
	}
	var taken []string
	_, err := fetch.Backfill(t.Context(), client(t, nil), declared(t, a, "cursor"), store,
		func(_ context.Context, answer *fetch.Answer) error {
			taken = append(taken, string(answer.Body))
			return nil
		})
	if err != nil || len(taken) != 2 || !strings.HasPrefix(taken[0], `{"items":[{"id":6}`) {
		t.Errorf("%v: %q", err, taken)
	}
	if state, err := store.Load(); err != nil || state != (fetch.State{Since: "25"}) {
		t.Errorf("%v: %+v", err, state)
	}
}

func TestKeys(t *testing.T) {
	for auth, want := range map[string]string{"basic": "Basic c2tfdGVzdDo=", "bearer": "Bearer sk_test", "header": ""} {
		var got http.Header
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.Header
			fmt.Fprint(w, "{}")
		}))
		defer server.Close()
		c := client(t, func(c *fetch.Config) { c.Auth, c.Header, c.Key = auth, "X-Token", "sk_test" })
		if _, err := c.Get(t.Context(), server.URL); err != nil {
			t.Fatal(err)
		}
		if got.Get("Authorization") != want || (got.Get("X-Token") == "sk_test") != (auth == "header") {
			t.Errorf("%s: %v", auth, got)
		}
	}
	if _, err := fetch.New(fetch.Config{Hosts: []string{"example.com"}, Auth: "bearer"}); err == nil {
		t.Error("no key is a key")
	}
}

func TestLinks(t *testing.T) {
	for header, want := range map[string]string{
		`<https://a/?page_info=1>; rel="next"`:                           "https://a/?page_info=1",
		`<https://a/?p=1,2>; rel="previous", <https://a/?p=3>; rel=next`: "https://a/?p=3",
		`</p>; title="x"; rel="last next"`:                               "/p",
		`<https://a>; rel="previous"`:                                    "",
		`<https://a`:                                                     "",
		`nonsense`:                                                       "",
	} {
		answer := &fetch.Answer{Header: http.Header{"Link": {header}}}
		if got := answer.Links()["next"]; got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
}

// TestThin goes the whole way of a webhook that only names its object: the address, the answer, its events.
func TestThin(t *testing.T) {
	m, err := tills.Load("stripe")
	if err != nil {
		t.Fatal(err)
	}
	till := tills.Till{Name: "stripe", Settings: map[string]string{"store_id": "s1", "order_in": "payment"}}
	f, err := m.Fetching(till)
	if err != nil {
		t.Fatal(err)
	}
	refund := `{"object":"refund","id":"re_1","amount":100,"charge":CHARGE,"created":1648319949,"currency":"usd",` +
		`"metadata":{},"status":"succeeded"}`
	bare := strings.Replace(refund, "CHARGE", `"ch_1"`, 1)
	const address = "https://api.stripe.com/v1/refunds/re_1?expand%5B%5D=charge&expand%5B%5D=payment_intent"
	for name, body := range map[string]string{
		"thin": `{"object":"v2.core.event","type":"v1.refund.created","related_object":{"id":"re_1","type":"refund",` +
			`"url":"/v1/refunds/re_1"}}`,
		"an event without the order's id": `{"object":"event","type":"refund.created","data":{"object":` + bare + `}}`,
		"two events, one of which is thin": `{"object":"list","data":[{"object":"event","type":"refund.created",` +
			`"data":{"object":` + bare +
			`}},{"object":"event","type":"customer.created","data":{"object":{"object":"customer","id":"cus_1"}}}]}`,
	} {
		urls, err := f.Thin(t.Context(), tills.Input{Body: []byte(body)})
		if err != nil || !slices.Equal(urls, []string{address}) {
			t.Errorf("%s: %v, %q", name, err, urls)
		}
		got := m.Map(t.Context(), till, tills.Input{Body: []byte(body), SkipThin: true})
		if len(got.Refusals) > 0 || len(got.Events) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	whole := strings.Replace(refund, "CHARGE", `{"object":"charge","id":"ch_1","metadata":{"order_id":"o1"}}`, 1)
	if urls, err := f.Thin(t.Context(), tills.Input{Body: []byte(whole)}); err != nil || len(urls) > 0 {
		t.Errorf("what was fetched is thin: %v, %q", err, urls)
	}
	got := m.Map(t.Context(), till, tills.Input{Body: []byte(whole), SkipThin: true})
	if len(got.Events) != 1 || got.Events[0].Key != "o1" {
		t.Errorf("%+v", got)
	}
}
