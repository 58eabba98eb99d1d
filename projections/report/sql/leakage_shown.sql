{{- /* What is of a case that is none any more is shown as long as it comes to something. */ -}}
countIf(error_id = '' OR founded != '') > 0 OR sum(amount) != 0 OR sumIf(amount, {{cost "element"}}) != 0
