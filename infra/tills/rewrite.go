package tills

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// ours is what our functions are called for gojq, so that nothing in a program can be one of them by accident.
const ours = "_mg_"

// theMachine is the variable that gives our functions the run that they are part of.
const theMachine = "$" + ours + "machine"

// rewriter makes of a program what gojq may run: every operator and function that isn't bounded by gojq's steps is
// replaced by one of ours, and what a program may not do is refused. Each of ours gets, as its last arguments, which
// piece of the program it is, so that a refusal can name it, and the machine that runs it.
type rewriter struct {
	defined map[string]bool // functions and parameters of the program
	own     map[string]function
	sites   []string
	wrong   *failure
	piped   string // what the function that comes next is at the end of: .x | f says more than f
}

func (r *rewriter) refuse(site fmt.Stringer, reason, hint string) {
	if r.wrong == nil {
		r.wrong = &failure{code: CodeBadMapping, site: site.String(), reason: reason, hint: hint}
	}
}

func term(t *gojq.Term) *gojq.Query { return &gojq.Query{Term: t} }

// call is a call of one of ours, at a site.
func (r *rewriter) call(name, site string, args ...*gojq.Query) *gojq.Query {
	r.sites = append(r.sites, site)
	at := term(&gojq.Term{Type: gojq.TermTypeNumber, Number: strconv.Itoa(len(r.sites) - 1)})
	return plainCall(ours+name, append(args, at, plainCall(theMachine))...)
}

func plainCall(name string, args ...*gojq.Query) *gojq.Query {
	return term(&gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}})
}

func pipe(left, right *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: left, Op: gojq.OpPipe, Right: right}
}

func inBrackets(q *gojq.Query) *gojq.Term { return &gojq.Term{Type: gojq.TermTypeQuery, Query: q} }

// define notes all names that a program gives, before it is rewritten.
func (r *rewriter) define(f *gojq.FuncDef) {
	for _, name := range append([]string{f.Name}, f.Args...) {
		if _, is := vocabulary[name]; is || replaced[name] != "" || strings.HasPrefix(name, ours) || r.own[name].call != nil {
			r.refuse(f, name+" is the name of a function that there is", "choose another name")
		}
		r.defined[name] = true
	}
}

func (r *rewriter) funcDefs(defs []*gojq.FuncDef) {
	for _, f := range defs {
		r.define(f)
		r.query(f.Body)
	}
}

// operators are those that become functions of ours.
var operators = map[gojq.Operator]string{
	gojq.OpAdd: "plus", gojq.OpSub: "minus", gojq.OpMul: "times", gojq.OpDiv: "divided", gojq.OpMod: "modulo",
	gojq.OpEq: "equal", gojq.OpNe: "unequal", gojq.OpGt: "greater", gojq.OpLt: "less", gojq.OpGe: "greater_equal",
	gojq.OpLe: "less_equal",
}

var updates = map[gojq.Operator]string{
	gojq.OpUpdateAdd: "plus", gojq.OpUpdateSub: "minus", gojq.OpUpdateMul: "times", gojq.OpUpdateDiv: "divided",
	gojq.OpUpdateMod: "modulo",
}

func (r *rewriter) query(q *gojq.Query) {
	if q == nil || r.wrong != nil {
		return
	}
	if len(q.Imports) > 0 || q.Meta != nil {
		r.refuse(q, "a program can't import anything", "write what several programs use into functions:")
		return
	}
	site := ""
	if q.Right != nil {
		site = q.String()
	}
	r.funcDefs(q.FuncDefs)
	r.patterns(q.Patterns)
	if q.Term != nil {
		r.term(q.Term)
		return
	}
	if q.Right == nil {
		r.refuse(q, "there is no program", "write . for the body as it is")
		return
	}
	r.query(q.Left)
	if right := q.Right.Term; q.Op == gojq.OpPipe && right != nil && right.Type == gojq.TermTypeFunc {
		r.piped = site
	}
	r.query(q.Right)
	if name := operators[q.Op]; name != "" {
		defs := q.FuncDefs
		*q = *r.call(name, site, q.Left, q.Right)
		q.FuncDefs = defs
		return
	}
	if name := updates[q.Op]; name != "" {
		// L += R is R as $v | L |= . + $v
		const v = "$" + ours + "v"
		change := r.call(name, site, term(&gojq.Term{Type: gojq.TermTypeIdentity}), plainCall(v))
		modify := &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: change}
		*q = gojq.Query{FuncDefs: q.FuncDefs, Left: q.Right, Op: gojq.OpPipe, Patterns: []*gojq.Pattern{{Name: v}},
			Right: r.changing(q.Left, modify, site)}
		return
	}
	if q.Op == gojq.OpAssign || q.Op == gojq.OpModify || q.Op == gojq.OpUpdateAlt {
		change := r.changing(q.Left, &gojq.Query{Left: q.Left, Op: q.Op, Right: q.Right}, site)
		change.FuncDefs = q.FuncDefs
		*q = *change
	}
}

