package tills

import (
	"fmt"
	"strings"

	"github.com/makegood/makegood/infra/wire"
)

// minorDigits are the digits of the minor unit of ISO 4217, List One, where they aren't 2. golang.org/x/text/currency
// gives those of CLDR, which is about what people write: it has none for IQD, AFN or RSD, whose minor units ISO has.
// Processors that count otherwise say so in a table of their mapping: minor and dround take a number of digits as well.
var minorDigits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// digitsOf is the number of decimals of a currency, or what a program gives instead: a whole number of 0 to 6.
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
		if n, other := minorDigits[code]; other {
			return n, nil
		}
		return 2, nil
	}
	return 0, fmt.Errorf("%s is no currency, and no number of decimals", show(v))
}
