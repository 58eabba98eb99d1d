package grafana

import (
	"cmp"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Shows is what a column holds, and so how its values are written.
type Shows int

// What columns hold. A text is shown as it is: under any other unit Grafana writes a text that looks like a number as
// one, so an order's id 1001 became 1,001 and 12.5000 became 12.5. An amount has the currency that is chosen and two
// decimals; an exact one is text that the query wrote, see exactly.
const (
	text   Shows = iota
	amount       // of the chosen currency
	exact        // text: the currency and four decimals
	count
	shareOf // 0 to 1, as per cent
	days
	day    // a date
	moment // to the minute
)

// shown are, by what a column holds, Grafana's unit, the decimals where they are fixed, the width in pixels that its
// values take at most, and whether they stand at the right.
var shown = map[Shows]struct {
	unit     string
	decimals *float64
	width    uint32
	right    bool
}{
	text:    {unit: "string"},
	amount:  {"", digits(2), 140, true},
	exact:   {"string", nil, 165, true},
	count:   {"locale", digits(0), 90, true},
	shareOf: {"percentunit", digits(1), 100, true},
	days:    {"suffix:days", digits(0), 100, true},
	day:     {"time:YYYY-MM-DD", nil, 110, false},
	moment:  {"time:YYYY-MM-DD HH:mm", nil, 145, false},
}

// Column shows one column of what SQL selects.
type Column struct {
	Name  string
	Shows Shows
	// Width in pixels, where it isn't that of what it shows. One text in each table has none and takes what is left.
	Width uint32
	Link  *Link
	// Bar fills the cell by its share of the column's range.
	Bar bool
	// Color is fixed: a hue of Grafana's, or transparent.
	Color string
	// Hidden from legend and tooltip: it only carries the others.
	Hidden bool
	// Line is drawn as an outline, on an axis of its own at the right.
	Line bool
}

// overrides are what Grafana is told of single columns.
func (p *Panel) overrides(on *Board) ([]dashboard.DashboardFieldConfigSourceOverrides, error) {
	overrides := []dashboard.DashboardFieldConfigSourceOverrides{}
	for _, c := range p.Columns {
		properties, err := p.properties(on, &c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		overrides = append(overrides, dashboard.DashboardFieldConfigSourceOverrides{
			Matcher: dashboard.MatcherConfig{Id: "byName", Options: c.Name}, Properties: properties})
	}
	return overrides, nil
}

func (p *Panel) properties(on *Board, c *Column) ([]dashboard.DynamicConfigValue, error) {
	properties := []dashboard.DynamicConfigValue{}
	set := func(id string, value any) {
		properties = append(properties, dashboard.DynamicConfigValue{Id: id, Value: value})
	}
	as := shown[c.Shows]
	if as.unit != "" {
		set("unit", as.unit)
	}
	if as.decimals != nil {
		set("decimals", *as.decimals)
	}
	if p.Kind == table {
		if width := cmp.Or(c.Width, as.width); width > 0 {
			set("custom.width", width)
		}
		if as.right {
			set("custom.align", common.FieldTextAlignmentRight)
		}
	}
	if c.Link != nil {
		some, err := links(on, []Link{*c.Link})
		if err != nil {
			return nil, err
		}
		set("links", some)
	}
	if c.Bar {
		set("custom.cellOptions", common.TableBarGaugeCellOptions{Type: common.TableCellDisplayModeGauge,
			Mode: new(common.BarGaugeDisplayModeBasic), ValueDisplayMode: new(common.BarGaugeValueModeText)})
		set("min", 0)
		set("max", 1)
	}
	if c.Color != "" {
		set("color", dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &c.Color})
	}
	if c.Hidden {
		set("custom.hideFrom", common.HideSeriesConfig{Legend: true, Tooltip: true})
	}
	if c.Line {
		set("custom.axisPlacement", common.AxisPlacementRight)
		set("custom.fillOpacity", 0)
		set("custom.lineWidth", 2)
		set("min", 0)
		set("max", 1)
	}
	return properties, nil
}
