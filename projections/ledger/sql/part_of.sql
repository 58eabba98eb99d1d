{{- /* To which figure an amount belongs. What customers changed themselves has no element, and an order that the business
cancelled has no case. */ -}}
multiIf({{.Element}} = '', 'customer_changes', {{not_failed .Kind}}, 'changed_mind', {{.Founded}} = 'no', 'unfounded', 'leakage')
