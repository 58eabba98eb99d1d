package tills

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

const maxColumns = 1000

// rowWeight is what a row takes, and as much for each column, in bytes: see shallow.
const rowWeight = 48

// csv reads a table: an array of objects, a member per column, all texts. An empty cell is null, so that nothing takes
// it for a number. The delimiter is looked for in the first line where the mapping doesn't say it.
func (r *reading) csv(body []byte) (*document, error) {
	body, err := r.decoded(body)
	if err != nil {
		return nil, err
	}
	delimiter := r.delimiter
	if delimiter == 0 {
		delimiter = r.likelyDelimiter(body)
	}
	rows := r.rows()
	if r.Quotes == quotesNone || r.Quotes == quotesNotWithTabs && delimiter == '\t' {
		return rows.unquoted(body, delimiter)
	}
	lines := csv.NewReader(bytes.NewReader(body))
	lines.Comma = delimiter
	lines.FieldsPerRecord = -1
	lines.ReuseRecord = true
	for {
		began := lines.InputOffset()
		cells, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return rows.done()
		}
		raw := body[began:lines.InputOffset()]
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			bare, is := bareQuotes(raw, delimiter)
			if !is || !errors.Is(err, csv.ErrBareQuote) {
				return nil, &failure{code: CodeBadBody, reason: fmt.Sprintf("it is no CSV, line %d: %v", wrong.Line, wrong.Err),
					hint: "where cells have no quotes around them: read: {quotes: none}"}
			}
			if err := rows.add(bare, wrong.StartLine); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		line, _ := lines.FieldPos(0)
		if err := rows.whole(raw, delimiter, line); err != nil {
			return nil, err
		}
		if err := rows.add(cells, line); err != nil {
			return nil, err
		}
	}
}

// bareQuotes are the cells of a row that has quotes only within cells, as in 5" pipe: characters like others.
// It reports false where a cell begins with a quote, or with blanks and a quote.
func bareQuotes(row []byte, delimiter rune) ([]string, bool) {
	text := strings.Trim(string(row), "\r\n")
	cells := strings.Split(text, string(delimiter))
	return cells, !strings.Contains(text, "\n") && len(cells) <= maxValues &&
		!slices.ContainsFunc(cells, func(cell string) bool { return strings.HasPrefix(strings.TrimSpace(cell), `"`) })
}

// unquoted reads a table whose cells have no quotes: a quote in one is a character like others, and a row is a line.
func (w *rowReader) unquoted(body []byte, delimiter rune) (*document, error) {
	line := 0
	for text := range bytes.Lines(body) {
		line++
		row := strings.TrimRight(string(text), "\r\n")
		if row == "" {
			continue
		}
		if n := strings.Count(row, string(delimiter)); n > maxValues {
			return nil, tooManyValues()
		}
		if err := w.add(strings.Split(row, string(delimiter)), line); err != nil {
			return nil, err
		}
	}
	return w.done()
}

// whole refuses a row that goes over several lines of which each would be a row by itself: a quote that begins a cell
// of a file without quotes would take all rows up to the next one for one cell. Two columns say too little.
func (w *rowReader) whole(raw []byte, delimiter rune, line int) error {
	raw = bytes.Trim(raw, "\r\n")
	if len(w.columns) < 3 || !bytes.ContainsRune(raw, '\n') {
		return nil
	}
	n := 0
	for text := range bytes.Lines(raw) {
		if n++; bytes.Count(text, []byte(string(delimiter))) != len(w.columns)-1 {
			return nil
		}
	}
	return &failure{code: CodeBadBody,
		reason: fmt.Sprintf("line %d: a quote makes one cell of %d lines that are rows", line, n),
		hint:   "where cells have no quotes around them: read: {quotes: none}"}
}

// decoded is the body in UTF-8, without a byte order mark. One of UTF-16 says by itself what it is: spreadsheets write
// it when they are asked for Unicode.
func (r *reading) decoded(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff")) {
		var err error
		if body, err = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(body); err != nil {
			return nil, &failure{code: CodeBadBody, reason: fmt.Sprintf("it is not UTF-16: %v", err)}
		}
	} else if r.encoding != nil {
		var err error
		if body, err = r.encoding.NewDecoder().Bytes(body); err != nil {
			return nil, &failure{code: CodeBadBody, reason: fmt.Sprintf("it is not %s: %v", r.Encoding, err)}
		}
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return nil, &failure{code: CodeBadBody, reason: "it is not UTF-8",
			hint: "say what it is: the setting encoding=windows-1252, where there is one, or read: {encoding: windows-1252}"}
	}
	return body, nil
}

