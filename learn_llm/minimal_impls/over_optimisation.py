"""Over-optimisation: choose ever harder by a reward model that is only a proxy, and watch what it stands for.

A proxy reward model is trained on few noisy comparisons.  Best-of-n then chooses by it, from n = 1 to 256, and the gold
score of what it chooses is looked at, which neither has seen.  The proxy rises throughout; gold rises, peaks and falls:
the higher the proxy score, the more of it is the proxy's own error (Goodhart's law, the winner's curse).

    d = √KL(π ‖ π_start)
    best-of-n   gold(d) - gold(0) = d·(α - β·d)          peak at d = α / 2β        (Gao, Schulman and Hilton 2022,
    RL          gold(d) - gold(0) = d·(α - β·log d)      peak at d = e^(α/β - 1)    arXiv 2210.10760, Eq. 1)

Both forms are fitted to small n and judged by what they say about the largest one.

Implementation details
  1. The proxy starts from the SFT model and sees `--pairs` pairs of people's responses once (`reward_model.py`), far
     too few to know them all.  Gao et al. give the proxy fewer parameters, too; here its data alone are few.
  2. One pool of 256 samples a prompt serves every n, without bias (`best_of_n.py`, details 2 to 4).
  3. d is that of KL = log n - (n - 1)/n, an upper bound, as some samples of a prompt are the same.
  4. The fit is least squares on the gains over n = 1, linear in α and β; so a prompt's own curve gives a prompt's own
     prediction, and the error at the largest n has a paired interval over prompts.
  5. The peak is where the mean of the *other* half of the prompts peaks: what is chosen as the highest of several noisy
     means is too high on the prompts that it was chosen on, and the fall behind it would be, too.
  6. `--compare` sets a reward model with many more pairs beside the proxy, on the same samples.
  7. `--ppo-steps 20` trains PPO against the same proxy at no price for the KL; its gold is that of its own samples.
     Both forms are fitted to the same share of the way as for best-of-n, and judged by the rounds behind it.
Left out: several sizes of the reward model, gold labels without noise, ensembles of proxies.

    python -m learn_llm.minimal_impls.over_optimisation                             # tiny world, about a minute
    python -m learn_llm.minimal_impls.over_optimisation --pairs 240 --ppo-steps 20
"""

import itertools
import math
import statistics
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from learn_llm.errors import UserError
from learn_llm.evaluation import difference, interval
from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Stage, Table, Verdict
from learn_llm.examples import World, parts
from learn_llm.minimal_impls import best_of_n, ppo, reward_model
from learn_llm.minimal_impls.best_of_n import best_of_n_kl, best_of_n_weights, scored, tied_share
from learn_llm.minimal_impls.over_optimisation_forms import FORMS, fit, peak, predicted
from learn_llm.minimal_impls.over_optimisation_rounds import judged_rounds
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import from_first
from learn_llm.rollouts import Response, Reward, respond
from learn_llm.running import RunConfig, main, steps_of
from learn_llm.training import TrainConfig, prepare

PAIRS_A_STEP = 24
HELD_OUT_PAIRS = 256
AT_ONCE = 4
"""Prompts whose pools are drawn together."""


