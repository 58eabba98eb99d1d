package pipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxConfig bounds the tills file, in bytes.
const maxConfig = 1 << 20

// Till is one entry of the tills file.
type Till struct {
	Name string `yaml:"-"`
	// Mapping is a built-in name, or a file beside the tills file.
	Mapping string `yaml:"mapping"`
	// SecretFile and SecretFiles hold what its sender signs with; several while one is replaced by another.
	SecretFile  string   `yaml:"secret_file"`
	SecretFiles []string `yaml:"secret_files"`
	// APIKeyFile holds the key of the till's API: with it, what webhooks only name is fetched, and what was missed.
	APIKeyFile string `yaml:"api_key_file"`
	// URL is the address that its sender was given, where a proxy shows another one to us: some sign it.
	URL string `yaml:"url"`

	Store    string            `yaml:"store"`
	Currency string            `yaml:"currency"`
	Zone     string            `yaml:"zone"`
	Settings map[string]string `yaml:"settings"`

	// Folder is watched for files; Kind is the kind of what is in them, where the mapping can't tell.
	Folder string `yaml:"folder"`
	Kind   string `yaml:"kind"`
	// Topic is somebody else's Kafka topic, on the same brokers.
	Topic string `yaml:"topic"`
}

var tillName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}$`)

// ReadConfig reads a tills file: a YAML mapping of names to tills. Paths in it are beside the file. Its errors name the
// file and the line or the till, and no secret, since none is in it.
func ReadConfig(path string) ([]*Till, error) {
	content, err := readBounded(path, maxConfig)
	if err != nil {
		return nil, err
	}
	read := map[string]*Till{}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&read); err != nil && !errors.Is(err, io.EOF) {
		// The library's words, without its names of types.
		reason := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
		return nil, fmt.Errorf("%s: %s", path, strings.ReplaceAll(reason, " in type pipe.Till", ": a till has mapping,"+
			" secret_file, secret_files, api_key_file, url, store, currency, zone, settings, folder, kind, topic"))
	}
	tills := make([]*Till, 0, len(read))
	var errs []error
	for name, t := range read {
		if t == nil {
			t = &Till{}
		}
		t.Name = name
		if err := t.complete(filepath.Dir(path)); err != nil {
			errs = append(errs, fmt.Errorf("%s: till %s: %w", path, name, err))
		}
		tills = append(tills, t)
	}
	slices.SortFunc(tills, func(a, b *Till) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return tills, errors.Join(append(errs, shared(path, tills))...)
}

// complete checks a till and makes its paths whole.
func (t *Till) complete(dir string) error {
	var errs []error
	if !tillName.MatchString(t.Name) {
		errs = append(errs, errors.New("a name has 1 to 41 small letters, digits, _ and -, and begins with a letter or "+
			"digit"))
	}
	if t.Mapping == "" {
		t.Mapping = t.Name
	}
	if isFile(t.Mapping) {
		t.Mapping = beside(dir, t.Mapping)
	}
	if t.SecretFile != "" {
		t.SecretFiles = append([]string{t.SecretFile}, t.SecretFiles...)
		t.SecretFile = ""
	}
	for i := range t.SecretFiles {
		t.SecretFiles[i] = beside(dir, t.SecretFiles[i])
	}
	if t.APIKeyFile != "" {
		t.APIKeyFile = beside(dir, t.APIKeyFile)
	}
	if t.Folder != "" {
		t.Folder = beside(dir, t.Folder)
	}
	if t.Zone != "" {
		if _, err := time.LoadLocation(t.Zone); err != nil {
			errs = append(errs, fmt.Errorf("zone: %w", err))
		}
	}
	return errors.Join(errs...)
}

// shared refuses a folder or a topic of two tills: each would take what is meant for the other.
func shared(path string, tills []*Till) error {
	of := map[string]string{}
	var errs []error
	for _, t := range tills {
		for _, what := range []string{"folder " + t.Folder, "topic " + t.Topic} {
			if strings.HasSuffix(what, " ") {
				continue
			}
			if other, is := of[what]; is {
				errs = append(errs, fmt.Errorf("%s: tills %s and %s both have the %s", path, other, t.Name, what))
			}
			of[what] = t.Name
		}
	}
	return errors.Join(errs...)
}

// isFile tells a file from a built-in name.
func isFile(mapping string) bool {
	return strings.ContainsAny(mapping, `/\`) || strings.HasSuffix(mapping, ".yaml") || strings.HasSuffix(mapping, ".yml")
}

func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// readBounded reads a file of at most so many bytes.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says which file
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(content)) > most {
		return nil, fmt.Errorf("%s: more than %d bytes", path, most)
	}
	return content, nil
}
