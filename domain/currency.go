package domain

// MinorUnit is how many decimals the smallest unit of a currency has, by ISO 4217, List One: 2 for most, 0 for the yen.
// The tables of golang.org/x/text/currency are CLDR's, about what people write: none for IQD, AFN or RSD, of which
// books and tills have some.
func MinorUnit(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
		"XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// SmallestUnit is the smallest amount that is paid in a currency, a cent say.
func SmallestUnit(currency string) Amount {
	unit := Amount(1_0000)
	for range MinorUnit(currency) {
		unit /= 10
	}
	return unit
}

// slack is what so many amounts of a currency may be off by in all, where each was rounded to the smallest unit: prices
// net of tax have more decimals than money has. What is off by less is the same amount.
func (v *view) slack(currency name, amounts int) Amount {
	return SmallestUnit(v.u.names.text(currency)) * Amount(max(amounts, 1))
}
