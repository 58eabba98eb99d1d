package pipe

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// watched has the folder of a till.
func watched(t *testing.T) (*shop, *Folders) {
	s := openShop(t, "shop: {mapping: words, folder: in}")
	if err := os.Mkdir(filepath.Join(s.dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s, NewFolders(FolderConfig{Tills: s.tills, Send: s.send, MaxFile: 100, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
}

// files are those of the folder, with their directories.
func (s *shop) files() (all []string) {
	s.Helper()
	var list func(dir string)
	list = func(dir string) {
		entries, err := os.ReadDir(filepath.Join(s.dir, "in", dir))
		if err != nil {
			s.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				list(filepath.Join(dir, e.Name()))
				continue
			}
			all = append(all, filepath.Join(dir, e.Name()))
		}
	}
	list("")
	return all
}

// TestFolder: a file is mapped once it has stopped growing, and moved when its events are durable; what of it can't be
// mapped puts it aside, with the reasons; what isn't finished, or is no file, stays.
func TestFolder(t *testing.T) {
	s, f := watched(t)
	s.write("in/a.csv", "one\ntwo")
	s.write("in/growing.csv", "three")
	s.write("in/bad.csv", "good\n!bad\nbreaks\nfine")
	s.write("in/large.csv", strings.Repeat("x", 101))
	s.write("in/.hidden", "no")
	s.write("in/b.csv.part", "no")
	if err := os.Symlink(filepath.Join(s.dir, "secret"), filepath.Join(s.dir, "in", "link.csv")); err != nil {
		t.Fatal(err)
	}
	f.look(t.Context())
	if sent, _ := s.seen(); len(sent) != 0 {
		t.Fatalf("what was seen once is mapped: %q", sent)
	}
	s.write("in/growing.csv", "three\nfour")
	f.look(t.Context())
	s.write("in/a.csv", "five") // another of that name
	f.look(t.Context())
	f.look(t.Context())
	sent, _ := s.seen()
	want := []string{"shop fine", "shop five", "shop four", "shop good", "shop one", "shop three", "shop two"}
	if !slices.Equal(sent, want) {
		t.Errorf("sent %q, not %q", sent, want)
	}
	left := []string{".hidden", "b.csv.part", "done/a.csv", "done/a.csv.1", "done/growing.csv", "link.csv",
		"refused/bad.csv", "refused/bad.csv.reasons.txt", "refused/large.csv", "refused/large.csv.reasons.txt"}
	if got := s.files(); !slices.Equal(got, left) {
		t.Errorf("there are %q, not %q", got, left)
	}
	why, err := os.ReadFile(filepath.Join(s.dir, "in/refused/bad.csv.reasons.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(why); got != "line 2: !bad; mend it\nit breaks the contract\n" {
		t.Errorf("the reasons are %q", got)
	}
	if n := s.tills.find("shop").RefusedFiles(); n != 2 {
		t.Errorf("%d files lie aside", n)
	}
	// Mended and moved back, it is mapped: what was sent before folds by its id.
	if err := os.Rename(filepath.Join(s.dir, "in/refused/bad.csv"), filepath.Join(s.dir, "in/bad.csv")); err != nil {
		t.Fatal(err)
	}
	s.write("in/bad.csv", "good\nmended")
	f.look(t.Context())
	f.look(t.Context())
	if sent, _ := s.seen(); !slices.Contains(sent, "shop mended") {
		t.Errorf("sent %q", sent)
	}
}

// TestFolderWaits: a file stays where it is while its events can't be sent.
func TestFolderWaits(t *testing.T) {
	s, f := watched(t)
	s.fail = errors.New("no broker")
	s.write("in/a.csv", "one")
	for range 3 {
		f.look(t.Context())
	}
	if got := s.files(); !slices.Equal(got, []string{"a.csv"}) {
		t.Fatalf("there are %q", got)
	}
	s.fail = nil
	f.look(t.Context())
	if sent, _ := s.seen(); !slices.Equal(sent, []string{"shop one"}) || !slices.Equal(s.files(), []string{"done/a.csv"}) {
		t.Errorf("sent %q, there are %q", sent, s.files())
	}
}
