package onlineretail

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// row is one line of the file. Its texts are numbers in the table of names, so that a year fits in some 30 MB and two
// rows can be compared.
type row struct {
	wall                                   int64 // seconds of London's wall clock, as if it were UTC
	quantity, price                        domain.Decimal
	invoice, code, words, customer, nation uint32
}

func (r *row) amount() domain.Decimal { return r.quantity / one * r.price }

// table is the file in memory.
type table struct {
	names []string
	known map[string]uint32
	rows  []row
	made  []Category // by row
	line  []int32    // by row: its position within its invoice, from 1
}

func (t *table) name(text string) uint32 {
	if n, ok := t.known[text]; ok {
		return n
	}
	n := uint32(len(t.names))
	text = strings.Clone(text)
	t.names = append(t.names, text)
	t.known[text] = n
	return n
}

var columns = []string{"InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
	"Country"}

const maxProblems = 20

// What is larger is a mistake. It keeps every product and sum of a file far inside of 64 bits: ten million pieces, ten
// million pounds a piece, a hundred million a line.
const (
	mostPieces    domain.Decimal = 10_000_000 * one
	highestPrice  domain.Decimal = 10_000_000 * one
	largestAmount domain.Decimal = 100_000_000 * one
)

// read takes in the whole file, plain or gzip, and sorts out what isn't a row and what is a row twice.
func read(ctx context.Context, in io.Reader, account *Account) (*table, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	in = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("unpack the file: %w", err)
		}
		defer unpacked.Close()
		in = unpacked
	}
	reader := csv.NewReader(in)
	reader.ReuseRecord = true
	reader.FieldsPerRecord = -1 // a row of another length is one bad row, not the end
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	if !slices.Equal(header, columns) {
		return nil, fmt.Errorf("the first line is not the header of Online Retail: want %s", strings.Join(columns, ","))
	}

	t := &table{names: []string{""}, known: map[string]uint32{"": 0}}
	seen := map[row]struct{}{}
	position := map[uint32]int32{}
	for {
		if account.Rows%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		fields, err := reader.Read()
		if err == io.EOF {
			break
		}
		var malformed *csv.ParseError
		if err != nil && !errors.As(err, &malformed) {
			return nil, fmt.Errorf("read row %d: %w", account.Rows+1, err)
		}
		account.Rows++
		var r row
		if err == nil {
			r, err = t.parse(fields)
		}
		if err != nil {
			account.made[NotUnderstood].Rows++
			if malformed == nil { // a ParseError says its line itself
				line, _ := reader.FieldPos(0)
				err = fmt.Errorf("line %d: %w", line, err)
			}
			account.problem(err.Error())
			continue
		}
		made := notYet
		if _, again := seen[r]; again {
			made = DuplicateRows
		}
		seen[r] = struct{}{}
		position[r.invoice]++
		t.rows = append(t.rows, r)
		t.made = append(t.made, made)
		t.line = append(t.line, position[r.invoice])
	}
	t.sort()
	return t, nil
}

func (a *Account) problem(text string) {
	switch {
	case len(a.Problems) < maxProblems:
		a.Problems = append(a.Problems, text)
	case len(a.Problems) == maxProblems:
		a.Problems = append(a.Problems, "and more")
	}
}

// parse reads the eight fields. A quantity is a whole number; a price has at most 4 decimals, so that every amount has.
func (t *table) parse(fields []string) (row, error) {
	if len(fields) != len(columns) {
		return row{}, fmt.Errorf("%d fields instead of %d", len(fields), len(columns))
	}
	if fields[0] == "" || fields[1] == "" || len(fields[0]) > 64 || len(fields[1]) > 128 {
		return row{}, fmt.Errorf("invoice %q, stock code %q: one is empty or too long", fields[0], fields[1])
	}
	for i, f := range fields {
		if len(f) > 4096 {
			return row{}, fmt.Errorf("%s is %d bytes long", columns[i], len(f))
		}
		if strings.ContainsFunc(f, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return row{}, fmt.Errorf("a control character in %s", columns[i])
		}
	}
	quantity, err := domain.ParseDecimal([]byte(fields[3]), 0)
	if err != nil {
		return row{}, fmt.Errorf("quantity %q: %w", fields[3], err)
	}
	if quantity == 0 {
		return row{}, errors.New("a quantity of zero")
	}
	at, err := time.Parse(time.DateTime, fields[4])
	if err != nil {
		return row{}, fmt.Errorf("date %q: %w", fields[4], err)
	}
	price, err := domain.ParseDecimal([]byte(fields[5]), 4)
	if err != nil {
		return row{}, fmt.Errorf("price %q: %w", fields[5], err)
	}
	if abs(quantity) > mostPieces || abs(price) > highestPrice || abs(quantity/one*price) > largestAmount {
		return row{}, fmt.Errorf("quantity %s at price %s is beyond any invoice", quantity, price)
	}
	customer := strings.TrimSuffix(fields[6], ".0") // a number that went through a float on its way into the file
	if _, err := strconv.ParseUint(customer, 10, 64); customer != "" && err != nil {
		return row{}, fmt.Errorf("customer %q: %w", fields[6], err)
	}
	return row{
		wall: at.Unix(), quantity: quantity, price: price,
		invoice: t.name(fields[0]), code: t.name(fields[1]), words: t.name(fields[2]),
		customer: t.name(customer), nation: t.name(fields[7]),
	}, nil
}

func abs(d domain.Decimal) domain.Decimal { return max(d, -d) }

// sort puts the rows in order of time. The file is in that order already, but nothing promises it.
func (t *table) sort() {
	if slices.IsSortedFunc(t.rows, func(a, b row) int { return cmp.Compare(a.wall, b.wall) }) {
		return
	}
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.rows[a].wall, t.rows[b].wall) })
	rows, made, line := t.rows, t.made, t.line
	t.rows, t.made, t.line = make([]row, len(rows)), make([]Category, len(rows)), make([]int32, len(rows))
	for to, from := range order {
		t.rows[to], t.made[to], t.line[to] = rows[from], made[from], line[from]
	}
}
