package domain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryKind: what a kind of event declares is complete, and is of one piece.
func TestEveryKind(t *testing.T) {
	valid := regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)
	streams := eventRows(t)
	names, goTypes := map[string]bool{}, map[string]bool{}
	for _, typ := range Types() {
		k := &kinds[typ]
		if !valid.MatchString(k.name) || names[k.name] {
			t.Errorf("kind %d: the name %q is none, or there already", typ, k.name)
		}
		names[k.name] = true
		if ParseType([]byte(typ.String())) != typ || ShortName(typ.String()) != typ.Name() {
			t.Errorf("%s is not found by its name", typ)
		}
		if k.posts < PostsNothing || k.posts > PostsSettled {
			t.Errorf("%s doesn't say how it posts", k.name)
		}
		if want := streams[k.name]; want != k.stream.String() {
			t.Errorf("%s is on stream %s, and in §3 of the contract under %q", k.name, k.stream, want)
		}
		if len(k.probes) == 0 {
			t.Errorf("%s has no probe: nothing would notice that its posting rule changed", k.name)
		}
		for _, p := range k.probes {
			if TypeOf(p) != typ {
				t.Errorf("a probe of %s is a %T", k.name, p)
			}
			goTypes[reflect.TypeOf(p).Elem().Name()] = true
		}
	}
	journal := strings.Join(slices.DeleteFunc(section(t, "4. Journal"), func(line string) bool {
		return strings.HasPrefix(line, "When `") // an example is no rule
	}), "\n")
	for _, typ := range Types() {
		named := regexp.MustCompile(`(^|[^a-z_.])` + regexp.QuoteMeta(typ.Name()) + `($|[^a-z_.]|\.\s)`).MatchString(journal)
		if typ.Posts() != PostsNothing && !named {
			t.Errorf("%s posts, and the contract's §4 doesn't say what", typ.Name())
		}
	}
	for name := range streams {
		if !names[name] {
			t.Errorf("the contract's §3 has a row for %s, which is no kind of event", name)
		}
	}
	declared := dataTypes(t)
	if len(declared) != len(Types()) {
		t.Errorf("%d types of data, and %d kinds of events", len(declared), len(Types()))
	}
	for _, name := range declared {
		if !goTypes[name] {
			t.Errorf("%s is the data of an event that no kind is declared for", name)
		}
	}
}

// TestEveryNumberIsAKind: no kind has a number and nothing else.
func TestEveryNumberIsAKind(t *testing.T) {
	files, err := filepath.Glob("kinds_*.go")
	if err != nil {
		t.Fatal(err)
	}
	numbers := 0
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		numbers += len(regexp.MustCompile(`(?m)^\tType\w+( Type = .*)?$`).FindAll(source, -1))
	}
	if numbers != len(Types()) {
		t.Errorf("%d numbers of kinds, and %d kinds", numbers, len(Types()))
	}
}

// dataTypes are the Go types that have the method of Data, as they stand in the source.
func dataTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "data" {
				names = append(names, f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
		}
	}
	return names
}

// eventRows are the events of the contract's §3 with the stream that each stands under.
func eventRows(t *testing.T) map[string]string {
	t.Helper()
	rows, stream := map[string]string{}, ""
	for _, line := range section(t, "3. Events") {
		if strings.HasPrefix(line, "### ") {
			break // what follows is about what the events mean
		}
		switch {
		case strings.HasPrefix(line, "Stream `"):
			stream = strings.Split(line, "`")[1]
		case strings.HasPrefix(line, "Any stream: "):
			rows[strings.Split(strings.TrimPrefix(line, "Any stream: "), ":")[0]] = AnyStream.String()
		case strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| type |") && !strings.HasPrefix(line, "| …"):
			for name := range strings.SplitSeq(strings.Split(line, "|")[1], "/") {
				if name = strings.TrimSpace(name); strings.Trim(name, "-") != "" {
					rows[name] = stream
				}
			}
		}
	}
	return rows
}

// section is a section of the contract, by its heading, line by line.
func section(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, from, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the contract has no section %q", heading)
	}
	body, _, _ := strings.Cut(from, "\n## ")
	return strings.Split(body, "\n")
}

// TestEveryKindPostsAsItSays: what says that it posts nothing has no lines in any of the units that tell rules apart,
// and what says that it posts has some. So a kind without a rule is found, and a rule that moves to another account
// changes PostingRules.
func TestEveryKindPostsAsItSays(t *testing.T) {
	posted, changed := map[Type]bool{}, map[Type]bool{}
	for _, rates := range []*Rates{probeRates(), NewRates()} {
		for _, told := range probeUnits() {
			with := mustSettle(t, rates, told)
			for i, d := range told {
				if len(with.Events[i].Lines) > 0 {
					posted[TypeOf(d)] = true
				}
			}
			last := len(told) - 1
			without := mustSettle(t, rates, told[:last])
			for i := range without.Events {
				if !slices.Equal(with.Events[i].Lines, without.Events[i].Lines) {
					changed[TypeOf(told[last])] = true
				}
			}
		}
	}
	for _, typ := range Types() {
		switch says := typ.Posts(); {
		case says == PostsNothing && (posted[typ] || changed[typ]):
			t.Errorf("%s says that it posts nothing, and has lines, or changes some of others", typ)
		case says != PostsNothing && !posted[typ]:
			t.Errorf("%s says that it posts, and none of the units has lines of it: is there a rule?", typ)
		}
	}
}

// TestPaidElsewhere: what no payment processor pays moves money all the same.
func TestPaidElsewhere(t *testing.T) {
	moved := map[Type]bool{}
	for _, told := range probeUnits() {
		for i, e := range mustSettle(t, probeRates(), told).Events {
			for _, l := range e.Lines {
				moved[TypeOf(told[i])] = moved[TypeOf(told[i])] || l.Account == Clearing
			}
		}
	}
	for _, typ := range PaidElsewhere() {
		if !moved[typ] {
			t.Errorf("%s never moves money, and is said to be paid elsewhere", typ)
		}
	}
}

func mustSettle(t *testing.T, rates *Rates, told []Data) *Settlement {
	t.Helper()
	s, err := settleProbe(rates, told)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
