"""The factory proves itself where it is installed."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

Factory = Callable[..., Result]


def test_a_shard_of_the_proofs_holds(factory: Factory) -> None:
    """Both capabilities pass check, and the planted rules of this shard are found."""
    proved = factory("selftest", "--shard", "2/8", "--json")
    assert proved.exit_code == 0, proved.output
    proofs = json.loads(proved.stdout)["data"]["proofs"]
    assert len(proofs) > 5
    assert [item for item in proofs if not item["good"]] == []


@pytest.mark.parametrize("shard", ["0/2", "3/2", "x", "1"])
def test_what_is_no_shard_is_refused(shard: str, factory: Factory) -> None:
    """Exit 2 with an example."""
    assert factory("selftest", "--shard", shard).exit_code == 2
