#!/bin/sh
# An empty directory dc=fsp,dc=example for trials.
set -eu
mkdir -p /tmp/ldap
cat > /tmp/slapd.conf <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=fsp,dc=example"
rootdn "cn=admin,dc=fsp,dc=example"
directory /tmp/ldap
CONF
exec /usr/sbin/slapd -f /tmp/slapd.conf -h ldap://0.0.0.0:1389/ -d 0
