#!/bin/sh
# Imitation of launchctl for the tests. What it knows lies beside the link by which it is called.
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$1" in
print)
    if [ -e "$here/print.code" ]; then cat "$here/print"; exit "$(cat "$here/print.code")"; fi
    cat "$here/print" 2> /dev/null || { echo "Could not find service in domain for user gui" >&2; exit 113; } ;;
print-disabled) cat "$here/disabled" ;;
bootstrap | kickstart)
    if [ -e "$here/next" ]; then mv "$here/next" "$here/print"; fi
    if [ -e "$here/$1.code" ]; then echo "$1 failed: Input/output error" >&2; exit "$(cat "$here/$1.code")"; fi ;;
bootout)
    rm -f "$here/print"
    if [ -e "$here/after-bootout" ]; then mv "$here/after-bootout" "$here/next"; fi ;;
enable) ;;
*) exit 64 ;;
esac
