package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// A seal is the root of a Merkle tree of RFC 6962. A leaf is an event of the month: its identity, the digest of what it
// says, and the digest of what it posted (see ledger.LeafSQL). The leaves stand in the order of their identities, so
// that the root doesn't depend on arrival, partitions, or who posted them.

// tree makes the root while leaves come. It keeps a hash per level.
type tree struct{ of *compact.Range }

var nodes = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

func newTree() *tree { return &tree{of: nodes.NewEmptyRange(0)} }

func (t *tree) add(leaf string) error { return t.of.Append([]byte(leaf), nil) }

// root is that of the leaves so far, in hexadecimal digits. RFC 6962 says what it is where there are none.
func (t *tree) root() (string, error) {
	root, err := t.of.GetRootHash(nil)
	if root == nil {
		root = rfc6962.DefaultHasher.EmptyRoot()
	}
	return hex.EncodeToString(root), err
}

// Root is what a close is sealed with.
type Root struct {
	Hash   string // 64 hexadecimal digits
	Events int64
}

// ErrUnsteady says that what was to be sealed changed meanwhile. Nothing was sealed.
var ErrUnsteady = errors.New("the events of the month changed while they were sealed")

// SealClose computes the root of a close from the ledger, and keeps the list of what it is made of. All that stands
// before the close must be booked and settled. Who does it again, or beside another, does the same.
func SealClose(ctx context.Context, db driver.Conn, c *domain.Numbered) (Root, error) {
	from := fromLedger(c.Period, &c.Mark)
	root, err := from.root(ctx, db)
	if err != nil || root.Events == 0 {
		return root, err
	}
	from.Root = root.Hash
	keep := statements.Make("seal_list", from)
	if err := db.Exec(sparingly(ctx), keep.Text); err != nil {
		return root, fmt.Errorf("keep the list of the sealed events: %w", err)
	}
	kept, err := fromList(root.Hash).root(ctx, db)
	if err == nil && kept != root {
		err = ErrUnsteady
	}
	return root, err
}

// sealedFrom is where the leaves of a seal are read from, for the statements.
type sealedFrom struct {
	From, Said, Posted, Leaf, Order string
	Root                            string
}

// fromLedger reads them from the ledger as it is now.
func fromLedger(period domain.Period, close *domain.Mark) sealedFrom {
	return sealedFrom{From: "ledger FINAL WHERE " + ledger.SealedOf(period, close), Said: ledger.SaidSQL,
		Posted: ledger.PostedSQL, Leaf: ledger.LeafSQL, Order: ledger.SealedOrder}
}

// fromList reads them from the list that was kept with a root.
func fromList(root string) sealedFrom {
	return sealedFrom{From: "sealed_events FINAL WHERE root = unhex('" + root + "')", Said: "said", Posted: "posted",
		Leaf: ledger.LeafSQL, Order: ledger.SealedOrder}
}

// root makes the tree of all leaves.
func (f sealedFrom) root(ctx context.Context, db driver.Conn) (Root, error) {
	rows, err := statements.Make("seal_leaves", f).Rows(sparingly(ctx), db)
	if err != nil {
		return Root{}, fmt.Errorf("read the events of a seal: %w", err)
	}
	defer rows.Close()
	t := newTree()
	for rows.Next() {
		var leaf string
		if err := rows.Scan(&leaf); err != nil {
			return Root{}, fmt.Errorf("read the events of a seal: %w", err)
		}
		if err := t.add(leaf); err != nil {
			return Root{}, fmt.Errorf("make the tree of a seal: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return Root{}, fmt.Errorf("read the events of a seal: %w", err)
	}
	hash, err := t.root()
	return Root{Hash: hash, Events: int64(t.of.End())}, err
}

// sparingly bounds what reading a month takes of the server: it is for the background, and for doubts.
func sparingly(ctx context.Context) context.Context {
	return sql.WithSettings(ctx, clickhouse.Settings{
		"max_threads": 2, "max_block_size": 8192, "max_insert_block_size": 65_536, "min_insert_block_size_rows": 65_536,
		"min_insert_block_size_bytes": 32 << 20, "max_bytes_before_external_sort": 64 << 20,
		"do_not_merge_across_partitions_select_final": 1,
	})
}

// sealedRow is an event as a seal covers it.
type sealedRow struct {
	source, id, order, errorID string
	content                    uint64
	stream                     string
	partition                  int32
	offset                     int64
	said, posted, leaf         string
}

// compare orders rows as the leaves stand.
func (r *sealedRow) compare(o *sealedRow) int {
	for _, pair := range [...][2]string{{r.source, o.source}, {r.id, o.id}, {r.order, o.order}, {r.errorID, o.errorID}} {
		if c := bytes.Compare([]byte(pair[0]), []byte(pair[1])); c != 0 {
			return c
		}
	}
	switch {
	case r.content < o.content:
		return -1
	case r.content > o.content:
		return 1
	}
	return 0
}

// sealedCursor goes through rows in the order of the leaves.
type sealedCursor struct {
	rows driver.Rows
	row  *sealedRow // nil at the end
}

func (f sealedFrom) open(ctx context.Context, db driver.Conn) (*sealedCursor, error) {
	rows, err := statements.Make("seal_rows", f).Rows(sparingly(ctx), db)
	if err != nil {
		return nil, fmt.Errorf("read the events of a seal: %w", err)
	}
	c := &sealedCursor{rows: rows}
	if err := c.next(); err != nil {
		_ = rows.Close() // the first error is the one to tell
		return nil, err
	}
	return c, nil
}

func (c *sealedCursor) next() error {
	if !c.rows.Next() {
		c.row = nil
		if err := c.rows.Err(); err != nil {
			return fmt.Errorf("read the events of a seal: %w", err)
		}
		return nil
	}
	r := &sealedRow{}
	if err := c.rows.Scan(&r.source, &r.id, &r.order, &r.errorID, &r.content, &r.stream, &r.partition, &r.offset, &r.said,
		&r.posted, &r.leaf); err != nil {
		return fmt.Errorf("read the events of a seal: %w", err)
	}
	c.row = r
	return nil
}

// place is where the log holds the event, as the row has it.
func (r *sealedRow) place() string { return fmt.Sprintf("%s/%d@%d", r.stream, r.partition, r.offset) }
