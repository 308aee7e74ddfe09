"""What a template asks its reader's rights for: ``{% if may("notes.note.write") %}`` around a form or a button.

Templates cannot wait for an answer, so their questions are read out of them, once, and answered before they are
rendered. A name that is made up while rendering is no question: it is never held.
"""

from jinja2 import Environment, nodes
from jinja2.meta import find_referenced_templates

ASKING = "may"


def questions_in(environment: Environment, template: str) -> tuple[str, ...]:
    """The permissions that a template asks for, and the templates that it is made of. Blocks: call it in a thread."""
    if environment.loader is None:
        return ()
    found: set[str] = set()
    known, waiting = {template}, [template]
    while waiting:
        source, _file, _fresh = environment.loader.get_source(environment, waiting.pop())
        tree = environment.parse(source)
        found.update(_asked(tree))
        new = {name for name in find_referenced_templates(tree) if name is not None} - known
        known |= new
        waiting += new
    return tuple(sorted(found))


def _asked(tree: nodes.Template) -> list[str]:
    return [
        call.args[0].value
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == ASKING and isinstance(call.args[0], nodes.Const)
    ]
