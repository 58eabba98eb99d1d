// Package grafana writes makegood's Grafana dashboards as the JSON that Grafana provisions. Each dashboard is a file
// here, made of panels that say what they show; what all have in common (data sources as variables, links that keep
// time and variables, currency as unit, reasons of thresholds in the description, nothing editable in place) is said
// once, in panel.go and board.go. The JSON is checked in, and a test says when it isn't what this package writes:
//
//	go test ./dashboards/grafana -run TestWritten -update
//
// The types are those of github.com/grafana/grafana-foundation-sdk/go (v0.0.22), so the compiler knows what a panel
// of each kind can be told, and the SDK's own Validate looks at each board. It has no type for a query of the
// ClickHouse plugin; clickhouseQuery is ours, for which the SDK has an interface. Its fluent builders are not used:
// each kind of panel has its own of the same forty methods, where here all kinds share one description, Panel.
//
// Nothing of it is in the binary. To write all boards takes less than half a second.
package grafana
