package wire

import (
	"fmt"
	"math/bits"

	"github.com/makegood/makegood/domain"
)

// need says whether the contract wants a member. Null is the same as leaving it out.
type need bool

const (
	required need = true
	optional need = false
)

// field is one member of an object of the contract, T being the struct that it is kept in.
type field[T any] struct {
	name string
	need need
	hash uint64 // of the name
	// read reads the value that comes next into t, and returns its content hash, 0 where it says nothing.
	read func(d *Decoder, t *T) uint64
	// write appends the value of a member, and nothing where it says nothing and isn't required. Members that belong to
	// the event as a whole (order_id…) are taken from e.
	write func(b []byte, e *domain.Event, t *T) []byte

	schema JSON // of the value
}

// shape is an object of the contract.
type shape[T any] struct {
	fields   []field[T]
	required uint64 // a bit per field
	// check holds the rules between members. It runs when all of them are read.
	check func(d *Decoder, t *T)
	rules []any // the same as JSON Schema, as far as it can say them
}

const maxFields = 64 // the bits of a mask

// object makes a shape of members in the contract's order, in which senders mostly write them.
func object[T any](fields ...field[T]) *shape[T] {
	s := &shape[T]{fields: fields}
	if len(fields) > maxFields {
		panic(fmt.Sprintf("wire: an object of %d members", len(fields)))
	}
	for i := range fields {
		fields[i].hash = hashName(fields[i].name)
		if fields[i].need == required {
			s.required |= 1 << i
		}
	}
	return s
}

// checked adds rules between members, and what JSON Schema can say of them.
func (s *shape[T]) checked(check func(d *Decoder, t *T), rules ...JSON) *shape[T] {
	s.check = check
	for _, r := range rules {
		s.rules = append(s.rules, r)
	}
	return s
}

// find looks for a member by its name, at first where it is expected: behind the one before.
func (s *shape[T]) find(name string, expected int) int {
	for i := expected; i < len(s.fields); i++ {
		if s.fields[i].name == name {
			return i
		}
	}
	for i := range min(expected, len(s.fields)) {
		if s.fields[i].name == name {
			return i
		}
	}
	return -1
}

// read reads the object that comes next and returns the sum of its members' hashes.
func (s *shape[T]) read(d *Decoder, t *T) uint64 {
	if next := d.cursor.next(); next != kindObject {
		d.fail(CodeWrongType, "an object is expected, not %s", next)
		return 0
	}
	if !d.enter() {
		return 0
	}
	var sum, seen, given uint64
	expected := 0
	unknown := d.newNames()
	for {
		name, ok := d.member()
		if !ok {
			break
		}
		i := s.find(name, expected)
		if i < 0 {
			sum += d.unknownMember(name, &unknown)
			if d.err != nil {
				return 0
			}
			continue
		}
		expected = i + 1
		f := &s.fields[i]
		d.push(f.name)
		if seen&(1<<i) != 0 {
			d.fail(CodeDuplicateMember, "%s is there twice", quote(f.name))
			return 0
		}
		seen |= 1 << i
		if d.cursor.next() == kindNull {
			d.cursor.literal()
		} else {
			given |= 1 << i
			sum += member(f.hash, f.read(d, t))
		}
		if d.err != nil {
			return 0
		}
		d.pop()
	}
	d.dropNames(&unknown)
	d.depth--
	if d.cursor.bad {
		return 0 // what follows would be about members that weren't reached
	}
	if missing := s.required &^ given; missing != 0 {
		name := s.fields[bits.TrailingZeros64(missing)].name
		d.failAt(name, CodeRequired, "%s is required", name)
		return 0
	}
	if s.check != nil {
		s.check(d, t)
	}
	return sum
}

// write appends the object.
func (s *shape[T]) write(b []byte, e *domain.Event, t *T) []byte {
	b = append(b, '{')
	open := len(b)
	for i := range s.fields {
		f := &s.fields[i]
		start := len(b)
		if start > open {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, f.name...) // names of the contract need no escapes
		b = append(b, '"', ':')
		value := len(b)
		if b = f.write(b, e, t); len(b) == value {
			b = b[:start]
		}
	}
	return append(b, '}')
}

// list is a list of objects. Its elements are read into a slice of the decoder's, which grows to the longest list that
// was ever met and is used again.
func list[T, E any](name string, n need, of *shape[E], at func(*T) *[]E, room func(*store) *[]E) field[T] {
	schema := JSON{"type": "array", "items": of.schema()}
	if n == required {
		schema["minItems"] = 1
	}
	return field[T]{
		schema: schema,
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			*room(&d.store) = (*room(&d.store))[:0]
			return readList(d, n, of, at(t), room(&d.store))
		},
		write: writeList(n, of, at),
	}
}

// sublist is a list in the lines of a list. All lines of an event share the room: each has a piece of it.
func sublist[T, E any](name string, of *shape[E], at func(*T) *[]E, room func(*store) *[]E) field[T] {
	return field[T]{
		schema: JSON{"type": "array", "items": of.schema()},
		name:   name, need: optional,
		read: func(d *Decoder, t *T) uint64 {
			return readList(d, optional, of, at(t), room(&d.store))
		},
		write: writeList(optional, of, at),
	}
}

// readList reads the list that comes next behind what is in the room already.
func readList[E any](d *Decoder, n need, of *shape[E], into, room *[]E) uint64 {
	if next := d.cursor.next(); next != kindList {
		d.fail(CodeWrongType, "a list is expected, not %s", next)
		return 0
	}
	if !d.enter() {
		return 0
	}
	start := len(*room)
	lines := *room
	hash := tagList
	for d.cursor.element() {
		var empty E
		lines = append(lines, empty)
		d.pushIndex(len(lines) - 1 - start)
		hash = fold(hash, hashObject(of.read(d, &lines[len(lines)-1])))
		if d.err != nil {
			return 0
		}
		d.pop()
	}
	d.depth--
	*room = lines
	if len(lines) == start && !d.cursor.bad {
		if n == required {
			d.fail(CodeEmptyList, "at least one is required")
		}
		return 0
	}
	*into = lines[start:len(lines):len(lines)]
	return hash
}

func writeList[T, E any](n need, of *shape[E], at func(*T) *[]E) func([]byte, *domain.Event, *T) []byte {
	return func(b []byte, e *domain.Event, t *T) []byte {
		lines := *at(t)
		if len(lines) == 0 && n == optional {
			return b
		}
		b = append(b, '[')
		for i := range lines {
			if i > 0 {
				b = append(b, ',')
			}
			b = of.write(b, e, &lines[i])
		}
		return append(b, ']')
	}
}

// nested is an object inside of an object. Nothing inside is the same as no object.
func nested[T any, E comparable](name string, n need, of *shape[E], at func(*T) *E) field[T] {
	return field[T]{
		schema: of.schema(),
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			members := of.read(d, at(t))
			if members == 0 {
				return 0
			}
			return hashObject(members)
		},
		write: func(b []byte, e *domain.Event, t *T) []byte {
			var nothing E
			if n == optional && *at(t) == nothing {
				return b
			}
			return of.write(b, e, at(t))
		},
	}
}
