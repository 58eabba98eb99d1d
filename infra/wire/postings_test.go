package wire_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// accountingCase is one case of domain/testdata/postings.md: events, and the entry of each.
type accountingCase struct {
	part, title string
	steps       []accountingStep
}

type accountingStep struct {
	kind, source string
	data         map[string]any
	lines        []string // "4100 REFUND CASH 50.0000", in the order of text
	missing      string   // the rate that isn't there
}

var stepForm = regexp.MustCompile(
	"^When `([a-z_.]+)` says `(\\{.*\\})`(?:, from `([a-z:]+)`)?, then(:| nothing is posted\\.|" +
		" nothing is posted, and the event is unpriced: no `(.*)`\\.)$",
)

// readAccountingCases reads the page as controllers do: rates, parts, cases, their events and lines.
func readAccountingCases(t *testing.T, text string) (rates []map[string]any, cases []accountingCase) {
	t.Helper()
	part := ""
	for n, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "## "):
			part = strings.TrimPrefix(line, "## ")
		case strings.HasPrefix(line, "### "):
			cases = append(cases, accountingCase{part: part, title: strings.TrimPrefix(line, "### ")})
		case strings.HasPrefix(line, "When "):
			found := stepForm.FindStringSubmatch(line)
			if found == nil || len(cases) == 0 {
				t.Fatalf("line %d is no event: %s", n+1, line)
			}
			step := accountingStep{kind: found[1], source: found[3], missing: found[5]}
			d := json.NewDecoder(strings.NewReader(found[2]))
			d.UseNumber()
			if err := d.Decode(&step.data); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
			last := &cases[len(cases)-1]
			last.steps = append(last.steps, step)
		case strings.HasPrefix(line, "| ---"), strings.HasPrefix(line, "| account |"), strings.HasPrefix(line, "| rate |"):
		case strings.HasPrefix(line, "|") && part == "":
			c := cellsOf(line)
			rate := map[string]any{"rate": c[0], "key": c[1], "value": c[2], "effective_from": "2026-01-01"}
			if c[3] != "" {
				rate["currency"] = c[3]
			}
			rates = append(rates, rate)
		case strings.HasPrefix(line, "|"):
			steps := cases[len(cases)-1].steps
			step := &steps[len(steps)-1]
			step.lines = append(step.lines, journalLine(t, n+1, line))
		}
	}
	return rates, cases
}

