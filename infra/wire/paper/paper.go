// Package paper writes a document as PDF: headings, paragraphs, figures and tables on A4, with heads that repeat and
// rows that don't break. What it is given it writes the same, byte for byte, whenever it is asked; nothing of the
// machine or the clock gets into it.
//
// The PDF is written by codeberg.org/go-pdf/fpdf (MIT; the fork that is kept of gofpdf and of github.com/go-pdf/fpdf,
// pure Go; v0.12.0 of 2026). Looked at beside it: printing by Chromium (a browser of 300 MB beside the service, and
// other bytes with each of its versions), gopdf (no tables, text in boxes by hand), maroto (a layer over gofpdf with
// more dependencies than code used here), unidoc (a licence that is bought). Letters are those of the Go fonts
// (golang.org/x/image/font/gofont: BSD): Latin, Greek and Cyrillic; a letter that they don't have is shown as an empty
// box.
package paper

import (
	"bytes"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// Document is what is written. Its blocks follow each other.
type Document struct {
	Title   string
	Foot    string    // at the bottom of every page, left of the page's number
	Created time.Time // as the file says it: of the answer, not of the clock
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
	Rows   [][]string
	Total  []string // a last row that stands out; nil: none
	Right  []bool
	Wide   []float64
}

const (
	family        = "go"
	margin        = 15.0 // mm
	width         = 210 - 2*margin
	bottom        = 297 - margin
	sizeText      = 10.0 // points
	sizeSmall     = 8.0
	lineOf        = 0.48 // mm of a line, per point
	figuresInARow = 4
)

type writer struct{ *fpdf.Fpdf }

// PDF writes the document.
func (d *Document) PDF() ([]byte, error) {
	w := &writer{fpdf.New("P", "mm", "A4", "")}
	w.AddUTF8FontFromBytes(family, "", goregular.TTF)
	w.AddUTF8FontFromBytes(family, "B", gobold.TTF)
	w.SetCatalogSort(true)
	w.SetCreationDate(d.Created.UTC())
	w.SetModificationDate(d.Created.UTC())
	w.SetProducer("makegood", true)
	w.SetTitle(d.Title, true)
	w.SetLang("en")
	w.SetMargins(margin, margin, margin)
	w.SetAutoPageBreak(true, margin)
	w.AliasNbPages("{pages}")
	w.SetFooterFunc(func() {
		w.SetY(-margin + 3)
		w.font("", sizeSmall)
		w.CellFormat(width-30, 5, d.Foot, "", 0, "L", false, 0, "")
		w.CellFormat(30, 5, fmt.Sprintf("%d / {pages}", w.PageNo()), "", 0, "R", false, 0, "")
	})
	w.AddPage()
	w.font("B", 16)
	w.MultiCell(width, 8, d.Title, "", "L", false)
	for _, b := range d.Blocks {
		b.draw(w)
	}
	var out bytes.Buffer
	if err := w.Output(&out); err != nil {
		return nil, fmt.Errorf("write the PDF: %w", err)
	}
	return out.Bytes(), nil
}

func (w *writer) font(style string, size float64) { w.SetFont(family, style, size) }

// room begins a page where less than so many mm are left.
func (w *writer) room(height float64) {
	if w.GetY()+height > bottom {
		w.AddPage()
	}
}

func (h Heading) draw(w *writer) {
	w.room(25)
	w.Ln(3)
	w.font("B", 12)
	w.MultiCell(width, 6, string(h), "", "L", false)
	w.Ln(1)
}

func (t Text) draw(w *writer) {
	size := sizeText
	if t.Small {
		size = sizeSmall
	}
	w.font("", size)
	w.MultiCell(width, size*lineOf, t.Text, "", "L", false)
	w.Ln(1.5)
}

func (f Figures) draw(w *writer) {
	const high, gap = 19.0, 2.0
	each := (width - gap*(figuresInARow-1)) / figuresInARow
	for from := 0; from < len(f); from += figuresInARow {
		w.room(high + gap)
		y := w.GetY()
		for i, one := range f[from:min(from+figuresInARow, len(f))] {
			x := margin + float64(i)*(each+gap)
			w.Rect(x, y, each, high, "D")
			for _, line := range []struct {
				text, style string
				size, at    float64
			}{{one.Name, "", sizeSmall, 1.5}, {one.Value, "B", 12, 6}, {one.Below, "", 7, 12.5}} {
				w.font(line.style, line.size)
				w.SetXY(x+1, y+line.at)
				w.fitted(each-2, line.size*lineOf, line.text, "L")
			}
		}
		w.SetXY(margin, y+high+gap)
	}
}

// fitted writes a line of text, smaller where it is too long for its cell.
func (w *writer) fitted(wide, high float64, text, align string) {
	size, _ := w.GetFontSize()
	for at := size; w.GetStringWidth(text) > wide-1.5 && at > 5; {
		at -= 0.5
		w.SetFontSize(at)
	}
	w.CellFormat(wide, high, text, "", 0, align, false, 0, "")
	w.SetFontSize(size)
}

func (t Table) draw(w *writer) {
	wide := t.widths()
	w.room(20)
	t.line(w, wide, t.Header, "B", true)
	for _, row := range t.Rows {
		w.font("", sizeSmall)
		if high := t.height(w, wide, row); w.GetY()+high > bottom {
			w.AddPage()
			t.line(w, wide, t.Header, "B", true)
		}
		t.line(w, wide, row, "", false)
	}
	if t.Total != nil {
		t.line(w, wide, t.Total, "B", false)
	}
	w.Ln(2)
}

func (t Table) widths() []float64 {
	wide, sum := make([]float64, len(t.Header)), 0.0
	for i := range wide {
		if wide[i] = 1; t.Wide != nil {
			wide[i] = t.Wide[i]
		}
		sum += wide[i]
	}
	for i := range wide {
		wide[i] *= width / sum
	}
	return wide
}

// height is that of the tallest cell of a row.
func (t Table) height(w *writer, wide []float64, row []string) float64 {
	lines := 1
	for i, text := range row {
		lines = max(lines, len(w.SplitText(text, wide[i]-1)))
	}
	return float64(lines)*sizeSmall*lineOf + 1
}

// line writes a row; each cell takes as many lines as its text needs.
func (t Table) line(w *writer, wide []float64, row []string, style string, head bool) {
	w.font(style, sizeSmall)
	x, y := margin, w.GetY()
	high := t.height(w, wide, row)
	for i, text := range row {
		align := "L"
		if i < len(t.Right) && t.Right[i] {
			align = "R"
		}
		w.SetXY(x, y+0.5)
		w.MultiCell(wide[i], sizeSmall*lineOf, text, "", align, false)
		x += wide[i]
	}
	rule := 0.1
	if head {
		rule = 0.4
	}
	w.SetLineWidth(rule)
	w.Line(margin, y+high, margin+width, y+high)
	w.SetLineWidth(0.2)
	w.SetXY(margin, y+high)
}
