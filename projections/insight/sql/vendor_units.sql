{{- /* Those with a case that a vendor caused, at some time: more than are asked for, and without the roll-up, whose own parts have names
that others of a statement must not have. */ -}}
SELECT unit FROM {{.Failures}}
        WHERE refused = '' AND {{.Known}} AND arrayExists((p, c) -> p IN ('supplier', 'carrier') OR p IN ('', 'unknown') AND c IN ('supplier_quality', 'carrier'), fact_party, fact_root_cause)
