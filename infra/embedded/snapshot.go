package embedded

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kfake writes a summary of each partition at a clean stop. Where it matches
// the segment files, the next start reads them one after the other; where it
// doesn't, as after every crash, all of them are held in memory until the last
// is read: the whole history of a laptop at once. So we bring the summaries up
// to date first, which takes a look at each batch's header only. Whatever is
// out of the ordinary (a torn tail, transactions, another version) is left for
// kfake to find out by itself.

// partitionSummary is kfake's snapshot.json.
type partitionSummary struct {
	Version          int             `json:"version"`
	HighWatermark    int64           `json:"high_watermark"`
	LastStableOffset int64           `json:"last_stable_offset"`
	LogStartOffset   int64           `json:"log_start_offset"`
	Epoch            int32           `json:"epoch"`
	LeaderNode       int32           `json:"leader_node,omitempty"`
	MaxTimestamp     int64           `json:"max_timestamp"`
	CreatedAt        time.Time       `json:"created_at"`
	AbortedTxns      json.RawMessage `json:"aborted_txns,omitempty"`
	Segments         []segmentSize   `json:"segments"`
}

type segmentSize struct {
	BaseOffset int64 `json:"base_offset"`
	Size       int64 `json:"size"`
	MinEpoch   int32 `json:"min_epoch,omitempty"`
	MaxEpoch   int32 `json:"max_epoch,omitempty"`
}

const (
	summaryVersion = 1
	summaryName    = "snapshot.json"

	batchHeaderBytes  = 61
	indexEntryBytes   = 15
	transactionalMask = 1<<4 | 1<<5 // of transactions: their batches, their ends
)

// errUnusual says that a partition needs kfake's own way of reading it.
var errUnusual = errors.New("not a plain log")

// refreshSummaries brings the summaries of all partitions under dir up to date
// and returns how many it wrote.
func refreshSummaries(dir string) (int, error) {
	partitions, err := filepath.Glob(filepath.Join(dir, "partitions", "*"))
	if err != nil {
		return 0, fmt.Errorf("listing partitions: %w", err)
	}
	written := 0
	for _, p := range partitions {
		wrote, err := refreshSummary(p)
		if err != nil && !errors.Is(err, errUnusual) {
			return written, fmt.Errorf("summing up %s: %w", filepath.Base(p), err)
		}
		if wrote {
			written++
		}
	}
	return written, nil
}

func refreshSummary(dir string) (bool, error) {
	segments, err := segmentSizes(dir)
	if err != nil || len(segments) == 0 {
		return false, err
	}
	var sum partitionSummary
	text, err := os.ReadFile(filepath.Join(dir, summaryName))
	switch {
	case err == nil:
		if json.Unmarshal(text, &sum) != nil || sum.Version != summaryVersion || sum.LastStableOffset != sum.HighWatermark {
			return false, errUnusual
		}
	case errors.Is(err, os.ErrNotExist):
		sum.Version = summaryVersion
	default:
		return false, fmt.Errorf("reading summary: %w", err)
	}
	old := sum.Segments
	if slices.EqualFunc(old, segments, sameSegment) {
		return false, nil
	}
	fresh := len(old) == 0 // nothing was ever summed up
	if !fresh && (len(segments) < len(old) || segments[0].BaseOffset != old[0].BaseOffset) {
		return false, errUnusual // its beginning was deleted
	}
	sum.Segments = segments
	for i, s := range segments {
		if i < len(old) && i < len(segments)-1 && sameSegment(old[i], s) {
			sum.Segments[i] = old[i]
			continue
		}
		w, err := walkSegment(filepath.Join(dir, fmt.Sprintf("%d", s.BaseOffset)), s.Size)
		if err != nil {
			return false, err
		}
		if fresh && i == 0 {
			sum.LogStartOffset = w.first
			sum.CreatedAt = time.UnixMilli(w.firstTime)
		}
		// One broker never changes its leader epoch.
		if w.epoch != sum.Epoch {
			return false, errUnusual
		}
		sum.HighWatermark, sum.LastStableOffset = w.next, w.next
		sum.MaxTimestamp = max(sum.MaxTimestamp, w.maxTime)
		sum.Segments[i].MinEpoch, sum.Segments[i].MaxEpoch = w.epoch, w.epoch
	}
	text, err = json.Marshal(sum)
	if err != nil {
		return false, fmt.Errorf("encoding summary: %w", err)
	}
	if err := writeFileAtomic(filepath.Join(dir, summaryName), text, 0o600); err != nil {
		return false, fmt.Errorf("writing summary: %w", err)
	}
	return true, nil
}

func sameSegment(a, b segmentSize) bool { return a.BaseOffset == b.BaseOffset && a.Size == b.Size }

func segmentSizes(dir string) ([]segmentSize, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing segments: %w", err)
	}
	var segments []segmentSize
	for _, e := range entries {
		name, isSegment := strings.CutSuffix(e.Name(), ".dat")
		base, err := strconv.ParseInt(name, 10, 64)
		if !isSegment || err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("looking at segment %s: %w", e.Name(), err)
		}
		segments = append(segments, segmentSize{BaseOffset: base, Size: info.Size()})
	}
	slices.SortFunc(segments, func(a, b segmentSize) int { return int(min(max(a.BaseOffset-b.BaseOffset, -1), 1)) })
	return segments, nil
}

type segmentWalk struct {
	first, next        int64 // offsets
	firstTime, maxTime int64
	epoch              int32
}

// walkSegment reads the headers of a segment's batches. The checksums are
// kfake's to check when it loads the segment.
func walkSegment(path string, size int64) (w segmentWalk, err error) {
	f, err := os.Open(path + ".dat")
	if err != nil {
		return w, fmt.Errorf("opening segment: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	var h [batchHeaderBytes]byte
	batches := int64(0)
	for pos := int64(0); pos < size; batches++ {
		if _, err := f.ReadAt(h[:], pos); err != nil {
			if errors.Is(err, io.EOF) {
				return w, errUnusual // torn
			}
			return w, fmt.Errorf("reading batch at %d: %w", pos, err)
		}
		first := int64(binary.BigEndian.Uint64(h[0:]))
		length := int64(binary.BigEndian.Uint32(h[8:]))
		attributes := binary.BigEndian.Uint16(h[batchAttributesAt:])
		lastDelta := int64(int32(binary.BigEndian.Uint32(h[23:])))
		if length < batchHeaderBytes-12 || lastDelta < 0 || attributes&transactionalMask != 0 || batches > 0 &&
			first < w.next {
			return w, errUnusual
		}
		if batches == 0 {
			w.first = first
			w.firstTime = int64(binary.BigEndian.Uint64(h[27:]))
		}
		w.maxTime = max(w.maxTime, int64(binary.BigEndian.Uint64(h[35:])))
		w.next = first + lastDelta + 1
		pos += 12 + length
		if pos > size {
			return w, errUnusual // torn
		}
	}
	if batches == 0 {
		return w, errUnusual
	}
	index, err := os.Open(path + ".idx")
	if err != nil {
		return w, errUnusual
	}
	defer func() { _ = index.Close() }() // read only
	var entry [indexEntryBytes]byte
	if _, err := index.ReadAt(entry[:], (batches-1)*indexEntryBytes); err != nil {
		return w, errUnusual // the crash came between the batch and its entry
	}
	w.epoch = int32(binary.LittleEndian.Uint32(entry[2:]))
	return w, nil
}
