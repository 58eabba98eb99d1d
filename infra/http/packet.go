package gateway

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/infra/wire/paper"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

const pdfType = "application/pdf"

//go:embed packet.html
var packetHTML string

var packetPage = template.Must(template.New("packet").Funcs(template.FuncMap{"words": inWords,
	"missing": func(code string) string { return report.Word("missing", code) }}).Parse(packetHTML))

func inWords(code string) string { return strings.ToLower(strings.ReplaceAll(code, "_", " ")) }

// packetAsHTML shows a claim as a page that prints.
func packetAsHTML(w http.ResponseWriter, a *insight.Answer, vendor string) error {
	var page bytes.Buffer
	if err := packetPage.Execute(&page, struct {
		*insight.Answer
		Vendor string
	}{a, vendor}); err != nil {
		return fmt.Errorf("write the claim: %w", err)
	}
	return writePage(w, &page)
}

// mostOnPaper bounds the rows of a claim as PDF, some 500 pages. A CSV has as many as there are.
const mostOnPaper = 5000

// packetAsPDF answers with a claim as a file to send. The same answer gives the same bytes.
func packetAsPDF(ctx context.Context, w http.ResponseWriter, a *insight.Answer, vendor string) error {
	if len(a.Rows) > mostOnPaper {
		return &report.Invalid{Code: report.TooManyRows, Parameter: "format", Value: strconv.Itoa(len(a.Rows)),
			Of: []string{strconv.Itoa(mostOnPaper)}}
	}
	text, err := packetOnPaper(a, vendor).PDF(ctx)
	if err != nil {
		return fmt.Errorf("write the claim: %w", err)
	}
	w.Header().Set("Content-Type", pdfType)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "claim-"+fileName(vendor)+"-"+a.From+
		"-"+a.To+".pdf"))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text) // a reader that went away can't be told
	return nil
}

// packetOnPaper is a table of the costs. What a case was stands in its first row, and what proves it below its last.
func packetOnPaper(a *insight.Answer, vendor string) *paper.Document {
	span := fmt.Sprintf("%s to %s (exclusive), as of %s, in %s", a.From, a.To, a.AsOf.Format("2006-01-02 15:04:05 MST"),
		a.Currency)
	d := &paper.Document{Title: "Claim on " + vendor, Foot: "Claim on " + vendor + ", " + span, Created: a.AsOf,
		Landscape: true, OnePage: true, Blocks: []paper.Block{paper.Text{Text: "Costs from " + span}}}
	t := paper.Table{Header: []string{"Case, order; store", "Goods", "Ordered, promised; delivered, reported (UTC)",
		"Condition", "Cost", "Clause", "Amount", "Share", "Claimed"}, Wide: []float64{4, 3, 5.4, 4, 4, 2, 2.4, 1.4, 2.4},
		Right: []bool{false, false, false, false, false, false, true, true, true}}
	same := func(i, j int) bool {
		return j >= 0 && j < len(a.Rows) && a.Rows[i]["case"] == a.Rows[j]["case"] && a.Rows[i]["order"] == a.Rows[j]["order"]
	}
	for i, row := range a.Rows {
		cells := []string{"", "", "", ""}
		if !same(i, i-1) {
			cells = []string{textOf(row, "case") + ", " + textOf(row, "order") + ";\n" + textOf(row, "store"), goodsOf(row),
				minuteOf(row, "ordered") + ", " + minuteOf(row, "promised") + ";\n" + minuteOf(row, "delivered") + ", " +
					minuteOf(row, "reported"), textOf(row, "condition")}
		}
		cost := append([]string{inWords(textOf(row, "element"))}, listOf(row, "rate")...)
		cells = append(cells, strings.Join(cost, "\n"), textOf(row, "clause"), textOf(row, "amount"), textOf(row, "share"),
			textOf(row, "claimed"))
		note := "Journal lines: " + strings.Join(listOf(row, "lines"), "; ") + "."
		if !same(i, i+1) {
			note += " Evidence of the case: " + strings.Join(listOf(row, "evidence"), "; ") + "."
		}
		t.Rows = append(t.Rows, paper.Row{Cells: cells, Note: note})
	}
	t.Total = []string{"Total, " + a.Currency, "", "", "", "", "", textOf(a.Totals, "amount"), "",
		textOf(a.Totals, "claimed")}
	d.Blocks = append(d.Blocks, t)
	if len(a.Rows) == 0 {
		d.Blocks = append(d.Blocks, paper.Text{Text: "Nothing is to be claimed in this time."})
	}
	for _, m := range a.Missing {
		d.Blocks = append(d.Blocks, paper.Text{Small: true, Text: fmt.Sprintf("Not known, and not in these amounts: %d %s.",
			m.N, report.Word("missing", m.Code))})
	}
	return d
}

// textOf is the text of a column; a dash where it is not known.
func textOf(row insight.Row, name string) string {
	if s, is := row[name].(string); is && s != "" {
		return s
	}
	return "–"
}

// minuteOf is a column that holds a time, to the minute.
func minuteOf(row insight.Row, name string) string {
	text := textOf(row, name)
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC().Format("2006-01-02 15:04")
	}
	return text
}

// listOf is a column that holds a list.
func listOf(row insight.Row, name string) []string {
	all, _ := row[name].([]string)
	return all
}

// goodsOf are the pieces that were reported.
func goodsOf(row insight.Row) string {
	pieces, goods := listOf(row, "quantity"), make([]string, 0)
	for i, sku := range listOf(row, "sku") {
		goods = append(goods, pieces[i]+" × "+sku)
	}
	return strings.Join(goods, "\n")
}
