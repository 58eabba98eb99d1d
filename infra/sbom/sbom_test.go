package sbom_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"

	"github.com/makegood/makegood/infra/sbom"
)

var update = flag.Bool("update", false, "write modules.tsv and notices.txt again")

// module is one that the binary is made of.
type module struct{ path, version, dir string }

// built are the modules that cmd/makegood is made of on Linux.
func built(t *testing.T) []module {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f",
		"{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}",
		"github.com/makegood/makegood/cmd/makegood")
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	var all []module
	for _, line := range slices.Compact(lines) {
		if f := strings.Split(line, "\t"); len(f) == 3 {
			all = append(all, module{f[0], f[1], f[2]})
		}
	}
	if len(all) < 30 {
		t.Fatalf("only %d modules", len(all))
	}
	return all
}

// own are the licences that a module's text offers to choose from.
var own = map[string]string{"kernel.org/pub/linux/libs/security/libcap/psx": "BSD-3-Clause OR GPL-2.0-only"}

// texts are a module's licence and notices, and what the first of them is by SPDX.
func texts(t *testing.T, m module) (licence, text string) {
	t.Helper()
	var files []string
	for _, pattern := range []string{"LICEN[CS]E*", "License*", "COPYING*", "NOTICE*"} {
		found, err := filepath.Glob(filepath.Join(m.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	var names []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += strings.TrimSpace(strings.ReplaceAll(string(content), "\r\n", "\n")) + "\n\n"
		for _, match := range licensecheck.Scan(content).Match {
			if !match.IsURL && !slices.Contains(names, match.ID) {
				names = append(names, match.ID)
			}
		}
	}
	if licence = own[m.path]; licence == "" {
		licence = strings.Join(names, " AND ")
	}
	return licence, text
}

// TestNotices: modules.tsv and notices.txt say of every module what its own files say, and of nothing else.
func TestNotices(t *testing.T) {
	var table strings.Builder
	of := map[string][]string{} // who has that text
	for _, m := range built(t) {
		licence, text := texts(t, m)
		if licence == "" || strings.Contains(licence, "GPL") && own[m.path] == "" {
			t.Errorf("%s: its licence is %q", m.path, licence)
		}
		fmt.Fprintf(&table, "%s\t%s\n", m.path, licence)
		of[text] = append(of[text], m.path)
	}
	for name, files := range map[string][]string{
		"Apache ECharts (in the page)": {"../page/assets/echarts.LICENSE", "../page/assets/echarts.NOTICE"},
	} {
		var text string
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text += strings.TrimSpace(string(content)) + "\n\n"
		}
		of[text] = append(of[text], name)
	}
	text := "makegood is made with these parts, each under its own licence. Go itself (BSD-3-Clause) is at " +
		"https://go.dev/LICENSE.\nThe ClickHouse engine is fetched at the first start, and is not a part of this: " +
		"Apache-2.0, https://github.com/ClickHouse/ClickHouse.\n\n"
	byName := func(a, b string) int { return strings.Compare(of[a][0], of[b][0]) }
	for _, body := range slices.SortedFunc(maps.Keys(of), byName) {
		text += strings.Repeat("=", 80) + "\n" + strings.Join(of[body], "\n") + "\n" + strings.Repeat("-", 80) + "\n\n" + body
	}
	if *update {
		for file, content := range map[string]string{"modules.tsv": table.String(), "notices.txt": text} {
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if had, err := os.ReadFile("modules.tsv"); err != nil || string(had) != table.String() || sbom.Notices() != text {
		t.Errorf("the notices aren't those of the modules (%v): go test ./infra/sbom -run TestNotices -update", err)
	}
}

// TestWrite: the bill of materials has every module of a build with its version and its licence, is read back by the
// format's library, and is the same each time.
func TestWrite(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Path: "github.com/makegood/makegood",
		Version: "v1.2.3+dirty"}}
	for _, m := range built(t) {
		info.Deps = append(info.Deps, &debug.Module{Path: m.path, Version: m.version})
	}
	engine := sbom.Part{Name: "clickhouse", Version: "26.7", URL: "pkg:npm/%40chdb/lib@26.7", Licence: "Apache-2.0"}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := sbom.Write(b, info, engine); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) || !json.Valid(first.Bytes()) {
		t.Error("twice the same build gave two answers")
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(&first, cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cyclonedx.SpecVersion1_6 || bom.Metadata.Component.PackageURL !=
		"pkg:golang/github.com/makegood/makegood@v1.2.3%2Bdirty" {
		t.Errorf("%v of %+v", bom.SpecVersion, bom.Metadata.Component)
	}
	versions := map[string]string{}
	for _, c := range *bom.Components {
		versions[c.Name] = c.Version
		if c.Licenses == nil || len(*c.Licenses) != 1 {
			t.Errorf("%s has no licence", c.Name)
		}
	}
	for _, m := range built(t) {
		if versions[m.path] != m.version {
			t.Errorf("%s %s is in it as %q", m.path, m.version, versions[m.path])
		}
	}
	if versions["std"] != "1.26.1" || versions["clickhouse"] != "26.7" ||
		len(*(*bom.Dependencies)[0].Dependencies) != len(*bom.Components) {
		t.Errorf("%v", versions)
	}
}
