"""Attention: each position looks at all others and decides by itself which of them to read.

A query q asks, every position offers a key k and a value v.  Scores become weights, the weights mix the values:

    Attention(Q, K, V) = softmax( Q·Kᵀ / √d )·V                     (Vaswani et al. 2017, arXiv 1706.03762, Eq. 1)

The task is a lookup.  A sequence holds n pairs such as c4 a0 b7, in random order and matched anew each time; then a
key is asked for, and its value is the answer.  Nothing can be learnt by heart: only the binding inside the sequence
helps.

Claim 1: one head answers at least 99 % right.  The same network with all weights at 1/n (mean pooling) answers at
chance: each sequence holds all keys and all values, so their mean is always the same, and who belongs to whom is lost
in it.  Claim 2: the division by √d is needed.  q·k of random vectors has standard deviation √d, so without the
division the softmax freezes onto one position as d grows (its entropy collapses), and its gradient vanishes with it.

`--break` gives the attention arm the weights 1/n too: no looking, no lookup.

    python -m learn_llm.demos.attention [--pairs 16] [--break]
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Verdict
from learn_llm.running import RunConfig, main

BATCH, TEST = 64, 2000
WIDTHS = (4, 16, 64, 256, 1024)


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    pairs: int = 8
    """n: key-value pairs in each sequence."""
    width: int = 32
    """d: size of queries, keys and values."""
    steps: int = 250
    """Training steps of each of the two arms."""

    def __post_init__(self) -> None:
        catalogue.check("attention", self)


def attention_weights(q: Tensor, k: Tensor, scale: bool = True) -> Tensor:
    """How much each query reads from each position: (..., Q, d) and (..., n, d) give (..., Q, n), rows summing to 1.

    >>> q, k = torch.tensor([[2.0, 0.0, 0.0, 0.0]]), torch.eye(4)[:2]
    >>> attention_weights(q, k)                 # softmax([1, 0]): the scores 2 and 0, divided by √4
    tensor([[0.7311, 0.2689]])
    """
    scores = q @ k.transpose(-2, -1)
    return (scores / math.sqrt(q.shape[-1]) if scale else scores).softmax(-1)


def entropy(weights: Tensor) -> Tensor:
    """Entropy in nats over the last axis: log n when all are read equally, 0 when one alone is.

    >>> entropy(torch.tensor([0.5, 0.5]))
    tensor(0.6931)
    """
    nats: Tensor = torch.special.entr(weights).sum(-1)
    return nats


class Lookup(nn.Module):
    """One head that reads pairs.  A pair enters as the sum of two embeddings, the question as its key's embedding."""

    def __init__(self, n: int, d: int, looks: bool) -> None:
        super().__init__()
        self.looks = looks
        self.key, self.value = nn.Embedding(n, d), nn.Embedding(n, d)
        for embedding in (self.key, self.value):  # small: a question settles on a pair only once it has learnt which
            nn.init.normal_(embedding.weight, std=0.1)
        self.to_q, self.to_k, self.to_v = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.to_answer = nn.Linear(d, n)

    def weights(self, keys: Tensor, values: Tensor, asked: Tensor) -> Tensor:
        """(B, Q, n): what each of the Q questions reads."""
        if not self.looks:
            return torch.full((*asked.shape, keys.shape[1]), 1 / keys.shape[1])
        pairs = self.key(keys) + self.value(values)  # (B, n, d)
        return attention_weights(self.to_q(self.key(asked)), self.to_k(pairs))

    def forward(self, keys: Tensor, values: Tensor, asked: Tensor) -> Tensor:
        """Keys and values (B, n), questions (B, Q): logits over the values, (B, Q, n)."""
        pairs = self.key(keys) + self.value(values)
        read = self.weights(keys, values, asked) @ self.to_v(pairs)  # (B, Q, d)
        logits: Tensor = self.to_answer(read + self.key(asked))
        return logits


