package tills_test

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// TestSettingsAreOfWords: a value that no program means is refused before anything is mapped, where a till is
// configured and where a body comes.
func TestSettingsAreOfWords(t *testing.T) {
	for _, c := range []struct{ mapping, name, value, want string }{
		{"woocommerce", "on_hold", "book", ""}, {"woocommerce", "on_hold", "maybe", "on_hold is wait or book, not \"maybe\""},
		{"woocommerce", "currency", "US", "currency: \"US\" is no code of ISO 4217"},
		{"shopify", "currency", "usd", "currency: \"usd\""}, {"shopify", "prices_include_tax", "true", "is yes or no"},
		{"stripe", "refunds", "no", ""}, {"stripe", "refunds", "No", "refunds is yes or no"},
		{"square", "store", "locations", "store is till or location"}, {"zendesk", "without_reason", "", ""},
		{"csv", "currency", "KWD", ""}, {"csv", "decimal_comma", "true", "decimal_comma is yes or no, not \"true\""},
		{"csv", "delimiter", ";", ""}, {"csv", "delimiter", "tab", ""}, {"csv", "delimiter", ";;", "is one character"},
		{"csv", "delimiter", "\"", "is one character"}, {"csv", "encoding", "windows-1252", ""},
		{"csv", "encoding", "ansi-of-old", "encoding: there is no \"ansi-of-old\""},
	} {
		m, err := tills.Load(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		till := tills.Till{Name: c.mapping, Settings: map[string]string{c.name: c.value}}
		err = m.CheckTill(till)
		got := m.Map(t.Context(), till, tills.Input{Body: []byte(`{}`)})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s %s=%s: %v", c.mapping, c.name, c.value, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || len(got.Refusals) != 1 ||
			got.Refusals[0].Code != tills.CodeBadSetting {
			t.Errorf("%s %s=%s: %v, %v", c.mapping, c.name, c.value, err, got.Refusals)
		}
	}
	page := "name: x\nsettings: {a: {default: c, one_of: [a, b]}}\nkinds: [{kind: a, nothing: it}]\n"
	if _, err := tills.Parse("x.yaml", []byte(page)); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a default that is none of the words: %v", err)
	}
}
