package dashboards

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// grafanaBoard is what the tests read of a dashboard's JSON.
type grafanaBoard struct {
	UID, Title, Description string
	Editable                bool
	Tags                    []string
	Panels                  []grafanaPanel
	Links                   []struct {
		KeepTime, IncludeVars bool
	}
	Templating struct {
		List []grafanaVariable
	}
}

type grafanaPanel struct {
	text                     json.RawMessage
	ID                       int
	Type, Title, Description string
	DataSource               grafanaSource
	GridPos                  place
	Targets                  []grafanaTarget
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			Decimals   *int
			NoValue    string
			Thresholds struct{ Steps []struct{ Value *float64 } }
			Links      []grafanaLink
		}
		Overrides []struct {
			Matcher    struct{ Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
	Transformations []struct {
		ID      string
		Options struct {
			ConfigRefID string
			ApplyTo     struct{ ID, Options string }
			Mappings    []struct{ FieldName, HandlerKey string }
		}
	}
	Options struct {
		ReduceOptions struct{ Values bool }
		Text          struct{ ValueSize int }
	}
}

// place is where on the grid a panel is.
type place struct{ X, Y, W, H int }

func (p place) overlaps(q place) bool {
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H
}

type grafanaLink struct{ Title, URL string }

type grafanaSource struct{ Type, UID string }

type grafanaTarget struct {
	RefID, RawSQL, Expr string
	Instant             bool
	DataSource          grafanaSource
}

type grafanaVariable struct {
	Name, Type, Label, AllValue string
	Hide                        int
	IncludeAll                  bool
	Query                       json.RawMessage
}

func boards(t *testing.T) []grafanaBoard {
	t.Helper()
	var all []grafanaBoard
	for _, path := range glob(t, "grafana/boards/*.json") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var b grafanaBoard
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var panels struct{ Panels []json.RawMessage }
		if err := json.Unmarshal(text, &panels); err != nil {
			t.Fatal(err)
		}
		for i := range b.Panels {
			b.Panels[i].text = panels.Panels[i]
		}
		all = append(all, b)
	}
	return all
}

// TestBoardsKeepTheConventions: fixed and unique ids, nothing editable in place, data sources as variables, and on
// every panel a title, a description, a unit, and the reason of each threshold.
func TestBoardsKeepTheConventions(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range boards(t) {
		if b.UID == "" || seen[b.UID] || seen[b.Title] || b.Description == "" {
			t.Errorf("%q: a uid and a title of its own and a description are wanted", b.Title)
		}
		seen[b.UID], seen[b.Title] = true, true
		linked := len(b.Links) == 1 && b.Links[0].KeepTime && b.Links[0].IncludeVars
		if b.Editable || !slices.Contains(b.Tags, "makegood") || !linked {
			t.Errorf("%s: it must not be editable, carry the tag, and link to the others with time and variables", b.Title)
		}
		ids, titles := map[int]bool{}, map[string]bool{}
		for i, p := range b.Panels {
			where := b.Title + ": " + p.Title
			if ids[p.ID] || titles[p.Title] && p.Type != "row" || p.Title == "" {
				t.Errorf("%s: id %d or title twice, or none", where, p.ID)
			}
			ids[p.ID], titles[p.Title] = true, titles[p.Title] || p.Type != "row"
			for _, q := range b.Panels[:i] {
				if p.GridPos.overlaps(q.GridPos) {
					t.Errorf("%s overlaps %s", where, q.Title)
				}
			}
			if p.Type == "row" {
				continue
			}
			checkPanel(t, where, p)
		}
	}
}

