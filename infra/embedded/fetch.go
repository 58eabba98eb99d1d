package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// engineVersion is the version of the engine's packages. A new one changes the
// pins below with it, and is fetched beside the old one.
const engineVersion = "26.7.3-stable.1"

// EngineVersion is the version of the engine that is fetched.
func EngineVersion() string { return engineVersion }

// EngineURL is the package URL (purl) of the engine of this platform; that of
// linux/amd64 where it has none.
func EngineURL() string {
	p, ok := enginePackages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		p = enginePackages["linux/amd64"]
	}
	name, _ := strings.CutSuffix(p.spec, "@"+engineVersion)
	return "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + engineVersion
}

// enginePackage is one platform's engine as published, pinned by content: the
// registry is only asked for bytes, never trusted for what they should be.
type enginePackage struct {
	spec      string // what npm is asked for
	integrity string // sha512 of the packed package, as in dist.integrity
	packed    int64  // size of the packed package, for the progress line
	library   string // the engine's file in the package
}

// enginePackages holds what has been fetched and checked by hand. The same
// publisher has packages for linux-arm64 (…/lib-linux-arm64-gnu), darwin-arm64
// and darwin-x64; without a checksum that somebody verified they are not run.
var enginePackages = map[string]enginePackage{
	"linux/amd64": {
		spec:      "@chdb/lib-linux-x64-gnu@" + engineVersion,
		integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
		packed:    177_817_999,
		library:   "package/libchdb.so",
	},
}

// ErrNoEngine says that no engine can be had for this platform this way; the
// text tells what to install.
var ErrNoEngine = errors.New("no ClickHouse engine")

// CacheDir returns where fetched engines are kept: $MAKEGOOD_CACHE, else the
// folder makegood in the user's cache directory. It is outside any source tree
// and any data directory, so all of a user's data directories share it.
func CacheDir() (string, error) {
	if dir := os.Getenv("MAKEGOOD_CACHE"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("resolving MAKEGOOD_CACHE: %w", err)
		}
		return abs, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache directory (MAKEGOOD_CACHE can name one): %w", err)
	}
	return filepath.Join(dir, "makegood"), nil
}

// FetchConfig says where the engine is kept and who hears of the download.
type FetchConfig struct {
	// CacheDir is the cache; empty means CacheDir().
	CacheDir string
	// Progress takes a progress line while the engine is downloaded: a bar on
	// a terminal, occasional lines elsewhere. Nil shows nothing.
	Progress io.Writer
}

// Fetch returns the path of the engine's library, and downloads it first where
// the cache doesn't have it whole. Several processes may call it at once: one
// downloads, the others wait for it.
func Fetch(ctx context.Context, cfg FetchConfig) (string, error) {
	if cfg.CacheDir == "" {
		dir, err := CacheDir()
		if err != nil {
			return "", err
		}
		cfg.CacheDir = dir
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	pkg, ok := enginePackages[platform]
	if !ok {
		return "", fmt.Errorf("%w: none is pinned for %s; install ClickHouse so that `clickhouse` is on the PATH, or name "+
			"a server with --clickhouse", ErrNoEngine, platform)
	}
	return pkg.fetch(ctx, cfg.CacheDir, cfg.Progress)
}

// marker is written last, after the library: a library without one is the
// rest of something that was interrupted.
type marker struct {
	Integrity string    `json:"integrity"`
	Size      int64     `json:"size"`
	Modified  time.Time `json:"modified"`
	SHA256    string    `json:"sha256"`
}

const (
	markerName    = "verified.json"
	fetchLockWait = 50 * time.Millisecond
	stalePrefix   = "fetch-"
)

func (p enginePackage) fetch(ctx context.Context, cache string, progress io.Writer) (_ string, err error) {
	root := filepath.Join(cache, "engine")
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.integrity, "sha512-"))
	if err != nil || len(sum) != sha512.Size {
		return "", fmt.Errorf("the pinned checksum of %s is malformed: %q", p.spec, p.integrity)
	}
	// The folder is named by content, so a new pin never meets an old file.
	dir := filepath.Join(root, fmt.Sprintf("%x", sum[:8]))
	library := filepath.Join(dir, path.Base(p.library))

	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("creating engine cache: %w", err)
	}
	lock := flock.New(filepath.Join(root, "lock"))
	if _, err := lock.TryLockContext(ctx, fetchLockWait); err != nil {
		return "", fmt.Errorf("waiting for another process that fetches the engine: %w", err)
	}
	defer func() {
		if cerr := lock.Close(); cerr != nil {
			err = errors.Join(err, fmt.Errorf("unlocking engine cache: %w", cerr))
		}
	}()

	if p.cached(dir, library) {
		return library, nil
	}
	if err := sweep(root); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(root, stalePrefix)
	if err != nil {
		return "", fmt.Errorf("creating download directory: %w", err)
	}
	defer func() {
		if rerr := os.RemoveAll(tmp); rerr != nil {
			err = errors.Join(err, fmt.Errorf("removing download directory: %w", rerr))
		}
	}()
	tgz, err := p.download(ctx, tmp, progress)
	if err != nil {
		return "", err
	}
	if err := p.install(tgz, dir, library); err != nil {
		return "", err
	}
	return library, nil
}

