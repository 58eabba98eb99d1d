// Package page is makegood's own page, for people who have no Grafana: the first screen that someone from finance reads
// without being told anything, and under every number what it is made of, down to the journal line.
//
// # From the same reports
//
// The page asks what the API asks (Books) and computes nothing of its own but sums and shares of the exact strings it
// was given. So what it says, the API says, and the CSV and XLSX links beside a table are the API's.
//
// # A table is a chart is a table
//
// Everything is HTML that the server wrote: without scripts the page is complete, as tables. Each chart is drawn from
// the cells of the table under it, by assets/page.js: labels are the cells' texts, numbers (their only floats) give
// the geometry. So a chart can't disagree with its table, and a screen reader reads the table.
//
// # Before its numbers
//
// A browser that opens the first screen waits a third of a second at most (ask.comesBack): where nobody has asked for
// its numbers before, it gets a page without them, whose script asks again and then waits as long as they take.
// Without scripts the browser loads it again. Programs, and that script, are not told to come back: they wait.
//
// # Why ECharts
//
// Charts are drawn by Apache ECharts 6.1.0 (Apache-2.0), its `common` build, 715 KB, 240 KB as sent; it lies in
// assets/ as the npm package brings it, with its LICENSE and NOTICE, and a test holds it to its checksum. It draws
// SVG, which prints sharply and whose colours are CSS variables, so that dark mode and paper are CSS alone. Looked at
// beside it: gonum/plot (drawn on the server, but no dark mode, no links from a bar to its cases, and inline styles
// that a strict policy refuses), go-chart (not kept any more), Chart.js and uPlot (canvas: neither prints nor can be
// read), Vega (larger, and compiles code unless told otherwise).
//
// # What the page lets in
//
// The content security policy allows scripts and styles from this server's own files only, nothing inline, no
// connections and no frames. Everything that came in an event is escaped by html/template. There are no forms but
// GETs: nothing can be changed here.
package page
