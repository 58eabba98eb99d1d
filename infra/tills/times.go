package tills

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"
)

// This file has the functions of programs that read times. All give RFC 3339.

var timeFunctions = []function{
	{"in_zone", 1, 1, inZone},
	{"parse_time", 1, 2, parseTime},
	{"unix_time", 0, 0, func(_ *machine, in any, _ []any) any { return sinceEpoch(in, 1000) }},
	{"unix_millis", 0, 0, func(_ *machine, in any, _ []any) any { return sinceEpoch(in, 1) }},
	{"unix_micros", 0, 0, func(_ *machine, in any, _ []any) any { return sinceEpochMicros(in) }},
	{"excel_time", 1, 1, excelTime},
	{"utc", 0, 0, utc},
	{"minutes_since", 1, 1, minutesSince},
}

// forms are the local times that in_zone knows, in Go's way of writing them.
var forms = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

// offsets are forms with a zone of their own, which in_zone leaves alone.
var offsets = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05-0700",
	"2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-07", "2006-01-02 15:04:05-07", "2006-01-02 15:04:05 UTC",
}

func zoneOf(v any) (*time.Location, error) {
	name, is := v.(string)
	if !is || name == "" {
		return nil, fmt.Errorf("%s is no zone, such as Europe/Berlin", show(v))
	}
	if name == "Local" {
		return nil, errors.New("no zone is called Local, which is that of a machine: name one, such as Europe/Berlin")
	}
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		t, err := time.Parse("-07:00", name)
		if err != nil {
			return nil, fmt.Errorf("%s is no zone, such as +02:00", show(v))
		}
		return t.Location(), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%s is no zone, such as Europe/Berlin", show(v))
	}
	return zone, nil
}

// inZone makes a local time RFC 3339. A time that has an offset of its own keeps it.
func inZone(_ *machine, in any, args []any) any {
	s, is := in.(string)
	if !is {
		return fmt.Errorf("%s is no time", show(in))
	}
	s = strings.TrimSpace(s)
	for _, form := range offsets {
		if t, err := time.Parse(form, s); err == nil {
			return t.Format(time.RFC3339Nano)
		}
	}
	zone, err := zoneOf(args[0])
	if err != nil {
		return err
	}
	for _, form := range forms {
		if t, err := time.Parse(form, s); err == nil {
			return local(t, zone, in)
		}
	}
	return &failure{code: CodeProgram, reason: show(in) + " is no time of the form 2006-01-02T15:04:05",
		hint: `say its form: the setting date_form, where there is one, or parse_time("DD.MM.YYYY hh:mm"; zone)`}
}

// letters of a form, and what Go calls them. The longest come first. Numbers of two digits may have one.
var letters = strings.NewReplacer(
	"YYYY", "2006", "YY", "06", "MMMM", "January", "MMM", "Jan", "MM", "1", "DD", "2", "D", "2", "dddd", "Monday",
	"ddd", "Mon", "HH", "3", "hh", "15", "mm", "4", "ss", "5", "AM", "PM", "am", "pm", "ZZ", "Z07:00", "Z", "-0700",
)

// layoutOf is a form as Go writes it. Without AM or am there is no other half of the day, and HH is hh.
func layoutOf(form string) string {
	if !strings.Contains(form, "AM") && !strings.Contains(form, "am") {
		form = strings.ReplaceAll(form, "HH", "hh")
	}
	return letters.Replace(form)
}

// parseTime reads a time by its form, see letters; a fraction may follow the seconds. A form without an offset wants a
// zone.
func parseTime(_ *machine, in any, args []any) any {
	s, is := in.(string)
	form, too := args[0].(string)
	if !is || !too {
		return fmt.Errorf("parse_time wants a text and a form, not %s and %s", show(in), show(args[0]))
	}
	layout, zone := layoutOf(form), (*time.Location)(nil)
	var err error
	switch {
	case len(args) > 1:
		if zone, err = zoneOf(args[1]); err != nil {
			return err
		}
	case strings.Contains(layout, "-0700"), strings.Contains(layout, "Z07:00"):
		zone = time.UTC
	default:
		return &failure{code: CodeProgram, reason: "the form " + show(form) + " has no offset, and no zone is given",
			hint: "parse_time(form; $till.zone)"}
	}
	t, err := time.Parse(layout, strings.TrimSpace(s))
	switch {
	case err != nil:
		return fmt.Errorf("%s is no time of the form %s", show(s), show(form))
	case strings.Contains(layout, "-0700"), strings.Contains(layout, "Z07:00"):
		return t.Format(time.RFC3339Nano) // its own offset says which moment it is
	}
	return local(t, zone, in)
}

