// Package terminal is how commands speak with a person: the process's streams, questions and answers, and numbers that
// can be read.
package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Streams are the process's own: tests give others.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Give writes a whole answer to a file that only its owner reads, or to the output where none is named.
func (s Streams) Give(answer []byte, file string) error {
	if file != "" {
		return os.WriteFile(file, answer, 0o600)
	}
	_, err := s.Out.Write(answer)
	return err
}

// Script reports whether the input is a file or a pipe: its lines were written before anybody asked.
func (s Streams) Script() bool {
	f, is := s.In.(*os.File)
	return is && !term.IsTerminal(int(f.Fd()))
}

// Answer waits for a line, and returns it without the space around it. It reads no further than that: there may be
// another question. Who interrupts it needn't finish the line.
func (s Streams) Answer(ctx context.Context, question string) (string, error) {
	fmt.Fprint(s.Out, question)
	type read struct {
		line string
		err  error
	}
	answered := make(chan read, 1)
	go func() { // waits for the terminal until the process ends, where it is interrupted
		var line []byte
		for one := make([]byte, 1); ; {
			n, err := s.In.Read(one)
			if n > 0 && one[0] != '\n' {
				line = append(line, one[0])
			}
			if err != nil || n > 0 && one[0] == '\n' {
				answered <- read{strings.TrimSpace(string(line)), err}
				return
			}
		}
	}()
	select {
	case r := <-answered:
		return r.line, r.err
	case <-ctx.Done():
		fmt.Fprintln(s.Out)
		return "", ctx.Err()
	}
}

// Count writes a number of things with thousands apart.
func Count(n float64) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
