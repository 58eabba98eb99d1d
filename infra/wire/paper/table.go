package paper

func (t Table) draw(w *writer) {
	wide := t.widths(w.wide)
	w.room(20 * w.scale)
	t.head(w, wide)
	for _, row := range t.Rows {
		if w.stopped() {
			return
		}
		t.row(w, wide, row, "")
	}
	if t.Total != nil {
		t.row(w, wide, Row{Cells: t.Total}, "B")
	}
	w.Ln(2 * w.scale)
}

// widths are those of the columns, in mm.
func (t Table) widths(all float64) []float64 {
	wide, sum := make([]float64, len(t.Header)), 0.0
	for i := range wide {
		if wide[i] = 1; t.Wide != nil {
			wide[i] = t.Wide[i]
		}
		sum += wide[i]
	}
	for i := range wide {
		wide[i] *= all / sum
	}
	return wide
}

func (t Table) head(w *writer, wide []float64) {
	w.size("B", sizeSmall)
	cells, most := t.split(w, wide, t.Header)
	t.part(w, wide, cells, 0, most)
	t.rule(w, 0.4)
}

func (t Table) right(column int) bool { return column < len(t.Right) && t.Right[column] }

// split are the lines of each cell, and the most of any. A number stays on one line where smaller digits allow it.
func (t Table) split(w *writer, wide []float64, row []string) (cells [][]string, most int) {
	for i, text := range row {
		lines := w.lines(text, wide[i])
		if t.right(i) && len(lines) > 1 && w.fits(text, wide[i]) {
			lines = []string{shown(text)}
		}
		cells, most = append(cells, lines), max(most, len(lines))
	}
	return cells, most
}

// row writes a row. One that fits on a page isn't broken; of one that doesn't, each page has as many lines as it takes.
func (t Table) row(w *writer, wide []float64, row Row, style string) {
	w.size(style, sizeSmall)
	cells, most := t.split(w, wide, row.Cells)
	w.size(style, sizeSmall-1)
	note := w.lines(row.Note, w.wide)
	w.size(style, sizeSmall)
	high := w.line()
	if needed := float64(most+len(note))*high + 1; needed <= w.bottom-margin-3*high {
		t.room(w, wide, needed)
	}
	for from := 0; from < most; {
		t.room(w, wide, high)
		w.size(style, sizeSmall)
		until := min(from+max(int((w.bottom-w.GetY())/high), 1), most)
		t.part(w, wide, cells, from, until)
		from = until
	}
	for _, line := range note {
		t.room(w, wide, high)
		w.size(style, sizeSmall-1)
		w.SetX(margin)
		w.CellFormat(w.wide, high, line, "", 1, "L", false, 0, "")
	}
	t.rule(w, 0.1)
}

// room begins a page, with the header again, where less than so many mm are left.
func (t Table) room(w *writer, wide []float64, height float64) {
	if w.GetY()+height > w.bottom {
		w.AddPage()
		t.head(w, wide)
	}
}

// part writes some lines of all cells beside each other.
func (t Table) part(w *writer, wide []float64, cells [][]string, from, until int) {
	y, x := w.GetY(), margin
	for i, lines := range cells {
		align := "L"
		if t.right(i) {
			align = "R"
		}
		for n := from; n < min(until, len(lines)); n++ {
			w.SetXY(x, y+float64(n-from)*w.line())
			w.fitted(wide[i], w.line(), lines[n], align)
		}
		x += wide[i]
	}
	w.SetXY(margin, y+float64(until-from)*w.line())
}

func (t Table) rule(w *writer, thick float64) {
	w.SetLineWidth(thick)
	w.Line(margin, w.GetY()+0.3, margin+w.wide, w.GetY()+0.3)
	w.SetLineWidth(0.2)
	w.SetY(w.GetY() + 0.6)
}
