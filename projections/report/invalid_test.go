package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestEveryCodeHasWords: each code is there once, has words, and they hold what the question was told.
func TestEveryCodeHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "invalid.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.GenDecl)
		if !is || spec.Tok != token.CONST {
			return true
		}
		for _, s := range spec.Specs {
			code, err := strconv.Unquote(s.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if seen[code] || words[code] == nil {
				t.Errorf("%s stands twice, or has no words", code)
			}
			seen[code] = true
			e := Invalid{Code: code, Parameter: "as_of", Value: "2026-01/3", Of: []string{"first", "last"}}
			if text := e.Error(); !strings.HasPrefix(text, "as_of: ") || len(text) < 12 {
				t.Errorf("%s says %q", code, text)
			}
		}
		return false
	})
	if len(seen) != len(words) || len(seen) == 0 {
		t.Errorf("%d codes have %d words", len(seen), len(words))
	}
}

// TestWordsNameParametersAsTheyAreAsked: who asks with flags is told of flags.
func TestWordsNameParametersAsTheyAreAsked(t *testing.T) {
	flags := func(parameter, value string) string { return strings.TrimSpace("--" + parameter + " " + value) }
	for _, c := range []struct {
		e    Invalid
		want string
	}{
		{Invalid{Code: EmptySpan}, "--from must be before --to"},
		{Invalid{Code: NotPosting, Parameter: "final"},
			"--final: what is posted in a closed month never changes, what happened in it does: ask with --period_by posting"},
		{Invalid{Code: NotOneOf, Parameter: "view", Value: "x", Of: []string{"a", "b"}}, `--view: "x" is none of a, b`},
	} {
		if got := c.e.Words(flags); got != c.want {
			t.Errorf("%s, not %s", got, c.want)
		}
	}
}
