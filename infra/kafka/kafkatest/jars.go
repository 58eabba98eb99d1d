package kafkatest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// KafkaVersion is the version of Apache Kafka that StartReal starts.
const KafkaVersion = "4.3.0"

//go:embed pom.xml
var pom []byte

//go:embed jars.sha256
var checksums string

// CacheDir is where Kafka's jars are kept: below $MAKEGOOD_CACHE if that is
// set, else below the user's cache directory.
func CacheDir() (string, error) {
	base := os.Getenv("MAKEGOOD_CACHE")
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no MAKEGOOD_CACHE is set, and there is no cache directory: %w", err)
		}
		base = filepath.Join(user, "makegood")
	}
	return filepath.Join(base, "kafka-"+KafkaVersion), nil
}

// Jars gives the directory with Kafka's jars, fetching them with the Maven
// client if they aren't cached. Each is checked against its checksum, every
// time: a broker of unknown provenance proves nothing.
func Jars(ctx context.Context, progress io.Writer) (string, error) {
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the cache directory: %w", err)
	}
	libs := filepath.Join(dir, "libs")
	// Test binaries of several packages may come at once.
	lock := flock.New(filepath.Join(dir, "lock"))
	if err := lock.Lock(); err != nil {
		return "", fmt.Errorf("locking the cache directory: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := verifyJars(libs); err == nil {
		return libs, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the cached jars are not what they should be; remove %s to fetch them again: %w", libs, err)
	}
	_, _ = fmt.Fprintf(progress, "fetching Apache Kafka %s (45 jars, 43 MB) into %s\n", KafkaVersion, dir)
	if err := fetchJars(ctx, dir, libs, progress); err != nil {
		return "", err
	}
	return libs, nil
}

// fetchJars runs Maven with everything it writes below dir, so that it works
// without a home directory and leaves none behind.
func fetchJars(ctx context.Context, dir, libs string, progress io.Writer) error {
	work, err := os.MkdirTemp(dir, "fetching-")
	if err != nil {
		return fmt.Errorf("making a directory to fetch into: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	pomFile := filepath.Join(work, "pom.xml")
	if err := os.WriteFile(pomFile, pom, 0o644); err != nil {
		return fmt.Errorf("writing the pom: %w", err)
	}
	fresh := filepath.Join(work, "libs")
	mvn := exec.CommandContext(ctx, "mvn", "--batch-mode", "--quiet", "--file", pomFile,
		"-Dmaven.repo.local="+filepath.Join(work, "repository"),
		"dependency:copy-dependencies", "-DoutputDirectory="+fresh)
	mvn.Env = append(os.Environ(), "HOME="+work)
	mvn.Stdout, mvn.Stderr = progress, progress
	if err := mvn.Run(); err != nil {
		return fmt.Errorf("fetching Kafka with Maven (is mvn on the PATH?): %w", err)
	}
	if err := verifyJars(fresh); err != nil {
		return fmt.Errorf("what Maven fetched isn't what is pinned: %w", err)
	}
	if err := os.Rename(fresh, libs); err != nil {
		return fmt.Errorf("moving the jars into place: %w", err)
	}
	return nil
}

// verifyJars checks that the directory holds exactly the pinned jars.
func verifyJars(libs string) error {
	entries, err := os.ReadDir(libs)
	if err != nil {
		return err
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	var errs []error
	for line := range strings.Lines(checksums) {
		want, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			return fmt.Errorf("jars.sha256: %q is no checksum", line)
		}
		at := slices.Index(have, name)
		if at < 0 {
			errs = append(errs, fmt.Errorf("%s is missing", name))
			continue
		}
		have = slices.Delete(have, at, at+1)
		got, err := sha256File(filepath.Join(libs, name))
		switch {
		case err != nil:
			errs = append(errs, err)
		case got != want:
			errs = append(errs, fmt.Errorf("%s has checksum %s, not %s", name, got, want))
		}
	}
	for _, name := range have {
		errs = append(errs, fmt.Errorf("%s is not pinned", name))
	}
	return errors.Join(errs...)
}

func sha256File(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
