"""Proximal Policy Optimization (PPO): fine-tune a language model on a reward, in small steps that stay near its start.

The policy π answers prompts.  Each response gets one score, less a price per token for leaving the SFT model π_ref.  A
value head V predicts at each token what is still to come; the advantage A is how much better it went.  Tokens with
A > 0 become likelier, but the ratio ρ = π / π_old gains nothing from leaving [1 - ε, 1 + ε]:

    r_t = -β·(log π - log π_ref) + [t is last]·score              (Ziegler et al. 2019, arXiv 1909.08593, Eq. 2)
    L   = E[max(-A·ρ, -A·clip(ρ, 1 ± ε))] + c·½E[(V - R)²]        (Schulman et al. 2017, arXiv 1707.06347, Eq. 7, 9)

Step 3 of RLHF (Ouyang et al. 2022, arXiv 2203.02155).  [N] is OpenAI's code of 2019 as told in "The N Implementation
Details of RLHF with PPO" (Huang et al. 2023), [N+] arXiv 2403.17031, [S] arXiv 2307.04964, [TRL] TRL 1.12.

Implementation details
  1. The KL goes into each token's reward ([N], [N+], [TRL]); `--kl-in loss` adds it to the loss instead, as GRPO does.
     There k1 has no gradient in the mean, and only k2 has that of the KL.
  2. It is estimated by k1; `--kl-estimator` takes k2 or k3.  In the mean over samples k1 and k3 are exact, k3 varies
     less; as a reward k1 is the one whose policy gradient is that of the KL.
  3. β is fixed ([N+], [TRL]): one number fewer to go wrong.  `--kl-target` adapts it to hold a KL ([N]).
  4. The score goes to the last sampled token, EOS, which earned it.  `--score-position after` puts it on the padding
     behind ([N+], [TRL]), so that the value head trains one step further; [N]: last column of a fixed length.
  5. A response without EOS scores -1 ([N], [N+]), however well it began.  `--missing-eos subtract` lowers its score
     ([TRL]); "none" rewards beginnings that never end.
  6. Advantages are whitened over the whole round, variance unbiased ([TRL]; [N], [N+] biased).  `--whiten-rewards`
     rescales rewards, too, and keeps their mean ([N]): off, the reward model is normalised already.
  7. The value loss is clipped, too (all four); `--value-clip 0` switches that off.
  8. The value head shares the policy's trunk ([N]): half the time and memory of a critic of its own ([N+], [TRL]).
     It starts at 0, so that the first advantages are rewards and not the noise of a random head.
  9. Log-probabilities are taken at the temperature of sampling, and at EOS, too: stopping is an action.
 10. No dropout, or ρ would not be 1 before the first update; the gradient is clipped to length 1 ([S]; not in [TRL]);
     γ = 1: a score at the end counts the same at every token.
Left out: entropy bonus and early stop by KL (none of the four), reward clipping and value pretraining of [S], PPO-ptx.

    python -m learn_llm.minimal_impls.ppo                                    # tiny world
    python -m learn_llm.minimal_impls.ppo --model smollm2 --data prompts.jsonl --reward my_rewards:politeness
"""

import copy
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.evaluation import compare_with_start, curves
from learn_llm.events import Event, Metrics, Note, Stage, TokenRow, Tokens
from learn_llm.examples import batch_indices, source
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.lora_rank import LoRAConfig, with_lora
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.parallel import own, summed
from learn_llm.rollouts import Actions, Response, masked_mean, own_reward
from learn_llm.running import main
from learn_llm.training import Optimiser, Progress, Setup, prepare, torch_generator

Estimator = Literal["k1", "k2", "k3"]
Position = Literal["last", "after"]
MissingEos = Literal["replace", "subtract", "none"]


