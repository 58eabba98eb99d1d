package generalledger

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections/report"
)

func batch() *report.Journal {
	line := func(account, name, store, debit, credit string) report.JournalLine {
		return report.JournalLine{Account: account, Name: name, Store: store, Debit: debit, Credit: credit}
	}
	j := &report.Journal{From: "2026-01-01", To: "2026-02-01", PeriodBy: "posting", Every: "month", Detail: "aggregated",
		Entries: []report.JournalEntry{
			{ID: "2026-01-EUR", Date: "2026-01-31", Currency: "EUR", Lines: []report.JournalLine{
				line("1010", "clearing", "s1", "0.00", "9007199254740993.07"),
				line("4100", "returns", "s1", "9007199254740993.07", "0.00")}},
			{ID: "2026-01-USD", Date: "2026-01-31", Currency: "USD", Lines: []report.JournalLine{
				line("1010", "clearing", "=cmd()", "0.00", "13.00"), line("2200", "tax", "=cmd()", "1.00", "0.00"),
				line("4100", "returns", "=cmd()", "12.00", "0.00")}}},
		Memo: []report.JournalEntry{{ID: "2026-01-USD-memo", Date: "2026-01-31", Currency: "USD", Lines: []report.JournalLine{
			line("5220", "truck_roll", "s1", "57.15", "0.00"), line("6910", "absorbed_fleet", "s1", "0.00", "57.15")}}}}
	j.Seal()
	return j
}

// balances sums debits less credits by entry, exactly.
func balances(t *testing.T, rows [][]string, entry, debit, credit int) map[string]*big.Rat {
	t.Helper()
	sums := map[string]*big.Rat{}
	for _, row := range rows {
		if sums[row[entry]] == nil {
			sums[row[entry]] = new(big.Rat)
		}
		for column, sign := range map[int]int64{debit: 1, credit: -1} {
			if row[column] == "" {
				continue
			}
			n, ok := new(big.Rat).SetString(row[column])
			if !ok {
				t.Fatalf("%q is no number", row[column])
			}
			sums[row[entry]].Add(sums[row[entry]], n.Mul(n, big.NewRat(sign, 1)))
		}
	}
	return sums
}

func zero(t *testing.T, sums map[string]*big.Rat, entries int) {
	t.Helper()
	if len(sums) != entries {
		t.Errorf("%d entries, not %d", len(sums), entries)
	}
	for id, sum := range sums {
		if sum.Sign() != 0 {
			t.Errorf("entry %s comes to %s", id, sum.FloatString(4))
		}
	}
}

func written(t *testing.T, j *report.Journal, format string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, j, format); err != nil {
		t.Fatal(err)
	}
	return &b
}

// TestReadBack reads every format back and finds balanced entries, every digit, and no formula.
func TestReadBack(t *testing.T) {
	j := batch()
	rows, err := csv.NewReader(written(t, j, "csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	zero(t, balances(t, rows[1:len(rows)-2], 2, firstAmount, lastAmount), 3)
	if store := rows[3][7]; store != "'=cmd()" {
		t.Errorf("a formula: %q", store)
	}
	if control := rows[len(rows)-2]; control[1] != "control" || control[4] != "EUR" ||
		control[firstAmount] != "9007199254740993.07" {
		t.Errorf("control row %q", control)
	}

	f, err := excelize.OpenReader(written(t, j, "xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sheet, entries := range map[string]int{"journal": 2, "memo (imputed)": 1} {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		zero(t, balances(t, rows[1:], 2, firstAmount, lastAmount), entries)
		for _, row := range rows[1:] {
			if sheet == "journal" && row[4] == "EUR" && row[firstAmount]+row[lastAmount] != "0.009007199254740993.07" &&
				row[firstAmount]+row[lastAmount] != "9007199254740993.070.00" {
				t.Errorf("digits were lost: %q", row)
			}
		}
	}
	for _, cell := range []string{"H4", "H5", "H6"} { // the store =cmd(), as text
		value, err := f.GetCellValue("journal", cell)
		formula, err2 := f.GetCellFormula("journal", cell)
		kind, err3 := f.GetCellType("journal", cell)
		if errors.Join(err, err2, err3) != nil || value != "=cmd()" || formula != "" ||
			kind != excelize.CellTypeSharedString {
			t.Errorf("%s is %q, formula %q, type %v", cell, value, formula, kind)
		}
	}
	if kind, err := f.GetCellType("journal", "I2"); err != nil || kind != excelize.CellTypeUnset &&
		kind != excelize.CellTypeNumber {
		t.Errorf("an amount is a cell of type %v (%v)", kind, err)
	}

}

// TestQuickBooksAndJSON reads the other formats back, and finds the same batch in them.
func TestQuickBooksAndJSON(t *testing.T) {
	j := batch()
	rows, err := csv.NewReader(written(t, j, "quickbooks")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	zero(t, balances(t, rows[1:], 0, 3, 4), 2)
	if rows[1][1] != "01/31/2026" || rows[1][3] != "" || len(rows[1][0]) > 21 {
		t.Errorf("the first line for QuickBooks is %q", rows[1])
	}

	var back report.Journal
	if err := json.Unmarshal(written(t, j, "json").Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Seal(); back.BatchID != j.BatchID {
		t.Errorf("read back, the batch is %s and not %s", back.BatchID, j.BatchID)
	}
	if j.Control.Debit != nil || len(j.Control.Currencies) != 2 {
		t.Errorf("two currencies were summed: %+v", j.Control)
	}
	j.Entries[0].Date = "2026-01-30"
	if j.Seal(); j.BatchID == back.BatchID {
		t.Error("another content has the same batch id")
	}
}

// TestAccounts: unknown and missing accounts are listed, all of them.
func TestAccounts(t *testing.T) {
	codes, err := ReadAccounts(strings.NewReader("1010: 10500 Card clearing\nreturns: 41000\n"))
	if err != nil {
		t.Fatal(err)
	}
	j := batch()
	var unmapped *report.UnmappedAccountsError
	if err := j.MapAccounts(codes); !errors.As(err, &unmapped) || len(unmapped.Accounts) != 1 ||
		unmapped.Accounts[0] != "2200 (tax)" {
		t.Fatalf("%v", err)
	}
	if j.Entries[0].Lines[0].Account != "1010" {
		t.Error("a journal that could not be mapped was changed")
	}
	codes["2200"] = report.Code{Code: "22000"}
	was := j.BatchID
	if err := j.MapAccounts(codes); err != nil {
		t.Fatal(err)
	}
	if l := j.Entries[0].Lines[0]; l.Account != "10500" || l.Name != "Card clearing" || l.Chart != "1010" ||
		j.BatchID == was {
		t.Errorf("mapped to %+v in batch %s", l, j.BatchID)
	}
	_, err = ReadAccounts(strings.NewReader("1010: 1\nclearing: 2\n7777: 3\n4000:\n"))
	for _, want := range []string{"line 2", "line 3", "line 4"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s isn't named: %v", want, err)
		}
	}
}
