package gateway

import "testing"

// TestFormulas: what a spreadsheet would run is text in a CSV file, however it is dressed.
func TestFormulas(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "s1": "s1", "a=1": "a=1", " plain": " plain", "東京": "東京",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1",
		" =1": "' =1", "  +1": "'  +1", "\u00a0=1": "'\u00a0=1", "\u3000=1": "'\u3000=1", "\ufeff=1": "'\ufeff=1",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠A": "'＠A", " ＝1": "' ＝1", "\x00=1": "'\x00=1",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
