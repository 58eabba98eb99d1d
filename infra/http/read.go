package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/shadow"
)

// Books are what the read side asks. Errors: ledger.ErrNotFound, *report.SeveralCurrenciesError,
// *report.RateMissingError.
type Books interface {
	Leakage(context.Context, report.LeakageQuery) (*report.Leakage, error)
	Order(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error)
	Case(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error)
	Status(context.Context) (*Status, error)
	Unpriced(ctx context.Context, limit int) ([]report.UnpricedEvent, error)
	DeadLetters(ctx context.Context, limit int) ([]deadletter.Letter, error)
	DeadLetter(ctx context.Context, id string) (*deadletter.Letter, error)
	// Replay sends a dead letter's bytes again, to where they came from. Its error may be a *deadletter.NoReplayError.
	Replay(ctx context.Context, id string, by Actor) error
	// Discard takes a dead letter off the list; it stays to be read.
	Discard(ctx context.Context, id string, by Actor) error
	// Closes are a period's closes as the log has them, the first at first.
	Closes(ctx context.Context, period domain.Period) ([]domain.Closing, error)
	// Tills are those that are configured here, by name, and how it goes with them.
	Tills(context.Context) ([]TillStatus, error)
	Doubts
	Finance
	Numbers
	Insight
	Trail
	Rebuilds
	People
}

// Status is how far the books are. CaughtUp: all that was acknowledged before the request is booked and visible.
type Status struct {
	CaughtUp    bool            `json:"caught_up"`
	Topics      []TopicProgress `json:"topics"`
	Events      uint64          `json:"events"`
	DeadLetters uint64          `json:"dead_letters"`
	Unpriced    uint64          `json:"unpriced"`
	Conflicts   uint64          `json:"conflicts"`

	Doubles        uint64 `json:"doubles"`        // events that say what another one says
	Contradictions uint64 `json:"contradictions"` // events that say otherwise than another one, and wait
	VoidsNothing   uint64 `json:"voids_nothing"`  // voids whose original is not in the books
	Flagged        uint64 `json:"flagged"`        // what can't be right

	Gaps     []post.Gap   `json:"gaps"`     // what the store has lost, and what is being read again from the log
	Problems []LogProblem `json:"problems"` // what is not as it was with the log
}

// LogProblem is something about a topic that the books can't do with. Kind is a stable code: topic_remade,
// topic_compacted, books_split.
type LogProblem struct {
	Kind   string `json:"kind"`
	Topic  string `json:"topic"`
	Reason string `json:"reason"`
}

// TopicProgress is one partition: End is the offset that its next record will have, Booked the offset up to which all
// records are in the books (or are dead letters), and Checked the offset up to which all of them were checked for an
// identity that has come with another content, or an order that another event places.
type TopicProgress struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	End       int64  `json:"end"`
	Booked    int64  `json:"booked"`
	Checked   int64  `json:"checked"`
}

// maxListed bounds lists that aren't paged.
const maxListed = 1000

// readRoutes adds the read side to the routes.
func (s *Server) readRoutes(b Books) {
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request) error) {
		scope := Read
		switch {
		case slices.Contains(peoplePatterns(), pattern):
			scope = SeePeople
		case pattern == reconcilePattern:
			scope = Operate
		case !strings.HasPrefix(pattern, "GET "):
			scope = KeepBooks
		}
		s.Handle(pattern, scope, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err := wellFormed(r)
			if err == nil {
				err = f(w, r)
			}
			if err != nil {
				answerError(w, r, err, s.cfg.Logger)
			}
		}))
	}
	handle("GET /v1/status", plain(func(w http.ResponseWriter, r *http.Request) error {
		status, err := b.Status(r.Context())
		return answer(w, status, err)
	}))
	handle("GET /v1/reports/leakage", func(w http.ResponseWriter, r *http.Request) error {
		return leakage(w, r, b)
	})
	story := func(read func(context.Context, string, report.AsOf) (*report.Story, error)) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			q := r.URL.Query()
			if err := onlyParameters(q, "as_of"); err != nil {
				return err
			}
			at, err := asOf(r.Context(), q.Get("as_of"), b)
			if err != nil {
				return err
			}
			story, err := read(r.Context(), r.PathValue("id"), at)
			return answer(w, story, err)
		}
	}
	handle("GET /v1/orders/{id}", story(b.Order))
	handle("GET /v1/cases/{id}", story(b.Case))
	financeRoutes(b, handle)
	auditRoutes(b, handle)
	numberRoutes(b, handle)
	insightRoutes(b, handle)
	handle(reconcilePattern, func(w http.ResponseWriter, r *http.Request) error { return s.reconcile(w, r, b) })
	rebuildRoutes(b, handle)
	handle("GET /v1/unpriced", func(w http.ResponseWriter, r *http.Request) error { return unpriced(w, r, b) })
	doubtRoutes(b, handle)
	deadLetterRoutes(b, handle)
	handle("GET /v1/tills", plain(func(w http.ResponseWriter, r *http.Request) error {
		tills, err := b.Tills(r.Context())
		return answer(w, map[string]any{"tills": tills}, err)
	}))
	personRoutes(b, handle)
}

