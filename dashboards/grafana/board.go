package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Board is one dashboard.
type Board struct {
	UID, Title, Description string
	// From is where its time range begins, as Grafana writes it: now-30d, now-1h.
	From string
	// Refresh is how often an open dashboard asks again; empty: never.
	Refresh   string
	Variables []Variable
	Rows      []Row
}

// Row is panels side by side, under a title where it has one.
type Row struct {
	Title  string
	Height uint32
	Panels []Panel
}

// Variable is what a person can choose.
type Variable struct {
	Name, Label, Description string
	// Query is SQL whose first column are the choices; empty: a text that a person types.
	Query string
	// Several may be chosen, or all.
	Several bool
	// Hidden: it is carried on to other boards, and nothing here is chosen by it.
	Hidden bool
}

// Boards are makegood's dashboards, the first page first.
func Boards() []Board {
	return []Board{quality(), next(), causes(), stores(), promises(), explorer(), pipeline()}
}

// Folder is where they are in Grafana.
const Folder = "makegood"

// JSON is the dashboard as Grafana provisions it. Keys are in alphabetical order, and text is as it was written.
func (b *Board) JSON() ([]byte, error) {
	text, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Title, err)
	}
	var all any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Title, err)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(all); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Title, err)
	}
	return out.Bytes(), nil
}

// build is the dashboard in the schema that Grafana provisions from files. The SDK's dashboardv2 is for Grafana's API
// of resources.
func (b *Board) build() ([]byte, error) {
	board := dashboard.NewDashboard()
	board.Uid, board.Title, board.Description, board.Tags = &b.UID, &b.Title, &b.Description, []string{"makegood"}
	board.Editable, board.GraphTooltip = new(false), new(dashboard.DashboardCursorSyncCrosshair)
	board.Timezone, board.Time = new("utc"), &dashboard.DashboardDashboardTime{From: b.From, To: "now"}
	if b.Refresh != "" {
		board.Refresh = &b.Refresh
	}
	board.Links = []dashboard.DashboardLink{{Title: "makegood", Type: dashboard.DashboardLinkTypeDashboards,
		Tags: []string{"makegood"}, AsDropdown: true, KeepTime: true, IncludeVars: true, Icon: "external link",
		Tooltip: "The other dashboards, with the same time and choices"}}
	board.Templating.List = []dashboard.VariableModel{
		dataSource("clickhouse", "Books", clickhouseType),
		dataSource("prometheus", "Operations", prometheusType),
	}
	for _, v := range b.Variables {
		board.Templating.List = append(board.Templating.List, v.build())
	}
	var err error
	if board.Panels, err = b.panels(); err != nil {
		return nil, err
	}
	if err := board.Validate(); err != nil {
		return nil, err
	}
	return json.Marshal(board)
}

// panels places the rows below each other and their panels side by side.
func (b *Board) panels() ([]dashboard.PanelOrRowPanel, error) {
	var all []dashboard.PanelOrRowPanel
	var y uint32
	for _, row := range b.Rows {
		if row.Title != "" {
			all = append(all, dashboard.PanelOrRowPanel{RowPanel: &dashboard.RowPanel{Id: uint32(len(all) + 1), Type: "row",
				Title: &row.Title, Panels: []dashboard.Panel{}, GridPos: &dashboard.GridPos{H: 1, W: gridWidth, Y: y}}})
			y++
		}
		var x uint32
		for _, p := range row.Panels {
			panel, err := p.build(b)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Title, err)
			}
			panel.Id = new(uint32(len(all) + 1))
			panel.GridPos = &dashboard.GridPos{H: row.Height, W: p.Width, X: x, Y: y}
			if x += p.Width; x > gridWidth {
				return nil, fmt.Errorf("%s: the row is wider than %d", p.Title, gridWidth)
			}
			all = append(all, dashboard.PanelOrRowPanel{Panel: panel})
		}
		y += row.Height
	}
	return all, nil
}

// gridWidth is how many columns Grafana's grid has.
const gridWidth = 24

// variableNames are those that a person can choose in, the data sources among them.
func (b *Board) variableNames() []string {
	names := []string{"clickhouse", "prometheus"}
	for _, v := range b.Variables {
		names = append(names, v.Name)
	}
	return names
}

// dataSource is no picker: most have one of a kind. An address with var-clickhouse or var-prometheus chooses another.
func dataSource(name, label, kind string) dashboard.VariableModel {
	return dashboard.VariableModel{Type: dashboard.VariableTypeDatasource, Name: name, Label: &label,
		Hide:        new(dashboard.VariableHideHideVariable),
		Description: new("The data source of type " + kind), Query: &dashboard.StringOrMap{String: &kind},
		Refresh: new(dashboard.VariableRefreshOnDashboardLoad)}
}

func (v *Variable) build() dashboard.VariableModel {
	m := dashboard.VariableModel{Hide: new(dashboard.VariableHideDontHide), Regex: new(""), Name: v.Name, Label: &v.Label,
		Description: &v.Description,
		Query:       &dashboard.StringOrMap{String: &v.Query}}
	if v.Hidden {
		m.Hide = new(dashboard.VariableHideHideVariable)
	}
	if v.Query == "" {
		m.Type, m.Current = dashboard.VariableTypeTextbox, option("", "")
		return m
	}
	source := books()
	m.Type, m.Datasource, m.Definition = dashboard.VariableTypeQuery, &source, &v.Query
	m.Refresh, m.Sort = new(dashboard.VariableRefreshOnTimeRangeChanged), new(dashboard.VariableSortDisabled)
	m.Multi, m.IncludeAll = &v.Several, &v.Several
	if v.Several {
		m.AllValue, m.Current = new(all), option("All", "$__all")
	}
	return m
}

func option(text, value string) *dashboard.VariableOption {
	return &dashboard.VariableOption{Text: dashboard.StringOrArrayOfString{String: &text},
		Value: dashboard.StringOrArrayOfString{String: &value}}
}