@dataclass(frozen=True)
class Config(RunConfig):
    """How hard is optimised, and against what.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The policy that is sampled, and the trunk that the proxy starts from: a bundled name or a folder."""
    pairs: int = 960
    """Comparisons that the proxy learns from (1)."""
    compare: str = "tiny-reward"
    """A reward model that has seen more, on the same samples (6): a bundled name or a folder; empty: none."""
    prompts: int = 64
    """Held-out prompts."""
    samples: int = 256
    """N, samples a prompt (2), a power of 2."""
    fit_up_to: int = 64
    """The largest n that the forms are fitted to."""
    temperature: float = 1.0
    """Of the samples."""
    ppo_steps: int = 0
    """Above 0: rounds of PPO against the proxy (7)."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""
    max_new_tokens: int = 40
    """The longest response."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """Where the models run; "auto": CUDA, else MPS, else CPU."""

    def __post_init__(self) -> None:
        for name, least in (("pairs", PAIRS_A_STEP), ("prompts", 4), ("samples", 16), ("max_new_tokens", 1)):
            if getattr(self, name) < least:
                raise UserError(f"--{name.replace('_', '-')} must be at least {least}: it is {getattr(self, name)}")
        if self.samples.bit_count() != 1:
            raise UserError(f"--samples is a power of 2, as n doubles: it is {self.samples}")
        if not 4 <= self.fit_up_to < self.samples:
            raise UserError(f"--fit-up-to is at least 4 and below --samples: it is {self.fit_up_to}")
        if not 0 < self.temperature < math.inf:
            raise UserError(f"--temperature must be above 0: it is {self.temperature}")


# The run


@dataclass(frozen=True)
class Curves:
    """Proxy and gold score of the best of n by the proxy, (P, K): prompts by sizes n = 1, 2, 4 ..."""

    proxy: Tensor
    gold: Tensor
    ties: float

    @classmethod
    def of(cls, scores: Sequence[Sequence[float]], golds: Sequence[Sequence[float]], sizes: Sequence[int]) -> "Curves":
        """From the scores of each prompt's pool: its proxy scores, its gold scores."""
        samples = len(scores[0])
        weights = torch.tensor([best_of_n_weights(samples, n) for n in sizes], dtype=torch.float64)  # (K, N)
        proxy = torch.stack([weights @ ranked(some, some) for some in scores])
        gold = torch.stack([weights @ ranked(some, known) for some, known in zip(scores, golds, strict=True)])
        return cls(proxy, gold, statistics.fmean(tied_share(some) for some in scores))


def ranked(scores: Sequence[float], values: Sequence[float]) -> Tensor:
    """The values (N,) in the order of their scores; those that tie all get their mean, as none of them is preferred.

    >>> ranked([0.5, 0.1, 0.5], values=[1.0, 7.0, 2.0])
    tensor([7.0000, 1.5000, 1.5000], dtype=torch.float64)
    """
    found: list[float] = []
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    for _, tied in itertools.groupby(order, key=lambda i: scores[i]):
        group = [values[i] for i in tied]
        found += [statistics.fmean(group)] * len(group)
    return torch.tensor(found, dtype=torch.float64)


def fall(gold: Tensor) -> list[float]:
    """For each prompt, gold at the peak less gold at the largest n; the peak is that of the other half (detail 5).

    >>> fall(torch.tensor([[0.0, 3.0, 1.0], [0.0, 2.0, 1.0]]))
    [2.0, 1.0]
    """
    peaks = [int(gold[1 - half :: 2].mean(0).argmax()) for half in (0, 1)]
    return [float(row[peaks[i % 2]] - row[-1]) for i, row in enumerate(gold)]


def train_proxy(config: Config, folder: Path) -> Iterator[Event]:
    """A reward model from few pairs of people's responses, saved in the folder."""
    settings = reward_model.Config(
        seed=config.seed,
        model=config.model,
        device=config.device,
        out=str(folder),
        steps=config.pairs // PAIRS_A_STEP,
        batch_size=PAIRS_A_STEP,
        pairs=config.pairs,
        pairs_from="people",
        held_out_pairs=HELD_OUT_PAIRS,
    )
    for event in reward_model.run(settings):
        if isinstance(event, Verdict):
            told = {name: event.measured[name] for name in ("accuracy", "ceiling") if name in event.measured}
            said = ", ".join(f"{name} {value:.1%}" for name, value in told.items())
            yield Note(f"the proxy on held-out pairs: {said}")
        elif isinstance(event, (Metrics, Chart)):
            yield event


def gold_itself(responses: Sequence[Response]) -> list[float]:
    """The gold score as a reward, for --break."""
    return [response.gold for response in responses]


