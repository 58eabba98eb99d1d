package dashboards

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/domain"
)

// ruleFile is what is read of Prometheus' rule files.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// promtoolTests is what is read of promtool's test files.
type promtoolTests struct {
	Tests []struct {
		Alerts []struct {
			Name     string `yaml:"alertname"`
			Expected []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

func readYAML(t *testing.T, path string, into any) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return text
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: nothing found (%v)", pattern, err)
	}
	return found
}

func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	for _, path := range glob(t, "prometheus/rules/*.yml") {
		var f ruleFile
		readYAML(t, path, &f)
		for _, g := range f.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

func alerts(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, r := range rules(t) {
		if r.Alert != "" {
			names = append(names, r.Alert)
		}
	}
	return names
}

// TestNoAlertWithoutRunbook and no runbook without alert; each has its four parts in their order, and a command to
// begin with.
func TestNoAlertWithoutRunbook(t *testing.T) {
	names := alerts(t)
	for _, path := range glob(t, "runbooks/*.md") {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		if !slices.Contains(names, name) {
			t.Errorf("%s is the runbook of no alert", path)
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("runbooks", name+".md"))
		if err != nil {
			t.Errorf("alert %s has no runbook: %v", name, err)
			continue
		}
		var headings []string
		for line := range strings.Lines(string(text)) {
			if h, ok := strings.CutPrefix(line, "#"); ok {
				headings = append(headings, strings.TrimSpace(strings.TrimLeft(h, "#")))
			}
		}
		if want := []string{name, "Meaning", "Impact", "Diagnosis", "Mitigation"}; !slices.Equal(headings, want) {
			t.Errorf("runbook %s has the headings %q, not %q", name, headings, want)
		}
		if len(commands(string(text))) == 0 {
			t.Errorf("runbook %s has no command to diagnose with", name)
		}
	}
}

var commandBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// commands are the shell blocks of a page.
func commands(page string) []string {
	var all []string
	for _, m := range commandBlock.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestAlertsAreComplete: every alert says how urgent it is, what happened and where to read on, has the reason of its
// threshold beside it, and a test in which it fires and one in which it doesn't.
func TestAlertsAreComplete(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, path := range glob(t, "prometheus/tests/*.yml") {
		var f promtoolTests
		readYAML(t, path, &f)
		for _, test := range f.Tests {
			for _, a := range test.Alerts {
				if len(a.Expected) > 0 {
					fires[a.Name] = true
				} else {
					silent[a.Name] = true
				}
			}
		}
	}
	text, err := os.ReadFile("prometheus/rules/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) {
			t.Errorf("%s: severity is %q, neither page nor ticket", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["runbook"] != "dashboards/runbooks/"+r.Alert+".md" {
			t.Errorf("%s: annotations %v lack a summary or the runbook", r.Alert, r.Annotations)
		}
		if !regexp.MustCompile(`- alert: ` + r.Alert + `\n\s+# [A-Z0-9]`).Match(text) {
			t.Errorf("%s: the reason of its threshold isn't beside it", r.Alert)
		}
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("%s: a test in which it fires (%t) and one in which it doesn't (%t) are wanted",
				r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

// TestRulesUseWhatExists parses every expression and looks its metrics up among those of the page of metrics, which is
// held against the registry, and among the recorded ones.
func TestRulesUseWhatExists(t *testing.T) {
	known := knownMetrics(t)
	for _, r := range rules(t) {
		checkPromQL(t, r.Alert+r.Record, r.Expr, known)
	}
}

// knownMetrics are those of dashboards/metrics.md, those recorded by rules, and what Prometheus itself says of a
// target.
func knownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	page, err := os.ReadFile("metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"up": true, "process_resident_memory_bytes": true, "process_cpu_seconds_total": true,
		"go_goroutines": true}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+)").FindAllStringSubmatch(string(page), -1) {
		known[m[1]] = true
		if m[2] == "histogram" {
			known[m[1]+"_bucket"], known[m[1]+"_sum"], known[m[1]+"_count"] = true, true, true
		}
	}
	for _, r := range rules(t) {
		if r.Record != "" {
			known[r.Record] = true
		}
	}
	return known
}

// checkPromQL parses an expression and looks its metrics up.
func checkPromQL(t *testing.T, where, expression string, known map[string]bool) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Errorf("%s: %s: %v", where, expression, err)
		return
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, m := range selector.LabelMatchers {
			if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && !known[m.Value] {
				t.Errorf("%s uses %s, which nobody exposes or records", where, m.Value)
			}
		}
		return nil
	})
}

// TestRulesKnowTheElements: where a rule tells costs from what was paid back, or what is hidden, it does so by the
// words of the domain.
func TestRulesKnowTheElements(t *testing.T) {
	want := map[string]string{"element": strings.Join(domain.RecoveryElements(), "|"), "basis": domain.Imputed.String()}
	met := map[string]int{}
	for _, r := range rules(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
		if err != nil {
			t.Fatalf("%s%s: %v", r.Record, r.Alert, err)
		}
		for _, selector := range parser.ExtractSelectors(expr) {
			for _, m := range selector {
				if w, is := want[m.Name]; is {
					met[m.Name]++
					if m.Value != w {
						t.Errorf("%s%s: %s is held against %q, not %q", r.Record, r.Alert, m.Name, m.Value, w)
					}
				}
			}
		}
	}
	if met["element"] < 3 || met["basis"] < 1 {
		t.Errorf("the rules ask for elements %d times, and for bases %d times", met["element"], met["basis"])
	}
}
