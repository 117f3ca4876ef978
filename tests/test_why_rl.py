"""Why RL: what each reason measures is what it says that it measures, and all five run to a verdict.

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
from learn_llm.minimal_impls import (
    why_rl,
    why_rl_dialogue,
    why_rl_negation,
    why_rl_pairs,
    why_rl_ranks,
    why_rl_samples,
    why_rl_sequence,
    why_rl_settings,
)
from learn_llm.minimal_impls.reward_model import RewardModel, save_reward
from learn_llm.minimal_impls.why_rl_dialogue import ASK, MEANINGS, dialogue, learnt, people, turns
from learn_llm.minimal_impls.why_rl_pairs import KINDS, Negation, negations
from learn_llm.tinyworld import rubric, tokens
from learn_llm.training import Setup, TrainConfig
from tests.small_models import little_llama, llama_folder, world_tokenizer


@pytest.mark.parametrize("module", [why_rl_pairs, why_rl_ranks, why_rl_dialogue])
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted >= 1
    assert result.failed == 0


# Reason 3: one negated word


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


def a_setup() -> Setup:
    tokenizer = world_tokenizer()
    model = little_llama(tokenizer, context=128)
    return Setup(TrainConfig(device="cpu"), model, Encoder(tokenizer, model.config), torch.device("cpu"))


def test_cross_entropy_is_that_of_the_response_tokens_and_its_end(pairs: list[Negation]) -> None:
    setup = a_setup()
    world = World(setup.encoder, 0)
    some = pairs[:5]  # of different lengths, so that padding would show
    prompts = [world.prompt(pair.item) for pair in some]
    found = why_rl_negation.cross_entropies(setup, prompts, [pair.kept for pair in some])
    for prompt, pair, losses in zip(prompts, some, found, strict=True):
        response = setup.encoder.response(pair.kept)
        row = torch.tensor([[*prompt.ids, *response]])
        with torch.no_grad():
            logprobs = setup.model(row).log_softmax(-1)[0]
        expected = [-float(logprobs[len(prompt.ids) - 1 + i, token]) for i, token in enumerate(response)]
        assert losses == pytest.approx(expected, abs=1e-4)


def test_every_token_of_a_response_has_one_weight_and_the_opposite_has_the_other_sign(pairs: list[Negation]) -> None:
    losses = [[0.5] * (len(text.split()) + 1) for text in (pairs[0].kept, pairs[0].reversed)]
    kept, opposite = why_rl_negation.side_by_side(pairs[0], losses, [0.25, 1.5])
    assert (kept.prompt, opposite.scores["reward"]) == (pairs[0].item.prompt, 1.5)
    assert kept.scores["gold"] > opposite.scores["gold"]
    for shown, sign in ((kept, 1), (opposite, -1)):
        cost, weight = shown.rows
        assert len(shown.tokens) == len(cost.values) == len(weight.values)
        assert len(set(weight.values)) == 1
        assert math.copysign(1, weight.values[0]) == sign


# Reason 1: learning the ranks


def test_a_pair_becomes_two_texts_each_with_its_rank() -> None:
    setup = a_setup()
    prompt = World(setup.encoder, 0).prompts(1, 8).train[0]
    pair = examples.Pair(prompt, (5, 2), (6, 7, 2))
    assert why_rl_ranks.of_ranks(pair, (8, 9)) == [((*prompt.ids, 5, 2), (8,)), ((*prompt.ids, 6, 7, 2), (9,))]
    assert all(word in tokens.vocabulary() for word in why_rl_ranks.RANKS)


@torch.no_grad()
def test_ranks_are_read_behind_the_response_and_likelihoods_are_means_of_its_tokens() -> None:
    setup = a_setup()
    answered = [((4, 5, 6), (7, 8, 2)), ((9,), (10, 2)), ((4, 5, 6, 7, 8), (2,))]  # of different lengths
    first, second = (setup.encoder.tokenizer.encode(word, bos=False)[0] for word in why_rl_ranks.RANKS)
    odds = why_rl_ranks.by_rank(setup, setup.model, answered)
    means = why_rl_ranks.by_likelihood(setup, setup.model, answered)
    for (prompt, response), ours, mean in zip(answered, odds, means, strict=True):
        logits = setup.model(torch.tensor([[*prompt, *response]]))[0]
        assert ours == pytest.approx(float(logits[-1, first] - logits[-1, second]), abs=1e-4)
        said = [float(logits.log_softmax(-1)[len(prompt) - 1 + i, token]) for i, token in enumerate(response)]
        assert mean == pytest.approx(sum(said) / len(said), abs=1e-4)


# Reason 2: rewards of later turns


def test_a_right_answer_scores_1_whatever_is_meant_and_all_else_nothing() -> None:
    for seed in range(50):
        made = dialogue(random.Random(seed))
        for turn in made.scores:
            assert turn == tuple((*(float(m == reply) for reply in range(len(MEANINGS))), 0.0) for m in range(3))
        assert len(set(made.things)) == 2
        assert all(word in tokens.vocabulary() for word in f"{made.text} {ASK}".split())


def test_both_turns_are_what_playing_them_gives() -> None:
    policy = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    scores = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(1))
    for heard in (True, False):
        said = policy.softmax(-1)
        first = second = 0.0
        for meant in range(3):
            for reply in range(4):
                row = 1 if reply < 3 or not heard else 2 + meant
                p = float(said[0, reply]) / 3
                first += p * float(scores[0, meant, reply])
                second += p * sum(float(said[row, i] * scores[1, meant, i]) for i in range(4))
        found = turns(policy, scores, heard)
        assert [float(turn) for turn in found] == pytest.approx([first, second], abs=1e-5)


def test_gamma_changes_the_gradient_of_turn_1_and_no_value() -> None:
    scores = torch.tensor(dialogue(random.Random(0)).scores)
    values, gradients = [], []
    for gamma in (0.0, 1.0):
        policy = torch.cat((torch.zeros(2, 4), 3 * torch.eye(3, 4))).requires_grad_()  # heeds what it is told
        both = torch.stack(turns(policy, scores, True, gamma)).sum()
        both.backward()
        assert policy.grad is not None
        values.append(both.item())
        gradients.append(policy.grad)
    assert values[0] == values[1]
    torch.testing.assert_close(gradients[0][1:], gradients[1][1:])
    assert gradients[0][0, -1] < 0, "in its own turn a question is worth less than a guess"
    assert gradients[1][0, -1] > gradients[0][0, -1]


def test_who_is_taught_by_people_alone_says_what_they_say() -> None:
    scores = torch.tensor(dialogue(random.Random(0)).scores)
    *_, (_, policy) = learnt(scores, 1.0, 0.0, True)
    assert float((policy.softmax(-1) - people()).abs().max()) < 0.05
    torch.testing.assert_close(people().sum(-1), torch.ones(5))


@pytest.mark.parametrize("seed", range(2))
def test_the_dialogue_teaches_to_ask_only_where_the_answer_is_heard(seed: int) -> None:
    for broken in (False, True):
        verdict = run(reason=2, seed=seed, break_=broken, device="cpu")[-1]
        assert isinstance(verdict, Verdict)
        assert verdict.holds != broken
        assert (verdict.measured["asks_back"] < 0.1) == broken


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Random little models in place of the bundled ones, and short rounds."""
    monkeypatch.setattr(examples, "HELD_OUT", 24)
    monkeypatch.setattr(why_rl_settings, "ROUND", 8)
    for name, size in (("STEPS", 3), ("PAIRS_A_STEP", 4), ("ASKED", 12)):
        monkeypatch.setattr(why_rl_ranks, name, size)
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "home"))
    setup = a_setup()
    save_reward(RewardModel(setup.model), setup, tmp_path / "reward")
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    sizes = {"pairs": 40, "samples": 32, "prompts": 16, "max_new_tokens": 5}
    return {"model": model, "base": model, "reward_model": str(tmp_path / "reward"), "device": "cpu", **sizes}


