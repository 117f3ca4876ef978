"""The two functional forms of over-optimisation (`over_optimisation.py`): gain in gold against d = √KL from the start.

    best-of-n   gain(d) = d·(α - β·d)              RL   gain(d) = d·(α - β·log d)
                                                   (Gao, Schulman and Hilton 2022, arXiv 2210.10760, Eq. 1)
Both are linear in α and β, so least squares has a closed form.  The RL form is not valid near 0: its slope is infinite.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

Form = Callable[[float], tuple[float, float]]


def best_of_n_form(d: float) -> tuple[float, float]:
    """d·(α - β·d) = α·x + β·y with these x and y.

    >>> best_of_n_form(2.0)
    (2.0, -4.0)
    """
    return d, -d * d


def rl_form(d: float) -> tuple[float, float]:
    """d·(α - β·log d) = α·x + β·y with these x and y.

    >>> rl_form(1.0)
    (1.0, -0.0)
    """
    return d, -d * math.log(d)


def fit(form: Form, distances: Sequence[float], gains: Tensor) -> Tensor:
    """α and β by least squares, (2,) from gains (K,) at K distances above 0, or (P, 2) from (P, K).

    Gains that follow the form are found again:

    >>> fit(best_of_n_form, [1.0, 2.0, 3.0], torch.tensor([0.8, 1.2, 1.2], dtype=torch.float64))
    tensor([1.0000, 0.2000], dtype=torch.float64)
    """
    x = torch.tensor([form(d) for d in distances], dtype=torch.float64)  # (K, 2)
    coefficients: Tensor = gains @ torch.linalg.pinv(x).T
    return coefficients


def predicted(form: Form, coefficients: Tensor, distance: float) -> Tensor:
    """The gain at a distance, from α and β (..., 2).

    >>> predicted(best_of_n_form, torch.tensor([1.0, 0.2]), 2.5)
    tensor(1.2500)
    """
    return coefficients @ torch.tensor(form(distance), dtype=coefficients.dtype)


def peak(form: Form, alpha: float, beta: float) -> float:
    """The distance at which the form is highest; infinity where it only rises, 0 where it only falls.

    >>> peak(best_of_n_form, 1.0, 0.2), round(peak(rl_form, 1.0, 0.5), 3)
    (2.5, 2.718)
    """
    if beta <= 0:
        return math.inf
    return max(0.0, alpha / (2 * beta)) if form is best_of_n_form else math.exp(alpha / beta - 1)


FORMS: Mapping[str, Form] = {"d·(α - β·d)": best_of_n_form, "d·(α - β·log d)": rl_form}
