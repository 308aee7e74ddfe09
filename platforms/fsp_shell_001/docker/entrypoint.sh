#!/bin/sh
# Each file of /run/secrets is a variable: its name, and its content without the last line end.
set -eu
for file in /run/secrets/*; do
  [ -f "$file" ] && export "$(basename "$file")=$(cat "$file")"
done
exec "$@"
