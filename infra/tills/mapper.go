package tills

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/infra/wire"
)

// MaxBody is the largest body that is mapped, in bytes.
const MaxBody = 64 << 20

// Till is who sends, as it is configured.
type Till struct {
	Name     string            // events' source is //tills/NAME
	Settings map[string]string // store_id, currency, zone, and what the mapping's settings name
}

// Input is a body as it came.
type Input struct {
	Body     []byte
	Headers  map[string]string // of HTTP, in whatever case
	Kind     string            // names the kind; "": the header or the body tells
	Received time.Time
	// SkipThin leaves out the records that only name an object, since it is fetched: see Fetching.Thin.
	SkipThin bool
}

// Event is one that a body gave, valid by the contract.
type Event struct {
	Kind string
	JSON []byte // a CloudEvent
	Key  string // of Kafka: its subject
	Type string

	source, id string
}

// Result is what became of a body.
type Result struct {
	Events   []Event
	Refusals []Refusal
	Nothing  []string // kinds that say nothing, and why, of each body that was of one
}

// Map makes events of a body. It does no I/O, reads nothing beside its arguments, and is bounded in time and memory by
// the size of the body. ctx may end it earlier.
func (m *Mapping) Map(ctx context.Context, till Till, in Input) Result {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	run := &mapRun{m: m, till: till, in: in, said: map[string][sha256.Size]byte{}}
	run.checks.decoder = decoders.Get().(*wire.Decoder)
	if wrong := run.begin(ctx); wrong != nil {
		run.refuse(wrong, source{}, 0)
		return run.result
	}
	reading, wrong := m.read.ofTill(run.given.till)
	if wrong != nil {
		run.refuse(wrong, source{}, 0)
		return run.result
	}
	document, err := reading.document(in.Body)
	if err != nil {
		run.refuse(asFailure(err, CodeBadBody), source{}, 0)
		return run.result
	}
	run.document, run.checks.floats = document, document.floats
	run.machine.budget.allow(document, len(in.Body))
	for _, value := range document.values {
		records, wrong := run.records(value)
		for _, record := range records {
			if !in.SkipThin || !run.isThin(record) {
				run.record(record)
			}
		}
		if wrong != nil {
			run.refuse(wrong, m.each.source, 0)
		}
	}
	decoders.Put(run.checks.decoder) // not where something panics: nobody knows what it holds then
	return run.result
}

// mapRun is one body on its way.
type mapRun struct {
	m       *Mapping
	till    Till
	in      Input
	machine *machine
	given   input

	document *document
	number   int    // of the body
	kind     string // of the body
	rows     any    // the body, where its lines in the file are asked for
	result   Result
	checks   checker
	said     map[string][sha256.Size]byte // by the identity of an event that came out, what it says
}

func (r *mapRun) refuse(f *failure, s source, event int) {
	refusal := Refusal{Code: f.code, Reason: f.reason, Hint: f.hint, Record: r.number, Kind: r.kind, Program: f.site,
		Event: event, Pointer: f.pointer, Value: f.value, ID: f.id}
	if r.document != nil && r.rows != nil {
		refusal.FileLines = r.document.linesOf(r.rows)
		r.locate(f, &refusal)
	}
	if f.pointer != "" {
		refusal.Named = r.named(f.pointer, f.event)
	}
	if s.line > 0 {
		refusal.Line = s.lineOf(f.site)
		if f.site == "" {
			refusal.Line = s.lineOf(lastMember(f.pointer))
		}
	}
	r.result.Refusals = append(r.result.Refusals, refusal)
	if r.machine != nil && f.code == CodeRefused {
		r.machine.budget.stop = nil // the next body is another one
	}
}

// lastMember is the last name in a pointer, with the colon that it is written with.
func lastMember(pointer string) string {
	steps := strings.Split(pointer, "/")
	for i := len(steps) - 1; i > 0; i-- {
		if _, err := strconv.Atoi(steps[i]); err != nil {
			return steps[i] + ":"
		}
	}
	return ""
}

func (r *mapRun) begin(ctx context.Context) *failure {
	if len(r.in.Body) > MaxBody {
		return &failure{code: CodeTooLarge, reason: fmt.Sprintf("%d bytes: a body has at most %d", len(r.in.Body), MaxBody)}
	}
	settings, err := r.m.settings(r.till)
	if err != nil {
		return err
	}
	headers := map[string]any{}
	for k, v := range r.in.Headers {
		headers[strings.ToLower(k)] = v
	}
	r.given = input{till: settings, headers: headers, received: r.in.Received}
	r.machine = &machine{budget: newBudget(ctx, len(r.in.Body)), tables: r.m.tables}
	r.checks.source = "//tills/" + r.till.Name
	return nil
}

