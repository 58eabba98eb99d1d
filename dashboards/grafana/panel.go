package grafana

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Panel shows one question's answer.
type Panel struct {
	Kind               Kind
	Title, Description string
	Width              uint32 // of 24

	SQL    string   // asks the books; what is shown is what it selects, in its order
	PromQL []Series // asks Prometheus, where SQL is empty

	// Unit is Grafana's, or money: the currency that is chosen. Tables have none: their Columns say what they show.
	Unit     string
	Decimals *float64
	// Floor is where the axis of a chart of money begins; nil: at zero.
	Floor *Floor
	// Nothing is what is said where there is no value.
	Nothing string

	// Steps are thresholds, each with its reason, which the description repeats.
	Steps []Step
	Links []Link
	// Columns says how single columns are shown; of a table each, in the order in which SQL selects them.
	Columns []Column

	// Of charts: whether values are stacked.
	Stacked bool
	// Of bar charts: whether bars lie, which column names them where it isn't the first text, whether their names are
	// slanted, and whether the values stand beside them.
	Horizontal, Slanted, Labelled bool
	Category                      string
	// Of numbers: whether a text of the row stands above the number, and the size of a text, in pixels; 0: what fits.
	Named bool
	Size  float64
}

// Series is a PromQL query and what its lines are called.
type Series struct{ Query, Legend string }

// Step is a threshold: from Above on it is this color, because Reason.
type Step struct {
	Above  float64
	Color  string
	Reason string
}

// Link leads on, with the time and what is chosen. To is a board's uid and what else the address carries.
type Link struct{ Title, To string }

// Floor is where an axis begins: With is the beginning of a query, and Value an expression of From.
type Floor struct{ With, Value, From string }

// money is the unit of amounts: the chosen currency. Grafana doesn't put variables into units, so a second query brings
// the unit with the data and a transformation sets it (Config from query results) on every number. Columns that are no
// amounts have a unit of their own by an override, and overrides go before what data brings. No name decides that:
// while a panel has two queries, Grafana calls a column "A Net cost", so that a regular expression which begins with ^
// finds none.
const money = "money"

var currencyUnit = `concat('currency:financial:', ` + value("currency") + `, ' ')`

func (p *Panel) unitSQL() string {
	if p.Floor == nil {
		return `SELECT ` + currencyUnit + ` AS unit`
	}
	return p.Floor.With + `
SELECT ` + currencyUnit + ` AS unit, ` + p.Floor.Value + ` AS min
FROM ` + p.Floor.From
}

// build is the panel as Grafana wants it, on a board.
func (p *Panel) build(on *Board) (*dashboard.Panel, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	defaults := dashboard.FieldConfig{Unit: &p.Unit, Decimals: p.Decimals, Custom: p.fields(),
		Mappings:   []dashboard.ValueMapping{},
		Color:      &dashboard.FieldColor{Mode: p.colorMode()},
		Thresholds: &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: p.thresholds()}}
	if p.Nothing != "" {
		defaults.NoValue = &p.Nothing
	}
	switch p.Unit {
	case money:
		defaults.Unit = new("locale")
		if p.Decimals == nil {
			defaults.Decimals = new(2.0)
		}
	case "":
		defaults.Unit = new("string")
	}
	var err error
	if defaults.Links, err = links(on, p.Links); err != nil {
		return nil, err
	}
	overrides, err := p.overrides(on)
	if err != nil {
		return nil, err
	}
	panel := &dashboard.Panel{Type: string(p.Kind), Title: &p.Title, Description: new(p.description()),
		Datasource: new(p.source()), Targets: p.targets(), Transparent: new(false), Options: p.options(),
		FieldConfig: &dashboard.FieldConfigSource{Defaults: defaults, Overrides: overrides}}
	if p.showsMoney() {
		panel.Transformations = []dashboard.DataTransformerConfig{p.currency()}
	}
	return panel, panel.Validate()
}

