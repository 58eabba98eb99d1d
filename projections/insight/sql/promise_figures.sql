{{- /* Of rows with outcome, late_by (seconds) and leaked (the leakage of the order, or of the case). Those without an outcome
are of something else. */}}
    countIf(outcome != '') AS promised, countIf(outcome = 'kept') AS kept, countIf(outcome = 'late') AS late, countIf(outcome = 'broken') AS broken,
    countIf(outcome = 'open') AS open, countIf(outcome = 'withdrawn') AS withdrawn,
    quantileExactInclusiveIf(0.5)(late_by, outcome = 'late') AS late_median, maxIf(late_by, outcome = 'late') AS late_worst,
    toDecimalString(sumIf(leaked, outcome = 'kept'), 4) AS leaked_kept, toDecimalString(sumIf(leaked, outcome = 'late'), 4) AS leaked_late,
    toDecimalString(sumIf(leaked, outcome = 'broken'), 4) AS leaked_broken,
    toDecimalString(sumIf(leaked, outcome NOT IN ('', 'kept', 'late', 'broken')), 4) AS leaked_other
