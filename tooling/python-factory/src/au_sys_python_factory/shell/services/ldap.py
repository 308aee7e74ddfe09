"""A directory for one shell: slapd over TLS on loopback, with one person to sign in as."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from au_sys_python_factory.errors import FactoryError, Missing
from au_sys_python_factory.shell.services.certificates import write_certificates
from au_sys_python_factory.shell.services.unprivileged import Account, account_for, folder_for
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import write_private
from au_sys_python_factory.shell.supervision.supervisor import Program

SUFFIX = "dc=fsp,dc=example"
READER = f"cn=reader,{SUFFIX}"
_USERS = ("openldap", "nobody")
_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient never
database mdb
suffix "{suffix}"
directory {folder}/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""
_ENTRIES = """\
dn: {suffix}
objectClass: dcObject
objectClass: organization
dc: fsp
o: FSP

dn: {reader}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {hashed}

dn: ou=people,{suffix}
objectClass: organizationalUnit
ou: people

dn: uid=ldap-user,ou=people,{suffix}
objectClass: inetOrgPerson
uid: ldap-user
cn: Person of the directory
sn: Directory
mail: ldap-user@fsp.example
userPassword: {hashed}
"""


@dataclass(frozen=True, slots=True)
class Ldap:
    """A prepared directory. The reader and its one person have the same password, from the shell's secrets."""

    binary: str
    folder: Path
    account: Account
    port: int
    password: str = field(repr=False)

    name = "ldap"

    @property
    def environment(self) -> dict[str, str]:
        """Identity lets people of the directory in."""
        directory = {
            "name": "shell",
            "label": "Directory of the shell",
            "servers": [f"ldaps://127.0.0.1:{self.port}"],
            "base": SUFFIX,
            "user": READER,
            "password": self.password,
            "certificates": str(self.folder / "ca.pem"),
        }
        return {"IDENTITY_LDAP": json.dumps([directory])}

    @property
    def program(self) -> Program:
        """The server in the foreground."""
        command = (
            self.binary,
            "-f",
            str(self.folder / "slapd.conf"),
            "-h",
            f"ldaps://127.0.0.1:{self.port}/",
            "-d",
            "0",
        )
        return Program(
            self.name,
            command,
            listens=self.port,
            folder=str(self.folder),
            account=(self.account.uid, self.account.gid) if self.account.name else None,
        )


def prepare_ldap(services: Path, password: str) -> Ldap:
    """Find the server, make its certificate and its few entries.

    Raises:
        Missing: OpenLDAP's server is not installed.
        FactoryError: ``slapadd`` failed; its own words follow.
    """
    binary = shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        raise Missing("OpenLDAP's server is not installed", fix="apt-get install slapd")
    account = account_for(_USERS)
    folder = folder_for(account, services, "ldap")
    if not (folder / "slapd.conf").is_file():
        _initialize(folder, binary, account, password)
    return Ldap(binary, folder, account, free_port(), password)


def _initialize(folder: Path, binary: str, account: Account, password: str) -> None:
    shutil.rmtree(folder / "data", ignore_errors=True)
    (folder / "data").mkdir()
    write_certificates(folder)
    config, entries = folder / "slapd.conf.new", folder / "entries.ldif"
    write_private(config, _CONFIG.format(folder=folder, suffix=SUFFIX, reader=READER))
    write_private(entries, _ENTRIES.format(suffix=SUFFIX, reader=READER, hashed=_hashed(password)))
    if account.name:
        for path in (folder / "data", *folder.iterdir()):
            os.chown(path, account.uid, account.gid)
    done = subprocess.run(  # noqa: S603 (OpenLDAP's own program)
        [str(Path(binary).with_name("slapadd")), "-f", str(config), "-l", str(entries)],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        **account.as_arguments,  # type: ignore[call-overload]  # user, group, extra_groups
    )
    entries.unlink()
    if done.returncode != 0:
        raise FactoryError(f"slapadd failed\n{done.stderr.strip()}", where=str(folder))
    config.rename(folder / "slapd.conf")


def _hashed(password: str) -> str:
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt).digest()  # noqa: S324 (the only salted form every slapd knows)
    return "{SSHA}" + base64.b64encode(digest + salt).decode()
