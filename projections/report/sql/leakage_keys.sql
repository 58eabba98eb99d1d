{{range $i, $key := .Keys}}{{if $i}}, {{end}}key{{$i}}{{end}}