// standard are the settings that every till has.
var standard = []string{"store_id", "currency", "zone"}

// settings are what programs see in $till. A till is a store of its own where nobody says which one it is of.
func (m *Mapping) settings(till Till) (map[string]any, *failure) {
	if !mappingName.MatchString(till.Name) {
		return nil, &failure{code: CodeBadSetting,
			reason: fmt.Sprintf("the name of a till is made of small letters, digits, _ and -: not %s", show(till.Name))}
	}
	values := map[string]any{"name": till.Name, "store_id": till.Name, "currency": nil, "zone": nil}
	known := slices.Clone(standard)
	for _, s := range m.Settings {
		known = append(known, s.Name)
		if s.Required && till.Settings[s.Name] == "" {
			return nil, &failure{code: CodeBadSetting, reason: s.Name + " is not set", hint: s.About}
		}
		if s.Default != "" {
			values[s.Name] = s.Default
		} else if _, is := values[s.Name]; !is {
			values[s.Name] = nil
		}
	}
	for name, v := range till.Settings {
		if !slices.Contains(known, name) {
			return nil, &failure{code: CodeBadSetting, reason: fmt.Sprintf("%s has no setting %s", m.Name, show(name)),
				hint: "it has " + strings.Join(known, ", ")}
		}
		if v == "" {
			continue
		}
		if wrong := m.badSetting(name, v); wrong != nil {
			return nil, wrong
		}
		values[name] = v
	}
	return values, nil
}

// badSetting refuses a value that no program knows: a typing error there would change what all bodies say, silently.
func (m *Mapping) badSetting(name, value string) *failure {
	if name == "currency" && !wire.IsCurrency(value) {
		return &failure{code: CodeBadSetting, reason: "currency: " + show(value) + " is no code of ISO 4217, such as EUR"}
	}
	for _, s := range m.Settings {
		if s.Name == name && s.OneOf != nil && !slices.Contains(s.OneOf, value) {
			return &failure{code: CodeBadSetting, reason: fmt.Sprintf("%s is %s, not %s", name, strings.Join(s.OneOf, " or "),
				show(value)), hint: s.About}
		}
	}
	return nil
}

// records are what each: makes of a document; without it, what a list has, or the document. An each that is of objects,
// and so fails on a list of JSON, is of the elements of the list: any till's API, or whoever exports, may put many into
// one.
func (r *mapRun) records(document any) ([]any, *failure) {
	list, is := document.([]any)
	if r.m.each == nil {
		if is {
			return list, nil
		}
		return []any{document}, nil
	}
	r.given.envelope = document
	records, wrong := r.m.each.run(r.machine, document, &r.given)
	failedAtOnce := wrong != nil && wrong.code == CodeProgram && len(records) == 0 && r.machine.budget.stop == nil
	if !is || !failedAtOnce || r.m.read.formatOf(r.in.Body) != "json" {
		return records, wrong
	}
	for _, one := range list {
		r.given.envelope = one
		some, wrong := r.m.each.run(r.machine, one, &r.given)
		if records = append(records, some...); wrong != nil {
			return records, wrong
		}
	}
	return records, nil
}

func (r *mapRun) record(record any) {
	r.given.envelope, r.given.kind = record, nil
	bodies := []any{record}
	for _, p := range r.m.unwrap {
		values, wrong := p.run(r.machine, record, &r.given)
		if wrong != nil && r.machine.budget.stop != nil {
			r.number++
			r.rows = record
			r.refuse(wrong, p.source, 0)
			r.rows = nil
			return
		}
		values = slices.DeleteFunc(values, func(v any) bool { return v == nil })
		if wrong == nil && len(values) > 0 {
			bodies = values
			break
		}
	}
	for _, body := range bodies {
		r.number++
		r.rows = body
		r.body(body)
		r.rows = nil
	}
}

