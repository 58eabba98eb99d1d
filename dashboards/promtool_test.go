//go:build monitoring

package dashboards

import (
	"os/exec"
	"testing"
)

// TestPromtool has Prometheus' own tool check the configuration and the rules, and run the rules' tests.
func TestPromtool(t *testing.T) {
	for _, args := range [][]string{
		{"check", "config", "prometheus/prometheus.yml"},
		append([]string{"check", "rules"}, glob(t, "prometheus/rules/*.yml")...),
		append([]string{"test", "rules"}, glob(t, "prometheus/tests/*.yml")...),
	} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
