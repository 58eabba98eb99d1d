package tills

import (
	"embed"
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

// IsName says whether a mapping, or a till, may be called so.
func IsName(s string) bool { return mappingName.MatchString(s) }
