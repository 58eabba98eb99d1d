package grafana

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Panel shows one question's answer.
type Panel struct {
	Kind               string // stat, timeseries, barchart, table, bargauge
	Title, Description string
	Width              int // of 24

	SQL    string   // asks the books; what is shown is what it selects, in its order
	PromQL []Series // asks Prometheus, where SQL is empty
	// Series says that SQL's answer is a series over time: its first column is the time.
	Series bool

	// Unit is Grafana's, or money: then columns are in the currency that is chosen, all of them or those of Money.
	Unit     string
	Money    []string
	Decimals *int

	// Steps are thresholds, each with its reason, which the description repeats.
	Steps []Step
	Links []Link
	// Columns says how single columns are shown.
	Columns []Column
	// Options are those of the kind, over the usual ones.
	Options object
	Stacked bool
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

const unitSQL = `SELECT concat('currency:financial:', ${currency:singlequote}, ' ') AS unit`

// object is the panel as Grafana wants it, on a board.
func (p *Panel) object(on *Board) (object, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	source := object{"type": clickhouseType, "uid": "${clickhouse}"}
	if p.SQL == "" {
		source = object{"type": prometheusType, "uid": "${prometheus}"}
	}
	defaults := object{"mappings": []object{}, "color": object{"mode": p.colorMode()}, "thresholds": object{"mode": "absolute", "steps": p.steps()}, "custom": p.custom()}
	if p.Unit == money {
		defaults["unit"] = "locale"
		if p.Decimals == nil {
			defaults["decimals"] = 2
		}
	} else {
		defaults["unit"] = p.Unit
	}
	if p.Decimals != nil {
		defaults["decimals"] = *p.Decimals
	}
	if len(p.Links) > 0 {
		some, err := links(on, p.Links)
		if err != nil {
			return nil, err
		}
		defaults["links"] = some
	}
	overrides, err := p.overrides(on)
	if err != nil {
		return nil, err
	}
	o := object{"type": p.Kind, "title": p.Title, "description": p.description(), "datasource": source, "targets": p.targets(source),
		"fieldConfig": object{"defaults": defaults, "overrides": overrides}, "options": p.options(), "transparent": false}
	if p.Unit == money || len(p.Money) > 0 {
		applyTo := object{"id": "byType", "options": "number"}
		if len(p.Money) > 0 {
			applyTo = object{"id": "byRegexp", "options": "/^(" + strings.Join(p.Money, "|") + ")$/"}
		}
		o["transformations"] = []object{{"id": "configFromData", "options": object{"configRefId": "unit", "applyTo": applyTo,
			"mappings": []object{{"fieldName": "unit", "handlerKey": "unit"}}}}}
	}
	return o, nil
}

func (p *Panel) check() error {
	switch {
	case p.Title == "" || p.Description == "":
		return errors.New("a title and a description are wanted")
	case (p.SQL == "") == (len(p.PromQL) == 0):
		return errors.New("either SQL or PromQL is wanted")
	case p.Unit == "":
		return errors.New("a unit is wanted")
	case p.Unit == money && p.SQL == "":
		return errors.New("money is asked of the books")
	case !slices.Contains([]string{"stat", "timeseries", "barchart", "table", "bargauge"}, p.Kind):
		return fmt.Errorf("%q is no kind of panel", p.Kind)
	}
	for _, s := range p.Steps {
		if s.Reason == "" {
			return fmt.Errorf("the threshold at %g has no reason", s.Above)
		}
	}
	return nil
}

func (p *Panel) description() string {
	text := p.Description
	for _, s := range p.Steps {
		text += fmt.Sprintf("\n\nFrom %g on it is %s: %s.", s.Above, s.Color, s.Reason)
	}
	return text
}

func (p *Panel) steps() []object {
	base := "text"
	if len(p.Steps) > 0 {
		base = "green"
	}
	steps := []object{{"color": base, "value": nil}}
	for _, s := range p.Steps {
		steps = append(steps, object{"color": s.Color, "value": s.Above})
	}
	return steps
}

func (p *Panel) colorMode() string {
	if len(p.Steps) > 0 || p.Kind == "stat" || p.Kind == "table" {
		return "thresholds"
	}
	return "palette-classic"
}

func (p *Panel) targets(source object) []object {
	if p.SQL == "" {
		var all []object
		for i, s := range p.PromQL {
			instant := p.Kind != "timeseries"
			o := object{"refId": string(rune('A' + i)), "datasource": source, "expr": s.Query, "legendFormat": s.Legend, "editorMode": "code",
				"instant": instant, "range": !instant}
			if instant {
				o["format"] = map[bool]string{true: "table", false: "time_series"}[p.Kind == "table"]
			}
			all = append(all, o)
		}
		return all
	}
	ask := func(ref, sql string, series bool) object {
		o := object{"refId": ref, "datasource": source, "editorType": "sql", "rawSql": sql, "queryType": "table", "format": 1, "pluginVersion": pluginVersion}
		if series {
			o["queryType"], o["format"] = "timeseries", 0
		}
		return o
	}
	all := []object{ask("A", p.SQL, p.Series)}
	if p.Unit == money || len(p.Money) > 0 {
		all = append(all, ask("unit", unitSQL, false))
	}
	return all
}

// pluginVersion is that of grafana-clickhouse-datasource which the queries were written for.
const pluginVersion = "4.20.0"

func (p *Panel) custom() object {
	stacking := object{"group": "A", "mode": "none"}
	if p.Stacked {
		stacking["mode"] = "normal"
	}
	switch p.Kind {
	case "timeseries":
		fill := 10
		style := "line"
		if p.Stacked {
			fill, style = 80, "bars"
		}
		return object{"drawStyle": style, "fillOpacity": fill, "lineWidth": 1, "showPoints": "never", "stacking": stacking, "axisSoftMin": 0}
	case "barchart":
		return object{"fillOpacity": 80, "lineWidth": 0, "stacking": stacking}
	case "table":
		return object{"align": "auto", "cellOptions": object{"type": "auto"}, "filterable": true}
	}
	return object{}
}

func (p *Panel) options() object {
	reduce := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	legend := object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}}
	var o object
	switch p.Kind {
	case "stat":
		o = object{"reduceOptions": reduce, "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto", "wideLayout": true}
	case "timeseries":
		o = object{"legend": legend, "tooltip": object{"mode": "multi", "sort": "desc"}}
	case "barchart":
		stacking := "none"
		if p.Stacked {
			stacking = "normal"
		}
		o = object{"legend": legend, "tooltip": object{"mode": "multi", "sort": "none"}, "orientation": "auto", "showValue": "auto", "stacking": stacking,
			"barWidth": 0.9, "groupWidth": 0.8, "xTickLabelRotation": 0, "xTickLabelSpacing": 0, "fullHighlight": false}
	case "bargauge":
		o = object{"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": true}, "orientation": "horizontal", "displayMode": "basic", "valueMode": "color",
			"namePlacement": "auto", "showUnfilled": true, "sizing": "auto"}
	case "table":
		o = object{"showHeader": true, "cellHeight": "sm", "footer": object{"show": false, "reducer": []string{"sum"}, "fields": ""}}
	}
	for k, v := range p.Options {
		o[k] = v
	}
	return o
}

func (p *Panel) overrides(on *Board) ([]object, error) {
	overrides := []object{}
	for _, c := range p.Columns {
		var properties []object
		set := func(id string, value any) { properties = append(properties, object{"id": id, "value": value}) }
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
			set("custom.cellOptions", object{"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
		}
		if c.Color != "" {
			set("color", object{"mode": "fixed", "fixedColor": c.Color})
		}
		if c.Hidden {
			set("custom.hideFrom", object{"legend": true, "tooltip": true, "viz": false})
		}
		overrides = append(overrides, object{"matcher": object{"id": "byName", "options": c.Name}, "properties": properties})
	}
	return overrides, nil
}

// links keep the time range and what is chosen in every variable that both boards have; To adds what was clicked. What it
// sets isn't kept as well: said twice, Grafana would choose both.
func links(on *Board, all []Link) ([]object, error) {
	var out []object
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
		out = append(out, object{"title": l.Title, "targetBlank": false, "url": url})
	}
	return out, nil
}

func digits(n int) *int { return &n }
