package ledger

import (
	"errors"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrNotFound says that the books hold nothing under that id.
var ErrNotFound = errors.New("not found")

// StoreError is what ClickHouse answered, with its code, where another driver than clickhouse-go asked.
type StoreError struct {
	Code int32
	Err  error
}

func (e *StoreError) Error() string { return e.Err.Error() }
func (e *StoreError) Unwrap() error { return e.Err }

// StoreCode is ClickHouse's code of an error (src/Common/ErrorCodes.cpp); 0 where the error isn't ClickHouse's answer.
func StoreCode(err error) int32 {
	if e, ok := errors.AsType[*StoreError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok {
		return e.Code
	}
	return 0
}

// refusals are the codes by which ClickHouse says that it doesn't take what a row says: CANNOT_PARSE_TEXT,
// _QUOTED_STRING, _INPUT_ASSERTION_FAILED, _DATE, _DATETIME, TYPE_MISMATCH, ARGUMENT_OUT_OF_BOUND, CANNOT_CONVERT_TYPE,
// CANNOT_PARSE_NUMBER, INCORRECT_DATA, TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE, SIZES_OF_ARRAYS_DONT_MATCH,
// VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN, FUNCTION_THROW_IF_VALUE_IS_NON_ZERO,
// DECIMAL_OVERFLOW, VIOLATED_CONSTRAINT, UNKNOWN_ELEMENT_OF_ENUM (src/Common/ErrorCodes.cpp).
var refusals = []int32{6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 131, 190, 321, 349, 395, 407, 469, 691}

// RefusesContent reports whether ClickHouse refused what it was given, and will whenever it is given that again. All
// else may get better, also by what a person does: the network, a full disk, a password, a right, a read-only table.
func RefusesContent(err error) bool { return slices.Contains(refusals, StoreCode(err)) }

// TooMuch reports whether what was asked for did not fit into ClickHouse's memory (MEMORY_LIMIT_EXCEEDED): less may.
func TooMuch(err error) bool { return StoreCode(err) == 241 }
