"""Why RL: the pairs mean what they are said to mean, cross-entropy is each token's, and both reasons run to a verdict.

How able the bundled checkpoints are is not asserted here: `learn-llm demo --all --check` does that.
"""

import difflib
import doctest
import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm import examples, rollouts
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Stage, Table, Tokens, Verdict
from learn_llm.examples import Encoder, World, is_held_out
from learn_llm.glossary import find
from learn_llm.minimal_impls import why_rl, why_rl_pairs
from learn_llm.minimal_impls.reward_model import RewardModel, save_reward
from learn_llm.minimal_impls.why_rl_pairs import KINDS, Negation, negations
from learn_llm.tinyworld import rubric, tokens
from learn_llm.training import Setup, TrainConfig
from tests.small_models import little_llama, llama_folder, world_tokenizer


@pytest.mark.parametrize("module", [why_rl, why_rl_pairs], ids=["why_rl", "why_rl_pairs"])
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted >= 1
    assert result.failed == 0


# The pairs


@pytest.fixture(scope="module")
def pairs() -> list[Negation]:
    return list(negations(400, random.Random(7)))


def test_they_come_from_prompts_that_are_held_out_each_once(pairs: list[Negation]) -> None:
    assert len({pair.item.prompt for pair in pairs}) == len(pairs) == 400
    assert all(is_held_out(pair.item) for pair in pairs)
    assert {pair.kind for pair in pairs} == set(KINDS)


def changed(a: str, b: str) -> int:
    """How many words have to be put in, taken out or exchanged."""
    blocks = difflib.SequenceMatcher(None, a.split(), b.split(), autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for kind, i1, i2, j1, j2 in blocks if kind != "equal")


def test_one_word_is_changed_and_the_world_knows_it(pairs: list[Negation]) -> None:
    for pair in pairs:
        assert changed(pair.answer, pair.kept) == 1, pair
        assert changed(pair.answer, pair.reversed) == 1, pair
        assert all(word in tokens.vocabulary() for text in (pair.kept, pair.reversed) for word in text.split())


def test_the_rubric_sees_the_opposite_in_every_pair_and_no_harm_in_the_other_word(pairs: list[Negation]) -> None:
    for pair in pairs:
        flawless, kept, opposite = (rubric.gold(pair.item, t) for t in (pair.answer, pair.kept, pair.reversed))
        assert flawless == kept == 1, pair
        assert opposite < kept, pair


def test_the_same_seed_gives_the_same_pairs() -> None:
    assert negations(30, random.Random(1)) == negations(30, random.Random(1))
    assert negations(30, random.Random(1)) != negations(30, random.Random(2))


# What each objective sees


def a_setup() -> Setup:
    tokenizer = world_tokenizer()
    model = little_llama(tokenizer, context=128)
    return Setup(TrainConfig(device="cpu"), model, Encoder(tokenizer, model.config), torch.device("cpu"))


def test_cross_entropy_is_that_of_the_response_tokens_and_its_end(pairs: list[Negation]) -> None:
    setup = a_setup()
    world = World(setup.encoder, 0)
    some = pairs[:5]  # of different lengths, so that padding would show
    prompts = [world.prompt(pair.item) for pair in some]
    found = why_rl.cross_entropies(setup, prompts, [pair.kept for pair in some])
    for prompt, pair, losses in zip(prompts, some, found, strict=True):
        response = setup.encoder.response(pair.kept)
        row = torch.tensor([[*prompt.ids, *response]])
        with torch.no_grad():
            logprobs = setup.model(row).log_softmax(-1)[0]
        expected = [-float(logprobs[len(prompt.ids) - 1 + i, token]) for i, token in enumerate(response)]
        assert losses == pytest.approx(expected, abs=1e-4)


def test_every_token_of_a_response_has_one_weight_and_the_opposite_has_the_other_sign(pairs: list[Negation]) -> None:
    losses = [[0.5] * (len(text.split()) + 1) for text in (pairs[0].kept, pairs[0].reversed)]
    kept, opposite = why_rl.side_by_side(a_setup(), pairs[0], losses)
    for shown, sign in ((kept, 1), (opposite, -1)):
        cost, weight = shown.rows
        assert len(shown.tokens) == len(cost.values) == len(weight.values)
        assert len(set(weight.values)) == 1
        assert math.copysign(1, weight.values[0]) == sign


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Random little models in place of the bundled ones, and short rounds."""
    monkeypatch.setattr(examples, "HELD_OUT", 24)
    monkeypatch.setattr(why_rl, "ROUND", 8)
    setup = a_setup()
    save_reward(RewardModel(setup.model), setup, tmp_path / "reward")
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    sizes = {"pairs": 40, "samples": 32, "prompts": 8, "max_new_tokens": 5}
    return {"model": model, "reward_model": str(tmp_path / "reward"), "device": "cpu", **sizes}


def run(**settings: Any) -> list[Event]:
    return list(why_rl.run(why_rl.Config(**settings)))


def test_both_reasons_end_in_one_verdict(settings: dict[str, Any]) -> None:
    events = run(**settings)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["right_by_gold"] == 1
    assert all(math.isfinite(value) for value in verdict.measured.values())
    told = [name for event in events if isinstance(event, Metrics) for name in event.values]
    assert [name for name in (*told, *verdict.measured) if find(name) is None] == []
    assert {"people", "best", "ppo"} <= {name.partition("/")[0] for name in told}
    assert [event.name for event in events if isinstance(event, Stage)] == ["one negated word", "equal samples"]
    assert [c.kind for c in events if isinstance(c, Chart)] == ["hist", "hist", "line", "bar"]
    assert sum(isinstance(event, Tokens) for event in events) >= 2
    arms = [event for event in events if isinstance(event, Table)][-1]
    assert [row[0] for row in arms.rows] == ["start", *why_rl.ARMS.values()]


def test_both_arms_draw_as_many_samples(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, int] = {"rollout": 0, "rounds": 0}

    def counted(*args: Any, **kwargs: Any) -> Any:
        purpose = args[5] if len(args) > 5 else kwargs.get("purpose", "")
        if purpose in drawn:
            drawn[purpose] += len(args[2])
        return respond(*args, **kwargs)

    respond = rollouts.respond
    monkeypatch.setattr(rollouts, "respond", counted)
    run(**settings, reason=4)
    assert drawn == {"rollout": 32, "rounds": 32}


def test_without_an_opposite_the_claim_falls(settings: dict[str, Any]) -> None:
    verdict = run(**settings, reason=3, break_=True)[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert verdict.measured["right_by_gold"] == 0


@pytest.mark.parametrize(("setting", "said"), [({"samples": 100}, "multiple of 384"), ({"pairs": 1}, "--pairs")])
def test_bad_input(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        why_rl.Config(**setting)
