    toDecimalString(sumIf(amount, {{cost "element"}}), {{.Decimals}}) AS gross,
    toDecimalString(sum(amount), {{.Decimals}}) AS net,
    toDecimalString(sumIf(amount, {{cost "element"}} AND NOT {{imputed "basis"}}), {{.Decimals}}) AS booked,
    toDecimalString(sumIf(amount, {{cost "element"}} AND {{imputed "basis"}}), {{.Decimals}}) AS hidden,
    toDecimalString(-sumIf(amount, {{recovery "element"}}), {{.Decimals}}) AS recoveries,
    uniqExactIf((unit, error_id), error_id != '' AND founded != '') AS cases,
    uniqExactIf(order_id, order_id != '' AND (error_id = '' OR founded != '')) AS orders
