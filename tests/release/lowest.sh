#!/usr/bin/env bash
# An environment with the lowest direct versions that the members allow, and the members' own tests in it.
set -euo pipefail
root=$1
shift
export UV_PROJECT_ENVIRONMENT="$root/dist/lowest"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git -C "$root" ls-files -z | (cd "$root" && tar --null -T - -c) | tar -x -C "$copy"
cd "$copy"
uv sync --quiet --resolution lowest-direct
uv run --no-sync pytest -n 2 --dist loadfile packages services "$@"
