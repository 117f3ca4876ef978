"""REINFORCE and RLOO against enumeration and TRL 1.16; then what the whole file alone does (test_rl_methods.py)."""

import doctest
import itertools
import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.events import Event, Table
from learn_llm.examples import Encoder, Prompt
from learn_llm.minimal_impls import reinforce
from learn_llm.minimal_impls.ppo import kl_estimate
from learn_llm.minimal_impls.reinforce import advantages_of, leave_one_out, sequence_policy_loss, whitened
from learn_llm.training import Setup
from tests.rl_method import SIZES, metrics, settings_of
from tests.small_models import little_llama, word_tokenizer

TRL = json.loads((Path(__file__).parent / "oracles" / "trl_losses.json").read_text())["rloo"]
assert_close = partial(torch.testing.assert_close, rtol=0.0, atol=1e-5)


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(reinforce, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 6
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(TRL))
class TestAgainstTRL:
    """Golden tensors of TRL 1.16's RLOOTrainer, made by tests/oracles/record_trl_losses.py, at 1e-5."""

    def test_advantages_from_rewards_and_kl(self, name: str) -> None:
        case = TRL[name]
        for number, played in enumerate(case["rounds"]):
            update = next(u for u in case["updates"] if u["round"] == number)
            old, ref = (torch.tensor(table) for table in played["before"][-2:])
            mask = torch.tensor(update["completion_mask"])
            rewards = torch.tensor(played["rewards"])
            rewards = rewards - case["settings"]["beta"] * (kl_estimate(old, ref, "k1") * mask).sum(1)
            advantages = advantages_of(rewards, "leave_one_out", case["settings"]["group_size"])
            if name == "normalised":
                advantages = whitened(advantages)
            assert_close(advantages, torch.tensor(update["advantages"]))

    def test_the_loss_of_each_update(self, name: str) -> None:
        assert len(TRL[name]["updates"]) == 4
        for update in TRL[name]["updates"]:
            logprobs = (torch.tensor(update["logprobs"]) * torch.tensor(update["completion_mask"])).sum(1)
            old, advantages = torch.tensor(update["old_logps"]), torch.tensor(update["advantages"])
            loss = sequence_policy_loss(logprobs, old, advantages, TRL[name]["settings"]["epsilon"])
            assert float(loss) == pytest.approx(update["loss"], abs=1e-5)
        assert abs(TRL[name]["updates"][1]["loss"]) > 0.01


class TestEnumeration:
    """One prompt with 4 responses: every draw of a group of 3 can be weighed instead of sampled."""

    logits = torch.tensor([0.3, -0.5, 1.0, 0.1], dtype=torch.float64)
    scores = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)

    def gradients(self, baseline: reinforce.Baseline, average: float = 0.0) -> tuple[Tensor, Tensor]:
        """The gradient of each group of 3 that can be drawn, (64, 4), and how likely it is, (64,)."""
        found, likely = [], []
        for drawn in itertools.product(range(4), repeat=3):
            logits = self.logits.clone().requires_grad_()
            logprobs = logits.log_softmax(-1)[list(drawn)]
            advantages = advantages_of(self.scores[list(drawn)], baseline, 3, average)
            loss = sequence_policy_loss(logprobs, logprobs.detach(), advantages)
            found.append(-torch.autograd.grad(loss, logits)[0])
            likely.append(logprobs.detach().sum().exp())
        return torch.stack(found), torch.stack(likely)

    def exact(self) -> Tensor:
        logits = self.logits.clone().requires_grad_()
        return torch.autograd.grad((logits.softmax(-1) * self.scores).sum(), logits)[0]

    @pytest.mark.parametrize(("baseline", "average"), [("leave_one_out", 0.0), ("average", 0.7), ("none", 0.0)])
    def test_every_baseline_is_unbiased(self, baseline: reinforce.Baseline, average: float) -> None:
        found, likely = self.gradients(baseline, average)
        torch.testing.assert_close((found * likely[:, None]).sum(0), self.exact())

    def test_the_groups_mean_with_the_response_in_it_shrinks_the_gradient_by_a_third(self) -> None:
        _, likely = self.gradients("leave_one_out")
        shrunk = torch.zeros(4, dtype=torch.float64)
        for row, drawn in enumerate(itertools.product(range(4), repeat=3)):
            logits = self.logits.clone().requires_grad_()
            logprobs, rewards = logits.log_softmax(-1)[list(drawn)], self.scores[list(drawn)]
            loss = sequence_policy_loss(logprobs, logprobs.detach(), rewards - rewards.mean())
            shrunk -= torch.autograd.grad(loss, logits)[0] * likely[row]
        torch.testing.assert_close(shrunk, self.exact() * 2 / 3)

    def test_a_baseline_takes_noise_where_scores_lie_far_from_0(self) -> None:
        spread = {}
        self.scores = self.scores + 10
        for baseline in reinforce.BASELINES:
            found, likely = self.gradients(baseline, average=10.0)
            spread[baseline] = float(((found - self.exact()).square().sum(1) * likely).sum())
        assert spread["leave_one_out"] < 0.1 * spread["none"]
        assert spread["average"] < 0.1 * spread["none"]