func cellsOf(row string) []string {
	all := strings.Split(strings.Trim(row, "|"), "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

func journalLine(t *testing.T, n int, row string) string {
	t.Helper()
	c := cellsOf(row)
	number, name, _ := strings.Cut(c[0], " ")
	sign, amount := "", c[1]
	if amount == "" {
		sign, amount = "-", c[2]
	}
	exact, ok := new(big.Rat).SetString(sign + amount)
	account, err := strconv.ParseUint(number, 10, 16)
	if len(c) != 6 || !ok || err != nil || (c[1] == "") == (c[2] == "") || domain.Account(account).Name() != name {
		t.Fatalf("line %d is no journal line: %s", n, row)
	}
	return fmt.Sprintf("%s %s %s %s", number, c[4], c[3], exact.FloatString(4))
}

// casesOfContract are those that the contract's §4 tells itself, as a page of cases tells them.
func casesOfContract(t *testing.T) string {
	t.Helper()
	var page []string
	inCase := false
	for line := range strings.SplitSeq(contractSection(t, "4. Journal"), "\n") {
		switch {
		case strings.HasPrefix(line, "### "):
			page = append(page, strings.TrimPrefix(line, "#"))
			inCase = false
		case strings.HasPrefix(line, "When `"):
			page = append(page, "### As the contract says", line)
			inCase = true
		case inCase && strings.HasPrefix(line, "|"):
			page = append(page, line)
		case line != "":
			inCase = false
		}
	}
	return strings.Join(page, "\n")
}

// TestAccountingCases settles what domain/testdata/postings.md and the contract's §4 tell, and holds every entry
// against the numbers there, which were worked out by hand. Every part of §4 has a case, and so has every kind of
// event that posts.
func TestAccountingCases(t *testing.T) {
	page, err := os.ReadFile("../../domain/testdata/postings.md")
	if err != nil {
		t.Fatal(err)
	}
	rates, cases := readAccountingCases(t, string(page))
	_, more := readAccountingCases(t, casesOfContract(t))
	cases = append(cases, more...)
	told := map[string]bool{}
	for i, c := range cases {
		if !slices.Contains(postingParts(t), c.part) {
			t.Errorf("%q is no part of the contract's §4", c.part)
		}
		told[c.part] = true
		for _, s := range c.steps {
			told[s.kind] = true
		}
		t.Run(c.part+", "+c.title, func(t *testing.T) { cases[i].check(t, rates) })
	}
	for _, part := range postingParts(t) {
		if !told[part] {
			t.Errorf("the contract's part %q has no case", part)
		}
	}
	for _, typ := range domain.Types() {
		if typ.Posts() != domain.PostsNothing && typ != domain.TypeFactDecided && !told[typ.Name()] {
			t.Errorf("%s has no case", typ.Name())
		}
	}
}

// postingParts are the headings of the contract's §4 but the last, which is about flags.
func postingParts(t *testing.T) []string {
	t.Helper()
	var parts []string
	for line := range strings.SplitSeq(contractSection(t, "4. Journal"), "\n") {
		if part, is := strings.CutPrefix(line, "### "); is && part != "What can't be right" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		t.Fatal("the contract has no parts of a position")
	}
	return parts
}

// event makes the event of a step, the nth of its case, and its text.
func (s *accountingStep) event(t *testing.T, n int, before []string) (*domain.Event, string) {
	t.Helper()
	typ := domain.ParseType([]byte("makegood." + s.kind + ".v1"))
	data := map[string]any{"currency": "USD"}
	e := map[string]any{"specversion": "1.0", "id": fmt.Sprint(n + 1), "source": "urn:cases", "type": typ.String(),
		"time": time.Date(2026, 1, 15, 12, n, 0, 0, time.UTC).Format(time.RFC3339), "data": data}
	if s.source != "" {
		e["source"] = s.source
	}
	if typ.Stream() != domain.Books {
		data["order_id"], data["store_id"], e["subject"] = "o1", "s1", "o1"
		if typ.Stream() != domain.Orders {
			data["error_id"] = "e1"
		}
	}
	maps.Copy(data, s.data)
	if number, is := data["original"].(string); is {
		i, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		data["original"] = json.RawMessage(before[i-1])
	}
	for name, value := range data {
		if value == nil {
			delete(data, name)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var decoder wire.Decoder
	envelope, err := decoder.Structured(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return &envelope.Event, string(text)
}

func (c *accountingCase) check(t *testing.T, rates []map[string]any) {
	t.Helper()
	terms := domain.NewTerms(time.UTC)
	for n, r := range rates {
		step := accountingStep{kind: "rate.set", data: r}
		e, _ := step.event(t, n, nil)
		terms.Apply(e, domain.Mark{Offset: int64(n), Ends: map[domain.Partition]int64{}})
	}
	var all []domain.Recorded
	var texts []string
	for n := range c.steps {
		e, text := c.steps[n].event(t, n, texts)
		texts = append(texts, text)
		at := domain.Position{Stream: domain.Redeliveries, Offset: int64(n), Time: e.Time}
		all = append(all, domain.Recorded{Event: e, At: at, RecordedAt: e.Time})
	}
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	for n := range c.steps {
		var got []string
		for _, l := range s.Events[n].Lines {
			got = append(got, fmt.Sprintf("%d %s %s %s", l.Account, l.Element, l.Basis, l.Amount))
		}
		sort.Strings(got)
		want := slices.Sorted(slices.Values(c.steps[n].lines))
		if !slices.Equal(got, want) {
			t.Errorf(
				"event %d, %s, posts\n  %s\nnot\n  %s",
				n+1,
				c.steps[n].kind,
				strings.Join(got, ", "),
				strings.Join(want, ", "),
			)
		}
		if missing := strings.Join(s.Events[n].Unpriced, " "); missing != c.steps[n].missing {
			t.Errorf("event %d, %s: missing is %q, not %q", n+1, c.steps[n].kind, missing, c.steps[n].missing)
		}
	}
}