def sequences(batch: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Keys and values (B, n), each row all n in random order, and the right answer (B, n) for keys 0 to n - 1."""
    keys = torch.rand(batch, n, generator=generator).argsort(1)
    values = torch.rand(batch, n, generator=generator).argsort(1)
    return keys, values, values.gather(1, keys.argsort(1))  # keys.argsort(1)[:, i] is the place of key i


def entropy_by_width(generator: torch.Generator, positions: int = 64, queries: int = 200) -> dict[bool, list[float]]:
    """Mean entropy of random queries' weights as a share of log n at each of WIDTHS; with and without √d."""
    shares: dict[bool, list[float]] = {True: [], False: []}
    for d in WIDTHS:
        q, k = torch.randn(queries, d, generator=generator), torch.randn(positions, d, generator=generator)
        for scale, line in shares.items():
            line.append(entropy(attention_weights(q, k, scale)).mean().item() / math.log(positions))
    return shares


def run(config: Config) -> Iterator[Event]:
    """Train both arms on the same sequences, test them on fresh ones, then measure the entropy at growing width."""
    torch.set_num_threads(1)  # the matrices are small: a second thread would mostly wait
    n = config.pairs
    generator = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)  # the initial weights
    arms = {
        "attention": Lookup(n, config.width, looks=not config.break_),
        "mean pooling": Lookup(n, config.width, looks=False),
    }
    optimisers = {name: torch.optim.Adam(arm.parameters(), lr=1e-2) for name, arm in arms.items()}
    asked = torch.arange(n)  # every key of every sequence is asked for
    curves: dict[str, list[float]] = {name: [] for name in arms}

    for step in range(1, config.steps + 1):
        keys, values, answers = sequences(BATCH, n, generator)
        for name, arm in arms.items():
            logits = arm(keys, values, asked.expand(BATCH, n))
            loss = F.cross_entropy(logits.flatten(0, 1), answers.flatten())
            optimisers[name].zero_grad()
            loss.backward()
            optimisers[name].step()
            curves[name].append((logits.argmax(-1) == answers).float().mean().item())
        if step % 10 == 0 or step == config.steps:
            yield Metrics(
                step, config.steps, {"accuracy": curves["attention"][-1], "accuracy_pooled": curves["mean pooling"][-1]}
            )

    keys, values, answers = sequences(TEST, n, generator)
    with torch.no_grad():
        right = {
            name: (arm(keys, values, asked.expand(TEST, n)).argmax(-1) == answers).float() for name, arm in arms.items()
        }
        first = arms["attention"].weights(keys[:1], values[:1], asked[None])[0]  # (n, n)
    accuracy = {name: row.mean().item() for name, row in right.items()}
    per_sequence = right["mean pooling"].mean(1)  # the answers of one sequence depend on each other
    standard_error = per_sequence.std().item() / math.sqrt(TEST)

    columns = tuple(f"{chr(97 + k)}{v}" for k, v in zip(keys[0].tolist(), values[0].tolist(), strict=True))
    yield Chart(
        "heatmap",
        "What each question reads (one sequence)",
        "pairs of the sequence",
        "question",
        tuple(Series(f"{chr(97 + k)}?", columns, tuple(round(w, 2) for w in first[k].tolist())) for k in range(n)),
    )
    steps = tuple(range(10, config.steps + 1, 10)) or (config.steps,)
    lines = tuple(Series(name, steps, tuple(line[s - 1] for s in steps)) for name, line in curves.items())
    yield Chart("line", f"Accuracy on fresh sequences (chance {1 / n:.3f})", "step", "accuracy", lines)

    shares = entropy_by_width(generator)
    log_width = tuple(math.log10(d) for d in WIDTHS)
    yield Chart(
        "line",
        "Entropy of the weights of random queries and keys, as a share of log n",
        "log10 of d",
        "share",
        (Series("q·k / √d", log_width, tuple(shares[True])), Series("q·k", log_width, tuple(shares[False]))),
    )
    if config.break_:
        yield Note("--break: the attention arm has fixed weights 1/n; it cannot look, so it cannot look up.")

    rounding = 0.5 / TEST  # an arm that always gives the same answer is right exactly once a sequence: no spread at all
    at_chance = abs(accuracy["mean pooling"] - 1 / n) <= 4 * max(standard_error, rounding)
    collapses = shares[False][-1] < 0.1 and min(shares[True]) > 0.7
    yield Verdict(
        "One attention head looks values up with at least 99 % accuracy where mean pooling stays at chance, "
        "and without the division by √d the entropy of the weights collapses below a tenth of its maximum at d = 1024",
        holds=accuracy["attention"] >= 0.99 and at_chance and collapses,
        measured={
            "accuracy_attention": accuracy["attention"],
            "accuracy_mean_pooling": accuracy["mean pooling"],
            "chance": 1 / n,
            "chance_standard_error": standard_error,
            "entropy_scaled": shares[True][-1],
            "entropy_unscaled": shares[False][-1],
        },
    )


if __name__ == "__main__":
    main(run, Config)
