package tills

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// readingPage is how a body is read, as the YAML says it.
type readingPage struct {
	Format       formats  `yaml:"format"`
	Delimiter    string   `yaml:"delimiter"`
	Encoding     string   `yaml:"encoding"`
	DecimalComma numbers  `yaml:"decimal_comma"`
	Numbers      numbers  `yaml:"numbers"`
	Columns      []string `yaml:"columns"`
	SkipRows     int      `yaml:"skip_rows"`
	Sheet        string   `yaml:"sheet"`
	Quotes       string   `yaml:"quotes"`
}

// What a quote at the beginning of a cell is.
const (
	quotesAll         = "all"           // it ends at the next one: RFC 4180
	quotesNone        = "none"          // a character
	quotesNotWithTabs = "not_with_tabs" // a character where the delimiter is a tab, else as in all
)

// reading is a readingPage that was checked.
type reading struct {
	readingPage
	delimiter rune
	encoding  encoding.Encoding // nil: UTF-8
	comma     string            // of the columns numbers: yes (1.234,56), no (1,234.56), "" where the till doesn't say
}

// maxSkip bounds what stands above the header of a table.
const maxSkip = 1000

func (p readingPage) reading() (reading, error) {
	r := reading{readingPage: p}
	bad := func(format string, args ...any) (reading, error) {
		return r, &MappingError{Reason: "read: " + fmt.Sprintf(format, args...)}
	}
	if len(p.Format) == 0 {
		r.Format = formats{"json"}
	}
	for _, f := range r.Format {
		if !slices.Contains(known, f) {
			return bad("there is no format %q: %s", f, strings.Join(known, ", "))
		}
	}
	table := r.has("csv") || r.has("xlsx")
	ofText := p.Delimiter != "" || p.Encoding != "" || p.Quotes != ""
	ofTables := len(p.DecimalComma)+len(p.Numbers)+len(p.Columns) > 0 || p.SkipRows != 0 || p.Sheet != ""
	if ofText && !r.has("csv") || !table && ofTables {
		return bad("delimiter and encoding are of csv, and so are quotes; " +
			"decimal_comma, numbers, columns, skip_rows and sheet of tables")
	}
	if len(p.DecimalComma) > 0 && len(p.Numbers) > 0 {
		return bad("either decimal_comma, or numbers, for which a till's setting decimal_comma is")
	}
	var is bool
	if r.delimiter, is = delimiterOf(p.Delimiter); !is {
		return bad("%s: not %q", aDelimiter, p.Delimiter)
	}
	if p.Encoding != "" && !strings.EqualFold(p.Encoding, "utf-8") {
		var err error
		if r.encoding, err = encodingOf(p.Encoding); err != nil {
			return bad("there is no encoding %q, such as utf-8, windows-1252, iso-8859-1", p.Encoding)
		}
	}
	if !slices.Contains([]string{"", quotesAll, quotesNone, quotesNotWithTabs}, p.Quotes) {
		return bad("quotes are all, none or not_with_tabs: not %q", p.Quotes)
	}
	if len(p.Columns) > 0 {
		if wrong := p.DecimalComma.in(p.Columns); wrong != nil {
			return bad("%s (%s)", wrong.reason, wrong.hint)
		}
	}
	if p.SkipRows < 0 || p.SkipRows > maxSkip {
		return bad("skip_rows is 0 to %d", maxSkip)
	}
	return r, nil
}

const aDelimiter = "a delimiter is one character, or the word tab"

// delimiterOf reads a delimiter; 0 where nothing is said.
func delimiterOf(said string) (rune, bool) {
	switch d := []rune(said); {
	case said == "":
		return 0, true
	case said == "tab":
		return '\t', true
	case len(d) == 1 && d[0] != '"' && d[0] != '\n' && d[0] != '\r' && d[0] != utf8.RuneError:
		return d[0], true
	}
	return 0, false
}

// encodingOf finds an encoding by IANA's name, or by one that browsers take (cp1252).
func encodingOf(name string) (encoding.Encoding, error) {
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, nil
	}
	return htmlindex.Get(name)
}

// numbers are the columns of a table whose numbers have a comma before their decimals. It is said of each column: of a
// text like 10.045 nothing tells whether it is an id or ten thousand.
type numbers []string

// UnmarshalYAML reads the list.
func (c *numbers) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: decimal_comma lists the columns of numbers, and so does numbers: [Preis, Betrag]", n.Line)
	}
	return n.Decode((*[]string)(c))
}

// in wants each of them to be a column: where one has another name, its 1.234 would be read as a bit more than one.
func (c numbers) in(columns []string) *failure {
	for _, name := range c {
		if slices.Contains(columns, name) {
			continue
		}
		f := &failure{code: CodeBadBody, reason: "decimal_comma names a column that there isn't: " + show(name),
			hint: "there are " + strings.Join(columns, ", ")}
		if near := nearest(name, columns); near != "" {
			f.hint = "do you mean " + near + "? " + f.hint
		}
		return f
	}
	return nil
}

