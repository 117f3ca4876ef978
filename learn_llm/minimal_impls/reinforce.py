"""REINFORCE and RLOO: make likelier what scored above its baseline.  The policy gradient in its plainest form.

The whole response is one action, its score R one number; there is no value head and no GAE:

    ∇J = E[(R(x, y) - b)·∇log π(y|x)]                             (Williams 1992, Machine Learning 8, theorem 1)
    b_i = mean of R over the K - 1 other responses to the prompt  (RLOO: Kool et al. 2019; Ahmadian et al. 2024,
                                                                   arXiv 2402.14740, Eq. 8)

Any b that does not depend on the response leaves the mean of the gradient as it is, since E[∇log π] = 0; a good one
takes most of its noise.  The run measures that noise for each baseline on the same samples.  [TRL] is TRL 1.16.

Implementation details
  1. Log-probabilities are summed over the response and its EOS: one action, one advantage.  Tokens get no credit of
     their own, as PPO's do; Ahmadian et al. find that a model that starts from SFT does not need it.
  2. R is the score less β times the KL to the start, k1 summed over the response ([TRL], Ahmadian et al.).
  3. Baselines: "leave_one_out" of the other responses to the prompt; "average", the running mean of the rewards of
     earlier rounds, which knows no prompt; "none".  The mean of a group with the response itself in it would be
     biased: it shrinks the gradient by (K - 1)/K.
  4. A round may take several updates.  From the second on the samples are no longer the policy's own: the ratio
     ρ = π(y) / π_old(y) of whole responses corrects for that, clipped as in PPO ([TRL]).  At ρ = 1 the gradient of -ρA
     is that of -A·log π: the first update is plain REINFORCE.
  5. Advantages are not whitened; `--whiten` divides them by their deviation over the round ([TRL], off there, too).
  6. A response without EOS scores -1, as in ppo.py.
Left out: discounting and rewards per token, an entropy bonus.

    python -m learn_llm.minimal_impls.reinforce                                     # tiny world, RLOO
    python -m learn_llm.minimal_impls.reinforce --baseline none
    python -m learn_llm.minimal_impls.reinforce --model smollm2 --data prompts.jsonl --reward my_rewards:politeness
"""

import copy
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.evaluation import compare_with_start, curves
from learn_llm.events import Event, Metrics, Note, Stage, Table
from learn_llm.examples import batch_indices, source
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.ppo import MissingEos, kl_estimate, missing_eos
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import own
from learn_llm.rollouts import Actions, masked_mean
from learn_llm.running import main
from learn_llm.training import Optimiser, Progress, Setup, TrainConfig, prepare, torch_generator

Baseline = Literal["leave_one_out", "average", "none"]
BASELINES: tuple[Baseline, ...] = ("none", "average", "leave_one_out")


