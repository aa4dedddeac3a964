#!/bin/bash
# with-keyring.sh CMD...: runs CMD in a private D-Bus session with an unlocked gnome-keyring and folders of its own.
# KR_HOME: where they are; kept, so that a second session finds the same keyring. The daemons end with the session.
set -eu
mkdir -p "$KR_HOME"/{data,run,cache,config}
chmod 700 "$KR_HOME/run"
export XDG_DATA_HOME=$KR_HOME/data XDG_RUNTIME_DIR=$KR_HOME/run XDG_CACHE_HOME=$KR_HOME/cache XDG_CONFIG_HOME=$KR_HOME/config
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
exec dbus-run-session -- bash -c '
  # printf, not echo: the line feed would be part of the password
  if [ "${KR_UNLOCK-yes}" != no ]; then
    printf %s test | gnome-keyring-daemon --unlock --components=secrets >/dev/null || exit 97
    # On a busy machine the daemon answers before the keyring is open: asked until it takes an entry.
    for _ in 1 2 3 4 5; do
      printf %s try | timeout 10 secret-tool store --label=rig rig try 2>/dev/null && break
      printf %s test | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null
    done
    secret-tool clear rig try
  fi
  "$@"' _ "$@"
