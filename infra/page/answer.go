package page

import (
	"errors"
	"fmt"
	"html/template"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// mostRows bounds a table of an answer; the spreadsheet has all rows.
const mostRows = 200

// answerBody is one of the owner's questions, or a list of what is behind a row, as tables of which each row opens.
type answerBody struct {
	About, Method string
	Tables        []answerTable
	XLSX          string
}

type answerTable struct {
	Name, CSV string
	Header    []answerHeading
	Rows      [][]answerCell
	Totals    []answerCell
	More      int // rows that aren't shown
}

type answerHeading struct {
	Text, About string
	Numeric     bool
}

type answerCell struct {
	Text    template.HTML
	URL     string
	Numeric bool
}

// ownAnswers are the questions that a reader can choose. Those about single employees are for who may see people, whom
// the page doesn't know.
func ownAnswers() (all []*insight.Question) {
	for _, q := range insight.Questions() {
		if !q.People && !q.Page && !q.IsList() && !q.Lately {
			all = append(all, q)
		}
	}
	return all
}

// errNoAnswer says that there is no such question, or that it isn't for the page.
var errNoAnswer = errors.New("there is no answer of that name")

// answer shows a question's answer.
func (p *Page) answer(r *http.Request, a *ask) (*view, error) {
	q := insight.QuestionOf(strings.TrimSuffix(r.PathValue("question")+"/"+r.PathValue("list"), "/"))
	if q == nil || q.People || q.Page {
		return nil, errNoAnswer
	}
	asked := insight.Query{From: a.query.From, To: a.query.To, Store: a.values.Get("store"), AsOf: a.query.AsOf,
		Of: map[string]string{}}
	if !q.Plain {
		asked.Currency = a.query.Currency
	}
	for _, param := range q.Params {
		if a.values.Has(param.Name) {
			asked.Of[param.Name] = a.values.Get(param.Name)
		}
	}
	got, err := p.books.Ask(r.Context(), q, asked)
	var invalid *report.Invalid
	if errors.As(err, &invalid) {
		return nil, &badQuery{invalid.Error()}
	}
	if err != nil {
		return nil, wrap("the answer", err)
	}
	b := &answerBody{About: q.About, Method: q.Method, XLSX: a.apiOf(q, &asked, "", "xlsx")}
	for _, part := range append([]string{""}, q.PartNames()...) {
		columns, of := q.Table(got, part)
		t, err := a.answerTable(columns, &of)
		if err != nil {
			return nil, wrap("the answer", err)
		}
		t.Name, t.CSV = report.Sentence(part), a.apiOf(q, &asked, part, "csv")
		b.Tables = append(b.Tables, t)
	}
	title := q.Heading
	if q.IsList() {
		title += ": " + report.Sentence(q.Name[strings.LastIndex(q.Name, "/")+1:])
	}
	return &view{template: "answer", Title: title, Ask: a, Trail: a.trail(0), Body: b}, nil
}

// apiOf is the same answer from the API.
func (a *ask) apiOf(q *insight.Question, asked *insight.Query, part, format string) string {
	v := url.Values{"from": {a.From()}, "to": {a.query.To.Format(time.DateOnly)}, "format": {format}}
	for name, value := range map[string]string{"currency": asked.Currency, "store": asked.Store, "as_of": a.asOfAPI,
		"part": part} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, value := range asked.Of {
		v.Set(name, value)
	}
	return "/v1/" + q.Name + "?" + v.Encode()
}

// answerTable is a table for people: the first cell of a row opens it.
func (a *ask) answerTable(columns []insight.Column, of *insight.Table) (t answerTable, err error) {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c insight.Column) bool { return c.Name == "link" })
	columns = slices.DeleteFunc(columns, func(c insight.Column) bool { // a column without any value says nothing
		return len(of.Rows) > 0 && !slices.ContainsFunc(of.Rows, func(row insight.Row) bool {
			return row[c.Name] != nil && row[c.Name] != ""
		})
	})
	for _, c := range columns {
		text := report.Heading(c.Name)
		if (c.Unit == insight.Hours || c.Unit == insight.Days) && !strings.Contains(strings.ToLower(text), c.Unit) {
			text += ", " + c.Unit
		}
		t.Header = append(t.Header, answerHeading{text, c.About, c.Numeric()})
	}
	for i, row := range of.Rows {
		if i == mostRows {
			t.More = len(of.Rows) - mostRows
			break
		}
		cells := make([]answerCell, len(columns))
		for k := range columns {
			if cells[k], err = a.answerCell(&columns[k], row); err != nil {
				return t, err
			}
		}
		if link, is := row["link"].(string); is {
			cells[0].URL = a.pageOf(link)
		}
		if cells[0].Text == "" {
			cells[0].Text = "None named"
		}
		t.Rows = append(t.Rows, cells)
	}
	if len(of.Totals) == 0 {
		return t, nil
	}
	for k := range columns {
		cell := answerCell{Numeric: columns[k].Numeric()}
		if columns[k].Sum {
			if cell, err = a.answerCell(&columns[k], of.Totals); err != nil {
				return t, err
			}
		}
		t.Totals = append(t.Totals, cell)
	}
	if !columns[0].Sum {
		t.Totals[0].Text = "Total"
	}
	return t, nil
}

