package ledger

import "errors"

// ErrNotFound says that the books hold nothing under that id.
var ErrNotFound = errors.New("not found")
