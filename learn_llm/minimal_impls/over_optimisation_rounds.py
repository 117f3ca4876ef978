"""PPO against a proxy, round by round (`over_optimisation.py`): how far gold falls, and whether a form foresees it."""

import math
import statistics
from collections.abc import Generator, Sequence

import torch

from learn_llm.events import Event, Table
from learn_llm.minimal_impls.over_optimisation_forms import FORMS, fit, peak, predicted, rl_form


def fall_of_rounds(gold: Sequence[float]) -> float:
    """Gold near its peak less gold in the last round.

    The peak is looked for in every other round and measured in the round after it, once from the first round on and
    once from the second: the highest of several noisy rounds would be too high.  It can be negative.

    >>> fall_of_rounds([0.0, 1.0, 3.0, 2.0, 1.0])
    1.5
    """
    peaks = (max(range(first, len(gold) - 2, 2), key=lambda i: gold[i]) for first in (0, 1))
    return statistics.fmean(gold[i + 1] - gold[-1] for i in peaks)


def judged_rounds(
    distances: Sequence[float], gold: Sequence[float], share: float
) -> Generator[Event, None, dict[str, float]]:
    """Fit both forms to the rounds up to this share of the largest √KL; what they say about the rounds behind it."""
    measured = {"ppo_gold": gold[-1]}
    near = [i for i, d in enumerate(distances) if 0 < d <= share * max(distances)]
    if len(near) < 2 or len(gold) < 4:
        return measured
    rest = [i for i, d in enumerate(distances) if d > share * max(distances)]
    gains = [score - gold[0] for score in gold]
    highest = distances[max(range(len(gold)), key=lambda i: gold[i])]
    measured |= {"ppo_gold_fall": fall_of_rounds(gold), "ppo_measured_peak": highest}
    rows: list[tuple[str | float | None, ...]] = []
    for name, form in FORMS.items():
        seen = torch.tensor([gains[i] for i in near], dtype=torch.float64)
        coefficients = fit(form, [distances[i] for i in near], seen)
        alpha, beta = coefficients.tolist()
        error = statistics.fmean(float(predicted(form, coefficients, distances[i])) - gains[i] for i in rest)
        at_peak = peak(form, alpha, beta)
        numbers = (alpha, beta, at_peak, highest, error)
        rows.append((name, *(round(number, 3) if math.isfinite(number) else None for number in numbers)))
        if form is rl_form:
            measured |= {"ppo_predicted_error": error, "ppo_predicted_peak": min(round(at_peak, 3), 99.0)}
    title = f"PPO against the proxy, fitted on √KL ≤ {share * max(distances):.2f}"
    yield Table(title, ("form", "α", "β", "its peak, √KL", "gold peaks at", "its error behind that"), tuple(rows))
    return measured
