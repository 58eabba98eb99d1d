event_type = {{event "order.placed"}} AND standing = ''
