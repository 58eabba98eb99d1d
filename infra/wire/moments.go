package wire

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// The years that an event may speak of: what a day of the books can be counted in (days since 1970 in 16 bits).
const (
	firstYear = 1970
	lastYear  = 2148
)

var (
	firstMoment = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	endOfTime   = time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC)
)

func hashMoment(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return mix(uint64(t.UnixNano()) ^ tagTime)
}

// moment reads a time of RFC 3339 and keeps its zone; where dates are allowed, YYYY-MM-DD is midnight UTC.
func (d *Decoder) moment(dates bool) time.Time {
	s, ok := d.string()
	if !ok {
		return time.Time{}
	}
	return d.parseMoment(s, dates)
}

func (d *Decoder) parseMoment(s string, dates bool) time.Time {
	t, ok := d.parseTime(s, dates)
	switch {
	case !ok && dates:
		d.fail(CodeBadTime, "%s is neither a time of RFC 3339 nor a date YYYY-MM-DD", quote(s))
	case !ok:
		d.fail(CodeBadTime, "%s is no time of RFC 3339, such as 2026-01-31T09:30:00+01:00", quote(s))
	case t.Before(firstMoment) || !t.Before(endOfTime):
		d.fail(CodeBadTime, "%s is not in the years %d to %d", quote(s), firstYear, lastYear)
	}
	return t
}

// parseTime is time.Parse for RFC 3339 alone: it takes the letters in either case and allocates nothing but a zone
// that it hasn't seen before. What is finer than nanoseconds is cut off. A leap second, at the end of a month in UTC,
// is read as the second before it: it belongs to the day that it ends.
func (d *Decoder) parseTime(s string, dates bool) (time.Time, bool) {
	if len(s) < len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, false
	}
	if len(s) == len("2006-01-02") {
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), dates
	}
	if len(s) < len("2006-01-02T15:04:05Z") || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	hour, ok1 := digits(s[11:13])
	minute, ok2 := digits(s[14:16])
	second, ok3 := digits(s[17:19])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	leap := second == 60
	if leap {
		second = 59
	}
	nanos := 0
	rest := s[19:]
	if rest[0] == '.' {
		n := 1
		for scale := 100_000_000; n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; n++ {
			nanos += int(rest[n]-'0') * scale
			scale /= 10
		}
		if n == 1 || n == len(rest) {
			return time.Time{}, false
		}
		rest = rest[n:]
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if rest == "Z" || rest == "z" {
		return t, !leap || endsMonth(t)
	}
	if len(rest) != len("+00:00") || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' {
		return time.Time{}, false
	}
	zoneHour, ok1 := digits(rest[1:3])
	zoneMinute, ok2 := digits(rest[4:6])
	if !ok1 || !ok2 || zoneHour > 23 || zoneMinute > 59 {
		return time.Time{}, false
	}
	offset := zoneHour*60 + zoneMinute
	if rest[0] == '-' {
		offset = -offset
	}
	if offset == 0 {
		return t, !leap || endsMonth(t)
	}
	t = t.Add(-time.Duration(offset) * time.Minute)
	return t.In(d.zone(offset)), !leap || endsMonth(t)
}

// endsMonth says whether a time in UTC is in the last second before a leap second can be.
func endsMonth(t time.Time) bool {
	return t.Add(time.Second).Truncate(time.Second).Day() == 1 && t.Hour() == 23
}

// zone is the fixed zone so many minutes east; there are fewer than 2,880.
func (d *Decoder) zone(minutes int) *time.Location {
	if z, ok := d.zones[minutes]; ok {
		return z
	}
	if d.zones == nil {
		d.zones = map[int]*time.Location{}
	}
	z := time.FixedZone("", minutes*60)
	d.zones[minutes] = z
	return z
}

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// period reads a month YYYY-MM.
func (d *Decoder) period() (domain.Period, string) {
	s, ok := d.string()
	if !ok {
		return 0, ""
	}
	p, err := domain.ParsePeriod(s)
	if err != nil || p < firstPeriod || p > lastPeriod {
		d.fail(CodeBadPeriod, "%s is no month YYYY-MM of the years %d to %d", quote(s), firstYear, lastYear)
	}
	return p, s
}

const (
	firstPeriod domain.Period = firstYear * 12
	lastPeriod  domain.Period = lastYear*12 + 11
)

// appendMoment appends a time as a JSON string.
func appendMoment(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = appendTime(b, t)
	return append(b, '"')
}

// appendTime writes what parseTime reads. A zone of odd seconds can't be written in RFC 3339: UTC then.
func appendTime(b []byte, t time.Time) []byte {
	if _, offset := t.Zone(); offset%60 != 0 {
		t = t.UTC()
	}
	return t.AppendFormat(b, time.RFC3339Nano)
}
