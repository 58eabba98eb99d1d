package main

import (
	"bytes"
	"encoding/csv"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections/report"
)

// sums are exact, by currency.
type sums map[string]*big.Rat

func (all sums) add(t *testing.T, currency, amount string) {
	t.Helper()
	x, ok := new(big.Rat).SetString(amount)
	if !ok {
		t.Fatalf("%q is no amount", amount)
	}
	if all[currency] == nil {
		all[currency] = new(big.Rat)
	}
	all[currency].Add(all[currency], x)
}

func (all sums) text() map[string]string {
	text := map[string]string{}
	for currency, sum := range all {
		text[currency] = sum.FloatString(4)
	}
	return text
}

// sums adds up a column of a table by its column currency. The first row is the header.
func (s *surfaces) sums(table [][]string, column string) map[string]string {
	s.Helper()
	if len(table) == 0 {
		s.Fatal("the table is empty")
	}
	of, in := slices.Index(table[0], report.Heading(column)), slices.Index(table[0], report.Heading("currency"))
	if of < 0 || in < 0 {
		s.Fatalf("the table has no column %s and currency: %q", column, table[0])
	}
	all := sums{}
	for _, row := range table[1:] {
		all.add(s.T, row[in], row[of])
	}
	return all.text()
}

func readCSV(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// readXLSX reads a sheet, the first where it is none.
func readXLSX(t *testing.T, text, sheet string) [][]string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if sheet == "" {
		sheet = book.GetSheetName(0)
	}
	rows, err := book.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