@dataclass(frozen=True)
class Config(LoRAConfig):
    """How PPO runs.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The policy at its start, and the reference: a bundled name, a folder, or a hub name of the Llama family."""
    reward_model: str = "tiny-reward"
    """What scores the responses: a bundled name or a folder made by reward_model.py."""
    reward: str = ""
    """Your own reward instead: module:function, f(prompts, responses, rows) -> list of numbers."""
    steps: int = 15
    """Rounds of sampling and updating."""
    batch_size: int = 192
    """Responses a round."""
    mini_batch_size: int = 64
    """Responses an update."""
    epochs: int = 1
    """How often a round's responses are gone through."""
    learning_rate: float = 6e-4
    """Peak of the schedule, AdamW."""
    schedule: Literal["cosine", "linear", "constant"] = "constant"
    """How the learning rate falls to 0 after the warm-up; "constant": not at all."""
    warmup: float = 0.2
    """Share of the rounds in which the learning rate rises to its peak: Adam's first steps are the largest."""
    temperature: float = 1.0
    """Of the samples (9)."""
    max_new_tokens: int = 32
    """The longest response."""
    kl_coef: float = 0.2
    """β, the price of a nat of KL (3)."""
    kl_in: Literal["reward", "loss"] = "reward"
    """Where the KL goes (1)."""
    kl_estimator: Estimator = "k1"
    """How the KL is estimated (2)."""
    kl_target: float = 0.0
    """Above 0: adapt β so that the KL of a response stays near this many nats (3)."""
    kl_horizon: float = 2000.0
    """Episodes in which an adaptive β moves by its own size, at most a fifth of that a round."""
    score_position: Position = "last"
    """Which token the score is added to (4)."""
    missing_eos: MissingEos = "replace"
    """What a response scores that did not end (5)."""
    missing_eos_penalty: float = 1.0
    """The number that is replaced by (-1) or subtracted."""
    whiten_advantages: bool = True
    """Rescale advantages to mean 0 and standard deviation 1 (6)."""
    whiten_rewards: bool = False
    """Rescale rewards to standard deviation 1 (6)."""
    gamma: float = 1.0
    """Discount per token (10)."""
    lam: float = 0.95
    """GAE's λ: 1 trusts what was earned, 0 trusts the value head."""
    clip: float = 0.2
    """ε, how far the ratio may move."""
    value_clip: float = 0.2
    """How far a value may move in one round; 0: anywhere (7)."""
    value_coef: float = 0.1
    """c, the weight of the value loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "mini_batch_size", "max_new_tokens", "epochs")
        self.need(0, "kl_coef", "kl_target", "value_clip", "value_coef")
        self.need_above_0("temperature", "kl_horizon", "clip")
        if self.kl_in == "loss" and self.kl_estimator == "k1":
            raise UserError("--kl-in loss: k1 has no gradient in the mean; add --kl-estimator k2, or k3")


def kl_estimate(logprobs: Tensor, ref_logprobs: Tensor, kind: Estimator = "k1") -> Tensor:
    """KL(π‖π_ref) estimated from each sampled token alone, (B, T) in nats, from log-probabilities (B, T).

    k1 = δ,  k2 = δ²/2,  k3 = e^-δ - 1 + δ  with  δ = log π(a) - log π_ref(a).  A token that became twice as likely:

    >>> kl_estimate(torch.tensor([0.5]).log(), torch.tensor([0.25]).log(), "k1")
    tensor([0.6931])
    >>> kl_estimate(torch.tensor([0.5]).log(), torch.tensor([0.25]).log(), "k3")
    tensor([0.1931])
    """
    delta = logprobs - ref_logprobs
    return {"k1": delta, "k2": delta.square() / 2, "k3": torch.expm1(-delta) + delta}[kind]


def whiten(x: Tensor, mask: Tensor, shift_mean: bool = True, unbiased: bool = True) -> Tensor:
    """(x - μ) / √(σ² + 1e-8), with μ and σ² over the tokens whose mask is 1; 0 elsewhere.

    Args:
        x, mask: (B, T).
        shift_mean: False adds μ again: only the scale changes.
        unbiased: divide the squares by n - 1 rather than n.

    >>> whiten(torch.tensor([[1.0, 3.0, 99.0]]), torch.tensor([[1, 1, 0]]), unbiased=False)
    tensor([[-1.,  1.,  0.]])
    """
    count = mask.sum()
    mean = masked_mean(x, mask)
    variance = masked_mean((x - mean).square(), mask)
    if unbiased:
        variance = variance * count / (count - 1).clamp(min=1)
    whitened = (x - mean) * torch.rsqrt(variance + 1e-8)
    return (whitened if shift_mean else whitened + mean) * mask


def value_mask(mask: Tensor, position: Position) -> Tensor:
    """The tokens whose value counts, (B, T): the response's, and one more where the score comes after it.

    >>> value_mask(torch.tensor([[1, 1, 0, 0]]), "after")
    tensor([[1, 1, 1, 0]])
    """
    return mask if position == "last" else torch.cat((torch.ones_like(mask[:, :1]), mask[:, :-1]), dim=1)


def token_rewards(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float, position: Position = "last") -> Tensor:
    """r_t = -β·KL_t, and the score of the whole response is added at its end.

    Args:
        scores: (B,), one a response.
        kl: (B, T), from `kl_estimate`.
        mask: (B, T), 1 on response tokens and their EOS, on the left; padding behind them is 0.
        position: "last": on the last sampled token; "after": on the first padding behind it, where there is room.

    >>> token_rewards(torch.tensor([1.0]), torch.tensor([[0.1, 0.2]]), torch.tensor([[1, 1]]), kl_coef=0.5)
    tensor([[-0.0500,  0.9000]])
    """
    rewards = -kl_coef * kl * mask
    end = mask.sum(1).long() if position == "after" else mask.sum(1).long() - 1
    return rewards.scatter_add(1, end.clamp(0, mask.shape[1] - 1)[:, None], scores[:, None].to(rewards.dtype))


def missing_eos(scores: Tensor, ended: Tensor, rule: MissingEos, penalty: float) -> Tensor:
    """The scores (B,); where `ended` (B,) is False -penalty ("replace"), penalty less ("subtract") or the same.

    >>> missing_eos(torch.tensor([0.7, 0.7]), torch.tensor([True, False]), "replace", penalty=1.0)
    tensor([ 0.7000, -1.0000])
    """
    if rule == "none":
        return scores
    return torch.where(ended, scores, -penalty if rule == "replace" else scores - penalty)


def gae(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438, Eq. 16), backwards from the end.

        δ_t = r_t + γ·V_t+1 - V_t          A_t = δ_t + γλ·A_t+1          R_t = A_t + V_t

    All (B, T); behind the last token whose mask is 1 the value is 0.  Returns advantages and returns, 0 there, too.
    With γ = λ = 1 the advantage is what the response still earns, less what the value head expected:

    >>> gae(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.75]]), torch.tensor([[1, 1]]), lam=1.0)
    (tensor([[0.5000, 0.2500]]), tensor([[1., 1.]]))
    """
    rewards, values = rewards * mask, values * mask
    following = torch.cat((values[:, 1:], torch.zeros_like(values[:, :1])), dim=1)
    deltas = rewards + gamma * following - values
    advantage, advantages = torch.zeros_like(deltas[:, 0]), torch.zeros_like(deltas)
    for t in reversed(range(deltas.shape[1])):
        advantage = deltas[:, t] + gamma * lam * advantage
        advantages[:, t] = advantage
    return advantages, advantages + values


