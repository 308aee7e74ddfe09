"""A graph as Mermaid, for Markdown."""

from au_sys_python_factory.affected.pictures.model import Graph


def written(graph: Graph) -> str:
    """A flowchart from top to bottom; arrows that break a rule are red and say which."""
    names = {box.name: f"n{number}" for number, box in enumerate(graph.boxes)}
    lines = ["flowchart TD"]
    lines += [f'    {names[box.name]}["{_quoted(box.label)}"]' for box in graph.boxes]
    red: list[int] = []
    known = [arrow for arrow in graph.arrows if arrow.source in names and arrow.target in names]
    for number, arrow in enumerate(known):
        label = f"|{_quoted(arrow.wrong)}|" if arrow.wrong else ""
        lines.append(f"    {names[arrow.source]} -->{label} {names[arrow.target]}")
        red += [number] if arrow.wrong else []
    if red:
        lines.append(f"    linkStyle {','.join(map(str, red))} stroke:#c62828,stroke-width:3px")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")