func (r *mapRun) body(body any) {
	r.kind, r.given.kind = "", nil
	k, named, wrong, at := r.kindOf(body)
	if wrong != nil {
		r.refuse(wrong, at, 0)
		return
	}
	r.kind, r.given.kind = named, named
	if k.events == nil {
		r.result.Nothing = append(r.result.Nothing, named+": "+k.nothing)
		return
	}
	values, wrong := k.events.run(r.machine, body, &r.given)
	if wrong != nil {
		r.refuse(wrong, k.events.source, len(values)+1)
		return
	}
	var events []Event
	said := map[string][sha256.Size]byte{}
	refused := false
	for i, v := range values {
		e, wrong := r.checks.event(v)
		identity, content := e.source+"\x00"+e.id, sha256.Sum256(e.JSON)
		if wrong == nil {
			had, again := r.said[identity]
			if !again {
				had, again = said[identity]
			}
			if again && had == content {
				continue // it says the same again, and comes out once
			}
			if again {
				wrong = conflict(e)
			}
		}
		if wrong != nil {
			if id := idOf(v); id != "" {
				wrong.id = cut(id)
			}
			wrong.event = v
			r.refuse(wrong, k.events.source, i+1)
			refused = true
			continue
		}
		e.Kind = named
		said[identity] = content
		events = append(events, e)
	}
	if !refused {
		maps.Copy(r.said, said)
		r.result.Events = append(r.result.Events, events...)
	}
}

// idOf is the id that a program gave an event, "" where it has none.
func idOf(event any) string {
	e, _ := event.(map[string]any)
	return asString(e["id"])
}

// conflict refuses an event whose identity the document has given to another one, as the books would.
func conflict(e Event) *failure {
	return &failure{code: CodeConflict, pointer: "/id",
		reason: "an event before it has the id " + show(e.id) + " as well, and says something else",
		hint:   "an id is of one fact that doesn't change: put into it which one it is"}
}

// kindOf finds the kind of a body, and the name that it goes by.
func (r *mapRun) kindOf(body any) (k *kind, name string, wrong *failure, at source) {
	if r.in.Kind != "" {
		if k := r.m.kindNamed(r.in.Kind, ""); k != nil {
			return k, r.in.Kind, nil, source{}
		}
		return nil, "", r.m.unknownKind(fmt.Sprintf("there is no kind %s", show(r.in.Kind)), r.in.Kind), source{}
	}
	for _, k := range r.m.kinds {
		v, is := r.given.headers[k.header].(string)
		if k.header == "" || !is || v == "" {
			continue
		}
		if named := r.m.kindNamed(v, k.header); named != nil {
			return named, v, nil, source{}
		}
		return nil, "", r.m.unknownKind(fmt.Sprintf("the header %s names a kind that there isn't: %s", k.header, show(v)), v),
			source{}
	}
	var failed *failure
	for _, k := range r.m.kinds {
		if k.when == nil {
			continue
		}
		r.given.kind = k.name
		values, wrong := k.when.run(r.machine, body, &r.given)
		if wrong != nil && r.machine.budget.stop != nil {
			return nil, "", wrong, k.when.source
		}
		if wrong == nil && len(values) > 0 && values[0] != nil && values[0] != false {
			return k, k.name, nil, source{}
		}
		if wrong != nil && failed == nil {
			failed = wrong
			failed.hint = fmt.Sprintf("when of %s failed: %s", k.name, failed.reason)
		}
	}
	wrong = r.m.unknownKind("no kind of the mapping fits this body", "")
	if failed != nil {
		wrong.hint += "; " + failed.hint
	}
	return nil, "", wrong, source{}
}

// kindNamed is the kind that has exactly this name, else the first of those that take all names with its beginning.
// A star alone is for headers: a person who names a kind must name one that exists.
func (m *Mapping) kindNamed(name, header string) *kind {
	var begun *kind
	for _, k := range m.kinds {
		if header != "" && k.header != header {
			continue
		}
		if k.name == name || slices.Contains(k.also, name) {
			return k
		}
		if begun == nil && slices.ContainsFunc(k.also, func(also string) bool {
			beginning, is := strings.CutSuffix(also, "*")
			return is && strings.HasPrefix(name, beginning) && (header != "" || beginning != "")
		}) {
			begun = k
		}
	}
	return begun
}

func (m *Mapping) unknownKind(reason, said string) *failure {
	f := &failure{code: CodeUnknownKind, reason: reason, hint: "its kinds are " + strings.Join(m.Kinds, ", ")}
	if near := nearest(said, m.Kinds); said != "" && near != "" {
		f.hint = "do you mean " + near + "? " + f.hint
	}
	return f
}
