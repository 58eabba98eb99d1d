package gateway_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/infra/wire/schemas"
)

// parsed are the files of a folder, without its tests.
func parsed(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(names), err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// constants are the texts of a folder's constants whose names begin with prefix.
func constants(t *testing.T, folder, prefix string) (texts []string) {
	t.Helper()
	for _, f := range parsed(t, folder) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != len(spec.Values) {
				return true
			}
			for i, name := range spec.Names {
				literal, ok := spec.Values[i].(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING || !strings.HasPrefix(name.Name, prefix) {
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
			return true
		})
	}
	slices.Sort(texts)
	return texts
}

// TestProblemsAreDescribed: openapi.yaml has every code that a problem or a refused event can have, and no other. Codes
// are constants, so that there are no others than those found here.
func TestProblemsAreDescribed(t *testing.T) {
	var document struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct {
						Type struct {
							OneOf []struct {
								Const, Description string
							} `yaml:"oneOf"`
						}
					}
				} `yaml:"Problem"`
				EventError struct {
					Properties struct {
						Code struct{ Enum []string }
					}
				} `yaml:"EventError"`
			}
		}
	}
	if err := yaml.Unmarshal(schemas.OpenAPI(), &document); err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, p := range document.Components.Schemas.Problem.Properties.Type.OneOf {
		problems = append(problems, strings.TrimPrefix(p.Const, "urn:makegood:problem:"))
		if status, _, _ := strings.Cut(p.Description, ":"); len(status) != 3 {
			t.Errorf("%s: its description doesn't begin with its status: %s", p.Const, p.Description)
		}
	}
	faults := document.Components.Schemas.EventError.Properties.Code.Enum
	slices.Sort(problems)
	slices.Sort(faults)
	if want := constants(t, ".", "Problem"); !slices.Equal(problems, want) {
		t.Errorf("problems\n in openapi.yaml %v\n in the code      %v", problems, want)
	}
	want := append(constants(t, "../wire", "Code"), constants(t, ".", "Code")...)
	slices.Sort(want)
	if !slices.Equal(faults, want) {
		t.Errorf("codes of refused events\n in openapi.yaml %v\n in the code      %v", faults, want)
	}
}

// TestCodesAreConstants: every call that makes a problem names its code by a constant.
func TestCodesAreConstants(t *testing.T) {
	calls := 0
	for _, folder := range []string{".", "access", "../page", "../../cmd/makegood"} {
		for _, f := range parsed(t, folder) {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := ""
				switch fun := call.Fun.(type) {
				case *ast.Ident:
					name = fun.Name
				case *ast.SelectorExpr:
					name = fun.Sel.Name
				}
				at, ok := map[string]int{"NewProblem": 1, "writeProblem": 3}[name]
				if !ok || at >= len(call.Args) {
					return true
				}
				calls++
				if literal, ok := call.Args[at].(*ast.BasicLit); ok {
					t.Errorf("%s: the code %s is no constant", name, literal.Value)
				}
				return true
			})
		}
	}
	if calls < 20 {
		t.Errorf("only %d calls were looked at", calls)
	}
}
