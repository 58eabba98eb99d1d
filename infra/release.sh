#!/bin/sh
# Makes the archives of a release: for each system one binary with everything in it, the licences and how to begin, and
# beside them SHA256SUMS. Usage: sh infra/release.sh VERSION [GOOS/GOARCH ...]; linux/amd64 unless others are named.
# They come into ./release. The same commit and the same Go give the same bytes again.
set -eu
version=${1:?a version is wanted: sh infra/release.sh v1.0.0}
shift
[ $# -gt 0 ] || set -- linux/amd64
top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/release
when=$(git -C "$top" log -1 --format=%ct)
mkdir -p "$out"
for target in "$@"; do
  os=${target%/*} arch=${target#*/}
  name=makegood-$version-$os-$arch
  work=$(mktemp -d)
  mkdir "$work/$name"
  (cd "$top" && CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "-s -w" \
    -o "$work/$name/makegood" ./cmd/makegood)
  git -C "$top" ls-files '*.md' dashboards/page.png | while read -r document; do # where their links expect them
    mkdir -p "$work/$name/$(dirname "$document")"
    cp "$top/$document" "$work/$name/$document"
  done
  cp "$top/LICENSE" "$top/infra/sbom/notices.txt" "$work/$name/"
  tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$when" -cf - "$name" |
    gzip -n9 >"$out/$name.tar.gz"
  rm -r "$work"
  echo "$out/$name.tar.gz"
done
cd "$out" && sha256sum makegood-"$version"-*.tar.gz >SHA256SUMS
