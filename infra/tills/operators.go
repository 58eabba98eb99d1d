package tills

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"strings"

	"github.com/itchyny/gojq"
)

// This file has what the operators of programs, and functions of jq's that need a bound, become. Numbers are whole:
// what would be a float is refused where it would be made.

const (
	floatHint   = `an amount is a text: use dadd, dsub, dmul, ddiv, dround, minor(currency)`
	maxTextScan = 64 << 10 // bytes
)

var operatorFunctions = []function{
	{"plus", 2, 2, plus},
	{"minus", 2, 2, minus},
	{"times", 2, 2, times},
	{"divided", 2, 2, dividedBy},
	{"modulo", 2, 2, modulo},
	{"equal", 2, 2, comparing(func(c int) bool { return c == 0 }, false)},
	{"unequal", 2, 2, comparing(func(c int) bool { return c != 0 }, false)},
	{"greater", 2, 2, comparing(func(c int) bool { return c > 0 }, true)},
	{"less", 2, 2, comparing(func(c int) bool { return c < 0 }, true)},
	{"greater_equal", 2, 2, comparing(func(c int) bool { return c >= 0 }, true)},
	{"less_equal", 2, 2, comparing(func(c int) bool { return c <= 0 }, true)},
	{"walk", 0, 0, func(m *machine, in any, _ []any) any { return orError(in, m.budget.walk(in)) }},
	{"measure", 0, 0, func(m *machine, in any, _ []any) any { return orError(in, m.budget.charge(shallow(in))) }},
	{"place", 1, 1, place},
	{"short_text", 0, 0, shortText},
	{"addable", 0, 0, addable},
	{"text", 0, 0, asText},
	{"tonumber", 0, 0, toNumber},
	{"fromjson", 0, 0, fromJSON},
	{"contains", 1, 1, func(m *machine, in any, args []any) any { return orError(m.contains(in, args[0])) }},
	{"inside", 1, 1, func(m *machine, in any, args []any) any { return orError(m.contains(args[0], in)) }},
}

// fraction is a text that is a decimal number with decimals; number is one with or without.
var (
	fraction = regexp.MustCompile(`^-?[0-9]+\.[0-9]+$`)
	number   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
)

func bothFractions(a, b any) bool {
	x, is := a.(string)
	y, too := b.(string)
	return is && too && fraction.MatchString(x) && fraction.MatchString(y)
}

// integers are both values as whole numbers, where they are.
func integers(a, b any) (x, y *big.Int, is bool) {
	x, is = integer(a)
	y, too := integer(b)
	return x, y, is && too
}

func integer(v any) (*big.Int, bool) {
	switch v := v.(type) {
	case int:
		return big.NewInt(int64(v)), true
	case *big.Int:
		return v, true
	}
	return nil, false
}

// whole gives back what fits, and refuses what no id and no amount is.
func whole(n *big.Int) any {
	if n.IsInt64() {
		return int(n.Int64())
	}
	if n.BitLen() > 256 {
		return errors.New("a whole number of more than 256 bits")
	}
	return n
}

func cantDo(verb string, a, b any) error {
	f := &failure{code: CodeProgram, reason: fmt.Sprintf("can't %s: %s and %s", verb, show(a), show(b))}
	_, left := a.(string)
	_, right := b.(string)
	if _, is := integer(a); is && right || left && isInteger(b) {
		f.hint = floatHint
	}
	return f
}

func isInteger(v any) bool { _, is := integer(v); return is }

func plus(m *machine, _ any, args []any) any {
	a, b := args[0], args[1]
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	if x, y, is := integers(a, b); is {
		return whole(new(big.Int).Add(x, y))
	}
	if bothFractions(a, b) {
		return &failure{code: CodeProgram, reason: fmt.Sprintf("%s + %s would join two texts", show(a), show(b)),
			hint: "decimals are texts: use dadd, or dsum of an array"}
	}
	switch x := a.(type) {
	case string:
		if y, is := b.(string); is {
			return orError(x+y, m.budget.charge(len(x)+len(y)))
		}
	case []any:
		if y, is := b.([]any); is {
			if err := m.budget.charge(16 * (len(x) + len(y))); err != nil {
				return err
			}
			return append(append(make([]any, 0, len(x)+len(y)), x...), y...)
		}
	case map[string]any:
		if y, is := b.(map[string]any); is {
			if err := m.budget.charge(48 * (len(x) + len(y))); err != nil {
				return err
			}
			sum := maps.Clone(x)
			maps.Copy(sum, y)
			return sum
		}
	}
	return cantDo("add", a, b)
}

