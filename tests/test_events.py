"""The event stream as JSON: what goes out comes back, and what is no event is refused with a reason."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn_llm.events import (
    Chart,
    Event,
    Metrics,
    Note,
    Sample,
    Series,
    Stage,
    Start,
    Table,
    TokenRow,
    Tokens,
    Verdict,
    from_json,
    to_json,
)

EXAMPLES: list[Event] = [
    Start("ppo", {"seed": 0, "break": False, "model": None, "sizes": [1, 2]}),
    Stage("reward model", 2, 3),
    Metrics(3, 40, {"gold": 0.41, "kl": 0.02}),
    Metrics(1, 1, {"loss": math.inf, "gold": -math.inf}),
    Sample("what is a hen ?", "an animal", {"gold": 0.8}),
    Tokens(("the", "ball"), (TokenRow("advantage", (0.5, -1.25)),)),
    Tokens(("no",), (TokenRow("cross-entropy", (0.5,), (2.0, -1.0)),), "the opposite", "is it ?", {"gold": -0.25}),
    Chart("line", "Gold", "step", "gold", (Series("PPO", (0.0, 1.0), (0.1, math.inf)),)),
    Chart("bar", "Gold", "", "", (Series("", ("SFT", "PPO"), (0.1, 0.4)),)),
    Table("By skill", ("skill", "score"), (("correctness", 4), ("方策", 3.5), ("harmlessness", None))),
    Note('"quoted"\nand two lines'),
    Verdict("PPO raises the gold score", True, {"win_rate": 0.74}),
]


def through_json(event: Event) -> Event:
    return from_json(json.loads(json.dumps(to_json(event), allow_nan=False)))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_what_goes_out_comes_back(event: Event) -> None:
    assert through_json(event) == event


def test_the_json_form_is_the_documented_one() -> None:
    assert to_json(EXAMPLES[0]) == {
        "event": "start",
        "version": 1,
        "run": "ppo",
        "config": {"seed": 0, "break": False, "model": None, "sizes": [1, 2]},
    }
    for event in EXAMPLES:
        assert next(iter(to_json(event))) == "event"
    assert list(to_json(EXAMPLES[0])) == ["event", "version", "run", "config"]
    assert to_json(EXAMPLES[5])["rows"] == [{"name": "advantage", "values": [0.5, -1.25], "scale": []}]


@pytest.mark.parametrize("place", ["metrics", "series", "table"])
def test_not_a_number_survives_wherever_numbers_stand(place: str) -> None:
    nan = math.nan
    events: dict[str, Event] = {
        "metrics": Metrics(1, 2, {"loss": nan}),
        "series": Chart("line", "", "", "", (Series("", (nan,), (nan,)),)),
        "table": Table("", ("a",), ((nan,),)),
    }
    back = through_json(events[place])
    match back:
        case Metrics(values=values):
            numbers: list[Any] = list(values.values())
        case Chart(series=series):
            numbers = [*series[0].x, *series[0].y]
        case Table(rows=rows):
            numbers = list(rows[0])
    assert all(isinstance(number, float) and math.isnan(number) for number in numbers)


NUMBERS = st.floats(allow_nan=False)
TEXT = st.text().filter(lambda text: text not in ("nan", "inf", "-inf"))


@settings(deadline=None)
@given(st.dictionaries(TEXT, NUMBERS), st.lists(st.tuples(TEXT, NUMBERS, st.none(), st.integers())))
def test_any_numbers_and_texts_come_back(values: dict[str, float], rows: list[tuple[str, float, None, int]]) -> None:
    for event in (Metrics(1, 2, values), Table("t", ("a", "b", "c", "d"), tuple(rows)), Verdict("c", False, values)):
        assert through_json(event) == event


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "no event is called None"),
    ({"event": "explosion"}, "no event is called 'explosion'"),
    ({"event": ["note"]}, "no event is called"),
    ({"event": "note"}, "the field 'text' is missing"),
    ({"event": "note", "text": 3}, "text is 3, expected str"),
    ({"event": "note", "text": "x", "color": "red"}, "there is no field 'color'"),
    ({"event": "stage", "name": "a", "index": "1", "of": 2}, "index is '1', expected int"),
    ({"event": "stage", "name": "a", "index": True, "of": 2}, "index is True, expected int"),
    ({"event": "metrics", "step": 1, "steps": 2, "values": 3}, "values is 3"),
    ({"event": "metrics", "step": 1, "steps": 2, "values": {"loss": "low"}}, "values.loss is 'low', expected float"),
    ({"event": "metrics", "step": 1, "steps": 2, "values": {"loss": 10**400}}, "too large"),
    ({"event": "tokens", "tokens": "abc", "rows": []}, "tokens is 'abc'"),
    ({"event": "tokens", "tokens": [], "rows": [{"name": "a"}]}, "the field 'values' is missing"),
    ({"event": "chart", "kind": "pie", "title": "", "x_label": "", "y_label": "", "series": []}, "kind is 'pie'"),
    ({"event": "table", "title": "", "columns": [], "rows": [[[1]]]}, "rows is"),
    ({"event": "verdict", "claim": "c", "holds": 1, "measured": {}}, "holds is 1, expected bool"),
    ({"event": "start", "run": "a", "config": {}, "version": 99}, "version 99"),
]


@pytest.mark.parametrize(("data", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_is_no_event_is_refused_with_a_reason(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=r"event|stream") as refusal:
        from_json(data)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)
