package tills

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxLooked bounds how many values of a body are looked at to find the one that a program failed on.
	maxLooked = 50_000
	// maxFound bounds in how many places that value may stand.
	maxFound = 1000
)

var (
	// saidPointer is a pointer that a reason begins with: "/lines/0/price: …".
	saidPointer = regexp.MustCompile(`^(/[^\s:]+)(?::|\s|$)`)
	// saidName is a member that a reason begins with: "quantity: …".
	saidName = regexp.MustCompile(`^([A-Za-z_][\w-]*): `)
	// plainPath tells a path that required is given from a sentence.
	plainPath = regexp.MustCompile(`^[A-Za-z_][\w-]*(\.[\w-]+)*$`)
	// namesIn are the members that a piece of a program speaks of.
	namesIn = regexp.MustCompile(`\.([A-Za-z_]\w*)|\."([^"]+)"`)
)

// place is where in the body a program failed: the steps of a pointer (RFC 6901) from a value on, with the line of the
// file where the body is of a table: the value is its row then. ok is false where nothing says which place it is.
func (r *mapRun) place(f *failure) (from any, steps []string, line int, ok bool) {
	steps, ok = f.stepsIn(r.rows)
	if table := len(r.document.lines) > 0; !ok || table && f.at == "" && isWhole(f.on) { // why may lie in several rows
		return nil, nil, 0, false
	}
	v := r.rows
	for i, step := range steps {
		if row, is := r.document.lineOf(v); is {
			return v, steps[i:], row, true
		}
		v, _ = inside(v, step)
	}
	line, _ = r.document.lineOf(v)
	if line > 0 {
		return v, nil, line, true
	}
	return r.rows, steps, 0, len(steps) > 0
}

// locate says where in the body it is, where that is known.
func (r *mapRun) locate(f *failure, refusal *Refusal) {
	from, steps, line, ok := r.place(f)
	if !ok {
		return
	}
	pointer := pointerOf(steps)
	if line > 0 {
		refusal.FileLines = []int{line}
	}
	if refusal.At = pointer; pointer == "" {
		return
	}
	refusal.Named = r.named(pointer, from)
	if v, there := at(r.rows, pointer); there && v != nil && !isWhole(v) && line == 0 {
		refusal.Found = show(v)
	}
}

// stepsIn are the steps to the place in a body that a failure is of.
func (f *failure) stepsIn(body any) ([]string, bool) {
	if f.at != "" {
		return stepsOf(f.at), true
	}
	if m := saidPointer.FindStringSubmatch(f.reason); m != nil {
		return stepsOf(m[1]), true
	}
	var names []string
	if m := saidName.FindStringSubmatch(f.reason); m != nil {
		if v, _ := inside(body, m[1]); v != nil {
			return []string{m[1]}, true
		}
		names = append(names, m[1])
	}
	if !f.failedOn {
		return nil, false
	}
	looking := &search{what: f.on, left: maxLooked}
	looking.in(body, nil)
	if looking.left < 0 {
		return nil, false
	}
	found := looking.found
	for _, m := range namesIn.FindAllStringSubmatch(f.site, -1) {
		names = append(names, m[1]+m[2])
	}
	if len(names) > 0 && !isWhole(f.on) {
		found = slices.DeleteFunc(found, func(steps []string) bool {
			return len(steps) == 0 || !slices.Contains(names, steps[len(steps)-1])
		})
	}
	if len(found) != 1 || len(found[0]) == 0 {
		return nil, false
	}
	return found[0], true
}

// search finds a value in a body: an object or a list by its identity, all else by its value.
type search struct {
	what  any
	left  int // values that may still be looked at; below zero: the search was given up
	found [][]string
}

func (s *search) in(v any, steps []string) {
	if s.left--; s.left < 0 {
		return
	}
	if isThe(v, s.what) {
		if s.found = append(s.found, slices.Clone(steps)); len(s.found) > maxFound {
			s.left = 0 // which of them were found is chance
		}
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			s.in(e, append(steps, strconv.Itoa(i)))
		}
	case map[string]any:
		for name, e := range v {
			s.in(e, append(steps, name))
		}
	}
}

// isWhole tells an object or a list, which has an identity, from a value that may stand in many places.
func isWhole(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func isThe(a, b any) bool {
	switch b := b.(type) {
	case nil:
		return a == nil
	case []any:
		a, is := a.([]any)
		return is && len(a) > 0 && len(a) == len(b) && &a[0] == &b[0]
	case map[string]any:
		a, is := a.(map[string]any)
		return is && reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
	}
	return !isWhole(a) && reflect.DeepEqual(a, b)
}

// inside is what a step leads to, if there is something.
func inside(v any, step string) (any, bool) {
	switch in := v.(type) {
	case map[string]any:
		next, there := in[step]
		return next, there
	case []any:
		if n, err := strconv.Atoi(step); err == nil && n >= 0 && n < len(in) {
			return in[n], true
		}
	}
	return nil, false
}

func stepsOf(pointer string) []string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range steps {
		steps[i] = pointerUnescapes.Replace(steps[i])
	}
	return steps
}

func pointerOf(steps []string) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteString("/" + pointerEscapes.Replace(step))
	}
	return b.String()
}
