"""Tables of what operators changed while the platform ran; nodes that share a database share it."""

from sqlalchemy import BigInteger, Column, DateTime, Double, Integer, String, Table, Text

from fastapi_services_platform.hub.audit.tables import metadata

flag_version = Table(
    "flag_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
)
"""One row: how often flags were changed. It is what every node looks at."""

flag_values = Table(
    "flag_values",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Defaults that stand instead of those of the file, as JSON."""

flag_changes = Table(
    "flag_changes",
    metadata,
    Column("version", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False, index=True),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""Every change, kept: the history that is shown, whichever audit trail is in force."""

job_runs = Table(
    "job_runs",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("outcome", String(20), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("seconds", Double, nullable=False),
    Column("error", Text, nullable=False),
    Column("node", String(200), nullable=False),
)
"""The last run of each job, and the process that ran it."""
