package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkSource fails where s is no URI-reference (RFC 3986) of 1 to 1024 characters. Letters beyond ASCII are taken as
// they are (RFC 3987), because tills in Zürich write them.
func (d *Decoder) checkSource(s string) {
	if s == "" {
		d.fail(CodeTooShort, "a source has at least one character")
		return
	}
	if len(s) > maxSource {
		if n := utf8.RuneCountInString(s); n > maxSource {
			d.fail(CodeTooLong, "%d characters: a source has at most %d", n, maxSource)
			return
		}
	}
	scheme := true    // what has been read so far could be a scheme
	fragment := false // the # was there
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if unicode.IsControl(r) || unicode.IsSpace(r) {
				d.fail(CodeBadURI, "%U has no place in a URI-reference", r)
				return
			}
			i += n - 1
			scheme = false
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				d.fail(CodeBadURI, "a %% in a URI-reference is followed by two hexadecimal digits")
				return
			}
			scheme = false
		case c == ':':
			if scheme && i > 0 {
				scheme = false
				continue
			}
			// RFC 3986, 4.2: a relative reference's first segment has no colon.
			if !strings.ContainsAny(s[:i], ":/?#") {
				d.fail(CodeBadURI, "%s is no scheme of a URI", quote(s[:i]))
				return
			}
		case uriChars[c] == 0 || c == '#' && fragment:
			d.fail(CodeBadURI, "%q has no place in a URI-reference", rune(c))
			return
		default:
			fragment = fragment || c == '#'
			scheme = scheme && (uriChars[c] == letter || (i > 0 && uriChars[c] == schemeChar))
		}
	}
}

const (
	letter     = 1
	schemeChar = 2
	otherChar  = 3
)

var uriChars = func() (table [256]byte) {
	for _, c := range "-._~:/?#[]@!$&'()*+,;=" {
		table[c] = otherChar
	}
	for _, c := range "0123456789+-." {
		table[c] = schemeChar
	}
	for c := 'a'; c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = letter, letter
	}
	return table
}()