def policy_loss(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    """L = mean over tokens of max(-A·ρ, -A·clip(ρ, 1 - ε, 1 + ε)),  ρ = π(a) / π_old(a)  (arXiv 1707.06347, Eq. 7).

    All (B, T); `old_logprobs` are of the policy that sampled the tokens, `logprobs` of the policy now, with gradient.
    Beyond 1 + ε a good token earns no more, so its gradient is 0:

    >>> policy_loss(torch.tensor([[1.5]]).log(), torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    tensor(-1.2000)
    """
    ratio = (logprobs - old_logprobs).exp()
    return masked_mean(torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)), mask)


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float = 0.2) -> Tensor:
    """½ · mean over tokens of max((V - R)², (clip(V, V_old ± ε) - R)²);  clip 0: plain ½ · mean (V - R)².

    All (B, T); `old_values` and `returns` are those of the rollout, `values` of the value head now, with gradient.

    >>> value_loss(torch.ones(1, 1), torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1), clip=0.2)
    tensor(0.3200)
    """
    error = (values - returns).square()
    if clip:
        clipped = old_values + (values - old_values).clamp(-clip, clip)
        error = torch.max(error, (clipped - returns).square())
    return 0.5 * masked_mean(error, mask)


def adapt_kl_coef(kl_coef: float, kl: float, target: float, horizon: float, episodes: int) -> float:
    """β ← β·(1 + e·n / horizon),  e = KL / target - 1 cut to ±0.2  (Ziegler et al. 2019, arXiv 1909.08593, 2.2).

    >>> round(adapt_kl_coef(0.1, kl=12.0, target=6.0, horizon=1000, episodes=500), 6)
    0.11
    """
    error = min(max(kl / target - 1, -0.2), 0.2)
    return kl_coef * (1 + error * episodes / horizon)


