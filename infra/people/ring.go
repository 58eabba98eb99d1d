package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/makegood/makegood/domain"
)

// key is one key of the file.
type key struct {
	name   string
	from   time.Time // of the events that it is for; zero for the first
	secret []byte    // nil where it was destroyed
	macs   sync.Pool // of *mac
}

const (
	prefix     = domain.PersonPrefix
	nameLength = 8  // hexadecimal digits of a key's name
	hashLength = 26 // base32 digits of 128 bits
	secretSize = sha256.Size
	bits       = 128
	destroyed  = "destroyed"
	erased     = "erased00" // in place of a key's name: the person was erased
)

var digits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Ring is all keys of a file. It never changes.
type Ring struct {
	keys  []*key // by from
	names map[string]bool
}

// Hash is the hash of a person's id for an event of that time. What is a hash already is given back as it is.
func (r *Ring) Hash(role, id string, at time.Time) string {
	if r.IsHash(id) {
		return id
	}
	return r.keyOf(at).hash(role, id)
}

// Hashes are the hashes of a person's id by every key that is left, the oldest first.
func (r *Ring) Hashes(role, id string) []string {
	if r.IsHash(id) {
		return []string{id}
	}
	var all []string
	for _, k := range r.keys {
		if k.secret != nil {
			all = append(all, k.hash(role, id))
		}
	}
	return all
}

// First is the hash of a person's id by the oldest key that is left.
func (r *Ring) First(role, id string) string {
	if r.IsHash(id) {
		return id
	}
	return r.keyOf(time.Time{}).hash(role, id)
}

// IsHash reports whether a text is a hash by a key of this ring, also by a destroyed one, or stands for somebody
// who was erased.
func (r *Ring) IsHash(text string) bool {
	return wellFormed(text) && (r.names[text[len(prefix):len(prefix)+nameLength]] || IsErased(text))
}

// MayBeSame reports whether two ids, as they are kept, may be of one person: unless both are hashes by the same key.
func (r *Ring) MayBeSame(a, b string) bool {
	const name = len(prefix) + nameLength
	return a == b || !r.IsHash(a) || !r.IsHash(b) || IsErased(a) || IsErased(b) || a[:name] != b[:name]
}

// wellFormed reports whether a text looks like a hash by any key.
func wellFormed(text string) bool {
	const dash = len(prefix) + nameLength
	if len(text) != dash+1+hashLength || text[:len(prefix)] != prefix || text[dash] != '-' {
		return false
	}
	for i := dash + 1; i < len(text); i++ {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// IsErased reports whether a text stands for somebody who was erased.
func IsErased(text string) bool {
	return wellFormed(text) && text[len(prefix):len(prefix)+nameLength] == erased
}

// keyOf is the key for events of a time: the last that begins no later, or where that was destroyed the next one.
func (r *Ring) keyOf(at time.Time) *key {
	i := len(r.keys) - 1
	for i > 0 && r.keys[i].from.After(at) {
		i--
	}
	for r.keys[i].secret == nil { // the last one never is
		i++
	}
	return r.keys[i]
}

// mac is an HMAC with room for its text and its sum, to be used again.
type mac struct {
	hash.Hash
	text, sum []byte
}

func (k *key) hash(role, id string) string {
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	m.text = append(append(append(m.text[:0], role...), 0), id...)
	m.Reset()
	m.Write(m.text)
	m.sum = m.Sum(m.sum[:0])
	clear(m.text) // no plain id stays in memory for longer than it takes
	var out [len(prefix) + nameLength + 1 + hashLength]byte
	copy(out[:], prefix)
	copy(out[len(prefix):], k.name)
	out[len(prefix)+nameLength] = '-'
	digits.Encode(out[len(prefix)+nameLength+1:], m.sum[:bits/8])
	return string(out[:])
}

// Keys tell of each key its name, from when it is for events, and whether it was destroyed.
func (r *Ring) Keys() []Key {
	all := make([]Key, len(r.keys))
	for i, k := range r.keys {
		all[i] = Key{Name: k.name, From: k.from, Destroyed: k.secret == nil}
	}
	return all
}

// Key is what may be told of a key.
type Key struct {
	Name      string
	From      time.Time // zero: from the beginning
	Destroyed bool
}

// parse reads a key file. Errors name lines, never what is in them.
func parse(content []byte) (*Ring, error) {
	r := &Ring{names: map[string]bool{}}
	for i, line := range strings.Split(string(content), "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		k, err := parseKey(fields)
		if err == nil && r.names[k.name] {
			err = errors.New("the key was there before")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		r.names[k.name] = true
		r.keys = append(r.keys, k)
	}
	if len(r.keys) == 0 {
		return nil, errors.New("no key is in it")
	}
	slices.SortStableFunc(r.keys, func(a, b *key) int { return a.from.Compare(b.from) })
	if r.keys[len(r.keys)-1].secret == nil {
		return nil, errors.New("the last key was destroyed, and nothing could be hashed: make a new one first")
	}
	return r, nil
}

func parseKey(fields []string) (*key, error) {
	if len(fields) != 3 {
		return nil, errors.New("a line is the key's name, from when on it is, and the key")
	}
	k := &key{name: fields[0]}
	if fields[1] != beginning {
		from, err := time.Parse(time.RFC3339, fields[1])
		if err != nil {
			return nil, fmt.Errorf("from when on the key is must be a time of RFC 3339, or %q", beginning)
		}
		k.from = from
	}
	if raw, err := hex.DecodeString(k.name); err != nil || len(raw) != nameLength/2 || strings.ToLower(k.name) != k.name {
		return nil, fmt.Errorf("a key's name is %d hexadecimal digits", nameLength)
	}
	if fields[2] == destroyed {
		return k, nil
	}
	secret, err := hex.DecodeString(fields[2])
	if err != nil || len(secret) != secretSize {
		return nil, fmt.Errorf("a key is %d hexadecimal digits", 2*secretSize)
	}
	if nameOf(secret) != k.name {
		return nil, errors.New("the name is another key's: the file was damaged")
	}
	k.secret = secret
	k.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
	return k, nil
}

// nameOf is the name of a key: of its SHA-256, which says nothing about 256 random bits.
func nameOf(secret []byte) string {
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:nameLength/2])
}
