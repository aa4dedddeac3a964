#!/bin/sh
# With the words of a command: that command of mailauth. With nothing, or with flags alone: keepalive with those flags, now and every
# KEEPALIVE_EVERY (a duration of sleep(1), default 12h). As process 1 it hears SIGTERM itself, and so does what runs below it.
# Wrong usage (exit 2) ends it, because no later run can mend that; a duration that sleep refuses would make the loop run without a pause.
case "${1:--}" in
-h | --help | --version) exec mailauth "$@" ;;
-*) ;;
*) exec mailauth "$@" ;;
esac
every=${KEEPALIVE_EVERY:-12h}
case "$every" in
*[!0-9.smhd]* | [!0-9.]*)
  echo "KEEPALIVE_EVERY is \"$every\", which is no duration: write 12h, 30m or 1d" >&2
  exit 2
  ;;
esac
child=
trap 'kill "$child" 2>/dev/null; wait; exit 143' TERM INT
while :; do
  mailauth keepalive --no-input "$@" &
  child=$!
  wait "$child"
  ended=$?
  [ "$ended" != 2 ] || exit 2
  [ "$ended" = 0 ] || echo "keepalive ended with exit $ended; the next run is in $every" >&2
  sleep "$every" &
  child=$!
  wait "$child" || exit 2
done
