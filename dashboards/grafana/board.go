package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Data source variables, so that a dashboard works with whatever the data sources are called.
const (
	prometheusType = "prometheus"
	clickhouseType = "grafana-clickhouse-datasource"
)

// object is a JSON object. Its keys are written in order, so the same board is the same file.
type object = map[string]any

// Board is one dashboard.
type Board struct {
	UID, Title, Description string
	// From is where its time range begins, as Grafana writes it: now-30d, now-1h.
	From string
	// Refresh is how often an open dashboard asks anew; empty: never.
	Refresh   string
	Variables []Variable
	Rows      []Row
}

// Row is panels side by side, under a title where it has one.
type Row struct {
	Title  string
	Height int
	Panels []Panel
}

// Variable is what a person can choose.
type Variable struct {
	Name, Label, Description string
	// Query is SQL whose first column are the choices; empty: a text that a person types.
	Query string
	// Several may be chosen, or all.
	Several bool
}

// allStores and the like: what "All" puts into a query instead of a list of thousands. Quoted, since Grafana doesn't
// quote it.
const all = `'__all'`

// Boards are makegood's dashboards, the first page first.
func Boards() []Board {
	return []Board{quality(), causes(), stores(), promises(), explorer(), pipeline()}
}

// Folder is where they are in Grafana.
const Folder = "makegood"

// JSON is the dashboard as Grafana provisions it.
func (b *Board) JSON() ([]byte, error) {
	variables := []object{
		dataSource("clickhouse", "Books", clickhouseType),
		dataSource("prometheus", "Operations", prometheusType),
	}
	for _, v := range b.Variables {
		variables = append(variables, v.object())
	}
	var panels []object
	id, y := 0, 0
	next := func() int { id++; return id }
	for _, row := range b.Rows {
		if row.Title != "" {
			panels = append(panels, object{"id": next(), "type": "row", "title": row.Title, "collapsed": false, "panels": []object{},
				"gridPos": object{"h": 1, "w": 24, "x": 0, "y": y}})
			y++
		}
		x := 0
		for _, p := range row.Panels {
			o, err := p.object(b)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", b.Title, p.Title, err)
			}
			o["id"] = next()
			o["gridPos"] = object{"h": row.Height, "w": p.Width, "x": x, "y": y}
			if x += p.Width; x > 24 {
				return nil, fmt.Errorf("%s: %s: the row is wider than 24", b.Title, p.Title)
			}
			panels = append(panels, o)
		}
		y += row.Height
	}
	board := object{
		"uid": b.UID, "title": b.Title, "description": b.Description, "tags": []string{"makegood"},
		"editable": false, "graphTooltip": 1, "schemaVersion": 39, "timezone": "utc", "weekStart": "", "refresh": b.Refresh,
		"time": object{"from": b.From, "to": "now"}, "timepicker": object{}, "fiscalYearStartMonth": 0, "liveNow": false,
		"templating": object{"list": variables}, "annotations": object{"list": []object{}},
		"links": []object{{"title": "makegood", "type": "dashboards", "tags": []string{"makegood"}, "asDropdown": true, "keepTime": true, "includeVars": true,
			"targetBlank": false, "icon": "external link", "tooltip": "The other dashboards, with the same time and choices", "url": ""}},
		"panels": panels,
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(board); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Title, err)
	}
	return out.Bytes(), nil
}

// variableNames are those that a person can choose in, the data sources among them.
func (b *Board) variableNames() []string {
	names := []string{"clickhouse", "prometheus"}
	for _, v := range b.Variables {
		names = append(names, v.Name)
	}
	return names
}

func dataSource(name, label, kind string) object {
	return object{"name": name, "label": label, "type": "datasource", "query": kind, "hide": 0, "includeAll": false, "multi": false, "refresh": 1,
		"regex": "", "options": []object{}, "current": object{}, "skipUrlSync": false, "description": "The data source of type " + kind}
}

func (v *Variable) object() object {
	if v.Query == "" {
		return object{"name": v.Name, "label": v.Label, "description": v.Description, "type": "textbox", "query": "", "hide": 0, "options": []object{},
			"current": object{"text": "", "value": ""}, "skipUrlSync": false}
	}
	o := object{"name": v.Name, "label": v.Label, "description": v.Description, "type": "query", "hide": 0, "regex": "", "options": []object{},
		"datasource": object{"type": clickhouseType, "uid": "${clickhouse}"}, "query": v.Query, "definition": v.Query,
		"refresh": 2, "sort": 0, "includeAll": v.Several, "multi": v.Several, "skipUrlSync": false, "current": object{}}
	if v.Several {
		o["allValue"], o["current"] = all, object{"text": "All", "value": "$__all"}
	}
	return o
}