// local is the moment at which the clocks of a zone show a time. Of two, as clocks are put back, it is the first:
// nobody knows which, and money doesn't change by an hour. A time that they never show, since they were put forward, is
// refused. Midnight stands for a day, which begins with the first moment that it has.
func local(clock time.Time, zone *time.Location, said any) any {
	clock = clock.UTC()
	day := clock.Hour() == 0 && clock.Minute() == 0 && clock.Second() == 0
	t, shown := shownBy(clock, zone)
	if !shown && day {
		next := clock
		for !shown && next.Sub(clock) < 24*time.Hour {
			next = next.Add(time.Minute)
			t, shown = shownBy(next, zone)
		}
	}
	if !shown {
		return &failure{code: CodeProgram, reason: fmt.Sprintf("%s is a time that %s skipped, as clocks were put forward",
			show(said), zone), hint: "another zone, UTC say, or a clock that wasn't put forward"}
	}
	return t.Format(time.RFC3339Nano)
}

// shownBy is the first moment at which the clocks of a zone show a time, which is given as if of UTC. It is by one of
// the offsets that the zone has a day before and a day after.
func shownBy(clock time.Time, zone *time.Location) (first time.Time, shown bool) {
	for _, days := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := clock.Add(days).In(zone).Zone()
		t := clock.Add(-time.Duration(offset) * time.Second).In(zone)
		_, has := t.Zone()
		if has == offset && (!shown || t.Before(first)) {
			first, shown = t, true
		}
	}
	return first, shown
}

// sinceEpoch reads units of so many milliseconds since 1970, a whole number or its digits.
func sinceEpoch(in any, millis int64) any {
	d, err := decimal(in)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(text(d), 10, 64)
	const most = 5_000_000_000_000 // milliseconds: 2128
	if err != nil || n < 0 || n > most/millis {
		hint := "milliseconds are read by unix_millis"
		if millis == 1 {
			hint = "seconds are read by unix_time"
		}
		return &failure{code: CodeProgram, reason: show(in) + " is no such time since 1970", hint: hint}
	}
	return time.UnixMilli(n * millis).UTC().Format(time.RFC3339Nano)
}

// excelTime reads a cell of a spreadsheet: days since the end of 1899, a local time, to the second. Where the cell is a
// text it is read by in_zone.
func excelTime(m *machine, in any, args []any) any {
	days, err := decimal(in)
	if err != nil {
		return inZone(m, in, args)
	}
	zone, err := zoneOf(args[0])
	if err != nil {
		return err
	}
	seconds := new(apd.Decimal)
	if _, err := arithmetic.Mul(seconds, days, apd.New(24*60*60, 0)); err != nil {
		return err
	}
	if seconds, err = rounded(seconds, 0); err != nil {
		return err
	}
	n, err := seconds.Int64()
	if err != nil || n < 61*24*60*60 || n > 80_000*24*60*60 { // before March 1900 it has a day that there wasn't
		return fmt.Errorf("%s is no date of a spreadsheet", show(in))
	}
	day, second := n/(24*60*60), n%(24*60*60)
	return local(time.Date(1899, 12, 30+int(day), 0, 0, int(second), 0, time.UTC), zone, in)
}

// sinceEpochMicros reads microseconds since 1970, a whole number or its digits.
func sinceEpochMicros(in any) any {
	d, err := decimal(in)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(text(d), 10, 64)
	if err != nil || n < 0 || n > 5_000_000_000_000_000 { // 2128
		return fmt.Errorf("%s is no number of microseconds since 1970", show(in))
	}
	return time.UnixMicro(n).UTC().Format(time.RFC3339Nano)
}

func moment(v any) (time.Time, error) {
	s, is := v.(string)
	if !is {
		return time.Time{}, fmt.Errorf("%s is no time", show(v))
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is no time of RFC 3339", show(v))
	}
	return t, nil
}

func utc(_ *machine, in any, _ []any) any {
	t, err := moment(in)
	if err != nil {
		return err
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// minutesSince is how many minutes, of 4 decimals, lie between the argument and the input, which is later.
func minutesSince(_ *machine, in any, args []any) any {
	to, err := moment(in)
	if err != nil {
		return err
	}
	from, err := moment(args[0])
	if err != nil {
		return err
	}
	seconds, err := decimal(strconv.FormatInt(int64(to.Sub(from)/time.Millisecond), 10))
	if err != nil {
		return err
	}
	minute, err := decimal("60000")
	if err != nil {
		return err
	}
	q, err := divided(seconds, minute, []any{4})
	if err != nil {
		return err
	}
	return text(trimmed(q, 0))
}
