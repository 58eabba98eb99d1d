toDecimal128(0, 8)
