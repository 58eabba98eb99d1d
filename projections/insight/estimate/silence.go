package estimate

import "time"

// HoursOfWeek are those of a source's habits, Monday 0:00 first.
const HoursOfWeek = 168

// SilentFrom is how many orders must have been expected since the last one for a source to be silent: exp(−12) × 200
// sources × 730 hours a month is 0.9.
const SilentFrom = 12

// Habits are what a source sent by hour of the week, from its first to its last order.
type Habits struct {
	Orders      [HoursOfWeek]uint64
	First, Last time.Time
}

// ExpectedSince is how many orders were to come after the last one until a moment, hours being those of its location.
func (h *Habits) ExpectedSince(until time.Time) float64 {
	weeks := h.Last.Sub(h.First).Hours() / HoursOfWeek
	var expected float64
	for at := h.Last.In(until.Location()); at.Before(until); {
		next := at.Truncate(time.Hour).Add(time.Hour)
		if next.After(until) {
			next = until
		}
		hour := (int(at.Weekday())+6)%7*24 + at.Hour()
		expected += float64(h.Orders[hour]) / weeks * next.Sub(at).Hours()
		at = next
	}
	return expected
}
