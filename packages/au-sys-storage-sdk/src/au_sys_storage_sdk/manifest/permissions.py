"""The rights that storage knows, and the bundles in which they are granted."""

from __future__ import annotations

from fastapi_services_platform import Bundle, Permission

PERMISSIONS = (
    Permission("storage.documents.read", "Read documents of every namespace that is open to callers"),
    Permission("storage.documents.write", "Store, change and delete documents"),
    Permission("storage.blobs.read", "Download files that are kept as blobs"),
    Permission("storage.blobs.write", "Upload and delete files that are kept as blobs"),
    Permission("storage.backends.switch", "Move documents to another backend while the platform runs, and back"),
    Permission("storage.backends.read", "See backends, namespaces and their sizes"),
)

BUNDLES = (
    Bundle("storage:reader", "Reads documents and blobs", ("storage.documents.read", "storage.blobs.read")),
    Bundle(
        "storage:editor",
        "Reads and changes documents and blobs",
        ("storage.documents.read", "storage.documents.write", "storage.blobs.read", "storage.blobs.write"),
    ),
    Bundle(
        "storage:operator",
        "Runs storage: everything about documents, blobs and backends",
        tuple(permission.name for permission in PERMISSIONS),
    ),
)
