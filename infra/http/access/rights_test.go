package access_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
)

// What takes which scope, once: nothing is allowed that isn't here, and every type and route of the gateway is.
var (
	scopesOfTypes = map[gateway.Scope][]string{
		gateway.Write: tillsSay(),
		gateway.KeepBooks: {"rate.set", "quality.spent", "period.closed", "period.reopened", "fact.decided",
			"vendor.terms"},
		gateway.Process: {"books.rebuilt", "books.sealed", "deadletter.replayed", "deadletter.discarded",
			"person.erased"},
	}
	scopesOfRoutes = map[gateway.Scope][]string{
		gateway.Read: {"GET /metrics", "GET /v1/status", "GET /v1/reports/leakage", "GET /v1/orders/{id}",
			"GET /v1/cases/{id}", "GET /v1/periods", "GET /v1/periods/{period}", "GET /v1/journal", "GET /v1/rates",
			"GET /v1/reports/changes", "GET /v1/audit", "GET /v1/verify", "GET /v1/seals",
			"GET /v1/events", "GET /v1/summary", "GET /v1/statement",
			"GET /v1/promises", "GET /v1/recoverable", "GET /v1/claims/packet", "GET /v1/feedback", "GET /v1/sources",
			"GET /v1/signals", "GET /v1/budget", "GET /v1/provision", "GET /v1/prevention", "GET /v1/what-if",
			"GET /v1/customers", "GET /v1/vendors", "GET /v1/next",
			"GET /v1/signals/cases", "GET /v1/signals/deliveries", "GET /v1/what-if/cases", "GET /v1/provision/cases",
			"GET /v1/prevention/spends", "GET /v1/customers/orders", "GET /v1/customers/assigned",
			"GET /v1/promises/orders", "GET /v1/promises/redeliveries", "GET /v1/promises/leaked",
			"GET /v1/feedback/ratings", "GET /v1/sources/orders",
			"GET /v1/rebuild", "GET /v1/unpriced", "GET /v1/doubles", "GET /v1/flags", "GET /v1/deadletters",
			"GET /v1/deadletters/{id}", "GET /v1/tills"},
		gateway.SeePeople: {"GET /v1/counter", "GET /v1/counter/orders"},
		gateway.KeepBooks: {"POST /v1/rebuild", "POST /v1/rebuild/{id}/swap", "DELETE /v1/rebuild/{id}",
			"POST /v1/deadletters/{id}/replay", "POST /v1/deadletters/{id}/discard", "POST /v1/person",
			"POST /v1/person/erase"},
		gateway.Operate: {"POST /v1/reconcile"},
		// And what tills sign: see TestTillsTakeNoToken.
		gateway.Open: {"GET /healthz", "GET /readyz", "GET /readyz/events"},
	}
)

// tillsSay are the types of the streams that tills send to: all of them take the right to write, and no other.
func tillsSay() (all []string) {
	for _, typ := range domain.Types() {
		if s := typ.Stream(); s == domain.Orders || s == domain.Errors || s == domain.Redeliveries {
			all = append(all, typ.Name())
		}
	}
	return all
}

