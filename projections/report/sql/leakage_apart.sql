SELECT toDecimalString(sum(amount), {{.Decimals}}) FROM {{.Source}} WHERE {{not_failed "kind"}} AND {{.Where}}
