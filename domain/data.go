package domain

import "time"

// Truth is a yes or no that may be unknown.
type Truth uint8

const (
	Unknown Truth = iota
	Yes
	No
)

// Promise is the time span in which the customer was told to have the goods; zero times are open ends.
type Promise struct {
	From, Until time.Time
}
