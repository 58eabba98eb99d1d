// Package rebuild computes rebuilds: it posts history again into a shadow and reports what that would change. Package
// post makes the shadow part of the books when the record of the rebuild stands in the log.
//
// It promises that the books stay as they are until then, and that a rebuild whose process ends leaves nothing behind.
// What it costs stands in rebuild.go.
package rebuild
