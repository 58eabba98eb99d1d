package main

import (
	"encoding/xml"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/makegood/makegood/cmd/makegood/server"
)

// composed is docker-compose.yml as a container engine would read it: checked against the specification's schema, with
// the settings that make-env writes.
func composed(t *testing.T) *types.Project {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../infra/container/make-env")
	if err != nil {
		t.Fatal(err)
	}
	env := types.Mapping{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(script), -1) {
		env[m[1]] = strings.ReplaceAll(m[2], "$(password)", "made")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{WorkingDir: root, Environment: env,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(root, "docker-compose.yml"), Content: text}}},
		func(o *loader.Options) { o.SetProjectName("makegood", true) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestComposePublishesOnlyWhatIsMeant: the gateway and Grafana, on loopback.
func TestComposePublishesOnlyWhatIsMeant(t *testing.T) {
	var published []string
	for name, s := range composed(t).Services {
		for _, p := range s.Ports {
			published = append(published, name+" "+net.JoinHostPort(p.HostIP, p.Published))
		}
	}
	slices.Sort(published)
	if want := []string{"gateway 127.0.0.1:8080", "grafana 127.0.0.1:3000"}; !slices.Equal(published, want) {
		t.Errorf("published are %q, not %q", published, want)
	}
}

// TestComposeIsComplete: every service is pinned, healthy or not by its own word, and comes back; every file that is
// mounted is there, read only; and every role has a process.
func TestComposeIsComplete(t *testing.T) {
	p := composed(t)
	roles := map[string]bool{}
	for name, s := range p.Services {
		if _, tag, _ := strings.Cut(s.Image, ":"); s.Build == nil && !regexp.MustCompile(`^v?\d+\.\d+`).MatchString(tag) {
			t.Errorf("%s: the image %s is not pinned", name, s.Image)
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) == 0 || s.Restart == "" {
			t.Errorf("%s: a health check and a restart policy are wanted", name)
		}
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				if _, ok := p.Volumes[v.Source]; !ok {
					t.Errorf("%s: no volume %s", name, v.Source)
				}
				continue
			}
			if _, err := os.Stat(v.Source); err != nil || !v.ReadOnly {
				t.Errorf("%s: %s is to be there (%v) and read only (%t)", name, v.Source, err, v.ReadOnly)
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			roles[*s.Environment["MAKEGOOD_ROLES"]] = true
		}
	}
	for _, role := range []string{server.RoleGateway, server.RoleProjector, server.RoleExporter, server.RoleMapper} {
		if !roles[role] {
			t.Errorf("no process has the role %s", role)
		}
	}
	targets, err := os.ReadFile("../../dashboards/prometheus/targets/makegood.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range p.Services {
		if s.Build != nil && !strings.Contains(string(targets), name+":8080") {
			t.Errorf("Prometheus doesn't scrape %s", name)
		}
	}
}

// TestComposeIsConfined: no process gains rights, writes to its image or takes all of the memory; what needs a place to
// write has one that is named; and each is on the networks where it has business, of which only the way in has a way
// out.
func TestComposeIsConfined(t *testing.T) {
	p := composed(t)
	want := map[string][]string{
		"gateway": {"front", "log", "store", "watch"}, "projector": {"log", "store", "watch"},
		"exporter": {"log", "store", "watch"}, "mapper": {"log", "store", "watch"}, "kafka": {"log"},
		"clickhouse": {"store"}, "prometheus": {"watch"},
		"grafana": {"front", "store", "watch"},
	}
	for name, s := range p.Services {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) != 0 || s.Privileged {
			t.Errorf("%s: capabilities: dropped %v, added %v, privileged %t", name, s.CapDrop, s.CapAdd, s.Privileged)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain rights: %v", name, s.SecurityOpt)
		}
		if !s.ReadOnly {
			t.Errorf("%s may write to its image", name)
		}
		if s.MemLimit <= 0 || s.PidsLimit <= 0 {
			t.Errorf("%s: memory limit %d, processes %d", name, s.MemLimit, s.PidsLimit)
		}
		if s.NetworkMode != "" || s.Pid != "" || s.Ipc != "" {
			t.Errorf("%s shares the machine's network (%q), processes (%q) or memory (%q)", name, s.NetworkMode, s.Pid, s.Ipc)
		}
		if got := slices.Sorted(maps.Keys(s.Networks)); !slices.Equal(got, want[name]) {
			t.Errorf("%s is on %v, not on %v", name, got, want[name])
		}
	}
	for name, n := range p.Networks {
		if bool(n.Internal) == (name == "front") {
			t.Errorf("network %s: internal is %t", name, n.Internal)
		}
	}
	if len(p.Networks) != 4 || len(p.Services) != len(want) {
		t.Errorf("%d networks, %d services", len(p.Networks), len(p.Services))
	}
}

