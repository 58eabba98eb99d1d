package wire

import (
	"slices"
	"unsafe"

	"github.com/go-faster/jx"
)

// names are the members of one object that the contract doesn't know, by the hashes of their names, to find what is there
// twice. Few are kept on the decoder's stack, many in a map.
type names struct {
	start int
	many  map[uint64]struct{}
}

const fewNames = 16

func (d *Decoder) newNames() names { return names{start: len(d.names)} }

func (d *Decoder) dropNames(n *names) { d.names = d.names[:n.start] }

// add takes the next name; false if it was there before.
func (d *Decoder) add(n *names, hash uint64) bool {
	if n.many != nil {
		before := len(n.many)
		n.many[hash] = struct{}{}
		return len(n.many) > before
	}
	few := d.names[n.start:]
	if slices.Contains(few, hash) {
		return false
	}
	if len(few) < fewNames {
		d.names = append(d.names, hash)
		return true
	}
	n.many = make(map[uint64]struct{}, 4*fewNames)
	for _, h := range few {
		n.many[h] = struct{}{}
	}
	n.many[hash] = struct{}{}
	return true
}

// unknownMember hashes a member that the contract doesn't know. It is kept in the raw data and means something to
// somebody, so it is checked for well-formedness and counts for the content.
func (d *Decoder) unknownMember(key []byte, n *names) uint64 {
	name := unsafe.String(unsafe.SliceData(key), len(key))
	d.push(name)
	hash := hashName(name)
	if !d.add(n, hash) {
		d.fail(CodeDuplicateMember, "%s is there twice", quote(name))
		return 0
	}
	if d.jx.Next() == jx.Null {
		if err := d.jx.Null(); err != nil {
			d.failSyntax(err)
		}
		d.pop()
		return 0 // null is the same as leaving it out, as for the members that we know
	}
	value := d.unknownValue()
	if d.err == nil {
		d.pop()
	}
	return member(hash, value)
}

func (d *Decoder) unknownValue() uint64 {
	switch d.jx.Next() {
	case jx.String:
		s, _ := d.string()
		return hashString(s)
	case jx.Number:
		text, err := d.jx.Num()
		if err != nil {
			d.failSyntax(err)
			return 0
		}
		return hashJSONNumber(text)
	case jx.Bool:
		v, _ := d.bool()
		return hashBool(v)
	case jx.Null:
		if err := d.jx.Null(); err != nil {
			d.failSyntax(err)
		}
		return mix(tagNull)
	case jx.Object:
		return d.unknownObject()
	case jx.Array:
		return d.unknownList()
	default:
		d.failSyntax(d.jx.Skip())
		return 0
	}
}

func (d *Decoder) unknownObject() uint64 {
	if !d.enter() {
		return 0
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		d.failSyntax(err)
		return 0
	}
	var sum uint64
	seen := d.newNames()
	for members.Next() {
		sum += d.unknownMember(members.Key(), &seen)
		if d.err != nil {
			return 0
		}
	}
	if err := members.Err(); err != nil {
		d.failSyntax(err)
		return 0
	}
	d.dropNames(&seen)
	d.depth--
	return hashObject(sum)
}

func (d *Decoder) unknownList() uint64 {
	if !d.enter() {
		return 0
	}
	elements, err := d.jx.ArrIter()
	if err != nil {
		d.failSyntax(err)
		return 0
	}
	hash := tagList
	for i := 0; elements.Next(); i++ {
		d.pushIndex(i)
		hash = fold(hash, d.unknownValue())
		if d.err != nil {
			return 0
		}
		d.pop()
	}
	if err := elements.Err(); err != nil {
		d.failSyntax(err)
		return 0
	}
	d.depth--
	return hash
}
