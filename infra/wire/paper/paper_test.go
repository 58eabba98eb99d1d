package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/wire/paper/papertest"
)

// TestPDFIsTheSameAgain: one document has one form, whatever the clock says, and a long table goes on over pages, its
// head on each of them.
func TestPDFIsTheSameAgain(t *testing.T) {
	d := Document{Title: "What it cost – 1,000.00 € für Größe", Foot: "foot", Created: time.Unix(1_700_000_000, 0),
		Blocks: []Block{Heading("Numbers"), Text{Text: "Some words."}, Text{Text: "A note.", Small: true},
			Figures{{"Net", "1,234.50 USD", "was 5"}, {"Hidden", "a very long value that has to be made smaller", ""},
				{"c", "3", ""}, {"d", "4", ""}, {"e", "5", ""}}}}
	table := Table{Header: []string{"cause", "net"}, Right: []bool{false, true}, Wide: []float64{3, 1},
		Total: []string{"total", "9"}}
	for i := range 120 {
		table.Rows = append(table.Rows, Row{Cells: []string{fmt.Sprintf("cause %d, with a name that may well take more "+
			"than one line of its cell, since shops call their things as they like", i), "1.00"}, Note: "noted"})
	}
	d.Blocks = append(d.Blocks, table)
	first := written(t, &d)
	for range 3 {
		if !bytes.Equal(first, written(t, &d)) || !bytes.HasPrefix(first, []byte("%PDF-")) {
			t.Fatal("a document has two forms, or is no PDF")
		}
	}
	text, pages := read(t, first), papertest.Pages(first)
	if pages < 4 || pages > 8 {
		t.Errorf("120 rows of three lines take %d pages", pages)
	}
	if n := strings.Count(text, "cause\n"); n != pages {
		t.Errorf("the head stands on %d of %d pages", n, pages)
	}
	if !strings.Contains(text, fmt.Sprintf("%d / %d", pages, pages)) || strings.Count(text, "noted") != 120 {
		t.Errorf("the last page isn't numbered, or notes are lost:\n%s", text)
	}
}

// TestPDFShowsAnyName: whatever a till calls its things, no letter of it is lost, nothing in it is an instruction of
// the PDF, and names that differ look different.
func TestPDFShowsAnyName(t *testing.T) {
	for given, wanted := range map[string]string{
		`Müller (Söhne) \ 3) Tj ET`: `Müller (Söhne) \ 3) Tj ET`,
		"Timișoara Łódź Ωμέγα Щука": "Timișoara Łódź Ωμέγα Щука",
		"Cafe\u0301":                "Café",
		"中文":                        "[U+4E2D][U+6587]",
		"שלום":                      "[U+05E9][U+05DC][U+05D5][U+05DD]",
		"🚚 a\u202Eb\u0000":          "[U+1F69A] a[U+202E]b[U+0000]",
		"a\u00A0b\u2009c":           "a b c",
		"x\u0335":                   "x[U+0335]",
		"\xff":                      "\uFFFD",
		"{nb} {pages}":              "{nb} {pages}",
		"\u010d\u0a0d\u0d0a":        "\u010d[U+0A0D][U+0D0A]",
	} {
		d := Document{Title: given, Foot: given, Blocks: []Block{Text{Text: given},
			Table{Header: []string{"name"}, Rows: []Row{{Cells: []string{given}, Note: given}}, Total: []string{given}}}}
		if text := read(t, written(t, &d)); strings.Count(text, wanted+"\n") != 6 {
			t.Errorf("%q isn't shown as %q six times:\n%s", given, wanted, text)
		}
	}
}

// TestPDFTakesAnyLength: a name without an end, a row higher than a page and a number of any size are all there.
func TestPDFTakesAnyLength(t *testing.T) {
	name, number := strings.Repeat("abcdefghi.", 3000), strings.Repeat("123456789", 3)+".0000"
	for _, landscape := range []bool{false, true} {
		d := Document{Title: name[:300], Landscape: landscape, OnePage: true, Blocks: []Block{Table{
			Header: []string{"name", "amount"}, Right: []bool{false, true}, Wide: []float64{4, 1},
			Rows: []Row{{Cells: []string{name, number}}, {Cells: []string{"x", "1"}, Note: name}}}}}
		pdf := written(t, &d)
		text := strings.ReplaceAll(read(t, pdf), "\n", "")
		if n := strings.Count(text, "abcdefghi."); n < 5900 {
			t.Errorf("of 6,000 words that are to be shown %d are", n)
		}
		if !strings.Contains(text, number) {
			t.Error("a long number is lost")
		}
		if pages := papertest.Pages(pdf); pages < 2 {
			t.Errorf("all of it is on %d page", pages)
		}
	}
}

// TestOnePage: what is a little too much for a page gets smaller letters.
func TestOnePage(t *testing.T) {
	d := Document{Title: "a week", OnePage: true}
	for range 65 {
		d.Blocks = append(d.Blocks, Text{Text: "A line of what happened."})
	}
	if pages := papertest.Pages(written(t, &d)); pages != 1 {
		t.Errorf("it takes %d pages", pages)
	}
	if d.OnePage = false; papertest.Pages(written(t, &d)) != 2 {
		t.Error("without being asked the letters get smaller")
	}
}

// TestManyPagesHaveLettersOfFullSize: what doesn't come near one page is written in the size that all else has, and not
// tried in smaller ones.
func TestManyPagesHaveLettersOfFullSize(t *testing.T) {
	d := Document{Title: "a claim"}
	for range 200 {
		d.Blocks = append(d.Blocks, Text{Text: "A line of what happened."})
	}
	plain := written(t, &d)
	if d.OnePage = true; !bytes.Equal(written(t, &d), plain) {
		t.Errorf("on %d pages the letters get smaller: it takes %d", papertest.Pages(plain), papertest.Pages(written(t, &d)))
	}
	twice := &ending{t.Context(), 2 * len(d.Blocks)} // to see how many pages it takes, and to say so on each
	if _, err := d.PDF(twice); err != nil {
		t.Errorf("it is written more than twice: %v", err)
	}
}

// leaving is who goes away while a document is written.
type leaving context.CancelFunc

func (l leaving) draw(*writer) { l() }

// untold fails a test where it is written.
type untold struct{ *testing.T }

func (u untold) draw(*writer) { u.Error("a block is written that nobody waits for") }

// TestPDFStops when nobody waits for it any more, between blocks and within a table.
func TestPDFStops(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	d := Document{Title: "a claim", Blocks: []Block{leaving(leave), untold{t}}}
	if pdf, err := d.PDF(ctx); !errors.Is(err, context.Canceled) || pdf != nil {
		t.Errorf("%d bytes are written, and the error is %v", len(pdf), err)
	}
	table := Table{Header: []string{"cause"}}
	for range 20 {
		table.Rows = append(table.Rows, Row{Cells: []string{"carrier"}})
	}
	d.Blocks = []Block{table}
	if pdf, err := d.PDF(&ending{t.Context(), 10}); !errors.Is(err, context.Canceled) || pdf != nil {
		t.Errorf("%d bytes are written, and the error is %v", len(pdf), err)
	}
}

// ending is a context that ends once it was asked so many times.
type ending struct {
	context.Context
	left int
}

func (e *ending) Err() error {
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}

func written(t *testing.T, d *Document) []byte {
	t.Helper()
	pdf, err := d.PDF(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func read(t *testing.T, pdf []byte) string {
	t.Helper()
	text, err := papertest.Text(pdf)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
