{{event "books.rebuilt"}} = e.event_type OR {{event "fact.decided"}} IN (e.event_type, e.voids_type)