// likelyDelimiter is what the first line of the table has most of.
func (r *reading) likelyDelimiter(body []byte) rune {
	var first []byte
	for line, n := range nonEmpty(body) {
		if first = line; n >= r.SkipRows {
			break
		}
	}
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t', '|'} {
		if n := bytes.Count(first, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

// nonEmpty are the lines that have something, with how many of these come before.
func nonEmpty(body []byte) iter.Seq2[[]byte, int] {
	return func(yield func([]byte, int) bool) {
		n := 0
		for line := range bytes.Lines(body) {
			if len(bytes.Trim(line, "\r\n")) == 0 {
				continue
			}
			if !yield(line, n) {
				return
			}
			n++
		}
	}
}

// rowReader makes objects of rows, those of a file of text or of a sheet.
type rowReader struct {
	r       *reading
	skip    int
	cells   int
	columns []string
	rows    []any
	lines   map[uintptr]int
	sheet   bool // of a spreadsheet
	floats  floats
	size    int
}

func (r *reading) rows() *rowReader {
	return &rowReader{r: r, skip: r.SkipRows, columns: r.Columns, rows: []any{}, lines: map[uintptr]int{},
		floats: floats{}}
}

func (w *rowReader) add(cells []string, line int) error {
	switch {
	case w.skip > 0:
		w.skip--
		return nil
	case len(w.columns) == 0:
		return w.header(cells, line)
	}
	if w.cells += objectValues + len(w.columns); w.cells > maxValues {
		return tooManyValues()
	}
	for _, c := range cells {
		w.size += len(c) + 1
	}
	row, empty := make(map[string]any, len(w.columns)), true
	for i, name := range w.columns {
		row[name] = nil
		if i >= len(cells) {
			continue
		}
		s := strings.TrimSpace(cells[i])
		if s == "" {
			continue
		}
		w.floats.noteCell(s)
		var wrong *failure
		if row[name], wrong = w.number(s, name, line); wrong != nil {
			return wrong
		}
		empty = false
	}
	for i := len(w.columns); i < len(cells); i++ {
		if strings.TrimSpace(cells[i]) != "" {
			return &failure{code: CodeBadBody, reason: fmt.Sprintf("line %d has %d cells, and the header %d", line, len(cells),
				len(w.columns)), hint: "another delimiter, or a text without its quotes"}
		}
	}
	if !empty {
		w.rows = append(w.rows, row)
		w.lines[identityOf(row)] = line
	}
	return nil
}

func (w *rowReader) header(cells []string, line int) error {
	if len(cells) > maxColumns {
		return &failure{code: CodeTooMuch, reason: fmt.Sprintf("a table has at most %d columns", maxColumns)}
	}
	seen := map[string]bool{}
	for i, c := range cells {
		name := strings.TrimSpace(c)
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
		}
		if seen[name] {
			return &failure{code: CodeBadBody, reason: fmt.Sprintf("line %d: two columns are called %s", line, show(name)),
				hint: "name them in the mapping: read: {columns: […], skip_rows: 1}"}
		}
		seen[name] = true
		w.columns = append(w.columns, name)
	}
	if wrong := w.r.DecimalComma.in(w.columns); wrong != nil {
		return wrong
	}
	return nil
}

func (w *rowReader) done() (*document, error) {
	if len(w.columns) == 0 {
		return nil, &failure{code: CodeBadBody, reason: "it is empty"}
	}
	return &document{values: []any{w.rows}, lines: w.lines, floats: w.floats, size: w.size,
		weight: len(w.rows) * (rowWeight + rowWeight*len(w.columns))}, nil
}

var (
	withComma   = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]{3})*,[0-9]+$|^-?[0-9]+,[0-9]+$`)
	withGroups  = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]{3})+$`)
	groupPoints = strings.NewReplacer(".", "", ",", ".")
	// What stands between thousands, whatever stands before the decimals: blanks, also such as don't break, and ' or ’.
	withBlanks  = regexp.MustCompile(`^-?[0-9]{1,3}([ '’\x{a0}\x{2009}\x{202f}][0-9]{3})+([.,][0-9]+)?$`)
	groupBlanks = strings.NewReplacer(" ", "", "'", "", "’", "", "\u00a0", "", "\u2009", "", "\u202f", "")
	withCommas  = regexp.MustCompile(`^-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+$`)
	commasAlone = regexp.MustCompile(`^-?[0-9]{1,3}(,[0-9]{3})+$`)
)

// number reads the cell of a column of numbers as the mapping, or the till, says that they are written. Cells of other
// columns stay as they are.
func (w *rowReader) number(s, column string, line int) (string, *failure) {
	comma := slices.Contains(w.r.DecimalComma, column)
	if !comma {
		if !slices.Contains(w.r.Numbers, column) {
			return s, nil
		}
		if withBlanks.MatchString(s) {
			s = groupBlanks.Replace(s)
		}
		if w.r.comma != "yes" {
			if withCommas.MatchString(s) || w.r.comma == "no" && commasAlone.MatchString(s) {
				s = strings.ReplaceAll(s, ",", "")
			}
			return s, nil
		}
	}
	read, why := w.withPoint(s)
	if why != "" {
		return "", &failure{code: CodeBadBody, reason: fmt.Sprintf("line %d, %s: %s %s", line, column, show(s), why),
			hint: "with decimal_comma numbers are like 1.234,56"}
	}
	return read, nil
}

// withPoint reads a number like 1.234,56 as 1234.56, and gives back what is none. A point before anything but thousands
// contradicts the mapping, so the file may mix two ways of writing. A number of a spreadsheet has a point, where a text
// in it has what its writer meant.
func (w *rowReader) withPoint(s string) (read, why string) {
	switch {
	case withComma.MatchString(s):
		return groupPoints.Replace(s), ""
	case withGroups.MatchString(s) && w.sheet:
		return "", "may be a number of three decimals, or a text with its thousands"
	case withGroups.MatchString(s):
		return groupPoints.Replace(s), ""
	case !w.sheet && strings.ContainsAny(s, ".eE") && plainNumber(s) == nil:
		return "", "has no comma before its decimals"
	}
	return s, ""
}
