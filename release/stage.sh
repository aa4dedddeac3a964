#!/usr/bin/env bash
# What a machine needs to run mailauth, as one folder: the files of the npm package, and the packages that it depends on, in the exact
# versions of package-lock.json. No script of any package is run. The keychain's native part is the one of this machine.
# usage: release/stage.sh FOLDER      (a new folder; needs Node.js with npm, and `npm run build` before)
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir "$1"
folder=$(cd "$1" && pwd)
packed=$(mktemp -d)
trap 'rm -rf "$packed"' EXIT
(cd "$root" && npm pack --silent --ignore-scripts --pack-destination "$packed" >/dev/null)
tar -xzf "$packed"/*.tgz -C "$folder" --strip-components=1
cp "$root/package-lock.json" "$folder/"
(cd "$folder" && npm ci --silent --omit=dev --ignore-scripts --no-audit --no-fund)
rm "$folder/package-lock.json" "$folder/node_modules/.package-lock.json"
# npm keeps the modes that the authors of the packages had.
find "$folder" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
chmod 755 "$folder/bin/mailauth.js"
