package grafana

import (
	"errors"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// pluginVersion is that of grafana-clickhouse-datasource which the queries were written for.
const pluginVersion = "4.20.0"

// clickhouseQuery is a query of the data source grafana-clickhouse-datasource, as its SQL editor keeps it. The SDK has
// no type for it, but takes any type that implements variants.Dataquery.
type clickhouseQuery struct {
	RefID      string               `json:"refId"`
	Datasource common.DataSourceRef `json:"datasource"`
	EditorType string               `json:"editorType"`
	RawSQL     string               `json:"rawSql"`
	QueryType  string               `json:"queryType"`
	// Format is what QueryType says, as the plugin's older versions read it: 0 is a time series, 1 a table.
	Format        int    `json:"format"`
	PluginVersion string `json:"pluginVersion"`
}

var _ variants.Dataquery = clickhouseQuery{}

// ImplementsDataqueryVariant marks it as a query.
func (q clickhouseQuery) ImplementsDataqueryVariant() {}

// DataqueryType is the id of the plugin that answers it.
func (q clickhouseQuery) DataqueryType() string { return clickhouseType }

// Validate says what is missing.
func (q clickhouseQuery) Validate() error {
	if q.RefID == "" || q.RawSQL == "" {
		return errors.New("a query of the books wants a name and SQL")
	}
	return nil
}

// Equals reports whether the other asks the same of the same data source.
func (q clickhouseQuery) Equals(other variants.Dataquery) bool {
	o, ok := other.(clickhouseQuery)
	if !ok || !q.Datasource.Equals(o.Datasource) {
		return false
	}
	o.Datasource = q.Datasource
	return q == o
}

// The data sources are variables of each board, so that it works with whatever they are called.
const (
	prometheusType = "prometheus"
	clickhouseType = "grafana-clickhouse-datasource"
)

func books() common.DataSourceRef {
	return common.DataSourceRef{Type: new(clickhouseType), Uid: new("${clickhouse}")}
}

func operations() common.DataSourceRef {
	return common.DataSourceRef{Type: new(prometheusType), Uid: new("${prometheus}")}
}

// askBooks is a query of the books for a table.
func askBooks(name, sql string) clickhouseQuery {
	return clickhouseQuery{RefID: name, Datasource: books(), EditorType: "sql", RawSQL: sql, QueryType: "table", Format: 1,
		PluginVersion: pluginVersion}
}

// askOperations is a query of Prometheus: over the time in view for a time series, for now for all other kinds.
func askOperations(name string, s Series, kind Kind) prometheus.Dataquery {
	over := kind == timeSeries
	q := prometheus.Dataquery{RefId: &name, Datasource: new(operations()), Expr: s.Query, LegendFormat: &s.Legend,
		EditorMode: new(prometheus.QueryEditorModeCode), Instant: new(!over), Range: &over}
	switch {
	case kind == table:
		q.Format = new(prometheus.PromQueryFormatTable)
	case !over:
		q.Format = new(prometheus.PromQueryFormatTimeSeries)
	}
	return q
}
