"""Best-of-n: sample n responses and keep the one that the reward model likes best.  And train on those that it keeps.

The strongest baseline there is: no gradient, one parameter, and far more reward for each nat of KL than RL needs.  Its
price is paid at every answer, n samples each; fine-tuning on the best samples pays it once (Llama 2, arXiv 2307.09288,
section 3.2.3: rejection sampling was the only RL method up to RLHF-V4).

    KL(π_n ‖ π) = log n - (n - 1)/n        where no two responses score alike, and at most that where some do
    E[value of the best of n] ≈ Σ_i C(i-1, n-1)/C(N, n) · value of the i-th of N samples, sorted by score

Implementation details
  1. The KL is exact for continuous scores.  Responses that tie are not told apart by choosing, so the true KL is lower
     (Beirami et al. 2024, arXiv 2401.01879).  A small world repeats answers: the share of ties is measured and said.
  2. The estimator averages over all C(N, n) ways to draw n of the N samples (Nakano et al. 2021, arXiv 2112.09332,
     appendix I; Gao et al. 2022, arXiv 2210.10760): without bias, and one set of samples serves every n up to N.
  3. Of responses that tie each is as likely to be kept as the others: their weights are averaged.
  4. The same response to the same prompt is scored once, so that rounding does not break its tie.
  5. Fine-tuning goes in rounds: each samples n responses a prompt from the policy of now, keeps the best of each and
     takes a few steps of cross-entropy on them (sft.py).  Llama 2 went back to the best samples of all earlier rounds,
     too, when it saw skills being forgotten; here a round is small, and only its own are taken.
  6. Prompts whose n responses all score alike teach nothing about what is better; they are kept, as in Llama 2.
Left out: weighing the samples by their reward (RAFT takes the best, RWR weighs), a threshold on the score.

    python -m learn_llm.minimal_impls.best_of_n                                     # tiny world
    python -m learn_llm.minimal_impls.best_of_n --model smollm2 --data prompts.jsonl --reward my_rewards:politeness
"""

import copy
import itertools
import math
import statistics
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.evaluation import compare_with_start, curves, interval
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, Verdict
from learn_llm.examples import Prompt, batch_indices, collate, parts, source
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.sft import response_loss
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import own
from learn_llm.rollouts import Response, Reward
from learn_llm.running import main
from learn_llm.training import Optimiser, Progress, Setup, TrainConfig, generator, prepare, torch_generator