@dataclass(frozen=True)
class Config(TrainConfig):
    """How REINFORCE runs.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The policy at its start, and the reference: a bundled name, a folder, or a hub name of the Llama family."""
    reward_model: str = "tiny-reward"
    """What scores the responses: a bundled name or a folder made by reward_model.py."""
    reward: str = ""
    """Your own reward instead: module:function, f(prompts, responses, rows) -> list of numbers."""
    baseline: Baseline = "leave_one_out"
    """What is subtracted from the reward (3)."""
    group_size: int = 4
    """K, responses a prompt."""
    steps: int = 15
    """Rounds of sampling and updating."""
    batch_size: int = 192
    """Responses a round."""
    mini_batch_size: int = 64
    """Responses an update (4)."""
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
    kl_coef: float = 0.2
    """β, the price of a nat of KL (2)."""
    missing_eos: MissingEos = "replace"
    """What a response scores that did not end (6)."""
    missing_eos_penalty: float = 1.0
    """The number that is replaced by (-1) or subtracted."""
    whiten: bool = False
    """Divide the advantages by their standard deviation over the round (5)."""
    clip: float = 0.2
    """ε, how far the ratio of a response may move in a round (4)."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "group_size", "mini_batch_size", "epochs", "max_new_tokens")
        self.need(0, "kl_coef")
        self.need_above_0("temperature", "clip")
        if self.baseline == "leave_one_out" and self.group_size < 2:
            raise UserError("--baseline leave_one_out needs a --group-size of at least 2")
        if self.batch_size % self.group_size:
            raise UserError(f"--batch-size {self.batch_size} is not a multiple of --group-size {self.group_size}")


def leave_one_out(rewards: Tensor, group_size: int) -> Tensor:
    """For each reward (B,) the mean of the others of its group, groups lying beside each other.

    >>> leave_one_out(torch.tensor([1.0, 2.0, 6.0]), group_size=3)
    tensor([4.0000, 3.5000, 1.5000])
    """
    groups = rewards.view(-1, group_size)
    return ((groups.sum(1, keepdim=True) - groups) / (group_size - 1)).view(-1)


def advantages_of(rewards: Tensor, baseline: Baseline, group_size: int, average: float = 0.0) -> Tensor:
    """R - b, (B,): `average` is the running mean that the baseline of that name subtracts (detail 3).

    >>> advantages_of(torch.tensor([1.0, 3.0]), "leave_one_out", 2), advantages_of(torch.tensor([1.0, 3.0]), "none", 2)
    (tensor([-2.,  2.]), tensor([1., 3.]))
    """
    if baseline == "leave_one_out":
        return rewards - leave_one_out(rewards, group_size)
    return rewards - (average if baseline == "average" else 0.0)


def whitened(advantages: Tensor) -> Tensor:
    """Advantages (B,) with mean 0 and standard deviation 1 over the round (detail 5).

    >>> whitened(torch.tensor([1.0, 3.0, 5.0]))
    tensor([-1.0000,  0.0000,  1.0000])
    """
    return (advantages - advantages.mean()) / (advantages.std() + 1e-4)


def sequence_policy_loss(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float = 0.2) -> Tensor:
    """mean max(-A·ρ, -A·clip(ρ, 1 ± ε)),  ρ = π(y) / π_old(y) of whole responses: arguments (B,), log π in nats.

    Where nothing moved yet the gradient by log π is -A/B, that of REINFORCE:

    >>> logprobs = torch.tensor([-9.0, -7.0], requires_grad=True)
    >>> sequence_policy_loss(logprobs, logprobs.detach(), torch.tensor([1.0, -3.0])).backward()
    >>> logprobs.grad
    tensor([-0.5000,  1.5000])
    """
    ratio = (logprobs - old_logprobs).exp()
    return torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)).mean()


def response_logprobs(config: Config, model: GPT, actions: Actions) -> Tensor:
    """log π of each response, (B,), with gradient (detail 1)."""
    logits, _ = rollouts.action_logits(model, actions, config.temperature)
    return (rollouts.action_logprobs(logits, actions.chosen) * actions.mask).sum(1)


def gradient_noise(setup: Setup, config: Config, actions: Actions, rewards: Tensor, pieces: int = 8) -> Table:
    """How much the gradient of a few responses varies: its variance over pieces of the samples, summed over weights.

    Only differences of scores are learnt, so their level is arbitrary: the noise is told for these scores, and for the
    same all one higher.
    """
    groups = torch.arange(len(rewards)).view(-1, config.group_size)
    kinds = [kind for kind in BASELINES if kind != "leave_one_out" or config.group_size > 1]
    cases = [(kind, level) for level in (0.0, 1.0) for kind in kinds]
    sums = {case: (torch.zeros(()), torch.zeros(())) for case in cases}
    pieces = min(pieces, len(groups))
    for rows in (some.flatten() for some in groups.tensor_split(pieces)):
        with setup.autocast():
            logprobs = response_logprobs(config, setup.model, actions.rows(rows))
        for (kind, level), (total, squares) in sums.items():
            average = float(rewards.mean()) + level
            advantages = advantages_of(rewards + level, kind, config.group_size, average)[rows]
            loss = -(advantages * logprobs).mean()
            found = torch.autograd.grad(loss, list(setup.model.parameters()), retain_graph=True, allow_unused=True)
            gradient = torch.cat([g.flatten().cpu() for g in found if g is not None])
            sums[kind, level] = total + gradient, squares + gradient.square()
    variance = {c: float((squares / pieces - (total / pieces).square()).sum()) for c, (total, squares) in sums.items()}
    table = tuple(
        (kind.replace("_", " "), round(variance[kind, 0.0], 2), round(variance[kind, 1.0], 2)) for kind in kinds
    )
    title = f"Noise of the gradient before training, {len(rewards) // pieces} responses at a time"
    return Table(title, ("baseline", "variance", "all scores 1 higher"), table)


def run(config: Config) -> Iterator[Event]:
    """Train on the reward; the verdict compares responses to held-out prompts with those of the start."""
    if config.full:
        yield from full("reinforce", run, config)
        return
    setup = prepare(config)
    start = copy.deepcopy(setup.model).requires_grad_(False)  # π_ref
    groups = config.batch_size // config.group_size
    prompts = source(setup.encoder, config).prompts(config.steps * groups, room=config.max_new_tokens)
    reward = (
        rollouts.own_reward(config.reward, setup.encoder) if config.reward else reward_of(config.reward_model, setup)
    )
    yield Note(rollouts.about(prompts, setup))

    yield Stage("REINFORCE", 1, 2)
    optimiser = Optimiser([setup.model], config)
    size = config.micro_batch_size or config.mini_batch_size
    with Progress(config, {"model": setup.model}, optimiser, setup.save) as progress:
        average = progress.extra.get("average", 0.0)
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
            ended = torch.tensor([r.ended for r in responses], device=setup.device)
            scores = missing_eos(scores, ended, config.missing_eos, config.missing_eos_penalty)

            logprobs, entropies = rollouts.judged(setup, setup.model, actions, config.temperature, size)
            ref_logprobs, _ = rollouts.judged(setup, start, actions, config.temperature, size)
            kl = (kl_estimate(logprobs, ref_logprobs, "k1") * actions.mask).sum(1)
            rewards = scores - config.kl_coef * kl  # detail 2
            advantages = advantages_of(rewards, config.baseline, config.group_size, average)
            values |= {
                "kl": float(kl.mean()),
                "entropy": float(masked_mean(entropies, actions.mask)),
                "advantage_std": float(advantages.std()),
                "response_length": float(actions.mask.sum(1).float().mean()),
            }
            if config.whiten:
                advantages = whitened(advantages)
            if step == 1:
                yield gradient_noise(setup, config, actions, rewards)
            average = float(rewards.mean()) if step == 1 else 0.9 * average + 0.1 * float(rewards.mean())

            old, updates = logprobs.sum(1), list[dict[str, float]]()
            for epoch in range(config.epochs):
                order = torch.randperm(len(asked), generator=torch_generator(config, f"epoch {epoch}", step))
                for drawn in order.split(config.mini_batch_size):
                    told = Counter[str]()
                    for part in actions.by_length(own(drawn), config.micro_batch_size):
                        with setup.autocast():
                            now = response_logprobs(config, setup.model, actions.rows(part))
                        loss = sequence_policy_loss(now, old[part], advantages[part], config.clip)
                        ratio, share = (now - old[part]).detach().exp(), len(part) / len(drawn)
                        (loss * share).backward()
                        clipped = ((ratio - 1).abs() > config.clip).float().mean()
                        found = {"loss": loss, "ratio": ratio.mean(), "clip_fraction": clipped}
                        told.update({name: (value * share).item() for name, value in found.items()})
                    updates.append(optimiser.step(step, told))
            values |= {name: statistics.fmean(u[name] for u in updates) for name in updates[0]}
            values["first_ratio"] = updates[0]["ratio"]  # 1, as nothing was updated yet: else the log-probs disagree
            progress.done(step, values, average=average)
            yield Metrics(step, config.steps, values)
    yield curves("Reward and gold score of each round", progress.history, ["reward", "gold"], "score")
    yield curves("KL to the start", progress.history, ["kl"], "nats a response")
    yield Stage("held-out prompts", 2, 2)
    name = "RLOO" if config.baseline == "leave_one_out" else "REINFORCE"
    claim = f"{name} raises the gold score over SFT, at every temperature of SFT, and correctness does not fall"
    yield from compare_with_start(setup, name, start, prompts.held_out, config.max_new_tokens, claim, reward)


if __name__ == "__main__":
    main(run, Config)
