"""From a URL to a bucket."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import obstore.store
from obstore.exceptions import BaseError

from au_sys_storage_sdk.adapters.objects.blobs import ObjectBlobs
from au_sys_storage_sdk.core.errors import InvalidInput

_TIMEOUT = timedelta(seconds=30)
_CONNECT = timedelta(seconds=10)
_KNOWN = frozenset({"endpoint", "region", "conditional"})


def object_blobs(url: str, ca_file: Path | None = None) -> ObjectBlobs:
    """The blobs below a folder of a bucket: ``s3://bucket/folder?region=…&endpoint=https://…``.

    Keys come from the environment (``AWS_ACCESS_KEY_ID``, ``GOOGLE_APPLICATION_CREDENTIALS``, …) or the machine's role,
    never from the URL. ``conditional=no`` is for a store that does not decide in one step whether a name is taken, as
    Swift; there are no conditional writes then. Only an endpoint on this machine may be plain HTTP. ``ca_file``: PEM
    certificates of a private authority, trusted beside the system's.

    Raises:
        InvalidInput: the URL names no bucket, or holds more than is known, or the file holds no certificates.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    conditional = options.get("conditional", "yes")
    if conditional not in {"yes", "no"}:
        raise InvalidInput(
            "url", "conditional is yes or no", "write conditional=no for a store that cannot create once"
        )
    if not parts.hostname or parts.username or parts.password or not options.keys() <= _KNOWN:
        raise InvalidInput("url", "it is more or less than a bucket", "write s3://bucket/folder?region=…&endpoint=…")
    local = urlsplit(options.get("endpoint", "")).hostname in {"localhost", "127.0.0.1", "::1"}
    if options.get("endpoint", "https:").startswith("http:") and not local:
        raise InvalidInput("url", "plain HTTP to the endpoint can be read on the way", "use an https endpoint")
    trusted = {} if ca_file is None else {"root_certificate": certificates_of(ca_file)}
    try:
        store = obstore.store.from_url(  # type: ignore[call-overload]  # the settings are those of the URL's scheme
            f"{parts.scheme}://{parts.netloc}{parts.path}",
            client_options={"timeout": _TIMEOUT, "connect_timeout": _CONNECT, "allow_http": local, **trusted},
            retry_config={"max_retries": 4, "retry_timeout": _TIMEOUT},
            config={name: value for name, value in options.items() if name != "conditional"},
        )
    except (BaseError, ValueError) as error:
        raise InvalidInput("url", str(error)[:200], "write s3://bucket/folder?region=…&endpoint=…") from error
    return ObjectBlobs(store, conditional=conditional == "yes")


def certificates_of(file: Path) -> str:
    """The certificates of authorities in a PEM file. Raises ``InvalidInput`` when it holds none."""
    try:
        found = ssl.create_default_context(cafile=str(file)).get_ca_certs(binary_form=True)
    except OSError as error:
        raise InvalidInput("STORAGE_CA_FILE", f"{file}: {error}", "name a file of PEM certificates") from error
    if not found:
        raise InvalidInput("STORAGE_CA_FILE", f"{file} holds no authority", "name a file of PEM certificates")
    return "".join(map(ssl.DER_cert_to_PEM_cert, found))
