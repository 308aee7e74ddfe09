"""The schema's naming rule, and indexes over some rows only."""

from sqlalchemy import Index, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_CONDITION = "condition"


def unique_where(name: str, *columns: str, where: str) -> Index:
    """A unique index over the rows that meet a condition; see :func:`whole_metadata`."""
    return Index(name, *columns, unique=True, info={_CONDITION: where})


def whole_metadata() -> MetaData:
    """The metadata as migrations compare it. An index with an option of PostgreSQL loads that dialect and its driver,
    which no other start needs.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            if _CONDITION in index.info:
                condition = text(index.info[_CONDITION])
                index.dialect_kwargs["sqlite_where"] = index.dialect_kwargs["postgresql_where"] = condition
    return metadata
