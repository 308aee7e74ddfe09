#!/usr/bin/env bash
# Base images without a registry: fsp-base:local (Python >= 3.11, bubblewrap, certificates) and
# fsp-services:local (PostgreSQL, Redis, slapd), from a root file system or from Debian's mirror.
#   make_base_image.sh --rootfs DIR|TAR [IMAGE]     import what is there as IMAGE (fsp-base:local)
#   make_base_image.sh --debootstrap SUITE [MIRROR] make and import both
set -euo pipefail
engine=${FSP_ENGINE:-docker}
BASE=python3,python3-venv,bubblewrap,ca-certificates
SERVICES=python3,postgresql,redis-server,slapd,ldap-utils

import() { # rootfs, image
  if [ -d "$1" ]; then
    prepare "$1"
    tar -C "$1" -c . | "$engine" import - "$2"
  else "$engine" import "$1" "$2"
  fi
}

prepare() { # the servers run as one user without rights, and own their data
  [ -d "$1/usr/lib/postgresql" ] || return 0
  grep -q ^fsp-services: "$1/etc/passwd" || echo 'fsp-services:x:10002:10002::/tmp:/usr/sbin/nologin' >> "$1/etc/passwd"
  install -d -o 10002 -g 10002 -m 0700 "$1/var/lib/postgresql/data"
}

bootstrap() { # packages, image, suite, mirror
  local folder
  folder=$(mktemp -d)
  debootstrap --variant=minbase --include="$1" "$3" "$folder/root" "$4"
  prepare "$folder/root"
  rm -rf "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/*
  import "$folder/root" "$2"
  rm -rf "$folder"
}

case "${1:-}" in
  --rootfs) import "${2:?a folder or a tar file}" "${3:-fsp-base:local}" ;;
  --debootstrap)
    bootstrap "$BASE" fsp-base:local "${2:?a suite, for example bookworm}" "${3:-http://deb.debian.org/debian}"
    bootstrap "$SERVICES" fsp-services:local "$2" "${3:-http://deb.debian.org/debian}" ;;
  *) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
