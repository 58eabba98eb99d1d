package tills

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What one document may take. Steps and weight grow with the document, and depend on nothing else: the same document
// with the same mapping is refused on every machine, or on none. maxTime is there for what gojq does in one step with a
// large text (.[1:] in a loop), and is far beyond what any document should take.
const (
	baseSteps     = 1_000_000
	stepsPerByte  = 100
	baseWeight    = 32 << 20 // bytes
	weightPerByte = 50
	maxTime       = time.Minute
	maxNesting    = 500 // of values that programs build, which other functions walk through recursively
)

// budget counts what the programs of one document take: steps of gojq's machine, and bytes that operators and functions
// make. It is the context that gojq runs with: gojq asks it once a step whether it is done. That bounds time without a
// clock, and nothing in a program (try, ?, //) can catch it.
type budget struct {
	parent        context.Context
	steps, weight int64
	stop          error
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func newBudget(ctx context.Context, size int) *budget {
	n := int64(size)
	return &budget{parent: ctx, steps: baseSteps + stepsPerByte*n, weight: baseWeight + weightPerByte*n}
}

// tableWalks is how often the programs may walk through all rows of a table, beside what its bytes allow: grouped,
// compared and told apart, mostly empty rows take more than their text.
const tableWalks = 6

// allow gives what a table takes more than a text of so many bytes.
func (b *budget) allow(d *document, bytes int) {
	more := int64(max(d.size-bytes, 0))
	b.steps += stepsPerByte * more
	b.weight += weightPerByte*more + tableWalks*int64(d.weight)
}

// Done is asked once a step.
func (b *budget) Done() <-chan struct{} {
	b.steps--
	switch {
	case b.stop != nil:
	case b.steps < 0:
		b.stop = &failure{code: CodeTooLong, reason: "the programs take more steps than a document of this size may",
			hint: "a loop that doesn't end, or one over the lines within one over the lines"}
	case b.steps&63 == 0 && b.parent.Err() != nil:
		b.stop = b.parent.Err()
	}
	if b.stop != nil {
		return closed
	}
	return nil
}

// Err says why it ended.
func (b *budget) Err() error { return b.stop }

// Deadline is the parent's.
func (b *budget) Deadline() (time.Time, bool) { return b.parent.Deadline() }

// Value has nothing: programs reach nothing.
func (b *budget) Value(any) any { return nil }

// charge takes bytes, or the time of walking through them, which is much the same.
func (b *budget) charge(bytes int) error {
	if b.weight -= int64(bytes); b.weight < 0 && b.stop == nil {
		b.stop = &failure{code: CodeTooMuch, reason: "the programs make more than a document of this size may hold",
			hint: "something that grows in a loop"}
	}
	return b.stop
}

// walk charges for a whole value, however often a part of it is in there.
func (b *budget) walk(v any) error { return b.walkAt(v, 0) }

func (b *budget) walkAt(v any, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("a value is nested deeper than %d", maxNesting)
	}
	if err := b.charge(shallow(v)); err != nil {
		return err
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := b.walkAt(e, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := b.walkAt(e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// shallow is what a value takes without what it holds, roughly, in bytes.
func shallow(v any) int {
	switch v := v.(type) {
	case string:
		return 16 + len(v)
	case []any:
		return 24 + 16*len(v)
	case map[string]any:
		return 48 + 48*len(v)
	}
	return 16
}

// failure is why a document, or an event of it, is refused; the place is added by who knows it.
type failure struct {
	code, reason, hint string
	site               string // the piece of the program, as gojq writes it
	pointer            string // into the event
	event              any    // that pointer is of, as the program made it
	value              string // what is there
	id                 string // of the event

	at       string // into the body, where the program says so
	on       any    // the input that a function failed on
	failedOn bool
}

func (f *failure) Error() string { return f.reason }

// asFailure finds the failure in an error, or makes one of it.
func asFailure(err error, code string) *failure {
	var f *failure
	if errors.As(err, &f) {
		c := *f
		return &c
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &failure{code: CodeTooLong, reason: "it was not done in time: " + err.Error()}
	}
	return &failure{code: code, reason: err.Error()}
}
