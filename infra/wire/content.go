package wire

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/makegood/makegood/domain"
)

// The content hash says whether two events mean the same. It is stored, so it must never change for an event that was
// ever accepted: TestContentGolden holds it. It is made so that it can be summed up while members are read in any
// order:
//
//   - an object's hash is the sum of its members' hashes, mixed; a member's hash mixes the name's with the value's;
//   - a list's hash folds its elements in their order;
//   - a number's is that of its value in millionths (of its digits and exponent where that doesn't fit), a string's is
//     that of its characters, a time's that of its instant;
//   - null, and what means the same as leaving it out, counts as nothing.
//
// A member that this release doesn't know is hashed from its JSON by the same rules, so that it mostly keeps its hash
// when a later release learns it: an event sent again after that is still the same event.
const (
	tagString uint64 = 0x9ae16a3b2f90404f
	tagNumber uint64 = 0xc949d7c7509e6557
	tagDigits uint64 = 0xff51afd7ed558ccd
	tagTime   uint64 = 0xb492b66fbe98f273
	tagTrue   uint64 = 0xa0761d6478bd642f
	tagFalse  uint64 = 0xe7037ed1a0b428db
	tagNull   uint64 = 0x8ebc6af09c88c6e3
	tagObject uint64 = 0x589965cc75374cc3
	tagList   uint64 = 0x1d8e4e27c47d124f
)

// mix is the finalizer of murmur3: every bit of the input reaches every bit of the result. 0 is kept for "says
// nothing".
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	if h == 0 {
		return 1
	}
	return h
}

func hashName(name string) uint64 { return xxhash.Sum64String(name) }

// hashString needs no mix: xxhash has done that.
func hashString(s string) uint64 { return max(1, xxhash.Sum64String(s)^tagString) }

// hashText is hashString, where an empty string says nothing.
func hashText(s string) uint64 {
	if s == "" {
		return 0
	}
	return hashString(s)
}

func hashNumber(n domain.Decimal) uint64 { return mix(uint64(n) ^ tagNumber) }

func hashBool(b bool) uint64 {
	if b {
		return mix(tagTrue)
	}
	return mix(tagFalse)
}

// member is what a value adds to its object.
func member(name, value uint64) uint64 {
	if value == 0 {
		return 0
	}
	return mix(name ^ bits.RotateLeft64(value, 31))
}

func hashObject(members uint64) uint64 { return mix(members ^ tagObject) }

// fold takes the next element into a list that starts as tagList. An element that says nothing still has its place.
func fold(list, element uint64) uint64 {
	return mix(bits.RotateLeft64(list, 5)*0x9e3779b97f4a7c15 ^ element)
}
