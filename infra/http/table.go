package gateway

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections/report"
)

// table is a report as rows of text, for spreadsheets. Numbers keep every digit: they never pass through a float.
type table struct {
	columns []column
	rows    [][]string
	sums    int // how many of the last rows are sums: they have no codes, and so no words for them
}

// column is one of a table. Where its values are codes, a file has another column after it, with their words.
type column struct {
	heading string
	numeric bool
	key     string // of report.Word: the values are codes; empty: they aren't
}

// texts are columns of text.
func texts(names ...string) []column {
	all := make([]column, 0, len(names))
	for _, name := range names {
		c := column{heading: report.Heading(name)}
		if report.Coded(name) {
			c.key = name
		}
		all = append(all, c)
	}
	return all
}

// numbers are columns of numbers.
func numbers(names ...string) []column {
	all := make([]column, 0, len(names))
	for _, name := range names {
		all = append(all, column{heading: report.Heading(name), numeric: true})
	}
	return all
}

// inFile is the table as files have it: its headings, which of them are of numbers, and its rows.
func (t *table) inFile() (header []string, numeric []bool, rows [][]string) {
	for _, c := range t.columns {
		header, numeric = append(header, c.heading), append(numeric, c.numeric)
		if c.key != "" {
			header, numeric = append(header, report.InWords(c.heading)), append(numeric, false)
		}
	}
	for n, row := range t.rows {
		cells := make([]string, 0, len(header))
		for i, value := range row {
			cells = append(cells, value)
			switch key := t.columns[i].key; {
			case key == "":
			case n >= len(t.rows)-t.sums:
				cells = append(cells, "")
			default:
				cells = append(cells, report.Word(key, value))
			}
		}
		rows = append(rows, cells)
	}
	return header, numeric, rows
}

// leakageTable is the report by row. Where it is translated, currency is that of the amounts, and a last column has the
// rates that the row was translated at: one table still, of which every row says what it is made of.
func leakageTable(l *report.Leakage) *table {
	t := &table{columns: slices.Concat(texts(l.GroupBy...), numbers("gross", "net", "booked", "hidden", "recoveries",
		"cases", "orders"), texts("currency"))}
	add := func(key []string, f report.LeakageFigures) {
		t.rows = append(t.rows, append(key, f.Gross, f.Net, f.Booked, f.Hidden, f.Recoveries,
			strconv.FormatUint(f.Cases, 10), strconv.FormatUint(f.Orders, 10), l.Currency))
	}
	if l.Translation != nil {
		t.columns = append(t.columns, texts("rates")...)
	}
	for i := range l.Rows {
		r := &l.Rows[i]
		var key []string
		for _, k := range l.GroupBy {
			key = append(key, r.Key[k])
		}
		add(key, r.LeakageFigures)
		if l.Translation != nil {
			var at []string
			for _, rate := range l.Translation.Of(r) {
				at = append(at, fmt.Sprintf("%s %s from %s", rate.From, rate.Rate, rate.EffectiveFrom.Format(time.DateOnly)))
			}
			t.rows[i] = append(t.rows[i], strings.Join(at, "; "))
		}
	}
	return t
}

// ratesSheet has the rates that a report was translated at; there is none where it was not.
func ratesSheet(l *report.Leakage) []sheet {
	if l.Translation == nil {
		return nil
	}
	t := &table{columns: slices.Concat(texts("from", "to"), numbers("rate"), texts("effective_from", "source", "id"))}
	for _, r := range l.Translation.Rates {
		t.rows = append(t.rows, []string{r.From, l.Translation.Currency, r.Rate, r.EffectiveFrom.Format(time.DateOnly),
			r.Source, r.ID})
	}
	return []sheet{{"rates", t}}
}

func (t *table) csv(w http.ResponseWriter, name string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".csv"))
	out := csv.NewWriter(w)
	// The status is sent with the first byte; a reader that went away can't be told.
	header, numeric, rows := t.inFile()
	_ = out.Write(header)
	plain := make([]string, len(header))
	for _, row := range rows {
		for j, value := range row {
			if plain[j] = value; !numeric[j] {
				plain[j] = harmless(value)
			}
		}
		_ = out.Write(plain)
	}
	out.Flush()
	return nil
}

// harmless keeps a spreadsheet from running what a till has called something as a formula: an apostrophe in front says
// that it is text. A workbook needs none, since its cells say of what type they are.
func harmless(text string) string {
	if beginsFormula(text) {
		return "'" + text
	}
	return text
}

// beginsFormula sees the signs behind spaces, which a spreadsheet may strip, and the wide ones, which some read alike.
func beginsFormula(text string) bool {
	if strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "\r") || strings.HasPrefix(text, "\n") {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}))
	return strings.ContainsRune("=+-@＝＋－＠−﹢﹣﹦", first)
}

// sheet is a table of a workbook.
type sheet struct {
	name string
	*table
}

// workbook writes sheets, in order, into a file of that name.
func workbook(w http.ResponseWriter, name string, sheets ...sheet) error {
	f := excelize.NewFile()
	defer f.Close()
	for i, s := range sheets {
		var err error
		if i == 0 {
			err = f.SetSheetName("Sheet1", s.name)
		} else {
			_, err = f.NewSheet(s.name)
		}
		if err == nil {
			err = s.fill(f, s.name)
		}
		if err != nil {
			return fmt.Errorf("write the workbook: %w", err)
		}
	}
	w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".xlsx"))
	_ = f.Write(w) // the status is sent; a reader that went away can't be told
	return nil
}

// fill writes the table into a sheet. Cells of numbers hold the digits as they are; excelize (BSD, the one maintained
// writer of the format in Go) would take a float otherwise. Text that is longer than a cell takes (32,767 characters)
// ends with a sign that it goes on.
func (t *table) fill(f *excelize.File, sheet string) error {
	header, numeric, rows := t.inFile()
	for i, row := range append([][]string{header}, rows...) {
		for j, value := range row {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return err
			}
			if i > 0 && numeric[j] && value == "" {
				continue // no number
			}
			if i > 0 && numeric[j] {
				err = f.SetCellDefault(sheet, cell, value)
			} else {
				if text := []rune(value); len(text) > excelize.TotalCellChars {
					value = string(text[:excelize.TotalCellChars-1]) + "…"
				}
				err = f.SetCellStr(sheet, cell, value)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
