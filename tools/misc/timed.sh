#!/bin/sh
# Run a command under a title and print how long it took: timed.sh TITLE COMMAND...
title=$1
shift
echo "-- $title ..."
start=$(date +%s)
"$@"
status=$?
if [ $status -eq 0 ]; then
    echo "   $(($(date +%s) - start)) s"
else
    echo "   failed after $(($(date +%s) - start)) s: $*" >&2
fi
exit $status
