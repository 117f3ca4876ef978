"""The glossary: every entry is whole, ranges are ranges, marks are right."""

import math

import pytest

from learn_llm import glossary
from learn_llm.glossary import METRICS, find, mark


def test_every_entry_is_a_name_with_a_sentence() -> None:
    assert len(METRICS) > 50
    for name, metric in METRICS.items():
        assert metric.name == name
        assert name.isidentifier(), name
        assert name == name.lower()
        assert metric.meaning, name
        assert metric.meaning[-1] in ".", name
        assert "  " not in metric.meaning + metric.outside, name


def test_an_entry_has_a_range_exactly_if_it_says_what_a_value_outside_means() -> None:
    for name, metric in METRICS.items():
        assert bool(metric.healthy) == bool(metric.outside), name
        if metric.low is not None and metric.high is not None:
            assert metric.low < metric.high, name


def test_no_name_is_defined_twice() -> None:
    heads = [
        line.partition("|")[0].strip() for line in glossary._ENTRIES.splitlines() if line[:1] not in ("", " ", "#")
    ]
    assert len(heads) == len(set(heads)) == len(METRICS)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("clip_fraction", 0.31, "high"),
        ("clip_fraction", 0.3, ""),
        ("eos_rate", 0.2, "low"),
        ("sft/eos_rate", 0.2, "low"),
        ("margin", -0.1, "low"),
        ("margin", 1e9, ""),
        ("kl", math.inf, "high"),
        ("kl", math.nan, ""),
        ("unheard_of", 5.0, ""),
    ],
)
def test_marks_lie_outside_the_healthy_range_only(name: str, value: float, expected: str) -> None:
    assert mark(name, value) == expected


def test_entries_are_read_with_open_ranges_and_without_units() -> None:
    metrics = glossary._read(
        "# Head\n\na | nats | 1 ..\n    First\n    line.\n    outside: Bad.\nb |  | .. 2\n    B.\nc\n    C.\n"
    )
    assert metrics["a"] == glossary.Metric("a", "First line.", "nats", 1.0, None, "Bad.")
    assert (metrics["b"].unit, metrics["b"].low, metrics["b"].high) == ("", None, 2.0)
    assert metrics["c"] == glossary.Metric("c", "C.")
    assert [metric.healthy for metric in metrics.values()] == ["at least 1", "at most 2", ""]


def test_what_a_ppo_run_reports_is_explained() -> None:
    reported = "gold reward kl kl_coef clip_fraction ratio approx_kl entropy value_loss policy_loss explained_variance"
    assert [name for name in reported.split() if find(name) is None] == []
