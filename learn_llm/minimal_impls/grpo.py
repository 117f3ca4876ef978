"""Group Relative Policy Optimization (GRPO): PPO without a value head; the other answers are the baseline.

For each prompt G responses are sampled and scored.  How much better than its group a response did is the advantage of
each of its tokens; the rest is PPO's clipped ratio, and a KL in the loss:

    A_i = (R_i - mean of its group) / (std of its group + 1e-4)       (Shao et al. 2024, arXiv 2402.03300, 4.1.2)
    L   = mean over tokens of max(-A·ρ, -A·clip(ρ, 1 - ε, 1 + ε_high)) + β·KL

Group baselines suit rewards that a rule can verify, as in DeepSeek-R1 (arXiv 2501.12948): no reward model, nothing to
over-optimise but the rule.  Here `verify` compares with the reference answer and looks at the form; it knows nothing of
the gold rubric.  [DAPO] is arXiv 2503.14476, [Dr] arXiv 2503.20783, [TRL] TRL 1.16.

Implementation details
  1. Three ways to take the mean, `--variant`: "grpo" within each response, then over responses, so that a token of a
     long response counts less; "dapo" over all tokens of the update; "dr_grpo" the sum over B times the longest length
     allowed, a constant, so that length changes no weight at all ([Dr]).
  2. Dividing by the deviation makes groups that nearly agree as loud as those that differ; "dr_grpo" leaves it out
     ([Dr]).  `--scale-rewards batch` takes one deviation for all.  It is the unbiased one ([TRL]).
  3. "dapo" clips higher above, ε_high 0.28, so that rare tokens have room to grow.
  4. A group that agrees has advantage 0 and teaches nothing; the metric even_groups says how many do.  [DAPO] samples
     on until it has enough others; here they stay, as in [TRL].
  5. The KL estimate k3 stands in the loss, times ρ, as the samples are of the old policy ([TRL]).  β is 0 by default:
     [DAPO] and [Dr] have none, and a rule is harder to flatter than a reward model.
  6. A rule has its own holes: this one takes an answer that names every candidate for right, where the task names no
     options.  Gold does not, so reward and gold would part.
Left out: dynamic sampling and the soft penalty for length of [DAPO], ratios of whole sequences (GSPO).

    python -m learn_llm.minimal_impls.grpo                                          # tiny world, a rule as reward
    python -m learn_llm.minimal_impls.grpo --reward-model tiny-reward --variant dr_grpo
    python -m learn_llm.minimal_impls.grpo --model smollm2 --data prompts.jsonl --reward my_rewards:politeness
"""

import copy
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.evaluation import compare_with_start, curves
from learn_llm.events import Event, Metrics, Note, Stage
from learn_llm.examples import batch_indices, source
from learn_llm.minimal_impls.ppo import kl_estimate
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import own
from learn_llm.rollouts import masked_mean
from learn_llm.running import main
from learn_llm.training import Optimiser, Progress, TrainConfig, prepare, torch_generator

Variant = Literal["grpo", "dapo", "dr_grpo"]
Scale = Literal["group", "batch", "none"]
RULE = "learn_llm.minimal_impls.grpo:verify"