class Agent(nn.Module):
    """The policy, and a value head on its trunk (detail 8)."""

    def __init__(self, policy: GPT) -> None:
        super().__init__()
        self.policy = policy
        self.value_head = nn.Linear(policy.config.hidden_size, 1, device=policy.device)
        nn.init.zeros_(self.value_head.weight)
        nn.init.zeros_(self.value_head.bias)

    def forward(self, actions: Actions, temperature: float) -> tuple[Tensor, Tensor]:
        """Logits (B, T, V) of each action, divided by the temperature (detail 9); the values (B, T) of its state."""
        logits, hidden = rollouts.action_logits(self.policy, actions, temperature)
        return logits, self.value_head(hidden).squeeze(-1).float()


class Rollout(NamedTuple):
    """What the updates need to know of each sampled token, (B, T) each, 0 behind the response."""

    logprobs: Tensor
    ref_logprobs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor


@torch.no_grad()
def judge(
    setup: Setup, config: Config, agent: Agent, reference: GPT, actions: Actions, scores: Tensor, kl_coef: float
) -> tuple[Rollout, dict[str, float]]:
    """From sampled responses and their scores (B,) to advantages and returns; and the metrics of the round."""
    mask = actions.mask
    logprobs, ref_logprobs, values, entropies = torch.zeros(4, *mask.shape, device=mask.device)
    for rows in actions.by_length(own(torch.arange(len(mask))), config.micro_batch_size or config.mini_batch_size):
        part = actions.rows(rows)
        with setup.autocast():
            logits, part_values = agent(part, config.temperature)
            ref_logits, _ = rollouts.action_logits(reference, part, config.temperature)
        seen = rows[:, None], torch.arange(part.mask.shape[1])
        logprobs[seen] = rollouts.action_logprobs(logits, part.chosen) * part.mask
        ref_logprobs[seen] = rollouts.action_logprobs(ref_logits, part.chosen) * part.mask
        values[seen], entropies[seen] = part_values, rollouts.entropy(logits)
    logprobs, ref_logprobs, values, entropies = map(summed, (logprobs, ref_logprobs, values, entropies))

    kl = kl_estimate(logprobs, ref_logprobs, config.kl_estimator) * mask
    counted = value_mask(mask, config.score_position)
    rewards = token_rewards(scores, kl, mask, kl_coef if config.kl_in == "reward" else 0.0, config.score_position)
    rewards = whiten(rewards, counted, shift_mean=False) if config.whiten_rewards else rewards
    advantages, returns = gae(rewards, values, counted, config.gamma, config.lam)
    errors = (returns - values)[counted.bool()]
    metrics = {
        "kl": float(((logprobs - ref_logprobs) * mask).sum(1).mean()),
        "kl_coef": kl_coef,
        "entropy": float(masked_mean(entropies, mask)),
        "explained_variance": 1 - float(errors.var() / returns[counted.bool()].var().clamp(min=1e-8)),
        "response_length": float(mask.sum(1).float().mean()),
    }
    advantages = whiten(advantages, mask) if config.whiten_advantages else advantages  # detail 6
    return Rollout(logprobs, ref_logprobs, values * counted, advantages * mask, returns), metrics


def by_token(setup: Setup, step: int, response: Response, rollout: Rollout, score: float) -> Tokens:
    """The round's first response: what its tokens cost, how far they are from π_ref, and the advantage of each."""
    rows = {
        "cross-entropy": -rollout.logprobs[0],
        "KL": rollout.logprobs[0] - rollout.ref_logprobs[0],
        "advantage": rollout.advantages[0],
    }
    count = len(response.ids)
    told = tuple(TokenRow(name, tuple(round(x, 3) for x in row[:count].tolist())) for name, row in rows.items())
    words = tuple(setup.encoder.tokenizer.tokens(response.ids))
    return Tokens(words, told, f"round {step}", response.prompt.text, {"reward": score})


