//go:build chaos

package main

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/makegood/makegood/infra/kafka"
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
