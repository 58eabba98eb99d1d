package insight

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// TestQuestionsAreDeclared: each has words, known units and names that no other has, and the documentation says more of
// each.
func TestQuestionsAreDeclared(t *testing.T) {
	text, err := os.ReadFile("../../dashboards/README.md")
	if err != nil {
		t.Fatal(err)
	}
	units := []string{Money, Price, Ratio, Share, Count, Days, Hours, Text, List, YesNo, Day}
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	seen := map[string]bool{}
	for _, q := range Questions() {
		if seen[q.Name] || q.About == "" || q.Method == "" || q.Read == nil {
			t.Errorf("%s is not whole, or there twice", q.Name)
		}
		seen[q.Name] = true
		if !strings.Contains(string(text), "\n### "+q.Heading+"\n") {
			t.Errorf("dashboards/README.md says nothing of %q (%s)", q.Heading, q.Name)
		}
		for _, p := range q.Params {
			if !name.MatchString(p.Name) || p.About == "" || slices.Contains(Common, p.Name) {
				t.Errorf("%s: parameter %q", q.Name, p.Name)
			}
		}
		for _, p := range append(q.Parts, Part{q.Name, q.About, q.Columns}) {
			columns := map[string]bool{}
			for _, c := range p.Columns {
				if columns[c.Name] || !name.MatchString(c.Name) || c.About == "" || !slices.Contains(units, c.Unit) ||
					c.Sum && c.Unit != Money && c.Unit != Count || c.Sum && c.Estimate {
					t.Errorf("%s, %s: column %+v", q.Name, p.Name, c)
				}
				columns[c.Name] = true
			}
			if p.About == "" || len(p.Columns) == 0 {
				t.Errorf("%s: part %q", q.Name, p.Name)
			}
		}
	}
}

func TestTable(t *testing.T) {
	columns := []Column{{Name: "vendor", Unit: Text}, {Name: "gross", Unit: Money, Sum: true},
		{Name: "cases", Unit: Count, Sum: true}, {Name: "share", Unit: Share, Estimate: true}}
	row := func(vendor, gross string, cases uint64) Row {
		return Row{"vendor": vendor, "gross": gross, "cases": cases, "share": estimate.Wilson(1, 2, 5, 1)}
	}
	got, err := tableOf(columns, []Row{row("a", "0.1000", 1), row("b", "-0.3000", 2)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Totals["gross"] != "-0.2000" || got.Totals["cases"] != uint64(3) || len(got.Totals) != 2 {
		t.Errorf("%v", got.Totals)
	}
	cells := got.Cells(columns)
	want := "Supplier Gross Cases Share Share, low Share, high Share, n Share, why not"
	if strings.Join(cells.Header, " ") != want {
		t.Errorf("%v", cells.Header)
	}
	// Wilson's interval of 1 in 2 at 95 %, as R's prop.test(1, 2, correct = FALSE) has it.
	if text := strings.Join(cells.Rows[0], "|"); text != "a|0.1000|1|0.500000|0.094531|0.905469|2|at least 5 are needed" {
		t.Error(text)
	}
	for _, bad := range []Row{{"vendor": "a"}, {"vendor": "a", "gross": "x", "cases": uint64(1), "share": nil},
		{"vendor": "a", "gross": "x", "cases": uint64(1), "share": estimate.Wilson(0, 0, 1, 1)}} {
		if _, err := tableOf(columns, []Row{bad}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
