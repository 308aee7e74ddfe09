"""Permissions and role templates of identity, as data."""

from au_sys_identity.core.access.models import Role
from fastapi_services_platform import Bundle, Permission

_SENTENCES = {
    "users.read": "See people and their accounts",
    "users.create": "Make accounts",
    "users.update": "Change, disable and enable accounts",
    "users.delete": "Close accounts for ever",
    "users.unlock": "Clear the counters of wrong sign-ins",
    "sessions.read": "See where somebody is signed in",
    "sessions.revoke": "Sign somebody out",
    "roles.read": "See roles and who holds them",
    "roles.write": "Make and change roles",
    "roles.assign": "Give and take roles",
    "policies.read": "See permissions and rules",
    "policies.write": "Add and remove rules",
    "policies.manage": "Import, reload and reset all rules",
    "access.check": "Ask what others may do",
    "access.explain": "Ask why others may or may not do something",
    "machines.read": "See service accounts and who answers for them",
    "machines.create": "Make service accounts",
    "machines.update": "Change, disable and enable service accounts",
    "machines.delete": "Close service accounts for ever",
    "machines.stop": "Stop, resume and hand over what answers to people",
    "providers.read": "See AI providers",
    "providers.write": "Make, change and disable AI providers",
    "groups.read": "See groups and who is in them",
    "groups.write": "Make and change groups",
    "graph.read": "See who belongs to, answers for and depends on whom",
    "graph.link": "Link subjects and take links away",
    "organizations.read": "See organizations and their members",
    "organizations.write": "Make and change organizations and their members",
    "keys.read": "See the API keys of others",
    "keys.create": "Make and rotate keys of service accounts",
    "keys.revoke": "Revoke the API keys of others",
    "directories.read": "See directories, login providers and runs",
    "directories.sync": "Bring people in line with directories",
    "settings.read": "See settings of identity",
    "settings.write": "Change settings, directories and login providers",
    "requests.decide": "Decide access requests",
    "delegations.read": "See who may act for whom",
    "delegations.revoke": "End what people let agents do for them",
    "users.erase": "Destroy what is personal of closed accounts",
    "recovery.read": "See backups and changes",
    "recovery.backup": "Make, check and remove backups",
    "recovery.restore": "Put a backup in the place of the present",
    "recovery.rollback": "Take single changes back",
    "recovery.configure": "Say what is kept, and how often it is backed up",
    "audit.read": "Read the audit log and its proofs",
    "audit.verify": "Have the whole audit log checked",
    "audit.export": "Take the audit log away",
    "tokens.introspect": "Ask whether a token is good (RFC 7662)",
}

PERMISSIONS = tuple(Permission(f"identity.{name}", sentence) for name, sentence in _SENTENCES.items())


def _named(*names: str) -> tuple[str, ...]:
    return tuple(f"identity.{name}" for name in names)


_PLATFORM_ONLY = ("identity.settings.", "identity.recovery.", "identity.users.erase")
BUNDLES = (
    Bundle(
        "org-admin",
        "Everything about people and roles",
        tuple(name for name in _named(*_SENTENCES) if not name.startswith(_PLATFORM_ONLY)),
    ),
    Bundle(
        "helpdesk", "Help people to get in", _named("users.read", "users.unlock", "sessions.read", "sessions.revoke")
    ),
    Bundle(
        "auditor",
        "Read who may do what, and who did it",
        _named("users.read", "roles.read", "policies.read", "machines.read", "audit.read", "audit.verify"),
    ),
    Bundle("member", "Nothing beyond the own account", ()),
)


def role_of(bundle: Bundle) -> Role:
    """The role that a contributed bundle is."""
    return Role(
        bundle.name,
        bundle.summary,
        frozenset(bundle.permissions),
        source="bundle",
        default=bundle.default,
        requestable=bundle.requestable,
    )
