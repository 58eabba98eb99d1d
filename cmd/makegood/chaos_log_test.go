//go:build chaos

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/ledger"
)

// logOnDisk is the log of a chaos, in files by block: so that a long one need not be in memory at once.
type logOnDisk struct {
	books   []kafka.Record // the whole books stream
	records int

	files    []*os.File
	buffers  []*bufio.Writer
	encoders []*gob.Encoder
}

// readLog reads everything that the log holds.
func readLog(ctx context.Context, t *testing.T, brokers []string, blocks int) *logOnDisk {
	l := &logOnDisk{}
	dir := t.TempDir()
	for i := range min(64, blocks+1) {
		file, err := os.Create(filepath.Join(dir, strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		buffer := bufio.NewWriterSize(file, 1<<16)
		l.files, l.buffers = append(l.files, file), append(l.buffers, buffer)
		l.encoders = append(l.encoders, gob.NewEncoder(buffer))
	}
	config := kafka.Config{Brokers: brokers}
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var topics []string
	for _, s := range streamNames {
		topics = append(topics, "makegood."+s)
	}
	ends, err := admin.Ends(ctx, topics...)
	if err != nil {
		t.Fatal(err)
	}
	for tp, end := range ends {
		tail, err := kafka.NewTail(kafka.TailConfig{Config: config, Topic: tp.Topic, Partition: tp.Partition})
		if err != nil {
			t.Fatal(err)
		}
		if err := tail.ReadTo(ctx, end, func(r kafka.Record) error { return l.keep(t, r) }); err != nil {
			t.Fatal(err)
		}
		if err := tail.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *logOnDisk) keep(t *testing.T, r kafka.Record) error {
	l.records++
	if r.Topic == "makegood.books" {
		l.books = append(l.books, r)
		return nil
	}
	return l.encoders[blockOf(identityOf(t, structured(t, r)))%len(l.encoders)].Encode(r)
}

// each gives the records of each block, without those of the books stream, the first block before the others.
func (l *logOnDisk) each(t *testing.T, blocks int, take func(n int, records []kafka.Record)) {
	for i, file := range l.files {
		if err := errors.Join(l.buffers[i].Flush(), rewind(file)); err != nil {
			t.Fatal(err)
		}
		of := map[int][]kafka.Record{}
		for decoder := gob.NewDecoder(bufio.NewReaderSize(file, 1<<16)); ; {
			var r kafka.Record
			err := decoder.Decode(&r)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n := blockOf(identityOf(t, structured(t, r)))
			of[n] = append(of[n], r)
		}
		for n := i; n <= blocks; n += len(l.files) {
			take(n, of[n])
			delete(of, n)
		}
		for n := range of {
			t.Fatalf("the log has events of block %d, which nobody sent", n)
		}
	}
}

func rewind(file *os.File) error {
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// inOrder sorts the log as the contract has it: what was recorded first. Whether a record comes before or after a close
// or a rate is decided by its place, whatever its time says, and what comes after a close is recorded after it. Where
// two have the same millisecond, the last 13 bits of their offsets decide. The rest of the books stream was
// acknowledged before anything else was sent.
func inOrder(t *testing.T, log []kafka.Record, late []reference.Record) {
	isLate, counted := map[reference.Identity]bool{}, map[reference.Identity]bool{}
	for _, r := range late {
		isLate[identityOf(t, r.Event)] = true
	}
	var marks []map[domain.Partition]int64 // of what came late, in its order
	var closed []time.Time                 // when each of them closed a month; zero for those that close none
	at := map[int64]int{}                  // by the offset of a record of these: how many marks come before it
	for _, r := range log {
		if r.Topic != "makegood.books" {
			continue
		}
		event := structured(t, r)
		id := identityOf(t, event)
		if !isLate[id] {
			continue
		}
		at[r.Offset] = len(marks)
		if !counted[id] { // the first copy of it counts
			counted[id] = true
			marks, closed = append(marks, endsOf(t, r)), append(closed, time.Time{})
			if bytes.Contains(event, []byte("makegood.period.closed.")) {
				closed[len(closed)-1] = r.Time
			}
		}
	}
	segment := func(r kafka.Record) int {
		if r.Topic == "makegood.books" {
			if n, is := at[r.Offset]; is {
				return 2*n + 1
			}
			return -1
		}
		n := 0
		for n < len(marks) &&
			r.Offset >= marks[n][domain.Partition{Stream: domain.ParseStream(strings.TrimPrefix(r.Topic, "makegood.")),
				Number: int32(r.Partition)}] {
			n++
		}
		return 2 * n
	}
	recorded := func(r kafka.Record) time.Time {
		at := r.Time
		if r.Topic != "makegood.books" {
			for _, c := range closed[:segment(r)/2] {
				if !c.IsZero() && !at.After(c) {
					at = c.Add(time.Millisecond)
				}
			}
		}
		return at
	}
	slices.SortFunc(log, func(a, b kafka.Record) int {
		return cmp.Or(cmp.Compare(segment(a), segment(b)), recorded(a).Compare(recorded(b)),
			cmp.Compare(a.Offset%8192, b.Offset%8192), cmp.Compare(streamOf(a), streamOf(b)),
			cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
}

// endsOf are the other streams' ends that a record of the books stream carries.
func endsOf(t *testing.T, r kafka.Record) map[domain.Partition]int64 {
	for _, h := range r.Headers {
		if h.Key == ledger.EndsHeader {
			ends, err := ledger.ParseEnds(string(h.Value))
			if err != nil {
				t.Fatal(err)
			}
			return ends
		}
	}
	t.Fatalf("the close at %s doesn't say where the other streams ended", r.Position)
	return nil
}
