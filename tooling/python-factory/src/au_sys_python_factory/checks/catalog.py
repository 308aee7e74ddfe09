"""The ordered tuple of rules."""

from au_sys_python_factory.checks import logs, tracking
from au_sys_python_factory.checks.allowed import waivers
from au_sys_python_factory.checks.architecture import directions, import_time, layers
from au_sys_python_factory.checks.asynchrony import blocking, endpoints
from au_sys_python_factory.checks.dependencies import declarations, imports
from au_sys_python_factory.checks.honesty import comments, doubles, handling, unfinished
from au_sys_python_factory.checks.layout import doors, files, mirrored_tests, sizes
from au_sys_python_factory.checks.manifest import offers
from au_sys_python_factory.checks.rule import Rule
from au_sys_python_factory.checks.security import access, code

UNREADABLE = Rule(
    "L00",
    "A file that Python cannot read",
    "What does not parse is checked by nobody.",
    "correct the line that is named, or take the file out of the package.",
    "def broken(:\n",
    '"""Whole."""\n\n\ndef whole() -> None:\n    """Nothing to do."""\n',
)

_MODULES = (
    directions, layers, import_time, files, sizes, doors, mirrored_tests, unfinished, doubles, comments,
    handling, endpoints, blocking, logs, access, code, imports, declarations, offers, tracking, waivers,
)  # fmt: skip

RULES: tuple[Rule, ...] = tuple(
    sorted([rule for module in _MODULES for rule in module.RULES] + [UNREADABLE], key=lambda rule: rule.id)
)

BY_ID = {rule.id: rule for rule in RULES}
