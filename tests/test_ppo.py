"""PPO's arithmetic against slow references, enumeration and what TRL 1.12 computed; then what the file alone does."""

import doctest
import itertools
import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.events import Event, Tokens
from learn_llm.examples import Encoder, Prompt
from learn_llm.minimal_impls import ppo, reward_model
from learn_llm.training import Setup
from tests.rl_method import SIZES, metrics, settings_of
from tests.small_models import little_llama, word_tokenizer

TRL = json.loads((Path(__file__).parent / "oracles" / "trl_ppo.json").read_text())["cases"]
assert_close = partial(torch.testing.assert_close, rtol=0.0, atol=1e-5)


def test_doctests() -> None:
    results = doctest.testmod(ppo, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.attempted > 8
    assert results.failed == 0


def random_batch(rows: int = 5, columns: int = 7, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Rewards, values and a mask of responses of different lengths, in float64; garbage stands behind the responses."""
    generator = torch.Generator().manual_seed(seed)
    rewards, values = torch.randn(2, rows, columns, generator=generator, dtype=torch.float64)
    lengths = torch.randint(1, columns + 1, (rows,), generator=generator)
    return rewards, values, (torch.arange(columns) < lengths[:, None]).long()


def slow_gae(rewards: list[float], values: list[float], gamma: float, lam: float) -> list[float]:
    """A_t = Σ_k (γλ)^k δ_t+k, summed anew for every t."""
    after = [*values[1:], 0.0]
    deltas = [r + gamma * n - v for r, n, v in zip(rewards, after, values, strict=True)]
    return [sum((gamma * lam) ** k * d for k, d in enumerate(deltas[t:])) for t in range(len(deltas))]


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_gae_equals_the_sum_over_all_later_errors(seed: int, gamma: float, lam: float) -> None:
    rewards, values, mask = random_batch(seed=seed)
    advantages, returns = ppo.gae(rewards, values, mask, gamma, lam)
    for row, length in enumerate(mask.sum(1).tolist()):
        expected = slow_gae(rewards[row, :length].tolist(), values[row, :length].tolist(), gamma, lam)
        assert advantages[row, :length].tolist() == pytest.approx(expected, abs=1e-12)
        assert advantages[row, length:].abs().sum() == 0
        assert returns[row, :length].tolist() == pytest.approx(
            [a + v for a, v in zip(expected, values[row].tolist(), strict=False)], abs=1e-12
        )


def test_gae_with_lambda_1_is_the_discounted_sum_of_rewards_less_the_value() -> None:
    rewards, values, mask = random_batch()
    advantages, _ = ppo.gae(rewards, values, mask, gamma=0.9, lam=1.0)
    row = int(mask.sum(1).argmax())
    length = int(mask[row].sum())
    earned = sum(0.9**t * float(rewards[row, t]) for t in range(length))
    assert float(advantages[row, 0]) == pytest.approx(earned - float(values[row, 0]))


@pytest.fixture(params=sorted(TRL))
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One recorded PPO batch of TRL 1.12, its lists as tensors; masks are 1 on tokens that count."""
    case = TRL[request.param]
    tensors = {name: torch.tensor(value) for name, value in case.items() if name not in ("updates", "settings")}
    tensors["mask"] = (~tensors["padding_mask"]).long()
    tensors["mask_p1"] = (~tensors["padding_mask_p1"]).long()
    return {**tensors, **case["settings"], "updates": case["updates"]}


class TestAgainstTRL:
    """Golden tensors of TRL 1.12's PPOTrainer, made by tests/oracles/record_trl_ppo.py, at 1e-5."""

    def test_kl(self, golden: dict[str, Any]) -> None:
        kl = ppo.kl_estimate(golden["logprobs"], golden["ref_logprobs"], golden["kl_estimator"])
        assert_close(kl, golden["kl"])

    def test_value_mask(self, golden: dict[str, Any]) -> None:
        assert torch.equal(ppo.value_mask(golden["mask"], "after"), golden["mask_p1"])

    def test_token_rewards_with_the_score_after_the_response(self, golden: dict[str, Any]) -> None:
        rewards = ppo.token_rewards(golden["scores"], golden["kl"], golden["mask"], golden["kl_coef"], "after")
        if golden["whiten_rewards"]:
            rewards = ppo.whiten(rewards, golden["mask_p1"], shift_mean=False)
        assert_close(rewards, golden["rewards"])

    def test_the_default_puts_the_score_on_the_last_token_instead(self, golden: dict[str, Any]) -> None:
        """The difference to TRL: there the policy's last action is followed by a step that no one took."""
        if golden["whiten_rewards"]:
            pytest.skip("whitened rewards are no longer score and penalty")
        ours = ppo.token_rewards(golden["scores"], golden["kl"], golden["mask"], golden["kl_coef"])
        assert_close(ours.sum(1), golden["rewards"].sum(1))
        ended = golden["contain_eos_token"] & (golden["mask"].sum(1) < golden["mask"].shape[1])
        assert bool(ended.any())
        last = golden["mask"].sum(1) - 1
        rows = torch.arange(len(last))
        moved = (ours - golden["rewards"])[rows, last]
        assert_close(moved, torch.where(ended, golden["scores"], 0.0))

    def test_advantages_and_returns(self, golden: dict[str, Any]) -> None:
        rewards, values, mask = golden["rewards"], golden["values"], golden["mask_p1"]
        advantages, returns = ppo.gae(rewards, values, mask, golden["gamma"], golden["lam"])
        assert_close(returns, golden["returns"])
        whitened = ppo.whiten(advantages, golden["mask"])
        assert_close(whitened, golden["advantages"])

    def test_losses_of_each_update(self, golden: dict[str, Any]) -> None:
        assert len(golden["updates"]) == 3
        for update in golden["updates"]:
            rows = update["micro_batch_inds"]
            new, mask = torch.tensor(update["new_logprobs"]), golden["mask"][rows]
            policy = ppo.policy_loss(
                new, golden["logprobs"][rows], golden["advantages"][rows], mask, golden["cliprange"]
            )
            value = ppo.value_loss(
                torch.tensor(update["vpred"]),
                golden["values"][rows],
                golden["returns"][rows],
                golden["mask_p1"][rows],
                golden["cliprange_value"],
            )
            assert float(policy) == pytest.approx(update["pg_loss"], abs=1e-5)
            assert float(value) == pytest.approx(update["vf_loss"], abs=1e-5)
            assert float(policy + golden["vf_coef"] * value) == pytest.approx(update["loss"], abs=1e-5)

    def test_missing_eos(self) -> None:
        plain, penalised = TRL["k1"], TRL["penalty"]
        assert plain["responses"] == penalised["responses"]
        ended = torch.tensor(plain["contain_eos_token"])
        scores = ppo.missing_eos(torch.tensor(plain["scores"]), ended, "subtract", 1.0)
        assert_close(scores, torch.tensor(penalised["scores"]))


class TestEnumeration:
    """A vocabulary of 3 tokens and responses of 2: every expectation can be summed instead of sampled."""

    words, length = 3, 2
    responses = torch.tensor(list(itertools.product(range(words), repeat=length)))  # (9, 2)

    def policy(self, seed: int) -> Tensor:
        """Logits of the first token and of the second given the first, (1 + 3, 3)."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(1 + self.words, self.words, generator=generator, dtype=torch.float64)

    def logprobs(self, logits: Tensor) -> Tensor:
        """(9, 2): of each token of each possible response."""
        first, second = self.responses.unbind(1)
        table = logits.log_softmax(-1)
        return torch.stack((table[0, first], table[1 + first, second]), dim=1)

    def test_gradient_of_the_policy_loss_is_the_gradient_of_the_expected_reward(self) -> None:
        logits = self.policy(0).requires_grad_()
        scores = torch.randn(9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        exact = torch.autograd.grad((self.logprobs(logits).sum(1).exp() * scores).sum(), logits)[0]

        mask = torch.ones(9, 2)
        logprobs = self.logprobs(logits)
        probability = logprobs.detach().sum(1).exp()
        values = torch.randn(1 + self.words, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        baseline = torch.stack((values[0].expand(9), values[1 + self.responses[:, 0]]), dim=1)
        rewards = ppo.token_rewards(scores, torch.zeros(9, 2, dtype=torch.float64), mask, 0.0)
        advantages, _ = ppo.gae(rewards, baseline, mask, gamma=1.0, lam=1.0)
        # The mean over tokens, weighted by how often a response is drawn; 2 tokens a response.
        losses = torch.stack(
            [ppo.policy_loss(logprobs[i], logprobs[i].detach(), advantages[i], mask[i]) * self.length for i in range(9)]
        )
        estimated = torch.autograd.grad((probability * losses).sum(), logits)[0]
        torch.testing.assert_close(-estimated, exact, rtol=1e-12, atol=1e-12)

    def test_kl_estimators_in_the_mean(self) -> None:
        old, new = self.logprobs(self.policy(0)), self.logprobs(self.policy(3))
        probability = new.sum(1).exp()
        exact = float((probability * (new.sum(1) - old.sum(1))).sum())
        assert exact > 0.1
        k1 = ppo.kl_estimate(new, old, "k1").sum(1)
        k3 = ppo.kl_estimate(new, old, "k3").sum(1)
        assert float((probability * k1).sum()) == pytest.approx(exact)
        assert float((probability * k3).sum()) == pytest.approx(exact)
        assert float((probability * (k1 - exact) ** 2).sum()) > float((probability * (k3 - exact) ** 2).sum())

    def test_a_reversed_ratio_is_not_the_kl(self) -> None:
        """PRACTICE: with the two log-probabilities swapped k3 gives 0.4220 where the KL is 0.3446."""
        new, old = torch.tensor([0.7, 0.2, 0.1]).log(), torch.tensor([0.3, 0.4, 0.3]).log()
        assert float((new.exp() * ppo.kl_estimate(new, old, "k3")).sum()) == pytest.approx(0.3446, abs=1e-4)
        assert float((new.exp() * ppo.kl_estimate(old, new, "k3")).sum()) == pytest.approx(0.4220, abs=1e-4)

    def test_as_a_reward_only_k1_has_the_gradient_of_the_kl(self) -> None:
        """The policy gradient of E[k], with k taken as a constant, as a reward is."""
        logits, ref = self.policy(0)[0].requires_grad_(), self.policy(3)[0].log_softmax(-1)
        table = logits.log_softmax(-1)
        exact = torch.autograd.grad((table.exp() * (table - ref)).sum(), logits, retain_graph=True)[0]
        for kind, same in (("k1", True), ("k3", False)):
            cost = ppo.kl_estimate(table, ref, "k1" if kind == "k1" else "k3").detach()
            estimated = torch.autograd.grad((table.exp().detach() * table * cost).sum(), logits, retain_graph=True)[0]
            assert torch.allclose(estimated, exact) == same

    def test_which_estimator_may_be_a_loss(self) -> None:
        """As a loss k1 has no gradient in the mean, and k2 has exactly the gradient of the KL."""
        logits, ref = self.policy(0)[0].requires_grad_(), self.policy(3)[0].log_softmax(-1)
        table = logits.log_softmax(-1)
        exact = torch.autograd.grad((table.exp() * (table - ref)).sum(), logits, retain_graph=True)[0]
        drawn = table.detach().exp()
        gradient = {
            kind: torch.autograd.grad((drawn * ppo.kl_estimate(table, ref, kind)).sum(), logits, retain_graph=True)[0]
            for kind in ("k1", "k2", "k3")
        }
        torch.testing.assert_close(gradient["k1"], torch.zeros(3, dtype=torch.float64))
        torch.testing.assert_close(gradient["k2"], exact)
        assert not torch.allclose(gradient["k3"], exact, atol=1e-2)


@given(st.floats(-20, 0), st.floats(-20, 0))
def test_k3_is_never_negative_and_k1_can_be(new: float, old: float) -> None:
    a, b = torch.tensor([new], dtype=torch.float64), torch.tensor([old], dtype=torch.float64)
    assert float(ppo.kl_estimate(a, b, "k3")) >= 0
    assert float(ppo.kl_estimate(a, b, "k2")) >= 0
    assert float(ppo.kl_estimate(a, b, "k1")) == pytest.approx(new - old)


class TestWhitening:
    def test_moments(self) -> None:
        x, _, mask = random_batch(8, 9)
        kept = ppo.whiten(x, mask)[mask.bool()]
        assert float(kept.mean()) == pytest.approx(0, abs=1e-9)
        assert float(kept.var(correction=1)) == pytest.approx(1, abs=1e-6)
        biased = ppo.whiten(x, mask, unbiased=False)[mask.bool()]
        assert float(biased.var(correction=0)) == pytest.approx(1, abs=1e-6)

    def test_keeping_the_mean(self) -> None:
        x, _, mask = random_batch(8, 9)
        kept = ppo.whiten(x, mask, shift_mean=False)[mask.bool()]
        assert float(kept.mean()) == pytest.approx(float(x[mask.bool()].mean()))
        assert float(kept.var(correction=1)) == pytest.approx(1, abs=1e-6)

    def test_one_token_or_none_gives_no_infinity(self) -> None:
        x, mask = torch.tensor([[3.0, 5.0]]), torch.tensor([[1, 0]])
        assert ppo.whiten(x, mask).tolist() == [[0.0, 0.0]]
        assert ppo.whiten(x, torch.zeros(1, 2)).tolist() == [[0.0, 0.0]]


class TestPadding:
    """More padding behind the responses changes no number."""

    def test_columns_of_padding_change_nothing(self) -> None:
        generator = torch.Generator().manual_seed(5)
        rewards, values, mask = random_batch(6, 5)
        new, old, now = torch.randn(3, 6, 5, generator=generator, dtype=torch.float64)

        def wider(x: Tensor, junk: float) -> Tensor:
            return torch.cat((x, torch.full((len(x), 3), junk, dtype=x.dtype)), dim=1)

        wide_mask = wider(mask, 0)
        narrow = ppo.gae(rewards, values, mask)
        wide = ppo.gae(wider(rewards, 7.0), wider(values, -9.0), wide_mask)
        torch.testing.assert_close(wide[0][:, :5], narrow[0])
        torch.testing.assert_close(wide[1][:, :5], narrow[1])
        assert wide[0][:, 5:].abs().sum() == 0
        torch.testing.assert_close(ppo.whiten(wide[0], wide_mask)[:, :5], ppo.whiten(narrow[0], mask))
        advantages, returns = narrow
        torch.testing.assert_close(
            ppo.policy_loss(wider(new, 2.0), wider(old, 1.0), wider(advantages, 3.0), wide_mask),
            ppo.policy_loss(new, old, advantages, mask),
        )
        torch.testing.assert_close(
            ppo.value_loss(wider(now, 4.0), wider(values, 4.0), wider(returns, 8.0), wide_mask),
            ppo.value_loss(now, values, returns, mask),
        )
        scores = torch.randn(6, generator=generator, dtype=torch.float64)
        kl = ppo.kl_estimate(new, old)
        torch.testing.assert_close(
            ppo.token_rewards(scores, wider(kl, 5.0), wide_mask, 0.1)[:, :5], ppo.token_rewards(scores, kl, mask, 0.1)
        )

    def test_losses_of_micro_batches_weighted_by_their_tokens_add_up(self) -> None:
        generator = torch.Generator().manual_seed(6)
        new, old, advantages = torch.randn(3, 6, 5, generator=generator, dtype=torch.float64)
        _, _, mask = random_batch(6, 5)
        whole = ppo.policy_loss(new, old, advantages, mask)
        parts = [
            ppo.policy_loss(new[rows], old[rows], advantages[rows], mask[rows]) * mask[rows].sum() / mask.sum()
            for rows in (slice(0, 2), slice(2, 4), slice(4, 6))
        ]
        torch.testing.assert_close(torch.stack(parts).sum(), whole)


def test_policy_loss_clips_only_on_the_side_that_gains() -> None:
    ones = torch.ones(1, 1)
    for ratio, advantage, expected in [(1.5, 1.0, -1.2), (0.5, 1.0, -0.5), (1.5, -1.0, 1.5), (0.5, -1.0, 0.8)]:
        loss = ppo.policy_loss(math.log(ratio) * ones, 0 * ones, advantage * ones, ones, clip=0.2)
        assert float(loss) == pytest.approx(expected)


def test_value_loss_without_clipping_is_half_the_squared_error() -> None:
    values, old, returns = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(4, 6)
    assert float(ppo.value_loss(values, old, returns, mask, clip=0.0)) == pytest.approx(
        float(0.5 * (values - returns).square().mean())
    )
    assert float(ppo.value_loss(values, old, returns, mask, clip=0.2)) >= float(
        ppo.value_loss(values, old, returns, mask, clip=0.0)
    )


def test_adaptive_kl_moves_towards_the_target_and_no_faster_than_a_fifth() -> None:
    assert ppo.adapt_kl_coef(0.1, kl=6.0, target=6.0, horizon=1000, episodes=100) == 0.1
    assert ppo.adapt_kl_coef(0.1, kl=3.0, target=6.0, horizon=100, episodes=100) == pytest.approx(0.08)
    assert ppo.adapt_kl_coef(0.1, kl=600.0, target=6.0, horizon=100, episodes=100) == pytest.approx(0.12)


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A little Llama, prompts in a file, and a reward that counts one word."""
    return {**settings_of(tmp_path, monkeypatch), **SIZES["ppo"]}


def run(**settings: Any) -> list[Event]:
    return list(ppo.run(ppo.Config(**settings)))


class Round:
    """One round of sampling with a little Llama, before its first update."""

    def __init__(self, **settings: Any) -> None:
        tokenizer = word_tokenizer()
        self.config = ppo.Config(mini_batch_size=4, max_new_tokens=8, **settings)
        model = little_llama(tokenizer)
        self.setup = Setup(self.config, model, Encoder(tokenizer, model.config), torch.device("cpu"))
        self.agent = ppo.Agent(model)
        self.reference = little_llama(tokenizer, seed=1)
        asked = [Prompt(self.setup.encoder.prompt(text), text) for text in ("hi", "hi one two", "yes", "no no", "good")]
        draws = (
            rollouts.respond(self.setup, model, asked, 8, self.config.temperature, step=i) for i in itertools.count()
        )
        self.responses = next(drawn for drawn in draws if 0 < sum(r.ended for r in drawn) < len(drawn))
        self.actions = rollouts.as_actions(self.responses, "cpu")
        self.scores = torch.arange(5.0)

    def judge(self) -> tuple[ppo.Rollout, dict[str, float]]:
        return ppo.judge(self.setup, self.config, self.agent, self.reference, self.actions, self.scores, 0.1)


class TestBeforeTheFirstUpdate:
    def test_the_value_head_is_0_and_the_ratio_1(self) -> None:
        for temperature in (1.0, 0.7):
            made = Round(temperature=temperature)
            old, _ = made.judge()
            assert old.values.abs().max() == 0
            logits, values = made.agent(made.actions, temperature)
            assert values.detach().abs().max() == 0
            logprobs = rollouts.action_logprobs(logits, made.actions.chosen).detach()
            ratio = ((logprobs - old.logprobs) * made.actions.mask).exp()
            assert float((ratio - 1).abs().max()) < 1e-5

    def test_the_first_advantages_are_the_rewards_still_to_come(self) -> None:
        made = Round(whiten_advantages=False, lam=1.0)
        old, _ = made.judge()
        kl = (old.logprobs - old.ref_logprobs) * made.actions.mask
        rewards = -0.1 * kl
        for row, response in enumerate(made.responses):
            rewards[row, len(response.ids) - 1] += made.scores[row]
        to_come = rewards.flip(1).cumsum(1).flip(1) * made.actions.mask
        torch.testing.assert_close(old.advantages, to_come, atol=1e-5, rtol=0)
        torch.testing.assert_close(old.returns, to_come, atol=1e-5, rtol=0)

    def test_advantages_are_whitened_over_the_whole_round(self) -> None:
        made = Round()
        kept = made.judge()[0].advantages[made.actions.mask.bool()]
        assert float(kept.mean()) == pytest.approx(0, abs=1e-6)
        assert float(kept.std()) == pytest.approx(1, abs=1e-4)

    def test_the_gradient_is_that_of_reinforce(self) -> None:
        made = Round(value_coef=0.0)
        old, _ = made.judge()
        ppo.losses(made.config, made.agent, made.actions, old, 0.1)["loss"].backward()
        weight = made.agent.policy.model.embed_tokens.weight
        assert weight.grad is not None
        ours, weight.grad = weight.grad, None
        logits, _ = made.agent(made.actions, 1.0)
        logprobs = rollouts.action_logprobs(logits, made.actions.chosen)
        (-(logprobs * old.advantages).sum() / made.actions.mask.sum()).backward()
        torch.testing.assert_close(ours, weight.grad, atol=1e-6, rtol=1e-4)

    def test_a_response_is_told_token_by_token_with_what_is_trained_on(self) -> None:
        made = Round()
        old, _ = made.judge()
        told = ppo.by_token(made.setup, 3, made.responses[0], old, 1.5)
        count = len(made.responses[0].ids)
        expected = (-old.logprobs[0], old.logprobs[0] - old.ref_logprobs[0], old.advantages[0])
        assert len(told.tokens) == count
        assert (told.prompt, dict(told.scores)) == ("hi", {"reward": 1.5})
        for row, values in zip(told.rows, expected, strict=True):
            assert row.values == pytest.approx(values[:count].tolist(), abs=1e-3)

    def test_eos_is_an_action_that_is_trained_on(self) -> None:
        made = Round()
        ended = [i for i, response in enumerate(made.responses) if response.ended]
        assert ended
        old, _ = made.judge()
        for row in ended:
            last = len(made.responses[row].ids) - 1
            assert int(made.actions.chosen[row, last]) == made.setup.encoder.eos_id
            assert int(made.actions.mask[row, last]) == 1
            assert float(old.advantages[row, last]) != 0

    def test_the_kl_may_stand_in_the_loss(self) -> None:
        in_loss, in_reward = Round(kl_in="loss", kl_estimator="k2"), Round()
        old, _ = in_loss.judge()
        found = ppo.losses(in_loss.config, in_loss.agent, in_loss.actions, old, 0.1)
        kl = ppo.kl_estimate(old.logprobs, old.ref_logprobs, "k2") * in_loss.actions.mask
        expected = found["policy_loss"] + 0.1 * found["value_loss"] + 0.1 * kl.sum() / in_loss.actions.mask.sum()
        torch.testing.assert_close(found["loss"], expected)
        assert not torch.equal(old.returns, in_reward.judge()[0].returns)
        no_kl = ppo.token_rewards(in_loss.scores, kl, in_loss.actions.mask, 0.0)
        torch.testing.assert_close(old.returns[:, 0], ppo.gae(no_kl, old.values, in_loss.actions.mask)[1][:, 0])


def test_what_a_step_tells(settings: dict[str, Any]) -> None:
    first, _ = metrics(run(**settings))
    assert first["ratio"] == pytest.approx(1, abs=0.05)
    told = {
        "reward",
        "kl",
        "clip_fraction",
        "entropy",
        "value_loss",
        "explained_variance",
        "response_length",
        "eos_rate",
    }
    assert told <= first.keys()


def test_the_first_and_the_last_round_are_told_token_by_token(settings: dict[str, Any]) -> None:
    settings["steps"] = 3
    told = [event for event in run(**settings) if isinstance(event, Tokens)]
    assert [text.title.split()[1] for text in told] == ["1", "3"]


def test_two_steps_with_a_reward_model(settings: dict[str, Any], tmp_path: Path) -> None:
    tokenizer = word_tokenizer()
    model = little_llama(tokenizer, seed=2)
    made = Setup(ppo.Config(), model, Encoder(tokenizer, model.config), torch.device("cpu"))
    reward_model.save_reward(reward_model.RewardModel(model), made, tmp_path / "reward")
    assert len(metrics(run(**{**settings, "reward": ""}, reward_model=str(tmp_path / "reward")))) == 2
    with pytest.raises(UserError, match="is no reward model"):
        run(**{**settings, "reward": ""}, reward_model=settings["model"])


@pytest.mark.parametrize(
    "switch",
    [
        {"kl_in": "loss", "kl_estimator": "k3"},
        {"kl_estimator": "k2"},
        {"kl_target": 0.5},
        {"whiten_rewards": True, "whiten_advantages": False},
        {"score_position": "after"},
        {"missing_eos": "subtract"},
        {"missing_eos": "none"},
        {"value_clip": 0.0, "epochs": 2},
        {"temperature": 0.7},
    ],
)
def test_every_switch_runs_and_changes_the_numbers(settings: dict[str, Any], switch: dict[str, Any]) -> None:
    settings["steps"] = 3
    assert metrics(run(**settings, **switch))[-1] != metrics(run(**settings))[-1]


def test_a_loss_that_is_no_number_stops_the_run_at_its_step(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ppo, "value_loss", lambda values, *_: values.sum() * math.nan)
    with pytest.raises(UserError, match="the loss is nan at step 1"):
        run(**settings)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"steps": 0}, "--steps must be at least 1"),
        ({"mini_batch_size": 0}, "--mini-batch-size must be at least 1"),
        ({"max_new_tokens": 0}, "--max-new-tokens must be at least 1"),
        ({"kl_coef": -0.1}, "--kl-coef must not be negative"),
        ({"temperature": 0.0}, "--temperature must be above 0"),
        ({"kl_in": "loss"}, "k1 has no gradient"),
        ({"max_new_tokens": 60}, "every row of"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
