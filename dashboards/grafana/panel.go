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
	// OverTime says that SQL's answer is a series over time: its first column is the time.
	OverTime bool

	// Unit is Grafana's, or money: then columns are in the currency that is chosen, all of them or those of Money.
	Unit     string
	Money    []string
	Decimals *float64

	// Steps are thresholds, each with its reason, which the description repeats.
	Steps []Step
	Links []Link
	// Columns says how single columns are shown.
	Columns []Column

	// Of charts: whether values are stacked.
	Stacked bool
	// Of bar charts: whether bars lie, which column names them where it isn't the first text, and whether they have no
	// values beside them but slanted names.
	Horizontal bool
	Category   string
	Bare       bool
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

// Column shows a column in its own way.
type Column struct {
	Name string
	Unit string
	Link *Link
	// Bar fills the cell by its share of the column's range.
	Bar bool
	// Color is fixed: a hue of Grafana's, or transparent.
	Color string
	// Hidden from legend and tooltip: it only carries the others.
	Hidden bool
}

// money is the unit of amounts: the chosen currency. Grafana doesn't put variables into units, so a second query brings
// the unit with the data and a transformation sets it (Config from query results).
const money = "money"

var unitSQL = `SELECT concat('currency:financial:', ` + value("currency") + `, ' ') AS unit`

// build is the panel as Grafana wants it, on a board.
func (p *Panel) build(on *Board) (*dashboard.Panel, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	defaults := dashboard.FieldConfig{Unit: &p.Unit, Decimals: p.Decimals, Custom: p.fields(),
		Mappings:   []dashboard.ValueMapping{},
		Color:      &dashboard.FieldColor{Mode: p.colorMode()},
		Thresholds: &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: p.thresholds()}}
	if p.Unit == money {
		defaults.Unit = new("locale")
		if p.Decimals == nil {
			defaults.Decimals = new(2.0)
		}
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
	case p.Unit == "":
		return errors.New("a unit is wanted")
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

func (p *Panel) showsMoney() bool { return p.Unit == money || len(p.Money) > 0 }

// currency is the transformation that gives the panel's amounts the unit which the query unit brings.
func (p *Panel) currency() dashboard.DataTransformerConfig {
	applyTo := dashboard.MatcherConfig{Id: "byType", Options: "number"}
	if len(p.Money) > 0 {
		// With two queries Grafana puts the name of the query before a field's name.
		applyTo = dashboard.MatcherConfig{Id: "byRegexp", Options: `/(^|\W)(` + strings.Join(p.Money, "|") + ")$/"}
	}
	type mapping struct {
		FieldName  string `json:"fieldName"`
		HandlerKey string `json:"handlerKey"`
	}
	return dashboard.DataTransformerConfig{Id: "configFromData", Options: struct {
		ConfigRefID string                  `json:"configRefId"`
		ApplyTo     dashboard.MatcherConfig `json:"applyTo"`
		Mappings    []mapping               `json:"mappings"`
	}{"unit", applyTo, []mapping{{"unit", "unit"}}}}
}

func (p *Panel) description() string {
	text := p.Description
	for _, s := range p.Steps {
		text += fmt.Sprintf("\n\nFrom %g on it is %s: %s.", s.Above, s.Color, s.Reason)
	}
	return text
}

func (p *Panel) thresholds() []dashboard.Threshold {
	base := "text"
	if len(p.Steps) > 0 {
		base = "green"
	}
	all := []dashboard.Threshold{{Color: base}}
	for _, s := range p.Steps {
		all = append(all, dashboard.Threshold{Color: s.Color, Value: new(s.Above)})
	}
	return all
}

func (p *Panel) colorMode() dashboard.FieldColorModeId {
	if len(p.Steps) > 0 || p.Kind == number || p.Kind == table {
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
		all = append(all, askBooks("A", p.SQL, p.OverTime))
	}
	if p.showsMoney() {
		all = append(all, askBooks("unit", unitSQL, false))
	}
	return all
}

func (p *Panel) overrides(on *Board) ([]dashboard.DashboardFieldConfigSourceOverrides, error) {
	overrides := []dashboard.DashboardFieldConfigSourceOverrides{}
	for _, name := range p.Money {
		overrides = append(overrides, override(name, dashboard.DynamicConfigValue{Id: "decimals", Value: 2}))
	}
	for _, c := range p.Columns {
		var properties []dashboard.DynamicConfigValue
		set := func(id string, value any) {
			properties = append(properties, dashboard.DynamicConfigValue{Id: id, Value: value})
		}
		if c.Unit != "" {
			set("unit", c.Unit)
		}
		if c.Link != nil {
			some, err := links(on, []Link{*c.Link})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			set("links", some)
		}
		if c.Bar {
			set("custom.cellOptions", common.TableBarGaugeCellOptions{Type: common.TableCellDisplayModeGauge,
				Mode: new(common.BarGaugeDisplayModeBasic), ValueDisplayMode: new(common.BarGaugeValueModeText)})
		}
		if c.Color != "" {
			set("color", dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &c.Color})
		}
		if c.Hidden {
			set("custom.hideFrom", common.HideSeriesConfig{Legend: true, Tooltip: true})
		}
		overrides = append(overrides, override(c.Name, properties...))
	}
	return overrides, nil
}

func override(column string, with ...dashboard.DynamicConfigValue) dashboard.DashboardFieldConfigSourceOverrides {
	return dashboard.DashboardFieldConfigSourceOverrides{
		Matcher: dashboard.MatcherConfig{Id: "byName", Options: column}, Properties: with}
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
