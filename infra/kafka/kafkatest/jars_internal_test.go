package kafkatest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A jar that is missing, changed or not pinned is named.
func TestJarsAreChecked(t *testing.T) {
	libs := t.TempDir()
	for name, content := range map[string]string{"kafka-clients-4.3.0.jar": "changed", "stranger.jar": ""} {
		if err := os.WriteFile(filepath.Join(libs, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := verifyJars(libs)
	if err == nil {
		t.Fatal("taken")
	}
	for _, said := range []string{"kafka_2.13-4.3.0.jar is missing", "kafka-clients-4.3.0.jar has checksum",
		"stranger.jar is not pinned"} {
		if !strings.Contains(err.Error(), said) {
			t.Errorf("%q isn't said: %v", said, err)
		}
	}
	if n := strings.Count(checksums, ".jar\n"); n != 45 {
		t.Errorf("%d jars are pinned", n)
	}
}