func (p *Panel) check() error {
	switch {
	case p.Title == "" || p.Description == "":
		return errors.New("a title and a description are wanted")
	case (p.SQL == "") == (len(p.PromQL) == 0):
		return errors.New("either SQL or PromQL is wanted")
	case (p.Unit == "") != (p.Kind == table && p.SQL != ""):
		return errors.New("a unit is wanted, but for a table of the books")
	case p.Kind == table && p.SQL != "" && len(p.Columns) == 0:
		return errors.New("a table's columns are wanted")
	case p.showsMoney() && p.SQL == "":
		return errors.New("money is asked of the books")
	case p.options() == nil:
		return fmt.Errorf("%q is no kind of panel", p.Kind)
	}
	for _, s := range p.Steps {
		if s.Reason == "" {
			return fmt.Errorf("the threshold at %g has no reason", s.Above)
		}
	}
	return nil
}

func (p *Panel) showsMoney() bool {
	return p.Unit == money ||
		p.Kind == table && slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Shows == amount })
}

// currency is the transformation that gives the panel's numbers the unit which the query unit brings.
func (p *Panel) currency() dashboard.DataTransformerConfig {
	type mapping struct {
		FieldName  string `json:"fieldName"`
		HandlerKey string `json:"handlerKey"`
	}
	mappings := []mapping{{"unit", "unit"}}
	if p.Floor != nil {
		mappings = append(mappings, mapping{"min", "min"})
	}
	return dashboard.DataTransformerConfig{Id: "configFromData", Options: struct {
		ConfigRefID string                  `json:"configRefId"`
		ApplyTo     dashboard.MatcherConfig `json:"applyTo"`
		Mappings    []mapping               `json:"mappings"`
	}{"unit", dashboard.MatcherConfig{Id: "byType", Options: "number"}, mappings}}
}

func (p *Panel) description() string {
	text := p.Description
	for _, s := range p.Steps {
		text += fmt.Sprintf("\n\nFrom %g on it is %s: %s.", s.Above, s.Color, s.Reason)
	}
	return text
}

// thresholds begin with no color: green would praise what is only less bad.
func (p *Panel) thresholds() []dashboard.Threshold {
	all := []dashboard.Threshold{{Color: "text"}}
	for _, s := range p.Steps {
		all = append(all, dashboard.Threshold{Color: s.Color, Value: new(s.Above)})
	}
	return all
}

func (p *Panel) colorMode() dashboard.FieldColorModeId {
	if len(p.Steps) > 0 || p.Kind == number || p.Kind == table || p.Kind == gauges {
		return dashboard.FieldColorModeIdThresholds
	}
	return dashboard.FieldColorModeIdPaletteClassic
}

func (p *Panel) source() common.DataSourceRef {
	if p.SQL == "" {
		return operations()
	}
	return books()
}

func (p *Panel) targets() []variants.Dataquery {
	var all []variants.Dataquery
	for i, s := range p.PromQL {
		all = append(all, askOperations(string(rune('A'+i)), s, p.Kind))
	}
	if p.SQL != "" {
		all = append(all, askBooks("A", p.SQL))
	}
	if p.showsMoney() {
		all = append(all, askBooks("unit", p.unitSQL()))
	}
	return all
}

// links keep the time range and what is chosen in every variable that both boards have; To adds what was clicked. What
// To sets is not kept as well: Grafana would choose both.
func links(on *Board, all []Link) ([]dashboard.DashboardLink, error) {
	var out []dashboard.DashboardLink
	for _, l := range all {
		uid, more, _ := strings.Cut(l.To, "?")
		boards := Boards()
		i := slices.IndexFunc(boards, func(b Board) bool { return b.UID == uid })
		if i < 0 {
			return nil, fmt.Errorf("the link %q leads to no board", l.Title)
		}
		url := "/d/" + uid + "?${__url_time_range}"
		for _, name := range boards[i].variableNames() {
			if slices.Contains(on.variableNames(), name) && !strings.Contains("&"+more, "&var-"+name+"=") {
				url += "&${" + name + ":queryparam}"
			}
		}
		if more != "" {
			url += "&" + more
		}
		out = append(out, dashboard.DashboardLink{Title: l.Title, Type: dashboard.DashboardLinkTypeLink, Url: &url,
			Tags: []string{}})
	}
	return out, nil
}

// clicked is the value that a person clicked on, fit for an address.
const clicked = "${__value.raw:percentencode}"

func digits(n float64) *float64 { return &n }
