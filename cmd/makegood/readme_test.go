package main

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestOperatorsPageKnowsEveryFlag: every flag of serve stands in the operators' page, with its default.
func TestOperatorsPageKnowsEveryFlag(t *testing.T) {
	text, err := os.ReadFile("../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var line commandLine
	parser, err := kong.New(&line, flagHelp)
	if err != nil {
		t.Fatal(err)
	}
	flags := parser.Model.Flags
	for _, command := range parser.Model.Children {
		if command.Name == "serve" {
			flags = append(flags, command.Flags...)
		}
	}
	for _, f := range flags {
		if f.Name == "help" {
			continue
		}
		row := ""
		for _, l := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(l, "| `--"+f.Name+"` |") {
				row = l
			}
		}
		if row == "" || (f.HasDefault && !strings.Contains(row, "`"+f.Default+"`")) {
			t.Errorf("the page doesn't know --%s with default %q: %s", f.Name, f.Default, row)
		}
	}
}
