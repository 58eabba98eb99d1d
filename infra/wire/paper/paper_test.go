package paper

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// TestPDFIsTheSameAgain: one document has one form, whatever the clock says, and a long table goes on over pages.
func TestPDFIsTheSameAgain(t *testing.T) {
	d := Document{Title: "What it cost – 1,000.00 € für Größe", Foot: "foot", Created: time.Unix(1_700_000_000, 0),
		Blocks: []Block{Heading("Numbers"), Text{Text: "Some words."}, Text{Text: "A note.", Small: true},
			Figures{{"Net", "1,234.50 USD", "was 5"}, {"Hidden", "a very long value that has to be made smaller", ""},
				{"c", "3", ""}, {"d", "4", ""}, {"e", "5", ""}}}}
	table := Table{Header: []string{"cause", "net"}, Right: []bool{false, true}, Wide: []float64{3, 1},
		Total: []string{"total", "9"}}
	for i := range 120 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("cause %d, with a name that may well take more than one line "+
			"of its cell, since shops call their things as they like", i), "1.00"})
	}
	d.Blocks = append(d.Blocks, table)
	first, err := d.PDF()
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.PDF()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) || !bytes.HasPrefix(first, []byte("%PDF-")) {
		t.Error("a document has two forms, or is no PDF")
	}
	if pages := bytes.Count(first, []byte("/Type /Page\n")); pages < 3 || pages > 6 {
		t.Errorf("120 rows of two lines take %d pages", pages)
	}
}