func minus(m *machine, _ any, args []any) any {
	a, b := args[0], args[1]
	if x, y, is := integers(a, b); is {
		return whole(new(big.Int).Sub(x, y))
	}
	x, is := a.([]any)
	y, too := b.([]any)
	if !is || !too {
		if bothFractions(a, b) {
			return &failure{code: CodeProgram, reason: "can't subtract texts", hint: "decimals are texts: use dsub"}
		}
		return cantDo("subtract", a, b)
	}
	left := make([]any, 0, len(x))
	for _, e := range x {
		found := false
		for _, o := range y {
			same, err := m.same(e, o)
			if err != nil {
				return err
			}
			if same {
				found = true
				break
			}
		}
		if !found {
			left = append(left, e)
		}
	}
	return left
}

func times(m *machine, _ any, args []any) any {
	a, b := args[0], args[1]
	if x, y, is := integers(a, b); is {
		return whole(new(big.Int).Mul(x, y))
	}
	x, is := a.(map[string]any)
	y, too := b.(map[string]any)
	if !is || !too {
		f := cantDo("multiply", a, b)
		return f
	}
	for _, v := range args {
		if err := m.budget.walk(v); err != nil {
			return err
		}
	}
	return merged(x, y)
}

func merged(a, b map[string]any) map[string]any {
	m := maps.Clone(a)
	for k, v := range b {
		x, is := m[k].(map[string]any)
		y, too := v.(map[string]any)
		if is && too {
			m[k] = merged(x, y)
		} else {
			m[k] = v
		}
	}
	return m
}

func dividedBy(m *machine, _ any, args []any) any {
	a, b := args[0], args[1]
	if x, y, is := integers(a, b); is && y.Sign() != 0 {
		q, rest := new(big.Int).QuoRem(x, y, new(big.Int))
		if rest.Sign() == 0 {
			return whole(q)
		}
		return &failure{code: CodeFloat, reason: fmt.Sprintf("%s / %s would be a float", x, y),
			hint: "minor units: minor(currency); else ddiv(b; currency)"}
	}
	x, is := a.(string)
	y, too := b.(string)
	if !is || !too || bothFractions(a, b) {
		return cantDo("divide", a, b)
	}
	if err := m.budget.charge(16 + 17*len(x)); err != nil {
		return err
	}
	parts := []any{}
	if x != "" {
		for _, p := range strings.Split(x, y) {
			parts = append(parts, p)
		}
	}
	return parts
}

func modulo(_ *machine, _ any, args []any) any {
	x, y, is := integers(args[0], args[1])
	if !is || y.Sign() == 0 {
		return cantDo("take the rest of", args[0], args[1])
	}
	return whole(new(big.Int).Rem(x, y))
}

// same compares two values, and charges for it.
func (m *machine) same(a, b any) (bool, error) {
	c, err := m.compare(a, b)
	return c == 0, err
}

func (m *machine) compare(a, b any) (int, error) {
	for _, v := range []any{a, b} {
		if err := m.budget.walk(v); err != nil {
			return 0, err
		}
	}
	return gojq.Compare(a, b), nil
}

// comparing is an operator. Which is larger is asked of like things only: 2 of jq's answers are never meant, that of a
// decimal in a text and a number ("5" > 100), and that of two decimals in texts ("9.50" > "10.00").
func comparing(holds func(int) bool, ordered bool) native {
	return func(m *machine, _ any, args []any) any {
		a, b := args[0], args[1]
		if ordered {
			x, text := a.(string)
			y, too := b.(string)
			switch {
			case text && isInteger(b), too && isInteger(a), text && too && number.MatchString(x) && number.MatchString(y) &&
				(fraction.MatchString(x) || fraction.MatchString(y)):
				return &failure{code: CodeProgram, reason: fmt.Sprintf("%s and %s would be compared as texts", show(a), show(b)),
					hint: "decimals are texts: use dcmp(b), which gives -1, 0 or 1"}
			}
		}
		c, err := m.compare(a, b)
		return orError(holds(c), err)
	}
}

