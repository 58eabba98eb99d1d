package wire_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/wire"
)

func TestNoCloudEvent(t *testing.T) {
	valid := string(byName(t, "period.closed").event.json())
	for _, c := range []struct{ payload, code string }{
		{``, wire.CodeBadJSON},
		{`null`, wire.CodeBadJSON},
		{`[]`, wire.CodeBadJSON},
		{`"x"`, wire.CodeBadJSON},
		{`<xml/>`, wire.CodeBadJSON},
		{`{`, wire.CodeBadJSON},
		{valid[:len(valid)-1], wire.CodeBadJSON},
		{valid + `x`, wire.CodeBadJSON},
		{valid + valid, wire.CodeBadJSON},
		{strings.Replace(valid, `"period":`, `"period"`, 1), wire.CodeBadJSON},
		{strings.Replace(valid, `"2026-01"`, `"2026-01",`, 1), wire.CodeBadJSON},
		{strings.Replace(valid, `"2026-01"`, `01`, 1), wire.CodeBadJSON},
		{strings.Replace(valid, `"2026-01"`, `'2026-01'`, 1), wire.CodeBadJSON},
		{strings.Replace(valid, `"2026-01"`, "\"2026\t-01\"", 1), wire.CodeBadJSON},
		{strings.Replace(valid, `"2026-01"`, `"\x"`, 1), wire.CodeBadJSON},
		{strings.Replace(valid, `"2026-01"`, "\"\xff\"", 1), wire.CodeBadUTF8},
		{strings.Replace(valid, `"2026-01"`, `"\ud800"`, 1), wire.CodeBadUTF8},
		{strings.Replace(valid, `"2026-01"`, `"\udc00\ud800"`, 1), wire.CodeBadUTF8},
		{strings.Replace(valid, `"2026-01"`, "\"\xed\xa0\x80\"", 1), wire.CodeBadUTF8},
		{"\xef\xbb\xbf" + valid, wire.CodeBadJSON},
	} {
		if e := wantError(t, []byte(c.payload), "", c.code); !e.NotCloudEvent {
			t.Errorf("%s: not said to be no CloudEvent", short([]byte(c.payload)))
		}
	}
	for _, name := range []string{"specversion", "id", "source", "type"} {
		e := byName(t, "period.closed").event
		set(e, "/"+name, gone)
		if err := wantError(t, e.json(), "/"+name, wire.CodeRequired); !err.NotCloudEvent {
			t.Errorf("without %s it is no CloudEvent", name)
		}
	}
	e := byName(t, "period.closed").event
	set(e, "/time", gone)
	if err := wantError(t, e.json(), "/time", wire.CodeRequired); err.NotCloudEvent || err.Source != "/stores/s-1" ||
		err.ID != "id-1" {
		t.Errorf("%+v", err)
	}
}

func TestSize(t *testing.T) {
	e := byName(t, "period.closed").event
	set(e, "/data/note", "")
	room := wire.MaxEvent - len(e.json())
	set(e, "/data/note", strings.Repeat("x", room))
	mustRead(t, e.json())
	set(e, "/data/note", strings.Repeat("x", room+1))
	wantError(t, e.json(), "", wire.CodeEventTooLarge)
}

// Many members that nobody knows must not cost more than they are long.
func TestManyUnknownMembers(t *testing.T) {
	var b strings.Builder
	b.WriteString(`"2026-01"`)
	for i := range 20_000 {
		b.WriteString(`,"` + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + strconv.Itoa(i) + `":1`)
	}
	e := byName(t, "period.closed").event
	set(e, "/data/period", raw(b.String()))
	mustRead(t, e.json())
	set(e, "/data/period", raw(b.String()+`,"again":1,"b1":{},"again":2`))
	wantError(t, e.json(), "/data/again", wire.CodeDuplicateMember)
}
