package reference

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// HistoriesVariable names the environment variable with the directory that failing histories are written to.
const HistoriesVariable = "MAKEGOOD_HISTORIES"

// StreamsVariable names the environment variable that says how many random streams the tests draw: all of them where it
// is "all", as in .ci/run, else few, so that the tests end soon on any machine.
const StreamsVariable = "MAKEGOOD_STREAMS"

// AllStreams reports whether tests are to draw all of their random streams.
func AllStreams() bool { return os.Getenv(StreamsVariable) == "all" }

// told is a record as a history file has it, one a line.
type told struct {
	Stream     string          `json:"stream"`
	Seq        int64           `json:"seq"`
	RecordedAt time.Time       `json:"recorded_at"`
	Event      json.RawMessage `json:"event"`
}

// KeepHistory writes records to a file of that name and answers its path: in the directory that MAKEGOOD_HISTORIES
// names, else in makegood-histories of the temporary directory.
func KeepHistory(name string, records []Record) (string, error) {
	dir := os.Getenv(HistoriesVariable)
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "makegood-histories")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name+".ndjson")
	var text []byte
	for _, r := range records {
		line, err := json.Marshal(told{r.Stream, r.Seq, r.RecordedAt, r.Event})
		if err != nil {
			return "", fmt.Errorf("record %d: %w", r.Seq, err)
		}
		text = append(append(text, line...), '\n')
	}
	return path, os.WriteFile(path, text, 0o644)
}

// ReadHistory reads what KeepHistory wrote.
func ReadHistory(path string) ([]Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var records []Record
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var t told
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(records)+1, err)
		}
		records = append(records, Record{Stream: t.Stream, Seq: t.Seq, RecordedAt: t.RecordedAt, Event: t.Event})
	}
	return records, lines.Err()
}

// Shrink takes records out of a history that fails, as many as it can while it still fails: halves first, then
// quarters, and so on down to single records, until no single one can go. fails must tell the same of the same records
// every time. The order of the records and their places in the log stay.
func Shrink(records []Record, fails func([]Record) bool) []Record {
	records = slices.Clone(records)
	for size := (len(records) + 1) / 2; size > 0; {
		shorter := false
		for from := 0; from < len(records); {
			part := slices.Delete(slices.Clone(records), from, min(from+size, len(records)))
			if fails(part) {
				records, shorter = part, true
			} else {
				from += size
			}
		}
		if size == 1 && !shorter {
			break
		}
		size = max(min(size/2, len(records)), 1)
		if len(records) == 0 {
			break
		}
	}
	return records
}