// data is the least of a type; of one that has none here, it is what the reference says.
var data = map[string]string{
	"order.placed":          `"currency":"EUR","lines":[{"line_id":"1","sku":"p","quantity":1,"unit_price":"9"}]`,
	"order.promise_changed": `"promise":{"until":"2026-03-03T12:00:00Z"},"agreed_with_customer":true`,
	"order.delivered":       ``,
	"order.cancelled":       `"by":"business","currency":"EUR","net":"9"`,
	"order.changed":         `"by":"customer","currency":"EUR","lines_removed":[{"line_id":"1","quantity":1}]`,
	"order.charged":         `"charge_id":"h","kind":"commission","currency":"EUR","amount":"1"`,
	"feedback.received":     `"rating":2,"public":false`,
	"error.reported":        `"kind":"late","found":"after_delivery","detected_by":"customer"`,
	"error.classified":      `"kind":"damaged"`,
	"error.rejected":        `"reason":"mistaken"`,
	"goods.scrapped":        `"currency":"EUR","lines":[{"sku":"p","quantity":1,"unit_cost":"1"}]`,
	"redelivery.dispatched": `"redelivery_id":"r","mode":"pickup","currency":"EUR","lines":[{"sku":"p","quantity":1}]`,
	"redelivery.completed":  `"redelivery_id":"r","succeeded":true,"currency":"EUR"`,
	"labour.spent":          `"labour_id":"l","role":"agent","minutes":1,"currency":"EUR"`,
	"refund.issued":         `"refund_id":"f","currency":"EUR","net":"1"`,
	"concession.granted":    `"concession_id":"k","kind":"voucher","currency":"EUR","amount":"1"`,
	"voucher.redeemed":      `"concession_id":"k","currency":"EUR","amount":"1"`,
	"voucher.expired":       `"concession_id":"k","currency":"EUR","amount":"1"`,
	"return.received": `"return_id":"q","currency":"EUR",
		"lines":[{"sku":"p","quantity":1,"was":"sold","grade":"saleable"}]`,
	"salvage.sold":        `"salvage_id":"v","currency":"EUR","amount":"1"`,
	"dispute.opened":      `"dispute_id":"d","currency":"EUR","amount":"1"`,
	"dispute.won":         `"dispute_id":"d","currency":"EUR","amount":"1"`,
	"dispute.lost":        `"dispute_id":"d","currency":"EUR","amount":"1"`,
	"marketplace.charged": `"charge_id":"h","currency":"EUR","amount":"1"`,
	"claim.filed":         `"claim_id":"m","party":"supplier","currency":"EUR","amount":"1"`,
	"claim.accepted":      `"claim_id":"m","party":"supplier","currency":"EUR","amount":"1"`,
	"claim.settled":       `"claim_id":"m","party":"supplier","currency":"EUR","amount":"1"`,
	"claim.closed":        `"claim_id":"m","reason":"paid"`,
	"rate.set":            `"rate":"fleet_km","key":"*","value":"1","currency":"EUR","effective_from":"2026-01-01"`,
	"quality.spent":       `"spend_id":"s","category":"prevention","currency":"EUR","amount":"1"`,
	"period.closed":       `"period":"2026-01"`,
	"period.reopened":     `"period":"2026-01"`,
	"fact.decided":        `"source":"urn:till:1","id":"1","order_id":"o","counts":true,"actor":"a","reason":"r"`,
	"vendor.terms": `"vendor_id":"v","window_days":30,"effective_from":"2026-01-01",` +
		`"covers":[{"element":"GOODS"}]`,
	"books.rebuilt": `"rebuild_id":"b"`,
	"books.sealed": fmt.Sprintf(`"period":"2026-01","close":1,"format":1,"events":1,"root":"%064d","previous":"%064d"`,
		0, 1),
	"deadletter.replayed":  `"dead_letter_id":"z","actor":"a"`,
	"deadletter.discarded": `"dead_letter_id":"z","actor":"a"`,
	"person.erased":        `"person":"p","hashes":[{"hash":"h"}],"actor":"a","reason":"r"`,
}

// sample is an event of a type.
type sample struct{ kind, id, source, data string }

func of(kind, source string) sample {
	s := sample{kind: kind, id: kind, source: source}
	least, known := data[kind]
	if !known {
		least = saidByReference(kind)
	}
	members := []string{least}
	switch stream := domain.ParseType([]byte("makegood." + kind + ".v1")).Stream(); stream {
	case domain.Orders:
		members = append(members, `"order_id":"o","store_id":"s"`)
	case domain.Errors, domain.Redeliveries:
		members = append(members, `"order_id":"o","store_id":"s","error_id":"x"`)
	}
	s.data = "{" + strings.Trim(strings.Join(members, ","), ",") + "}"
	return s
}