// place charges for the places of lists before those of a path.
func place(m *machine, in any, args []any) any {
	path, _ := args[0].([]any)
	for _, step := range path {
		n, is := step.(int)
		if is && n > maxValues {
			return fmt.Errorf("place %d of a list", n)
		}
		if err := m.budget.charge(16 + 16*max(n, 0)); err != nil {
			return err
		}
	}
	return in
}

func shortText(m *machine, in any, _ []any) any {
	s, is := in.(string)
	switch {
	case !is:
		return fmt.Errorf("a text is searched, not %s", show(in))
	case len(s) > maxTextScan:
		return fmt.Errorf("a text of %d bytes is searched: at most %d", len(s), maxTextScan)
	}
	return orError(in, m.budget.charge(shallow(in)))
}

func addable(m *machine, in any, _ []any) any {
	if list, is := in.([]any); is && len(list) > 1 {
		decimals := 0
		for _, v := range list {
			if s, is := v.(string); is && fraction.MatchString(s) {
				decimals++
			}
		}
		if decimals == len(list) {
			return &failure{code: CodeProgram, reason: "add would join these decimals as texts", hint: "use dsum"}
		}
	}
	return orError(in, m.budget.walk(in))
}

// asText is tostring, and what is put into a text with \( ).
func asText(m *machine, in any, _ []any) any {
	if err := m.budget.walk(in); err != nil {
		return err
	}
	switch v := in.(type) {
	case nil:
		return &failure{code: CodeProgram, reason: "null would be put into a text",
			hint: `say what is meant where it is missing: \(.x // "none"), or \(.x // refuse("no x"))`}
	case string:
		return v
	case bool:
		return fmt.Sprint(v)
	case float64:
		return &failure{code: CodeFloat, reason: fmt.Sprintf("%v went through a float", v), hint: floatHint}
	}
	if n, is := integer(in); is {
		return n.String()
	}
	b, err := gojq.Marshal(in)
	return orError(string(b), err)
}

// toNumber reads a whole number; a fraction stays a text, and what is no number is refused.
func toNumber(_ *machine, in any, _ []any) any {
	if isInteger(in) {
		return in
	}
	d, err := decimal(in)
	if err != nil {
		return err
	}
	if scale(d) > 0 {
		return &failure{code: CodeFloat, reason: show(in) + " would be a float", hint: floatHint}
	}
	n, _ := new(big.Int).SetString(text(d), 10)
	return whole(n)
}

func fromJSON(m *machine, in any, _ []any) any {
	s, is := in.(string)
	if !is {
		return fmt.Errorf("fromjson wants a text, not %s", show(in))
	}
	if err := m.budget.charge(4 * len(s)); err != nil {
		return err
	}
	values, err := readJSON([]byte(s))
	if err != nil {
		return err
	}
	if len(values) != 1 {
		return fmt.Errorf("%d JSON values in a text, not one", len(values))
	}
	return values[0]
}

func (m *machine) contains(a, b any) (bool, error) {
	if err := m.budget.charge(16); err != nil {
		return false, err
	}
	switch b := b.(type) {
	case map[string]any:
		a, is := a.(map[string]any)
		if !is {
			break
		}
		for k, v := range b {
			x, there := a[k]
			if !there {
				return false, nil
			}
			if in, err := m.contains(x, v); err != nil || !in {
				return false, err
			}
		}
		return true, nil
	case []any:
		a, is := a.([]any)
		if !is {
			break
		}
		for _, v := range b {
			if in, err := m.anyContains(a, v); err != nil || !in {
				return false, err
			}
		}
		return true, nil
	case string:
		if a, is := a.(string); is {
			return strings.Contains(a, b), m.budget.charge(len(a))
		}
	}
	if gojq.TypeOf(a) != gojq.TypeOf(b) {
		return false, cantDo("look for one in the other", a, b)
	}
	return m.same(a, b)
}

func (m *machine) anyContains(list []any, v any) (bool, error) {
	for _, e := range list {
		if gojq.TypeOf(e) != gojq.TypeOf(v) {
			continue
		}
		if in, err := m.contains(e, v); err != nil || in {
			return in, err
		}
	}
	return false, nil
}
