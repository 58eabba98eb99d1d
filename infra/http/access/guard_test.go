package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
)

const (
	single = "application/cloudevents+json"
	batch  = "application/cloudevents-batch+json"
)

func refund(id, source string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"makegood.refund.issued.v1",
		"time":"2026-03-02T11:00:00Z","subject":"o-1","data":{
		"order_id":"o-1","store_id":"s-1","error_id":"x-1","refund_id":"f-1","currency":"EUR","net":"10"}}`, id, source)
}

// Every scope opens its own door and no other, and only a token opens any.
func TestScopes(t *testing.T) {
	file := newFile(t)
	held := map[gateway.Scope]string{}
	for _, s := range []gateway.Scope{gateway.Read, gateway.Write, gateway.Operate} {
		held[s] = issue(t, file, string(s), []gateway.Scope{s})
	}
	all := issue(t, file, "all", []gateway.Scope{gateway.Read, gateway.Write, gateway.Operate})
	g := serve(t, file, func(c *access.GuardConfig, _ *gateway.Config) { c.Burst = 1000 })
	doors := []struct {
		scope        gateway.Scope
		method, path string
		body         string
		open         int
	}{
		{gateway.Read, "GET", "/read", "", 200},
		{gateway.Read, "GET", "/metrics", "", 404}, // let in, to a handler that has nothing
		{gateway.Write, "POST", "/v1/events", refund("1", "/till"), 202},
		{gateway.Operate, "POST", "/operate", "", 200},
	}
	for _, d := range doors {
		for scope, token := range held {
			status := 403
			if scope == d.scope {
				status = d.open
			}
			g.want(status, d.method, d.path, d.body, "Authorization", "Bearer "+token, "Content-Type", single)
		}
		g.want(d.open, d.method, d.path, d.body, "Authorization", "bearer "+all, "Content-Type", single)
		for _, wrong := range []string{"Bearer " + all[:len(all)-1] + "!", "Bearer " + all + "x", "Bearer ", "Bearer", all,
			"Basic " + all, "Token " + all} {
			g.want(401, d.method, d.path, d.body, "Authorization", wrong, "Content-Type", single)
		}
		g.want(401, d.method, d.path, d.body, "Authorization", "Bearer "+all, "Authorization", "Bearer "+all)
		response, _ := g.ask(d.method, d.path, d.body)
		if got := response.Header.Values("WWW-Authenticate"); response.StatusCode != 401 || len(got) != 1 ||
			!strings.HasPrefix(got[0], "Bearer ") {
			t.Errorf("without a token: %d, challenged with %q", response.StatusCode, got)
		}
	}
	// Whether it lives may be asked by anybody.
	g.want(200, "GET", "/healthz", "")
	g.want(200, "GET", "/readyz", "")
	g.want(404, "GET", "/nothing", "")
	if c := g.guard.Counts(); c.Scope != 8 || c.Missing == 0 || c.Unknown == 0 || c.Slowed != 0 {
		t.Errorf("counted %+v", c)
	}
	// The log says who, and never by what.
	text := g.log.String()
	if !strings.Contains(text, "who=operate") || !strings.Contains(text, "who=all") {
		t.Error("the log doesn't say who it was")
	}
	for _, token := range append([]string{all}, held[gateway.Read], held[gateway.Write]) {
		if strings.Contains(text, token) || strings.Contains(text, token[:len(token)-1]) {
			t.Error("a token is in the log")
		}
	}
}

// A browser asks its user, and reads; it can't be made to write.
func TestBrowsers(t *testing.T) {
	file := newFile(t)
	all := issue(t, file, "anna", []gateway.Scope{gateway.Read, gateway.Operate})
	g := serve(t, file, nil)
	response, _ := g.ask("GET", "/read", "", "Accept", "text/html,*/*")
	if got := response.Header.Values("WWW-Authenticate"); len(got) != 2 || !strings.HasPrefix(got[1], "Basic ") {
		t.Errorf("challenged with %q", got)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth("anybody", all)
	g.want(200, "GET", "/read", "", "Authorization", r.Header.Get("Authorization"))
	g.want(401, "POST", "/operate", "", "Authorization", r.Header.Get("Authorization"))
}

// A writer that is bound to its sources writes for no other: alone refused, in a batch listed.
func TestSources(t *testing.T) {
	file := newFile(t)
	till := issue(t, file, "till", []gateway.Scope{gateway.Write}, "urn:till:1", "/stores/7#a")
	g := serve(t, file, nil)
	with := []string{"Authorization", "Bearer " + till, "Content-Type", single}
	g.want(202, "POST", "/v1/events", refund("1", "urn:till:1"), with...)
	g.want(202, "POST", "/v1/events", refund("1", "/stores/7#a"), with...)
	for _, other := range []string{"urn:till:11", "urn:till:", "urn:till:2", "URN:TILL:1"} {
		text := g.want(403, "POST", "/v1/events", refund("1", other), with...)
		if !strings.Contains(text, gateway.CodeForbiddenSource) {
			t.Errorf("%s: %s", other, text)
		}
	}
	with[3] = batch
	text := g.want(422, "POST", "/v1/events",
		"["+refund("1", "urn:till:1")+","+refund("2", "urn:till:2")+","+refund("3", "/stores/7#a")+"]", with...)
	var answer struct {
		Accepted int
		Errors   []gateway.EventError
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Accepted != 2 || len(answer.Errors) != 1 ||
		answer.Errors[0].Index != 1 || answer.Errors[0].Code != gateway.CodeForbiddenSource {
		t.Errorf("%s (%v)", text, err)
	}
}

// The file is read again when it changes; what can't be used changes nothing, and is said once.
func TestReload(t *testing.T) {
	file := newFile(t)
	first := issue(t, file, "first", []gateway.Scope{gateway.Read})
	g := serve(t, file, nil)
	second := issue(t, file, "second", []gateway.Scope{gateway.Read})
	read := func(status int, token string) {
		t.Helper()
		g.want(status, "GET", "/read", "", "Authorization", "Bearer "+token)
	}
	read(200, first)
	read(401, second) // the clock stands still: nobody looked
	g.clock.pass(time.Second)
	read(200, second)

	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		text string
		mode os.FileMode
	}{
		{string(good) + "third read " + second + "\n", 0o600},
		{string(good), 0o666},
		{string(good) + strings.SplitAfter(string(good), "\n")[0], 0o600},
	} {
		write(t, file, bad.text, bad.mode)
		before := strings.Count(g.log.String(), "stays in force")
		for range 3 {
			g.clock.pass(time.Second)
			read(200, first)
			read(200, second)
		}
		if !g.guard.Stale() || strings.Count(g.log.String(), "stays in force") != before+1 {
			t.Errorf("%o %s: stale %t, said\n%s", bad.mode, bad.text, g.guard.Stale(), g.log)
		}
	}
	if strings.Contains(g.log.String(), second) {
		t.Error("a token that stood in the file is in the log")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	g.clock.pass(time.Second)
	read(200, first)

	// Without its line a token is worth nothing; it needs no restart.
	write(t, file, "# revoked\n"+strings.SplitAfter(string(good), "\n")[1], 0o640)
	g.clock.pass(time.Second)
	read(401, first)
	read(200, second)
	if g.guard.Stale() {
		t.Error("still stale")
	}
	write(t, file, "", 0o600)
	g.clock.pass(time.Second)
	read(401, second)
	if !strings.Contains(g.log.String(), "nobody is let in") {
		t.Error("it isn't said that nobody is let in")
	}
}

// Who fails too often is slowed until time has passed; who brings a token is not, even from the same address.
func TestSlowdown(t *testing.T) {
	file := newFile(t)
	token := issue(t, file, "till", []gateway.Scope{gateway.Read})
	g := serve(t, file, func(c *access.GuardConfig, _ *gateway.Config) {
		c.Burst, c.Refill, c.Hold = 5, 10*time.Second, 50*time.Millisecond
	})
	wrong := []string{"Authorization", "Bearer " + strings.Repeat("x", 52)}
	for range 5 {
		g.want(401, "GET", "/read", "", wrong...)
	}
	for range 3 {
		start := time.Now()
		response, text := g.ask("GET", "/read", "", wrong...)
		if response.StatusCode != 429 || response.Header.Get("Retry-After") != "10" ||
			!strings.Contains(text, gateway.ProblemTooManyFailures) {
			t.Errorf("answered %d %s, Retry-After %s", response.StatusCode, text, response.Header.Get("Retry-After"))
		}
		if took := time.Since(start); took < 50*time.Millisecond {
			t.Errorf("answered after %s", took)
		}
		g.want(200, "GET", "/read", "", "Authorization", "Bearer "+token)
	}
	g.clock.pass(10 * time.Second)
	g.want(401, "GET", "/read", "", wrong...)
	g.want(429, "GET", "/read", "", wrong...)
	g.clock.pass(time.Hour)
	for range 5 {
		g.want(401, "GET", "/read", "") // no token at all is a failure, too
	}
	g.want(429, "GET", "/read", "")
	if c := g.guard.Counts(); c != (access.GuardCounts{Missing: 6, Unknown: 10, Slowed: 5}) {
		t.Errorf("counted %+v", c)
	}
}

// However many fail at once, a bounded number of them waits.
func TestHeldAreBounded(t *testing.T) {
	file := newFile(t)
	issue(t, file, "till", []gateway.Scope{gateway.Read})
	guard, err := access.NewGuard(access.GuardConfig{File: file, Now: newClock().now, Burst: 1, Hold: time.Minute,
		MaxHeld: 4})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	answers := make(chan error, 100)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			_, err := guard.Check(httptest.NewRequestWithContext(ctx, "GET", "/", nil), gateway.Read)
			answers <- err
		})
	}
	for range 96 {
		select {
		case <-answers:
		case <-time.After(10 * time.Second):
			t.Fatal("more than four are held back")
		}
	}
	select {
	case <-answers:
		t.Error("fewer than four are held back")
	case <-time.After(50 * time.Millisecond):
	}
	stop() // who goes away isn't waited for
	all.Wait()
}

func TestGuardConfig(t *testing.T) {
	file := newFile(t)
	now := newClock().now
	if _, err := access.NewGuard(access.GuardConfig{File: file, Now: now}); err == nil {
		t.Error("a file that isn't there")
	}
	issue(t, file, "a", []gateway.Scope{gateway.Read})
	for name, c := range map[string]access.GuardConfig{
		"no clock": {File: file}, "no file": {Now: now}, "limit": {File: file, Now: now, Burst: -1},
	} {
		if _, err := access.NewGuard(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	write(t, file, "a read sha256:00\n", 0o600)
	if _, err := access.NewGuard(access.GuardConfig{File: file, Now: now}); err == nil ||
		!strings.Contains(err.Error(), "line 1") {
		t.Errorf("a bad line gave %v", err)
	}
	var _ gateway.Guard = (*access.Guard)(nil).Check
}
