package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// fileRate is one rate of a file, and the line that it stands on.
type fileRate struct {
	name, key, currency string
	from                string // as it was written: a day or a moment
	effective           time.Time
	value               domain.Decimal
	line                int
}

// readRates reads a file of rates: YAML documents, each with a currency, a day and rates by name and key. All that is
// wrong with it is said at once, each with its line. YAML is read node by node (go.yaml.in/yaml, what the YAML
// organisation maintains of the usual library), so that numbers keep their digits.
func readRates(in io.Reader) ([]fileRate, error) {
	decoder := yaml.NewDecoder(in)
	var rates []fileRate
	var wrong []error
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("it is not YAML: %w", err)
		}
		if len(document.Content) != 1 || document.Content[0].Tag == "!!null" {
			continue
		}
		r := ratesReader{}
		r.document(document.Content[0])
		rates, wrong = append(rates, r.rates...), append(wrong, r.wrong...)
	}
	type identity struct {
		name, key, currency string
		effective           int64
	}
	first := map[identity]int{}
	for _, r := range rates {
		id := identity{r.name, r.key, r.currency, r.effective.UnixNano()}
		if line, again := first[id]; again {
			wrong = append(wrong, fmt.Errorf("line %d: %s of %q from %s is set on line %d already", r.line, r.name, r.key,
				r.from, line))
			continue
		}
		first[id] = r.line
	}
	if len(wrong) == 0 && len(rates) == 0 {
		wrong = append(wrong, errors.New("it sets no rate"))
	}
	return rates, errors.Join(wrong...)
}

type ratesReader struct {
	rates []fileRate
	wrong []error
}

func (r *ratesReader) fail(n *yaml.Node, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

func (r *ratesReader) document(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "a price list is a mapping of currency, effective_from and %s", strings.Join(domain.SettableRates(), ", "))
		return
	}
	var currency, from string
	var effective time.Time
	seen := map[string]bool{}
	var lists []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if seen[name.Value] {
			r.fail(name, "%s stands twice in this price list", name.Value)
			continue
		}
		seen[name.Value] = true
		switch {
		case name.Value == "currency":
			currency = value.Value
			if value.Kind != yaml.ScalarNode || !wire.IsCurrency(currency) {
				r.fail(value, "currency: %q is no code of ISO 4217, such as USD", value.Value)
			}
		case name.Value == "effective_from":
			from = value.Value
			var err error
			if effective, err = dayOrMoment(from); err != nil || value.Kind != yaml.ScalarNode {
				r.fail(value, "effective_from: %q is neither a day, YYYY-MM-DD, nor a moment, YYYY-MM-DDThh:mm:ssZ", value.Value)
			}
		case slices.Contains(domain.SettableRates(), name.Value):
			lists = append(lists, name, value)
		default:
			r.fail(name, "%q is none of currency, effective_from, %s", name.Value, strings.Join(domain.SettableRates(), ", "))
		}
	}
	if from == "" {
		r.fail(n, "effective_from is missing: the day from which these rates hold")
	}
	for i := 0; i+1 < len(lists); i += 2 {
		name, list := lists[i], lists[i+1]
		if list.Kind != yaml.MappingNode {
			r.fail(list, "%s: rates stand under their keys, such as  agent: 34.00  or  \"*\": 32.50", name.Value)
			continue
		}
		of := currency
		if name.Value == domain.VoucherRedemption {
			of = ""
		} else if of == "" {
			r.fail(name, "%s is money, and the price list has no currency", name.Value)
			continue
		}
		for j := 0; j+1 < len(list.Content); j += 2 {
			r.rate(name.Value, of, from, effective, list.Content[j], list.Content[j+1])
		}
	}
}

func (r *ratesReader) rate(name, currency, from string, effective time.Time, key, value *yaml.Node) {
	if key.Kind != yaml.ScalarNode || key.Value == "" {
		r.fail(key, "%s: a key is a word, or \"*\" for every other", name)
		return
	}
	if value.Kind != yaml.ScalarNode {
		r.fail(value, "%s of %q: a rate is one number", name, key.Value)
		return
	}
	d, err := domain.ParseDecimal([]byte(value.Value), 6)
	switch {
	case err != nil:
		r.fail(value, "%s of %q: %q: %v", name, key.Value, value.Value, err)
	case d < 0:
		r.fail(value, "%s of %q: %s is below zero", name, key.Value, value.Value)
	case name == domain.VoucherRedemption && d > 1_000_000:
		r.fail(value, "%s of %q: %s is not between 0 and 1: it is a fraction", name, key.Value, value.Value)
	case name == domain.ExchangeRate && !wire.IsCurrency(key.Value):
		r.fail(key, "%s of %q: the key is the currency that is translated, a code of ISO 4217 such as EUR, and there is "+
			"none for all others", name, key.Value)
	case name == domain.ExchangeRate && key.Value == currency:
		r.fail(key, "%s of %q: it is the currency of the price list, and what it is worth in itself is no rate", name,
			key.Value)
	case name == domain.ExchangeRate && d == 0:
		r.fail(value, "%s of %q: %s would make nothing of all that it translates", name, key.Value, value.Value)
	case name == domain.ExchangeRate && !effective.Equal(effective.Truncate(24*time.Hour)):
		r.fail(key, "%s of %q: it holds for whole days, and effective_from is a moment within one: %s", name, key.Value, from)
	default:
		r.rates = append(r.rates, fileRate{name: name, key: key.Value, currency: currency, from: from, effective: effective,
			value: d, line: key.Line})
	}
}

// dayOrMoment reads YYYY-MM-DD, as that day's beginning in UTC as the contract has it, or RFC 3339.
func dayOrMoment(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}
