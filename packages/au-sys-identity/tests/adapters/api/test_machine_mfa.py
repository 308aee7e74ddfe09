"""Machine MFA over HTTP: four modes, three reaches, certificates from trusted proxies only, and a real nginx."""

import asyncio
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from httpx import AsyncClient, ConnectError

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, Answer, MachineWorld, slug
from au_sys_identity.core.factors.totp import code_at, step_of
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
ACCOUNTS = "/iam/service-accounts"
PROXIES = "127.0.0.0/8"


class Certificate:
    """A client's certificate, self-signed."""

    def __init__(self, *, days: int = 1, start: int = -1) -> None:
        now = datetime.now(UTC)
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "importer")])
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now + timedelta(days=start))
        self.certificate = made.not_valid_after(now + timedelta(days=start + days + 1)).sign(self.key, hashes.SHA256())
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def client_cert(self) -> dict[str, str]:
        return {"client-cert": f":{b64encode(self.der).decode()}:"}

    @property
    def forwarded(self) -> dict[str, str]:
        return {"x-forwarded-client-cert": f'Hash={"0" * 64};Cert="{quote(self.pem)}";Subject="CN=importer, O=x"'}


@pytest.fixture
async def world(start: Start) -> AsyncIterator[MachineWorld]:
    async with start(bootstrap_token=BOOTSTRAP, trusted_proxies=PROXIES) as client:
        yield await MachineWorld.made(client, lambda: SoftwareAuthenticator("http://platform.test"))


async def change(world: MachineWorld, **headers: str) -> Answer:
    """Something that can be undone."""
    body = {"name": "Helper", "purpose": "Helps", "custodian": world.ann.id}
    return await world.act("POST", ACCOUNTS, json=body, headers=headers)


async def irreversible(world: MachineWorld, **headers: str) -> Answer:
    """Something that cannot be undone."""
    spare = await world.new_key()
    return await world.act("DELETE", f"/auth/api-keys/{spare['id']}", headers=headers)


async def read(world: MachineWorld, **headers: str) -> Answer:
    return await world.act("GET", "/users", headers=headers)


@pytest.mark.parametrize("mode", ["mtls_bound", "tool_assisted_totp", "human_delegated"])
@pytest.mark.parametrize(("applies_to", "refused"), [("always", 3), ("changes", 2), ("irreversible", 1)])
async def test_a_proof_is_asked_for_what_it_applies_to(
    world: MachineWorld, mode: str, applies_to: str, refused: int
) -> None:
    """Reading, a change, and what cannot be undone: 403 with the mode where the key alone does not count."""
    await world.proves(mode, applies_to, certificates=["ab" * 32] if mode == "mtls_bound" else [])
    answers = [await read(world), await change(world), await irreversible(world)]
    assert [answer.status_code == 403 for answer in answers] == [False] * (3 - refused) + [True] * refused
    expected = "approval-required" if mode == "human_delegated" else "machine-mfa-required"
    assert {slug(answer) for answer in answers[3 - refused :]} == {expected}
    if mode != "human_delegated":
        assert answers[-1].json()["mode"] == mode


async def test_without_a_mode_the_key_is_enough_but_for_a_fresh_proof(world: MachineWorld) -> None:
    """Everything passes, except what asks people for a fresh proof: a machine cannot give one."""
    assert [(await act(world)).status_code for act in (read, change, irreversible)] == [200, 201, 204]
    stepped = await world.act("POST", "/rbac/roles", json={"name": "mine", "description": "x", "permissions": []})
    assert (stepped.status_code, slug(stepped), stepped.json()["mode"]) == (403, "machine-mfa-required", "none")


