// Package papertest reads what a PDF of the package paper says.
package papertest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// Text is the text of all pages, in the order in which it was written, a line for each piece. The package paper writes
// each as a string of UTF-16, shown by Tj.
func Text(pdf []byte) (string, error) {
	var all strings.Builder
	for rest := pdf; ; {
		_, after, found := bytes.Cut(rest, []byte("\nstream\n"))
		if !found {
			return all.String(), nil
		}
		content, next, _ := bytes.Cut(after, []byte("\nendstream"))
		rest = next
		inflated, err := inflate(content)
		if err != nil {
			return "", err
		}
		texts(inflated, &all)
	}
}

// Pages is how many pages it has.
func Pages(pdf []byte) int { return bytes.Count(pdf, []byte("/Type /Page\n")) }

func inflate(content []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(content))
	if err != nil {
		return content, nil // not compressed
	}
	inflated, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("a stream of a PDF: %w", err)
	}
	return inflated, nil
}

// texts writes the strings of a stream that are shown.
func texts(content []byte, all *strings.Builder) {
	for at := 0; at < len(content); at++ {
		if content[at] != '(' {
			continue
		}
		var text []byte
		for at++; at < len(content) && content[at] != ')'; at++ {
			if content[at] == '\\' && at+1 < len(content) {
				if at++; content[at] == 'r' {
					text = append(text, '\r')
					continue
				}
			}
			text = append(text, content[at])
		}
		if !bytes.HasPrefix(bytes.TrimLeft(content[min(at+1, len(content)):], " "), []byte("Tj")) || len(text)%2 != 0 {
			continue
		}
		units := make([]uint16, len(text)/2)
		for i := range units {
			units[i] = uint16(text[2*i])<<8 | uint16(text[2*i+1])
		}
		all.WriteString(string(utf16.Decode(units)))
		all.WriteByte('\n')
	}
}
