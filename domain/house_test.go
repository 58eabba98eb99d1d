package domain_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxLineBytes     = 120 // of a line, so that it fits whatever counts columns
	maxFunctionLines = 70  // from func to the closing brace, tables apart
	maxFileLines     = 500
)

// TestLimits holds every Go file against the limits of the house: they keep a room small enough to know.
func TestLimits(t *testing.T) {
	files := goFiles(t)
	if len(files) == 0 {
		t.Fatal("no Go file was found")
	}
	for path, text := range files {
		problems, err := overLimits(path, text)
		if err != nil {
			t.Error(err)
		}
		for _, p := range problems {
			t.Error(p)
		}
	}
}

// TestLimitsAreSeen shows that the check finds what is over a limit, and takes tables apart.
func TestLimitsAreSeen(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("\t_ = 0\n", n) }
	table := "\t_ = []func(){\n\t\tfunc() {\n" + lines(maxFunctionLines-2) + "\t\t},\n\t}\n"
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"short", "package p\n\nfunc f() {\n" + lines(maxFunctionLines-2) + "}\n", 0},
		{"long function", "package p\n\nfunc f() {\n" + lines(maxFunctionLines-1) + "}\n", 1},
		{"table apart", "package p\n\nfunc f() {\n" + lines(maxFunctionLines-4) + table + "}\n", 0},
		{"long function in a table",
			"package p\n\nvar _ = []func(){\n\tfunc() {\n" + lines(maxFunctionLines-1) + "\t},\n}\n", 1},
		{"wide line", "package p\n\n// " + strings.Repeat("x", maxLineBytes-2) + "\n", 1},
		{"wide tag", "package p\n\ntype t struct {\n\tA int `help:\"" + strings.Repeat("x", maxLineBytes) + "\"`\n}\n", 1},
		{"line that just fits", "package p\n\n// " + strings.Repeat("x", maxLineBytes-3) + "\n", 0},
		{"long file", "package p\n" + strings.Repeat("\n", maxFileLines), 1},
	} {
		problems, err := overLimits("p/p.go", []byte(c.text))
		if err != nil || len(problems) != c.want {
			t.Errorf("%s: %q, %v, want %d", c.name, problems, err, c.want)
		}
	}
}

// goFiles are all Go files of the repository by their path from its root.
func goFiles(t *testing.T) map[string][]byte {
	t.Helper()
	const root = ".."
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// overLimits lists what of a file is over a limit, each as path:line: what.
func overLimits(path string, text []byte) ([]string, error) {
	var problems []string
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) > maxFileLines {
		problems = append(problems, fmt.Sprintf("%s: %d lines, more than %d", path, len(lines), maxFileLines))
	}
	for i, line := range lines {
		if len(line) > maxLineBytes {
			problems = append(problems, fmt.Sprintf("%s:%d: %d bytes, more than %d", path, i+1, len(line), maxLineBytes))
		}
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			if length := functionLines(set, n); length > maxFunctionLines {
				problems = append(problems, fmt.Sprintf("%s: function of %d lines, more than %d",
					set.Position(n.Pos()), length, maxFunctionLines))
			}
		}
		return true
	})
	return problems, nil
}

// functionLines counts the lines of a function without the inside of its tables, which are composite literals of
// slices, arrays and maps. A function that stands in a table is measured by itself.
func functionLines(set *token.FileSet, function ast.Node) int {
	span := func(n ast.Node) int { return set.Position(n.End()).Line - set.Position(n.Pos()).Line }
	lines := span(function) + 1
	ast.Inspect(function, func(n ast.Node) bool {
		table, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		switch table.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			lines -= span(table)
			return false
		}
		return true
	})
	return lines
}
