"""Is it better than where it started?  Gold scores of responses to held-out prompts, and intervals.

Both models answer the same prompts, so the difference is taken prompt by prompt: its t-interval is narrower than that
of two separate means, because what makes one prompt harder than another drops out.  Gold scores exist in the tiny world
only, and nothing is ever trained on them.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from learn_llm.events import Chart, Event, Sample, Series, Table, Verdict
from learn_llm.examples import Demonstration, Encoder, Prompt, collate, parts
from learn_llm.gpt import GPT
from learn_llm.parallel import gathered, own
from learn_llm.rollouts import Response, Reward, mean_kl, respond
from learn_llm.tinyworld import rubric
from learn_llm.training import Setup, token_logprobs

CORRECT = "logical_correctness"
TEMPERATURES = (0.7, 0.3, 0.0)


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % t-interval."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of independent values and its t-interval; for paired measurements give the differences.

    >>> interval([1.0, 2.0, 3.0])
    Interval(mean=2.0, low=-0.484..., high=4.484...)
    """
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Interval(mean, -math.inf, math.inf)
    half = t_quantile((1 + confidence) / 2, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def share_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of numbers from 0 to 1 and its Wilson interval (1927), which stays honest where all of a few are 1.

    >>> share_interval([1.0, 1.0, 1.0])
    Interval(mean=1.0, low=0.438..., high=1.0)
    """
    mean, z2 = statistics.fmean(values), statistics.NormalDist().inv_cdf((1 + confidence) / 2) ** 2 / len(values)
    half = math.sqrt(z2 * (mean * (1 - mean) + z2 / 4))
    return Interval(mean, (mean + z2 / 2 - half) / (1 + z2), (mean + z2 / 2 + half) / (1 + z2))


def difference(scores: Sequence[float], others: Sequence[float]) -> Interval:
    """How much higher `scores` are than `others`, measured pair by pair."""
    return interval([a - b for a, b in zip(scores, others, strict=True)])


def t_quantile(p: float, df: int) -> float:
    """The p-quantile of Student's t distribution, p above 1/2, by bisection on its distribution function.

    >>> round(t_quantile(0.975, 4), 3), round(t_quantile(0.975, 511), 3)
    (2.776, 1.965)
    """
    low, high = 0.0, 1e4
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _t_cdf(middle, df) < p else (low, middle)
    return high


def _t_cdf(t: float, df: int) -> float:
    """P(T <= t) for t >= 0, by the finite sums for whole df (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(df))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = df % 2 == 1
    term = cosine if odd else 1.0
    total = 0.0 if df == 1 else term
    for k in range(2 + odd, df - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    share = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return 0.5 + share / 2


def win_rate(scores: Sequence[float], others: Sequence[float]) -> float:
    """How often `scores` beats `others`, prompt by prompt; ties count half.

    >>> win_rate([1.0, 0.5, 0.0], [0.0, 0.5, 1.0])
    0.5
    """
    return statistics.fmean((a > b) + 0.5 * (a == b) for a, b in zip(scores, others, strict=True))


def compare_with_start(
    setup: Setup,
    name: str,
    start: GPT,
    prompts: Sequence[Prompt],
    max_new_tokens: int,
    claim: str,
    reward: Reward | None = None,
) -> Iterator[Event]:
    """The trained model and its start on the same held-out prompts: samples, a table per skill, the verdict.

    In the tiny world the claim holds where all of this does:
      - the gold score of responses sampled at temperature 1 is higher (95 % interval of the paired difference above 0),
      - they win at least 70 % of the prompts,
      - they also beat the start at its best temperature of 1, 0.7, 0.3 and 0: else it was only sharpened,
      - correctness does not fall.
    Elsewhere there is no gold score: the verdict says whether the `reward` rises, which shows learning only.
    """
    before, after = (respond(setup, model, prompts, max_new_tokens) for model in (start, setup.model))
    kl = mean_kl(setup.model, start, after)
    yield from side_by_side({"start": before, name: after}, setup.encoder)
    if not after[0].skills:
        if reward is None:
            raise ValueError("outside the tiny world the verdict needs a reward")
        yield _reward_verdict(name, reward(after), reward(before), kl)
        return
    cooler = {t: respond(setup, start, prompts, max_new_tokens, t) for t in TEMPERATURES}
    yield skill_table(
        "Skills, 1 to 5, on held-out prompts",
        {"start, T 1": before, **{f"start, T {t:g}": rs for t, rs in cooler.items()}, name: after},
    )
    gold = [r.gold for r in after]
    starts = {1.0: [r.gold for r in before], **{t: [r.gold for r in rs] for t, rs in cooler.items()}}
    best = max(starts, key=lambda t: statistics.fmean(starts[t]))
    gain, over_best = difference(gold, starts[1.0]), difference(gold, starts[best])
    correct = difference(*([r.skills[CORRECT] for r in rs if CORRECT in r.skills] for rs in (after, before)))
    wins = win_rate(gold, starts[1.0])
    measured = {
        "gold_difference": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
        "win_rate": wins,
        "kl": kl,
        "gold": statistics.fmean(gold),
        "best_temperature": best,
        "difference_to_best": over_best.mean,
        "difference_to_best_low": over_best.low,
        "correctness_difference": correct.mean,
        "correctness_low": correct.low,
        "prompts": float(len(prompts)),
    }
    yield Verdict(claim, gain.low > 0 and wins >= 0.7 and over_best.low > 0 and correct.mean >= 0, measured)


def _reward_verdict(name: str, scores: Sequence[float], others: Sequence[float], kl: float) -> Verdict:
    gain = difference(scores, others)
    measured = {
        "reward_difference": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
        "win_rate": win_rate(scores, others),
        "kl": kl,
        "prompts": float(len(scores)),
    }
    return Verdict(f"{name} raises the reward on held-out prompts", gain.low > 0, measured)


def held_out_losses(setup: Setup, model: GPT, demonstrations: Sequence[Demonstration]) -> list[float]:
    """The mean loss of each demonstration, in nats per token."""
    losses = []
    for some in parts(own(demonstrations), setup.config.micro_batch_size or setup.config.batch_size):
        batch = collate([d.prompt.ids for d in some], [d.response for d in some], setup.device)
        with torch.no_grad(), setup.autocast():
            logprobs = token_logprobs(model(batch.tokens), batch.tokens) * batch.mask[:, 1:]
        losses += (-logprobs.sum(1) / batch.mask[:, 1:].sum(1)).tolist()
    return gathered(losses)


def skill_table(title: str, arms: Mapping[str, Sequence[Response]]) -> Table:
    """The mean score of each skill, 1 to 5, one column an arm; then the gold score and how many responses ended."""
    rows: list[tuple[str | float | int | None, ...]] = []
    first = next(iter(arms.values()))
    for skill in rubric.SKILLS:
        count = sum(skill in response.skills for response in first)
        if count:
            means = (statistics.fmean(r.skills[skill] for r in rs if skill in r.skills) for rs in arms.values())
            rows.append((skill.replace("_", " "), count, *(round(mean, 2) for mean in means)))
    for label, value in (("gold, -1 to 1", lambda r: r.gold), ("ended, share", lambda r: float(r.ended))):
        rows.append((label, len(first), *(round(statistics.fmean(map(value, rs)), 3) for rs in arms.values())))
    return Table(title, ("skill", "items", *arms), tuple(rows))


def side_by_side(arms: Mapping[str, Sequence[Response]], encoder: Encoder, count: int = 3) -> Iterator[Sample]:
    """The first few prompts with every arm's response."""
    for row in range(min(count, len(next(iter(arms.values()))))):
        for name, responses in arms.items():
            response = responses[row]
            scores = {"gold": response.gold} if response.skills else {}
            yield Sample(f"[{name}] {response.prompt.text}", encoder.text(response.ids), scores)


def curves(title: str, history: Mapping[str, Sequence[float]], names: Sequence[str], y_label: str) -> Chart:
    """The values of some metrics over the steps."""
    series = (
        Series(name, tuple(float(step) for step in range(1, len(history[name]) + 1)), tuple(history[name]))
        for name in names
        if history.get(name)
    )
    return Chart("line", title, "step", y_label, tuple(series))
