"""Metrics of several processes in one exposition: every sample is labelled with its process."""

from collections.abc import Mapping


def merged(expositions: Mapping[int, bytes]) -> bytes:
    """Prometheus text with each family once and the label ``process`` on every sample.

    A scraper sums over it; a process that ended takes its series with it, as a restarted one would.
    """
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for process, exposition in sorted(expositions.items()):
        family = ""
        for line in exposition.decode().splitlines():
            if line.startswith("# "):
                family = line.split(" ", 3)[2]
                if line not in heads.setdefault(family, []):
                    heads[family].append(line)
            elif line:
                samples.setdefault(family, []).append(_labelled(line, process))
    lines = [line for family, head in heads.items() for line in (*head, *samples.get(family, ()))]
    return ("\n".join(lines) + "\n").encode()


def _labelled(sample: str, process: int) -> str:
    """Label values may hold spaces and braces, names may not: the first of the two tells where labels would begin."""
    brace, space = sample.find("{"), sample.find(" ")
    if 0 <= brace < space:
        return f'{sample[: brace + 1]}process="{process}",{sample[brace + 1 :]}'
    return f'{sample[:space]}{{process="{process}"}}{sample[space:]}'
