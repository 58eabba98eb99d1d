{{- /* A void carries the whole event that it takes back. */ -}}
if(voids_id = '', JSONExtractString(payload, '{{.}}'), JSONExtractString(payload, 'original', 'data', '{{.}}'))
