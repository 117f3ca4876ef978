"""The KL penalty and DPO: one best policy, reached by reinforcement learning and by classifying pairs.

    maximise  E_π[r(y)] - β·KL(π ‖ π_ref)      is solved by      π*(y) = π_ref(y)·exp(r(y) / β) / Z

because the objective is β·log Z - β·KL(π ‖ π*).  Z is a sum over all answers.  A language model has too many of them;
here there is one prompt with a handful, the policy is a row of numbers, π = softmax(θ), and π* can be written down.

    policy gradient    draws answers from π and is paid r(y) - β·log(π(y) / π_ref(y)).  At π* that is β·log Z for every
                       answer: nothing is better than anything else, and the gradient and its noise vanish
    DPO                never sees r.  It has pairs of answers that annotators labelled, P(a ≻ b) = σ(r(a) - r(b)), and
                       trains β·log(π / π_ref) as the reward model that explains them (arXiv 2305.18290, Eq. 7)

Both use the losses of the methods' own files, `minimal_impls/reinforce.py` and `minimal_impls/dpo.py`.

Claim: for three values of β both arrive at π*, to a total variation distance TV = ½·Σ|π - π*| below 0.02.

`--break` leaves the reference out of both (π_ref counts as uniform).  They still agree with each other, on another
policy: softmax(r / β).

    python -m learn_llm.demos.kl_dpo [--pairs 1000] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.minimal_impls.dpo import dpo_loss
from learn_llm.minimal_impls.reinforce import leave_one_out, sequence_policy_loss
from learn_llm.running import RunConfig, main

BETAS = (0.5, 1.0, 2.0)
SPREAD = 1.5
"""Difference between the largest and the smallest logit of π_ref: e^1.5 = 4.5 times as likely."""
BATCH, RATE, EVERY = 1024, 0.1, 20
"""Answers a step of the policy gradient, the peak learning rate of both, steps between two looks."""
CLOSE = 0.02


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    answers: int = 5
    """Answers that the prompt can get."""
    best: float = 2.0
    """Reward of the best answer; the worst has 0."""
    pairs: int = 200_000
    """Labelled pairs that DPO learns from."""
    steps: int = 200
    """Steps of each method for each β."""

    def __post_init__(self) -> None:
        catalogue.check("kl-dpo", self)


def optimum(reference: Tensor, rewards: Tensor, beta: float) -> Tensor:
    """π* ∝ π_ref·exp(r / β), (K,).

    >>> optimum(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.0, 1.0, 2.0]), beta=1.0)
    tensor([0.1790, 0.2919, 0.5291])
    """
    return (reference.log() + rewards / beta).softmax(0)


def kl(policy: Tensor, reference: Tensor) -> float:
    """KL(π ‖ π_ref) in nats.

    >>> round(kl(torch.tensor([0.179, 0.292, 0.529]), torch.tensor([0.5, 0.3, 0.2])), 2)
    0.32
    """
    return float((policy * (policy / reference).log()).sum())


def total_variation(p: Tensor, q: Tensor) -> float:
    """½·Σ|p - q|: the most that the probabilities of any event differ by.

    >>> total_variation(torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25]))
    0.25
    """
    return float((p - q).abs().sum() / 2)


def labelled_pairs(rewards: Tensor, reference: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs of different answers drawn from π_ref, labelled by Bradley-Terry: chosen and rejected, (count,) each."""
    weights = reference[:, None] * reference * (1 - torch.eye(len(reference)))  # (K, K)
    drawn = weights.flatten().multinomial(count, replacement=True, generator=generator)
    a, b = drawn // len(reference), drawn % len(reference)
    first = torch.rand(count, generator=generator) < (rewards[a] - rewards[b]).sigmoid()
    return torch.where(first, a, b), torch.where(first, b, a)


def policy_gradient_loss(
    logprobs: Tensor, reference: Tensor, rewards: Tensor, beta: float, generator: torch.Generator
) -> Tensor:
    """REINFORCE on answers drawn from the policy, logprobs (K,); the KL is part of the reward."""
    drawn = logprobs.detach().exp().multinomial(BATCH, replacement=True, generator=generator)
    chosen = logprobs[drawn]  # (BATCH,)
    paid = rewards[drawn] - beta * (chosen.detach() - reference.log()[drawn])
    return sequence_policy_loss(chosen, chosen.detach(), paid - leave_one_out(paid, BATCH))


