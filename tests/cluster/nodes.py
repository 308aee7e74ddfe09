"""Web processes and workers on one PostgreSQL and one Redis, behind nginx, which is told nothing of nodes that go."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from au_sys_python_factory.shell.services.chosen import prepare_services, running_for_a_while
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import StateFolder

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EMAIL = "admin@fsp.example"
START_SECONDS = 180.0
_NGINX = """\
daemon off;
master_process on;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 64m;
  upstream web {{
{servers}
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_next_upstream error timeout http_503;
    }}
  }}
}}
"""


@dataclass
class Cluster:
    """What runs."""

    folder: Path
    port: int
    environment: Mapping[str, str]
    password: str
    web: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    proxy: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where people reach it."""
        return f"http://127.0.0.1:{self.port}"

    def start_web(self, port: int) -> None:
        """One more web process, ready."""
        command = [str(BIN / "fsp"), "run", "--port", str(port)]
        with (self.folder / f"web-{port}.log").open("ab") as log:
            self.web[port] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        wait_until_ready(f"http://127.0.0.1:{port}", self.web[port])

    def start_worker(self, number: int) -> None:
        """One more worker; each has a folder of its own for its socket and lock, as on a host of its own."""
        environment = {**self.environment, "SKRIPTOTEKET_STATE_DIR": str(self.folder / f"worker-{number}")}
        (self.folder / f"worker-{number}").mkdir(exist_ok=True)
        with (self.folder / f"worker-{number}.log").open("ab") as log:
            process = subprocess.Popen([str(BIN / "skriptoteket"), "worker"], env=environment, stdout=log, stderr=log)
        self.workers.append(process)

    def restart_web(self, port: int) -> None:
        """Told to stop, drained, ended, started, ready; nginx finds out by itself that it is away and back."""
        end(self.web[port])
        self.start_web(port)

    def restart_worker(self, number: int) -> None:
        """Its runs go back to the queue or end within the drain time."""
        end(self.workers.pop(0))
        self.start_worker(number)

    def write_config(self) -> None:
        """All nodes, each asked again for every request: a closed door costs nothing."""
        lines = [f"    server 127.0.0.1:{port} max_fails=0;" for port in sorted(self.web)]
        text = _NGINX.format(folder=self.folder, servers="\n".join(lines), port=self.port)
        (self.folder / "nginx.conf").write_text(text)


@contextmanager
def running_cluster(folder: Path, *, webs: int, workers: int) -> Iterator[Cluster]:
    """Servers, nodes, proxy; ended with the block, in the other order."""
    state = StateFolder(folder / "servers")
    state.prepare()
    servers = prepare_services(["postgres", "redis"], state)
    with running_for_a_while(servers, state.logs):
        port = free_port()
        told = {name: value for server in servers for name, value in server.environment.items()}
        cluster = Cluster(
            folder, port, _environment(folder, f"http://127.0.0.1:{port}", told), secrets.token_urlsafe(18)
        )
        run([str(BIN / "fsp"), "migrate", "upgrade"], cluster)
        run([str(BIN / "au-sys-identity"), "create-admin", "--email", EMAIL, "--json"], cluster, cluster.password)
        try:
            for _ in range(webs):
                cluster.start_web(free_port())
            for number in range(workers):
                cluster.start_worker(number)
            cluster.write_config()
            nginx = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
            with (folder / "nginx.log").open("wb") as log:
                cluster.proxy = subprocess.Popen(nginx, stdout=log, stderr=log)
            wait_until_ready(cluster.url, cluster.proxy)
            yield cluster
        finally:
            for process in [cluster.proxy, *cluster.workers, *cluster.web.values()]:
                if process is not None:
                    end(process)


def run(command: list[str], cluster: Cluster, given: str = "") -> str:
    """A command of the platform to its end."""
    done = subprocess.run(command, env=cluster.environment, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr + done.stdout)
    return done.stdout


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Until readiness answers 200."""
    limit = time.monotonic() + START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(f"{url}/health/ready", timeout=10):
                return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{url} does not get ready: {error}") from error
            time.sleep(0.1)


def end(process: "subprocess.Popen[bytes]") -> None:
    """TERM, and its end."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(folder: Path, url: str, servers: Mapping[str, str]) -> dict[str, str]:
    ours = ("FSP_", "IDENTITY_", "STORAGE_", "SKRIPTOTEKET_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    config = shutil.copytree(ROOT / "platforms/fsp_shell_001/config", folder / "config", dirs_exist_ok=True)
    return {
        **kept,
        **servers,
        "FSP_DATA_DIR": str(folder / "data"),
        "FSP_CONFIG_DIR": str(config),
        "FSP_DRAIN_SECONDS": "2",
        "FSP_PUBLIC_URL": url,
        "FSP_TRUSTED_PROXIES": "127.0.0.1/32",
        "FSP_SECRET_KEY": secrets.token_hex(32),
        "STORAGE_URL": servers["FSP_DATABASE_URL"].replace("+asyncpg", ""),
        "IDENTITY_SECRET_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "IDENTITY_REGISTRATION": "open",
        "IDENTITY_REGISTRATION_VERIFY": "off",
        "IDENTITY_RATE_SIGN_IN": "100000/minute",
        "IDENTITY_RATE_MAIL": "100000/minute",
        "IDENTITY_RATE_DEFAULT": "100000/minute",
    }
