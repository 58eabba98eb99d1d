package kafka

import (
	"fmt"
	"maps"
	"slices"
)

// PublishError says which messages of a Publish are not known to be with all
// replicas. All others are. A message that failed may be in the log all the
// same, if the answer got lost on its way: sending it again may double it.
type PublishError struct {
	Topic string
	// Total is how many messages the call had.
	Total int
	// Failed has the error of each message that failed, by its index.
	Failed map[int]error
}

// Error counts the failures and shows the first.
func (e *PublishError) Error() string {
	if len(e.Failed) == 0 {
		return fmt.Sprintf("kafka: publishing to %q: none of %d messages failed", e.Topic, e.Total)
	}
	first := e.Indexes()[0]
	return fmt.Sprintf("kafka: publishing to %q: %d of %d messages failed, the first (index %d): %v",
		e.Topic, len(e.Failed), e.Total, first, e.Failed[first])
}

// Indexes are those of the messages that failed, in order.
func (e *PublishError) Indexes() []int { return slices.Sorted(maps.Keys(e.Failed)) }

// Unwrap gives the different errors, for errors.Is and errors.As.
func (e *PublishError) Unwrap() []error {
	var errs []error
	for _, i := range e.Indexes() {
		if err := e.Failed[i]; !slices.Contains(errs, err) {
			errs = append(errs, err)
		}
	}
	return errs
}

// Permanent reports whether every failure is about what a message says, so that
// no broker will ever take it.
func (e *PublishError) Permanent() bool {
	for _, err := range e.Failed {
		if !aboutContent(err) {
			return false
		}
	}
	return len(e.Failed) > 0
}
