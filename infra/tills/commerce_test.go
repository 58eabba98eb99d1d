package tills_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// commerce are the mappings of shops and tills.
var commerce = []string{"shopify", "woocommerce", "square", "amazon", "poslog", "csv"}

// testCase is a case of a file of cases, in which every case is
//
//	== what it shows
//	-- what the till is told: kind=K, header:NAME=VALUE, settings, with · for a blank (this line may be missing)
//	the body
//	=> an event in short, or refused: and a piece of the reason; => nothing
type testCase struct {
	what, body    string
	options, want []string
}

func casesOf(t *testing.T, path string) []testCase {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	for _, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
		what, rest, _ := strings.Cut(part, "\n")
		c := testCase{what: what}
		for _, line := range strings.SplitAfter(rest, "\n") {
			if want, is := strings.CutPrefix(line, "=> "); is {
				c.want = append(c.want, strings.TrimSuffix(want, "\n"))
			} else if options, is := strings.CutPrefix(line, "-- "); is {
				c.options = strings.Fields(options)
			} else if len(c.want) == 0 {
				c.body += line
			}
		}
		if len(c.want) == 0 || c.body == "" {
			t.Fatalf("%s: the case %q has no body, or says nothing of what it becomes", path, what)
		}
		cases = append(cases, c)
	}
	return cases
}

// run maps a body as the options say.
func run(m *tills.Mapping, body []byte, options ...string) tills.Result {
	till := tills.Till{Name: m.Name, Settings: map[string]string{"store_id": "s1"}}
	in := tills.Input{Body: body, Headers: map[string]string{}}
	for _, o := range options {
		k, v, _ := strings.Cut(o, "=")
		switch {
		case k == "kind":
			in.Kind = v
		case strings.HasPrefix(k, "header:"):
			in.Headers[strings.TrimPrefix(k, "header:")] = v
		default:
			till.Settings[k] = strings.ReplaceAll(v, "·", " ")
		}
	}
	return m.Map(context.Background(), till, in)
}

// inShort are what became of a body, a line for each event and refusal: all that an event says, but the store.
func inShort(t *testing.T, r tills.Result) []string {
	t.Helper()
	var lines []string
	for _, e := range r.Events {
		var event struct {
			Type, ID, Time, Subject string
			Data                    map[string]any
		}
		if err := json.Unmarshal(e.JSON, &event); err != nil {
			t.Fatal(err)
		}
		short := strings.TrimSuffix(strings.TrimPrefix(event.Type, "makegood."), ".v1")
		delete(event.Data, "store_id")
		lines = append(lines, strings.Join([]string{short, event.ID, event.Time, event.Subject}, " ")+members(event.Data))
	}
	for _, refusal := range r.Refusals {
		lines = append(lines, "refused: "+refusal.String())
	}
	if len(lines) == 0 {
		lines = append(lines, "nothing")
	}
	return lines
}

func members(o map[string]any) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(o)) {
		switch v := o[k].(type) {
		case []any:
			var all []string
			for _, one := range v {
				line, _ := one.(map[string]any)
				all = append(all, strings.TrimSpace(members(line)))
			}
			fmt.Fprintf(&b, " %s=[%s]", k, strings.Join(all, "; "))
		case map[string]any:
			fmt.Fprintf(&b, " %s={%s}", k, strings.TrimSpace(members(v)))
		default:
			fmt.Fprintf(&b, " %s=%v", k, v)
		}
	}
	return b.String()
}

// agree says whether what became of a body is what was wanted: of a refusal a piece of it.
func agree(got, want []string) bool {
	return slices.EqualFunc(got, want, func(got, want string) bool {
		piece, refused := strings.CutPrefix(want, "refused: ")
		return got == want || refused && strings.HasPrefix(got, "refused: ") && strings.Contains(got, piece)
	})
}

// TestCases holds the built-in mappings against their cases, each twice: a body always makes the same.
func TestCases(t *testing.T) {
	for _, name := range tills.BuiltIn() {
		t.Run(name, func(t *testing.T) {
			m, err := tills.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob("testdata/" + name + "*.cases")
			if err != nil || len(files) == 0 {
				t.Fatal("there are no cases", err)
			}
			for _, file := range files {
				for _, c := range casesOf(t, file) {
					for range 2 {
						got := inShort(t, run(m, []byte(c.body), c.options...))
						if !agree(got, c.want) {
							t.Errorf("%s: %s: it makes\n=> %s\nand not\n=> %s", file, c.what, strings.Join(got, "\n=> "),
								strings.Join(c.want, "\n=> "))
							break
						}
					}
				}
			}
		})
	}
}

// TestCommerceOnPayloadsThatNobodyHereWrote holds the mappings against bodies that are kept beside the repository. In
// the file of cases the name is the file's, and the body is the mapping's name. Every file of these systems is in it.
func TestCommerceOnPayloadsThatNobodyHereWrote(t *testing.T) {
	data := "../../../shared/data"
	if _, err := os.Stat(data); os.IsNotExist(err) {
		data = "../../../../shared/data"
	}
	if _, err := os.Stat(data); os.IsNotExist(err) {
		t.Logf("%s isn't here: not checked", data) // it is no part of the repository
		return
	}
	decided, mappings := map[string]bool{}, map[string]*tills.Mapping{}
	for _, name := range commerce {
		var err error
		if mappings[name], err = tills.Load(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range casesOf(t, "testdata/payloads.cases") {
		decided[c.what] = true
		m := mappings[strings.TrimSpace(c.body)]
		body, err := os.ReadFile(filepath.Join(data, c.what))
		if err != nil {
			t.Fatal(err)
		}
		if got := inShort(t, run(m, body, c.options...)); !agree(got, c.want) {
			t.Errorf("%s makes\n=> %s\nand not\n=> %s", c.what, strings.Join(got, "\n=> "), strings.Join(c.want, "\n=> "))
		}
	}
	for _, name := range commerce {
		for _, pattern := range []string{"tills/" + name + "/*", "pos/" + name + "_*"} {
			files, err := filepath.Glob(filepath.Join(data, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if of, err := filepath.Rel(data, f); err != nil || !decided[of] {
					t.Errorf("%s: nobody decided what it becomes (%v)", f, err)
				}
			}
		}
	}
}
