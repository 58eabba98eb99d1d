package wire

import "slices"

// names are the members of one object that the contract doesn't know, by the hashes of their names, to find what is
// there twice. Few are kept on the decoder's stack, many in a map.
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
// somebody, so it is checked like the others and counts for the content.
func (d *Decoder) unknownMember(name string, n *names) uint64 {
	start, edits := d.cursor.named, len(d.hiding.edits)
	d.hiding.unknown++
	d.push(name)
	hash := hashName(name)
	if !d.add(n, hash) {
		d.fail(CodeDuplicateMember, "%s is there twice", quote(name))
		return 0
	}
	var value uint64 // of null, that of leaving it out, as for the members that we know
	if d.cursor.next() == kindNull {
		d.cursor.literal()
	} else {
		at := d.cursor.at
		value = d.unknownValue()
		d.hideUnknownPerson(name, at)
	}
	d.hiding.unknown--
	if d.err == nil {
		d.hideUnknown(start, edits)
		d.pop()
	}
	return member(hash, value)
}

func (d *Decoder) unknownValue() uint64 {
	switch d.cursor.next() {
	case kindString:
		s, _ := d.string()
		return hashString(s)
	case kindNumber:
		text := d.cursor.number()
		if d.cursor.bad {
			return 0
		}
		return hashJSONNumber(text)
	case kindBool:
		v, _ := d.bool()
		return hashBool(v)
	case kindObject:
		return d.unknownObject()
	case kindList:
		return d.unknownList()
	default:
		d.cursor.literal()
		return mix(tagNull)
	}
}

func (d *Decoder) unknownObject() uint64 {
	if !d.enter() {
		return 0
	}
	var sum uint64
	seen := d.newNames()
	for {
		name, ok := d.member()
		if !ok {
			break
		}
		sum += d.unknownMember(name, &seen)
		if d.err != nil {
			return 0
		}
	}
	d.dropNames(&seen)
	d.depth--
	return hashObject(sum)
}

func (d *Decoder) unknownList() uint64 {
	if !d.enter() {
		return 0
	}
	hash := tagList
	for i := 0; d.cursor.element(); i++ {
		d.pushIndex(i)
		hash = fold(hash, d.unknownValue())
		if d.err != nil {
			return 0
		}
		d.pop()
	}
	d.depth--
	return hash
}