// unpriced answers with the events that lack a rate.
func unpriced(w http.ResponseWriter, r *http.Request, b Books) error {
	q := r.URL.Query()
	if err := onlyParameters(q, "format"); err != nil {
		return err
	}
	format, err := formatOf(q)
	if err != nil {
		return err
	}
	events, err := b.Unpriced(r.Context(), maxListed)
	if err != nil {
		return err
	}
	return answerAs(w, format, map[string]any{"unpriced": events}, "unpriced",
		func() *table { return unpricedTable(events) })
}

// deadLetterRoutes adds the dead letters: what could not be booked, and what may be done about it.
func deadLetterRoutes(b Books, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/deadletters", plain(func(w http.ResponseWriter, r *http.Request) error {
		letters, err := b.DeadLetters(r.Context(), maxListed)
		return answer(w, map[string]any{"dead_letters": letters}, err)
	}))
	handle("GET /v1/deadletters/{id}", plain(func(w http.ResponseWriter, r *http.Request) error {
		d, err := b.DeadLetter(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		return answer(w, struct {
			*deadletter.Letter
			Key     string            `json:"key"`
			Headers map[string]string `json:"headers"`
			Payload []byte            `json:"payload"` // base64: what came need not be text
		}{d, d.Key, d.Headers, d.Payload}, nil)
	}))
	handle("POST /v1/deadletters/{id}/replay", plain(func(w http.ResponseWriter, r *http.Request) error {
		by, err := actorOf(w, r)
		if err != nil {
			return err
		}
		if err := b.Replay(r.Context(), r.PathValue("id"), by); err != nil {
			return err
		}
		writeJSON(w, http.StatusAccepted, map[string]string{"replayed": r.PathValue("id")})
		return nil
	}))
	handle("POST /v1/deadletters/{id}/discard", plain(func(w http.ResponseWriter, r *http.Request) error {
		by, err := actorOf(w, r)
		if err != nil {
			return err
		}
		if err := b.Discard(r.Context(), r.PathValue("id"), by); err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, map[string]string{"discarded": r.PathValue("id")})
		return nil
	}))
}

// plain is a question without parameters.
func plain(f handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := onlyParameters(r.URL.Query()); err != nil {
			return err
		}
		return f(w, r)
	}
}

// wellFormed refuses what would otherwise be passed over in silence: parameters that can't be read, that stand twice,
// or a currency that no event can have.
func wellFormed(r *http.Request) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &report.Invalid{Code: report.Unreadable, Value: err.Error()}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) > 1 {
			return &report.Invalid{Code: report.GivenTwice, Value: name}
		}
	}
	for _, name := range []string{"currency", "translate_to"} {
		if text := values.Get(name); text != "" && !wire.IsCurrency(text) {
			return &report.Invalid{Code: report.NotACurrency, Parameter: name, Value: text}
		}
	}
	return nil
}

func answer(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// The status is sent; a reader that went away can't be told.
	_ = json.NewEncoder(w).Encode(v)
	return nil
}

// notOneOf says that a parameter has none of the values that it may have.
func notOneOf(parameter, value string, of ...string) error {
	return &report.Invalid{Code: report.NotOneOf, Parameter: parameter, Value: value, Of: of}
}

// badQuery is a question that can't be answered as it stands.
type badQuery struct{ reason string }

func (e *badQuery) Error() string { return e.reason }

func leakage(w http.ResponseWriter, r *http.Request, b Books) error {
	q, err := leakageQuery(r, b)
	if err != nil {
		return err
	}
	format, err := formatOf(r.URL.Query())
	if err != nil {
		return err
	}
	found, err := b.Leakage(r.Context(), q)
	if err != nil {
		return err
	}
	return answerAs(w, format, found, "leakage", func() *table { return leakageTable(found) }, ratesSheet(found)...)
}

