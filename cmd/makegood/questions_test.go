package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// question is a request and the problem that it is answered with; without a code, it is answered.
type question struct {
	method, path, query string
	code, detail        string // of the problem; what its detail has in it
}

// wrongQuestions are parameters at their edges and beyond.
var wrongQuestions = []question{
	{"GET", "/v1/reports/leakage", "nonsense=1", "bad_query", `"nonsense" is no parameter`},
	{"GET", "/v1/reports/leakage", "From=2026-01-01", "bad_query", `"From" is no parameter`},
	{"GET", "/v1/reports/leakage", "from=2026-01-01&from=2026-01-02", "bad_query", `"from" stands twice`},
	{"GET", "/v1/reports/leakage", "store=%zz", "bad_query", "can't be read"},
	{"GET", "/v1/reports/leakage", "from=2026-01-01;to=2026-02-01", "bad_query", "can't be read"},
	{"GET", "/v1/reports/leakage", "from=01.02.2026", "bad_query", `from: "01.02.2026" is no day`},
	{"GET", "/v1/reports/leakage", "to=2026-02-30", "bad_query", `to: "2026-02-30" is no day`},
	{"GET", "/v1/reports/leakage", "from=1969-12-31", "bad_query", "the books know days from 1970-01-01 to 2149-06-06"},
	{"GET", "/v1/reports/leakage", "to=2149-06-07", "bad_query", "the books know days"},
	{"GET", "/v1/reports/leakage", "from=1970-01-01&to=2149-06-06&currency=USD", "", ""},
	{"GET", "/v1/reports/leakage", "from=2026-02-01&to=2026-01-01", "bad_query", "from must be before to"},
	{"GET", "/v1/reports/leakage", "from=2026-02-01&to=2026-02-01", "bad_query", "from must be before to"},
	{"GET", "/v1/reports/leakage", "from=2026-02-01&to=2026-02-02&currency=USD", "", ""},
	{"GET", "/v1/reports/leakage", "group_by=shop", "bad_query", `group_by: "shop" is none of day, month`},
	{"GET", "/v1/reports/leakage", "group_by=store,", "bad_query", `group_by: "" is none of`},
	{"GET", "/v1/reports/leakage", "group_by=store,store", "bad_query", "stands twice"},
	{"GET", "/v1/reports/leakage", "view=real", "bad_query", `view: "real" is none of`},
	{"GET", "/v1/reports/leakage", "period_by=month", "bad_query", `period_by: "month" is none of`},
	{"GET", "/v1/reports/leakage", "as_of=yesterday", "bad_query", `as_of: "yesterday" is neither`},
	{"GET", "/v1/reports/leakage", "as_of=2026-01-31", "bad_query", "is neither a time"},
	{"GET", "/v1/reports/leakage", "as_of=close:2026-13", "bad_query", "as_of: "},
	{"GET", "/v1/reports/leakage", "as_of=close:2026-01", "bad_query", "2026-01 was never closed"},
	{"GET", "/v1/reports/leakage", "currency=usd", "bad_query", `currency: "usd" is no code`},
	{"GET", "/v1/reports/leakage", "currency=XXQ", "bad_query", `currency: "XXQ" is no code`},
	{"GET", "/v1/reports/leakage", "currency=CHF", "", ""}, // there is nothing in it
	{"GET", "/v1/reports/leakage", "format=pdf&currency=USD", "bad_query", `format: "pdf" is none of json, csv, xlsx`},
	{"GET", "/v1/reports/leakage", "", "several_currencies", "USD, EUR"},
	{"GET", "/v1/reports/leakage", "store=s1&currency=USD&format=json", "", ""},
	{"GET", "/v1/reports/leakage", "translate_to=usd", "bad_query", `translate_to: "usd" is no code`},
	{"GET", "/v1/reports/leakage", "translate_to=*", "bad_query", `translate_to: "*" is no code`},
	{"GET", "/v1/reports/leakage", "translate_to=USD&translate_to=EUR", "bad_query", "stands twice"},
	{"GET", "/v1/reports/leakage", "translate_to=USD", "rate_missing",
		"can't be translated into USD: no exchange_rate is known that is in force for EUR on 2026-01-12"},
	{"GET", "/v1/reports/leakage", "translate_to=USD&currency=USD", "", ""}, // needs none
	{"GET", "/v1/reports/leakage", "translate_to=CHF&from=2026-02-01&to=2026-02-02", "", ""},
	{"GET", "/v1/summary", "from=2026-01-01&to=2026-02-01&translate_to=USD", "bad_query",
		`"translate_to" is no parameter`},
	{"GET", "/v1/journal", "translate_to=USD", "bad_query", `"translate_to" is no parameter`},
	{"GET", "/v1/statement", "period=2026-01&store=s1&translate_to=USD", "bad_query", `"translate_to" is no parameter`},
	{"GET", "/v1/summary", "", "bad_query", "from is wanted"},
	{"GET", "/v1/summary", "from=2026-01-01", "bad_query", "to is wanted"},
	{"GET", "/v1/summary", "from=x&to=y", "bad_query", `from: "x"`},
	{"GET", "/v1/summary", "from=2026-02-01&to=2026-01-01", "bad_query", "from must be before to"},
	{"GET", "/v1/summary", "from=2026-01-01&to=2026-02-01", "several_currencies", "USD, EUR"},
	{"GET", "/v1/summary", "from=2026-01-01&to=2026-02-01&currency=EURO", "bad_query", "is no code"},
	{"GET", "/v1/summary", "from=2026-01-01&to=2026-02-01&group_by=store", "bad_query", "is no parameter"},
	{"GET", "/v1/summary", "from=2026-01-01&to=2026-02-01&as_of=close:2026-01", "bad_query", "was never closed"},
	{"GET", "/v1/journal", "final=yes", "bad_query", `final: "yes" is neither`},
	{"GET", "/v1/journal", "final=true", "bad_query", "from and to are wanted"},
	{"GET", "/v1/journal", "final=true&from=2026-01-02&to=2026-02-01", "bad_query", "first days of months"},
	{"GET", "/v1/journal", "final=true&from=2026-01-01&to=2026-02-01", "period_open", "2026-01"},
	{"GET", "/v1/journal", "every=week", "bad_query", `every: "week" is none of month, day`},
	{"GET", "/v1/journal", "detail=lines", "bad_query", "detail: "},
	{"GET", "/v1/journal", "accounts=mine", "bad_query", "accounts: "},
	{"GET", "/v1/journal", "format=quicken", "bad_query", "quickbooks"},
	{"GET", "/v1/statement", "store=s1", "bad_query", "period"},
	{"GET", "/v1/statement", "period=2026-01", "bad_query", "one store or of one vendor"},
	{"GET", "/v1/statement", "period=2026-01&store=s1&vendor=v1", "bad_query", "one store or of one vendor"},
	{"GET", "/v1/statement", "period=2026-01&store=s1&period_by=month", "bad_query",
		`period_by: "month" is none of posting, occurred`},
	{"GET", "/v1/statement", "period=2026-01&store=s1&period_by=posting", "", ""},
	{"GET", "/v1/statement", "period=2026-01&store=s1&part=all", "bad_query", "part: "},
	{"GET", "/v1/statement", "period=2026-01&store=s1&format=pdf", "bad_query", "format: "},
	{"GET", "/v1/rates", "at=noon", "bad_query", `at: "noon" is neither a day`},
	{"GET", "/v1/rates", "all=yes", "bad_query", `all: "yes" is neither`},
	{"GET", "/v1/periods/2026-1", "", "bad_query", "2026-1"},
	{"GET", "/v1/periods/2026-01", "as_of=now", "bad_query", "is no parameter"},
	{"GET", "/v1/reports/changes", "", "bad_query", "since_close: the month is missing"},
	{"GET", "/v1/reports/changes", "since_close=January", "bad_query", "since_close: "},
	{"GET", "/v1/reports/changes", "since_close=2026-01", "bad_query", "was never closed"},
	{"GET", "/v1/audit", "from=2026-02-01&to=2026-01-01", "bad_query", "from must be before to"},
	{"GET", "/v1/audit", "format=html", "bad_query", "format: "},
	{"GET", "/v1/events", "id=1", "bad_query", "source"},
	{"GET", "/v1/events", "id=nobody&source=urn:till:1", "not_found", ""},
	{"GET", "/v1/orders/nobody", "", "not_found", ""},
	{"GET", "/v1/orders/o1", "currency=USD", "bad_query", "is no parameter"},
	{"GET", "/v1/orders/o1", "as_of=2026-01-31", "bad_query", "is neither a time"},
	{"GET", "/v1/orders/o1", "as_of=close:2026-01", "bad_query", "was never closed"},
	{"GET", "/v1/orders/o1", "as_of=2020-01-01T00:00:00Z", "not_found", ""}, // nobody knew of it
	{"GET", "/v1/cases/e1", "as_of=2020-01-01T00:00:00Z", "not_found", ""},
	{"GET", "/v1/cases/nobody", "", "not_found", ""},
	{"GET", "/v1/deadletters/nobody", "", "not_found", ""},
	{"GET", "/v1/status", "pretty", "bad_query", "is no parameter"},
	{"POST", "/v1/deadletters/nobody/replay", "", "not_found", ""},
	{"POST", "/v1/reconcile", "lag_days=-1", "bad_query", "lag_days: "},
	{"POST", "/v1/reconcile", "lag_days=367", "bad_query", "lag_days: "},
	{"GET", "/v1/nothing", "", "not_found", "/v1/nothing"},
	{"DELETE", "/v1/summary", "", "method_not_allowed", "GET"},
}

