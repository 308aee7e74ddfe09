"""What importing a core really loads, asked from a fresh interpreter."""

from collections.abc import Iterator

from au_sys_python_factory.checks.architecture.layers import FRAMEWORKS
from au_sys_python_factory.checks.reading.interpreter import asked
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.rule import Hit, Rule

_QUESTION = """
import json, sys
modules, frameworks = json.loads(sys.argv[1])
for module in modules:
    try:
        __import__(module)
    except Exception as error:
        print(json.dumps([module, "", f"{type(error).__name__}: {error}"]))
        break
    loaded = sorted(set(frameworks) & set(sys.modules))
    if loaded:
        print(json.dumps([module, ", ".join(loaded), ""]))
        break
"""


def loads_a_framework(member: MemberFiles) -> Iterator[Hit]:
    """The first module of a core whose import brings a framework along, or that cannot be imported."""
    here = member.member
    core = sorted(file.module for file in member.source if file.layer == "core")
    if not here.tri_layer or not core:
        return
    found, failed = asked(member.project.workspace, _QUESTION, [core, sorted(FRAMEWORKS)])
    module, loaded, error = found if isinstance(found, list) else (core[0], "", failed)
    if loaded or error:
        text = f"importing {module} loads {loaded}" if loaded else f"importing {module} fails: {error}"
        yield Hit(1, 1, text, member.by_module[str(module)].path)


A05 = Rule(
    "A05",
    "Importing a core loads a framework",
    "What a parent package or a library of the core pulls in is as much a dependency as a line that says import.",
    "look at what the module imports, and at the `__init__` of every package above; asked by check --deep only.",
    'import importlib\n\nLOADED = importlib.__import__("sqlalchemy")\n',
    "import decimal\n\nLOADED = decimal\n",
    place="src/{package}/core/planted.py",
    deep_check=loads_a_framework,
)

RULES = (A05,)
