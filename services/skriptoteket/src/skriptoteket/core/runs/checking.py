"""Look at a script without running it: a small program of the service stands in for the script, in the same sandbox.

The author's text reaches it as data, so it is compiled where every script is: never in the web process or the worker.
"""

from skriptoteket.core.versions.models import Behaviour

ENTRYPOINT = "check"
_GIVEN = ("inputs", "files", "settings", "action", "state")
_PROGRAM = """
import ast
import toolkit


def check(input_dir, output_dir):
    try:
        tree = ast.parse(SOURCE, "script.py")
        compile(tree, "script.py", "exec")
    except SyntaxError as error:
        lines = SOURCE.splitlines()
        error.text = lines[error.lineno - 1] if 0 < (error.lineno or 0) <= len(lines) else None
        raise
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [each for each in tree.body if isinstance(each, kinds) and each.name == NAME]
    if not found:
        raise NameError(f"the script defines no function {NAME}")
    given = found[-1].args
    places = [each.arg for each in (*given.posonlyargs, *given.args)]
    if len(places) < 2 and given.vararg is None:
        raise TypeError(f"{NAME} takes {len(places)} arguments by place; it gets input_dir and output_dir")
    optional = len(given.defaults)
    needed = places[2 : len(places) - optional if optional else None]
    needed += [each.arg for each, default in zip(given.kwonlyargs, given.kw_defaults) if default is None]
    odd = [name for name in needed if name not in GIVEN]
    if odd:
        raise TypeError(f"{NAME} needs {', '.join(odd)}; by name it can get {', '.join(GIVEN)}")
    return toolkit.notice(f"{NAME}({ast.unparse(given)})")
"""


def checking_program(behaviour: Behaviour) -> str:
    """The program that looks at a script."""
    given = (("SOURCE", behaviour.source_code), ("NAME", behaviour.entrypoint), ("GIVEN", _GIVEN))
    return "\n".join(f"{name} = {value!r}" for name, value in given) + "\n" + _PROGRAM
