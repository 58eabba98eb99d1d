{{- /* What is voided now may have counted at an earlier moment: a report of one asks for the voids of then. */ -}}
standing IN ('double', 'waits', 'discarded', 'copied'{{if not .Bounded}}, 'voided'{{end}})