// formats are one, or several that a till sends; then the body tells which it is of.
type formats []string

// known are the formats that there are.
var known = []string{"json", "xml", "csv", "xlsx", "form"}

// UnmarshalYAML reads a word, or a list of them.
func (f *formats) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*f = formats{n.Value}
		return nil
	}
	return n.Decode((*[]string)(f))
}

func (r *reading) has(format string) bool { return slices.Contains(r.Format, format) }

// formatOf is the one that a body is of. A table may always come as a spreadsheet too.
func (r *reading) formatOf(body []byte) string {
	start := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	zipped := bytes.HasPrefix(body, []byte("PK\x03\x04"))
	switch {
	case zipped && (r.has("xlsx") || r.has("csv")):
		return "xlsx"
	case len(r.Format) == 1:
		return r.Format[0]
	case len(start) > 0 && (start[0] == '{' || start[0] == '[') && r.has("json"):
		return "json"
	case len(start) > 0 && start[0] == '<' && r.has("xml"):
		return "xml"
	case r.has("csv"):
		return "csv"
	case r.has("form"):
		return "form"
	}
	return r.Format[0]
}

// document is a body as it was read: one value, or many that stand one after the other.
type document struct {
	values []any
	lines  map[uintptr]int // of a table: in which line of the file a row begins, by identityOf
	floats floats
	size   int // of a table: bytes of its cells, of which a spreadsheet packs many into one of the body
	weight int // of a table: what its rows take, however little stands in them
}

// ofTill is the reading of a till that says itself, by settings of these names, what its files are like: encoding,
// delimiter, and whether the mapping's numbers have a decimal_comma. A mapping without such a setting says it alone.
func (r *reading) ofTill(settings map[string]any) (*reading, *failure) {
	encoding, delimiter := asString(settings["encoding"]), asString(settings["delimiter"])
	comma := ""
	if len(r.Numbers) > 0 {
		comma = asString(settings["decimal_comma"])
	}
	if encoding == "" && delimiter == "" && comma == "" {
		return r, nil
	}
	own := *r
	if encoding != "" {
		own.Encoding, own.encoding = encoding, nil
		if !strings.EqualFold(encoding, "utf-8") {
			var err error
			if own.encoding, err = encodingOf(encoding); err != nil {
				return nil, &failure{code: CodeBadSetting, reason: "encoding: there is no " + show(encoding),
					hint: "such as utf-8, windows-1252, iso-8859-1, shift_jis"}
			}
		}
	}
	if delimiter != "" {
		var is bool
		if own.delimiter, is = delimiterOf(delimiter); !is {
			return nil, &failure{code: CodeBadSetting, reason: fmt.Sprintf("%s: not %s", aDelimiter, show(delimiter))}
		}
	}
	own.comma = comma
	return &own, nil
}

// document reads a body.
func (r *reading) document(body []byte) (*document, error) {
	switch r.formatOf(body) {
	case "csv":
		return r.csv(body)
	case "xlsx":
		return r.xlsx(body)
	case "xml":
		v, err := readXML(body)
		return &document{values: []any{v}}, err
	case "form":
		v, err := readForm(body)
		return &document{values: []any{v}}, err
	}
	noted := floats{}
	values, err := readNumbers(body, noted)
	return &document{values: values, floats: noted}, err
}

// identityOf is of this one object, not of what it holds: programs that group, sort or choose rows pass on the rows
// themselves, which know no line. An object that a program makes has another.
func identityOf(o map[string]any) uintptr { return reflect.ValueOf(o).Pointer() }

// maxLines bounds how many lines a refusal names.
const maxLines = 10

// linesOf are the lines of the file that a body's rows begin in, in their order, at most maxLines.
func (d *document) linesOf(body any) []int {
	var lines []int
	if len(d.lines) > 0 {
		d.collect(body, &lines, 0)
	}
	slices.Sort(lines)
	if len(lines) > maxLines {
		lines = lines[:maxLines]
	}
	return lines
}

// lineOf is the line of the file that a row begins in.
func (d *document) lineOf(v any) (int, bool) {
	row, is := v.(map[string]any)
	if !is || len(d.lines) == 0 {
		return 0, false
	}
	line, is := d.lines[identityOf(row)]
	return line, is
}

// collect looks for rows in a body: it is one, a list of them, or has such lists.
func (d *document) collect(v any, lines *[]int, depth int) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			d.collect(one, lines, depth)
		}
	case map[string]any:
		if line, is := d.lines[identityOf(v)]; is {
			*lines = append(*lines, line)
			return
		}
		for _, one := range v {
			if depth < 2 {
				d.collect(one, lines, depth+1)
			}
		}
	}
}
