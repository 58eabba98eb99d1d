package tills

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed new
var newFiles embed.FS

// NewFiles are the files of a mapping to begin with, by their names: a page with comments, and examples of what it must
// make of bodies. They pass their own test.
func NewFiles(name string) (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := newFiles.ReadDir("new")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := newFiles.ReadFile("new/" + e.Name())
		if err != nil {
			return nil, err
		}
		file := strings.Replace(e.Name(), "mapping.yaml", name+".yaml", 1)
		files[file] = []byte(strings.ReplaceAll(string(text), "NAME", name))
	}
	return files, nil
}

var nameOfPage = regexp.MustCompile(`(?m)^name: .*$`)

// CopyOf is the page of a built-in mapping under another name, to be changed.
func CopyOf(builtInName, name string) ([]byte, error) {
	if !slices.Contains(BuiltIn(), builtInName) {
		return nil, fmt.Errorf("no mapping %s is built in: %s", show(builtInName), strings.Join(BuiltIn(), ", "))
	}
	text, err := builtIn.ReadFile("mappings/" + builtInName + ".yaml")
	if err != nil {
		return nil, err
	}
	return nameOfPage.ReplaceAll(text, []byte("name: "+name)), nil
}

// IsName says whether a mapping, or a till, may be called so.
func IsName(s string) bool { return mappingName.MatchString(s) }
