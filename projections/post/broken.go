package post

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/makegood/makegood/projections/ledger"
)

// BrokenPartError says that ClickHouse can't read a part of a table, and what to do.
type BrokenPartError struct {
	Table, Part string // the table with its database
	Err         error
}

func (e *BrokenPartError) Error() string {
	return fmt.Sprintf("the part %[1]s of the table %[2]s is broken: restart ClickHouse, or run "+
		"ALTER TABLE %[2]s DETACH PART '%[1]s'; what it held is made again (infra/README.md, A broken part): %[3]v",
		e.Part, e.Table, e.Err)
}

func (e *BrokenPartError) Unwrap() error { return e.Err }

// unreadable are the codes by which ClickHouse says that it can't read a file of a part: ATTEMPT_TO_READ_AFTER_EOF,
// CANNOT_READ_ALL_DATA, CHECKSUM_DOESNT_MATCH, FILE_DOESNT_EXIST, NO_FILE_IN_DATA_PART, BAD_SIZE_OF_FILE_IN_DATA_PART,
// CORRUPTED_DATA, CANNOT_DECOMPRESS (src/Common/ErrorCodes.cpp).
var unreadable = []int32{32, 33, 40, 107, 232, 233, 246, 271}

// fileOfPart is a file of a part in what ClickHouse says: its table's UUID and the part.
var fileOfPart = regexp.MustCompile(
	`store/[0-9a-f]{3}/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9A-Za-z]+(?:_[0-9]+){3,4})/`)

// withRemedy names the table and the part where an error says that ClickHouse can't read a file of it.
func (p *Projector) withRemedy(ctx context.Context, err error) error {
	if !slices.Contains(unreadable, ledger.StoreCode(err)) {
		return err
	}
	said := fileOfPart.FindStringSubmatch(err.Error())
	if said == nil {
		return err
	}
	broken := &BrokenPartError{Part: said[2], Err: err}
	if p.db.QueryRow(ctx, "SELECT concat(database, '.', name) FROM system.tables WHERE uuid = toUUID(?)",
		said[1]).Scan(&broken.Table) != nil {
		return err // which says more than the failure to name the table
	}
	return broken
}