// changing is a change of the values at paths. gojq copies what is around them, so it charges for the whole value, and
// for the places in lists that a path makes by itself (.[1000000] = 1).
func (r *rewriter) changing(paths, change *gojq.Query, site string) *gojq.Query {
	const v = "$" + ours + "path"
	check := term(&gojq.Term{Type: gojq.TermTypeReduce, Reduce: &gojq.Reduce{
		Query: plainCall("path", paths), Patterns: []*gojq.Pattern{{Name: v}},
		Start: term(&gojq.Term{Type: gojq.TermTypeIdentity}), Update: r.call("place", site, plainCall(v)),
	}})
	return pipe(r.call("walk", site), pipe(check, change))
}

func (r *rewriter) patterns(patterns []*gojq.Pattern) {
	for _, p := range patterns {
		r.patterns(p.Array)
		for _, o := range p.Object {
			r.string(o.KeyString)
			r.query(o.KeyQuery)
			if o.Val != nil {
				r.patterns([]*gojq.Pattern{o.Val})
			}
		}
	}
}

func (r *rewriter) term(t *gojq.Term) {
	site := t.String()
	if r.piped != "" {
		site, r.piped = r.piped, ""
	}
	for _, s := range t.SuffixList {
		r.index(s.Index)
	}
	r.index(t.Index)
	switch t.Type {
	case gojq.TermTypeFunc:
		r.function(t, site)
	case gojq.TermTypeObject:
		r.object(t.Object)
	case gojq.TermTypeArray:
		r.query(t.Array.Query)
	case gojq.TermTypeNumber:
		if strings.ContainsAny(t.Number, ".eE") {
			r.refuse(t, t.Number+" would be a float", `write "`+t.Number+`", and dmul, dadd … in place of operators`)
		}
	case gojq.TermTypeUnary:
		r.term(t.Unary.Term)
	case gojq.TermTypeFormat:
		r.format(t, site)
	case gojq.TermTypeString:
		r.string(t.Str)
	case gojq.TermTypeIf:
		r.query(t.If.Cond)
		r.query(t.If.Then)
		for _, e := range t.If.Elif {
			r.query(e.Cond)
			r.query(e.Then)
		}
		r.query(t.If.Else)
	case gojq.TermTypeTry:
		r.query(t.Try.Body)
		r.query(t.Try.Catch)
	case gojq.TermTypeReduce:
		r.query(t.Reduce.Query)
		r.patterns(t.Reduce.Patterns)
		r.query(t.Reduce.Start)
		r.query(t.Reduce.Update)
	case gojq.TermTypeForeach:
		r.query(t.Foreach.Query)
		r.patterns(t.Foreach.Patterns)
		r.query(t.Foreach.Start)
		r.query(t.Foreach.Update)
		r.query(t.Foreach.Extract)
	case gojq.TermTypeLabel:
		r.query(t.Label.Body)
	case gojq.TermTypeQuery:
		r.query(t.Query)
	}
}

func (r *rewriter) index(i *gojq.Index) {
	if i == nil {
		return
	}
	r.string(i.Str)
	r.query(i.Start)
	r.query(i.End)
}

func (r *rewriter) object(o *gojq.Object) {
	for _, kv := range o.KeyVals {
		if kv.Key == "$ENV" || strings.HasPrefix(kv.Key, "$"+ours) {
			reason, hint := refusedFor(kv.Key)
			r.refuse(kv, reason, hint)
		}
		r.string(kv.KeyString)
		r.query(kv.KeyQuery)
		r.query(kv.Val)
	}
}

// string has what is put into a text become text by our rules: a null would be the word null in an id.
func (r *rewriter) string(s *gojq.String) { r.pieces(s, "text") }

func (r *rewriter) pieces(s *gojq.String, with string) {
	if s == nil {
		return
	}
	for i, q := range s.Queries {
		if q.Term != nil && q.Term.Type == gojq.TermTypeString && q.Term.Str.Queries == nil {
			continue // the text between
		}
		site := q.String()
		r.query(q)
		s.Queries[i] = term(inBrackets(pipe(q, r.call(with, site))))
	}
}

func (r *rewriter) format(t *gojq.Term, site string) {
	with := "walk"
	if t.Format == "@text" {
		with = "text"
	}
	if t.Str != nil {
		r.pieces(t.Str, with)
		return
	}
	before := r.call(with, site)
	r.replace(t, pipe(before, term(&gojq.Term{Type: gojq.TermTypeFormat, Format: t.Format})))
}

// replace puts a query in the place of a term, which keeps its suffixes.
func (r *rewriter) replace(t *gojq.Term, q *gojq.Query) {
	*t = gojq.Term{Type: gojq.TermTypeQuery, Query: q, SuffixList: t.SuffixList}
}

