package embedded

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// smallPackage makes an npm package in a folder, which npm packs like a
// published one, and pins it. Everything but the transport is as for the real
// engine.
func smallPackage(t *testing.T) enginePackage {
	t.Helper()
	src := t.TempDir()
	for name, text := range map[string]string{
		"package.json": `{"name": "small-engine", "version": "1.0.0"}`,
		"libchdb.so":   strings.Repeat("engine ", 100000),
	} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := enginePackage{spec: src, packed: 10000, library: "package/libchdb.so"}
	tgz, err := p.download(testContext(t), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(tgz)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(packed)
	p.integrity = "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	return p
}

func mustFetch(t *testing.T, p enginePackage, cache string) string {
	t.Helper()
	library, err := p.fetch(testContext(t), cache, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != strings.Repeat("engine ", 100000) {
		t.Fatalf("the library holds %d other bytes", len(text))
	}
	return library
}

// withoutNPM makes any further download impossible.
func withoutNPM(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
}

func TestFetchOnceAndLeaveNothing(t *testing.T) {
	p, cache := smallPackage(t), t.TempDir()
	t.Setenv("HOME", t.TempDir()) // an empty home is enough for npm
	library := mustFetch(t, p, cache)
	var left []string
	err := filepath.WalkDir(cache, func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			left = append(left, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(left, " "); got != "libchdb.so verified.json lock" {
		t.Errorf("the cache holds %s", got)
	}
	withoutNPM(t)
	if again := mustFetch(t, p, cache); again != library {
		t.Errorf("%s, then %s", library, again)
	}
}

func TestFetchMendsTheCache(t *testing.T) {
	p := smallPackage(t)
	for name, damage := range map[string]func(t *testing.T, library, marker string){
		"no marker": func(t *testing.T, _, marker string) {
			if err := os.Remove(marker); err != nil {
				t.Fatal(err)
			}
		},
		"marker is garbage": func(t *testing.T, _, marker string) {
			if err := os.WriteFile(marker, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"marker of another": func(t *testing.T, _, marker string) {
			text, err := os.ReadFile(marker)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(marker, bytes.Replace(text, []byte("sha512-"), []byte("sha512-x"), 1), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"no library": func(t *testing.T, library, _ string) {
			if err := os.Remove(library); err != nil {
				t.Fatal(err)
			}
		},
		"cut library": func(t *testing.T, library, _ string) {
			if err := os.Truncate(library, 1000); err != nil {
				t.Fatal(err)
			}
		},
		"changed library": func(t *testing.T, library, _ string) {
			f, err := os.OpenFile(library, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteAt([]byte("X"), 500)
			if err := errors.Join(err, f.Close(), os.Chtimes(library, time.Time{}, time.Unix(1, 0))); err != nil {
				t.Fatal(err)
			}
		},
		"an interrupted fetch": func(t *testing.T, library, marker string) {
			if err := os.MkdirAll(filepath.Join(filepath.Dir(filepath.Dir(library)), stalePrefix+"1234", "npm-cache"),
				0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(marker); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			library := mustFetch(t, p, cache)
			damage(t, library, filepath.Join(filepath.Dir(library), markerName))
			mustFetch(t, p, cache)
			left, err := filepath.Glob(filepath.Join(cache, "engine", stalePrefix+"*"))
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			withoutNPM(t)
			mustFetch(t, p, cache)
		})
	}
	t.Run("a new time, the same content", func(t *testing.T) {
		cache := t.TempDir()
		library := mustFetch(t, p, cache)
		if err := os.Chtimes(library, time.Time{}, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		withoutNPM(t)
		mustFetch(t, p, cache)
	})
}

func TestFetchRefusesOtherBytes(t *testing.T) {
	p, cache := smallPackage(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(p.spec, "libchdb.so"), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := p.fetch(testContext(t), cache, nil)
	if err == nil || !strings.Contains(err.Error(), "not the one that was pinned") {
		t.Fatalf("%v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(cache, "engine", "*", "*")); len(found) != 0 {
		t.Errorf("it was kept: %v", found)
	}
}

func TestFetchTellsWhatNPMSaid(t *testing.T) {
	p := smallPackage(t)
	p.spec = filepath.Join(t.TempDir(), "nowhere")
	_, err := p.fetch(testContext(t), t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "npm error") {
		t.Errorf("%v", err)
	}
}

func TestFetchWithoutNPM(t *testing.T) {
	p := smallPackage(t)
	withoutNPM(t)
	_, err := p.fetch(testContext(t), t.TempDir(), nil)
	if !errors.Is(err, ErrNoEngine) || !errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"npm", "Node.js", "clickhouse"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}

func TestFetchIsCancelled(t *testing.T) {
	bin := t.TempDir()
	p, cache := smallPackage(t), t.TempDir()
	started := filepath.Join(bin, "started")
	// An npm that hangs in a child of its own, like one behind a dead proxy.
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\ntouch '"+started+"'\nsleep 600\n"),
		0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(testContext(t))
	go func() {
		for {
			if _, err := os.Stat(started); err == nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := p.fetch(ctx, cache, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "engine", stalePrefix+"*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestFetchAtOnce: of several that need the engine at the same time one
// downloads it. The npm here counts how often it is asked.
func TestFetchAtOnce(t *testing.T) {
	p, cache, bin := smallPackage(t), t.TempDir(), t.TempDir()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal(err)
	}
	count := filepath.Join(bin, "count")
	if err := os.WriteFile(filepath.Join(bin, "npm"),
		[]byte("#!/bin/sh\necho asked >> '"+count+"'\nexec '"+npm+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	spec, err := json.Marshal(map[string]any{"spec": p.spec, "integrity": p.integrity})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_ENGINE_PACKAGE", string(spec))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			h := startHost(t, "host-fetch", cache)
			if _, err := os.Stat(h.Library); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	asked, err := os.ReadFile(count)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(asked), "asked"); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
}

func TestFetchShowsProgress(t *testing.T) {
	p := smallPackage(t)
	var said bytes.Buffer
	if _, err := p.fetch(testContext(t), t.TempDir(), &said); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) < 2 || lines[len(lines)-1] != fetchingEngine+": done" || strings.Contains(said.String(), "\r") {
		t.Errorf("%q", said.String())
	}

	said.Reset()
	show, finish := plainProgress(1000e6, &said)
	for n := int64(0); n <= 1000e6; n += 1e6 {
		show(n)
	}
	finish(false)
	if n := strings.Count(said.String(), "\n"); n != 5 {
		t.Errorf("%d lines: %s", n, said.String())
	}
}

func TestCacheDir(t *testing.T) {
	t.Setenv("MAKEGOOD_CACHE", "/somewhere/else")
	if dir, err := CacheDir(); err != nil || dir != "/somewhere/else" {
		t.Errorf("%s, %v", dir, err)
	}
	t.Setenv("MAKEGOOD_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/home/x/.cache")
	if dir, err := CacheDir(); err != nil || filepath.Base(dir) != "makegood" {
		t.Errorf("%s, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := CacheDir(); err == nil || !strings.Contains(err.Error(), "MAKEGOOD_CACHE") {
		t.Errorf("without a home: %v", err)
	}
}

// TestPinsAreWellFormed: a pin that can't match anything is found here, not by
// the first user of its platform.
func TestPinsAreWellFormed(t *testing.T) {
	for platform, p := range enginePackages {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.integrity, "sha512-"))
		if err != nil || len(sum) != sha512.Size {
			t.Errorf("%s: %q is no sha512", platform, p.integrity)
		}
		if !strings.HasSuffix(p.spec, "@"+engineVersion) || p.packed == 0 {
			t.Errorf("%s: %+v", platform, p)
		}
	}
}
