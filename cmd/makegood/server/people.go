package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/people"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// PeopleFlags say what is kept of customers and employees.
type PeopleFlags struct {
	PeopleKey string   `help:"${people_key}" type:"path"`
	Keep      []string `help:"${keep_members}" name:"keep-members"`

	Off bool `kong:"-"` // people are kept as they come: what versions did before there were keys, for tests of that
}

// validatePeople refuses to choose a place for keys that other processes need as well.
func (c *Config) validatePeople() error {
	if c.People.PeopleKey == "" && !c.Embedded() && c.hides() {
		return errors.New("--people-key: with --brokers and --clickhouse a file with the keys that hide people's ids is " +
			"wanted, the same for every process that takes events in or books them; the first one makes it")
	}
	return nil
}

// hides says whether the process takes events in or books them.
func (c *Config) hides() bool {
	return c.has(RoleGateway) || c.has(RoleProjector) || c.has(RoleMapper) && c.Tills != ""
}

// preparePeople reads the keys, or makes them on the first start.
func (a *App) preparePeople() (err error) {
	path := a.Config.People.PeopleKey
	if a.Config.People.Off {
		return nil
	}
	if path == "" {
		if !a.Config.hides() {
			return nil
		}
		path = filepath.Join(a.Dir.Path(), "people.key")
	}
	if a.People, err = people.Open(path, true, a.Now, a.logger); err != nil {
		return err
	}
	a.privacy = privacyOf(a.People, a.Config.People.Keep)
	return nil
}

// Privacy is what is kept of people by those who write to the topics beside a gateway: the same as a gateway keeps. The
// file with the keys is wanted, and made where it is missing.
func (f *PeopleFlags) Privacy(now func() time.Time, logger *slog.Logger) (*wire.Privacy, error) {
	if f.PeopleKey == "" {
		return nil, errors.New("--people-key: whoever writes to Kafka hides people's ids before: the file with the keys " +
			"that hide them is wanted, the same that every process of makegood has")
	}
	keys, err := people.Open(f.PeopleKey, true, now, logger)
	if err != nil {
		return nil, err
	}
	return privacyOf(keys, f.Keep), nil
}

func privacyOf(keys *people.File, keep []string) *wire.Privacy {
	p := &wire.Privacy{Hash: func(role wire.Role, id string, at time.Time) string {
		return keys.Hash(string(role), id, at)
	}, First: func(role wire.Role, id string) string {
		return keys.Ring().First(string(role), id)
	}, Keep: wire.DefaultKeep, KeepAttribute: wire.DefaultKeepAttribute}
	p.KeepAlso(keep)
	return p
}

// hide takes out of a record what of people may not be kept. A payload in which nobody can tell ids apart is kept
// out: the log holds it, and what is kept says how long it is and its SHA-256.
func (a *App) hide(o *post.Original) {
	if a.privacy == nil {
		return
	}
	headers, payload, kept := a.privacy.HideRecord(o.Headers, o.Payload)
	if !kept {
		headers[deadletter.PayloadBytes] = strconv.Itoa(len(o.Payload))
		headers[deadletter.PayloadSHA256] = fmt.Sprintf("%x", sha256.Sum256(o.Payload))
	}
	o.Headers, o.Payload = headers, payload
}

// sameButHidden reports whether two rows of one identity are the same event, of which people were hidden in another
// way when each came: not at all before there were keys, by a key that is destroyed by now, or since somebody was
// erased. Text and unknown members tell nothing apart, as what is kept of them may have changed. Two customers who
// are told apart by the same key do.
func (a *App) sameButHidden(one, other *ledger.Stored) bool {
	if a.privacy == nil || one.Event.Type != other.Event.Type || !one.Event.Time.Equal(other.Event.Time) {
		return false
	}
	first, of := bare(one)
	second, with := bare(other)
	if first == nil || !bytes.Equal(first, second) || len(of) != len(with) {
		return false
	}
	ring := a.People.Ring()
	for i := range of {
		if of[i] != with[i] && !ring.MayBeSame(of[i], with[i]) {
			return false
		}
	}
	return true
}

// bare is the event without text, unknown members and people, written the way that all are, and who they were; nil
// where it can't be read.
func bare(s *ledger.Stored) (event []byte, people []string) {
	decoder := wire.Decoder{Privacy: &wire.Privacy{
		Hash: func(_ wire.Role, id string, _ time.Time) string {
			people = append(people, strings.Clone(id))
			return wire.Withheld
		},
		Keep: func(domain.Type, string) bool { return false }, KeepAttribute: func(string) bool { return false },
	}}
	read, err := decoder.Stored(s.Event, s.Data)
	if err != nil {
		return nil, nil
	}
	return wire.AppendEvent(nil, &read.Event), people
}

// hideRow hides people in rows that were written before that was done.
func (a *App) hideRow() func(*ledger.Row) bool {
	if a.privacy == nil {
		return nil
	}
	decoder := wire.Decoder{Privacy: a.privacy}
	return func(r *ledger.Row) bool {
		ring, changed := a.People.Ring(), false
		if read, err := decoder.Stored(r.Event, r.Data); err == nil && decoder.Hides() {
			r.Data, changed = bytes.Clone(read.Data), true
			if d, is := read.Event.Data.(*domain.OrderPlaced); is && d.CustomerID != "" {
				r.Customer = strings.Clone(cmp.Or(read.Customer, d.CustomerID))
			}
		}
		for i := range r.Facts {
			if f := &r.Facts[i]; f.EmployeeID != "" && !ring.IsHash(f.EmployeeID) {
				f.EmployeeID, changed = ring.Hash(string(wire.Employee), f.EmployeeID, r.Event.Time), true
			}
		}
		if left := a.privacy.HideExtensions(r.Extensions); len(left) != len(r.Extensions) {
			r.Extensions, changed = left, true
		}
		return changed
	}
}

// hashesOf are the hashes that somebody may be kept under, as a customer and as an employee.
func (a *App) hashesOf(id string) ([]string, error) {
	if a.People == nil {
		return nil, gateway.NoKeys()
	}
	ring := a.People.Ring()
	all := append(ring.Hashes(string(wire.Customer), id), ring.Hashes(string(wire.Employee), id)...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Person is what there is of somebody.
func (b Books) Person(ctx context.Context, id string) (*report.Person, error) {
	hashes, err := b.hashesOf(id)
	if err != nil {
		return nil, err
	}
	return report.ReadPerson(ctx, b.Store.DB, hashes)
}

// ErasePerson writes to the log that somebody is erased. Whoever books it takes them out of the tables.
func (b Books) ErasePerson(ctx context.Context, id string, by gateway.Actor) (string, error) {
	hashes, err := b.hashesOf(id)
	if err != nil {
		return "", err
	}
	name := people.NewErased()
	data := &domain.PersonErased{Person: name, Actor: by.Name, Reason: by.Reason}
	for _, h := range hashes {
		data.Hashes = append(data.Hashes, domain.ErasedHash{Hash: h})
	}
	e := domain.Event{Source: gateway.OwnSource, ID: name, Type: domain.TypePersonErased, Time: b.Now().UTC(), Data: data}
	if err := b.publishBooks(ctx, wire.AppendEvent(nil, &e), by.Token); err != nil {
		return "", fmt.Errorf("put an erasure on record: %w", err)
	}
	return name, nil
}
