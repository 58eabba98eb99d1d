package dashboards

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What Grafana does with an answer until a cell shows it, as far as our boards use it. The names are those of the
// package @grafana/data, of which 12.4 and 13.2 do the same here:
//
//   - The plugin's frames are called as their query, and while a panel has two of them whose names differ, the name of
//     a field begins with that of its frame (getFieldDisplayName): "A Net cost".
//   - configFromData then takes the frame of the configuration away and writes what it says into the other fields that
//     its matcher finds. A value that is null is left out.
//   - Overrides come after that (applyFieldOverrides): what is default is set only where a field has nothing, what an
//     override says always. Names have no frame's name any more, since one frame is left.
//   - A text has no number under the unit string alone; under every other unit one that looks like a number is written
//     as one (getDisplayProcessor).

// field is a column of an answer, with what is set for it.
type field struct {
	name, kind string // number, string or time
	unit       string
	decimals   *int
	values     []any
}

// frame is an answer under the name of its query.
type frame struct {
	name   string
	fields []field
}

// displayName is what a field is called in view of all frames.
func displayName(of frame, f field, all []frame) string {
	for i := range all {
		if len(all) > 1 && i > 0 && all[i].name != all[i-1].name {
			return of.name + " " + f.name
		}
	}
	return f.name
}

// shownFields are the fields of a panel with all that is set for them, in the order of the answer.
func shownFields(p *grafanaPanel, frames []frame) ([]field, error) {
	for _, x := range p.Transformations {
		if x.ID != "configFromData" {
			return nil, fmt.Errorf("the transformation %s isn't known here", x.ID)
		}
		set, rest := map[string]any{}, []frame{}
		for _, f := range frames {
			if f.name != x.Options.ConfigRefID {
				rest = append(rest, f)
				continue
			}
			for _, c := range f.fields {
				for _, m := range x.Options.Mappings {
					if m.FieldName == c.name {
						set[m.HandlerKey] = c.values[len(c.values)-1]
					}
				}
			}
		}
		for i := range rest {
			for j := range rest[i].fields {
				f := &rest[i].fields[j]
				matches := x.Options.ApplyTo.ID == "byType" && f.kind == x.Options.ApplyTo.Options ||
					x.Options.ApplyTo.ID == "byName" && displayName(rest[i], *f, frames) == x.Options.ApplyTo.Options
				if unit, is := set["unit"].(string); is && matches {
					f.unit = unit
				}
			}
		}
		frames = rest
	}
	if len(frames) != 1 {
		return nil, fmt.Errorf("%d frames are left", len(frames))
	}
	fields := frames[0].fields
	for i := range fields {
		f := &fields[i]
		if f.unit == "" {
			f.unit = p.FieldConfig.Defaults.Unit
		}
		f.decimals = p.FieldConfig.Defaults.Decimals
		for _, o := range p.FieldConfig.Overrides {
			if o.Matcher.Options != f.name {
				continue
			}
			for _, property := range o.Properties {
				var err error
				switch property.ID {
				case "unit":
					err = json.Unmarshal(property.Value, &f.unit)
				case "decimals":
					f.decimals = nil // else the panel's own would be written over
					err = json.Unmarshal(property.Value, &f.decimals)
				}
				if err != nil {
					return nil, err
				}
			}
		}
	}
	return fields, nil
}

// cell is what a value is shown as.
func (f *field) cell(value any) string {
	if value == nil {
		return ""
	}
	text := fmt.Sprint(value)
	if at, is := value.(time.Time); is {
		format := strings.TrimPrefix(f.unit, "time:")
		return at.Format(strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "HH", "15", "mm", "04").Replace(format))
	}
	if f.unit == "string" {
		return text
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	written := func(n float64, unless int) string {
		digits := unless
		if f.decimals != nil {
			digits = *f.decimals
		}
		return thousands(strconv.FormatFloat(n, 'f', digits, 64))
	}
	switch unit, rest, _ := strings.Cut(f.unit, ":"); {
	case unit == "currency":
		_, symbol, _ := strings.Cut(rest, ":")
		return symbol + written(n, 1)
	case unit == "percentunit":
		return written(100*n, 1) + "%"
	case unit == "suffix":
		return written(n, 0) + rest
	}
	return written(n, 3) // locale, and all others that are not used for the books
}

// thousands puts commas between them.
func thousands(number string) string {
	whole, rest, has := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if has {
		rest = "." + rest
	}
	return sign + whole + rest
}

// answer runs a query and gives what the plugin makes of it: decimals and other numbers are numbers.
func (e *engine) answer(name, query string) (frame, error) {
	text, err := e.sql(query + "\nFORMAT JSONCompact")
	if err != nil {
		return frame{}, err
	}
	var parsed struct {
		Meta []struct{ Name, Type string }
		Data [][]any
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&parsed); err != nil {
		return frame{}, err
	}
	f := frame{name: name}
	for i, m := range parsed.Meta {
		kind := "string"
		switch inner := regexp.MustCompile(`Nullable\((.*)\)|LowCardinality\((.*)\)`).ReplaceAllString(m.Type, "$1$2"); {
		case strings.HasPrefix(inner, "Date"):
			kind = "time"
		case regexp.MustCompile(`^(U?Int|Float|Decimal)`).MatchString(inner):
			kind = "number"
		}
		c := field{name: m.Name, kind: kind}
		for _, row := range parsed.Data {
			value := row[i]
			if text, is := value.(string); is && kind == "time" {
				layout := time.DateOnly
				if len(text) > len(layout) {
					layout = "2006-01-02 15:04:05.999999"
				}
				if value, err = time.Parse(layout, text); err != nil {
					return frame{}, err
				}
			}
			c.values = append(c.values, value)
		}
		f.fields = append(f.fields, c)
	}
	return f, nil
}