def losses(config: Config, agent: Agent, actions: Actions, old: Rollout, kl_coef: float) -> dict[str, Tensor]:
    """The losses of some responses and what is to be told of them; "loss" is what the gradient is taken of."""
    mask = actions.mask
    logits, values = agent(actions, config.temperature)
    logprobs = rollouts.action_logprobs(logits, actions.chosen) * mask
    policy = policy_loss(logprobs, old.logprobs, old.advantages, mask, config.clip)
    counted = value_mask(mask, config.score_position)
    value = value_loss(values, old.values, old.returns, counted, config.value_clip)
    loss = policy + config.value_coef * value
    if config.kl_in == "loss":
        loss = loss + kl_coef * masked_mean(kl_estimate(logprobs, old.ref_logprobs, config.kl_estimator), mask)
    ratio = (logprobs - old.logprobs).detach().exp()
    return {
        "loss": loss,
        "policy_loss": policy,
        "value_loss": value,
        "ratio": masked_mean(ratio, mask),
        "clip_fraction": masked_mean(((ratio - 1).abs() > config.clip).float(), mask),
        "approx_kl": masked_mean(kl_estimate(old.logprobs, logprobs.detach(), "k3"), mask),
    }


def run(config: Config) -> Iterator[Event]:
    """Train on the reward; the verdict compares responses to held-out prompts with those of the start."""
    setup = with_lora(prepare(config), config.lora_rank)
    start = copy.deepcopy(setup.model).requires_grad_(False)  # π_ref
    prompts = source(setup.encoder, config).prompts(config.steps * config.batch_size, room=config.max_new_tokens)
    reward = own_reward(config.reward, setup.encoder) if config.reward else reward_of(config.reward_model, setup)
    yield Note(rollouts.about(prompts, setup))

    yield Stage("PPO", 1, 2)
    agent = Agent(setup.model)
    optimiser = Optimiser([agent], config)
    with Progress(config, {"agent": agent}, optimiser, setup.save) as progress:
        kl_coef = progress.extra.get("kl_coef", config.kl_coef)
        for step in progress.steps():
            asked = [prompts.train[i] for i in batch_indices(config.seed, len(prompts.train), config.batch_size, step)]
            responses = rollouts.respond(
                setup, agent.policy, asked, config.max_new_tokens, config.temperature, "rollout", step
            )
            scores = torch.tensor(reward(responses), device=setup.device)
            actions = rollouts.as_actions(responses, setup.device)
            values = {"reward": float(scores.mean()), "eos_rate": statistics.fmean(r.ended for r in responses)}
            values |= {"gold": statistics.fmean(r.gold for r in responses)} if responses[0].skills else {}
            if config.break_:  # everyone gets somebody else's score: there is nothing to learn
                scores = scores[torch.randperm(len(scores), generator=torch_generator(config, "break", step))]
            ended = torch.tensor([r.ended for r in responses], device=setup.device)
            scores = missing_eos(scores, ended, config.missing_eos, config.missing_eos_penalty)
            rollout, told = judge(setup, config, agent, start, actions, scores, kl_coef)

            updates: list[dict[str, float]] = []
            for epoch in range(config.epochs):
                order = torch.randperm(len(asked), generator=torch_generator(config, f"epoch {epoch}", step))
                for rows in order.split(config.mini_batch_size):
                    count, sums = actions.mask[rows].sum(), Counter[str]()
                    for part in actions.by_length(own(rows), config.micro_batch_size):
                        batch = actions.rows(part)
                        share = batch.mask.sum() / count
                        old = Rollout(*(x[part, : batch.mask.shape[1]] for x in rollout))
                        with setup.autocast():
                            found = losses(config, agent, batch, old, kl_coef)
                        (found["loss"] * share).backward()
                        sums.update({name: (value * share).item() for name, value in found.items()})
                    updates.append(optimiser.step(step, sums))
            told |= {name: statistics.fmean(u[name] for u in updates) for name in updates[0]}
            told["first_ratio"] = updates[0]["ratio"]  # 1, as nothing was updated yet: else the log-probs disagree
            if config.kl_target:
                kl_coef = adapt_kl_coef(kl_coef, told["kl"], config.kl_target, config.kl_horizon, len(asked))
            progress.done(step, values | told, kl_coef=kl_coef)
            yield Metrics(step, config.steps, values | told)
            if step in (1, config.steps):
                yield by_token(setup, step, responses[0], rollout, float(scores[0]))
    yield curves("Reward and gold score of each round", progress.history, ["reward", "gold"], "score")
    yield curves("KL to the start", progress.history, ["kl"], "nats a response")
    yield Stage("held-out prompts", 2, 2)
    claim = "PPO raises the gold score over SFT, at every temperature of SFT, and correctness does not fall"
    yield from compare_with_start(setup, "PPO", start, prompts.held_out, config.max_new_tokens, claim, reward)


if __name__ == "__main__":
    main(run, Config)
