package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/makegood/makegood/projections/insight"
)

// Insight is the owner's questions, each declared in projections/insight.
type Insight interface {
	// Ask answers one. Errors: *report.Invalid, *report.SeveralCurrenciesError.
	Ask(context.Context, *insight.Question, insight.Query) (*insight.Answer, error)
}

// peoplePatterns are the routes of the questions about single employees.
func peoplePatterns() []string {
	var all []string
	for _, question := range insight.Questions() {
		if question.People {
			all = append(all, "GET /v1/"+question.Name)
		}
	}
	return all
}

// insightRoutes adds a route for each question.
func insightRoutes(b Books, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	for _, question := range insight.Questions() {
		handle("GET /v1/"+question.Name, func(w http.ResponseWriter, r *http.Request) error {
			return askInsight(w, r, b, question)
		})
	}
}

// askInsight answers a question as JSON, as CSV of its own table or of a part, or as a workbook with a sheet for each.
func askInsight(w http.ResponseWriter, r *http.Request, b Books, question *insight.Question) error {
	values := r.URL.Query()
	known := slices.Concat(insight.Common, []string{"format", "part"})
	q := insight.Query{Currency: values.Get("currency"), Store: values.Get("store"), Of: map[string]string{}}
	for _, p := range question.Params {
		if known = append(known, p.Name); values.Has(p.Name) {
			q.Of[p.Name] = values.Get(p.Name)
		}
	}
	if err := onlyParameters(values, known...); err != nil {
		return err
	}
	format, err := formatOfAnswer(values, r.Header.Get("Accept"), question)
	if err != nil {
		return err
	}
	part := values.Get("part")
	if parts := question.PartNames(); part != "" && !slices.Contains(parts, part) {
		return notOneOf("part", part, parts...)
	}
	if q.From, q.To, err = days(values); err != nil {
		return err
	}
	if q.AsOf, err = asOf(r.Context(), values.Get("as_of"), b); err != nil {
		return err
	}
	if err := question.Validate(&q); err != nil {
		return err
	}
	a, err := b.Ask(r.Context(), question, q)
	if err != nil {
		return err
	}
	return answerInsight(r.Context(), w, question, a, format, part, q.Of["vendor"])
}

// formatOfAnswer is the format that the parameter names. Where it names none, it is PDF if the client accepts that,
// else JSON. Only questions that have a page are answered as HTML or PDF.
func formatOfAnswer(values url.Values, accept string, question *insight.Question) (string, error) {
	format := values.Get("format")
	switch {
	case !question.Page:
		return formatOf(values)
	case format == "" && strings.Contains(accept, pdfType):
		return "pdf", nil
	case format == "html" || format == "pdf":
		return format, nil
	}
	known, err := formatOf(values)
	if err != nil {
		return "", notOneOf("format", format, "json", "csv", "xlsx", "html", "pdf")
	}
	return known, nil
}

func answerInsight(ctx context.Context, w http.ResponseWriter, question *insight.Question, a *insight.Answer, format,
	part, vendor string) error {
	switch format {
	case "html":
		return packetAsHTML(w, a, vendor)
	case "pdf":
		return packetAsPDF(ctx, w, a, vendor)
	case "csv":
		name := fileName(question.Name)
		if part != "" {
			name += "-" + part
		}
		columns, t := question.Table(a, part)
		return insightTable(a, columns, &t).csv(w, name)
	case "xlsx":
		name := fileName(question.Name)
		sheets := []sheet{{name, insightTable(a, question.Columns, &a.Table)}}
		for _, p := range question.Parts {
			of := a.Parts[p.Name]
			sheets = append(sheets, sheet{p.Name, insightTable(a, p.Columns, &of)})
		}
		return workbook(w, name, sheets...)
	default:
		return answer(w, a, nil)
	}
}

// insightTable is a table of the answer as rows of text. Each row ends with the currency, if there is one.
func insightTable(a *insight.Answer, columns []insight.Column, of *insight.Table) *table {
	cells := of.Cells(columns)
	t := &table{rows: cells.Rows}
	for i, heading := range cells.Header {
		t.columns = append(t.columns, column{heading: heading, numeric: cells.Numeric[i]})
	}
	if a.Currency == "" {
		return t
	}
	t.columns = append(t.columns, texts("currency")...)
	for i := range t.rows {
		t.rows[i] = append(t.rows[i], a.Currency)
	}
	return t
}
