package post_test

import (
	"os"
	"testing"

	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/bookstest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Run(m)) }

// event is one of a till.
var event = bookstest.Event