// formatOf is the format that a report is asked for in; json where none is named.
func formatOf(q url.Values) (string, error) {
	switch format := q.Get("format"); format {
	case "":
		return "json", nil
	case "json", "csv", "xlsx":
		return format, nil
	default:
		return "", notOneOf("format", format, "json", "csv", "xlsx")
	}
}

// answerAs answers in a format: with the report itself, or with its table in a file of that name; a workbook has
// further sheets where there are any.
func answerAs(w http.ResponseWriter, format string, found any, name string, of func() *table, further ...sheet) error {
	switch format {
	case "csv":
		return of().csv(w, name)
	case "xlsx":
		return workbook(w, name, append([]sheet{{name, of()}}, further...)...)
	default:
		return answer(w, found, nil)
	}
}

// The first and the last day that the books know: what from and to are where a report doesn't say.
var (
	firstDay = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDay  = time.Date(2149, 6, 6, 0, 0, 0, 0, time.UTC)
)

// days reads from and to, which may be left out.
func days(values url.Values) (from, to time.Time, err error) {
	read := func(name string, otherwise time.Time) (time.Time, error) {
		text := values.Get(name)
		if text == "" {
			return otherwise, nil
		}
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return t, &report.Invalid{Code: report.NotADay, Parameter: name, Value: text}
		}
		if t.Before(firstDay) || t.After(lastDay) {
			return t, &report.Invalid{Code: report.BeyondTheDays, Parameter: name, Value: text,
				Of: []string{firstDay.Format(time.DateOnly), lastDay.Format(time.DateOnly)}}
		}
		return t, nil
	}
	if from, err = read("from", firstDay); err != nil {
		return from, to, err
	}
	if to, err = read("to", lastDay); err != nil {
		return from, to, err
	}
	if !from.Before(to) {
		return from, to, &report.Invalid{Code: report.EmptySpan}
	}
	return from, to, nil
}

var leakageParameters = map[string]bool{"from": true, "to": true, "group_by": true, "view": true, "period_by": true,
	"as_of": true, "currency": true, "translate_to": true, "format": true}

func leakageQuery(r *http.Request, b Books) (report.LeakageQuery, error) {
	values := r.URL.Query()
	for name := range values {
		if !leakageParameters[name] && !slices.Contains(report.LeakageKeys(), name) {
			return report.LeakageQuery{}, &report.Invalid{Code: report.UnknownParameter, Value: name}
		}
	}
	q := report.LeakageQuery{View: "economic", PeriodBy: "occurred", Currency: values.Get("currency"),
		TranslateTo: values.Get("translate_to")}
	var err error
	if q.From, q.To, err = days(values); err != nil {
		return q, err
	}
	if text := values.Get("group_by"); text != "" {
		q.GroupBy = strings.Split(text, ",")
	}
	for _, key := range report.LeakageKeys() {
		if values.Has(key) {
			if q.Only == nil {
				q.Only = map[string]string{}
			}
			q.Only[key] = values.Get(key)
		}
	}
	if text := values.Get("view"); text != "" {
		q.View = text
	}
	if text := values.Get("period_by"); text != "" {
		q.PeriodBy = text
	}
	if q.AsOf, err = asOf(r.Context(), values.Get("as_of"), b); err != nil {
		return q, err
	}
	if err := q.Validate(); err != nil {
		return q, err
	}
	for _, key := range report.PersonKeys() {
		if slices.Contains(q.GroupBy, key) || values.Has(key) {
			if !grantOf(r).Has(SeePeople) {
				return q, NewProblem(http.StatusForbidden, ProblemForbidden, "%s takes the scope %s too", key, SeePeople)
			}
		}
	}
	return q, nil
}

// asOf reads a time, close:YYYY-MM for a month's last close, or close:YYYY-MM/N for its Nth.
func asOf(ctx context.Context, text string, b Books) (report.AsOf, error) {
	if text == "" {
		return report.AsOf{}, nil
	}
	which, isClose := strings.CutPrefix(text, "close:")
	if !isClose {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return report.AsOf{}, &report.Invalid{Code: report.NotAMoment, Parameter: "as_of", Value: text}
		}
		return report.AsOf{Time: t}, nil
	}
	c, err := findClose(ctx, "as_of", which, b)
	return report.AsOf{Close: c}, err
}

