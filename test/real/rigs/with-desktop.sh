#!/bin/bash
# with-desktop.sh kwallet|keepassxc: a private D-Bus session on a display of its own, with that program as its Secret Service. Prints the address
# of the bus and the display, and ends with its standard input. DESKTOP_HOME: where everything is kept, so that a second session is a second log-in.
# DESKTOP_OPEN=no: the log-in does not open the wallet. DESKTOP_SETTINGS: lines for the section FdoSecrets of KeePassXC.
set -eu
provider=$1
mkdir -p "$DESKTOP_HOME"/{data,run,cache,config/keepassxc}
chmod 700 "$DESKTOP_HOME/run"
export HOME=$DESKTOP_HOME XDG_DATA_HOME=$DESKTOP_HOME/data XDG_RUNTIME_DIR=$DESKTOP_HOME/run XDG_CACHE_HOME=$DESKTOP_HOME/cache \
  XDG_CONFIG_HOME=$DESKTOP_HOME/config LANG=C.UTF-8
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS

if [ "$provider" = kwallet ]; then
  printf '[Wallet]\nFirst Use=false\nEnabled=true\n[org.freedesktop.secrets]\napiEnabled=true\n' >"$XDG_CONFIG_HOME/kwalletrc"
else
  # 2.7 asks about updates and shows its news at the first start.
  printf '[General]\nConfigVersion=2\nUpdateCheckMessageShown=true\n[GUI]\nCheckForUpdates=false\n[FdoSecrets]\nEnabled=true\n%s\n' "${DESKTOP_SETTINGS-}" \
    >"$XDG_CONFIG_HOME/keepassxc/keepassxc.ini"
  if [ ! -f "$HOME/secrets.kdbx" ]; then
    # A database that shares its root group, as "Database Settings, Secret Service Integration" notes it.
    cat >"$HOME/secrets.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<KeePassFile><Meta><DatabaseName>secrets</DatabaseName><CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key>
<Value>{7376fc76-1111-4111-8111-111111111111}</Value></Item></CustomData></Meta>
<Root><Group><UUID>c3b8dhERQRGBERERERERERE=</UUID><Name>Root</Name></Group></Root></KeePassFile>
XML
    uuid=$(printf '7376fc76111141118111111111111111' | xxd -r -p | base64)
    sed -i "s|<UUID>[^<]*|<UUID>$uuid|" "$HOME/secrets.xml"
    printf 'test\ntest\n' | keepassxc-cli import -p "$HOME/secrets.xml" "$HOME/secrets.kdbx" >/dev/null 2>&1
  fi
fi

exec 3< <(exec Xvfb -displayfd 1 -screen 0 1000x700x24 -nolisten tcp 2>/dev/null)
xvfb=$!
trap 'kill $xvfb' EXIT
read -r number <&3
export DISPLAY=:$number

dbus-run-session -- bash -c '
  bus() { gdbus call --session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus --method "org.freedesktop.DBus.$1" org.freedesktop.secrets; }
  if [ "$1" = kwallet ]; then kwalletd5 >"$HOME/provider.log" 2>&1 &
  else echo test | keepassxc --pw-stdin "$HOME/secrets.kdbx" >"$HOME/provider.log" 2>&1 & fi
  provider=$!
  trap "kill $provider" EXIT
  # Asked of the bus, because a question to the service itself would start gnome-keyring.
  for ((i = 0; i < 200; i++)); do bus NameHasOwner 2>/dev/null | grep -q true && break; sleep 0.05; done
  if [ "$1" = kwallet ] && [ "${DESKTOP_OPEN-yes}" != no ]; then
    # As pam_kwallet opens the wallet at the log-in: with 56 bytes that it makes of the password.
    hash=$(printf "0x%02x," $(seq 1 56))
    gdbus call --session --dest org.kde.kwalletd5 --object-path /modules/kwalletd5 --method org.kde.KWallet.pamOpen kdewallet "[${hash%,}]" 0 >/dev/null
  fi
  if [ "$1" = keepassxc ]; then
    for ((i = 0; i < 200; i++)); do
      gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets/collection/secrets \
        --method org.freedesktop.DBus.Properties.Get org.freedesktop.Secret.Collection Locked 2>/dev/null | grep -q false && break
      sleep 0.05
    done
  fi
  echo "$DBUS_SESSION_BUS_ADDRESS $DISPLAY"
  cat >/dev/null' _ "$provider"
