package dashboards

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// What a screen of 1366 × 768 gives, in pixels, with Grafana's menu open: what is right of the menu less its margins,
// in 24 columns with a gap between panels; rows of 30 with the same gap.
const (
	boardWidth = 1366 - 300 - 2*16
	gap        = 8
	// panelFrame is what a panel's border and padding take of its width, aroundTitle what its padding, the sign with the
	// description and the menu take beside its title.
	panelFrame  = 2 * 9
	aroundTitle = 104
	// letter is the mean width of one in titles, headers and cells, of 14 pixels; cellFrame the padding of a cell.
	letter    = 7.4
	cellFrame = 14
	// restWidth is what Grafana gives at least to a column without a width.
	restWidth = 150
)

// pixels is how wide a panel of some columns of the grid is.
func pixels(columns int) float64 { return float64(columns)*(boardWidth+gap)/24 - gap }

// TestTitlesFit: no title is cut.
func TestTitlesFit(t *testing.T) {
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if p.Type == "row" {
				continue
			}
			if has, wants := pixels(p.GridPos.W)-aroundTitle, float64(len([]rune(p.Title)))*letter; wants > has {
				t.Errorf("%s: %q wants %.0f pixels and has %.0f", b.Title, p.Title, wants, has)
			}
		}
	}
}

// TestColumnsFit: no column of a table is pushed out of sight, and no header is wider than its column.
func TestColumnsFit(t *testing.T) {
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if p.Type != "table" || p.Targets[0].RawSQL == "" {
				continue
			}
			where, sum, rest := b.Title+": "+p.Title, 0.0, 0
			for _, o := range p.FieldConfig.Overrides {
				width := float64(restWidth)
				if text := p.property(o.Matcher.Options, "custom.width"); text == "" {
					rest++
				} else if err := json.Unmarshal([]byte(text), &width); err != nil {
					t.Fatal(err)
				}
				sum += width
				if wants := float64(len([]rune(o.Matcher.Options)))*letter + cellFrame; wants > width {
					t.Errorf("%s: the header %q wants %.0f pixels and has %.0f", where, o.Matcher.Options, wants, width)
				}
			}
			if has := pixels(p.GridPos.W) - panelFrame; sum > has || rest != 1 {
				t.Errorf("%s wants %.0f pixels and has %.0f; %d columns take what is left, not one", where, sum, has, rest)
			}
		}
	}
}

// TestFirstScreen: on the first board the sentence, every figure and the beginning of a chart stand on the first
// screen.
func TestFirstScreen(t *testing.T) {
	const above, screen = 185, 768 // Grafana's bars and two lines of pickers; the screen's height
	for _, b := range boards(t) {
		if b.UID != "makegood-quality" {
			continue
		}
		for _, p := range b.Panels {
			y := above + p.GridPos.Y*(30+gap)
			switch {
			case p.Type == "stat" && y+p.GridPos.H*(30+gap) > screen:
				t.Errorf("%s ends below the first screen", p.Title)
			case p.Type == "barchart" && y+100 > screen:
				t.Errorf("%s begins below the first screen", p.Title)
			}
			if p.Type == "barchart" {
				return
			}
		}
	}
	t.Error("the first board has no chart")
}

// TestPickersChoose: what most have one of is no picker, and a picker is one that panels of its board ask for.
func TestPickersChoose(t *testing.T) {
	const hidden = 2
	for _, b := range boards(t) {
		for _, v := range b.Templating.List {
			asked := false
			for _, p := range b.Panels {
				for _, q := range p.Targets {
					asked = asked || strings.Contains(q.RawSQL, "${"+v.Name+":")
				}
			}
			if asked == (v.Hide == hidden) {
				t.Errorf("%s: the picker %s is hidden: %d, and asked for: %t", b.Title, v.Name, v.Hide, asked)
			}
		}
	}
}

// TestTheSentenceFits: the conclusion is read whole, also with amounts of millions and days that are missing.
func TestTheSentenceFits(t *testing.T) {
	e := startEngine(t)
	e.plant(t)
	const title, letterOfSize, lineOfSize = 32, 0.52, 1.2 // the panel's title in pixels; shares of the letters' size
	text := e.shows(t, "makegood-quality", "In a sentence", chosen{"currency": {"USD"}})[0]
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if b.UID != "makegood-quality" || p.Title != "In a sentence" {
				continue
			}
			size := float64(p.Options.Text.ValueSize)
			lines := math.Ceil(float64(len([]rune(text))) * letterOfSize * size / (pixels(p.GridPos.W) - panelFrame))
			if has, wants := float64(p.GridPos.H*(30+gap)-gap-title), lines*lineOfSize*size; size == 0 || wants > has {
				t.Errorf("%d letters of %.0f take %.0f lines, %.0f pixels of %.0f", len([]rune(text)), size, lines, wants, has)
			}
		}
	}
}
