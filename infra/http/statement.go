package gateway

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

//go:embed statement.html
var statementHTML string

var statementPage = template.Must(template.New("statement").Funcs(template.FuncMap{
	"words":                func(code string) string { return strings.ReplaceAll(code, "_", " ") },
	"firstOfProfitAndLoss": func() domain.Account { return domain.FirstProfitAndLoss },
}).Parse(statementHTML))

// statement answers as JSON, as a page that prints, as CSV of one part, or as a workbook of both.
func statement(w http.ResponseWriter, r *http.Request, b Books) error {
	values := r.URL.Query()
	if err := onlyParameters(values, "store", "vendor", "period", "period_by", "as_of", "format", "part"); err != nil {
		return err
	}
	q := report.StatementQuery{Store: values.Get("store"), Vendor: values.Get("vendor"), PeriodBy: values.Get("period_by")}
	var err error
	if q.Period, err = domain.ParsePeriod(values.Get("period")); err != nil {
		return &badQuery{err.Error()}
	}
	if err := q.Validate(); err != nil {
		return err
	}
	if q.AsOf, err = asOf(r.Context(), values.Get("as_of"), b); err != nil {
		return err
	}
	format, part := values.Get("format"), values.Get("part")
	if part != "" && part != "accounts" && part != "cases" {
		return notOneOf("part", part, "accounts", "cases")
	}
	s, err := b.Statement(r.Context(), q)
	var unknown *report.UnknownNameError
	if errors.As(err, &unknown) {
		writeProblem(w, r, http.StatusNotFound, ProblemNotFound, unknown.Error(), nil)
		return nil
	}
	if err != nil {
		return err
	}
	name := "statement-" + fileName(q.Store+q.Vendor) + "-" + s.Period
	if s.PeriodBy != "" {
		name += "-" + s.PeriodBy
	}
	switch format {
	case "", "json":
		return answer(w, s, nil)
	case "html":
		return statementAsHTML(w, s)
	case "csv":
		if part == "cases" {
			return statementCases(s).csv(w, name+"-cases")
		}
		return statementAccounts(s).csv(w, name+"-accounts")
	case "xlsx":
		return workbook(w, name, sheet{"accounts", statementAccounts(s).withTotals(s, accountTotals)},
			sheet{"cases", statementCases(s).withTotals(s, caseTotals)})
	default:
		return notOneOf("format", format, "json", "html", "csv", "xlsx")
	}
}

// fileName keeps of an id what every file system takes.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, id)
}

// statementOf is whose statement it is.
func statementOf(s *report.Statement) string {
	if s.Vendor != "" {
		return "vendor " + s.Vendor
	}
	return "store " + s.Store
}

func statementAsHTML(w http.ResponseWriter, s *report.Statement) error {
	var page bytes.Buffer
	if err := statementPage.Execute(&page, struct {
		*report.Statement
		Of string
	}{s, statementOf(s)}); err != nil {
		return fmt.Errorf("write the statement: %w", err)
	}
	return writePage(w, &page)
}

// writePage answers with a page that prints.
func writePage(w http.ResponseWriter, page *bytes.Buffer) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// It runs nothing and fetches nothing, whatever a till has called its orders.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, _ = w.Write(page.Bytes()) // a reader that went away can't be told
	return nil
}

func statementAccounts(s *report.Statement) *table {
	t := &table{columns: slices.Concat(texts("currency", "account", "name"), numbers("opening", "debit", "credit",
		"closing"))}
	for _, c := range s.Currencies {
		for _, a := range c.Accounts {
			t.rows = append(t.rows, []string{c.Currency, a.Account, a.Name, a.Opening, a.Debit, a.Credit, a.Closing})
		}
	}
	return t.of(s)
}

func statementCases(s *report.Statement) *table {
	t := &table{columns: slices.Concat(texts("currency", "case", "order", "kind", "root_cause", "party_at_fault", "vendor",
		"founded"), numbers("gross", "recoveries", "net"), texts("evidence"))}
	for _, c := range s.Currencies {
		for i := range c.Cases {
			k := &c.Cases[i]
			t.rows = append(t.rows, []string{c.Currency, k.ErrorID, k.OrderID, k.Kind, k.RootCause, k.PartyAtFault, k.VendorID,
				strconv.FormatBool(k.Founded),
				k.Gross, k.Recoveries, k.Net, strings.Join(k.Evidence, "; ")})
		}
	}
	return t.of(s)
}

// of says in the last columns what the statement is of: a row that is cut out of it, or put beside those of others,
// still tells.
func (t *table) of(s *report.Statement) *table {
	t.columns = append(t.columns, texts("statement_of", "period", "period_by", "as_of")...)
	for i := range t.rows {
		t.rows[i] = append(t.rows[i], statementNames(s)...)
	}
	return t
}

func statementNames(s *report.Statement) []string {
	by := s.PeriodBy
	if by == "" {
		by = "posting"
	}
	return []string{statementOf(s), s.Period, by, s.AsOf.Format(time.RFC3339Nano)}
}

// withTotals adds a row for each currency below: for people, who read workbooks. Programs read the others, and would
// add it up with the rest.
func (t *table) withTotals(s *report.Statement, total func(*report.StatementCurrency) []string) *table {
	for i := range s.Currencies {
		if row := total(&s.Currencies[i]); row != nil {
			t.rows, t.sums = append(t.rows, append(row, statementNames(s)...)), t.sums+1
		}
	}
	return t
}

func accountTotals(c *report.StatementCurrency) []string {
	return []string{c.Currency, "total", "", "", c.Debit, c.Credit, ""}
}

// caseTotals are without what stands apart, which the label tells.
func caseTotals(c *report.StatementCurrency) []string {
	if len(c.Cases) == 0 {
		return nil
	}
	label := fmt.Sprintf("total; apart: changed minds %s, unfounded cases %s, customers' changes %s", c.ChangedMind,
		c.Unfounded, c.CustomerChanges)
	return []string{c.Currency, label, "", "", "", "", "", "", c.Gross, c.Recoveries, c.Net, ""}
}
