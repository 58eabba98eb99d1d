package page

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/makegood/makegood/projections/report"
)

// mostCases bounds a list; what isn't in it is summed under it, and the spreadsheet has all of them.
const mostCases = 200

// caseKeys are what a list of cases shows of each.
var caseKeys = []string{"case", "order", "store", "kind", "root_cause"}

type caseRow struct {
	Case, Order, Store, Kind, Cause string
	CaseURL, OrderURL               string
	F                               *figures
}

type casesBody struct {
	Rows      []caseRow
	Total     *figures
	Rest      *figures // of those that aren't shown
	CSV, XLSX string
}

// cases lists the cases behind a number.
func (p *Page) cases(r *http.Request, a *ask) (*view, error) {
	q := a.query
	q.GroupBy, q.Largest = caseKeys, mostCases
	answer, err := p.books.Leakage(r.Context(), q)
	if err != nil {
		return nil, wrap("the cases", err)
	}
	list := strings.Join(caseKeys, ",")
	b := &casesBody{CSV: a.API(list, "csv"), XLSX: a.API(list, "xlsx")}
	if b.Total, err = figuresOf(answer.Totals, a.query.Currency); err != nil {
		return nil, err
	}
	rest := b.Total
	for _, row := range answer.Rows {
		f, err := figuresOf(row.LeakageFigures, a.query.Currency)
		if err != nil {
			return nil, err
		}
		id, order := row.Key["case"], row.Key["order"]
		c := caseRow{Case: id, Order: order, Store: row.Key["store"], Kind: report.Word("kind", row.Key["kind"]),
			Cause: report.Word("root_cause", row.Key["root_cause"]), F: f}
		if id != "" {
			c.CaseURL = a.Link("/case", "id", id, "case", id, "order", order)
		}
		if order != "" {
			c.OrderURL = a.Link("/order", "id", order, "case", id, "order", order)
		}
		b.Rows = append(b.Rows, c)
		rest = rest.minus(f)
	}
	slices.SortStableFunc(b.Rows, func(x, y caseRow) int { return y.F.Net.units.Cmp(&x.F.Net.units) })
	if len(answer.Rows) == mostCases {
		b.Rest = rest
	}
	title := "Cases"
	if len(a.query.Only) > 0 {
		var words []string
		for _, f := range a.Filters() {
			words = append(words, f.Text)
		}
		title += ": " + strings.Join(words, ", ")
	}
	return &view{template: "cases", Title: title, Ask: a, Trail: a.trail(0), Body: b}, nil
}

// trail is the way back; depth is how many levels under the list of cases the page is.
func (a *ask) trail(depth int) []crumb {
	bare := *a
	bare.query.Only = nil
	crumbs := []crumb{{"Overview", bare.Link("/")}}
	if depth > 0 {
		list := *a
		list.query.Only = maps.Clone(a.query.Only)
		delete(list.query.Only, "case")
		delete(list.query.Only, "order")
		crumbs = append(crumbs, crumb{"Cases", list.Link("/cases")})
	}
	return crumbs
}
