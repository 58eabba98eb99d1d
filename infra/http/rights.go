package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// OwnSource begins the sources of the events that makegood itself writes. Nobody else sends events of them.
const OwnSource = "urn:makegood:serve"

// ScopeOf is the scope that it takes to send an event: Write for what a till knows of its own orders and cases,
// KeepBooks for what changes the books themselves, and Process for what makegood alone writes. A void needs Write where
// it takes back an event of a till, and what Grant.MaySend says of sources.
func ScopeOf(e *domain.Event) Scope {
	if e.Type.Own() {
		return Process
	}
	if e.Stream() == domain.Books {
		return KeepBooks
	}
	return Write
}

// Audited says whether an audit shows the event, and so with which token it was sent.
func Audited(e *domain.Event) bool {
	return e.Stream() == domain.Books || e.Type == domain.TypeEventVoided
}

// Grant is what the holder of a token may do. A nil Grant is where nobody is asked who they are: it allows all that is
// not makegood's alone.
type Grant struct {
	// Name says who it is. It is no secret.
	Name string
	// Scopes are what they may do.
	Scopes []Scope
	// Sources are those that their events may have. None: any.
	Sources []string
}

// Has says whether one of the scopes is among those of the grant.
func (g *Grant) Has(any ...Scope) bool {
	return g == nil || slices.ContainsFunc(any, func(s Scope) bool { return slices.Contains(g.Scopes, s) })
}

// name is empty where nobody is asked.
func (g *Grant) name() string {
	if g == nil {
		return ""
	}
	return g.Name
}

// sends says whether events may have that source.
func (g *Grant) sends(source string) bool {
	return g == nil || len(g.Sources) == 0 || slices.Contains(g.Sources, source)
}

// MaySend says why the holder may not send an event; nil where they may. The event was read, and is as the contract
// wants it.
func (g *Grant) MaySend(e *domain.Event) *wire.Error {
	scope := ScopeOf(e)
	switch {
	case scope == Process:
		return forbiddenType("events of type %s come from makegood alone", e.Type)
	case e.Source == OwnSource || strings.HasPrefix(e.Source, OwnSource+":"):
		return &wire.Error{Pointer: "/source", Code: CodeForbiddenSource,
			Detail: "events of this source come from makegood alone"}
	case g == nil:
		return nil
	case !g.sends(e.Source):
		return &wire.Error{Pointer: "/source", Code: CodeForbiddenSource,
			Detail: "these credentials don't write for this source"}
	case g.Has(KeepBooks) && (scope == KeepBooks || e.Type == domain.TypeEventVoided):
		return nil
	case !g.Has(scope):
		return forbiddenType("events of type %s take the scope %s", e.Effective(), scope)
	}
	if v, is := e.Data.(*domain.EventVoided); is && !g.owns(e.Source, v.Source) {
		return &wire.Error{Pointer: "/data/voids/source", Code: CodeForbiddenType,
			Detail: "to void an event of another source takes the scope books"}
	}
	return nil
}

// owns says whether an event of one source is the sender's own to be voided by an event of another. Who is bound to no
// sources has no set of them: there a source voids its own events.
func (g *Grant) owns(voiding, voided string) bool {
	return voided == voiding || len(g.Sources) > 0 && slices.Contains(g.Sources, voided)
}

func forbiddenType(format string, of ...any) *wire.Error {
	return &wire.Error{Pointer: "/type", Code: CodeForbiddenType, Detail: fmt.Sprintf(format, of...)}
}