async def test_a_code_works_once_and_opens_a_window(world: MachineWorld) -> None:
    """It lets the key change things for a while; what cannot be undone takes a fresh one each time."""
    made = await world.proves("tool_assisted_totp", "changes")
    assert made["uri"].startswith("otpauth://")
    assert "<svg" in made["qr_svg"]
    secret = _secret(made["secret"])
    step = step_of(datetime.now(UTC))
    code = {"x-mfa-code": code_at(secret, step)}
    assert (await change(world, **code)).status_code == 201
    assert slug(await change(world, **code)) == "machine-mfa-required"
    assert (await change(world)).status_code == 201
    assert slug(await irreversible(world)) == "machine-mfa-required"
    assert (await irreversible(world, **{"x-mfa-code": code_at(secret, step + 1)})).status_code == 204
    other = {"x-api-key": (await world.new_key())["secret"]}
    body = {"name": "Helper", "purpose": "Helps", "custodian": world.ann.id}
    assert slug(await world.api.post(ACCOUNTS, headers=other, json=body)) == "machine-mfa-required"
    shown = await world.ok("GET", f"{ACCOUNTS}/{world.machine}", world.admin.headers)
    assert (shown["mfa"]["mode"], "secret" in shown["mfa"]) == ("tool_assisted_totp", False)


async def test_of_many_with_the_same_code_one_passes(world: MachineWorld) -> None:
    """A code is used up by one request, however many come at once; guessing is slowed down."""
    secret = _secret((await world.proves("tool_assisted_totp", "irreversible"))["secret"])
    spares = [await world.new_key() for _ in range(4)]
    code = {"x-mfa-code": code_at(secret, step_of(datetime.now(UTC)))}
    answers = await asyncio.gather(
        *(world.act("DELETE", f"/auth/api-keys/{spare['id']}", headers=code) for spare in spares)
    )
    assert sorted(answer.status_code for answer in answers) == [204, 403, 403, 403]
    guesses = [await irreversible(world, **{"x-mfa-code": f"{number:06}"}) for number in range(4)]
    assert (guesses[-1].status_code, slug(guesses[-1])) == (429, "too-many-attempts")


async def test_a_certificate_of_the_machine_counts(world: MachineWorld) -> None:
    """In both headers, when it is one of the machine's and valid; not when it is another, expired, doubled or cut."""
    mine, other, expired = Certificate(), Certificate(), Certificate(days=1, start=-5)
    await world.proves("mtls_bound", "changes", certificates=[mine.pem, expired.pem])
    assert (await change(world, **mine.client_cert)).status_code == 201
    assert (await change(world, **mine.forwarded)).status_code == 201
    wrong = [
        other.client_cert,
        other.forwarded,
        expired.client_cert,
        mine.client_cert | mine.forwarded,
        {"client-cert": b64encode(mine.der).decode()},
        {"client-cert": f":{b64encode(mine.der[:-9]).decode()}:"},
        {"x-forwarded-client-cert": f"Hash={'0' * 64}"},
        {"x-forwarded-client-cert": f"{mine.forwarded['x-forwarded-client-cert']},By=x"},
    ]
    for headers in wrong:
        assert slug(await change(world, **headers)) == "machine-mfa-required", headers


async def test_a_certificate_header_from_anybody_else_is_ignored(start: Start) -> None:
    """Without a trusted proxy the header counts for nothing, and an event says who brought it."""
    async with start(bootstrap_token=BOOTSTRAP) as client:
        world = await MachineWorld.made(client, lambda: SoftwareAuthenticator("http://platform.test"))
        mine = Certificate()
        await world.proves("mtls_bound", "changes", certificates=[mine.pem])
        assert slug(await change(world, **mine.client_cert)) == "machine-mfa-required"
        found = await world.ok("GET", "/audit/events?action=certificate.ignored", world.admin.headers)
        assert [event["actor"] for event in found["items"]] == [world.urn]


