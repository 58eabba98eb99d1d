package grafana

import (
	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	grafanatable "github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// Kind is a panel plugin of Grafana.
type Kind string

// The kinds that the boards use.
const (
	number     Kind = "stat"
	gauges     Kind = "bargauge" // bars with their names and values, of numbers that Prometheus has now
	timeSeries Kind = "timeseries"
	bars       Kind = "barchart"
	table      Kind = "table"
)

// options are those of the panel's kind.
func (p *Panel) options() any {
	switch p.Kind {
	case number:
		return p.numberOptions()
	case gauges:
		o := bargauge.NewOptions()
		o.Orientation, o.DisplayMode = common.VizOrientationHorizontal, common.BarGaugeDisplayModeBasic
		o.NamePlacement, o.ValueMode = common.BarGaugeNamePlacementLeft, common.BarGaugeValueModeText
		o.ReduceOptions = common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Fields: new(""), Values: new(false)}
		return o
	case timeSeries:
		o := timeseries.NewOptions()
		o.Legend = legend()
		o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending}
		return o
	case bars:
		return p.barOptions()
	case table:
		o := grafanatable.NewOptions()
		o.Footer.Reducer = []string{"sum"}
		return o
	}
	return nil
}

func (p *Panel) numberOptions() *stat.Options {
	o := stat.NewOptions()
	o.GraphMode = common.BigValueGraphModeNone
	o.Orientation = common.VizOrientationAuto
	o.WideLayout = false // else a wide screen puts the number beside its name, at a third of the width
	o.ReduceOptions = common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Fields: new(""), Values: new(false)}
	if p.Unit == "string" {
		o.ReduceOptions.Fields = new("/.*/") // else it shows numbers only
	}
	if p.Named {
		// Each row is shown. Grafana calls a number after the text of its row where there is no other number.
		o.ReduceOptions.Values, o.TextMode = new(true), common.BigValueTextModeValueAndName
		o.Text = &common.VizTextDisplayOptions{TitleSize: new(12.0)}
	}
	if p.Size > 0 {
		o.Text = &common.VizTextDisplayOptions{ValueSize: &p.Size}
		o.TextMode, o.JustifyMode, o.ColorMode = common.BigValueTextModeValue, common.BigValueJustifyModeAuto,
			common.BigValueColorModeNone
	}
	return o
}

func (p *Panel) barOptions() *barchart.Options {
	o := barchart.NewOptions()
	o.BarWidth, o.GroupWidth = 0.9, 0.8
	o.XTickLabelMaxLength = 100 // else the SDK writes 0, and a label longer than 0 is cut
	o.Legend = legend()
	o.Legend.ShowLegend = len(p.Columns) > 1
	o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderNone}
	o.ShowValue = common.VisibilityModeNever
	if p.Labelled {
		o.ShowValue = common.VisibilityModeAuto
	}
	if p.Stacked {
		o.Stacking = common.StackingModeNormal
	}
	if p.Horizontal {
		o.Orientation = common.VizOrientationHorizontal
	} else if !p.Slanted {
		o.XTickLabelSpacing = new(int32(100)) // leaves out names that stand closer than that, in pixels
	}
	if p.Category != "" {
		o.XField = &p.Category
	}
	if p.Slanted {
		o.XTickLabelRotation = -30
	}
	return o
}

func legend() common.VizLegendOptions {
	return common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom,
		ShowLegend: true, Calcs: []string{}}
}

// fields are how the fields of the panel's kind are drawn.
func (p *Panel) fields() any {
	switch p.Kind {
	case timeSeries:
		f := timeseries.FieldConfig{DrawStyle: new(common.GraphDrawStyleLine), FillOpacity: new(10.0), LineWidth: new(1.0),
			ShowPoints: new(common.VisibilityModeNever), AxisSoftMin: new(0.0),
			Stacking: &common.StackingConfig{Group: new("A"), Mode: new(common.StackingModeNone)}}
		return f
	case bars:
		return barchart.FieldConfig{FillOpacity: new(int32(80)), LineWidth: new(int32(0))}
	case table:
		auto := &common.TableAutoCellOptions{Type: common.TableCellDisplayModeAuto}
		return grafanatable.FieldConfig{Align: common.FieldTextAlignmentAuto, Filterable: new(false),
			CellOptions: &common.TableCellOptions{TableAutoCellOptions: auto}}
	}
	return nil
}
