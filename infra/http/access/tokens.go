package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	gateway "github.com/makegood/makegood/infra/http"
)

const (
	// maxTokens bounds a file: every one of them is compared with what a request brings.
	maxTokens = 10_000
	// tokenPrefix lets people, and scanners for leaked secrets, see what it is.
	tokenPrefix = "makegood_"
	hashPrefix  = "sha256:"
	// shortest keeps out what somebody thought up and hashed: a plain hash is for tokens that nobody can guess.
	shortest = 32
)

// Entry is what the holder of a token may do.
type Entry struct {
	// Name says who it is, in the access log.
	Name string
	// Scopes are those of gateway.Scopes.
	Scopes []gateway.Scope
	// Sources are those that the holder's events may have. None: any.
	Sources []string
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

// Validate says what is wrong with e, everything at once.
func (e Entry) Validate() error {
	var errs []error
	if !nameForm.MatchString(e.Name) {
		errs = append(errs, errors.New("a name has 1 to 64 letters, digits and . _ @ -"))
	}
	if len(e.Scopes) == 0 {
		errs = append(errs, fmt.Errorf("at least one scope of %v", gateway.Scopes()))
	}
	for _, s := range e.Scopes {
		if !slices.Contains(gateway.Scopes(), s) {
			errs = append(errs, fmt.Errorf("scope %q is none of %v", s, gateway.Scopes()))
		}
	}
	if len(e.Sources) > 0 && !slices.Contains(e.Scopes, gateway.Write) && !slices.Contains(e.Scopes, gateway.KeepBooks) {
		errs = append(errs, errors.New("sources are for the scopes write and books"))
	}
	for _, s := range e.Sources {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			errs = append(errs, fmt.Errorf("source %q is no URI reference", s))
		}
	}
	return errors.Join(errs...)
}

// line is e in the access file, without its end.
func (e Entry) line(hash [sha256.Size]byte) string {
	scopes := make([]string, len(e.Scopes))
	for i, s := range e.Scopes {
		scopes[i] = string(s)
	}
	fields := append([]string{e.Name, strings.Join(scopes, ","), hashPrefix + hex.EncodeToString(hash[:])}, e.Sources...)
	return strings.Join(fields, " ")
}

// tokens are those of an access file.
type tokens struct {
	hashes  [][sha256.Size]byte
	entries []Entry
}

// find is the entry of a token. Every hash is compared, each in constant time: how long it takes says nothing about
// which, or how much of one, was right.
func (t *tokens) find(token string) *Entry {
	if len(token) < shortest {
		return nil
	}
	hash := sha256.Sum256([]byte(token))
	found := -1
	for i := range t.hashes {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(t.hashes[i][:], hash[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &t.entries[found]
}

// parseTokens reads an access file. Its errors name lines, never what is in them: somebody may have put a token there.
func parseTokens(content []byte) (tokens, error) {
	var t tokens
	lines := map[[sha256.Size]byte]int{}
	for i, line := range strings.Split(string(content), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		entry, hash, err := parseLine(fields)
		if err != nil {
			return tokens{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		if first, ok := lines[hash]; ok {
			return tokens{}, fmt.Errorf("lines %d and %d have the same hash", first, i+1)
		}
		if len(t.hashes) == maxTokens {
			return tokens{}, fmt.Errorf("there are more than %d tokens", maxTokens)
		}
		lines[hash] = i + 1
		t.hashes, t.entries = append(t.hashes, hash), append(t.entries, entry)
	}
	return t, nil
}

var errLine = errors.New("a line is: name scopes sha256:hash [source …]")

func parseLine(fields []string) (e Entry, hash [sha256.Size]byte, err error) {
	if len(fields) < 3 {
		return e, hash, errLine
	}
	text, ok := strings.CutPrefix(fields[2], hashPrefix)
	if !ok || hex.DecodedLen(len(text)) != len(hash) || len(text)%2 != 0 {
		return e, hash, errLine
	}
	if _, err := hex.Decode(hash[:], []byte(text)); err != nil {
		return e, hash, errLine
	}
	e = Entry{Name: fields[0], Sources: fields[3:]}
	for s := range strings.SplitSeq(fields[1], ",") {
		e.Scopes = append(e.Scopes, gateway.Scope(s))
	}
	if e.Validate() != nil {
		return e, hash, fmt.Errorf("%w, the name of 1 to 64 letters, digits and . _ @ -, the scopes of %v, "+
			"sources only with write or books", errLine, gateway.Scopes())
	}
	return e, hash, nil
}

// Issue makes a token for e, and appends its line to the access file, which is made where it is missing. The token is
// nowhere else than in what is returned.
func Issue(path string, e Entry) (token string, err error) {
	if err := e.Validate(); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return "", err //nolint:wrapcheck // it says which file
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			token, err = "", cerr
		}
	}()
	if err := checkMode(f); err != nil {
		return "", err
	}
	// A line behind one that can't be read would let nobody in either.
	content, err := readFile(path, true)
	if err != nil {
		return "", err
	}
	if _, err := parseTokens(content); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // it never fails
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
	line := e.line(sha256.Sum256([]byte(token))) + "\n"
	if len(content) > 0 && content[len(content)-1] != '\n' {
		line = "\n" + line
	}
	// One write: who reads meanwhile sees all of the line or nothing.
	if _, err := f.WriteString(line); err != nil {
		return "", fmt.Errorf("append to %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return "", fmt.Errorf("append to %s: %w", path, err)
	}
	return token, nil
}
