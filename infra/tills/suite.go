package tills

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Case is an example of a mapping: bodies that a till sent, and what must become of them. In a folder it is
//
//	NAME.in.json      a body; of several, NAME.in.1.json, NAME.in.2.json, in the order of their names
//	NAME.want.ndjson  the events, one a line; none where it is empty
//	NAME.refused.txt  the codes of the refusals, one a line, where something must be refused
//	NAME.till.yaml    kind, headers, set, received: what came beside the bodies; till.yaml: the same, of all cases
type Case struct {
	Name    string
	Bodies  []Body
	Want    [][]byte
	Refused []string // codes
	Written bool     // NAME.want.ndjson or NAME.refused.txt is there
	beside  beside
}

// Body is one that a till sent.
type Body struct {
	File string
	Text []byte
}

// beside is what came with the bodies of a case.
type beside struct {
	Kind     string            `yaml:"kind"`
	Headers  map[string]string `yaml:"headers"`
	Set      map[string]string `yaml:"set"`
	Received time.Time         `yaml:"received"`
}

// Cases reads the examples of a folder. The error says what is wrong in which file.
func Cases(folder fs.FS) ([]Case, error) {
	files, err := fs.Glob(folder, "*.in.*")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var cases []Case
	for _, file := range files {
		name, _, _ := strings.Cut(file, ".in.")
		text, err := readPart(folder, file, MaxBody)
		if err != nil {
			return nil, err
		}
		if n := len(cases); n == 0 || cases[n-1].Name != name {
			c := Case{Name: name}
			if err := c.read(folder); err != nil {
				return nil, err
			}
			cases = append(cases, c)
		}
		last := &cases[len(cases)-1]
		last.Bodies = append(last.Bodies, Body{file, text})
	}
	return cases, nil
}

func readPart(folder fs.FS, name string, most int64) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

func (c *Case) read(folder fs.FS) error {
	for _, file := range []string{"till.yaml", c.Name + ".till.yaml"} {
		text, err := readPart(folder, file, maxMapping)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(&c.beside); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	want, err := readPart(folder, c.Name+".want.ndjson", MaxBody)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.Written = err == nil
	for line := range bytes.Lines(want) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			c.Want = append(c.Want, line)
		}
	}
	refused, err := readPart(folder, c.Name+".refused.txt", maxMapping)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.Written = c.Written || err == nil
	c.Refused = strings.Fields(string(refused))
	return nil
}

// Got is what became of a case.
type Got struct {
	Events   []Event
	Refusals []Refusal // with the file of the body in front
	Problems []string  // what isn't as it must be; none: the case is right
}

// Run maps the bodies of a case and holds what they give against what they must. Then it maps them again, each twice
// and in an order drawn by the seed: the events must be the same ones, since deliveries are repeated and come in any
// order. Two bodies that give one id with different content would be a conflict in the books.
func (c *Case) Run(ctx context.Context, m *Mapping, seed uint64) Got {
	var got Got
	content := map[string]any{}
	for _, b := range c.Bodies {
		out := c.once(ctx, m, b)
		for _, e := range out.Events {
			id, v, problem := identity(e.JSON)
			if problem != "" {
				got.Problems = append(got.Problems, problem)
				continue
			}
			had, again := content[id]
			if again && !reflect.DeepEqual(had, v) {
				got.Problems = append(got.Problems, fmt.Sprintf("%s: %s has other content than before:%s", b.File, id,
					differences(had, v)))
			}
			if !again {
				content[id] = v
				got.Events = append(got.Events, e)
			}
		}
		for _, r := range out.Refusals {
			r.File = b.File
			got.Refusals = append(got.Refusals, r)
		}
	}
	got.Problems = append(got.Problems, c.compare(content, got.Refusals)...)
	order := slices.Concat(c.Bodies, c.Bodies)
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	again := map[string]any{}
	for _, b := range order {
		for _, e := range c.once(ctx, m, b).Events {
			if id, v, problem := identity(e.JSON); problem == "" {
				again[id] = v
			}
		}
	}
	if !reflect.DeepEqual(again, content) && len(got.Problems) == 0 {
		got.Problems = append(got.Problems, fmt.Sprintf("twice and in another order (seed %d) other events came out", seed))
	}
	return got
}

func (c *Case) once(ctx context.Context, m *Mapping, b Body) Result {
	return m.Map(ctx, Till{Name: m.Name, Settings: c.beside.Set}, Input{Body: b.Text, Headers: c.beside.Headers,
		Kind: c.beside.Kind, Received: c.beside.Received})
}

func identity(event []byte) (id string, v any, problem string) {
	values, err := readJSON(event)
	if err != nil || len(values) != 1 {
		return "", nil, fmt.Sprintf("%s is no event of one line", cut(string(event)))
	}
	e, _ := values[0].(map[string]any)
	id, _ = e["id"].(string)
	return id, e, ""
}

// compare holds events, by their id, and refusals against what was wanted.
func (c *Case) compare(got map[string]any, refusals []Refusal) []string {
	if !c.Written {
		return []string{"there is neither " + c.Name + ".want.ndjson nor " + c.Name + ".refused.txt (--write makes it)"}
	}
	var problems []string
	wanted := map[string]bool{}
	for i, line := range c.Want {
		id, want, problem := identity(line)
		if problem != "" {
			problems = append(problems, fmt.Sprintf("%s.want.ndjson, line %d: it is no event", c.Name, i+1))
			continue
		}
		wanted[id] = true
		v, there := got[id]
		switch {
		case !there:
			problems = append(problems, fmt.Sprintf("%s.want.ndjson, line %d: %s didn't come", c.Name, i+1, id))
		case !reflect.DeepEqual(v, want):
			problems = append(problems, id+" is other than wanted:"+differences(want, v))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		if !wanted[id] {
			problems = append(problems, id+" came, and isn't wanted")
		}
	}
	missing := slices.Clone(c.Refused)
	for _, r := range refusals {
		if i := slices.Index(missing, r.Code); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
			continue
		}
		problems = append(problems, r.String())
	}
	for _, code := range missing {
		problems = append(problems, code+" should have been refused")
	}
	return problems
}

// differences are the members of two events that differ, each with its place and both values.
func differences(want, got any) string {
	var b strings.Builder
	differ(&b, "", want, got)
	return b.String()
}

func differ(b *strings.Builder, pointer string, want, got any) {
	w, is := want.(map[string]any)
	g, too := got.(map[string]any)
	if is && too {
		names := maps.Clone(w)
		maps.Copy(names, g)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			differ(b, pointer+"/"+pointerEscapes.Replace(name), w[name], g[name])
		}
		return
	}
	x, is := want.([]any)
	y, too := got.([]any)
	if is && too && len(x) == len(y) {
		for i := range x {
			differ(b, fmt.Sprintf("%s/%d", pointer, i), x[i], y[i])
		}
		return
	}
	if !reflect.DeepEqual(want, got) {
		fmt.Fprintf(b, "\n    %s: wanted %s, got %s", pointer, asLine(want), asLine(got))
	}
}

func asLine(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return show(v)
	}
	return cut(string(text))
}

// MappingOf finds the one mapping of a folder of cases.
func MappingOf(folder fs.FS) (string, error) {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return "", err
	}
	files = slices.DeleteFunc(files, func(f string) bool { return f == "till.yaml" || strings.HasSuffix(f, ".till.yaml") })
	if len(files) != 1 {
		return "", fmt.Errorf("there are %d mappings in the folder, not one: %s", len(files), strings.Join(files, ", "))
	}
	return files[0], nil
}
