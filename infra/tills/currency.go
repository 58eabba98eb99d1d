package tills

import (
	"fmt"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// digitsOf is the number of decimals of a currency, or what a program gives instead: a whole number of 0 to 6.
// Processors that count otherwise than ISO 4217 say so in a table of their mapping.
func digitsOf(v any) (int, error) {
	switch v := v.(type) {
	case int:
		if v < 0 || v > 6 {
			return 0, fmt.Errorf("%d is no number of decimals: 0 to 6", v)
		}
		return v, nil
	case string:
		code := strings.ToUpper(v)
		if !wire.IsCurrency(code) {
			return 0, fmt.Errorf("%s is no currency of ISO 4217", show(v))
		}
		return domain.MinorUnit(code), nil
	}
	return 0, fmt.Errorf("%s is no currency, and no number of decimals", show(v))
}
