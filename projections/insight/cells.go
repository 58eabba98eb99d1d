package insight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// Cells is a table as text, for files and terminals. Numeric says of each column whether it holds numbers.
type Cells struct {
	Header  []string
	Numeric []bool
	Rows    [][]string
}

// Cells is a table by its columns, under their words. An estimate has a column for its value, and others with low,
// high, n and why not behind its name; what has codes for values has a column with words for them behind it. What is
// not known is empty.
func (t *Table) Cells(columns []Column) Cells { return t.cells(columns, false) }

// ForPeople is Cells with words in the place of codes.
func (t *Table) ForPeople(columns []Column) Cells { return t.cells(columns, true) }

func (t *Table) cells(columns []Column, people bool) Cells {
	var c Cells
	for _, column := range columns {
		heading := report.Heading(column.Name)
		c.Header = append(c.Header, heading)
		c.Numeric = append(c.Numeric, column.Numeric())
		switch {
		case column.Estimate:
			for _, part := range []string{"low", "high", "n", "why not"} {
				c.Header, c.Numeric = append(c.Header, heading+", "+part), append(c.Numeric, part != "why not")
			}
		case column.coded() && !people:
			c.Header, c.Numeric = append(c.Header, report.InWords(heading)), append(c.Numeric, false)
		}
	}
	for _, row := range t.Rows {
		cells := make([]string, 0, len(c.Header))
		for _, column := range columns {
			if e, is := row[column.Name].(*estimate.Estimate); is {
				cells = append(cells, known(e.Value), known(e.Low), known(e.High), strconv.FormatUint(e.N, 10), e.WhyNot)
				continue
			}
			if !people {
				cells = append(cells, cell(row[column.Name]))
			}
			if people || column.coded() {
				cells = append(cells, column.InWords(row))
			}
		}
		c.Rows = append(c.Rows, cells)
	}
	return c
}

// InWords is a value in front of people.
func (c *Column) InWords(row Row) string {
	value := row[c.Name]
	if yes, is := value.(bool); is {
		return map[bool]string{true: "yes", false: "no"}[yes]
	}
	switch {
	case value == nil || !c.coded():
		return cell(value)
	case c.Of != nil:
		return report.Word(c.Of(row), cell(value))
	}
	return report.Word(c.Name, cell(value))
}

// Numeric reports whether the values are numbers.
func (c *Column) Numeric() bool { return c.Estimate || numeric(c.Unit) }

// coded reports whether the values are codes for which there are words.
func (c *Column) coded() bool { return c.Of != nil || c.Unit == Text && report.Coded(c.Name) }

// TotalsRow is the totals as a row of the same table: for people. Programs sum the rows.
func (t *Table) TotalsRow(columns []Column) []string {
	var cells []string
	for i, column := range columns {
		switch value, is := t.Totals[column.Name]; {
		case is:
			cells = append(cells, cell(value))
		case i == 0:
			cells = append(cells, "total")
		default:
			cells = append(cells, "")
		}
		if column.Estimate {
			cells = append(cells, "", "", "", "")
		}
	}
	return cells
}

func numeric(unit string) bool {
	switch unit {
	case Money, Price, Share, Ratio, Count, Days, Hours:
		return true
	}
	return false
}

func known(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, "; ")
	case []any: // of an answer that was read
		all := make([]string, len(v))
		for i := range v {
			all[i] = fmt.Sprint(v[i])
		}
		return strings.Join(all, "; ")
	default:
		return fmt.Sprint(v)
	}
}

// PartNames are the names of its further tables.
func (q *Question) PartNames() []string {
	names := make([]string, 0, len(q.Parts))
	for _, p := range q.Parts {
		names = append(names, p.Name)
	}
	return names
}

// Table is the table of an answer that a part names, with its columns; its own where part is empty.
func (q *Question) Table(a *Answer, part string) ([]Column, Table) {
	for _, p := range q.Parts {
		if p.Name == part {
			return p.Columns, a.Parts[part]
		}
	}
	return q.Columns, a.Table
}

// Decode reads an answer to the question from JSON. Counts are json.Number in it, and lists []any.
func (q *Question) Decode(text []byte) (*Answer, error) {
	var a Answer
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("read the answer to %s: %w", q.Name, err)
	}
	for _, name := range append([]string{""}, q.PartNames()...) {
		columns, of := q.Table(&a, name)
		for _, column := range columns {
			for _, row := range of.Rows {
				if !column.Estimate {
					continue
				}
				said, err := json.Marshal(row[column.Name])
				if err != nil {
					return nil, fmt.Errorf("read %s of the answer to %s: %w", column.Name, q.Name, err)
				}
				e := new(estimate.Estimate)
				if err := json.Unmarshal(said, e); err != nil {
					return nil, fmt.Errorf("read %s of the answer to %s: %w", column.Name, q.Name, err)
				}
				row[column.Name] = e
			}
		}
	}
	return &a, nil
}
