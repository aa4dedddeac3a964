#!/usr/bin/env bash
# Builds the container image of docs/container.md, without a daemon and without root where buildah may do that.
# usage: release/container.sh IMAGE [BASE [STAGED]]      (needs buildah, Node.js with npm, and `npm run build` before)
#   BASE: an image with Node.js 20.19 or newer in its PATH, and a shell; default: the one in release/Containerfile
set -euo pipefail
if [ $# -lt 1 ] || [ $# -gt 3 ]; then
  echo "usage: $0 IMAGE [BASE [STAGED]]" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
if [ $# = 3 ]; then cp -a "$3" "$context/app"; else "$here/stage.sh" "$context/app"; fi
ln -s mailauth.js "$context/app/bin/mailauth"
install -m 755 "$here/container-start.sh" "$context/app/bin/container-start"
mkdir -m 700 "$context/home"
# Docker's format, because that of OCI has no health check.
buildah build --quiet --format docker ${2:+--build-arg BASE="$2"} --file "$here/Containerfile" --tag "$1" "$context"