// TestComposeSpeaksTheFlags holds the environment of makegood's processes against serve's flags, and runs the flags'
// own checks on it.
func TestComposeSpeaksTheFlags(t *testing.T) {
	for name, s := range composed(t).Services {
		if s.Build == nil {
			continue
		}
		environment := map[string]string{}
		for key, value := range s.Environment {
			environment[key] = *value
		}
		t.Run(name, func(t *testing.T) { served(t, environment) })
	}
}

// served is the configuration that serve reads from an environment: each variable is to be one of its flags, and they
// are to configure one role, on a Kafka and a ClickHouse of their owner's. The environment stays until the test ends.
func served(t *testing.T, environment map[string]string) server.Config {
	t.Helper()
	var line commandLine
	parser, err := kong.New(&line, flagHelp, kong.DefaultEnvars("MAKEGOOD"),
		kong.Exit(func(int) { t.Fatal("kong wants to exit") }))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range parser.Model.AllFlags(false) {
		for _, flag := range f {
			for _, e := range flag.Envs {
				known[e] = true
			}
		}
	}
	for _, node := range parser.Model.Children {
		if node.Name == "serve" {
			for _, flag := range node.Flags {
				for _, e := range flag.Envs {
					known[e] = true
				}
			}
		}
	}
	for key, value := range environment {
		if !known[key] {
			t.Errorf("%s is no flag of serve", key)
		}
		t.Setenv(key, value)
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	if err := line.Serve.Validate(); err != nil || line.Serve.Embedded() || len(line.Serve.Roles) != 1 {
		t.Errorf("%v, embedded %t, roles %v", err, line.Serve.Embedded(), line.Serve.Roles)
	}
	return line.Serve.Config
}

// TestComposeShutsTheDefaultUserIn: ClickHouse's own user default, which has no password, comes from inside the
// container alone and may open the ports, no more; the users' file that says so is mounted, the image's start script
// adds none beside it, and all other users have a password from the environment, of their own.
func TestComposeShutsTheDefaultUserIn(t *testing.T) {
	type user struct {
		XMLName    xml.Name
		Replace    string    `xml:"replace,attr"`
		NoPassword *struct{} `xml:"no_password"`
		Password   struct {
			From string `xml:"from_env,attr"`
			Text string `xml:",chardata"`
		} `xml:"password"`
		Networks struct {
			All []struct {
				XMLName xml.Name
				Text    string `xml:",chardata"`
			} `xml:",any"`
		} `xml:"networks"`
		AccessManagement string   `xml:"access_management"`
		Grants           []string `xml:"grants>query"`
	}
	var file struct {
		Users struct {
			All []user `xml:",any"`
		} `xml:"users"`
	}
	s := composed(t).Services["clickhouse"]
	const mounted = "/etc/clickhouse-server/users.d/makegood.xml"
	at := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == mounted })
	if skip := s.Environment["CLICKHOUSE_SKIP_USER_SETUP"]; at < 0 || skip == nil || *skip != "1" {
		t.Fatalf("the users' file is not mounted, or the start script makes users: %v", s.Environment)
	}
	text, err := os.ReadFile(s.Volumes[at].Source)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	from := map[string]bool{}
	for _, u := range file.Users.All {
		name := u.XMLName.Local
		if u.AccessManagement != "" {
			t.Errorf("%s may make users", name)
		}
		if name != "default" {
			if u.NoPassword != nil || u.Password.From == "" || u.Password.Text != "" || from[u.Password.From] ||
				s.Environment[u.Password.From] == nil {
				t.Errorf("%s has the password %+v", name, u.Password)
			}
			from[u.Password.From] = true
			continue
		}
		n := u.Networks.All
		if u.Replace != "replace" || len(n) != 1 || n[0].XMLName.Local != "ip" || n[0].Text != "127.0.0.1" {
			t.Errorf("default is added to that of the image (%q), or comes from %+v", u.Replace, n)
		}
		if !slices.Equal(u.Grants, []string{"GRANT SYSTEM LISTEN ON *.*"}) {
			t.Errorf("default may %q", u.Grants)
		}
	}
	if len(file.Users.All) != 3 || len(from) != 2 {
		t.Errorf("there are %d users with %d passwords", len(file.Users.All), len(from))
	}
}