// cached tells whether the library is the one that was verified. Its half a
// gigabyte is hashed again only where it was written to since.
func (p enginePackage) cached(dir, library string) bool {
	text, err := os.ReadFile(filepath.Join(dir, markerName))
	if err != nil {
		return false
	}
	var m marker
	if json.Unmarshal(text, &m) != nil || m.Integrity != p.integrity {
		return false
	}
	info, err := os.Stat(library)
	if err != nil || !info.Mode().IsRegular() || info.Size() != m.Size {
		return false
	}
	if info.ModTime().Equal(m.Modified) {
		return true
	}
	f, err := os.Open(library)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return false
	}
	if fmt.Sprintf("%x", h.Sum(nil)) != m.SHA256 {
		return false
	}
	// The content is right: remember its new time, or hash again next time.
	m.Modified = info.ModTime()
	_ = p.mark(dir, m)
	return true
}

func (p enginePackage) mark(dir string, m marker) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding engine marker: %w", err)
	}
	if err := writeFileAtomic(filepath.Join(dir, markerName), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("marking the engine as verified: %w", err)
	}
	return nil
}

// sweep removes what killed fetches left behind. The lock is held, so none is
// at work.
func sweep(root string) error {
	left, err := filepath.Glob(filepath.Join(root, stalePrefix+"*"))
	if err != nil {
		return fmt.Errorf("looking for interrupted downloads: %w", err)
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("removing an interrupted download: %w", err)
		}
	}
	return nil
}

// download has npm put the packed package into tmp and returns its path. npm
// knows the user's registry, proxy and certificates; its cache is a temporary
// one, since it would keep a second copy that nothing reads again.
func (p enginePackage) download(ctx context.Context, tmp string, progress io.Writer) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("%w: it is fetched with npm, which is not on the PATH; install Node.js with npm, or "+
			"ClickHouse so that `clickhouse` is on the PATH: %w", ErrNoEngine, err)
	}
	cmd := exec.CommandContext(ctx, npm, "pack", p.spec,
		"--cache", filepath.Join(tmp, "npm-cache"), "--json", "--loglevel=error", "--no-update-notifier", "--ignore-scripts")
	cmd.Dir = tmp
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	// npm is a script that starts others: end the whole group with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second

	stop := watchGrowth(tmp, p.packed, progress)
	err = cmd.Run()
	stop(err == nil)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("fetching %s with npm: %w%s", p.spec, err, indentTail(complaints.Bytes()))
	}
	tgz, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(tgz) != 1 {
		return "", fmt.Errorf("fetching %s with npm: expected one packed file, found %d%s", p.spec, len(tgz),
			indentTail(out.Bytes()))
	}
	return tgz[0], nil
}

// install verifies the packed package against the pin and puts its library in
// place. Verification comes before the first byte is unpacked.
func (p enginePackage) install(tgz, dir, library string) (err error) {
	f, err := os.Open(tgz)
	if err != nil {
		return fmt.Errorf("opening the packed engine: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	whole := sha512.New()
	if _, err := io.Copy(whole, f); err != nil {
		return fmt.Errorf("reading the packed engine: %w", err)
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(whole.Sum(nil)); got != p.integrity {
		return fmt.Errorf("the package %s is not the one that was pinned: its checksum is %s, expected %s", p.spec, got,
			p.integrity)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewinding the packed engine: %w", err)
	}
	// From here on the old library, if any, is no longer vouched for.
	if err := os.Remove(filepath.Join(dir, markerName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the engine's old marker: %w", err)
	}
	out, err := os.CreateTemp(filepath.Dir(tgz), "library-*.tmp")
	if err != nil {
		return fmt.Errorf("creating the engine's file: %w", err)
	}
	defer func() { _ = out.Close() }() // closed by commitFile when all went well
	h := sha256.New()
	size, err := unpack(f, p.library, io.MultiWriter(out, h))
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", p.spec, err)
	}
	if err := out.Chmod(0o755); err != nil {
		return fmt.Errorf("setting the engine's mode: %w", err)
	}
	if err := commitFile(out, library); err != nil {
		return fmt.Errorf("putting the engine in place: %w", err)
	}
	info, err := os.Stat(library)
	if err != nil {
		return fmt.Errorf("looking at the engine in place: %w", err)
	}
	return p.mark(dir, marker{
		Integrity: p.integrity,
		Size:      size,
		Modified:  info.ModTime(),
		SHA256:    fmt.Sprintf("%x", h.Sum(nil)),
	})
}

// unpack writes the one member called name to w.
func unpack(tgz io.Reader, name string, w io.Writer) (int64, error) {
	zr, err := gzip.NewReader(tgz)
	if err != nil {
		return 0, fmt.Errorf("opening archive: %w", err)
	}
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("%s is not in the archive", name)
		}
		if err != nil {
			return 0, fmt.Errorf("reading archive: %w", err)
		}
		if h.Name != name || h.Typeflag != tar.TypeReg {
			continue
		}
		n, err := io.Copy(w, tr)
		if err != nil {
			return 0, fmt.Errorf("copying %s: %w", name, err)
		}
		return n, nil
	}
}

// indentTail renders the end of a foreign program's output below an error.
func indentTail(text []byte) string {
	const lines = 20
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(all) == 1 && all[0] == "" {
		return ""
	}
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return "\n\t" + strings.Join(all, "\n\t")
}