func (r *rewriter) function(t *gojq.Term, site string) {
	name, args := t.Func.Name, t.Func.Args
	if patterned[name] && !r.defined[name] && len(args) > 0 && !(name == "split" && len(args) == 1) && !constant(args[0]) {
		r.refuse(t, "a pattern that the program makes", "gojq keeps every pattern that it ever saw: a text, or $till.x")
	}
	for _, a := range args {
		r.query(a)
	}
	if strings.HasPrefix(name, "$"+ours) {
		r.refuse(t, "there is no variable "+name, "")
		return
	}
	if r.defined[name] || strings.HasPrefix(name, "$") && name != "$ENV" && name != "$__prog_args" {
		return // gojq knows whether it is in scope
	}
	if f := r.own[name]; f.call != nil {
		if len(args) < f.least || len(args) > f.most {
			r.refuse(t, fmt.Sprintf("%s has %d arguments", name, len(args)), "it takes "+f.arity())
			return
		}
		r.replace(t, r.call(name, site, args...))
		return
	}
	if to := replaced[name]; to != "" {
		r.replacement(t, to, site)
		return
	}
	how, known := vocabulary[name]
	if !known {
		reason, hint := refusedFor(name)
		r.refuse(t, reason, hint)
		return
	}
	before := map[int]string{measured: "measure", walked: "walk", overText: "short_text", decimalAdd: "addable"}[how]
	switch {
	case before == "":
	case name == "setpath" && len(args) == 2:
		const v = "$" + ours + "path"
		change := pipe(r.call("place", site, plainCall(v)), plainCall(name, plainCall(v), args[1]))
		r.replace(t, &gojq.Query{Left: args[0], Op: gojq.OpPipe, Patterns: []*gojq.Pattern{{Name: v}},
			Right: pipe(r.call(before, site), change)})
	case name == "add" && len(args) == 1:
		all := term(&gojq.Term{Type: gojq.TermTypeArray, Array: &gojq.Array{Query: args[0]}})
		r.replace(t, pipe(all, pipe(r.call(before, site), plainCall(name))))
	case name == "error" && len(args) == 1:
		r.replace(t, pipe(args[0], pipe(r.call(before, site), plainCall(name))))
	default:
		if how == walked && strings.HasSuffix(name, "_by") { // what it sorts by is compared
			args[0] = pipe(args[0], r.call("walk", site))
		}
		r.replace(t, pipe(r.call(before, site), plainCall(name, args...)))
	}
}

// patterned are functions whose first argument is a regular expression.
var patterned = map[string]bool{"test": true, "match": true, "capture": true, "scan": true, "sub": true, "gsub": true,
	"split": true, "splits": true}

// constant says whether it is a text without anything put into it, or a setting of the till.
func constant(q *gojq.Query) bool {
	t := q.Term
	if t == nil || len(q.FuncDefs) > 0 {
		return false
	}
	if t.Type == gojq.TermTypeFunc && t.Func.Name == "$till" {
		return len(t.SuffixList) == 1 && t.SuffixList[0].Index != nil && t.SuffixList[0].Index.Name != ""
	}
	return t.Type == gojq.TermTypeString && t.Str.Queries == nil && len(t.SuffixList) == 0
}

// replacement is for functions whose arguments make many values, or that are written with others.
func (r *rewriter) replacement(t *gojq.Term, to, site string) {
	args := t.Func.Args
	switch {
	case to == "in_values" && len(args) == 1:
		same := r.call("equal", site, term(&gojq.Term{Type: gojq.TermTypeIdentity}), plainCall("$"+ours+"v"))
		r.replace(t, &gojq.Query{Left: term(&gojq.Term{Type: gojq.TermTypeIdentity}), Op: gojq.OpPipe,
			Patterns: []*gojq.Pattern{{Name: "$" + ours + "v"}},
			Right:    plainCall("any", args[0], same)})
	case to == "by_key" && (len(args) == 1 || len(args) == 2):
		values := term(&gojq.Term{Type: gojq.TermTypeIdentity, SuffixList: []*gojq.Suffix{{Iter: true}}})
		if len(args) == 2 {
			values = args[0]
		}
		key := pipe(args[len(args)-1], r.call("text", site))
		entry := term(&gojq.Term{Type: gojq.TermTypeObject, Object: &gojq.Object{KeyVals: []*gojq.ObjectKeyVal{
			{Key: "key", Val: term(inBrackets(key))}, {Key: "value", Val: term(&gojq.Term{Type: gojq.TermTypeIdentity})}}}})
		all := term(&gojq.Term{Type: gojq.TermTypeArray, Array: &gojq.Array{Query: pipe(values, entry)}})
		r.replace(t, pipe(all, plainCall("from_entries")))
	case to == "in_values" || to == "by_key":
		r.refuse(t, fmt.Sprintf("%s has %d arguments", t.Func.Name, len(args)), "see the manual of jq")
	default:
		r.replace(t, r.call(to, site, args...))
	}
}
