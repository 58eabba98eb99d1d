package ledger_test

import (
	"os"
	"testing"

	"github.com/makegood/makegood/infra/embedded/enginetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Run(m)) }