def run(**settings: Any) -> list[Event]:
    return list(why_rl.run(why_rl.Config(**settings)))


def test_all_five_end_in_one_verdict(settings: dict[str, Any]) -> None:
    events = run(**settings, full=True)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["reason_3/right_by_gold"] == 1
    assert {name.partition("/")[0] for name in verdict.measured} == {f"reason_{n}" for n in range(1, 6)}
    assert all(math.isfinite(value) for value in verdict.measured.values())
    assert verdict.claim.count(". ") == 4
    told = [name for event in events if isinstance(event, Metrics) for name in event.values]
    assert [name for name in (*told, *verdict.measured) if find(name) is None] == []
    assert [event.name for event in events if isinstance(event, Stage)] == [f"reason_{n}" for n in why_rl.REASONS]


def test_reasons_3_and_4_are_what_the_demo_shows(settings: dict[str, Any]) -> None:
    events = run(**settings)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert {"right_by_gold", "ppo_over_people"} <= verdict.measured.keys()
    told = [name for event in events if isinstance(event, Metrics) for name in event.values]
    assert {"people", "best", "ppo"} <= {name.partition("/")[0] for name in told}
    assert [event.name for event in events if isinstance(event, Stage)] == ["one negated word", "equal samples"]
    assert [c.kind for c in events if isinstance(c, Chart)] == ["hist", "hist", "line", "bar"]
    assert sum(isinstance(event, Tokens) for event in events) >= 2
    arms = [event for event in events if isinstance(event, Table)][-1]
    assert [row[0] for row in arms.rows] == ["start", *why_rl_samples.ARMS.values()]


