package wire

import (
	"unicode/utf8"

	"github.com/makegood/makegood/domain"
)

// AppendEvent appends e as a CloudEvent in structured mode. e.Data must be of e.Type; nothing else is checked: what
// breaks the contract is written as it is, and refused by whoever reads it.
func AppendEvent(dst []byte, e *domain.Event) []byte {
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = appendString(dst, e.ID)
	dst = append(dst, `,"source":`...)
	dst = appendString(dst, e.Source)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, e.Type.String()...)
	dst = append(dst, `","time":`...)
	dst = appendMoment(dst, e.Time)
	if subject := subjectOf(e); subject != "" {
		dst = append(dst, `,"subject":`...)
		dst = appendString(dst, subject)
	}
	dst = append(dst, `,"data":`...)
	dst = AppendData(dst, e)
	return append(dst, '}')
}

// AppendData appends the data of e alone: the body of binary mode.
func AppendData(dst []byte, e *domain.Event) []byte { return codecs[e.Type].write(dst, e) }

// AttributesOf are the attributes of e: the headers of binary mode.
func AttributesOf(e *domain.Event) Attributes {
	return Attributes{
		SpecVersion: specVersion, ID: e.ID, Source: e.Source, Type: e.Type.String(), Subject: subjectOf(e),
		Time: string(appendTime(nil, e.Time)), DataContentType: "application/json",
	}
}

// subjectOf is what the event is about. Events of the books stream are about none.
func subjectOf(e *domain.Event) string {
	if e.Stream() == domain.Books {
		return ""
	}
	return e.Subject()
}

// appendString appends s as a JSON string: characters as they are, but for what JSON wants escaped. What isn't UTF-8
// becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[done:i]...)
				b = utf8.AppendRune(b, utf8.RuneError)
				done = i + 1
			}
			i += n
			continue
		}
		i++
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[done:i-1]...)
		done = i
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}
