"""Metrics of several processes become one exposition."""

from fastapi_services_platform.observability.expositions import merged

ONE = b"""# HELP jobs_total Runs of a job.
# TYPE jobs_total counter
jobs_total{job="a b{c}"} 3.0
# HELP up Whether it runs.
# TYPE up gauge
up 1.0
"""
TWO = b"""# HELP up Whether it runs.
# TYPE up gauge
up 0.0
"""


def test_samples_are_labelled_and_families_stand_together() -> None:
    """Help and type come once, in front of the samples of every process."""
    assert merged({8: TWO, 7: ONE}).decode().splitlines() == [
        "# HELP jobs_total Runs of a job.",
        "# TYPE jobs_total counter",
        'jobs_total{process="7",job="a b{c}"} 3.0',
        "# HELP up Whether it runs.",
        "# TYPE up gauge",
        'up{process="7"} 1.0',
        'up{process="8"} 0.0',
    ]
