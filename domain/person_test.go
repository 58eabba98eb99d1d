package domain_test

import (
	"testing"

	"github.com/makegood/makegood/domain"
)

func TestShortPerson(t *testing.T) {
	for id, want := range map[string]string{
		"p-3fa91c02-abcdefghijklmnopqrstuvwxyz": "p-abcdef",
		"p-3fa91c02-abcdefghijklmnopqrstuvwxy":  "p-3fa91c02-abcdefghijklmnopqrstuvwxy",
		"":                                      "",
		"E-17":                                  "E-17",
		"o-3fa91c02-abcdefghijklmnopqrstuvwxyz": "o-3fa91c02-abcdefghijklmnopqrstuvwxyz",
	} {
		if got := domain.ShortPerson(id); got != want {
			t.Errorf("%s is told as %s, want %s", id, got, want)
		}
	}
}
