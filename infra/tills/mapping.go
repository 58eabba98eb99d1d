package tills

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed mappings/*.yaml
var builtIn embed.FS

const (
	maxMapping = 1 << 20 // bytes of a page of YAML
	maxDepth   = 200     // of what a till sends
)

// Mapping is a page of YAML, read and checked. It may be used by many at once.
type Mapping struct {
	Name, About string
	Settings    []Setting
	Kinds       []string // in the order in which they are tried

	sign   *signature
	read   reading
	tables map[string]any
	unwrap []*program
	each   *program
	fetch  *fetching // nil: its API isn't asked
	kinds  []*kind

	functions string // that all programs may call
	names     map[string]bool
}

// Setting is something that a till's configuration may say, and programs see in $till.
type Setting struct {
	Name, About, Default string
	Required             bool
	OneOf                []string // what it may be; none: anything
}

type kind struct {
	name, nothing string
	also          []string
	header        string
	when, events  *program
}

// MappingError says what is wrong in a mapping, and where.
type MappingError struct {
	File    string
	Line    int    // 0 where it is of the whole page
	Reason  string //
	Hint    string // "" where there is none
	Program string // the piece of jq, "" where it is none
}

func (e *MappingError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	b.WriteString(e.Reason)
	if e.Program != "" {
		fmt.Fprintf(&b, " in %s", cut(e.Program))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

func cut(s string) string {
	const most = 100
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// page is the YAML of a mapping.
type page struct {
	Name      string         `yaml:"name"`
	About     string         `yaml:"about"`
	Sign      *signaturePage `yaml:"sign"`
	Read      readingPage    `yaml:"read"`
	Settings  settingsPage   `yaml:"settings"`
	Tables    tables         `yaml:"tables"`
	Functions *source        `yaml:"functions"`
	Each      *source        `yaml:"each"`
	Unwrap    []source       `yaml:"unwrap"`
	Kinds     []kindPage     `yaml:"kinds"`
	Fetch     *fetchPage     `yaml:"fetch"`
}

type kindPage struct {
	Kind    string   `yaml:"kind"`
	Also    []string `yaml:"also"`
	About   string   `yaml:"about"`
	Header  string   `yaml:"header"`
	When    *source  `yaml:"when"`
	Events  *source  `yaml:"events"`
	Nothing string   `yaml:"nothing"`
	line    int
}

// UnmarshalYAML keeps the line, and refuses keys that there aren't.
func (k *kindPage) UnmarshalYAML(n *yaml.Node) error {
	type plainPage kindPage
	if err := knownKeys(n, "kind", "also", "about", "header", "when", "events", "nothing"); err != nil {
		return err
	}
	if err := n.Decode((*plainPage)(k)); err != nil {
		return err
	}
	k.line = n.Line
	return nil
}

// knownKeys refuses other keys of an object: a decoder within UnmarshalYAML has forgotten that it should.
func knownKeys(n *yaml.Node, keys ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: keys with values are expected: %s", n.Line, strings.Join(keys, ", "))
	}
	for i := 0; i < len(n.Content); i += 2 {
		if key := n.Content[i]; !slices.Contains(keys, key.Value) {
			near := nearest(key.Value, keys)
			if near != "" {
				near = ": do you mean " + near + "?"
			}
			return fmt.Errorf("line %d: there is no key %s here%s", key.Line, key.Value, near)
		}
	}
	return nil
}

// settingsPage keeps the order.
type settingsPage []Setting

// UnmarshalYAML reads settings by name.
func (s *settingsPage) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: settings: are names, each with about, default, required or one_of", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		one := Setting{Name: n.Content[i].Value}
		if !settingName.MatchString(one.Name) || one.Name == "name" {
			return fmt.Errorf("line %d: %q is no name of a setting", n.Content[i].Line, one.Name)
		}
		var page struct {
			About    string   `yaml:"about"`
			Default  string   `yaml:"default"`
			Required bool     `yaml:"required"`
			OneOf    []string `yaml:"one_of"`
		}
		if v := n.Content[i+1]; v.Tag != "!!null" {
			if err := knownKeys(v, "about", "default", "required", "one_of"); err != nil {
				return err
			}
			if err := v.Decode(&page); err != nil {
				return err
			}
		}
		if page.OneOf != nil && page.Default != "" && !slices.Contains(page.OneOf, page.Default) {
			return fmt.Errorf("line %d: the default of %s is none of one_of", n.Content[i].Line, one.Name)
		}
		one.About, one.Default, one.Required, one.OneOf = page.About, page.Default, page.Required, page.OneOf
		*s = append(*s, one)
	}
	return nil
}

var (
	settingName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)
	mappingName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}$`)
)

// BuiltIn are the names of the mappings that come with makegood.
func BuiltIn() []string {
	files, err := fs.Glob(builtIn, "mappings/*.yaml")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for i := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(files[i], "mappings/"), ".yaml")
	}
	return files
}

// loaded are the built-in mappings that were asked for, each a func() (*Mapping, error).
var loaded sync.Map

// Load reads a mapping: a built-in one by its name, or a file. A built-in one is compiled once for a process.
func Load(nameOrPath string) (*Mapping, error) {
	if mappingName.MatchString(nameOrPath) && slices.Contains(BuiltIn(), nameOrPath) {
		compiled, _ := loaded.LoadOrStore(nameOrPath, sync.OnceValues(func() (*Mapping, error) {
			text, err := builtIn.ReadFile("mappings/" + nameOrPath + ".yaml")
			if err != nil {
				return nil, err
			}
			return Parse(nameOrPath+".yaml", text)
		}))
		return compiled.(func() (*Mapping, error))()
	}
	f, err := os.Open(nameOrPath)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s is no file, and no mapping that is built in: %s", nameOrPath, strings.Join(BuiltIn(), ", "))
		}
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMapping+1))
	if err != nil {
		return nil, err
	}
	return Parse(nameOrPath, text)
}

// Parse reads a mapping. Errors are MappingErrors, or many of them joined.
func Parse(file string, text []byte) (*Mapping, error) {
	if len(text) > maxMapping {
		return nil, &MappingError{File: file, Reason: fmt.Sprintf("a mapping has at most %d bytes", maxMapping)}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var p page
	if err := d.Decode(&p); err != nil {
		return nil, asMappingError(file, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &MappingError{File: file, Reason: "a mapping is one YAML document"}
	}
	m, err := p.mapping()
	if err != nil {
		return nil, asMappingError(file, err)
	}
	return m, nil
}

func asMappingError(file string, err error) error {
	var of *yaml.TypeError
	if errors.As(err, &of) {
		var all []error
		for _, e := range of.Errors {
			all = append(all, lineIn(file, e))
		}
		return errors.Join(all...)
	}
	if joined, is := err.(interface{ Unwrap() []error }); is {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, asMappingError(file, e))
		}
		return errors.Join(all...)
	}
	var m *MappingError
	if errors.As(err, &m) {
		m.File = file
		return m
	}
	return lineIn(file, strings.TrimPrefix(err.Error(), "yaml: "))
}

// lineIn takes the line out of the YAML library's own message.
func lineIn(file, message string) *MappingError {
	e := &MappingError{File: file, Reason: message}
	if n, err := fmt.Sscanf(message, "line %d:", &e.Line); err == nil && n == 1 {
		_, e.Reason, _ = strings.Cut(message, ": ")
	}
	if found := unknownField.FindStringSubmatch(e.Reason); found != nil {
		e.Reason = fmt.Sprintf("there is no key %s here", found[1])
		if near := nearest(found[1], keysOf[found[2]]); near != "" {
			e.Reason += ": do you mean " + near + "?"
		}
	}
	for said, hint := range yamlHints {
		if strings.Contains(e.Reason, said) {
			e.Hint = hint
		}
	}
	return e
}

var unknownField = regexp.MustCompile(`^field (\S+) not found in type tills\.(\w+)$`)

// keysOf are the keys of the YAML that a type reads.
var keysOf = map[string][]string{
	"page":          yamlKeys(reflect.TypeFor[page]()),
	"readingPage":   yamlKeys(reflect.TypeFor[readingPage]()),
	"signaturePage": yamlKeys(reflect.TypeFor[signaturePage]()),
}

func yamlKeys(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// yamlHints are what most often is wrong where the YAML library says this.
var yamlHints = map[string]string{
	"mapping values are not allowed": "this line or the one above is indented by too many or too few spaces; a text with" +
		" a colon needs quotes",
	"did not find expected": "this line or one above is indented by too many or too few spaces, or a quote, [ or { is" +
		" not closed",
	"tab character":          "indent with spaces, not tabs",
	"cannot start any token": "indent with spaces, not tabs; a text that begins so needs quotes",
	"could not find expected ':'": "a key has a colon and a space behind it; a text of several lines is written below" +
		" its key, after |",
	"block sequence entries are not al": "a list begins on a line of its own, below its key",
}

func (p *page) mapping() (*Mapping, error) {
	m := &Mapping{Name: p.Name, About: p.About, Settings: p.Settings, tables: p.Tables, names: p.wordsOf()}
	var wrong []error
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	if !mappingName.MatchString(p.Name) {
		note(&MappingError{Reason: fmt.Sprintf("name: %q isn't made of small letters, digits, _ and -", p.Name)})
	}
	var err error
	m.sign, err = p.Sign.signature()
	note(err)
	m.read, err = p.Read.reading()
	note(err)
	build := func(s *source) *program {
		if s == nil {
			return nil
		}
		program, err := compile(*s, p.Functions)
		note(err)
		return program
	}
	if p.Functions != nil { // so that an error in it is told once
		if _, err := compile(source{text: ".", line: p.Functions.line}, p.Functions); err != nil {
			return nil, errors.Join(append(wrong, err)...)
		}
	}
	if p.Functions != nil {
		m.functions = p.Functions.text
	}
	m.each = build(p.Each)
	for i := range p.Unwrap {
		m.unwrap = append(m.unwrap, build(&p.Unwrap[i]))
	}
	if p.Fetch != nil {
		note(p.Fetch.check(p.Settings))
		m.fetch = &fetching{p.Fetch, build(p.Fetch.Thin), build(p.Fetch.First), build(p.Fetch.Next), build(p.Fetch.Since)}
	}
	if len(p.Kinds) == 0 {
		note(&MappingError{Reason: "kinds: there is none"})
	}
	seen := map[string]bool{}
	for i := range p.Kinds {
		k := &p.Kinds[i]
		for _, name := range append([]string{k.Kind}, k.Also...) {
			if seen[name] || name == "" {
				note(&MappingError{Line: k.line, Reason: fmt.Sprintf("kind: %q is there twice, or has no name", name)})
			}
			seen[name] = true
		}
		if (k.Events == nil) == (k.Nothing == "") {
			note(&MappingError{Line: k.line, Reason: "a kind has either events: or nothing:, which says why"})
		}
		m.Kinds = append(m.Kinds, k.Kind)
		m.kinds = append(m.kinds, &kind{name: k.Kind, also: k.Also, nothing: k.Nothing,
			header: strings.ToLower(k.Header), when: build(k.When), events: build(k.Events)})
	}
	return m, errors.Join(wrong...)
}