def test_leave_one_out_stays_within_its_group() -> None:
    assert leave_one_out(torch.tensor([1.0, 3.0, 10.0, 20.0]), 2).tolist() == [3.0, 1.0, 20.0, 10.0]


def test_the_ratio_is_clipped_only_on_the_side_that_gains() -> None:
    for ratio, advantage, expected in [(1.5, 1.0, -1.2), (0.5, 1.0, -0.5), (1.5, -1.0, 1.5), (0.5, -1.0, 0.8)]:
        loss = sequence_policy_loss(torch.tensor([math.log(ratio)]), torch.zeros(1), torch.tensor([advantage]))
        assert float(loss) == pytest.approx(expected)


def test_padding_and_company_change_no_log_probability() -> None:
    tokenizer = word_tokenizer()
    model = little_llama(tokenizer)
    config = reinforce.Config(max_new_tokens=8)
    setup = Setup(config, model, Encoder(tokenizer, model.config), torch.device("cpu"))
    asked = [Prompt(setup.encoder.prompt(text), text) for text in ("hi", "hi one two", "yes no good")]
    responses = rollouts.respond(setup, model, asked, 8)
    together = reinforce.response_logprobs(config, model, rollouts.as_actions(responses, "cpu")).detach()
    for row, response in enumerate(responses):
        alone = reinforce.response_logprobs(config, model, rollouts.as_actions([response], "cpu")).detach()
        assert_close(together[row], alone[0])
    judged, entropies = rollouts.judged(setup, model, rollouts.as_actions(responses, "cpu"), 1.0, 2)
    assert_close(judged.sum(1), together)
    mask = rollouts.as_actions(responses, "cpu").mask
    assert float((entropies * (1 - mask)).abs().sum() + (judged * (1 - mask)).abs().sum()) == 0


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A little Llama, prompts in a file, and a reward that counts one word."""
    return {**settings_of(tmp_path, monkeypatch), **SIZES["reinforce"]}


def run(**settings: Any) -> list[Event]:
    return list(reinforce.run(reinforce.Config(**settings)))


def test_the_noise_of_the_gradient_is_shown_for_each_baseline(settings: dict[str, Any]) -> None:
    noise = next(event for event in run(**settings) if isinstance(event, Table))
    assert [row[0] for row in noise.rows] == ["none", "average", "leave one out"]
    assert all(isinstance(value, float) and value > 0 for row in noise.rows for value in row[1:])


@pytest.mark.parametrize(
    "switch",
    [{"baseline": "none"}, {"baseline": "average"}, {"whiten": True}, {"epochs": 2}, {"clip": 0.01}, {"kl_coef": 1.0}],
)
def test_every_switch_runs_and_changes_the_numbers(settings: dict[str, Any], switch: dict[str, Any]) -> None:
    settings["steps"] = 3
    assert metrics(run(**settings, **switch))[-1] != metrics(run(**settings))[-1]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"group_size": 1}, "needs a --group-size of at least 2"),
        ({"batch_size": 10}, "--batch-size 10 is not a multiple of --group-size 4"),
        ({"clip": 0.0}, "--clip must be above 0"),
        ({"kl_coef": -1.0}, "--kl-coef must not be negative"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
