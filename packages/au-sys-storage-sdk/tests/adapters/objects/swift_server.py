"""OpenStack Swift with its S3 API: account, container, object and proxy server in this one process.

``python swift_server.py FOLDER PORT``. Data and rings lie in the folder; the S3 API listens on 127.0.0.1:PORT with the
access key ``test:tester`` and the secret ``testing``.

Swift looks whether an object is there (``If-None-Match: *``) before it takes the bytes, and two who create at once both
succeed. S3, GCS, Azure and MinIO decide when they store; so that it does here, writes of one name go one by one.
"""

import eventlet  # type: ignore[import-untyped]  # no types

eventlet.monkey_patch()

import os  # noqa: E402 - the libraries below must see the patched modules
import sys  # noqa: E402 - after the patch
from collections.abc import Callable, Iterable  # noqa: E402 - after the patch
from pathlib import Path  # noqa: E402 - after the patch

import eventlet.wsgi  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch
from eventlet.semaphore import Semaphore  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch
from paste.deploy import loadapp  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch
from swift.common import utils  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch
from swift.common.ring import RingBuilder  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch
from swift.common.storage_policy import POLICIES, reload_storage_policies  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch

PIPELINE = "catch_errors gatekeeper s3api tempauth copy bulk slo proxy-server"


def configured(folder: Path) -> None:
    """What Swift reads when it starts."""
    (folder / "disks" / "d1").mkdir(parents=True, exist_ok=True)
    conf = folder / "swift.conf"
    conf.write_text("[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n"
                    "[storage-policy:0]\nname = only\ndefault = yes\n")  # fmt: skip
    utils.SWIFT_CONF_FILE = str(conf)
    utils.config.SWIFT_CONF_FILE = str(conf)
    utils.validate_hash_conf()
    reload_storage_policies()


def ring(folder: Path, name: str, port: int) -> None:
    """A ring with one device and one replica."""
    builder = RingBuilder(1, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1,
                     "replication_ip": "127.0.0.1", "replication_port": port})  # fmt: skip
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{name}.ring.gz"))


def settings(folder: Path, kind: str) -> str:
    """The configuration file of a server."""
    common = f"[DEFAULT]\nswift_dir = {folder}\ndevices = {folder}/disks\nmount_check = false\nlog_level = ERROR\n"
    if kind != "proxy":
        return common + f"[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"
    filters = "".join(
        f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in ("catch_errors", "gatekeeper", "copy", "bulk")
    )
    return (
        common + f"[pipeline:main]\npipeline = {PIPELINE}\n[app:proxy-server]\nuse = egg:swift#proxy\n"
        "account_autocreate = true\n" + filters +
        "[filter:slo]\nuse = egg:swift#slo\nallow_async_delete = false\n"
        "[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\ns3_acl = false\n"
        "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = testing .admin\n"
    )  # fmt: skip


class OneByOne:
    """Lets one write of a name through at a time."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._under_way: dict[str, Semaphore] = {}

    def __call__(self, environ: dict[str, str], start_response: object) -> Iterable[bytes]:
        """A WSGI call."""
        if "HTTP_IF_NONE_MATCH" not in environ or environ["REQUEST_METHOD"] != "PUT":
            return self._app(environ, start_response)
        with self._under_way.setdefault(environ["PATH_INFO"], Semaphore()):
            return list(self._app(environ, start_response))


def main(folder: Path, port: int) -> None:
    """Serve until the process ends."""
    configured(folder)
    listening = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object")}
    listening["proxy"] = eventlet.listen(("127.0.0.1", port))
    for kind in ("account", "container", "object"):
        ring(folder, kind, listening[kind].getsockname()[1])
    for policy in POLICIES:
        policy.object_ring = None
    for kind, socket in listening.items():
        path = folder / f"{kind}.conf"
        path.write_text(settings(folder, kind))
        app = loadapp(f"config:{path}", global_conf={"log_name": kind, "__file__": str(path)})
        if kind == "proxy":
            app = OneByOne(app)
        eventlet.spawn(eventlet.wsgi.server, socket, app, open(os.devnull, "w"), protocol=_Protocol)  # noqa: SIM115 - open to the end
    print("serving", flush=True)
    while True:
        eventlet.sleep(3600)


from swift.common.wsgi import SwiftHttpProtocol as _Protocol  # type: ignore[import-untyped]  # no types  # noqa: E402 - after the patch

if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
