"""The schema's naming rule, and times as every database keeps them."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Index, MetaData, TypeDecorator, text

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


class Moment(TypeDecorator[datetime]):
    """A time in UTC with microseconds; SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