// TestQuestions: a question that can't be answered as it stands is said to be so, by which parameter, and never
// answered in part; each such answer is a problem as openapi.yaml describes it.
func TestQuestions(t *testing.T) {
	t.Parallel()
	o := readOpenAPI(t)
	problem, err := o.compiler.Compile("urn:openapi#/components/schemas/Problem")
	if err != nil {
		t.Fatal(err)
	}
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents, []string{
		event("eu", "refund.issued", "2026-01-12T10:00:00Z", "o1",
			`{`+goldenCase+`,"refund_id":"r","currency":"EUR","net":"1"}`)}) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	ask := func(q question) (int, string, map[string]any) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), q.method, c.base+q.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.RawQuery = q.query
		response, err := c.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Errorf("%s %s?%s: %v: %s", q.method, q.path, q.query, err, text)
		}
		return response.StatusCode, response.Header.Get("Content-Type"), answer
	}
	for _, q := range wrongQuestions {
		status, kind, answer := ask(q)
		what := fmt.Sprintf("%s %s?%s: %d %v", q.method, q.path, q.query, status, answer)
		if q.code == "" {
			if status != http.StatusOK {
				t.Error(what)
			}
			continue
		}
		if kind != "application/problem+json" || answer["type"] != "urn:makegood:problem:"+q.code ||
			answer["status"] != float64(status) || status < 400 || status >= 500 {
			t.Errorf("%s, and not %s", what, q.code)
		}
		if detail, _ := answer["detail"].(string); !strings.Contains(detail, q.detail) {
			t.Errorf("%s: its detail says nothing of %q", what, q.detail)
		}
		if err := problem.Validate(any(answer)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	knowsWhatIsDescribed(t, o, ask)
}

// knowsWhatIsDescribed: every parameter that is described is known, and no other is.
func knowsWhatIsDescribed(t *testing.T, o *openAPI, ask func(question) (int, string, map[string]any)) {
	t.Helper()
	filled := strings.NewReplacer("{id}", "o1", "{period}", "2026-01")
	asked := 0
	for path, methods := range o.document["paths"].(map[string]any) {
		operation, _ := methods.(map[string]any)["get"].(map[string]any)
		if operation == nil || !strings.HasPrefix(path, "/v1/") {
			continue
		}
		asked++
		if _, _, answer := ask(question{method: "GET", path: filled.Replace(path), query: "nonsense=1"}); !strings.Contains(
			fmt.Sprint(answer["detail"]), `"nonsense" is no parameter`) {
			t.Errorf("GET %s takes a parameter that is none: %v", path, answer)
		}
		parameters, _ := operation["parameters"].([]any)
		for _, p := range parameters {
			described := p.(map[string]any)
			name := described["name"].(string)
			if described["in"] != "query" {
				continue
			}
			if _, _, answer := ask(question{method: "GET", path: filled.Replace(path),
				query: url.Values{name: {""}}.Encode()}); strings.Contains(fmt.Sprint(answer["detail"]), "is no parameter") {
				t.Errorf("GET %s doesn't know %s: %v", path, name, answer)
			}
		}
	}
	if asked < 12 {
		t.Errorf("only %d questions were found", asked)
	}
}
