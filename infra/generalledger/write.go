package generalledger

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections/report"
)

// Formats are those that Write knows.
func Formats() []string { return []string{"json", "csv", "xlsx", "quickbooks"} }

// ContentType and the ending of a file's name of a format.
func ContentType(format string) (contentType, ending string) {
	switch format {
	case "csv", "quickbooks":
		return "text/csv; charset=utf-8; header=present", ".csv"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"
	}
	return "application/json", ".json"
}

// Write writes the batch in a format.
func Write(w io.Writer, j *report.Journal, format string) error {
	var err error
	switch format {
	case "json":
		err = json.NewEncoder(w).Encode(j)
	case "csv":
		err = writeCSV(w, j)
	case "xlsx":
		err = writeXLSX(w, j)
	case "quickbooks":
		err = writeQuickBooks(w, j)
	default:
		return fmt.Errorf("format %q is none of %s", format, strings.Join(Formats(), ", "))
	}
	if err != nil {
		return fmt.Errorf("write the journal as %s: %w", format, err)
	}
	return nil
}

var header = []string{"batch_id", "part", "entry", "date", "currency", "account", "name", "store", "debit", "credit",
	"source", "event_id", "event_type", "order_id", "error_id"}

// firstAmount and lastAmount are the columns that hold numbers.
const firstAmount, lastAmount = 8, 9

func lines(j *report.Journal, part string, entries []report.JournalEntry) [][]string {
	var all [][]string
	for i := range entries {
		e := &entries[i]
		for _, l := range e.Lines {
			all = append(all, []string{j.BatchID, part, e.ID, e.Date, e.Currency, l.Account, l.Name, l.Store, l.Debit, l.Credit,
				e.Source, e.EventID, e.EventType, e.OrderID, e.ErrorID})
		}
	}
	return all
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

// writeCSV writes the entries, then the memo entries. The control totals are in the last rows of each currency, so that
// a file that was cut short is seen to be.
func writeCSV(w io.Writer, j *report.Journal) error {
	out := csv.NewWriter(w)
	rows := append([][]string{header}, lines(j, "journal", j.Entries)...)
	rows = append(rows, lines(j, "memo", j.Memo)...)
	for _, row := range rows[1:] {
		for i := range row {
			if i < firstAmount || i > lastAmount {
				row[i] = harmless(row[i])
			}
		}
	}
	for _, c := range j.Control.Currencies {
		row := make([]string, len(header))
		row[0], row[1], row[2], row[4], row[firstAmount], row[lastAmount] = j.BatchID, "control", fmt.Sprint(
			c.Entries), c.Currency, c.Debit, c.Credit
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

// writeXLSX writes a workbook: the journal, what is for information only, and the control totals. Cells of numbers hold
// the digits as they are; excelize (BSD, the one maintained writer of the format in Go) would take a float otherwise.
func writeXLSX(w io.Writer, j *report.Journal) error {
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetSheetName("Sheet1", "journal"); err != nil {
		return err
	}
	control := [][]string{{"batch_id", j.BatchID}, {"from", j.From}, {"to (exclusive)", j.To}, {"period_by", j.PeriodBy},
		{"detail", j.Detail},
		{"final", fmt.Sprint(j.Final)}, {"entries", fmt.Sprint(j.Control.Entries)}, {"lines", fmt.Sprint(j.Control.Lines)},
		{"unpriced events, not in here", fmt.Sprint(j.Unpriced)}, {"currency", "debit", "credit"}}
	for _, c := range j.Control.Currencies {
		control = append(control, []string{c.Currency, c.Debit, c.Credit})
	}
	for _, sheet := range []struct {
		name        string
		rows        [][]string
		first, last int // columns of numbers
	}{
		{"journal", append([][]string{header}, lines(j, "journal", j.Entries)...), firstAmount, lastAmount},
		{"memo (imputed)", append([][]string{header}, lines(j, "memo", j.Memo)...), firstAmount, lastAmount},
		{"control", control, 1, 2},
	} {
		if sheet.name != "journal" {
			if _, err := f.NewSheet(sheet.name); err != nil {
				return err
			}
		}
		for r, row := range sheet.rows {
			for c, value := range row {
				cell, err := excelize.CoordinatesToCellName(c+1, r+1)
				if err != nil {
					return err
				}
				if c >= sheet.first && c <= sheet.last && isNumber(value) {
					err = f.SetCellDefault(sheet.name, cell, value)
				} else {
					err = f.SetCellStr(sheet.name, cell, value)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return f.Write(w)
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.") == ""
}

// writeQuickBooks writes what QuickBooks Online imports as journal entries: every line with the number and date of its
// entry, the account by the name that it has there, the other side's amount left empty. Dates are month/day/year, which
// is what its import offers first. Numbers of entries have at most 21 characters there.
func writeQuickBooks(w io.Writer, j *report.Journal) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"JournalNo", "JournalDate", "AccountName", "Debits", "Credits", "Description", "Name", "Currency",
		"Location", "Class"}}
	for i := range j.Entries {
		e := &j.Entries[i]
		day, err := time.Parse(time.DateOnly, e.Date)
		if err != nil {
			return err
		}
		number := fmt.Sprintf("%s-%d", j.BatchID[:min(len(j.BatchID), 13)], i+1)
		description := "makegood " + e.ID
		if e.EventID != "" {
			description = fmt.Sprintf("%s %s %s", e.EventType, e.OrderID, e.EventID)
		}
		for _, l := range e.Lines {
			account := l.Name
			if l.Chart == "" {
				account = l.Account + " " + l.Name
			}
			rows = append(rows, []string{number, day.Format("01/02/2006"), harmless(account), side(l.Debit), side(l.Credit),
				harmless(description), "", e.Currency, harmless(l.Store), ""})
		}
	}
	return out.WriteAll(rows)
}

// side leaves the side without an amount empty.
func side(amount string) string {
	if strings.Trim(amount, "0.") == "" {
		return ""
	}
	return amount
}
