package tills

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"

	"github.com/cockroachdb/apd/v3"
	"github.com/xuri/excelize/v2"
)

// A spreadsheet is a zip, whose parts may be a thousand times larger than it.
const (
	maxUnzipped = 128 << 20 // bytes of all parts together
	maxParts    = 2000
)

// xlsx reads a sheet as csv reads a table. Cells are what the file has: a number by its digits, to the 15 that a
// spreadsheet counts with; a date as the number that it is, which excel_time reads.
func (r *reading) xlsx(body []byte) (read *document, err error) {
	// The library has failed on spreadsheets that were made to break it. One of them must not end the process.
	defer func() {
		if wrong := recover(); wrong != nil {
			read, err = nil, &failure{code: CodeBadBody, reason: fmt.Sprintf("it is no readable spreadsheet: %v", wrong)}
		}
	}()
	if err := unzips(body); err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(body), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped, // nothing goes to temporary files
	})
	if err != nil {
		return nil, &failure{code: CodeBadBody, reason: "it is no spreadsheet: " + err.Error()}
	}
	defer f.Close()
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil && *props.Date1904 {
		return nil, &failure{code: CodeBadBody, reason: "the spreadsheet counts its days from 1904",
			hint: "save it with the usual dates"}
	}
	sheet, err := r.sheetOf(f)
	if err != nil {
		return nil, err
	}
	lines, err := f.Rows(sheet)
	if err != nil {
		return nil, &failure{code: CodeBadBody, reason: "the sheet can't be read: " + err.Error()}
	}
	defer lines.Close()
	rows, cells := r.rows(), 0
	rows.sheet = true
	for line := 1; lines.Next(); line++ {
		row, err := lines.Columns()
		if err != nil {
			return nil, &failure{code: CodeBadBody, reason: fmt.Sprintf("row %d can't be read: %v", line, err)}
		}
		if cells += objectValues + len(row); cells > maxValues {
			return nil, tooManyValues()
		}
		for i := range row {
			row[i] = fifteenDigits(row[i])
		}
		if err := rows.add(row, line); err != nil {
			return nil, err
		}
	}
	if err := lines.Error(); err != nil {
		return nil, &failure{code: CodeBadBody, reason: "the sheet can't be read: " + err.Error()}
	}
	return rows.done()
}

// unzips looks at how large the parts say they are. archive/zip ends a part that is larger than it said.
func unzips(body []byte) error {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return &failure{code: CodeBadBody, reason: "it is no spreadsheet: " + err.Error()}
	}
	var size uint64
	for i, part := range z.File {
		if size += part.UncompressedSize64; part.UncompressedSize64 > maxUnzipped || size > maxUnzipped || i >= maxParts {
			return &failure{code: CodeTooMuch, reason: fmt.Sprintf("the spreadsheet unpacks to more than %d MiB, or %d parts",
				maxUnzipped>>20, maxParts)}
		}
	}
	return nil
}

func (r *reading) sheetOf(f *excelize.File) (string, error) {
	sheets := f.GetSheetList()
	switch {
	case len(sheets) == 0:
		return "", &failure{code: CodeBadBody, reason: "the spreadsheet has no sheet"}
	case r.Sheet == "":
		return sheets[0], nil
	}
	for _, s := range sheets {
		if strings.EqualFold(s, r.Sheet) {
			return s, nil
		}
	}
	return "", &failure{code: CodeBadBody, reason: fmt.Sprintf("the spreadsheet has no sheet %s", show(r.Sheet)),
		hint: "it has " + strings.Join(sheets, ", ")}
}

// fifteenDigits is a number as a spreadsheet shows it. 19.99 that was computed there may stand in the file as
// 19.989999999999998: a spreadsheet counts with 15 digits (ECMA-376 keeps the 17 of a binary number).
func fifteenDigits(cell string) string {
	if plainNumber(cell) != nil || len(cell) < 16 && !strings.ContainsAny(cell, "eE") {
		return cell
	}
	d, _, err := apd.NewFromString(cell)
	if err != nil || scale(d) == 0 && !strings.ContainsAny(cell, "eE") {
		return cell // a long whole number is an id that was written as a text
	}
	if d.NumDigits()+int64(d.Exponent) > 15 {
		return cell // no amount has so many digits, and an id has lost some: see floats
	}
	to := new(apd.Decimal)
	c := apd.Context{Precision: 15, MaxExponent: 400, MinExponent: -400, Rounding: apd.RoundHalfUp}
	if _, err := c.Round(to, d); err != nil {
		return cell
	}
	to.Reduce(to)
	return to.Text('f')
}
