package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/cmd/makegood/server"
)

const manifests = "../../infra/kubernetes"

var update = flag.Bool("update", false, "write the manifest of the alerts again")

type podVolume struct {
	Name   string
	Secret struct {
		SecretName  string `yaml:"secretName"`
		DefaultMode int    `yaml:"defaultMode"`
	}
}

type container struct {
	Name         string
	Env          []struct{ Name, Value string }
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
}

// manifest is what the tests look at in one.
type manifest struct {
	Metadata struct{ Name string }
	Spec     struct {
		Template struct {
			Spec struct {
				AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
				SecurityContext              struct {
					RunAsNonRoot bool `yaml:"runAsNonRoot"`
					RunAsUser    int  `yaml:"runAsUser"`
					FSGroup      int  `yaml:"fsGroup"`
				} `yaml:"securityContext"`
				Containers []container
				Volumes    []podVolume
			}
		}
	}
}

func manifestsOf(t *testing.T, path string) []manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manifests, path))
	if err != nil {
		t.Fatal(err)
	}
	var all []manifest
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var m manifest
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, m)
	}
}

// TestKubernetesSpeaksTheFlags: each role has a workload, and serve takes its environment; each file that the
// environment names is where a secret is mounted.
func TestKubernetesSpeaksTheFlags(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(manifests, "base/makegood.env"))
	if err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		environment[m[1]] = m[2]
	}
	if environment["GOMEMLIMIT"] == "" {
		t.Error("Go isn't told of the limit of memory")
	}
	delete(environment, "GOMEMLIMIT") // which is the runtime's, not serve's
	every := manifestsOf(t, "base/process.yaml")[0].Spec.Template.Spec
	for key, path := range environment {
		if strings.HasPrefix(path, "/") && path != "/data" && !mounted(every.Containers[0], path) {
			t.Errorf("%s: nothing is mounted where %s is", key, path)
		}
	}
	for _, role := range []string{server.RoleGateway, server.RoleProjector, server.RoleMapper, server.RoleExporter} {
		workload := manifestsOf(t, "base/"+role+".yaml")[0]
		c := workload.Spec.Template.Spec.Containers[0]
		if workload.Metadata.Name != "makegood-"+role || c.Name != every.Containers[0].Name || len(c.Env) != 1 {
			t.Fatalf("%s: %+v", role, workload)
		}
		environment[c.Env[0].Name] = c.Env[0].Value
		t.Run(role, func(t *testing.T) {
			if config := served(t, environment); !slices.Equal(config.Roles, []string{role}) {
				t.Errorf("it has the roles %v", config.Roles)
			}
		})
	}
}

func mounted(c container, path string) bool {
	for _, m := range c.VolumeMounts {
		if m.ReadOnly && strings.HasPrefix(path, m.MountPath+"/") {
			return true
		}
	}
	return false
}

// TestKubernetesIsConfined: no process gains rights, is root, speaks to Kubernetes or writes to its image, and files of
// secrets are for makegood's group alone.
func TestKubernetesIsConfined(t *testing.T) {
	pod := manifestsOf(t, "base/process.yaml")[0].Spec.Template.Spec
	if s := pod.SecurityContext; !s.RunAsNonRoot || s.RunAsUser == 0 || s.FSGroup != s.RunAsUser {
		t.Errorf("it runs as %+v", s)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("it has a token for Kubernetes")
	}
	s := pod.Containers[0].SecurityContext
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem ||
		!slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("it may %+v", s)
	}
	for _, v := range pod.Volumes {
		if v.Secret.SecretName == "" || v.Secret.DefaultMode != 0o440 {
			t.Errorf("%s: the secret %q has mode %o", v.Name, v.Secret.SecretName, v.Secret.DefaultMode)
		}
	}
}

// TestKubernetesAlerts: Prometheus Operator gets the same alerts and recordings as other installations. Each file of
// them is an object of its own, because two files may have groups of one name.
func TestKubernetesAlerts(t *testing.T) {
	paths, err := filepath.Glob("../../dashboards/prometheus/rules/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	made := "# Made of dashboards/prometheus/rules by: go test ./cmd/makegood -run TestKubernetesAlerts -update\n"
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var rules any
		if err := yaml.Unmarshal(text, &rules); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		name := "makegood-" + strings.TrimSuffix(filepath.Base(path), ".yml")
		text, err = yaml.Marshal(map[string]any{"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
			"metadata": map[string]any{"name": name}, "spec": rules})
		if err != nil {
			t.Fatal(err)
		}
		made += "---\n" + string(text)
	}
	at := filepath.Join(manifests, "monitoring/rules.yaml")
	if *update {
		if err := os.WriteFile(at, []byte(made), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(at); err != nil || string(text) != made {
		t.Errorf("%s isn't what dashboards/prometheus/rules say (%v): run this test with -update", at, err)
	}
}
