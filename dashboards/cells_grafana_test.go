//go:build monitoring

package dashboards

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
	"time"
)

// TestCellsAsGrafanaShowsThem gives every panel and its answers to the library that Grafana's panels are made of, in
// the versions that the boards are for: it writes what TestWhatCellsShow reads.
func TestCellsAsGrafanaShowsThem(t *testing.T) {
	e := startEngine(t)
	e.plant(t)
	type input struct {
		Panel  json.RawMessage `json:"panel"`
		Frames []any           `json:"frames"`
	}
	type written struct {
		Name  string
		Cells []string
	}
	var all []input
	var want [][]written
	var where []string
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if p.Type == "row" || p.Targets[0].RawSQL == "" {
				continue
			}
			in, fields := input{Panel: p.text}, []written{}
			for _, f := range e.frames(t, &p) {
				in.Frames = append(in.Frames, f.forGrafana())
			}
			shown, err := shownFields(&p, e.frames(t, &p))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range shown {
				w := written{Name: f.name, Cells: []string{}}
				for _, v := range f.values {
					w.Cells = append(w.Cells, f.cell(v))
				}
				fields = append(fields, w)
			}
			all, want, where = append(all, in), append(want, fields), append(where, b.Title+": "+p.Title)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"12.4.0", "13.2.3"} {
		var got [][]written
		err := json.Unmarshal(grafanaWrites(t, version, text), &got)
		if err != nil || len(got) != len(want) || len(got) < 30 {
			t.Fatalf("%d panels of %d (%v)", len(got), len(want), err)
		}
		for i := range want {
			if len(got[i]) != len(want[i]) {
				t.Errorf("%s, Grafana %s: %d fields, not %d", where[i], version, len(got[i]), len(want[i]))
				continue
			}
			for j, w := range want[i] {
				if g := got[i][j]; g.Name != w.Name || !sameCells(g.Cells, w.Cells) {
					t.Errorf("%s, Grafana %s:\n%q %q, not\n%q %q", where[i], version, g.Name, g.Cells, w.Name, w.Cells)
				}
			}
		}
	}
}

// grafanaWrites gives panels to a version of Grafana's library.
func grafanaWrites(t *testing.T, version string, panels []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	install := exec.Command("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts",
		"--legacy-peer-deps", "--prefix", dir, "@grafana/data@"+version, "react@18.3.1", "react-dom@18.3.1", "rxjs@7.8.2")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out, said bytes.Buffer
	node := exec.Command("node", "testdata/cells.cjs", dir)
	node.Stdin, node.Stdout, node.Stderr = bytes.NewReader(panels), &out, &said
	if err := node.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return out.Bytes()
}

// sameCells compares cells; what stands for no value is Grafana's to say.
func sameCells(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] && want[i] != "" {
			return false
		}
	}
	return true
}

// forGrafana is the frame as the plugin gives it: times in milliseconds, numbers as floats.
func (f *frame) forGrafana() any {
	type column struct {
		Name   string `json:"name"`
		Type   string `json:"type"`
		Values []any  `json:"values"`
	}
	fields := []column{}
	for _, c := range f.fields {
		values := []any{}
		for _, v := range c.values {
			if at, is := v.(time.Time); is {
				values = append(values, at.UnixMilli())
			} else {
				values = append(values, v)
			}
		}
		fields = append(fields, column{c.name, c.kind, values})
	}
	return map[string]any{"name": f.name, "fields": fields}
}
