package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// cursor walks over JSON and takes its values as pieces of it. What isn't well-formed makes it bad, for good: then
// every object and every list is at its end.
type cursor struct {
	text  []byte
	at    int
	named int  // where the name that was read last begins, at its quote
	first bool // nothing has been read yet in the object or list that was entered last
	bad   bool
}

// kind is what kind of value stands next.
type kind uint8

const (
	kindNone kind = iota // the end, or no value
	kindNull
	kindBool
	kindNumber
	kindString
	kindObject
	kindList
)

var kindOf = func() (table [256]kind) {
	table['n'] = kindNull
	table['t'], table['f'] = kindBool, kindBool
	for _, c := range "-0123456789" {
		table[c] = kindNumber
	}
	table['"'], table['{'], table['['] = kindString, kindObject, kindList
	return table
}()

func (k kind) String() string {
	return [...]string{"that", "null", "true or false", "a number", "a string", "an object", "a list"}[k]
}

// next skips white space and tells what kind of value follows.
func (c *cursor) next() kind { return kindOf[c.peek()] }

// peek skips white space and returns the byte behind it; 0, which JSON doesn't have, at the end.
func (c *cursor) peek() byte {
	for c.at < len(c.text) {
		if b := c.text[c.at]; b > ' ' || isSpace[b] == 0 {
			return b
		}
		c.at++
	}
	return 0
}

var isSpace = [' ' + 1]byte{' ': 1, '\t': 1, '\n': 1, '\r': 1}

// enter steps into the object or list that comes next.
func (c *cursor) enter() {
	c.at++
	c.first = true
}

func (c *cursor) spoil() {
	c.bad = true
	c.at = len(c.text)
}

// more steps to the next element of a list, or the next name of an object; false at the end.
func (c *cursor) more(end byte) bool {
	b := c.peek()
	switch {
	case b == end:
		c.first = false
		c.at++
		return false
	case c.first:
		c.first = false
		return true
	case b == ',':
		c.at++
		return true
	}
	c.spoil()
	return false
}

// element steps to the next element of a list; false at its end. Something has to be read then.
func (c *cursor) element() bool { return c.more(']') && !c.bad }

// member steps to the next member of an object and returns its name, with the escapes in it; false at the object's end.
func (c *cursor) member() (name []byte, ok bool) {
	if !c.more('}') {
		return nil, false
	}
	if c.peek() != '"' {
		c.spoil()
		return nil, false
	}
	c.named = c.at
	name = c.string()
	if c.peek() != ':' {
		c.spoil()
		return nil, false
	}
	c.at++
	return name, true
}

// string steps over the string that comes next and returns what is between the quotes, with the escapes in it.
func (c *cursor) string() []byte {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	text, start := c.text, c.at+1
	for i := start; i < len(text); {
		// Eight bytes at once: is there a quote, a backslash or a control character among them?
		if i+8 <= len(text) {
			w := binary.LittleEndian.Uint64(text[i:])
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			// A byte's high bit is set where that byte was zero, or below a blank. Bytes above the first such may be wrong.
			found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & highs
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
		}
		switch b := text[i]; {
		case b == '"':
			c.at = i + 1
			return text[start:i]
		case b == '\\':
			n := escapeLength(text[i:])
			if n == 0 {
				c.spoil()
				return nil
			}
			i += n
		case b < ' ':
			c.spoil()
			return nil
		default:
			i++
		}
	}
	c.spoil()
	return nil
}

// escapeLength is how long the escape is that b begins with; 0 if it is none.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := unicodeEscape(b); ok {
			return 6
		}
	}
	return 0
}

// number steps over the number that comes next and returns its text.
func (c *cursor) number() []byte {
	text, start := c.text, c.at
	i := start
	if text[i] == '-' {
		i++
	}
	whole := i
	if i = digitsEnd(text, i); i == whole || (text[whole] == '0' && i > whole+1) {
		c.spoil()
		return nil
	}
	if i < len(text) && text[i] == '.' {
		fraction := i + 1
		if i = digitsEnd(text, fraction); i == fraction {
			c.spoil()
			return nil
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		exponent := i + 1
		if exponent < len(text) && (text[exponent] == '+' || text[exponent] == '-') {
			exponent++
		}
		if i = digitsEnd(text, exponent); i == exponent {
			c.spoil()
			return nil
		}
	}
	c.at = i
	return text[start:i]
}

func digitsEnd(text []byte, at int) int {
	for at < len(text) && text[at]-'0' <= 9 {
		at++
	}
	return at
}

// literal steps over null, true or false, whichever comes next.
func (c *cursor) literal() []byte {
	for _, word := range [...]string{"null", "true", "false"} {
		if end := c.at + len(word); end <= len(c.text) && string(c.text[c.at:end]) == word {
			c.at = end
			return c.text[end-len(word) : end]
		}
	}
	c.spoil()
	return nil
}

// scalar steps over the string, number or literal that comes next and returns its text, a string's with the quotes.
func (c *cursor) scalar(next kind) []byte {
	start := c.at
	switch next {
	case kindString:
		c.string()
	case kindNumber:
		c.number()
	default:
		c.literal()
	}
	if c.bad {
		return nil
	}
	return c.text[start:c.at]
}

// frame steps over the value that comes next, to read it later, and returns its text. It only looks for where it ends:
// whether it is well-formed shows when it is read.
func (c *cursor) frame() []byte {
	next := c.next()
	if next != kindObject && next != kindList {
		return c.scalar(next)
	}
	start, depth := c.at, 0
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case '"':
			c.string()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		c.at++
		if depth == 0 {
			return c.text[start:c.at]
		}
	}
	c.spoil()
	return nil
}

// done reports whether all of the text was read, and was well-formed.
func (c *cursor) done() bool { return c.peek() == 0 && c.at == len(c.text) && !c.bad }

// appendUnescaped appends the characters of a string whose escapes are sound.
func appendUnescaped(b, raw []byte) []byte {
	for {
		n := bytes.IndexByte(raw, '\\')
		if n < 0 || n+1 >= len(raw) {
			return append(b, raw...)
		}
		b = append(b, raw[:n]...)
		raw = raw[n:]
		r, ok := unicodeEscape(raw)
		switch {
		case !ok:
			b = append(b, shortEscape(raw[1]))
			raw = raw[2:]
		case utf16.IsSurrogate(r):
			low, _ := unicodeEscape(raw[6:])
			b = utf8.AppendRune(b, utf16.DecodeRune(r, low))
			raw = raw[12:]
		default:
			b = utf8.AppendRune(b, r)
			raw = raw[6:]
		}
	}
}

func shortEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c // a quote, a slash, a backslash
}

// loneSurrogate finds a \uD800 to \uDFFF that isn't half of a pair, beginning at the first backslash; -1 if there is
// none. It may be misled by what is no JSON at all.
func loneSurrogate(b []byte, at int) int {
	for at < len(b) {
		next := bytes.IndexByte(b[at:], '\\')
		if next < 0 || at+next+1 >= len(b) {
			return -1
		}
		at += next
		r, ok := unicodeEscape(b[at:])
		switch {
		case !ok:
			at += 2 // another escape: of a quote, a backslash…
		case !utf16.IsSurrogate(r):
			at += 6
		default:
			low, ok := unicodeEscape(b[min(at+6, len(b)):])
			if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
				return at
			}
			at += 12
		}
	}
	return -1
}

// unicodeEscape reads the \uXXXX that b begins with.
func unicodeEscape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		if !isHex(c) {
			return 0, false
		}
		r = r<<4 | rune(fromHex(c))
	}
	return r, true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func fromHex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
