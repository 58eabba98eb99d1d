// Package sbom says what the binary is made of: a software bill of materials in CycloneDX 1.6 (ECMA-424), and the
// notices that the licences of its parts ask for.
//
// The parts are those that the Go toolchain wrote into the binary (runtime/debug), so the list can't differ from what
// runs. Their licences stand in modules.tsv, their texts in notices.txt; a test makes both again from the modules' own
// files and finds what is missing or has changed.
//
// The format is written by github.com/CycloneDX/cyclonedx-go (Apache-2.0, last release August 2026), the format's own
// library for Go. Of SPDX and CycloneDX it is the one that scanners for vulnerabilities read most.
//
// All is in memory already: a list takes milliseconds, and asks nobody.
package sbom

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// Part is something beside Go modules that the binary carries, or fetches at its first start.
type Part struct {
	Name, Version string
	URL           string // a package URL (purl)
	Licence       string // of SPDX
}

//go:embed modules.tsv
var modules string

//go:embed notices.txt
var notices string

// Notices are the licences of all parts, for people.
func Notices() string { return notices }

// licences are the SPDX expressions by module.
func licences() map[string]string {
	of := map[string]string{}
	for line := range strings.Lines(modules) {
		path, licence, _ := strings.Cut(strings.TrimSpace(line), "\t")
		of[path] = licence
	}
	return of
}

// Write writes the bill of materials of a build as JSON. The same build gives the same bytes.
func Write(w io.Writer, info *debug.BuildInfo, further ...Part) error {
	of := licences()
	main := info.Main
	root := component(Part{main.Path, main.Version, golang(main.Path, main.Version), "Apache-2.0"})
	root.Type = cyclonedx.ComponentTypeApplication
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	parts := []cyclonedx.Component{component(Part{"std", goVersion, golang("std", goVersion), "BSD-3-Clause"})}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, component(Part{m.Path, m.Version, golang(m.Path, m.Version), of[m.Path]}))
	}
	for _, p := range further {
		parts = append(parts, component(p))
	}
	slices.SortFunc(parts, func(a, b cyclonedx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	uses := make([]string, len(parts))
	for i := range parts {
		uses[i] = parts[i].BOMRef
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Component: &root}
	bom.Components = &parts
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: root.BOMRef, Dependencies: &uses}}
	encoder := cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true)
	if err := encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	return nil
}

func component(p Part) cyclonedx.Component {
	c := cyclonedx.Component{Type: cyclonedx.ComponentTypeLibrary, BOMRef: p.URL, Name: p.Name, Version: p.Version,
		PackageURL: p.URL}
	switch {
	case strings.Contains(p.Licence, " "):
		c.Licenses = &cyclonedx.Licenses{{Expression: p.Licence}}
	case p.Licence != "":
		c.Licenses = &cyclonedx.Licenses{{License: &cyclonedx.License{ID: p.Licence}}}
	}
	return c
}

// golang is the package URL of a Go module.
func golang(path, version string) string {
	names := strings.Split(path, "/")
	for i := range names {
		names[i] = url.PathEscape(names[i])
	}
	of := "pkg:golang/" + strings.Join(names, "/")
	if version == "" || version == "(devel)" { // of no release
		return of
	}
	return of + "@" + url.QueryEscape(version)
}
