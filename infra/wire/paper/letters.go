package paper

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"codeberg.org/go-fonts/dejavu/dejavusanscondensed"
	"codeberg.org/go-fonts/dejavu/dejavusanscondensedbold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// fonts are the fonts that letters are looked up in.
var fonts = sync.OnceValue(func() (all []*sfnt.Font) {
	for _, ttf := range [][]byte{dejavusanscondensed.TTF, dejavusanscondensedbold.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			panic(fmt.Sprintf("a font that is built in can't be read: %v", err))
		}
		all = append(all, f)
	}
	return all
})

// shown is text as it can be shown. Each kind of space becomes an ordinary one. A letter and its mark become one
// character, where Unicode has it. In place of a letter that the fonts lack, that is written from right to left or that
// can't be seen stands its number in Unicode.
func shown(text string) string {
	var b strings.Builder
	var buffer sfnt.Buffer
	for _, r := range norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD")) {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case unicode.IsGraphic(r) && !unicode.Is(unicode.M, r) && leftToRight(r) && inFonts(&buffer, r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "[U+%04X]", r)
		}
	}
	return b.String()
}

func leftToRight(r rune) bool {
	properties, _ := bidi.LookupRune(r)
	class := properties.Class()
	return class != bidi.R && class != bidi.AL && class != bidi.AN
}

// inFonts reports whether all fonts have the letter. The PDF's own tables know of 16 bits.
func inFonts(buffer *sfnt.Buffer, r rune) bool {
	if r > 0xFFFE {
		return false
	}
	for _, f := range fonts() {
		if i, err := f.GlyphIndex(buffer, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}
