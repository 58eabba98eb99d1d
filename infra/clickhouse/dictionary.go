package clickhouse

import (
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// dictionary is a LowCardinality(String) column that finds a value's key as it is appended. ch-go's own keeps every
// row's string until the block is written, and with it the payloads that they point into.
type dictionary struct {
	index proto.ColStr
	keys  proto.ColUInt32
	known map[string]uint32
	names []string
	last  string // most columns repeat the value of the row before
	at    uint32
}

var (
	_ proto.ColInput     = (*dictionary)(nil)
	_ proto.StateEncoder = (*dictionary)(nil)
)

func (d *dictionary) append(v string) {
	if d.keys.Rows() > 0 && v == d.last {
		d.keys.Append(d.at)
		return
	}
	key, ok := d.known[v]
	if !ok {
		if d.known == nil {
			d.known = map[string]uint32{}
		}
		v = strings.Clone(v)
		key = uint32(d.index.Rows())
		d.known[v] = key
		d.names = append(d.names, v)
		d.index.Append(v)
	}
	d.last, d.at = d.names[key], key
	d.keys.Append(key)
}

// appendSame appends a value n times.
func (d *dictionary) appendSame(v string, n int) {
	if n > 0 {
		d.append(v)
		d.keys = appendSame(d.keys, d.at, n-1)
	}
}

func (d *dictionary) Type() proto.ColumnType { return "LowCardinality(String)" }

func (d *dictionary) Rows() int { return d.keys.Rows() }

func (d *dictionary) Reset() {
	d.index.Reset()
	d.keys.Reset()
	clear(d.known)
	clear(d.names)
	d.names = d.names[:0]
	d.last = ""
}

// EncodeState writes the version of the keys' serialization: shared dictionaries with additional keys.
func (d *dictionary) EncodeState(b *proto.Buffer) { b.PutInt64(1) }

// EncodeColumn writes the block's own dictionary, then the keys.
func (d *dictionary) EncodeColumn(b *proto.Buffer) {
	if d.Rows() == 0 {
		return
	}
	const (
		additionalKeys   = 1 << 9
		updateDictionary = 1 << 10
	)
	b.PutInt64(additionalKeys | updateDictionary | int64(proto.KeyUInt32))
	b.PutInt64(int64(d.index.Rows()))
	d.index.EncodeColumn(b)
	b.PutInt64(int64(d.keys.Rows()))
	d.keys.EncodeColumn(b)
}

// WriteColumn is EncodeColumn for ch-go's scattered writes.
func (d *dictionary) WriteColumn(w *proto.Writer) {
	w.ChainBuffer(d.EncodeColumn)
}