// frames are the answers to a panel's queries, in US dollars and of the order o1.
func (e *engine) frames(t *testing.T, p *grafanaPanel) []frame {
	t.Helper()
	var all []frame
	for _, q := range p.Targets {
		f, err := e.answer(q.RefID, expand(q.RawSQL, chosen{"currency": {"USD"}, "order": {"o1"}}, e.from, e.to))
		if err != nil {
			t.Fatalf("%s: %v", p.Title, err)
		}
		all = append(all, f)
	}
	return all
}

var (
	asDay     = regexp.MustCompile(`^\d{4}-\d\d-\d\d( \d\d:\d\d)?$`)
	asMoney   = regexp.MustCompile(`^USD -?\d{1,3}(,\d{3})*\.\d\d$`)
	asExact   = regexp.MustCompile(`^USD -?\d+\.\d{4}$`)
	moneyName = regexp.MustCompile(`(?i)cost|paid back|hidden|booked|cash|profit|ledger|avoidable$|case$|an order$|` +
		`amount|prevention|appraisal|failed|margin|adds|takes|carries|^by$|brought|bring|spent`)
	codeWord = regexp.MustCompile(`^[a-z]+_[a-z_]+$|^[A-Z]+_?[A-Z]+$`)
)

// TestWhatCellsShow runs every query of the books in a real engine and reads what each cell shows: amounts have their
// currency and two decimals, exact ones all four, numbers of other things no currency, and no code of the contract
// stands where people read.
func TestWhatCellsShow(t *testing.T) {
	e := startEngine(t)
	e.plant(t)
	seen := map[string]int{}
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if p.Type == "row" || p.Targets[0].RawSQL == "" {
				continue
			}
			where := b.Title + ": " + p.Title
			fields, err := shownFields(&p, e.frames(t, &p))
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			checkColumns(t, where, &p, fields)
			for _, f := range fields {
				for _, v := range f.values {
					checkCell(t, where, &f, v, seen)
				}
			}
		}
	}
	for _, what := range []string{"money", "exact", "text", "number"} {
		if seen[what] < 15 {
			t.Errorf("only %d cells of %s were seen", seen[what], what)
		}
	}
}

// checkColumns: a table says of each of its columns, in its order, how it is shown.
func checkColumns(t *testing.T, where string, p *grafanaPanel, fields []field) {
	t.Helper()
	if p.Type != "table" {
		return
	}
	if len(fields) != len(p.FieldConfig.Overrides) {
		t.Errorf("%s: %d columns, %d described", where, len(fields), len(p.FieldConfig.Overrides))
		return
	}
	for i, f := range fields {
		if p.FieldConfig.Overrides[i].Matcher.Options != f.name {
			t.Errorf("%s: column %d is %q and described as %q", where, i, f.name, p.FieldConfig.Overrides[i].Matcher.Options)
		}
	}
}

func checkCell(t *testing.T, where string, f *field, value any, seen map[string]int) {
	t.Helper()
	shown := f.cell(value)
	where += ": " + f.name
	money := strings.HasPrefix(f.unit, "currency:")
	switch {
	case shown == "":
	case f.kind == "time":
		seen["time"]++
		if !asDay.MatchString(shown) {
			t.Errorf("%s shows %q for a time", where, shown)
		}
	case money:
		seen["money"]++
		if !asMoney.MatchString(shown) {
			t.Errorf("%s shows %q for an amount", where, shown)
		}
	case f.kind == "string" && strings.HasPrefix(shown, "USD ") && !strings.Contains(shown[4:], " "):
		seen["exact"]++
		if !asExact.MatchString(shown) {
			t.Errorf("%s shows %q for an exact amount", where, shown)
		}
	case f.kind == "string":
		seen["text"]++
		if shown != fmt.Sprint(value) {
			t.Errorf("%s shows %q for the text %q", where, shown, value)
		}
		if codeWord.MatchString(shown) && f.name != "Currency" {
			t.Errorf("%s shows a code, %q", where, shown)
		}
	case f.kind == "number":
		seen["number"]++
		if moneyName.MatchString(f.name) && !strings.Contains(f.unit, "percent") {
			t.Errorf("%s is an amount without a currency: %q under %q", where, shown, f.unit)
		}
	}
	if n, err := strconv.ParseFloat(fmt.Sprint(value), 64); err == nil && money && math.Abs(n) > 1e15 {
		t.Errorf("%s: %v is more than a float holds to the cent", where, value)
	}
}
