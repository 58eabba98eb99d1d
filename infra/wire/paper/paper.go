// Package paper writes a document as PDF: headings, paragraphs, figures and tables on A4, with heads that repeat. One
// release of makegood writes a document as the same bytes each time: nothing of the machine or the clock gets into it.
//
// The PDF is written by codeberg.org/go-pdf/fpdf (MIT, pure Go; v0.12.0 of May 2026, where the fork of gofpdf and of
// github.com/go-pdf/fpdf is kept; 17,000 lines). Looked at beside it: printing by Chromium (a browser of 300 MB beside
// the service, and other bytes with each of its versions), gopdf (no tables, text in boxes by hand), maroto (a layer
// over gofpdf with more dependencies than code used here), unidoc (its licence costs money).
//
// Letters are those of DejaVu Sans Condensed (codeberg.org/go-fonts/dejavu v0.4.0, two files of 700 KB, a licence like
// MIT's): Latin, Greek, Cyrillic, Armenian, Georgian. In place of a letter that can't be shown, since the font lacks it
// or it is written from right to left, stands its number in Unicode, as in [U+4E2D]: the reader can look it up, and two
// names that differ look different.
package paper

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"codeberg.org/go-fonts/dejavu/dejavusanscondensed"
	"codeberg.org/go-fonts/dejavu/dejavusanscondensedbold"
	"codeberg.org/go-pdf/fpdf"
)

// Document is what is written. Its blocks follow each other.
type Document struct {
	Title   string
	Foot    string    // at the bottom of every page, left of the page's number
	Created time.Time // as the file says it: of the answer, not of the clock
	// Landscape: the page lies on its long side.
	Landscape bool
	// OnePage: where all is on two pages, letters are made smaller, down to six tenths, until it is on one. What doesn't
	// fit even so, or takes more pages, has letters of full size on as many pages as it takes.
	OnePage bool
	Blocks  []Block
}

// Block is a Heading, Text, Figures or Table.
type Block interface{ draw(*writer) }

// Heading begins a part.
type Heading string

// Text is a paragraph; Small ones are notes.
type Text struct {
	Text  string
	Small bool
}

// Figure is a number with its name above, and below what it is compared with.
type Figure struct{ Name, Value, Below string }

// Figures stand side by side, four in a row.
type Figures []Figure

// Table has a header and rows of as many cells. Right says which columns hold numbers; Wide how much room each takes,
// in parts of the sum: nil is alike.
type Table struct {
	Header []string
	Rows   []Row
	Total  []string // a last row that stands out; nil: none
	Right  []bool
	Wide   []float64
}

// Row is a row of a table; its note stands below it, as wide as the table.
type Row struct {
	Cells []string
	Note  string
}

const (
	family        = "dejavu"
	margin        = 15.0 // mm
	shortSide     = 210.0
	longSide      = 297.0
	sizeText      = 10.0 // points
	sizeSmall     = 8.0
	lineOf        = 0.45 // mm of a line, per point
	figuresInARow = 4
	leastSize     = 5.0 // points: nothing is smaller
)

// writer is a document that is being written.
type writer struct {
	*fpdf.Fpdf
	ctx          context.Context //nolint:containedctx // of who waits for it
	wide, bottom float64         // mm, between the margins; mm from the top
	scale        float64         // of all letters
}

// PDF writes the document. It stops when ctx ends, with the error of ctx.
func (d *Document) PDF(ctx context.Context) ([]byte, error) {
	text, pages, err := d.write(ctx, 1, 1)
	if d.OnePage && pages == 2 {
		for tenths := 9; tenths >= 6 && err == nil; tenths-- {
			smaller, took, failed := d.write(ctx, float64(tenths)/10, 1)
			if err = failed; failed == nil && took == 1 {
				return smaller, nil
			}
		}
	}
	if err == nil && pages > 1 { // the foot says how many there are
		text, _, err = d.write(ctx, 1, pages)
	}
	if err != nil {
		return nil, fmt.Errorf("write the PDF: %w", err)
	}
	return text, nil
}