@dataclass(frozen=True)
class Config(TrainConfig):
    """How GRPO runs.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The policy at its start, and the reference: a bundled name, a folder, or a hub name of the Llama family."""
    reward: str = RULE
    """The reward: module:function, f(prompts, responses, rows) -> list of numbers."""
    reward_model: str = ""
    """A reward model instead of the rule: a bundled name or a folder made by reward_model.py."""
    variant: Variant = "dapo"
    """How the mean over tokens is taken, and what follows from it (1, 2, 3)."""
    scale_rewards: Literal["auto", "group", "batch", "none"] = "auto"
    """The deviation that advantages are divided by; "auto": none in dr_grpo, else the group's (2)."""
    group_size: int = 8
    """G, responses a prompt."""
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
    schedule: Literal["cosine", "linear", "constant", "trapezoid"] = "constant"
    """How the learning rate falls to 0 after the warm-up; "constant": not at all."""
    warmup: float = 0.2
    """Share of the rounds in which the learning rate rises to its peak."""
    temperature: float = 1.0
    """Of the samples; log-probabilities are taken at the same."""
    max_new_tokens: int = 32
    """The longest response."""
    kl_coef: float = 0.0
    """β, the price of a nat of KL (5)."""
    clip: float = 0.2
    """ε, how far the ratio of a token may fall, and rise but in dapo."""
    clip_high: float = 0.0
    """ε_high, how far it may rise; 0: 0.28 in dapo, else ε (3)."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(2, "group_size")
        self.need(1, "mini_batch_size", "epochs", "max_new_tokens")
        self.need(0, "kl_coef", "clip_high")
        self.need_above_0("temperature", "clip")
        if self.batch_size % self.group_size:
            raise UserError(f"--batch-size {self.batch_size} is not a multiple of --group-size {self.group_size}")

    @property
    def scale(self) -> Scale:
        """What the advantages are divided by."""
        if self.scale_rewards == "auto":
            return "none" if self.variant == "dr_grpo" else "group"
        return self.scale_rewards

    @property
    def upper(self) -> float:
        """ε_high."""
        return self.clip_high or (0.28 if self.variant == "dapo" else self.clip)


def group_advantages(rewards: Tensor, group_size: int, scale: Scale = "group") -> Tensor:
    """(R - mean of the group) / (deviation + 1e-4), (B,): groups of rewards (B,) lie beside each other (detail 2).

    >>> group_advantages(torch.tensor([0.0, 1.0, 2.0, 5.0, 5.0, 5.0]), group_size=3)
    tensor([-0.9999,  0.0000,  0.9999,  0.0000,  0.0000,  0.0000])
    """
    groups = rewards.view(-1, group_size)
    centred = groups - groups.mean(1, keepdim=True)
    if scale == "group":
        centred = centred / (groups.std(1, keepdim=True) + 1e-4)
    if scale == "batch":
        centred = centred / (rewards.std() + 1e-4)
    return centred.view(-1)


def token_losses(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2, clip_high: float = 0.2
) -> Tensor:
    """max(-A·ρ, -A·clip(ρ, 1 - ε, 1 + ε_high)) of each token, (B, T): advantages (B,), log π (B, T) in nats.

    A good token whose probability rose by half counts as if it had risen by ε_high:

    >>> token_losses(torch.tensor([[1.5]]).log(), torch.zeros(1, 1), torch.ones(1), clip_high=0.28)
    tensor([[-1.2800]])
    """
    ratio, a = (logprobs - old_logprobs).exp(), advantages[:, None]
    return torch.max(-a * ratio, -a * ratio.clamp(1 - clip, 1 + clip_high))


def reduce(losses: Tensor, mask: Tensor, variant: Variant, rows: int, tokens: float, longest: int) -> Tensor:
    """One number from token losses (B, T), for all of an update or for a part of it: the parts add up (detail 1).

    Args:
        mask: (B, T), 1 on response tokens and their EOS.
        rows, tokens: how many responses and tokens the whole update has.
        longest: the longest response allowed.

    A response of 1 token with loss 4 and one of 3 tokens with loss 1 each:

    >>> losses, mask = torch.tensor([[4.0, 0, 0], [1, 1, 1]]), torch.tensor([[1, 0, 0], [1, 1, 1]])
    >>> [float(reduce(losses, mask, v, rows=2, tokens=4, longest=10)) for v in ("grpo", "dapo", "dr_grpo")]
    [2.5, 1.75, 0.3499999940395355]
    """
    sums = (losses * mask).sum(1)
    if variant == "grpo":
        return (sums / mask.sum(1).clamp(min=1)).sum() / rows
    return sums.sum() / (tokens if variant == "dapo" else rows * longest)


def grpo_loss(
    config: Config,
    logprobs: Tensor,
    old_logprobs: Tensor,
    ref_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    rows: int,
    tokens: float,
) -> Tensor:
    """The loss of an update, or of a part of it, a scalar: log π (B, T) in nats, advantages (B,)."""
    losses = token_losses(logprobs, old_logprobs, advantages, config.clip, config.upper)
    if config.kl_coef:  # detail 5
        ratio = (logprobs - old_logprobs).exp()
        losses = losses + config.kl_coef * kl_estimate(logprobs, ref_logprobs, "k3") * ratio
    return reduce(losses, mask, config.variant, rows, tokens, config.max_new_tokens)


# How the tiny world's people word what the reference says in one word.
_WORDINGS = {"unknown": "do not know", "no": "will not help"}


def is_right(response: str, row: Mapping[str, Any]) -> bool:
    """Whether the first sentence says the words of a reference answer, in order, and none of the other options.

    >>> row = {"outputs": ["cold"], "options": ["hot", "cold"]}
    >>> is_right("ice is cold. it is big.", row), is_right("it is hot or cold.", row), is_right("no. cold.", row)
    (True, False, False)
    """
    words = re.findall(r"\w+", response.lower().partition(".")[0])
    for output in row["outputs"]:
        wanted = re.findall(r"\w+", str(output).lower())
        others = {str(option).lower() for option in row.get("options") or ()}.difference(wanted)
        left = iter(words)
        told = all(word in left for word in wanted)  # `in` goes on where the last word was found
        if (told or _WORDINGS.get(" ".join(wanted), "\n") in " ".join(words)) and others.isdisjoint(words):
            return True
    return False


def is_well_formed(prompt: str, response: str) -> bool:
    """Whether it begins with the word that was asked for, ends with a full stop, and says no word twice in a row.

    >>> prompt = "hot or cold ? begin with sure ."
    >>> [is_well_formed(prompt, response) for response in ("sure, cold.", "cold.", "sure, cold", "sure, cold cold.")]
    [True, False, False, False]
    """
    asked = re.search(r"begin with (\w+)", prompt)
    words = re.findall(r"\w+", response.lower())
    begun = asked is None or words[:1] == [asked[1]]
    return begun and response.rstrip().endswith(".") and all(a != b for a, b in itertools.pairwise(words))


def verify(prompts: Sequence[str], responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """The rule: 1 for the right answer and 1/2 for the right form.

    Raises:
        UserError: a row has no reference answers.
    """
    if any(not isinstance(row.get("outputs"), list) for row in rows):
        raise UserError(
            'the rule compares with the reference answers: each row needs "outputs": [...], or give --reward'
        )
    checked = zip(prompts, responses, rows, strict=True)
    return [is_right(r, row) + 0.5 * is_well_formed(p, r) for p, r, row in checked]


def run(config: Config) -> Iterator[Event]:
    """Train on the reward; the verdict compares responses to held-out prompts with those of the start."""
    if config.full:
        yield from full("grpo", run, config)
        return
    setup = prepare(config)
    start = copy.deepcopy(setup.model).requires_grad_(False)  # π_ref
    groups = config.batch_size // config.group_size
    prompts = source(setup.encoder, config).prompts(config.steps * groups, room=config.max_new_tokens)
    reward = (
        reward_of(config.reward_model, setup)
        if config.reward_model
        else rollouts.own_reward(config.reward, setup.encoder)
    )
    yield Note(rollouts.about(prompts, setup))

    yield Stage("GRPO", 1, 2)
    optimiser = Optimiser([setup.model], config)
    size = config.micro_batch_size or config.mini_batch_size
    with Progress(config, {"model": setup.model}, optimiser, setup.save) as progress:
        for step in progress.steps():
            rows = batch_indices(config.seed, len(prompts.train), groups, step)
            asked = [prompts.train[i] for i in rows for _ in range(config.group_size)]
            responses = rollouts.respond(
                setup, setup.model, asked, config.max_new_tokens, config.temperature, "rollout", step
            )
            scores = torch.tensor(reward(responses), device=setup.device)
            actions = rollouts.as_actions(responses, setup.device)
            values = {"reward": float(scores.mean()), "eos_rate": statistics.fmean(r.ended for r in responses)}
            values |= {"gold": statistics.fmean(r.gold for r in responses)} if responses[0].skills else {}
            if config.break_:  # everyone gets somebody else's score: there is nothing to learn
                scores = scores[torch.randperm(len(scores), generator=torch_generator(config, "break", step))]
            advantages = group_advantages(scores, config.group_size, config.scale)
            old, entropies = rollouts.judged(setup, setup.model, actions, config.temperature, size)
            ref, _ = rollouts.judged(setup, start, actions, config.temperature, size)
            values |= {
                "kl": float((old - ref).sum(1).mean()),
                "entropy": float(masked_mean(entropies, actions.mask)),
                "even_groups": float((scores.view(-1, config.group_size).std(1) < 1e-6).float().mean()),
                "response_length": float(actions.mask.sum(1).float().mean()),
            }
            updates: list[dict[str, float]] = []
            for epoch in range(config.epochs):
                order = torch.randperm(len(asked), generator=torch_generator(config, f"epoch {epoch}", step))
                for drawn in order.split(config.mini_batch_size):
                    count, told = float(actions.mask[drawn].sum()), Counter[str]()
                    for part in actions.by_length(own(drawn), config.micro_batch_size):
                        batch = actions.rows(part)
                        seen, mask = (part, slice(batch.mask.shape[1])), batch.mask
                        with setup.autocast():
                            logits, _ = rollouts.action_logits(setup.model, batch, config.temperature)
                        now = rollouts.action_logprobs(logits, batch.chosen) * mask
                        loss = grpo_loss(config, now, old[seen], ref[seen], advantages[part], mask, len(drawn), count)
                        loss.backward()
                        ratio = (now - old[seen]).detach().exp()
                        out = (ratio < 1 - config.clip) | (ratio > 1 + config.upper)
                        found = {
                            "ratio": (ratio * mask).sum() / count,
                            "clip_fraction": (out * mask).sum() / count,
                            "approx_kl": (kl_estimate(old[seen], now.detach(), "k3") * mask).sum() / count,
                        }
                        told.update({"loss": loss.item(), **{name: value.item() for name, value in found.items()}})
                    updates.append(optimiser.step(step, told))
            values |= {name: statistics.fmean(u[name] for u in updates) for name in updates[0]}
            values["first_ratio"] = updates[0]["ratio"]  # 1, as nothing was updated yet: else the log-probs disagree
            progress.done(step, values)
            yield Metrics(step, config.steps, values)
    yield curves("Reward and gold score of each round", progress.history, ["reward", "gold"], "score")
    yield curves("KL to the start", progress.history, ["kl"], "nats a response")
    yield Stage("held-out prompts", 2, 2)
    by = "a reward model" if config.reward_model else "a rule as its reward"
    claim = f"GRPO with {by} raises the gold score over SFT, at every temperature of SFT, and correctness does not fall"
    yield from compare_with_start(setup, "GRPO", start, prompts.held_out, config.max_new_tokens, claim, reward)


if __name__ == "__main__":
    main(run, Config)
