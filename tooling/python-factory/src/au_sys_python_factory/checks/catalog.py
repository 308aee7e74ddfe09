"""The ordered tuple of rules."""

from au_sys_python_factory.checks import logs, tracking
from au_sys_python_factory.checks.allowed import waivers
from au_sys_python_factory.checks.architecture import coverage, directions, import_time, layers, ports, purity
from au_sys_python_factory.checks.asynchrony import awaiting, blocking, clients, endpoints
from au_sys_python_factory.checks.asynchrony import dependencies as before_endpoints
from au_sys_python_factory.checks.dependencies import declarations, imports, licences, lock
from au_sys_python_factory.checks.honesty import comments, doubles, handling, matching, reaching, unfinished, values
from au_sys_python_factory.checks.layout import doors, duplicates, files, mirrored_tests, sizes
from au_sys_python_factory.checks.manifest import contents, events, migrations, offers, operations, surface
from au_sys_python_factory.checks.rule import Rule
from au_sys_python_factory.checks.security import access, audited, code, committed, paths

UNREADABLE = Rule(
    "L00",
    "A file that Python cannot read",
    "What does not parse is checked by nobody.",
    "correct the line that is named, or take the file out of the package.",
    "def broken(:\n",
    '"""Whole."""\n\n\ndef whole() -> None:\n    """Nothing to do."""\n',
)

_MODULES = (
    directions, layers, import_time, coverage, ports, purity,
    files, sizes, doors, duplicates, mirrored_tests,
    unfinished, doubles, comments, handling, matching, reaching, values,
    endpoints, before_endpoints, blocking, clients, awaiting,
    logs, access, audited, code, committed, paths,
    imports, declarations, lock, licences,
    offers, contents, events, migrations, operations, surface,
    tracking, waivers,
)  # fmt: skip

RULES: tuple[Rule, ...] = tuple(
    sorted([rule for module in _MODULES for rule in module.RULES] + [UNREADABLE], key=lambda rule: rule.id)
)

BY_ID = {rule.id: rule for rule in RULES}
