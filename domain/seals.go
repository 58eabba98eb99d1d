package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Seal is what the books stream says of a close: see BooksSealed. Mark is where it stands.
type Seal struct {
	BooksSealed
	Source, ID string
	Mark       Mark
}

// SealFormat is how roots are made today. A seal of another format says which it has.
const SealFormat = 1

// sealPrefix tells the hash of a seal apart from that of a leaf (0x00) and of a node (0x01) of RFC 6962.
const sealPrefix = 0x02

// Hash is what the next seal is chained to, 64 hexadecimal digits: SHA-256 over 0x02, then period (months since January
// of year 0), close, format and events, each as eight bytes, the highest first, then the bytes of root and of previous,
// which are none in the first seal.
func (s *BooksSealed) Hash() string {
	b := []byte{sealPrefix}
	for _, n := range []int64{int64(s.Period), s.Close, s.Format, s.Events} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, digits := range []string{s.Root, s.Previous} {
		digest, _ := hex.DecodeString(digits) // the codec takes nothing else
		b = append(b, digest...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Seals knows the seals of the books. It is fed with the books stream in order: of several seals of one close the first
// counts, and a seal of a close that doesn't stand before it counts for nothing.
type Seals struct{ list []Seal }

func (s *Seals) apply(e *Event, m Mark, periods *Periods) {
	d, is := e.Data.(*BooksSealed)
	if !is || int(d.Close) > len(periods.Closes(d.Period)) || d.Close < 1 {
		return
	}
	if _, known := s.Of(d.Period, int(d.Close)); known {
		return
	}
	seal := Seal{BooksSealed: *d, Source: strings.Clone(e.Source), ID: strings.Clone(e.ID), Mark: m}
	seal.Root, seal.Previous = strings.Clone(d.Root), strings.Clone(d.Previous)
	s.list = append(s.list, seal)
}

// All are the seals in the order of the log, not to be changed.
func (s *Seals) All() []Seal { return s.list }

// Of is the seal of a period's Nth close; false where there is none yet.
func (s *Seals) Of(period Period, n int) (Seal, bool) {
	for i := range s.list {
		if s.list[i].Period == period && s.list[i].Close == int64(n) {
			return s.list[i], true
		}
	}
	return Seal{}, false
}

// Numbered is a close that counted, of its month the Nth.
type Numbered struct {
	Closing
	Period Period
	Number int // 1 is the first
}

// AllCloses are the closes that counted, of all months, in the order of the log: that in which they are sealed.
func (p *Periods) AllCloses() []Numbered {
	var all []Numbered
	number, last := map[Period]int{}, map[Period]int{}
	for i := range p.changes {
		c := &p.changes[i]
		if !c.closed {
			reopened := c.mark
			all[last[c.period]].Reopened = &reopened
			continue
		}
		number[c.period]++
		last[c.period] = len(all)
		all = append(all, Numbered{Period: c.period, Number: number[c.period],
			Closing: Closing{Mark: c.mark, Source: c.id.source, ID: c.id.id}})
	}
	return all
}
