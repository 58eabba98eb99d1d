package tills

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// The contract drops members that it doesn't have. In a mapping such a member is a slip of the pen, and what it says
// would be lost without a word: it is refused. What there is comes from the contract's own JSON Schemas.

// members are the members of an object by name, each with those of the object, or of the objects of the list, that it
// is. nil: no object, or one that isn't described.
type members map[string]members

var membersOf = sync.OnceValue(func() map[string]members {
	all := map[string]members{}
	for _, t := range domain.Types() {
		all[t.String()] = described(wire.DataSchema(t))
	}
	return all
})

// described are the members of a schema.
func described(schema any) members {
	s, is := schema.(wire.JSON)
	if !is {
		return nil
	}
	if properties, is := s["properties"].(wire.JSON); is {
		m := members{}
		for name, p := range properties {
			m[name] = described(p)
		}
		return m
	}
	if items, is := s["items"]; is {
		return described(items)
	}
	for _, either := range []string{"anyOf", "allOf"} {
		list, _ := s[either].([]any)
		for _, one := range list {
			if m := described(one); m != nil {
				return m
			}
		}
	}
	return nil
}

func memberOrder(o map[string]any) []string {
	names := make([]string, 0, len(o)) // slices.Sorted grows its own, which shows at thousands of bodies a second
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func knownMembers(e map[string]any) *failure {
	unknown := ""
	for name := range e {
		if !slices.Contains(attributes, name) && (unknown == "" || name < unknown) {
			unknown = name
		}
	}
	if unknown != "" {
		return unknownMember("", unknown, attributes)
	}
	known := membersOf()[asString(e["type"])]
	if known == nil || all(e["data"], known) {
		return nil // where there is no such type wire says so
	}
	return within(e["data"], known, "/data")
}

// all reports whether the contract has all members of a value, as of most events; within says which it doesn't have.
func all(v any, known members) bool {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if !all(one, known) {
				return false
			}
		}
	case map[string]any:
		for name, one := range v {
			inner, there := known[name]
			if !there || name == "original" || inner != nil && !all(one, inner) {
				return false
			}
		}
	}
	return true
}

func asString(v any) string {
	s, _ := v.(string)
	return s
}

func within(v any, known members, pointer string) *failure {
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			if wrong := within(one, known, pointer+"/"+strconv.Itoa(i)); wrong != nil {
				return wrong
			}
		}
	case map[string]any:
		for _, name := range memberOrder(v) {
			inner, there := known[name]
			if !there {
				return unknownMember(pointer, name, slices.Sorted(maps.Keys(known)))
			}
			if pointer == "/data" && name == "original" {
				original, _ := v[name].(map[string]any)
				if wrong := knownMembers(original); wrong != nil {
					wrong.pointer = pointer + "/original" + wrong.pointer
					return wrong
				}
				continue
			}
			if inner == nil {
				continue
			}
			if wrong := within(v[name], inner, pointer+"/"+name); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

func unknownMember(pointer, name string, there []string) *failure {
	f := &failure{code: CodeUnknown, reason: "the contract has no member " + show(name) + " here",
		pointer: pointer + "/" + pointerEscapes.Replace(name), hint: "there are " + strings.Join(there, ", ")}
	if near := nearest(name, there); near != "" {
		f.hint = "do you mean " + near + "? " + f.hint
	}
	return f
}