func (a *ask) answerCell(c *insight.Column, row insight.Row) (cell answerCell, err error) {
	cell.Numeric = c.Numeric()
	text := func(figure string) (template.HTML, error) {
		switch c.Unit {
		case insight.Money:
			m, err := read(figure, a.query.Currency)
			if err != nil {
				return "", err
			}
			return m.Cell(), nil
		case insight.Share:
			share, err := percent(figure)
			return template.HTML(template.HTMLEscapeString(share + thin + "%")), err
		case insight.Price, insight.Ratio: // the spreadsheet has all decimals
			r, is := new(big.Rat).SetString(figure)
			if !is {
				return "", fmt.Errorf("%q is no figure", figure)
			}
			return template.HTML(report.Cents(r)), nil
		}
		return template.HTML(template.HTMLEscapeString(figure)), nil
	}
	e, estimated := row[c.Name].(*estimate.Estimate)
	switch {
	case row[c.Name] == nil:
		return cell, nil
	case !estimated && slices.Contains([]string{insight.Money, insight.Share, insight.Price, insight.Ratio}, c.Unit):
		figure, _ := row[c.Name].(string)
		cell.Text, err = text(figure)
		return cell, err
	case !estimated:
		cell.Text = template.HTML(template.HTMLEscapeString(c.InWords(row)))
		return cell, nil
	case e.Value == nil || e.Low == nil || e.High == nil:
		cell.Text = "can't tell yet"
		return cell, nil
	}
	var parts [3]template.HTML
	for i, figure := range []string{*e.Value, *e.Low, *e.High} {
		if parts[i], err = text(figure); err != nil {
			return cell, err
		}
	}
	cell.Text = parts[0] + ` <span class="sub">` + parts[1] + " to " + parts[2] + "</span>"
	return cell, nil
}

// pageOf is the page of what a link of an answer leads to; the link itself where there is none.
func (a *ask) pageOf(link string) string {
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(u.Path, "/v1/") {
		return link
	}
	v := u.Query()
	if to, err := time.Parse(time.DateOnly, v.Get("to")); err == nil {
		v.Set("through", to.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	for _, name := range []string{"to", "group_by", "format", "part"} {
		v.Del(name)
	}
	name := strings.TrimPrefix(u.Path, "/v1/")
	switch of, id, _ := strings.Cut(name, "/"); {
	case name == "reports/leakage":
		return "/cases?" + v.Encode()
	case of == "cases" && id != "":
		return a.Link("/case", "id", id, "case", id)
	case of == "orders" && id != "":
		return a.Link("/order", "id", id, "order", id)
	}
	if q := insight.QuestionOf(name); q == nil || q.People || q.Page {
		return link
	}
	return "/answers/" + name + "?" + v.Encode()
}

// Answers are the questions with an answer of their own, of what is shown.
func (a *ask) Answers() (all []choice) {
	for _, q := range ownAnswers() {
		all = append(all, choice{Text: q.Heading, URL: a.Link("/answers/" + q.Name)})
	}
	return all
}
