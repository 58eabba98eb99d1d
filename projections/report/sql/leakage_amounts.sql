    toDecimalString(sumIf(amount, {{cost "element"}}), {{.Decimals}}) AS gross,
    toDecimalString(sum(amount), {{.Decimals}}) AS net,
    toDecimalString(sumIf(amount, {{cost "element"}} AND NOT {{imputed "basis"}}), {{.Decimals}}) AS booked,
    toDecimalString(sumIf(amount, {{cost "element"}} AND {{imputed "basis"}}), {{.Decimals}}) AS hidden,
    toDecimalString(-sumIf(amount, {{recovery "element"}}), {{.Decimals}}) AS recoveries
