"""What holds for every method that learns from rewards: PPO, GRPO, REINFORCE and best-of-n, each as a whole file."""

import math
import statistics
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from learn_llm import examples, glossary
from learn_llm.events import Event, Metrics, Table, Verdict
from learn_llm.minimal_impls import best_of_n, grpo, ppo, reinforce
from tests.rl_method import SIZES, metrics, settings_of
from tests.small_models import llama_folder, world_tokenizer

METHODS: dict[str, ModuleType] = {"best_of_n": best_of_n, "grpo": grpo, "ppo": ppo, "reinforce": reinforce}
EACH = pytest.mark.parametrize("name", METHODS)


@pytest.fixture
def settings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A little Llama, prompts in a file, and a reward that counts one word."""
    return {**settings_of(tmp_path, monkeypatch), **SIZES[name]}


def run(name: str, **settings: Any) -> list[Event]:
    return list(METHODS[name].run(METHODS[name].Config(**settings)))


@EACH
def test_two_rounds_with_an_own_reward_on_a_file(name: str, settings: dict[str, Any]) -> None:
    events = run(name, **settings)
    first, second = metrics(events)
    if name != "best_of_n":
        assert first["kl"] == pytest.approx(0, abs=1e-5)
        assert second["kl"] != 0
    if name in ("grpo", "reinforce"):
        assert first["first_ratio"] == pytest.approx(1, abs=1e-5)
    if name == "grpo":
        assert 0 <= first["even_groups"] <= 1
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert {"reward_difference", "ci_low", "ci_high", "win_rate", "kl"} <= verdict.measured.keys()
    assert [told for told in (*first, *verdict.measured) if glossary.find(told) is None] == []


LEARNING: list[tuple[str, dict[str, Any], float, float | None]] = [
    ("best_of_n", {"steps": 12, "batch_size": 12, "learning_rate": 5e-3, "best_of": 8, "mini_batch_size": 3}, 0.7, 0.4),
    ("grpo", {}, 1.0, 0.5),
    ("ppo", {"kl_coef": 0.0}, 1.0, 0.5),
    *(
        ("reinforce", {"kl_coef": 0.0, "baseline": baseline}, 0.7, 0.5 if baseline == "leave_one_out" else None)
        for baseline in reinforce.BASELINES
    ),
]
"""What a method is told, by how much its reward must rise, and what it may reach with shuffled scores."""


@pytest.mark.parametrize(("name", "told", "gain", "broken_gain"), LEARNING)
def test_it_learns_a_reward_and_shuffled_scores_teach_nothing(
    name: str, settings: dict[str, Any], told: dict[str, Any], gain: float, broken_gain: float | None
) -> None:
    settings |= {"steps": 25, "batch_size": 48, "mini_batch_size": 24, "learning_rate": 1e-2, **told}
    learnt = metrics(run(name, **settings))
    assert statistics.fmean(m["reward"] for m in learnt[-3:]) > learnt[0]["reward"] + gain
    if broken_gain is not None:
        broken = metrics(run(name, **settings, break_=True))
        assert statistics.fmean(m["reward"] for m in broken[-3:]) < learnt[0]["reward"] + broken_gain


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("best_of_n", {}),
        ("grpo", {"variant": "grpo", "kl_coef": 0.1}),
        ("grpo", {"variant": "dapo", "kl_coef": 0.1}),
        ("grpo", {"variant": "dr_grpo", "kl_coef": 0.1}),
        ("ppo", {}),
        ("reinforce", {}),
    ],
)
def test_micro_batches_change_no_number(name: str, settings: dict[str, Any], told: dict[str, Any]) -> None:
    whole, parts = (metrics(run(name, **settings, **told, micro_batch_size=size)) for size in (0, 2))
    for a, b in zip(whole, parts, strict=True):
        assert b == pytest.approx(a, rel=1e-3, abs=1e-4)


@EACH
def test_bf16_autocast_on_the_cpu(name: str, settings: dict[str, Any]) -> None:
    rounded = metrics(run(name, **settings, dtype="bf16"))
    assert len(rounded) == 2
    assert all(math.isfinite(value) for values in rounded for value in values.values())
    assert rounded != metrics(run(name, **settings))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("best_of_n", {}),
        ("grpo", {}),
        ("ppo", {"kl_target": 0.01}),
        ("reinforce", {"baseline": "leave_one_out"}),
        ("reinforce", {"baseline": "average"}),
    ],
)
def test_an_interrupted_run_goes_on_with_the_same_numbers(
    name: str, settings: dict[str, Any], told: dict[str, Any], tmp_path: Path
) -> None:
    settings |= {"steps": 5, "save_every": 2, **told}
    whole = run(name, **settings)
    stopped = METHODS[name].run(METHODS[name].Config(**settings, out=str(tmp_path / "out")))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(name, **settings, out=str(tmp_path / "out"), resume=True)
    assert metrics(again) == metrics(whole)[3:]
    assert again[-1] == whole[-1]


IN_THE_WORLD: dict[str, tuple[dict[str, Any], str]] = {
    "best_of_n": (
        {"reward": "gold:f", "batch_size": 4, "best_of": 2, "n": 2, "samples": 4, "prompts": 6},
        "The best of 2 by the reward model",
    ),
    "grpo": ({"batch_size": 8, "group_size": 4}, "GRPO"),
    "ppo": ({"reward": "gold:f", "batch_size": 8, "mini_batch_size": 4}, "PPO"),
    "reinforce": ({"reward": "gold:f", "batch_size": 8}, "RLOO raises the gold score"),
}
"""What a method is told in the tiny world, and what its claim begins with; GRPO's reward is its rule."""


@EACH
def test_in_the_tiny_world(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 40)
    (tmp_path / "gold.py").write_text("def f(prompts, responses, rows):\n    return [len(r) / 9 for r in responses]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told, claim = IN_THE_WORLD[name]
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    events = run(name, model=model, steps=2, max_new_tokens=5, device="cpu", **told)
    assert -1 <= metrics(events)[0]["gold"] <= 1
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert claim in verdict.claim
    needed = {"gold_difference", "ci_low", "ci_high", "win_rate", "kl", "difference_to_best", "correctness_difference"}
    if name == "best_of_n":
        needed |= {"best_of_n_difference", "best_of_n_kl"}
        assert next(event for event in events if isinstance(event, Table)).columns[-1] == "gold"
    assert needed <= verdict.measured.keys()
    assert any(isinstance(event, Table) and len(event.columns) == 7 for event in events)
