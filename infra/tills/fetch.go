package tills

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// fetchPage is how a till's API is asked, as the YAML says it.
type fetchPage struct {
	Hosts   []string          `yaml:"hosts"`
	Auth    string            `yaml:"auth"`
	Header  string            `yaml:"header"`
	Headers map[string]string `yaml:"headers"`
	Every   time.Duration     `yaml:"every"`
	Thin    *source           `yaml:"thin"`
	First   *source           `yaml:"first"`
	Next    *source           `yaml:"next"`
	Since   *source           `yaml:"since"`
	line    int
}

// UnmarshalYAML keeps the line.
func (p *fetchPage) UnmarshalYAML(n *yaml.Node) error {
	type plainPage fetchPage
	if err := knownKeys(n, "hosts", "auth", "header", "headers", "every", "thin", "first", "next", "since"); err != nil {
		return err
	}
	p.line = n.Line
	return n.Decode((*plainPage)(p))
}

const defaultEvery = time.Hour

// hostName is a host in small letters; {setting} stands for the value of a setting.
var (
	hostName    = regexp.MustCompile(`^([a-z0-9-]+|\{[a-z][a-z0-9_]*\})(\.([a-z0-9-]+|\{[a-z][a-z0-9_]*\}))*$`)
	hostSetting = regexp.MustCompile(`\{([a-z0-9_]+)\}`)
	hostPart    = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*$`)
)

// check says what is wrong with the declaration itself.
func (p *fetchPage) check(settings []Setting) error {
	bad := func(format string, args ...any) error {
		return &MappingError{Line: p.line, Reason: "fetch: " + fmt.Sprintf(format, args...)}
	}
	for _, host := range p.Hosts {
		if !hostName.MatchString(host) {
			return bad("%q is no name of a host, such as api.example.com or {subdomain}.example.com", host)
		}
		for _, part := range hostSetting.FindAllStringSubmatch(host, -1) {
			if !slices.ContainsFunc(settings, func(s Setting) bool { return s.Name == part[1] }) {
				return bad("%s: there is no setting %s", host, part[1])
			}
		}
	}
	switch {
	case len(p.Hosts) == 0:
		return bad("hosts: names those that may be asked")
	case !slices.Contains([]string{"", "none", "bearer", "basic", "header"}, p.Auth):
		return bad("auth is none, bearer, basic or header, not %q", p.Auth)
	case (p.Auth == "header") != (p.Header != ""):
		return bad("header: is the one that the key is in where auth: header")
	case p.First == nil && p.Thin == nil:
		return bad("there is neither thin: nor first:")
	case p.First == nil && (p.Next != nil || p.Since != nil):
		return bad("next and since need first, the address to begin with")
	case p.Every < 0 || p.Every > 0 && p.Every < time.Minute:
		return bad("every is a minute or more, not %v", p.Every)
	}
	return nil
}

// fetching is a fetchPage that was checked.
type fetching struct {
	*fetchPage
	thin, first, next, since *program
}

// Fetching is how the API of one till is asked. It only says which addresses: it asks nothing itself. It may be used by
// many at once.
type Fetching struct {
	Hosts   []string // that may be asked, in small letters
	Auth    string   // bearer, basic (the key is user:password), header; none
	Header  string   // of auth header
	Headers map[string]string
	Every   time.Duration // how often what was missed is asked for; 0: never

	mapping  *Mapping
	programs *fetching
	till     Till
}

// Page is an answer of a till's API, as the programs that go from page to page see it.
type Page struct {
	URL          string
	Links        map[string]string // of the header Link, by rel
	Number       int               // of this run, from 1
	Since, Found string            // where the last run ended; what the pages before gave for that
	Body         []byte
}

// Fetching is what the mapping says of the till's API; nil where it says nothing.
func (m *Mapping) Fetching(till Till) (*Fetching, error) {
	if m.fetch == nil {
		return nil, nil
	}
	settings, wrong := m.settings(till)
	if wrong != nil {
		return nil, errors.New(wrong.reason)
	}
	f := &Fetching{Auth: m.fetch.Auth, Header: m.fetch.Header, Headers: m.fetch.Headers, mapping: m, programs: m.fetch,
		till: till}
	if m.fetch.first != nil {
		if f.Every = m.fetch.Every; f.Every == 0 {
			f.Every = defaultEvery
		}
	}
	for _, host := range m.fetch.Hosts {
		var missing error
		host = hostSetting.ReplaceAllStringFunc(host, func(name string) string {
			name = strings.Trim(name, "{}")
			value := strings.ToLower(asString(settings[name]))
			if !hostPart.MatchString(value) {
				missing = fmt.Errorf("%s is not set to a piece of the name of a host, which %s needs", name, host)
			}
			return value
		})
		if missing != nil {
			return nil, missing
		}
		f.Hosts = append(f.Hosts, host)
	}
	return f, nil
}

// Thin gives the addresses of what a body only names, none where the body is whole, or can't be read: that is for Map
// to say.
func (f *Fetching) Thin(ctx context.Context, in Input) ([]string, error) {
	if f.programs.thin == nil {
		return nil, nil
	}
	run := &mapRun{m: f.mapping, till: f.till, in: in}
	if run.begin(ctx) != nil {
		return nil, nil
	}
	document, err := f.mapping.read.document(in.Body)
	if err != nil {
		return nil, nil //nolint:nilerr // Map says so, with its place
	}
	var urls []string
	for _, value := range document.values {
		records, wrong := run.records(value)
		if wrong != nil {
			return nil, nil
		}
		for _, record := range records {
			run.given.envelope = record
			some, err := run.addresses(f.programs.thin, record)
			if err != nil {
				return nil, err
			}
			urls = append(urls, some...)
		}
	}
	return urls, nil
}

// isThin says whether a record only names its object.
func (r *mapRun) isThin(record any) bool {
	if r.m.fetch == nil || r.m.fetch.thin == nil {
		return false
	}
	r.given.envelope = record
	urls, err := r.addresses(r.m.fetch.thin, record)
	return err == nil && len(urls) > 0
}

// First is the address to begin with: since is where the last run ended, "" before the first. "": nothing to ask.
func (f *Fetching) First(ctx context.Context, since string) (string, error) {
	return f.one(ctx, f.programs.first, map[string]any{"since": orNull(since)}, 0)
}

// Next is the address of the page after this one; "": this is the last.
func (f *Fetching) Next(ctx context.Context, p *Page) (string, error) {
	if f.programs.next == nil {
		return "", nil
	}
	return f.ofPage(ctx, f.programs.next, p)
}

// Since is where the next run begins, as far as this page tells; "" where it doesn't.
func (f *Fetching) Since(ctx context.Context, p *Page) (string, error) {
	if f.programs.since == nil {
		return "", nil
	}
	return f.ofPage(ctx, f.programs.since, p)
}

func (f *Fetching) ofPage(ctx context.Context, program *program, p *Page) (string, error) {
	values, err := readJSON(p.Body)
	if err != nil {
		return "", err
	}
	links := map[string]any{}
	for rel, url := range p.Links {
		links[rel] = url
	}
	return f.one(ctx, program, map[string]any{"url": p.URL, "links": links, "number": p.Number, "since": orNull(p.Since),
		"found": orNull(p.Found), "body": values[0]}, len(p.Body))
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// one runs a program that gives a text, a whole number, or nothing.
func (f *Fetching) one(ctx context.Context, program *program, in map[string]any, size int) (string, error) {
	if program == nil {
		return "", nil
	}
	run := &mapRun{m: f.mapping, till: f.till, in: Input{Body: make([]byte, 0, size)}}
	if wrong := run.begin(ctx); wrong != nil {
		return "", errors.New(wrong.reason)
	}
	run.machine.budget = newBudget(ctx, size)
	texts, err := run.addresses(program, in)
	if err != nil || len(texts) == 0 {
		return "", err
	}
	return texts[0], nil
}

func (r *mapRun) addresses(p *program, in any) ([]string, error) {
	values, wrong := p.run(r.machine, in, &r.given)
	if wrong != nil {
		return nil, fmt.Errorf("line %d of the mapping: %s in %s", p.lineOf(wrong.site), wrong.reason, cut(wrong.site))
	}
	var texts []string
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			texts = append(texts, v)
		case int:
			texts = append(texts, fmt.Sprint(v))
		default:
			return nil, fmt.Errorf("line %d of the mapping: a text is expected, not %s", p.line, show(v))
		}
	}
	return texts, nil
}