@dataclass(frozen=True)
class Config(TrainConfig):
    """How best-of-n is measured, and the fine-tuning on its best samples.  The numbers are the details above."""

    model: str = "tiny-sft"
    """The policy that is sampled: a bundled name, a folder, or a hub name of the Llama family."""
    reward_model: str = "tiny-reward"
    """What scores the responses: a bundled name or a folder made by reward_model.py."""
    reward: str = ""
    """Your own reward instead: module:function, f(prompts, responses, rows) -> list of numbers."""
    n: int = 16
    """Of how many samples the best is kept, in the claim."""
    samples: int = 32
    """N, samples a prompt for the estimator (2)."""
    prompts: int = 64
    """Held-out prompts for the estimator."""
    steps: int = 6
    """Rounds of sampling and fine-tuning (5)."""
    batch_size: int = 96
    """Prompts a round."""
    best_of: int = 4
    """Of how many samples a round keeps the best."""
    mini_batch_size: int = 32
    """Best samples an update."""
    epochs: int = 1
    """How often a round's best samples are gone through."""
    learning_rate: float = 5e-4
    """Peak of the schedule, AdamW."""
    schedule: Literal["cosine", "linear", "constant", "trapezoid"] = "constant"
    """How the learning rate falls to 0 after the warm-up; "constant": not at all."""
    temperature: float = 1.0
    """Of the samples."""
    max_new_tokens: int = 40
    """The longest response."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "n", "samples", "prompts", "best_of", "mini_batch_size", "epochs", "max_new_tokens")
        self.need_above_0("temperature")
        if self.n > self.samples:
            raise UserError(f"--n {self.n} needs at least as many --samples; there are {self.samples}")


def only_fine_tuning(samples: int, rounds: int, best_of: int = 4) -> dict[str, Any]:
    """The settings of a run that fine-tunes on the best of `samples` in all, and measures nothing else.

    >>> only_fine_tuning(samples=480, rounds=6)
    {'steps': 6, 'batch_size': 20, 'best_of': 4, 'n': 1, 'samples': 1, 'prompts': 1}
    """
    rest = {"n": 1, "samples": 1, "prompts": 1}
    return {"steps": rounds, "batch_size": samples // (rounds * best_of), "best_of": best_of, **rest}


def best_of_n_kl(n: int) -> float:
    """KL(best of n ‖ one sample) = log n - (n - 1)/n in nats where no scores tie; an upper bound where some do.

    >>> best_of_n_kl(1), round(best_of_n_kl(16), 4)
    (0.0, 1.8351)
    """
    return math.log(n) - (n - 1) / n


def tied_kl(shares: Sequence[float], n: int) -> float:
    """The same KL exactly, for a policy whose responses have few different scores.

    Args:
        shares: the probability of each score, from the lowest score to the highest.

    The best of n has score i if all n have at most that and not all have less: q_i = F_i^n - F_i-1^n with F the sums
    of the shares.  Within a score the responses keep their proportions, so KL = Σ q_i·log(q_i / share_i).

    >>> round(tied_kl([0.5, 0.5], n=16), 3), round(tied_kl([0.05] * 20, n=64), 2), round(best_of_n_kl(64), 3)
    (0.693, 2.83, 3.175)
    """
    whole = sum(shares)
    sums = [min(f / whole, 1.0) for f in itertools.accumulate(shares)]
    total = 0.0
    for share, below, up_to in zip(shares, [0.0, *sums], [*sums[:-1], 1.0], strict=False):
        q = up_to**n - below**n
        total += q * math.log(q * whole / share) if q > 0 else 0.0
    return total


def best_of_n_weights(total: int, n: int) -> list[float]:
    """How often each of `total` sorted samples is the best of n drawn without putting back: C(i-1, n-1) / C(total, n).

    Of 3 samples the best of 2 is the highest in 2 of 3 draws, the middle one in 1:

    >>> best_of_n_weights(3, 2)
    [0.0, 0.333..., 0.666...]
    """
    ways = math.comb(total, n)
    return [math.comb(i, n - 1) / ways for i in range(total)]


def best_of_n_value(scores: Sequence[float], values: Sequence[float], n: int) -> float:
    """The expected value of the best of n by score, without bias, from N >= n samples (details 2, 3).

    >>> best_of_n_value([0.1, 0.9, 0.5], values=[10.0, 40.0, 20.0], n=3)
    40.0
    >>> best_of_n_value([0.5, 0.5], values=[0.0, 1.0], n=2)
    0.5
    """
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    weights = iter(best_of_n_weights(len(scores), n))
    total = 0.0
    for _, tied in itertools.groupby(order, key=lambda i: scores[i]):
        group = list(tied)
        total += sum(next(weights) for _ in group) * statistics.fmean(values[i] for i in group)
    return total


def tied_share(scores: Sequence[float]) -> float:
    """The share of pairs of samples that score alike.

    >>> tied_share([1.0, 1.0, 2.0])
    0.333...
    """
    counts = [len(list(group)) for _, group in itertools.groupby(sorted(scores))]
    return sum(math.comb(count, 2) for count in counts) / max(1, math.comb(len(scores), 2))


def best(scores: Sequence[float], size: int) -> list[int]:
    """Of each `size` scores in a row the place of the highest, the first one where some tie.

    >>> best([0.1, 0.7, 0.9, 0.2], size=2)
    [1, 2]
    """
    return [max(range(i, i + size), key=lambda at: scores[at]) for i in range(0, len(scores), size)]


def scored(reward: Reward, responses: Sequence[Response], config: Config, step: int = 0) -> list[float]:
    """The reward of each response, the same for the same response (detail 4); --break: somebody else's."""
    first = {(r.prompt.ids, r.ids): r for r in responses}
    scores = dict(zip(first, reward(list(first.values())), strict=True))
    dealt = [scores[r.prompt.ids, r.ids] for r in responses]
    if config.break_:
        generator(config, "break", step).shuffle(dealt)
    return dealt


def sample(setup: Setup, config: Config, prompts: Sequence[Prompt], count: int, step: int = 0) -> list[Response]:
    """`count` responses to each prompt, those to one prompt beside each other."""
    asked = [prompt for prompt in prompts for _ in range(count)]
    purpose = "rounds" if step else "best of n"
    return rollouts.respond(setup, setup.model, asked, config.max_new_tokens, config.temperature, purpose, step)


def run(config: Config) -> Iterator[Event]:
    """Measure best-of-n on held-out prompts, then fine-tune on the best samples and compare with the start."""
    if config.full:
        yield from full("best_of_n", run, config)
        return
    setup = prepare(config)
    start = copy.deepcopy(setup.model).requires_grad_(False)
    prompts = source(setup.encoder, config).prompts(config.steps * config.batch_size, room=config.max_new_tokens)
    reward = (
        rollouts.own_reward(config.reward, setup.encoder) if config.reward else reward_of(config.reward_model, setup)
    )
    yield Stage("best of n", 1, 3)
    measured = yield from measure(setup, config, prompts.held_out[: config.prompts], reward)

    yield Stage("fine-tuning on the best", 2, 3)
    optimiser = Optimiser([setup.model], config)
    with Progress(config, {"model": setup.model}, optimiser, setup.save) as progress:
        for step in progress.steps():
            rows = batch_indices(config.seed, len(prompts.train), config.batch_size, step)
            responses = sample(setup, config, [prompts.train[i] for i in rows], config.best_of, step)
            scores = scored(reward, responses, config, step)
            kept = [responses[i] for i in best(scores, config.best_of)]
            values = {
                "reward": statistics.fmean(scores),
                "best_reward": statistics.fmean(max(some) for some in parts(scores, config.best_of)),
                "eos_rate": statistics.fmean(r.ended for r in responses),
            }
            values |= {"gold": statistics.fmean(r.gold for r in responses)} if responses[0].skills else {}
            updates: list[dict[str, float]] = []
            for epoch in range(config.epochs):
                order = torch.randperm(len(kept), generator=torch_generator(config, f"epoch {epoch}", step))
                for part in order.split(config.mini_batch_size):
                    updates.append(update(setup, config, optimiser, step, [kept[i] for i in part]))
            values |= {name: statistics.fmean(u[name] for u in updates) for name in updates[0]}
            progress.done(step, values)
            yield Metrics(step, config.steps, values)
    yield curves("Reward and gold score of each round", progress.history, ["reward", "best_reward", "gold"], "score")
    yield Stage("held-out prompts", 3, 3)
    claim = (
        f"The best of {config.n} by the reward model beats one sample, and fine-tuning on the best of {config.best_of} "
        "keeps it: gold rises over SFT, at every temperature of SFT, and correctness does not fall"
    )
    name = "rejection sampling"
    for event in compare_with_start(setup, name, start, prompts.held_out, config.max_new_tokens, claim, reward):
        if isinstance(event, Verdict):
            event = with_best_of_n(event, measured)
        yield event


