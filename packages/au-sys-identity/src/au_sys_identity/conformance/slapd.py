"""A directory server for tests: Debian's slapd on free ports of loopback, with TLS and memberof, in a folder."""

import base64
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SUFFIX = "dc=example,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
SERVICE = f"cn=service,{SUFFIX}"
SERVICE_PASSWORD = "the service account reads"  # noqa: S105 - of a server that lives as long as a test
_ROOT = f"cn=root,{SUFFIX}"
_ROOT_PASSWORD = "the root writes"  # noqa: S105 - as above
_START_SECONDS = 30.0
_SCHEMAS = Path("/etc/ldap/schema")
_CONFIG = """\
{includes}
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
rootdn "{root}"
rootpw {password}
directory {folder}/data
dbnosync
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by * none
limits dn.exact="{service}" size.prtotal=unlimited
"""


def _unit(dn: str) -> str:
    return f"dn: {dn}\nchangetype: add\nobjectClass: organizationalUnit\nou: {dn.split(',')[0].split('=')[1]}\n\n"


@dataclass(frozen=True)
class Slapd:
    """A running server; ``ca`` is what its certificate is checked against."""

    folder: Path
    port: int
    tls_port: int

    @property
    def ldaps(self) -> str:
        """TLS from the first byte."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ldap(self) -> str:
        """StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The certificate of the authority."""
        return self.folder / "ca.pem"

    def change(self, ldif: str) -> None:
        """Apply changes in LDIF (RFC 2849)."""
        self._ran([_tool("ldapmodify"), "-x", "-H", self.ldap, "-D", _ROOT, "-w", _ROOT_PASSWORD], ldif)

    def person(self, uid: str, name: str, password: str, *, mail: str | None = None) -> str:
        """Add a person; returns the DN."""
        dn = f"uid={uid},{PEOPLE}"
        shown = base64.b64encode(name.encode()).decode()
        self.change(
            f"dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {uid}\ncn:: {shown}\nsn: {uid}\n"
            f"mail: {mail or uid + '@example.org'}\npreferredLanguage: sv\nuserPassword: {_hashed(password)}\n"
        )
        return dn

    def group(self, name: str, *members: str) -> str:
        """Add a group; returns the DN."""
        dn = f"cn={name},{GROUPS}"
        listed = "".join(f"member: {member}\n" for member in members)
        self.change(f"dn: {dn}\nchangetype: add\nobjectClass: groupOfNames\ncn: {name}\n{listed}")
        return dn

    def set_password(self, dn: str, password: str) -> None:
        """Replace a password."""
        self.replace(dn, "userPassword", _hashed(password))

    def replace(self, dn: str, attribute: str, value: str) -> None:
        """Replace an attribute's values by one."""
        self.change(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")

    def delete(self, dn: str) -> None:
        """Delete an entry."""
        self.change(f"dn: {dn}\nchangetype: delete\n")

    def clear(self) -> None:
        """Delete every person and group."""
        listed = [_tool("ldapsearch"), "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.ldap, "-D", _ROOT]
        found = self._ran([*listed, "-w", _ROOT_PASSWORD, "-b", SUFFIX, "(|(uid=*)(objectClass=groupOfNames))", "1.1"])
        for line in found.splitlines():
            if line.startswith("dn: "):
                self.delete(line.removeprefix("dn: "))

    def _ran(self, arguments: list[str], text: str = "") -> str:
        done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout


@contextmanager
def slapd_server(folder: Path) -> Iterator[Slapd]:
    """A server with empty people and groups while the block runs; stopped by its process id."""
    (folder / "data").mkdir(parents=True)
    make_certificates(folder)
    includes = "\n".join(f"include {_SCHEMAS}/{name}.schema" for name in ("core", "cosine", "inetorgperson"))
    config = folder / "slapd.conf"
    config.write_text(
        _CONFIG.format(
            includes=includes, folder=folder, suffix=SUFFIX, root=_ROOT, password=f'"{_ROOT_PASSWORD}"', service=SERVICE
        )
    )
    server = Slapd(folder, _free_port(), _free_port())
    with (folder / "slapd.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - an installed binary, arguments of ours
            [_tool("slapd"), "-f", str(config), "-h", f"{server.ldap}/ {server.ldaps}/", "-d", "0"],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(server, process)
        _populate(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)


def _populate(server: Slapd) -> None:
    server.change(
        f"dn: {SUFFIX}\nchangetype: add\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
        f"{_unit(PEOPLE)}{_unit(GROUPS)}"
        f"dn: {SERVICE}\nchangetype: add\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
        f"cn: service\nuserPassword: {_hashed(SERVICE_PASSWORD)}\n"
    )


def make_certificates(folder: Path) -> None:
    """An authority in ``ca.pem``, and ``server.pem`` with ``server.key`` for localhost and 127.0.0.1."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    root = _certificate(name, name, authority.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    (folder / "ca.pem").write_bytes(_pem(root.sign(authority, hashes.SHA256())))
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    leaf = _certificate(subject, name, key.public_key()).add_extension(names, critical=False)
    (folder / "server.pem").write_bytes(_pem(leaf.sign(authority, hashes.SHA256())))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle = os.open(folder / "server.key", os.O_CREAT | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(private)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _hashed(password: str) -> str:
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def _wait_for(server: Slapd, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    for port in (server.port, server.tls_port):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((server.folder / "slapd.log").read_text()) from None
                time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin")
    if found is None:
        raise RuntimeError(f"{name} is not installed")
    return found
