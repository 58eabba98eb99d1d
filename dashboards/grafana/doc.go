// Package grafana writes makegood's Grafana dashboards as the JSON that Grafana provisions. Each dashboard is a file here,
// made of panels that say what they show; what all have in common (data sources as variables, links that keep time and
// variables, currency as unit, reasons of thresholds in the description, nothing editable in place) is said once, in
// panel.go and board.go. The JSON is checked in, and a test says when it isn't what this package writes:
//
//	go test ./dashboards/grafana -run TestWritten -update
//
// Why not Grafana's own builders: their Go module can't be had from the module proxy that builds here use.
package grafana