async def test_bad_input_is_named(world: MachineWorld) -> None:
    """422 for what is no fingerprint, mode or reach; 404 for strangers and other kinds; the machine itself may not."""
    path = f"{ACCOUNTS}/{world.machine}/mfa"
    bad: list[dict[str, object]] = [
        {"mode": "mtls_bound"},
        {"mode": "mtls_bound", "certificates": ["zz"]},
        {"mode": "mtls_bound", "certificates": ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]},
        {"mode": "sms"},
        {"mode": "none", "applies_to": "sometimes"},
        {"mode": "none", "extra": 1},
    ]
    for body in bad:
        answer = await world.api.put(path, headers=world.admin.headers, json=body)
        assert answer.status_code == 422, body
    for person, status in ((world.bob.headers, 404), (world.key, 403)):
        assert (await world.api.put(path, headers=person, json={"mode": "none"})).status_code == status
    agent = f"/iam/ai-agents/{world.machine}/mfa"
    assert (await world.api.put(agent, headers=world.admin.headers, json={"mode": "none"})).status_code == 404


def _secret(shown: str) -> bytes:
    from base64 import b32decode

    return b32decode(shown + "=" * (-len(shown) % 8))


@pytest.fixture(scope="module")
def nginx_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Certificate, Certificate]:
    """A server's certificate, and two clients' of which the machine knows one."""
    folder = tmp_path_factory.mktemp("nginx")
    served, mine, other = Certificate(), Certificate(), Certificate()
    for name, one in (("server", served), ("mine", mine), ("other", other)):
        (folder / f"{name}.pem").write_text(one.pem)
        plain = serialization.NoEncryption()
        key = one.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        (folder / f"{name}.key").write_bytes(key)
    return folder, mine, other


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[str]:
    """A proxy that asks for a certificate, hands it on, and lets nobody else say what it was."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(
        f"""
daemon off; pid {folder}/pid; error_log stderr warn; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_verify_client optional_no_ca;
    location / {{
      proxy_pass {upstream};
      proxy_set_header Host $http_host;
      proxy_set_header Client-Cert "";
      proxy_set_header X-Forwarded-Client-Cert 'Cert="$ssl_client_escaped_cert"';
    }}
  }}
}}
"""
    )
    running = subprocess.Popen(["/usr/sbin/nginx", "-e", "stderr", "-c", f"{folder}/nginx.conf", "-p", str(folder)])
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


async def through(front: str, folder: Path, name: str, headers: dict[str, str], body: dict[str, str]) -> int:
    """The status of a change that a client with this certificate makes; the proxy may need a moment to start."""
    context = ssl.create_default_context(cafile=str(folder / "server.pem"))
    context.check_hostname = False
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    async with AsyncClient(verify=context, base_url=front) as client:
        for _ in range(200):
            with suppress(ConnectError):
                return (await client.post(ACCOUNTS, headers=headers, json=body)).status_code
            await asyncio.sleep(0.05)
    raise AssertionError("nginx does not answer")


@pytest.mark.needs_nginx
async def test_through_a_real_nginx(
    nginx_files: tuple[Path, Certificate, Certificate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks clients for a certificate and hands it on; what a client writes into the header itself is replaced."""
    folder, mine, _ = nginx_files
    cheap = {
        "registration": "open",
        "registration_verify": "off",
        "password_memory_kib": "8",
        "password_time_cost": "1",
    }
    for key, value in {**cheap, "bootstrap_token": BOOTSTRAP, "trusted_proxies": PROXIES}.items():
        monkeypatch.setenv(f"IDENTITY_{key.upper()}", value)
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    with serve(create_app(platform, capabilities=[Identity()])) as url:
        async with AsyncClient(base_url=url) as client:
            world = await MachineWorld.made(client, lambda: SoftwareAuthenticator("http://platform.test"))
            await world.proves("mtls_bound", "changes", certificates=[mine.pem])
            body = {"name": "Helper", "purpose": "Helps", "custodian": world.ann.id}
            tries: list[tuple[str, dict[str, str]]] = [("mine", {}), ("other", {}), ("", {}), ("", mine.forwarded)]
            with nginx(folder, url) as front:
                answers = [await through(front, folder, name, world.key | more, body) for name, more in tries]
    assert answers == [201, 403, 403, 403]
