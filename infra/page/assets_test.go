package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestECharts holds what lies in assets against echarts@6.1.0 of npm: package/dist/echarts.common.min.js, LICENSE,
// NOTICE.
func TestECharts(t *testing.T) {
	if !bytes.Contains(mustRead(t, "echarts.common.min.js"), []byte(`"`+EChartsVersion+`"`)) {
		t.Errorf("ECharts is not of version %s", EChartsVersion)
	}
	for name, want := range map[string]string{
		"echarts.common.min.js": "61f13280aba3161f77fc801bf5f9c786f55f10432153a0683fc5cc0700b013d5",
		"echarts.LICENSE":       "634293835b43a6dd2094fa39182a3d9a6b9ca43b7fdb9ac354e8037af2a3093a",
		"echarts.NOTICE":        "d491d358344f842685c1b1585970999db65fe30ecf7ef3867af8814f4016c016",
	} {
		body := mustRead(t, name)
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not the one of npm: sha256 %x", name, sum)
		}
	}
}
