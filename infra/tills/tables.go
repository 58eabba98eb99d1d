package tills

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

var tableFunctions = []function{
	{"lookup", 1, 2, lookup},
	{"refuse", 1, 2, refuse},
	{"required", 1, 1, requiredValue},
	{"list", 0, 0, asList},
	{"content", 0, 0, content},
}

// lookup finds what the input means in a table of the mapping: the default where it isn't in there, or a refusal.
func lookup(m *machine, in any, args []any) any {
	name, is := args[0].(string)
	if !is {
		return fmt.Errorf("lookup wants the name of a table, not %s", show(args[0]))
	}
	table, there := m.tables[name].(map[string]any)
	if !there {
		return fmt.Errorf("there is no table %s", show(name))
	}
	key := ""
	switch v := in.(type) {
	case nil:
	case string:
		key = v
	case int, bool:
		key = fmt.Sprint(v)
	default:
		return fmt.Errorf("%s is no word to look up", show(in))
	}
	if v, found := table[key]; found && in != nil {
		return v
	}
	if len(args) > 1 {
		return args[1]
	}
	var words []string
	for w := range table {
		words = append(words, w)
	}
	f := &failure{code: CodeUnknownWord, reason: fmt.Sprintf("the table %s doesn't have %s", name, show(in)),
		hint: fmt.Sprintf("add it to tables: %s, or give a default: lookup(%q; …)", name, name)}
	if near := nearest(key, words); near != "" {
		f.hint = fmt.Sprintf("do you mean %q? ", near) + f.hint
	}
	return f
}

// refuse ends the document. Nothing catches it: what comes after // or ? would be the guess that it is there to avoid.
func refuse(_ *machine, _ any, args []any) any {
	f := &failure{code: CodeRefused, reason: textOf(args[len(args)-1])}
	if len(args) == 1 {
		return f
	}
	switch place := args[0].(type) {
	case string:
		if f.at = place; !strings.HasPrefix(place, "/") {
			f.at = pointerTo(place)
		}
	case []any: // a path, as jq has it
		var steps []string
		for _, step := range place {
			steps = append(steps, fmt.Sprint(step))
		}
		f.at = pointerOf(steps)
	default:
		return fmt.Errorf("refuse wants a place such as \"/lines/0/price\" or a path, not %s", show(place))
	}
	return f
}

// requiredValue gives back what is there, and refuses what is missing: null, or an empty text.
func requiredValue(m *machine, in any, args []any) any {
	if in != nil && in != "" {
		return in
	}
	name := textOf(args[0])
	f := &failure{code: CodeRefused, reason: name + " is missing"}
	if plainPath.MatchString(name) {
		f.at = pointerTo(name)
	}
	return f
}

// textOf is a text as it is, and anything else as JSON, cut short.
func textOf(v any) string {
	if text, is := v.(string); is {
		return text
	}
	return show(v)
}

// pointerTo is the pointer of a place that is written with dots: lines.0.price.
func pointerTo(place string) string { return "/" + strings.ReplaceAll(place, ".", "/") }

// asList makes a list of what may be one: null is none, and what isn't a list is a list of it. XML has no lists of one.
func asList(_ *machine, in any, _ []any) any {
	switch v := in.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	}
	return []any{in}
}

// content is the text of an element of XML, whether it has attributes or not.
func content(_ *machine, in any, _ []any) any {
	if m, is := in.(map[string]any); is {
		return m["#text"]
	}
	return in
}

// tables are words by name of the table. Values are what YAML has, decimals by their digits.
type tables map[string]any

// UnmarshalYAML reads the tables without a float.
func (t *tables) UnmarshalYAML(n *yaml.Node) error {
	v, err := plain(n, 0)
	if err != nil {
		return err
	}
	all, is := v.(map[string]any)
	if !is {
		return fmt.Errorf("line %d: tables: are names, each with words and what they mean", n.Line)
	}
	for name, table := range all {
		if _, is := table.(map[string]any); !is {
			return fmt.Errorf("line %d: the table %s has no words", n.Line, name)
		}
	}
	*t = all
	return nil
}

// plain is a piece of YAML as programs see it. Only whole numbers, true, false and null aren't texts.
func plain(n *yaml.Node, depth int) (any, error) {
	if depth > 10 {
		return nil, fmt.Errorf("line %d: nested too deep", n.Line)
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if _, twice := m[key.Value]; twice || key.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("line %d: %s is there twice, or no word", key.Line, key.Value)
			}
			v, err := plain(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			m[key.Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			var err error
			if list[i], err = plain(c, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!null":
			return nil, nil
		case "!!bool":
			return strings.EqualFold(n.Value, "true"), nil
		case "!!int":
			return exactNumber(n.Value), nil
		}
		return n.Value, nil
	}
	return nil, fmt.Errorf("line %d: a word, a list or words with meanings are expected", n.Line)
}
