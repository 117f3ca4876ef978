"""GRPO's advantages and losses against TRL 1.16, its rule, and what the whole file alone does (test_rl_methods.py)."""

import doctest
import json
import random
import statistics
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from learn_llm import examples
from learn_llm.errors import UserError
from learn_llm.events import Event
from learn_llm.minimal_impls import grpo, reward_model
from learn_llm.minimal_impls.grpo import group_advantages, grpo_loss, verify
from learn_llm.tinyworld import tasks, writers
from learn_llm.training import Setup, TrainConfig
from tests.rl_method import SIZES, metrics, settings_of
from tests.small_models import little_llama, word_tokenizer

TRL = json.loads((Path(__file__).parent / "oracles" / "trl_losses.json").read_text())["grpo"]
assert_close = partial(torch.testing.assert_close, rtol=0.0, atol=1e-5)


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(grpo, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 8
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(TRL))
class TestAgainstTRL:
    """Golden tensors of TRL 1.16's GRPOTrainer, made by tests/oracles/record_trl_losses.py, at 1e-5."""

    def config(self, name: str) -> grpo.Config:
        case = TRL[name]["settings"]
        return grpo.Config(
            variant=case["loss_type"],
            scale_rewards="batch" if name == "batch_scaled" else "auto",
            clip=case["epsilon"],
            clip_high=case["epsilon_high"] or 0.2,
            kl_coef=case["beta"],
            max_new_tokens=case["max_completion_length"],
        )

    def test_advantages(self, name: str) -> None:
        config = self.config(name)
        assert config.scale == TRL[name]["settings"]["scale_rewards"]
        for number, played in enumerate(TRL[name]["rounds"]):
            ours = group_advantages(torch.tensor(played["rewards"]), TRL[name]["settings"]["group_size"], config.scale)
            for update in (u for u in TRL[name]["updates"] if u["round"] == number):
                assert_close(ours, torch.tensor(update["advantages"]))

    def test_the_loss_of_each_update_whole_and_in_parts(self, name: str) -> None:
        config = self.config(name)
        assert len(TRL[name]["updates"]) == 4
        for update in TRL[name]["updates"]:
            mask = torch.tensor(update["completion_mask"])
            now, old = torch.tensor(update["logprobs"]), torch.tensor(update["old_per_token_logps"])
            ref = torch.tensor(update.get("ref_per_token_logps", update["old_per_token_logps"]))
            advantages, rows, tokens = torch.tensor(update["advantages"]), len(mask), float(mask.sum())

            def loss(part: slice, *given: Tensor, rows: int = rows, tokens: float = tokens) -> float:
                new, before, reference, gains, seen = (x[part] for x in given)
                return float(grpo_loss(config, new, before, reference, gains, seen, rows, tokens))

            given = (now, old, ref, advantages, mask)
            assert loss(slice(None), *given) == pytest.approx(update["loss"], abs=1e-5)
            parts = [loss(part, *given) for part in (slice(0, 5), slice(5, 6), slice(6, 12))]
            assert sum(parts) == pytest.approx(update["loss"], abs=1e-5)
        assert abs(TRL[name]["updates"][3]["loss"]) > 0.01