// write writes the document with letters of that scale. Its foot says that it has so many pages; write returns how many
// it really has.
func (d *Document) write(ctx context.Context, scale float64, pages int) ([]byte, int, error) {
	w := &writer{ctx: ctx, scale: scale, wide: shortSide - 2*margin, bottom: longSide - margin}
	side := "P"
	if d.Landscape {
		side, w.wide, w.bottom = "L", longSide-2*margin, shortSide-margin
	}
	w.Fpdf = fpdf.New(side, "mm", "A4", "")
	w.AddUTF8FontFromBytes(family, "", dejavusanscondensed.TTF)
	w.AddUTF8FontFromBytes(family, "B", dejavusanscondensedbold.TTF)
	w.SetCatalogSort(true)
	w.SetCreationDate(d.Created.UTC())
	w.SetModificationDate(d.Created.UTC())
	w.SetProducer("makegood", true)
	w.SetTitle(shown(d.Title), true)
	w.SetLang("en")
	w.SetMargins(margin, margin, margin)
	w.SetAutoPageBreak(false, margin)
	w.SetCellMargin(0.7)
	w.SetFooterFunc(func() {
		w.SetXY(margin, w.bottom+3)
		w.size("", sizeSmall)
		w.fitted(w.wide-20, 5, shown(d.Foot), "L")
		w.CellFormat(20, 5, fmt.Sprintf("%d / %d", w.PageNo(), pages), "", 0, "R", false, 0, "")
	})
	w.AddPage()
	w.paragraph("B", 16, d.Title)
	for _, b := range d.Blocks {
		if w.stopped() {
			break
		}
		b.draw(w)
	}
	var out bytes.Buffer
	err := w.Output(&out)
	return out.Bytes(), w.PageNo(), err
}

// stopped reports whether nobody waits for the document any more: it then has the error of its ctx.
func (w *writer) stopped() bool {
	err := w.ctx.Err()
	if err != nil {
		w.SetError(err)
	}
	return err != nil
}

// size sets the font, in points before it is scaled.
func (w *writer) size(style string, points float64) {
	w.SetFont(family, style, math.Max(points*w.scale, leastSize))
}

// line is how high a line of the font is, in mm.
func (w *writer) line() float64 {
	points, _ := w.GetFontSize()
	return points * lineOf
}

// room begins a page where less than so many mm are left.
func (w *writer) room(height float64) {
	if w.GetY()+height > w.bottom {
		w.AddPage()
	}
}

// paragraph writes text over as many lines and pages as it takes.
func (w *writer) paragraph(style string, points float64, text string) {
	w.size(style, points)
	for _, line := range w.lines(text, w.wide) {
		w.room(w.line())
		w.SetX(margin)
		w.CellFormat(w.wide, w.line(), line, "", 1, "L", false, 0, "")
	}
}

// lines are those that a text takes in so many mm.
func (w *writer) lines(text string, wide float64) []string {
	if text = shown(text); text == "" {
		return nil
	}
	return w.SplitText(text, wide)
}

func (h Heading) draw(w *writer) {
	w.room(25 * w.scale)
	w.Ln(3 * w.scale)
	w.paragraph("B", 12, string(h))
	w.Ln(w.scale)
}

func (t Text) draw(w *writer) {
	size := sizeText
	if t.Small {
		size = sizeSmall
	}
	w.paragraph("", size, t.Text)
	w.Ln(1.5 * w.scale)
}

func (f Figures) draw(w *writer) {
	high, gap := 17*w.scale, 2.0
	each := (w.wide - gap*(figuresInARow-1)) / figuresInARow
	for from := 0; from < len(f); from += figuresInARow {
		w.room(high + gap)
		y := w.GetY()
		for i, one := range f[from:min(from+figuresInARow, len(f))] {
			x := margin + float64(i)*(each+gap)
			w.Rect(x, y, each, high, "D")
			for _, line := range []struct {
				text, style string
				size, at    float64
			}{{one.Name, "", sizeSmall, 1}, {one.Value, "B", 12, 5.5}, {one.Below, "", 7, 12}} {
				w.size(line.style, line.size)
				w.SetXY(x+0.5, y+line.at*w.scale)
				w.fitted(each-1, w.line(), shown(line.text), "L")
			}
		}
		w.SetXY(margin, y+high+gap)
	}
}

// fits reports whether a text fits into a cell of that width in the smallest letters.
func (w *writer) fits(text string, wide float64) bool {
	size, _ := w.GetFontSize()
	defer w.SetFontSize(size)
	w.SetFontSize(leastSize)
	return w.GetStringWidth(shown(text)) <= wide-2*w.GetCellMargin()
}

// fitted writes a line of text, smaller where it is too long for its cell, and cut off where that isn't enough.
func (w *writer) fitted(wide, high float64, text, align string) {
	size, _ := w.GetFontSize()
	room := wide - 2*w.GetCellMargin()
	for at := size; w.GetStringWidth(text) > room && at > leastSize; {
		at = math.Max(at-0.5, leastSize)
		w.SetFontSize(at)
	}
	if w.GetStringWidth(text) > room {
		text = w.SplitText(text, wide-3)[0] + "…"
	}
	w.CellFormat(wide, high, text, "", 0, align, false, 0, "")
	w.SetFontSize(size)
}