func checkPanel(t *testing.T, where string, p grafanaPanel) {
	t.Helper()
	if len(p.Description) < 20 || !strings.HasSuffix(p.Description, ".") {
		t.Errorf("%s: the description %q doesn't describe it", where, p.Description)
	}
	if p.FieldConfig.Defaults.Unit == "" {
		t.Errorf("%s has no unit", where)
	}
	for _, s := range append([]grafanaSource{p.DataSource}, func() (all []grafanaSource) {
		for _, q := range p.Targets {
			all = append(all, q.DataSource)
		}
		return all
	}()...) {
		if s.UID != "${prometheus}" && s.UID != "${clickhouse}" {
			t.Errorf("%s: the data source %q is no variable", where, s.UID)
		}
	}
	reasons := strings.Count(p.Description, "\n\nFrom ")
	if steps := len(p.FieldConfig.Defaults.Thresholds.Steps) - 1; steps != reasons {
		t.Errorf("%s has %d thresholds and %d reasons", where, steps, reasons)
	}
	if strings.Contains(p.Title, "$") {
		t.Errorf("%s has a variable in its title, which is empty where the books are", where)
	}
	if len(p.Targets) == 0 {
		t.Errorf("%s asks nothing", where)
	}
}

// TestQueriesUseWhatExists parses all PromQL and looks its metrics up, and looks up the variables and macros of SQL.
func TestQueriesUseWhatExists(t *testing.T) {
	known := knownMetrics(t)
	variable := regexp.MustCompile(`\$\{?(\w+)`)
	macros := []string{"__dateFilter", "__fromTime", "__toTime"}
	for _, b := range boards(t) {
		names := []string{}
		for _, v := range b.Templating.List {
			names = append(names, v.Name)
		}
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if q.Expr != "" {
					checkPromQL(t, b.Title+": "+p.Title, strings.ReplaceAll(q.Expr, "$__rate_interval", "1m"), known)
				}
				for _, m := range variable.FindAllStringSubmatch(q.RawSQL, -1) {
					if !slices.Contains(names, m[1]) && !slices.Contains(macros, m[1]) {
						t.Errorf("%s: %s uses $%s, which is no variable of it and no macro", b.Title, p.Title, m[1])
					}
				}
			}
		}
	}
}

// TestLinksLeadSomewhere: every link goes to a board that is there, keeps time and choices, and sets only variables
// that board has.
func TestLinksLeadSomewhere(t *testing.T) {
	variables := map[string][]string{}
	for _, b := range boards(t) {
		variables[b.UID] = []string{}
		for _, v := range b.Templating.List {
			variables[b.UID] = append(variables[b.UID], v.Name)
		}
	}
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			links := slices.Clone(p.FieldConfig.Defaults.Links)
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if property.ID == "links" {
						var some []grafanaLink
						if err := json.Unmarshal(property.Value, &some); err != nil {
							t.Fatal(err)
						}
						links = append(links, some...)
					}
				}
			}
			for _, l := range links {
				uid, query, _ := strings.Cut(strings.TrimPrefix(l.URL, "/d/"), "?")
				if variables[uid] == nil || !strings.HasPrefix(query, "${__url_time_range}&") {
					t.Errorf("%s: %s: the link %q leads nowhere or forgets the time", b.Title, p.Title, l.URL)
				}
				for _, name := range variables[uid] {
					kept, set := strings.Count(query, "${"+name+":queryparam}"), strings.Count("&"+query, "&var-"+name+"=")
					if slices.Contains(variables[b.UID], name) && kept+set != 1 {
						t.Errorf("%s: %s: the link %q keeps the choice of %s %d times and sets it %d times",
							b.Title, p.Title, l.URL, name, kept, set)
					}
				}
				for _, m := range regexp.MustCompile(`var-(\w+)=`).FindAllStringSubmatch(query, -1) {
					if !slices.Contains(variables[uid], m[1]) {
						t.Errorf("%s: %s: %s has no variable %s", b.Title, p.Title, uid, m[1])
					}
				}
			}
		}
	}
}

// property is what is set for a column, as JSON; empty where it is not.
func (p *grafanaPanel) property(column, id string) string {
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if o.Matcher.Options == column && property.ID == id {
				return string(property.Value)
			}
		}
	}
	return ""
}
