package people_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/people"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// open opens a key file, whose clock runs a minute each time that it is asked.
func open(t *testing.T, path string) *people.File {
	t.Helper()
	var mu sync.Mutex
	now := noon
	f, err := people.Open(path, true, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Minute)
		return now
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHashIsHMAC computes a hash a second time, from the file alone.
func TestHashIsHMAC(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.key")
	f := open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("its mode is %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	secret, err := hex.DecodeString(fields[2])
	if err != nil || len(secret) != 32 {
		t.Fatalf("the key is %d bytes, %v", len(secret), err)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("customer\x00Müller"))
	digits := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
	if got, want := f.Hash("customer", "Müller", noon), "p-"+fields[0]+"-"+digits; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if f.Hash("employee", "Müller", noon) == f.Hash("customer", "Müller", noon) {
		t.Error("a customer and an employee of one id are told as one person")
	}
}

// TestHashTwice: whatever the id, its hash is left as it is, and is none of another ring.
func TestHashTwice(t *testing.T) {
	a := open(t, filepath.Join(t.TempDir(), "people.key"))
	b := open(t, filepath.Join(t.TempDir(), "people.key"))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	seen := map[string]string{}
	for range 5000 {
		id := make([]byte, 1+r.IntN(127))
		for i := range id {
			id[i] = byte(' ' + r.IntN(95))
		}
		hash := a.Hash("customer", string(id), noon)
		if again := a.Hash("customer", hash, noon.Add(time.Hour)); again != hash || !a.Ring().IsHash(hash) {
			t.Fatalf("%s became %s", hash, again)
		}
		if b.Hash("customer", hash, noon) == hash || strings.Contains(hash, string(id)) && len(id) > 3 {
			t.Fatalf("%q as %s", id, hash)
		}
		if other, is := seen[hash]; is && other != string(id) {
			t.Fatalf("%q and %q have one hash", id, other)
		}
		seen[hash] = string(id)
		// What only looks like one is hashed.
		fake := []byte(hash)
		fake[2+r.IntN(8)] ^= 1
		if a.Hash("customer", string(fake), noon) == string(fake) {
			t.Fatalf("%s passes for a hash", fake)
		}
	}
	if e := people.NewErased(); a.Hash("customer", e, noon) != e || !people.IsErased(e) || e == people.NewErased() {
		t.Errorf("%s isn't left as it is, or isn't new each time", e)
	}
}

// TestRotation: an event keeps its hash whenever it is sent, since its own time says which key; destroyed keys are
// followed by the next.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.key")
	f := open(t, path)
	begins := noon.Add(24 * time.Hour)
	before, after := begins.Add(-time.Second), begins
	was := f.Hash("customer", "c1", before)
	first := f.Ring().Keys()[0].Name
	second, err := people.Rotate(path, begins)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Hash("customer", "c1", before); got != was {
		t.Errorf("sent again after the rotation it is %s and was %s", got, was)
	}
	is := f.Hash("customer", "c1", after)
	if is == was || !strings.HasPrefix(is, "p-"+second) {
		t.Errorf("with the new key %s is %s", was, is)
	}
	if got := f.Ring().Hashes("customer", "c1"); len(got) != 2 || got[0] != was || got[1] != is {
		t.Errorf("found under %v, want %s and %s", got, was, is)
	}
	if _, err := people.Rotate(path, begins); err == nil {
		t.Error("two keys begin at once")
	}
	if err := people.Destroy(path, second); err == nil {
		t.Error("the last key was destroyed, and nothing could be hashed")
	}
	if err := people.Destroy(path, first); err != nil {
		t.Fatal(err)
	}
	if got := f.Hash("customer", "c1", before); got != is {
		t.Errorf("without the first key it is %s, want %s", got, is)
	}
	if f.Hash("customer", was, noon) != was {
		t.Error("a hash by a destroyed key is hashed again")
	}
	if got := f.Ring().Hashes("customer", "c1"); len(got) != 1 || got[0] != is {
		t.Errorf("found under %v", got)
	}
}

// TestFirstStart: of processes that start at once one makes the file, and all hash alike.
func TestFirstStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.key")
	var group sync.WaitGroup
	hashes := make([]string, 16)
	for i := range hashes {
		group.Go(func() {
			f, err := people.Open(path, true, time.Now, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = f.Hash("customer", "c1", noon)
		})
	}
	group.Wait()
	for _, h := range hashes {
		if h != hashes[0] {
			t.Fatalf("%v", hashes)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestBadFiles: what can't be used is refused, without saying what is in it, and changes nothing where it was good.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	f := open(t, good)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(strings.TrimSpace(string(text)), "\n")[2]
	fields := strings.Fields(line)
	for i, bad := range []string{"", "# nothing\n", line + "\n" + line, fields[0] + " - " + fields[2][1:],
		fields[0] + " noon " + fields[2], "00000000 - " + fields[2], fields[0] + " - destroyed", "a b", line + " more"} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := people.Open(path, true, time.Now, slog.New(slog.DiscardHandler)); err == nil ||
			strings.Contains(err.Error(), fields[2][1:20]) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	was := f.Hash("customer", "c1", noon)
	if err := os.WriteFile(good, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f.Hash("customer", "c1", noon) != was {
		t.Error("a file that can't be used changed what is hashed")
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, text, 0o644); err != nil { //nolint:gosec // that is what is refused
		t.Fatal(err)
	}
	if _, err := people.Open(open, true, time.Now, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a key file for everybody to read is taken")
	}
	if err := people.Create(good); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key file was written over: %v", err)
	}
}

func BenchmarkHash(b *testing.B) {
	f, err := people.Open(filepath.Join(b.TempDir(), "people.key"), true, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f.Hash("customer", "C-1000001", noon)
	}
}