class TestLoss:
    def test_padding_changes_nothing(self) -> None:
        new, old, ref = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)).abs().neg()
        mask = (torch.arange(5) < torch.tensor([1, 3, 5, 2])[:, None]).long()
        advantages = torch.tensor([1.0, -1.0, 0.5, 2.0])

        def wider(x: Tensor, junk: float) -> Tensor:
            return torch.cat((x, torch.full((4, 3), junk, dtype=x.dtype)), dim=1)

        for variant in ("grpo", "dapo", "dr_grpo"):
            config = grpo.Config(variant=variant, kl_coef=0.1)
            narrow = grpo_loss(config, new, old, ref, advantages, mask, 4, float(mask.sum()))
            wide = (wider(new, -2.0), wider(old, -1.0), wider(ref, -3.0))
            torch.testing.assert_close(
                grpo_loss(config, *wide, advantages, wider(mask, 0), 4, float(mask.sum())), narrow
            )

    def test_length_weighs_as_each_variant_says(self) -> None:
        """Two responses with the same advantage: the gradient on a token of the long one against that of the short."""
        share = {}
        for variant in ("grpo", "dapo", "dr_grpo"):
            logprobs = torch.zeros(2, 4, requires_grad=True)
            mask = torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1]])
            config = grpo.Config(variant=variant)
            grpo_loss(config, logprobs, torch.zeros(2, 4), torch.zeros(2, 4), torch.ones(2), mask, 2, 5.0).backward()
            assert logprobs.grad is not None
            share[variant] = float(logprobs.grad[1, 0] / logprobs.grad[0, 0])
        assert share == pytest.approx({"grpo": 0.25, "dapo": 1.0, "dr_grpo": 1.0})

    def test_an_even_group_teaches_nothing(self) -> None:
        for scale in ("group", "none"):
            assert group_advantages(torch.full((4,), 0.7), 4, scale).abs().max() < 1e-3

    def test_the_variant_decides_what_is_left_open(self) -> None:
        made = {v: grpo.Config(variant=v) for v in ("grpo", "dapo", "dr_grpo")}
        assert {v: c.scale for v, c in made.items()} == {"grpo": "group", "dapo": "group", "dr_grpo": "none"}
        assert {v: c.upper for v, c in made.items()} == {"grpo": 0.2, "dapo": 0.28, "dr_grpo": 0.2}


class TestRule:
    """The rule against the tiny world's writers: it must see what they do wrong, and like what they do well."""

    def scored(self, quality: str) -> list[float]:
        rng = random.Random(0)
        found: list[float] = []
        for task in tasks.training():
            for _ in range(4):
                item = task.sample(rng)
                row = {"outputs": [item.answer], "options": list(item.options) or None}
                text = writers.write(item, quality, rng)
                if quality == "good" or text != item.reference:
                    found += verify([item.prompt], [text.replace(" .", ".")], [row])
        return found

    def test_flawless_responses_get_the_full_reward(self) -> None:
        assert set(self.scored("good")) == {1.5}

    @pytest.mark.parametrize("flaw", ["logical_correctness", "comprehension", "readability"])
    def test_flaws_of_answer_and_form_cost(self, flaw: str) -> None:
        scores = self.scored(flaw)
        assert len(scores) > 10
        assert statistics.fmean(score < 1.5 for score in scores) > 0.9

    def test_rows_without_an_answer_are_refused(self) -> None:
        with pytest.raises(UserError, match='each row needs "outputs"'):
            verify(["hi"], ["yes"], [{"prompt": "hi"}])


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A little Llama, prompts in a file, and a reward that counts one word."""
    return {**settings_of(tmp_path, monkeypatch), **SIZES["grpo"]}


def run(**settings: Any) -> list[Event]:
    return list(grpo.run(grpo.Config(**settings)))


def test_the_rule_and_a_reward_model_as_reward(settings: dict[str, Any], tmp_path: Path) -> None:
    ruled = metrics(run(**{**settings, "reward": grpo.RULE}))
    assert all(0 <= m["reward"] <= 1.5 for m in ruled)
    tokenizer = word_tokenizer()
    model = little_llama(tokenizer, seed=2)
    made = Setup(TrainConfig(), model, examples.Encoder(tokenizer, model.config), torch.device("cpu"))
    reward_model.save_reward(reward_model.RewardModel(model), made, tmp_path / "reward")
    assert len(metrics(run(**settings, reward_model=str(tmp_path / "reward")))) == 2


@pytest.mark.parametrize(
    "switch",
    [
        {"variant": "grpo"},
        {"variant": "dr_grpo"},
        {"scale_rewards": "batch"},
        {"kl_coef": 1.0},
        {"clip": 0.01},
        {"clip_high": 0.01},
        {"epochs": 2},
    ],
)
def test_every_switch_runs_and_changes_the_numbers(settings: dict[str, Any], switch: dict[str, Any]) -> None:
    settings["steps"] = 3
    assert metrics(run(**settings, **switch))[-1] != metrics(run(**settings))[-1]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"group_size": 1}, "--group-size must be at least 2"),
        ({"batch_size": 10}, "--batch-size 10 is not a multiple of --group-size 12"),
        ({"clip": 0.0}, "--clip must be above 0"),
        ({"kl_coef": -1.0}, "--kl-coef must not be negative"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
