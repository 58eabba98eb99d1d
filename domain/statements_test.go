package domain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxStatementLines is how long a statement in a Go file may be. A longer one is an embedded .sql file.
const maxStatementLines = 8

var statement = regexp.MustCompile(`\b(SELECT|INSERT INTO|CREATE TABLE|ALTER TABLE)\b`)

// TestLongStatementsAreFiles: SQL that takes some reading is in a .sql file, where it can be read and pinned.
func TestLongStatementsAreFiles(t *testing.T) {
	for path, text := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || isTestTool(path) {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, is := n.(ast.Expr)
			if !is {
				return true
			}
			literals := literalsOf(e)
			if lines := strings.Count(strings.TrimSpace(literals), "\n") + 1; lines > maxStatementLines &&
				statement.MatchString(literals) {
				t.Errorf("%s: a statement of %d lines, more than %d", set.Position(e.Pos()), lines, maxStatementLines)
			}
			return literals == ""
		})
	}
}

// literalsOf is the text of a string, or of several that are added, without what isn't written in them.
func literalsOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ := strconv.Unquote(e.Value) // the parser has read it
			return text
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return literalsOf(e.X) + literalsOf(e.Y)
		}
	}
	return ""
}

// TestEventNamesStandInDomain: an event's full name is written in the domain alone. Statements take it from there, so
// that a name that is no event's stops the program. A document of several lines, which is no statement, is as its
// writer would write it.
func TestEventNamesStandInDomain(t *testing.T) {
	name := regexp.MustCompile(`makegood\.[a-z_]+\.[a-z_]+\.v[0-9]+`)
	for path, text := range goFiles(t) {
		if strings.HasPrefix(path, "domain/") || strings.HasSuffix(path, "_test.go") || isTestTool(path) {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, is := n.(*ast.BasicLit)
			if is && name.MatchString(e.Value) && (statement.MatchString(e.Value) || !strings.Contains(e.Value, "\n")) {
				t.Errorf("%s: %s", set.Position(e.Pos()), name.FindString(e.Value))
			}
			return true
		})
	}
}
