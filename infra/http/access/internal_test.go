package access

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func lineOf(name, scopes, token string, sources ...string) string {
	return strings.Join(append([]string{name, scopes, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(token)))},
		sources...), " ")
}

func TestParse(t *testing.T) {
	long := strings.Repeat("t", shortest)
	good := "# people\r\n\n" + lineOf("a", "read", long+"1") + "\r\n\t" +
		lineOf("b", "write,operate", long+"2", "urn:x", "/y#z") + "  \n" + lineOf("a", "write", "short")
	found, err := parseTokens([]byte(good))
	if err != nil || len(found.entries) != 3 {
		t.Fatalf("%+v %v", found, err)
	}
	if e := found.find(long + "2"); e == nil || e.Name != "b" || len(e.Scopes) != 2 || len(e.Sources) != 2 ||
		e.Sources[1] != "/y#z" {
		t.Errorf("found %+v", e)
	}
	for _, nobody := range []string{"", long, long + "3", "short", long + "1 "} {
		if e := found.find(nobody); e != nil {
			t.Errorf("%q is %+v", nobody, e)
		}
	}
	for name, bad := range map[string]string{
		"too few":           "a read",
		"the token itself":  "a read " + tokenPrefix + long,
		"a short hash":      "a read sha256:abcd",
		"no hash":           "a read sha256:" + strings.Repeat("zz", 32),
		"no scope":          lineOf("a", ",", long),
		"an unknown scope":  lineOf("a", "read,admin", long),
		"an odd name":       lineOf("a/b", "read", long),
		"a reader's source": lineOf("a", "read", long, "urn:x"),
		"twice":             lineOf("a", "read", long) + "\n" + lineOf("b", "write", long),
	} {
		if _, err := parseTokens([]byte("\n" + bad + "\n")); err == nil || !strings.Contains(err.Error(), "2") ||
			strings.Contains(err.Error(), long) {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := make([]string, maxTokens+1)
	for i := range many {
		many[i] = lineOf("a", "read", fmt.Sprint(i))
	}
	if _, err := parseTokens([]byte(strings.Join(many[1:], "\n"))); err != nil {
		t.Error(err)
	}
	if _, err := parseTokens([]byte(strings.Join(many, "\n"))); err == nil {
		t.Error("more than there may be")
	}
}

// How long a comparison takes has nothing to do with where, or whether, a token is found: no hash is left out. What
// can be held against that without a stopwatch is that a match is found at any place, the last one included, and that
// the time doesn't differ by orders. The comparison of two hashes itself is crypto/subtle's.
func TestEveryHashIsCompared(t *testing.T) {
	var all tokens
	token := func(i int) string { return fmt.Sprintf("%0*d", shortest, i) }
	for i := range 5000 {
		all.hashes = append(all.hashes, sha256.Sum256([]byte(token(i))))
		all.entries = append(all.entries, Entry{Name: fmt.Sprint(i)})
	}
	fastest := func(token string) time.Duration {
		best := time.Hour
		for range 20 {
			start := time.Now()
			all.find(token)
			best = min(best, time.Since(start))
		}
		return best
	}
	for _, i := range []int{0, 1, 2500, 4999} {
		if e := all.find(token(i)); e == nil || e.Name != fmt.Sprint(i) {
			t.Errorf("%d is %+v", i, e)
		}
	}
	first, last, none := fastest(token(0)), fastest(token(4999)), fastest(token(5000))
	if least, most := min(first, last, none), max(first, last, none); most > 5*least {
		t.Errorf("the first takes %s, the last %s, an unknown one %s", first, last, none)
	}
}

func TestIssue(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access")
	e := Entry{Name: "till-1", Scopes: []gateway.Scope{gateway.Write}, Sources: []string{"urn:till:1"}}
	first, err := Issue(file, e)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v)", info.Mode(), err)
	}
	// Somebody's editor left no line end.
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), first) {
		t.Error("the token is in the file")
	}
	if err := os.WriteFile(file, content[:len(content)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := Issue(file, e)
	if err != nil || second == first || !strings.HasPrefix(second, tokenPrefix) || len(second) != len(tokenPrefix)+43 {
		t.Fatalf("%q %q %v", first, second, err)
	}
	if content, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	all, err := parseTokens(content)
	if err != nil || all.find(first) == nil || all.find(second) == nil {
		t.Errorf("%s: %v", content, err)
	}
	for _, bad := range []Entry{
		{}, {Name: "a"}, {Name: "a", Scopes: []gateway.Scope{"all"}}, {Name: "a b", Scopes: e.Scopes},
		{Name: "a", Scopes: e.Scopes, Sources: []string{"a b"}},
		{Name: "a", Scopes: []gateway.Scope{gateway.Read}, Sources: e.Sources},
	} {
		if _, err := Issue(file, bad); err == nil {
			t.Errorf("issued %+v", bad)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Issue(file, e); err == nil {
		t.Error("added to a file that everybody may read")
	}
	if err := os.WriteFile(file, []byte("broken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Issue(file, e); err == nil {
		t.Error("added behind a line that can't be read")
	}
}

// A million strangers take no more memory than the last of them.
func TestSlowdownForgets(t *testing.T) {
	s := newSlowdown(2, time.Second, 1000)
	for i := range 100_000 {
		s.failed(fmt.Sprintf("10.%d.%d.%d:99", i>>16, i>>8&255, i&255), noon)
	}
	if n := s.remembered(); n > 2000 || n < 1000 {
		t.Errorf("%d are remembered", n)
	}
	// One that keeps failing is remembered through it.
	for i := range 2500 {
		s.failed("192.0.2.1:1", noon)
		s.failed(fmt.Sprintf("10.0.%d.%d:99", i>>8, i&255), noon)
	}
	forgiven := 0
	for range 3 {
		if s.failed("192.0.2.1:7", noon) == 0 {
			forgiven++
		}
	}
	if forgiven == 3 {
		t.Error("who failed all the time is forgotten")
	}
}

func TestNeighbourhood(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1": "192.0.2.7/32", "[::ffff:192.0.2.7]:1": "192.0.2.7/32", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1": "fe80::/64",
	} {
		if got := gateway.Neighbourhood(remote); got != netip.MustParsePrefix(want) {
			t.Errorf("%s is of %s", remote, got)
		}
	}
	if gateway.Neighbourhood("pipe").IsValid() {
		t.Error("a pipe has neighbours")
	}
}

func TestReadSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	for content, want := range map[string]string{"s3cret\n": "s3cret", "s3cret": "s3cret", " a b \r\n": " a b ", "": "",
		"\n": "", "two\nlines\n": ""} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSecret(file)
		if got != want || (err != nil) != (want == "") || (err != nil && strings.Contains(err.Error(), "lines\n")) {
			t.Errorf("%q is %q (%v)", content, got, err)
		}
	}
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o440: true, 0o640: true, 0o644: false,
		0o660: false, 0o604: false, 0o602: false} {
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSecret(file); (err == nil) != fine {
			t.Errorf("%o: %v", mode, err)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadSecret(t.TempDir()); err == nil {
		t.Error("a directory is a secret")
	}
}
