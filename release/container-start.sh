#!/bin/sh
# With the words of a command: that command of mailauth. With nothing, or with flags alone: keepalive with those flags, now and every
# KEEPALIVE_EVERY (a duration of sleep(1), default 12h). As process 1 it hears SIGTERM itself, and so does what runs below it.
case "${1:--}" in
-*) ;;
*) exec mailauth "$@" ;;
esac
child=
trap 'kill "$child" 2>/dev/null; wait; exit 143' TERM INT
while :; do
  mailauth keepalive --no-input "$@" &
  child=$!
  wait "$child" || echo "keepalive ended with exit $?; the next run is in ${KEEPALIVE_EVERY:-12h}" >&2
  sleep "${KEEPALIVE_EVERY:-12h}" &
  child=$!
  wait "$child"
done
