#!/bin/sh
# Imitation of systemctl for the tests. What it knows lies beside the link by which it is called.
here=$(dirname "$0")
[ "$1" = --user ] && [ "$2" = --no-ask-password ] && [ "$3" = --no-pager ] || exit 64
shift 3
echo "$*" >> "$here/calls"
if [ -e "$here/hang" ]; then exec sleep 60; fi
case "$1" in
show) cat "$here/show" 2> /dev/null || { echo "Failed to connect to bus: No medium found" >&2; exit 1; } ;;
start) if [ -e "$here/start.code" ]; then echo "Job for the unit failed." >&2; exit "$(cat "$here/start.code")"; fi ;;
reset-failed | daemon-reload | enable | disable | restart | stop) ;;
*) exit 64 ;;
esac
