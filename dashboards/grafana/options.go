package grafana

import (
	"github.com/grafana/grafana-foundation-sdk/go/barchart"
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
	timeSeries Kind = "timeseries"
	bars       Kind = "barchart"
	table      Kind = "table"
)

// options are those of the panel's kind.
func (p *Panel) options() any {
	switch p.Kind {
	case number:
		o := stat.NewOptions()
		o.GraphMode = common.BigValueGraphModeNone
		o.Orientation = common.VizOrientationAuto
		o.ReduceOptions = common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Fields: new(""), Values: new(false)}
		if p.Unit == "string" {
			o.ReduceOptions.Fields = new("/.*/") // else it shows numbers only
		}
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

func (p *Panel) barOptions() *barchart.Options {
	o := barchart.NewOptions()
	o.BarWidth, o.GroupWidth = 0.9, 0.8
	o.XTickLabelMaxLength = 100 // else the SDK writes 0, and a label longer than 0 is cut
	o.Legend = legend()
	o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderNone}
	if p.Stacked {
		o.Stacking = common.StackingModeNormal
	}
	if p.Horizontal {
		o.Orientation = common.VizOrientationHorizontal
	}
	if p.Category != "" {
		o.XField = &p.Category
	}
	if p.Bare {
		o.ShowValue, o.XTickLabelRotation = common.VisibilityModeNever, -30
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
		if p.Stacked {
			f.DrawStyle, f.FillOpacity = new(common.GraphDrawStyleBars), new(80.0)
			f.Stacking.Mode = new(common.StackingModeNormal)
		}
		return f
	case bars:
		return barchart.FieldConfig{FillOpacity: new(int32(80)), LineWidth: new(int32(0))}
	case table:
		auto := &common.TableAutoCellOptions{Type: common.TableCellDisplayModeAuto}
		return grafanatable.FieldConfig{Align: common.FieldTextAlignmentAuto, Filterable: new(true),
			CellOptions: &common.TableCellOptions{TableAutoCellOptions: auto}}
	}
	return nil
}
