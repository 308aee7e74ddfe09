"""Messages become events with fields; levels stay."""

import pytest

from au_sys_python_factory.migration.codemods.logs import told


@pytest.mark.parametrize(
    ("call", "event"),
    [
        ('logging.info(f"read {n} from: {place.name}")', 'logger.info("read from", n=n, name=place.name)'),
        ('logging.warning("lost %s", note)', 'logger.warning("lost", note=note)'),
        ('print("ready", number)', 'logger.info("ready", number=number)'),
        ("logging.error(answer)", 'logger.error("printed", answer=answer)'),
    ],
)
def test_values_become_fields(call: str, event: str) -> None:
    """Words stay words."""
    assert event in told(f"import logging\n\n{call}\n")


def test_what_logs_nothing_is_left_alone() -> None:
    """Not a byte."""
    assert told("import json\n\njson.dumps(1)\n") == "import json\n\njson.dumps(1)\n"
