"""The rights of a platform that does not own its tables on PostgreSQL: into the audit log it can only add."""

from au_sys_identity.adapters.db.tables.audit import INSERT_ONLY

_EVERYTHING = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE"


def rights_of(role: str) -> list[str]:
    """Statements that an owner of the tables runs after each migration for the role that the platform signs in with."""
    name = '"' + role.replace('"', '""') + '"'
    return [
        f"GRANT USAGE ON SCHEMA public TO {name};",
        f"GRANT {_EVERYTHING} ON ALL TABLES IN SCHEMA public TO {name};",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name};",
        *(f"REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON {table} FROM {name};" for table in INSERT_ONLY),
    ]