def with_best_of_n(verdict: Verdict, best_of_n: Mapping[str, float]) -> Verdict:
    """The verdict on the fine-tuned model, and on choosing.  Its claim names no share of wins, and asks for none."""
    measured = {**verdict.measured, **best_of_n}
    holds = measured["ci_low"] > 0 and measured["best_of_n_low"] > 0
    if "gold" in measured:
        holds = holds and measured["difference_to_best_low"] > 0 and measured["correctness_difference"] >= 0
    return replace(verdict, holds=holds, measured=measured)


def update(setup: Setup, config: Config, optimiser: Optimiser, step: int, kept: Sequence[Response]) -> dict[str, float]:
    """One step of cross-entropy on responses that were kept."""
    count, loss = sum(len(r.ids) for r in kept), 0.0
    for part in parts(own(kept), config.micro_batch_size):
        batch = collate([r.prompt.ids for r in part], [r.ids for r in part], setup.device)
        with setup.autocast():
            logits = setup.model(batch.tokens)
        share = response_loss(logits, batch.tokens, batch.mask, count)
        share.backward()
        loss += share.item()
    return optimiser.step(step, loss)


def measure(
    setup: Setup, config: Config, prompts: Sequence[Prompt], reward: Reward
) -> Generator[Event, None, dict[str, float]]:
    """Reward and gold score of the best of 1, 2, 4 ... N, from the same samples; returns what the verdict needs."""
    responses = sample(setup, config, prompts, config.samples)
    in_world = bool(responses[0].skills)
    scores = list(parts(scored(reward, responses, config), config.samples))
    golds = list(parts([r.gold for r in responses], config.samples)) if in_world else scores
    sizes = sorted({2**i for i in range(config.samples.bit_length()) if 2**i <= config.samples} | {config.n})

    def value(values: Sequence[Sequence[float]], n: int) -> list[float]:
        return [best_of_n_value(some, known, n) for some, known in zip(scores, values, strict=True)]

    rewards, gold = ([statistics.fmean(value(values, n)) for n in sizes] for values in (scores, golds))
    ties = statistics.fmean(tied_share(some) for some in scores)
    seen = statistics.fmean(tied_kl(shares(some), config.n) for some in scores)
    columns = ("n", "KL, at most" if ties else "KL", "reward", *(["gold"] if in_world else []))
    bounds = [best_of_n_kl(n) for n in sizes]
    numbers = zip(sizes, bounds, rewards, *([gold] if in_world else []), strict=True)
    rows = tuple((n, *(round(number, 3) for number in rest)) for n, *rest in numbers)
    yield Table(f"The best of n by the reward model, {len(prompts)} held-out prompts", columns, rows)
    yield Note(
        f"{ties:.0%} of the pairs of samples tie, so log n - (n - 1)/n is an upper bound on the KL; were the "
        f"{config.samples} samples of a prompt all that there is, it would be {seen:.2f} nats at n = {config.n}"
        if ties
        else "no two samples of a prompt score alike, so log n - (n - 1)/n is the KL"
    )
    distance = tuple(math.sqrt(kl) for kl in bounds)
    lines = [Series("reward", distance, tuple(rewards)), *([Series("gold", distance, tuple(gold))] if in_world else [])]
    yield Chart("line", "Best of n", "√KL" + ", at most" * bool(ties), "score", tuple(lines))
    gains = [b - statistics.fmean(known) for b, known in zip(value(golds, config.n), golds, strict=True)]
    gain = interval(gains)
    return {
        "best_of_n_difference": gain.mean,
        "best_of_n_low": gain.low,
        "best_of_n_kl": best_of_n_kl(config.n),
        "ties": ties,
    }


def shares(scores: Sequence[float]) -> list[float]:
    """The share of each score, from the lowest to the highest.

    >>> shares([2.0, 1.0, 2.0, 2.0])
    [0.25, 0.75]
    """
    return [len(list(group)) / len(scores) for _, group in itertools.groupby(sorted(scores))]


if __name__ == "__main__":
    main(run, Config)
