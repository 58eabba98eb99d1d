package tills

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"
	"go.yaml.in/yaml/v3"
)

// variables are what a program sees beside its input, in the order in which they are given.
var variables = []string{"$till", "$headers", "$kind", "$envelope", "$received", theMachine}

// native is a function of programs in Go. It gives a value, or an error.
type native func(m *machine, in any, args []any) any

type function struct {
	name        string
	least, most int // arguments
	call        native
}

func (f function) arity() string {
	if f.least == f.most {
		return fmt.Sprint(f.least)
	}
	return fmt.Sprintf("%d to %d", f.least, f.most)
}

// functions are those that programs call by their names.
func functions() []function { return slices.Concat(decimalFunctions, timeFunctions, tableFunctions) }

// machine is one run: what our functions know of the document beside their input.
type machine struct {
	budget *budget
	tables map[string]any
}

// source is a program as it stands in the mapping.
type source struct {
	text string
	line int // of its first line
}

// UnmarshalYAML keeps the line.
func (s *source) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return fmt.Errorf("line %d: a jq program is a text", n.Line)
	}
	s.text, s.line = n.Value, n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		s.line++
	}
	return nil
}

// program is a source that can run, by many at once.
type program struct {
	source
	code  *gojq.Code
	sites []string
}

// compile reads a program. Its functions are those of the mapping, which come first.
func compile(s source, shared *source) (*program, error) {
	r := &rewriter{defined: map[string]bool{}, own: map[string]function{}}
	for _, f := range functions() {
		r.own[f.name] = f
	}
	query := &gojq.Query{}
	if shared != nil {
		defs, err := parse(*shared)
		if err != nil {
			return nil, err
		}
		r.funcDefs(defs.FuncDefs)
		if r.wrong != nil {
			return nil, placed(r.wrong, *shared)
		}
		query.FuncDefs = defs.FuncDefs
	}
	body, err := parse(s)
	if err != nil {
		return nil, err
	}
	r.query(body)
	if r.wrong != nil {
		return nil, placed(r.wrong, s)
	}
	query.Term = inBrackets(body)
	options := []gojq.CompilerOption{gojq.WithVariables(variables)}
	sites := r.sites
	for _, f := range slices.Concat(functions(), operatorFunctions) {
		options = append(options, gojq.WithFunction(ours+f.name, f.least+2, f.most+2, func(in any, args []any) any {
			m, at := args[len(args)-1].(*machine), args[len(args)-2].(int)
			out := f.call(m, in, args[:len(args)-2])
			if err, is := out.(error); is {
				wrong := asFailure(err, CodeProgram)
				if wrong.site == "" {
					wrong.site = sites[at]
				}
				if !wrong.failedOn {
					wrong.on, wrong.failedOn = in, true
				}
				if wrong.code == CodeRefused && m.budget.stop == nil {
					m.budget.stop = wrong // nothing in the program catches it
				}
				return wrong
			}
			return out
		}))
	}
	code, err := gojq.Compile(query, options...)
	if err != nil {
		_, what, _ := strings.Cut(err.Error(), ": ") // a function or a variable that isn't defined
		what, _, _ = strings.Cut(what, "/")
		return nil, &MappingError{Line: s.lineOf(what), Reason: err.Error()}
	}
	return &program{source: s, code: code, sites: sites}, nil
}

// maxProgram bounds a program, in bytes.
const maxProgram = 64 << 10

func parse(s source) (*gojq.Query, error) {
	if len(s.text) > maxProgram {
		return nil, placed(&failure{reason: fmt.Sprintf("a program has at most %d bytes", maxProgram)}, s)
	}
	q, err := gojq.Parse(s.text)
	if err == nil {
		return q, nil
	}
	f := &failure{code: CodeBadMapping, reason: "it is no jq program: " + err.Error()}
	var wrong *gojq.ParseError
	line := s.line
	if errors.As(err, &wrong) {
		at := min(max(wrong.Offset-len(wrong.Token), 0), len(strings.TrimSpace(s.text)))
		line += strings.Count(s.text[:at], "\n")
	}
	return nil, &MappingError{Line: line, Reason: f.reason}
}

func placed(f *failure, s source) *MappingError {
	return &MappingError{Line: s.lineOf(f.site), Reason: f.reason, Hint: f.hint, Program: f.site}
}

// lineOf finds the line of a piece of the program, which gojq writes with other spaces: the first such piece, or the
// first line where it isn't found.
func (s source) lineOf(site string) int {
	squeeze := func(t string) (string, []int) {
		var b strings.Builder
		var lines []int
		line := s.line
		for i := range len(t) {
			switch c := t[i]; c {
			case '\n':
				line++
			case ' ', '\t', '\r', '(', ')':
			default:
				b.WriteByte(c)
				lines = append(lines, line)
			}
		}
		return b.String(), lines
	}
	whole, lines := squeeze(s.text)
	piece, _ := squeeze(site)
	for ; piece != ""; piece = piece[:len(piece)/2] {
		if at := strings.Index(whole, piece); at >= 0 {
			return lines[at]
		}
	}
	return s.line
}

// input is what a program is run with.
type input struct {
	till, headers map[string]any
	kind          any
	envelope      any
	received      time.Time
}

// run gives every value that the program makes, and the failure that ended it.
func (p *program) run(m *machine, body any, in *input) (values []any, wrong *failure) {
	// What gojq fails on must not end the process: it becomes the refusal of this body.
	defer func() {
		if r := recover(); r != nil {
			wrong = &failure{code: CodeProgram, reason: fmt.Sprintf("gojq failed: %v", r)}
		}
	}()
	if m.budget.stop != nil {
		return nil, asFailure(m.budget.stop, CodeProgram)
	}
	var received any
	if !in.received.IsZero() {
		received = in.received.UTC().Format(time.RFC3339Nano)
	}
	out := p.code.RunWithContext(m.budget, body, in.till, in.headers, in.kind, in.envelope, received, m)
	for {
		v, more := out.Next()
		if !more {
			return values, nil
		}
		if err, is := v.(error); is {
			if m.budget.stop != nil {
				err = m.budget.stop
			}
			return values, withHint(asFailure(err, CodeProgram))
		}
		values = append(values, v)
	}
}

// withHint explains the mistake that gojq's most frequent message comes from.
func withHint(f *failure) *failure {
	if f.hint == "" && strings.HasPrefix(f.reason, "expected an object but got: ") {
		f.hint = "after |, a dot is the value before it, also in arguments: save the row first (. as $row), then $row.x;" +
			" what may be no object: .x | objects"
	}
	return f
}
