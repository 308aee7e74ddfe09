#!/bin/sh
# What the official image does at its start, on Debian's PostgreSQL.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
data=/var/lib/postgresql/data/pg
if [ ! -s "$data/PG_VERSION" ]; then
  "$bin/initdb" -D "$data" -U fsp --encoding=UTF8 --locale=C --auth=scram-sha-256 --pwfile="$POSTGRES_PASSWORD_FILE"
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  echo "create database fsp;" | "$bin/postgres" --single -D "$data" postgres
fi
exec "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