@pytest.fixture
def drawn_samples(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many samples PPO and imitating the best have drawn to learn from."""
    drawn: dict[str, int] = {"rollout": 0, "rounds": 0}

    def counted(*args: Any, **kwargs: Any) -> Any:
        purpose = args[5] if len(args) > 5 else kwargs.get("purpose", "")
        if purpose in drawn:
            drawn[purpose] += len(args[2])
        return respond(*args, **kwargs)

    respond = rollouts.respond
    monkeypatch.setattr(rollouts, "respond", counted)
    return drawn


def test_both_arms_draw_as_many_samples(settings: dict[str, Any], drawn_samples: dict[str, int]) -> None:
    run(**settings, reason=4)
    assert drawn_samples == {"rollout": 32, "rounds": 32}


def test_in_sequence_as_many_responses_are_used_as_alone(
    settings: dict[str, Any], drawn_samples: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, int]] = []
    imitate = why_rl_samples.imitate_people

    def counted(config: why_rl.Config, model: str, count: int, out: Path) -> Any:
        read.append((model, count))
        return imitate(config, model, count, out)

    monkeypatch.setattr(why_rl_sequence, "imitate_people", counted)
    events = run(**settings, reason=5)
    assert read == [(settings["base"], 64), (settings["base"], 32)]
    assert drawn_samples["rollout"] == 64 + 32
    table = next(event for event in events if isinstance(event, Table))
    assert [row[1:3] for row in table.rows] == [(0, 0), (64, 0), (0, 64), (32, 32)]


def test_without_an_opposite_the_claim_falls(settings: dict[str, Any]) -> None:
    verdict = run(**settings, reason=3, break_=True)[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert verdict.measured["right_by_gold"] == 0


def test_broken_a_coin_ranks_the_pairs(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why_rl_ranks, "STEPS", 30)
    seen: list[list[int]] = []
    of_ranks = why_rl_ranks.of_ranks

    def noted(pair: examples.Pair, ranks: list[int]) -> Any:
        seen.append(list(ranks))
        return of_ranks(pair, ranks)

    monkeypatch.setattr(why_rl_ranks, "of_ranks", noted)
    run(**settings, reason=1)
    assert all(ranks == seen[0] for ranks in seen)
    swapped = seen[0][::-1]
    seen.clear()
    run(**settings, reason=1, break_=True)
    assert len(seen) == 120
    assert 40 < sum(ranks == swapped for ranks in seen) < 80


@pytest.mark.parametrize(("setting", "said"), [({"samples": 100}, "multiple of 384"), ({"pairs": 1}, "--pairs")])
def test_bad_input(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        why_rl.Config(**setting)