// findClose finds the close that a parameter names: YYYY-MM or YYYY-MM/N.
func findClose(ctx context.Context, parameter, text string, b Books) (*report.Close, error) {
	c, err := report.FindClose(text, func(p domain.Period) ([]domain.Closing, error) { return b.Closes(ctx, p) })
	var none *report.Invalid
	if errors.As(err, &none) {
		none.Parameter = parameter
		return nil, none
	}
	return &c, err
}

// answerError turns an error into problem JSON.
func answerError(w http.ResponseWriter, r *http.Request, err error, logger *slog.Logger) {
	var query *badQuery
	var invalid *report.Invalid
	var currencies *report.SeveralCurrenciesError
	var noReplay *deadletter.NoReplayError
	var noCase *report.NoCaseError
	var rate *report.RateMissingError
	var problem *Problem
	switch {
	case errors.As(err, &problem):
		WriteProblem(w, problem)
	case errors.Is(err, shadow.ErrUnderWay), errors.Is(err, shadow.ErrNotReady),
		errors.Is(err, shadow.ErrStale), errors.Is(err, ErrNoRebuilds):
		writeProblem(w, r, http.StatusConflict, ProblemNoRebuild, err.Error(), noRebuild(err))
	case errors.As(err, &noReplay):
		writeProblem(w, r, http.StatusConflict, ProblemNoReplay, noReplay.Error(), map[string]any{"reason": noReplay.Reason})
	case errors.As(err, &noCase):
		writeProblem(w, r, http.StatusNotFound, ProblemNotFound, noCase.Error(), map[string]any{"events": noCase.Events})
	case errors.Is(err, ledger.ErrNotFound):
		writeProblem(w, r, http.StatusNotFound, ProblemNotFound, "The books hold nothing under that id.", nil)
	case errors.As(err, &invalid):
		writeProblem(w, r, http.StatusBadRequest, ProblemBadQuery, invalid.Error(), fields(invalid))
	case errors.As(err, &query):
		writeProblem(w, r, http.StatusBadRequest, ProblemBadQuery, query.reason, nil)
	case errors.As(err, &currencies):
		writeProblem(w, r, http.StatusBadRequest, ProblemSeveralCurrencies, currencies.Error(),
			map[string]any{"currencies": currencies.Currencies})
	case errors.As(err, &rate):
		writeProblem(w, r, http.StatusConflict, ProblemRateMissing, rate.Error(), map[string]any{"missing": rate.Missing})
	case errors.Is(err, errNoRoom):
		p := NewProblem(http.StatusTooManyRequests, ProblemOverloaded,
			"too many bytes at once: nothing was done, ask again later")
		p.RetryAfter = gateRetry
		WriteProblem(w, p)
	case tookTooLong(r):
		p := NewProblem(http.StatusServiceUnavailable, ProblemUnavailable,
			"that took too long and was given up: ask for less, or later")
		p.RetryAfter = gateRetry
		WriteProblem(w, p)
	case r.Context().Err() != nil:
		// Nobody waits for the answer any more.
	default:
		logger.Error("a question could not be answered", "path", r.URL.Path, "error", err)
		writeProblem(w, r, http.StatusServiceUnavailable, ProblemUnavailable,
			"The books can't be read right now; see the log.", nil)
	}
}

// fields are what is wrong with a question, for machines: reason is one of the codes of report.Invalid.
func fields(e *report.Invalid) map[string]any {
	more := map[string]any{"reason": e.Code}
	if e.Parameter != "" {
		more["parameter"] = e.Parameter
	}
	if e.Value != "" {
		more["value"] = e.Value
	}
	if len(e.Of) > 0 {
		more["of"] = e.Of
	}
	return more
}

// noRebuild says to machines why a rebuild can't be begun or swapped in, and which is under way.
func noRebuild(err error) map[string]any {
	var under *shadow.UnderWayError
	switch {
	case errors.As(err, &under):
		return map[string]any{"reason": "under_way", "rebuild_id": under.Rebuild.ID, "state": under.Rebuild.State}
	case errors.Is(err, shadow.ErrUnderWay):
		return map[string]any{"reason": "under_way"}
	case errors.Is(err, shadow.ErrNotReady):
		return map[string]any{"reason": "not_ready"}
	case errors.Is(err, shadow.ErrStale):
		return map[string]any{"reason": "stale"}
	}
	return map[string]any{"reason": "none_here"}
}