def run(config: Config) -> Iterator[Event]:
    """Train a table of probabilities both ways for every β, and compare with the formula."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    k = config.answers
    reference = torch.linspace(0, SPREAD, k)[torch.randperm(k, generator=generator)].softmax(0)
    rewards = torch.linspace(0, config.best, k)[torch.randperm(k, generator=generator)]
    pairs = labelled_pairs(rewards, reference, config.pairs, generator)
    known = torch.full((k,), 1 / k) if config.break_ else reference  # what the methods take for π_ref
    names = tuple(f"answer {i}" for i in range(1, k + 1))
    rows: list[tuple[str | float, ...]] = []
    distances: list[tuple[float, float]] = []
    errors: list[float] = []
    for at, beta in enumerate(BETAS):
        best = optimum(reference, rewards, beta)
        start = reference.log()
        thetas = {name: start.clone().requires_grad_() for name in ("policy gradient", "DPO")}
        optimiser = torch.optim.Adam(thetas.values(), lr=RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
        for step in range(1, config.steps + 1):
            logprobs = {name: theta.log_softmax(0) for name, theta in thetas.items()}
            ref_chosen, ref_rejected = (known.log()[side] for side in pairs)
            chosen, rejected = (logprobs["DPO"][side] for side in pairs)
            loss = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)
            optimiser.zero_grad()
            (loss + policy_gradient_loss(logprobs["policy gradient"], known, rewards, beta, generator)).backward()
            optimiser.step()
            schedule.step()
            if step % EVERY == 0 or step == config.steps:
                by_gradient, by_pairs = (theta.detach().softmax(0) for theta in thetas.values())
                far = total_variation(by_gradient, best), total_variation(by_pairs, best)
                values = {"distance_policy_gradient": far[0], "distance_dpo": far[1], "loss": loss.item()}
                yield Metrics(at * config.steps + step, len(BETAS) * config.steps, values)
        distances.append(far)
        policies = {"π_ref": reference, "optimum": best, "policy gradient": by_gradient, "DPO": by_pairs}
        yield Chart(
            "bar",
            f"β = {beta:g}: probability of each answer",
            "answer",
            "probability",
            tuple(Series(name, names, tuple(probs.tolist())) for name, probs in policies.items()),
        )
        for name, probs in policies.items():
            expected = float(probs @ rewards)
            row = (f"{beta:g}", name, expected, kl(probs, reference), expected - beta * kl(probs, reference))
            rows.append((*row[:2], *(round(x, 3) for x in row[2:]), round(total_variation(probs, best), 4)))
        implicit = beta * (by_pairs / known).log()  # the reward that DPO found, up to a constant
        errors.append(float(((implicit - implicit.mean()) - (rewards - rewards.mean())).abs().max()))
    columns = ("β", "policy", "E[r]", "KL to π_ref", "E[r] - β·KL", "TV to the optimum")
    yield Table("Where they arrive", columns, tuple(rows))
    if config.break_:
        yield Note("--break: neither method knows π_ref; both take it for uniform.")
    else:
        yield Note(
            f"β·log(π / π_ref) of DPO is the reward to within {max(errors):.3f}, up to a constant: it never saw it."
        )

    worst_gradient, worst_pairs = (max(side) for side in zip(*distances, strict=True))
    yield Verdict(
        f"For β = {', '.join(f'{beta:g}' for beta in BETAS)} the policy gradient with a KL penalty, and DPO, which "
        f"sees no reward, both arrive at π_ref·exp(r/β)/Z: total variation below {CLOSE:g}",
        holds=max(worst_gradient, worst_pairs) < CLOSE,
        measured={
            "largest_distance_policy_gradient": worst_gradient,
            "largest_distance_dpo": worst_pairs,
            "largest_error_of_implicit_reward": max(errors),
            "dpo_loss": loss.item(),
        },
    )


if __name__ == "__main__":
    main(run, Config)
