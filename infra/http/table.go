package gateway

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections"
)

// table is a report as rows of text, for spreadsheets. Numbers keep every digit: they never pass through a float.
type table struct {
	header  []string
	numeric []bool // per column
	rows    [][]string
}

func leakageTable(l *projections.Leakage) *table {
	t := &table{header: append(append([]string{}, l.GroupBy...), "gross", "net", "booked", "hidden", "recoveries", "cases", "orders", "currency")}
	for range l.GroupBy {
		t.numeric = append(t.numeric, false)
	}
	t.numeric = append(t.numeric, true, true, true, true, true, true, true, false)
	add := func(key []string, f projections.LeakageFigures) {
		t.rows = append(t.rows, append(key, f.Gross, f.Net, f.Booked, f.Hidden, f.Recoveries,
			strconv.FormatUint(f.Cases, 10), strconv.FormatUint(f.Orders, 10), l.Currency))
	}
	for _, r := range l.Rows {
		var key []string
		for _, k := range l.GroupBy {
			key = append(key, r.Key[k])
		}
		add(key, r.LeakageFigures)
	}
	return t
}

func (t *table) csv(w http.ResponseWriter, name string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".csv"))
	out := csv.NewWriter(w)
	// The status is sent with the first byte; a reader that went away can't be told.
	_ = out.Write(t.header)
	plain := make([]string, len(t.header))
	for _, row := range t.rows {
		for j, value := range row {
			if plain[j] = value; !t.numeric[j] {
				plain[j] = harmless(value)
			}
		}
		_ = out.Write(plain)
	}
	out.Flush()
	return nil
}

// harmless keeps a spreadsheet from running what a till has called something as a formula: an apostrophe in front says that
// it is text. A workbook needs none, since its cells say of what type they are.
func harmless(text string) string {
	if text != "" && strings.IndexByte("=+-@\t\r\n", text[0]) >= 0 {
		return "'" + text
	}
	return text
}

// xlsx writes a workbook of one sheet.
func (t *table) xlsx(w http.ResponseWriter, name string) error {
	f := excelize.NewFile()
	defer f.Close()
	const sheet = "Sheet1"
	if err := t.fill(f, sheet); err != nil {
		return fmt.Errorf("write the workbook: %w", err)
	}
	if err := f.SetSheetName(sheet, name); err != nil {
		return fmt.Errorf("write the workbook: %w", err)
	}
	w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".xlsx"))
	_ = f.Write(w) // as above
	return nil
}

// fill writes the table into a sheet. Cells of numbers hold the digits as they are; excelize (BSD, the one maintained
// writer of the format in Go) would take a float otherwise. Text that is longer than a cell takes (32,767 characters) ends
// with a sign that it goes on.
func (t *table) fill(f *excelize.File, sheet string) error {
	for i, row := range append([][]string{t.header}, t.rows...) {
		for j, value := range row {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return err
			}
			if i > 0 && t.numeric[j] {
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
