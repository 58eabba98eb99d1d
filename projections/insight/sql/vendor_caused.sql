{{- /* The condition on what a supplier or a carrier caused: by who is at fault, else by the root cause. */ -}}
(party_at_fault IN ('supplier', 'carrier') OR party_at_fault IN ('', 'unknown') AND root_cause IN ('supplier_quality', 'carrier'))
