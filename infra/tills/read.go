package tills

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// readingPage is how a body is read, as the YAML says it.
type readingPage struct {
	Format       string   `yaml:"format"`
	Delimiter    string   `yaml:"delimiter"`
	Encoding     string   `yaml:"encoding"`
	DecimalComma bool     `yaml:"decimal_comma"`
	Columns      []string `yaml:"columns"`
	SkipRows     int      `yaml:"skip_rows"`
	Sheet        string   `yaml:"sheet"`
	Dates        string   `yaml:"dates"`
	Zone         string   `yaml:"zone"`
}

// reading is a readingPage that was checked.
type reading struct {
	readingPage
	delimiter rune
	encoding  encoding.Encoding // nil: UTF-8
}

// maxSkip bounds what stands above the header of a table.
const maxSkip = 1000

func (p readingPage) reading() (reading, error) {
	r := reading{readingPage: p}
	bad := func(format string, args ...any) (reading, error) {
		return r, &MappingError{Reason: "read: " + fmt.Sprintf(format, args...)}
	}
	switch p.Format {
	case "":
		r.Format = "json"
	case "json", "csv":
	default:
		return bad("there is no format %q: json, csv", p.Format)
	}
	ofText := p.Delimiter != "" || p.Encoding != "" || p.DecimalComma || len(p.Columns) > 0 || p.SkipRows != 0
	if r.Format != "csv" && ofText {
		return bad("delimiter, encoding, decimal_comma, columns and skip_rows are of csv")
	}
	switch d := []rune(p.Delimiter); {
	case p.Delimiter == "tab":
		r.delimiter = '\t'
	case len(d) == 1 && d[0] != '"' && d[0] != '\n' && d[0] != '\r':
		r.delimiter = d[0]
	case p.Delimiter != "":
		return bad("a delimiter is one character, or the word tab: not %q", p.Delimiter)
	}
	if p.Encoding != "" && !strings.EqualFold(p.Encoding, "utf-8") {
		var err error
		if r.encoding, err = ianaindex.IANA.Encoding(p.Encoding); err != nil || r.encoding == nil {
			return bad("there is no encoding %q, such as utf-8, windows-1252, iso-8859-1", p.Encoding)
		}
	}
	if p.SkipRows < 0 || p.SkipRows > maxSkip {
		return bad("skip_rows is 0 to %d", maxSkip)
	}
	if p.Zone != "" {
		if _, err := time.LoadLocation(p.Zone); err != nil {
			return bad("there is no zone %q, such as Europe/Berlin", p.Zone)
		}
	}
	return r, nil
}

// document is a body as programs see it: one value, or many that stand one after the other.
func (r *reading) document(body []byte) ([]any, error) {
	if r.Format == "csv" {
		return r.csv(body)
	}
	return readJSON(body)
}