// saidByReference is what the first event of the type says, of a random stream, without what it is about.
func saidByReference(kind string) string {
	for _, r := range reference.Generate(1, reference.Everything) {
		var event struct {
			Type string         `json:"type"`
			Data map[string]any `json:"data"`
		}
		read := json.NewDecoder(bytes.NewReader(r.Event))
		read.UseNumber()
		if err := read.Decode(&event); err != nil {
			panic(err)
		}
		if event.Type != "makegood."+kind+".v1" {
			continue
		}
		for _, name := range []string{"order_id", "store_id", "error_id"} {
			delete(event.Data, name)
		}
		text, err := json.Marshal(event.Data)
		if err != nil {
			panic(err)
		}
		return strings.TrimSuffix(strings.TrimPrefix(string(text), "{"), "}")
	}
	return ""
}

// voiding takes an event back in the name of a source.
func (s sample) voiding(source string) sample {
	return sample{"event.voided", "void-" + s.kind, source, fmt.Sprintf(
		`{"voids":{"source":%q,"id":%q},"reason":"wrong","original":%s}`, s.source, s.id, s.structured())}
}

func (s sample) subject() string {
	if !strings.Contains(s.data, `"store_id"`) { // of the stream books
		return ""
	}
	return "o"
}

func (s sample) structured() string {
	subject := ""
	if s.subject() != "" {
		subject = `"subject":"o",`
	}
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"makegood.%s.v1",%s
		"time":"2026-03-02T11:00:00Z","data":%s}`, s.id, s.source, s.kind, subject, s.data)
}

// send sends it in each of the three modes, and says whether it was taken; all three agree, or the test ends.
func (g *guarded) send(s sample, token string) bool {
	g.t.Helper()
	auth := []string{"Authorization", "Bearer " + token, "Content-Type"}
	headers := append(slices.Clone(auth), "application/json", "ce-specversion", "1.0", "ce-id", s.id,
		"ce-source", s.source, "ce-type", "makegood."+s.kind+".v1", "ce-time", "2026-03-02T11:00:00Z")
	if s.subject() != "" {
		headers = append(headers, "ce-subject", s.subject())
	}
	structured, text := g.ask("POST", "/v1/events", s.structured(), append(slices.Clone(auth), single)...)
	binary, _ := g.ask("POST", "/v1/events", s.data, headers...)
	many, _ := g.ask("POST", "/v1/events", "["+s.structured()+"]", append(slices.Clone(auth), batch)...)
	taken := structured.StatusCode == http.StatusAccepted
	batched := http.StatusAccepted
	if structured.StatusCode == http.StatusForbidden && strings.Contains(text, "forbidden_") { // not at the door
		batched = http.StatusUnprocessableEntity
	} else if !taken {
		batched = structured.StatusCode
	}
	if binary.StatusCode != structured.StatusCode || many.StatusCode != batched ||
		!taken && structured.StatusCode != http.StatusForbidden {
		g.t.Fatalf("%s of %s: %d, binary %d, in a batch %d: %s", s.kind, s.source, structured.StatusCode, binary.StatusCode,
			many.StatusCode, text)
	}
	return taken
}

// holders are tokens of one scope each, bound to the source urn:till:1 where that may be.
func holders(t *testing.T, file string) map[gateway.Scope]string {
	t.Helper()
	held := map[gateway.Scope]string{}
	for _, s := range gateway.Scopes() {
		var sources []string
		if s == gateway.Write || s == gateway.KeepBooks {
			sources = []string{"urn:till:1"}
		}
		held[s] = issue(t, file, string(s), []gateway.Scope{s}, sources...)
	}
	return held
}

func scopeOf(table map[gateway.Scope][]string, name string) (gateway.Scope, bool) {
	for scope, names := range table {
		if slices.Contains(names, name) {
			return scope, true
		}
	}
	return "", false
}

// TestRightsOfTypes: every type, in every mode, with every scope, and voids of it.
func TestRightsOfTypes(t *testing.T) {
	file := newFile(t)
	held := holders(t, file)
	all := issue(t, file, "all", gateway.Scopes())
	g := serve(t, file, nil)
	for _, kind := range domain.Types() {
		name := kind.Name()
		if name == "event.voided" {
			continue
		}
		want, ok := scopeOf(scopesOfTypes, name)
		if !ok {
			t.Errorf("%s: nobody has said what it takes", name)
			continue
		}
		own, other := of(name, "urn:till:1"), of(name, "urn:till:2")
		for _, scope := range gateway.Scopes() {
			if got := g.send(own, held[scope]); got != (scope == want && want != gateway.Process) {
				t.Errorf("%s with %s: taken %t", name, scope, got)
			}
			if scope == gateway.Write || scope == gateway.KeepBooks {
				if g.send(other, held[scope]) {
					t.Errorf("%s with %s: of another source", name, scope)
				}
			}
		}
		if got := g.send(own, all); got != (want != gateway.Process) {
			t.Errorf("%s with every scope: taken %t", name, got)
		}
		if name == "period.closed" || name == "period.reopened" || want == gateway.Process {
			continue // which nobody voids
		}
		for _, c := range []struct {
			void  sample
			scope gateway.Scope
			ok    bool
		}{
			{own.voiding("urn:till:1"), gateway.Write, want == gateway.Write},
			{other.voiding("urn:till:1"), gateway.Write, false},
			{own.voiding("urn:till:2"), gateway.Write, false},
			{own.voiding("urn:till:1").voiding("urn:till:1"), gateway.Write, want == gateway.Write},
			{own.voiding("urn:till:2").voiding("urn:till:1"), gateway.Write, false},
			{own.voiding("urn:till:1"), gateway.KeepBooks, true},
			{other.voiding("urn:till:1"), gateway.KeepBooks, true},
			{other.voiding("urn:till:2"), gateway.KeepBooks, false},
			{own.voiding("urn:till:1"), gateway.Read, false},
			{own.voiding("urn:till:1"), gateway.Operate, false},
			{own.voiding("urn:till:1"), gateway.Process, false},
		} {
			if got := g.send(c.void, held[c.scope]); got != c.ok {
				t.Errorf("a void of %s, %s, with %s: taken %t", name, c.void.data, c.scope, got)
			}
		}
	}
}

// TestRightsOfRoutes: every route with every scope. The books behind them are not there: who is let in finds that out.
func TestRightsOfRoutes(t *testing.T) {
	file := newFile(t)
	held := holders(t, file)
	g := serve(t, file, func(c *access.GuardConfig, s *gateway.Config) {
		c.Burst = 1000
		s.Books = struct{ gateway.Books }{}
	})
	for _, pattern := range g.patterns {
		if slices.Contains([]string{"POST /v1/events", "POST /v1/tills/{name}", "GET /read", "POST /operate"}, pattern) {
			continue // see above and below; and those of the fixtures
		}
		want, ok := scopeOf(scopesOfRoutes, pattern)
		if !ok {
			t.Errorf("%s: nobody has said what it takes", pattern)
			continue
		}
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", "1", "{period}", "2026-01").Replace(path)
		for _, scope := range gateway.Scopes() {
			response, _ := g.ask(method, path, "", "Authorization", "Bearer "+held[scope])
			if in := response.StatusCode != http.StatusForbidden; in != (scope == want || want == gateway.Open) {
				t.Errorf("%s with %s: answered %d", pattern, scope, response.StatusCode)
			}
		}
		response, _ := g.ask(method, path, "")
		if asked := response.StatusCode == http.StatusUnauthorized; asked != (want != gateway.Open) {
			t.Errorf("%s without a token: answered %d", pattern, response.StatusCode)
		}
	}
}

// TestEmployeesTakeAScope: a report that tells single employees apart takes the scope for that beside the one for
// reports, by whatever parameter it is asked to.
func TestEmployeesTakeAScope(t *testing.T) {
	file := newFile(t)
	reads := issue(t, file, "reads", []gateway.Scope{gateway.Read})
	both := issue(t, file, "both", []gateway.Scope{gateway.Read, gateway.SeePeople})
	g := serve(t, file, func(c *access.GuardConfig, s *gateway.Config) {
		c.Burst = 1000
		s.Books = struct{ gateway.Books }{}
	})
	const report = "/v1/reports/leakage?from=2026-01-01&to=2026-02-01&currency=EUR"
	for _, how := range []string{"&group_by=employee", "&group_by=store,employee", "&employee=p-1", "&employee="} {
		g.want(http.StatusForbidden, "GET", report+how, "", "Authorization", "Bearer "+reads)
		// The books behind it are not there: who is let in finds that out.
		g.want(http.StatusInternalServerError, "GET", report+how, "", "Authorization", "Bearer "+both)
	}
	g.want(http.StatusInternalServerError, "GET", report+"&group_by=store", "", "Authorization", "Bearer "+reads)
}

// TestTillsTakeNoToken: what a till signs is judged by that alone, whatever token comes with it.
func TestTillsTakeNoToken(t *testing.T) {
	file := newFile(t)
	held := holders(t, file)
	g := serve(t, file, nil)
	for _, scope := range append(gateway.Scopes(), "") {
		text := g.want(http.StatusUnauthorized, "POST", "/v1/tills/shop", "{}", "Authorization", "Bearer "+held[scope])
		if !strings.Contains(text, gateway.ProblemBadSignature) {
			t.Errorf("with %q: %s", scope, text)
		}
	}
}

// TestOwnSource: nobody sends events in makegood's own name, whatever their token, and where nobody is asked for one.
func TestOwnSource(t *testing.T) {
	file := newFile(t)
	all := issue(t, file, "all", gateway.Scopes())
	g := serve(t, file, nil)
	for source, ok := range map[string]bool{gateway.OwnSource: false, gateway.OwnSource + ":1": false,
		gateway.OwnSource + "r": true} {
		if g.send(of("refund.issued", source), all) != ok {
			t.Errorf("%s: taken %t", source, !ok)
		}
	}
	var nobody *gateway.Grant
	for kind, ok := range map[domain.Type]bool{domain.TypePeriodClosed: true, domain.TypeBooksRebuilt: false,
		domain.TypeDeadLetterDiscarded: false} {
		if refused := nobody.MaySend(&domain.Event{Source: "urn:till:1", Type: kind}); (refused == nil) != ok {
			t.Errorf("%s without tokens: %v", kind, refused)
		}
	}
	if nobody.MaySend(&domain.Event{Source: gateway.OwnSource, Type: domain.TypeRateSet}) == nil {
		t.Error("in makegood's name, without tokens")
	}
}

// TestUnboundWriters: who is bound to no source voids what the same source said, and nothing else.
func TestUnboundWriters(t *testing.T) {
	file := newFile(t)
	token := issue(t, file, "tills", []gateway.Scope{gateway.Write})
	g := serve(t, file, nil)
	refund := of("refund.issued", "urn:till:1")
	if !g.send(refund, token) || !g.send(refund.voiding("urn:till:1"), token) ||
		g.send(refund.voiding("urn:till:2"), token) {
		t.Error("a void of another source was taken, or one of its own wasn't")
	}
}

// TestTokenIsKept: what an audit shows goes to the log with the name of the token, whatever actor it claims; the rest
// without.
func TestTokenIsKept(t *testing.T) {
	file := newFile(t)
	office := issue(t, file, "office", []gateway.Scope{gateway.Write, gateway.KeepBooks})
	g := serve(t, file, nil)
	refund := of("refund.issued", "urn:till:1")
	closing := of("period.closed", "urn:till:1")
	closing.data = `{"period":"2026-01","actor":"the controller","reason":"month end"}`
	for i, s := range []sample{refund, closing, refund.voiding("urn:till:1")} {
		g.publisher.take()
		g.send(s, office)
		got := g.publisher.take()
		if len(got) != 3 {
			t.Fatalf("%s was published %d times", s.kind, len(got))
		}
		for _, m := range got {
			want := "office"
			if i == 0 {
				want = ""
			}
			if name := m.Metadata["makegood_token"]; name != want {
				t.Errorf("%s was sent with %q", s.kind, name)
			}
		}
	}
	var claimed struct{ Actor string }
	if err := json.Unmarshal([]byte(closing.data), &claimed); err != nil || claimed.Actor == "office" {
		t.Errorf("%+v %v", claimed, err)
	}
}
