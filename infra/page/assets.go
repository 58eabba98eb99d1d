package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
)

//go:embed assets templates
var files embed.FS

// EChartsVersion is the version of Apache ECharts in assets.
const EChartsVersion = "6.1.0"

// asset is a file that pages refer to by a name that changes with its content, so that browsers may keep it for good.
type asset struct {
	plain, packed []byte
	kind, version string
}

func readAssets() (map[string]*asset, error) {
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
		".svg": "image/svg+xml"}
	all := map[string]*asset{}
	for _, e := range entries {
		plain, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		a := &asset{plain: plain, kind: kinds[path.Ext(e.Name())]}
		if a.kind == "" {
			a.kind = "text/plain; charset=utf-8" // licenses
		}
		sum := sha256.Sum256(plain)
		a.version = hex.EncodeToString(sum[:8])
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(plain); err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		if err := z.Close(); err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		a.packed = packed.Bytes()
		all[e.Name()] = a
	}
	return all, nil
}

func (p *Page) asset(w http.ResponseWriter, r *http.Request) {
	a := p.assets[r.PathValue("name")]
	if a == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	body := a.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.packed
	}
	_, _ = w.Write(body) // a reader that went away can't be told
}

func (p *Page) parse() (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"asset": func(name string) (string, error) {
			a := p.assets[name]
			if a == nil {
				return "", fmt.Errorf("there is no %s", name)
			}
			return "/assets/" + name + "?v=" + a.version, nil
		},
		"term": term,
	}).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return t, nil
}
