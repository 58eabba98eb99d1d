package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/http/access"
)

// TestVersion: it says which it is, and what it is made of, the engine and the page's charts included.
func TestVersion(t *testing.T) {
	t.Parallel()
	if code, out, said := command(t, "version"); code != 0 || !strings.HasPrefix(out, "makegood ") {
		t.Errorf("%d %s%s", code, out, said)
	}
	code, out, said := command(t, "version", "--sbom")
	var bom struct {
		BOMFormat  string
		Components []struct{ Name, PURL string }
	}
	if err := json.Unmarshal([]byte(out), &bom); code != 0 || err != nil || bom.BOMFormat != "CycloneDX" {
		t.Fatalf("%d %s (%v)", code, said, err)
	}
	urls := map[string]string{}
	for _, c := range bom.Components {
		urls[c.Name] = c.PURL
	}
	for name, want := range map[string]string{"std": "pkg:golang/std@", "clickhouse": "pkg:npm/%40chdb/",
		"echarts": "pkg:npm/echarts@"} {
		if !strings.HasPrefix(urls[name], want) {
			t.Errorf("%s is %q", name, urls[name])
		}
	}
	if code, out, _ := command(t, "version", "--notices"); code != 0 || !strings.Contains(out, "clickhouse-go") {
		t.Errorf("%d: no notices", code)
	}
}

// TestTokenIntoAFile: a file that a shell made for the token, for everybody to read, is its owner's alone before the
// token is in it, and can be used.
func TestTokenIntoAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if code := run(t.Context(), []string{"token", "new", "--access-file", filepath.Join(t.TempDir(), "access"), "--name",
		"till", "--scope", "write"}, terminal.Streams{In: strings.NewReader(""), Out: out, Err: &said}); code != 0 {
		t.Fatal(said.String())
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if token, err := access.ReadSecret(path); err != nil || len(token) < 32 {
		t.Errorf("%d characters: %v", len(token), err)
	}
}
