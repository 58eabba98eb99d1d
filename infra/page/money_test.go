package page

import (
	"strings"
	"testing"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct{ text, cents, cell string }{
		{"0.0000", "0.00", "0.00"},
		{"1234567.8901", "1,234,567.89", "1,234,567.89"},
		{"-0.0049", "0.00", "−0.00"},
		{"0.0050", "0.00", "0.00"}, // half to even
		{"0.0150", "0.02", "0.01"},
		{"-999.9950", "−1,000.00", "−999.99"},
		{"92233720368547758079999.1234", "92,233,720,368,547,758,079,999.12", "92,233,720,368,547,758,079,999.12"},
	} {
		m, err := read(c.text, "USD")
		if err != nil {
			t.Fatal(err)
		}
		shown := ">" + c.cell + `<span class="sub">`
		if m.Text() != c.text || m.Cents() != c.cents || !strings.Contains(string(m.Cell()), shown) {
			t.Errorf("%s: %s, %s, %s", c.text, m.Text(), m.Cents(), m.Cell())
		}
	}
	for _, bad := range []string{"", "x", "1.23456", "1.2.3", "--1.0000", "1e3"} {
		if m, err := read(bad, ""); err == nil {
			t.Errorf("%q is read as %s", bad, m.Text())
		}
	}
}

func TestChange(t *testing.T) {
	for _, c := range []struct{ now, before, text, direction string }{
		{"110.0000", "100.0000", "10.0" + thin + "% more than 100.00", "up"},
		{"50.0000", "100.0000", "50.0" + thin + "% less than 100.00", "down"},
		{"100.0000", "100.0000", "the same", "same"},
		{"5.0000", "0.0000", "was 0.00", "up"},
		{"-5.0000", "-2.0000", "was " + minus + "2.00", "down"},
		{"812.6000", "100.0000", "was 100.00", "up"},
	} {
		now, err := read(c.now, "USD")
		if err != nil {
			t.Fatal(err)
		}
		before, err := read(c.before, "USD")
		if err != nil {
			t.Fatal(err)
		}
		if text, direction := change(now, before); text != c.text || direction != c.direction {
			t.Errorf("%s after %s: %q, %s", c.now, c.before, text, direction)
		}
	}
}

// TestCountOf: one thing is told as one.
func TestCountOf(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 cases", 1: "1 case", 2: "2 cases", 1200: "1,200 cases"} {
		if got := countOf(n, "case", "cases"); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
}
