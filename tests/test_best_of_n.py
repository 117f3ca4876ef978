"""Best-of-n against enumeration of all draws, with and without ties; then what the file alone does."""

import doctest
import itertools
import math
import random
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learn_llm.errors import UserError
from learn_llm.events import Event, Note, Table, Verdict
from learn_llm.examples import Prompt
from learn_llm.minimal_impls import best_of_n
from learn_llm.minimal_impls.best_of_n import best_of_n_kl, best_of_n_value, best_of_n_weights, tied_kl
from learn_llm.rollouts import Response
from tests.rl_method import SIZES, metrics, settings_of


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(best_of_n, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted >= 8
    assert result.failed == 0


def chosen_shares(probabilities: list[float], scores: list[float], n: int) -> list[float]:
    """How likely each response is the best of n: every one of the len^n draws, ties shared evenly among the draws."""
    shares = [0.0] * len(scores)
    for draw in itertools.product(range(len(scores)), repeat=n):
        likely = math.prod(probabilities[i] for i in draw)
        top = [i for i in draw if scores[i] == max(scores[j] for j in draw)]
        for i in top:
            shares[i] += likely / len(top)
    return shares


def enumerated_kl(probabilities: list[float], scores: list[float], n: int) -> float:
    chosen = chosen_shares(probabilities, scores, n)
    return sum(q * math.log(q / p) for q, p in zip(chosen, probabilities, strict=True) if q > 0)


class TestKL:
    @pytest.mark.parametrize("n", [1, 2, 3, 5])
    @pytest.mark.parametrize(
        ("probabilities", "scores"),
        [
            ([0.2, 0.5, 0.3], [1.0, 2.0, 3.0]),  # no ties among different responses
            ([0.2, 0.1, 0.3, 0.4], [1.0, 2.0, 2.0, 1.0]),  # ties among different responses
            ([0.5, 0.5], [0.0, 1.0]),
            ([0.25] * 4, [1.0] * 4),  # nothing to choose
        ],
    )
    def test_against_enumeration(self, probabilities: list[float], scores: list[float], n: int) -> None:
        shares = dict.fromkeys(scores, 0.0)
        for p, s in zip(probabilities, scores, strict=True):
            shares[s] += p
        ours = tied_kl([shares[s] for s in sorted(shares)], n)
        assert ours == pytest.approx(enumerated_kl(probabilities, scores, n), abs=1e-12)
        assert ours <= best_of_n_kl(n) + 1e-12

    def test_where_no_scores_tie_it_is_the_formula(self) -> None:
        """Many equally likely responses with scores of their own come as near to continuous scores as one likes."""
        for n in (2, 4, 16):
            assert tied_kl([1 / 20_000] * 20_000, n) == pytest.approx(best_of_n_kl(n), abs=1e-3)
            assert tied_kl([1 / 20_000] * 20_000, n) < best_of_n_kl(n)

    def test_known_values_with_ties(self) -> None:
        assert best_of_n_kl(16) == pytest.approx(1.835, abs=1e-3)
        assert tied_kl([0.5, 0.5], 16) == pytest.approx(0.693, abs=1e-3)
        assert tied_kl([1.0], 1000) == 0


class TestEstimator:
    @pytest.mark.parametrize(
        "scores", [[0.3, 0.1, 0.9, 0.5, 0.7], [1.0, 2.0, 1.0, 2.0, 0.0], [0.0] * 5, [2.0, 2.0, 1.0, 1.0, 1.0]]
    )
    @pytest.mark.parametrize("n", [1, 2, 3, 5])
    def test_against_every_way_to_draw(self, scores: list[float], n: int) -> None:
        values = [1.0, 5.0, -2.0, 4.0, 7.0]
        found = []
        for draw in itertools.combinations(range(5), n):
            top = max(scores[i] for i in draw)
            found.append(statistics.fmean(values[i] for i in draw if scores[i] == top))
        assert best_of_n_value(scores, values, n) == pytest.approx(statistics.fmean(found))

    @given(st.integers(1, 40), st.data())
    def test_weights_are_probabilities_that_rise_with_the_score(self, total: int, data: st.DataObject) -> None:
        weights = best_of_n_weights(total, data.draw(st.integers(1, total)))
        assert sum(weights) == pytest.approx(1)
        assert weights == sorted(weights)

    def test_it_is_unbiased_where_the_maximum_of_n_is_known(self) -> None:
        """Uniform scores: the best of 4 is 4/5 in the mean; the estimate uses 10 samples."""
        rng = random.Random(0)
        draws = [[rng.random() for _ in range(10)] for _ in range(4000)]
        means = [best_of_n_value(draw, draw, 4) for draw in draws]
        assert statistics.fmean(means) == pytest.approx(0.8, abs=0.005)
        plain = [max(draw[:4]) for draw in draws]
        assert statistics.stdev(means) < statistics.stdev(plain)

    def test_more_samples_than_a_float_can_count(self) -> None:
        assert sum(best_of_n_weights(3000, 1500)) == pytest.approx(1)


def test_the_same_response_is_scored_once_and_broken_scores_are_dealt_anew() -> None:
    one, two = Prompt((9,), "hi"), Prompt((10,), "yes")
    responses = [Response(one, (12, 5), True), Response(two, (12, 5), True), Response(one, (12, 5), True)]
    seen: list[int] = []

    def reward(given: Any) -> list[float]:
        seen.append(len(given))
        return [float(i) for i in range(len(given))]

    assert best_of_n.scored(reward, responses, best_of_n.Config()) == [0.0, 1.0, 0.0]
    broken = [best_of_n.scored(reward, responses, best_of_n.Config(break_=True), step) for step in range(20)]
    assert all(sorted(scores) == [0.0, 0.0, 1.0] for scores in broken)
    assert len({tuple(scores) for scores in broken}) == 3
    assert set(seen) == {2}


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A little Llama, prompts in a file, and a reward that counts one word."""
    return {**settings_of(tmp_path, monkeypatch), **SIZES["best_of_n"]}


def run(**settings: Any) -> list[Event]:
    return list(best_of_n.run(best_of_n.Config(**settings)))


def test_the_table_and_the_verdict_of_two_rounds(settings: dict[str, Any]) -> None:
    events = run(**settings)
    assert all(m["best_reward"] >= m["reward"] for m in metrics(events))
    table = next(event for event in events if isinstance(event, Table))
    assert [row[0] for row in table.rows] == [1, 2, 4, 8]
    assert [row[2] for row in table.rows] == sorted(row[2] for row in table.rows if isinstance(row[2], float))
    assert any(isinstance(event, Note) and "is an upper bound on the KL" in event.text for event in events)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["best_of_n_low"] > 0
    assert 0 < verdict.measured["ties"] <= 1


def test_without_ties_the_kl_is_said_to_be_exact(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_of_n, "scored", lambda reward, responses, *_: [i / 7 for i in range(len(responses))])
    events = run(**settings)
    assert isinstance(events[-1], Verdict)
    assert events[-1].measured["ties"] == 0
    assert any(isinstance(event, Note) and event.text.endswith("is the KL") for event in events)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"n": 9}, "--n 9 needs at least as many --samples; there are 8"),
        ({"best_of": 0}, "--best-of must be at least 1"),
        ({"temperature": 0.0}, "--temperature must be above 0"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