def run(config: Config) -> Iterator[Event]:
    """Train the proxy, choose by it ever harder, fit both forms; then PPO against it where it is asked for."""
    if config.full:
        yield from full("over_optimisation", run, config)
        return
    setup = prepare(TrainConfig(model=config.model, seed=config.seed, device=config.device))
    with_ppo = config.ppo_steps > 0 and not config.break_
    stages = 2 + with_ppo
    prompts = World(setup.encoder, config.seed).prompts(1, config.max_new_tokens).held_out[: config.prompts]
    sizes = [2**i for i in range(config.samples.bit_length())]
    distances = [math.sqrt(best_of_n_kl(n)) for n in sizes]
    with tempfile.TemporaryDirectory() as scratch:
        yield Stage("a proxy from few comparisons", 1, stages)
        folder = Path(from_first(lambda: scratch), "proxy")
        if config.break_:  # the proxy is the thing itself: there is no error to exploit
            proxy: Reward = gold_itself
        else:
            yield from train_proxy(config, folder)
            proxy = reward_of(str(folder), setup)

        yield Stage("the best of ever more", 2, stages)
        judges = {"proxy": proxy} | ({config.compare: reward_of(config.compare, setup)} if config.compare else {})
        shared = best_of_n.Config(seed=config.seed)
        scores: dict[str, list[list[float]]] = {name: [] for name in judges}
        golds: list[list[float]] = []
        for step, some in enumerate(parts(prompts, AT_ONCE), 1):
            asked = [prompt for prompt in some for _ in range(config.samples)]
            pool = respond(setup, setup.model, asked, config.max_new_tokens, config.temperature, "pool", step)
            pools = list(parts(pool, config.samples))
            golds += [[r.gold for r in one] for one in pools]
            for name, judge in judges.items():
                scores[name] += [scored(judge, one, shared) for one in pools]
            if step == 1:
                chosen = max(range(config.samples), key=lambda i: scores["proxy"][0][i])
                told = {"reward": scores["proxy"][0][chosen], "gold": golds[0][chosen]}
                yield Sample(pool[0].prompt.text, setup.encoder.text(pool[chosen].ids), told)
            values = {"gold": statistics.fmean(map(statistics.fmean, golds[-len(some) :]))}
            values["best_reward"] = statistics.fmean(max(one) for one in scores["proxy"][-len(some) :])
            yield Metrics(step, -(-len(prompts) // AT_ONCE), values)
        curves = {name: Curves.of(some, golds, sizes) for name, some in scores.items()}
        yield from told_curves(sizes, distances, curves)
        holds, measured = yield from judged_fits(config, sizes, distances, curves["proxy"])
        if with_ppo:
            yield Stage("PPO against the proxy", 3, stages)
            measured |= yield from against(config, folder)
    claim = (
        f"A proxy that saw {config.pairs} comparisons rises throughout as the best of ever more is chosen by it, while "
        f"gold peaks and falls by n = {config.samples}; d·(α - β·d), fitted to n ≤ {config.fit_up_to}, foresees it"
    )
    yield Verdict(claim, holds, measured)


def told_curves(sizes: Sequence[int], distances: Sequence[float], curves: Mapping[str, Curves]) -> Iterator[Event]:
    """Proxy and gold score against n and √KL."""
    gold = {name: curve.gold.mean(0).tolist() for name, curve in curves.items()}
    proxy = curves["proxy"].proxy.mean(0).tolist()
    columns = ("n", "√KL, at most", "proxy", *(f"gold, chosen by {name}" for name in gold))
    rows = tuple(
        (n, *(round(number, 3) for number in rest))
        for n, *rest in zip(sizes, distances, proxy, *gold.values(), strict=True)
    )
    yield Table(f"The best of n on {len(curves['proxy'].gold)} held-out prompts", columns, rows)
    yield Note(f"{curves['proxy'].ties:.0%} of the pairs of samples tie, so the KL is lower than log n - (n - 1)/n")
    x = tuple(distances)
    yield Chart("line", "Proxy score of the best of n", "√KL, at most", "proxy", (Series("proxy", x, tuple(proxy)),))
    lines = tuple(Series(f"chosen by {name}", x, tuple(y)) for name, y in gold.items())
    yield Chart("line", "Gold score of the best of n", "√KL, at most", "gold", lines)


def judged_fits(
    config: Config, sizes: Sequence[int], distances: Sequence[float], curve: Curves
) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Fit both forms to small n; what they say about the peak and the largest n, beside what was measured."""
    fitted = sizes.index(max(n for n in sizes if n <= config.fit_up_to)) + 1
    gains = curve.gold - curve.gold[:, :1]
    means = gains.mean(0)
    highest = int(means.argmax())
    rows: list[tuple[str | float | int | None, ...]] = []
    errors, peaks = [], []
    lines = [Series("measured", tuple(distances), tuple(means.tolist()))]
    for name, form in FORMS.items():
        coefficients = fit(form, distances[1:fitted], gains[:, 1:fitted])  # (P, 2)
        alpha, beta = coefficients.mean(0).tolist()
        error = difference(predicted(form, coefficients, distances[-1]).tolist(), gains[:, -1].tolist())
        errors.append(error)
        peaks.append(peak(form, alpha, beta))
        numbers = (alpha, beta, peaks[-1], error.mean, error.low, error.high)
        rows.append((name, *(round(number, 3) if math.isfinite(number) else None for number in numbers)))
        y = tuple(float(predicted(form, coefficients.mean(0), d)) if d else 0.0 for d in distances)
        lines.append(Series(name, tuple(distances), y))
    columns = ("form", "α", "β", "its peak, √KL", f"its error at n = {sizes[-1]}", "low", "high")
    yield Table(
        f"Fitted on n ≤ {sizes[fitted - 1]}; gold peaks at √KL = {distances[highest]:.2f}", columns, tuple(rows)
    )
    yield Chart("line", "Gain of gold over one sample", "√KL, at most", "gold", tuple(lines))
    fallen = interval(fall(curve.gold))
    rise = difference(curve.proxy[:, -1].tolist(), curve.proxy[:, highest].tolist())
    measured = {
        "gold_at_peak": float(curve.gold.mean(0)[highest]),
        "n_at_peak": float(sizes[highest]),
        "gold_start": float(curve.gold.mean(0)[0]),
        "gold": float(curve.gold.mean(0)[-1]),
        "gold_fall": fallen.mean,
        "gold_fall_low": fallen.low,
        "proxy_rise": rise.mean,
        "predicted_error": errors[0].mean,
        "predicted_error_low": errors[0].low,
        "predicted_error_high": errors[0].high,
        "predicted_peak": min(round(peaks[0], 3), 99.0),
        "measured_peak": distances[highest],
        "ties": curve.ties,
    }
    holds = rise.low > 0 and fallen.low > 0 and abs(errors[0].mean) < fallen.mean / 2
    return holds, measured


def against(config: Config, folder: Path) -> Generator[Event, None, dict[str, float]]:
    """PPO against the saved proxy, at no price for the KL: proxy and gold score of its samples, round by round."""
    history: dict[str, list[float]] = {"kl": [], "reward": [], "gold": []}
    settings = ppo.Config(
        seed=config.seed,
        model=config.model,
        reward_model=str(folder),
        device=config.device,
        steps=config.ppo_steps,
        kl_coef=0.0,
    )
    for event in steps_of(ppo.run(settings)):
        yield Metrics(event.step, event.steps, {f"ppo/{name}": event.values[name] for name in history})
        for name, values in history.items():
            values.append(event.values[name])
    x = tuple(math.sqrt(max(0.0, kl)) for kl in history["kl"])
    for name in ("reward", "gold"):
        line = Series("proxy" if name == "reward" else "gold", x, tuple(history[name]))
        yield Chart("scatter", f"PPO against the proxy: {line.name}", "√KL", line.name, (line,))
    fitted = math.sqrt(best_of_n_kl(config.fit_up_to) / best_of_n_kl(config.samples))
    return (yield from judged_rounds(x, history["gold"], fitted))


if __name__ == "__main__":
    main(run, Config)
