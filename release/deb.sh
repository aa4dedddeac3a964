#!/usr/bin/env bash
# Makes the Debian package. The same source and the same npm packages give the same bytes.
# usage: release/deb.sh OUT-FOLDER [STAGED]      (Debian or Ubuntu, with Node.js and npm, and `npm run build` before)
#   STAGED: a folder that release/stage.sh has made; without it one is made
set -euo pipefail
[ $# = 1 ] || [ $# = 2 ] || { echo "usage: $0 OUT-FOLDER [STAGED]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
# deb-version(7): a tilde sorts before everything, so 1.0.0~rc.1 is older than 1.0.0.
version=$(node -p 'require(process.argv[1]).version.replace("-", "~")' "$here/../package.json")
architecture=$(dpkg --print-architecture)
# What is packed is as old as the last change of the source; without git, as the last release.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || stat -c %Y "$here/../CHANGELOG.md")}
export SOURCE_DATE_EPOCH

tree=$work/tree
lib=$tree/usr/lib/entra-mailauth
doc=$tree/usr/share/doc/entra-mailauth
mkdir -p "$tree/usr/lib" "$tree/usr/bin" "$doc" "$tree/usr/share/man/man1" "$tree/DEBIAN"
if [ $# = 2 ]; then cp -a "$2" "$lib"; else "$here/stage.sh" "$lib"; fi
ln -s ../lib/entra-mailauth/bin/mailauth.js "$tree/usr/bin/mailauth"
ln -s mailauth "$tree/usr/bin/entra-mailauth"
gzip -9n < "$lib/man/mailauth.1" > "$tree/usr/share/man/man1/mailauth.1.gz"
ln -s mailauth.1.gz "$tree/usr/share/man/man1/entra-mailauth.1.gz"
gzip -9n < "$lib/CHANGELOG.md" > "$doc/changelog.gz"
{ echo 'mailauth'; echo; cat "$lib/LICENSE"; printf '\nOther software is in this package. Its licences:\n\n'; cat "$lib/THIRD-PARTY-NOTICES"; } > "$doc/copyright"
rm -r "$lib/man" "$lib/LICENSE" "$lib/CHANGELOG.md"

completion() {
  mkdir -p "$(dirname "$tree/usr/share/$2")"
  MAILAUTH_HOME="$work/home" node "$lib/bin/mailauth.js" completion "$1" > "$tree/usr/share/$2"
}
completion bash bash-completion/completions/mailauth
completion zsh zsh/vendor-completions/_mailauth
completion fish fish/vendor_completions.d/mailauth.fish

cat > "$tree/DEBIAN/control" <<CONTROL
Package: entra-mailauth
Version: $version
Architecture: $architecture
Maintainer: the mailauth authors <entra-mailauth@users.noreply.github.com>
Installed-Size: $(du -k --apparent-size -s "$tree/usr" | cut -f1)
Depends: nodejs (>= 20.19)
Recommends: xdg-utils
Suggests: gnome-keyring, postfix
Section: mail
Priority: optional
Homepage: https://github.com/entra-mailauth/mailauth
Description: takes a Microsoft 365 mailbox from passwords to OAuth 2
 A wizard for the registration in Entra, the consent and the sign-in; tokens
 in the keychain, in a sealed file or in PostgreSQL; live tests of IMAP, POP
 and SMTP; access tokens and configuration for other programs.
CONTROL
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums)
file=$out/entra-mailauth_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$tree" "$file" >/dev/null
echo "$file"
