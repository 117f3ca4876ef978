"""Cross-entropy and perplexity: what a language model's loss can reach, and what it cannot.

The loss of a language model is the mean surprise of the next token, and perplexity is its exponential: among how many
equally likely tokens the model hesitates.  The loss has two parts, and only one of them can be trained away:

    loss = E[ -log q(next | past) ]  =  H + KL(p ‖ q)          perplexity = e^loss          (Shannon 1948; in nats)

H is the entropy rate of the text itself.  For real text nobody knows it; here the text comes from a source whose H is
known exactly: each token is drawn from p(c | a, b), a random table over the two tokens before it.

    H  = Σ π(a, b) · entropy of p(· | a, b)           π: how often the pair a, b occurs (stationary distribution)
    H₁ = Σ π(b) · entropy of p(· | b)               the loss of the best model that sees one token back, a bigram table

Claim: a small GPT trained live never gets below H (3 standard errors allowed) and ends below H₁: it looks two tokens
back.  Tokens of one sequence depend on each other, so the standard error counts sequences, not tokens; and the
comparison with the bigram model is paired, on the same sequences.

`--break` shuffles the tokens within each training sequence.  The frequencies stay, the order is gone: nothing to
learn from the past.

    python -m learn_llm.demos.perplexity [--concentration 0.05] [--break]
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.running import RunConfig, main

BATCH, LENGTH, HELD_OUT = 32, 32, 400
EVERY = 20
"""Steps between two evaluations."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    vocabulary: int = 8
    """V: different tokens of the source."""
    concentration: float = 0.3
    """Dirichlet concentration of the next-token distributions; small is predictable."""
    steps: int = 100
    """Training steps."""

    def __post_init__(self) -> None:
        catalogue.check("perplexity", self)


def entropy(probs: Tensor) -> Tensor:
    """Entropy in nats over the last axis.

    >>> entropy(torch.tensor([0.5, 0.5]))
    tensor(0.6931)
    """
    nats: Tensor = torch.special.entr(probs).sum(-1)
    return nats


class Source:
    """A second-order Markov source over V tokens: the next one depends on the last two.

    next: (V, V, V), next[a, b, c] = p(c | a, b).  pairs: (V, V), how often a, b occurs.  bigram: (V, V), p(c | b).
    """

    def __init__(self, next_probs: Tensor) -> None:
        self.next = next_probs
        self.pairs = stationary(next_probs)
        joint = (self.pairs[:, :, None] * next_probs).sum(0)  # (V, V): how often b, c occurs
        self.bigram = joint / joint.sum(1, keepdim=True)

    @classmethod
    def draw(cls, vocabulary: int, concentration: float, rng: np.random.Generator) -> "Source":
        """Random next-token distributions; a hundredth is spread evenly, so that no token is ever impossible."""
        probs = rng.dirichlet([concentration] * vocabulary, size=(vocabulary, vocabulary))
        return cls(0.99 * torch.from_numpy(probs) + 0.01 / vocabulary)

    @property
    def entropy_rate(self) -> float:
        """H in nats per token: no model of any kind has a lower expected loss."""
        return (self.pairs * entropy(self.next)).sum().item()

    @property
    def bigram_entropy(self) -> float:
        """H₁ in nats per token: no model that sees one token back has a lower expected loss."""
        return (self.pairs.sum(0) * entropy(self.bigram)).sum().item()

    def sample(self, rows: int, length: int, generator: torch.Generator) -> Tensor:
        """Token sequences (rows, length), begun in the stationary distribution, so that every position is alike."""
        vocabulary = len(self.next)
        pair = self.pairs.flatten().multinomial(rows, replacement=True, generator=generator)
        tokens = [pair // vocabulary, pair % vocabulary]
        while len(tokens) < length:
            probs = self.next[tokens[-2], tokens[-1]]
            tokens.append(probs.multinomial(1, generator=generator).squeeze(1))
        return torch.stack(tokens[:length], dim=1)


def stationary(next_probs: Tensor) -> Tensor:
    """How often each pair occurs in the long run, (V, V): the solution of π = π·P over pairs (a, b) -> (b, c).

    >>> stationary(torch.tensor([[[0.9, 0.1], [0.5, 0.5]], [[0.9, 0.1], [0.5, 0.5]]], dtype=torch.float64)).sum(0)
    tensor([0.8333, 0.1667], dtype=torch.float64)
    """
    v = len(next_probs)
    move = torch.zeros(v, v, v, v, dtype=next_probs.dtype)
    for b in range(v):
        move[:, b, b, :] = next_probs[:, b, :]  # from (a, b) to (b, c)
    equations = move.reshape(v * v, v * v).T - torch.eye(v * v, dtype=next_probs.dtype)
    equations[-1] = 1  # one equation is redundant; in its place: probabilities sum to 1
    right = torch.zeros(v * v, dtype=next_probs.dtype)
    right[-1] = 1
    solution: Tensor = torch.linalg.solve(equations, right)
    return solution.reshape(v, v)


def surprise(logprobs: Tensor, tokens: Tensor) -> Tensor:
    """Mean -log q(next | past) of each sequence, (B,) in nats, where both tokens of the source's memory are known.

    logprobs: (B, T, V), position t scores token t + 1 of tokens (B, T); tokens 0 and 1 are not scored.
    """
    scored = logprobs[:, 1:-1].gather(-1, tokens[:, 2:, None]).squeeze(-1)  # (B, T - 2)
    return -scored.mean(1)


def standard_error(per_sequence: Tensor) -> float:
    """Of the mean over independent sequences (B,)."""
    return (per_sequence.std() / math.sqrt(len(per_sequence))).item()


def run(config: Config) -> Iterator[Event]:
    """Draw a source, train a small GPT on fresh text from it, and compare its held-out loss with the two entropies."""
    torch.set_num_threads(1)  # the matrices are small: a second thread would mostly wait
    torch.manual_seed(config.seed)  # the initial weights
    generator = torch.Generator().manual_seed(config.seed)
    v = config.vocabulary
    source = Source.draw(v, config.concentration, np.random.default_rng(config.seed))
    held_out = source.sample(HELD_OUT, LENGTH, generator)
    a, b = held_out[:, :-1], held_out[:, 1:]
    true_surprise = surprise(F.pad(source.next[a, b], (0, 0, 1, 0), value=1.0).log(), held_out)  # (B,)
    bigram_surprise = surprise(source.bigram[held_out].log(), held_out)

    text = source.sample(BATCH * config.steps, LENGTH, generator)  # every sequence is trained on once
    if config.break_:
        text = text.gather(1, torch.rand(text.shape, generator=generator).argsort(1))
    model = GPT(GPTConfig(v, 32, 64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=config.steps, pct_start=0.1)

    def evaluate() -> Tensor:
        with torch.no_grad():
            return surprise(model(held_out).log_softmax(-1), held_out)

    steps, losses = [0], [evaluate().mean().item()]
    for step, tokens in enumerate(text.split(BATCH), 1):
        loss = F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % EVERY == 0 or step == config.steps:
            steps.append(step)
            losses.append(evaluate().mean().item())
            values = {"loss": loss.item(), "validation_loss": losses[-1], "perplexity": math.exp(losses[-1])}
            yield Metrics(step, config.steps, values)

    ends = (0, config.steps)
    yield Chart(
        "line",
        "Held-out loss of the GPT, and what the source allows",
        "step",
        "nats per token",
        (
            Series("GPT", tuple(steps), tuple(losses)),
            Series("best bigram model", ends, (source.bigram_entropy,) * 2),
            Series("entropy rate H", ends, (source.entropy_rate,) * 2),
        ),
    )
    final = evaluate()
    alone = source.pairs.sum(0)
    levels = {
        "no model: all tokens alike": math.log(v),
        "best unigram model": entropy(alone).item(),
        "best bigram model (H₁)": source.bigram_entropy,
        "GPT on held-out text": final.mean().item(),
        "the source itself (H)": source.entropy_rate,
    }
    yield Table(
        "Loss and perplexity",
        ("model", "nats per token", "bits per token", "perplexity"),
        tuple((name, round(x, 4), round(x / math.log(2), 4), round(math.exp(x), 3)) for name, x in levels.items()),
    )
    if config.break_:
        yield Note("--break: the training sequences were shuffled; the held-out text was not.")

    loss_error, gain = standard_error(final), bigram_surprise - final
    excess = final - true_surprise  # an estimate of KL(p ‖ q), paired on the same text
    above = final.mean().item() >= source.entropy_rate - 3 * loss_error
    yield Verdict(
        "The GPT's held-out loss is not below the entropy rate of the source (3 standard errors allowed), and it is "
        "below the loss of the best bigram model (by more than 3 standard errors)",
        holds=above and gain.mean().item() > 3 * standard_error(gain),
        measured={
            "loss": final.mean().item(),
            "loss_standard_error": loss_error,
            "entropy_rate": source.entropy_rate,
            "bigram_loss": bigram_surprise.mean().item(),
            "gain_over_bigram": gain.mean().item(),
            "gain_standard_error": standard_error(gain),
            "excess_over_source": excess.mean().item(),
            "perplexity": math.exp(final.mean().item()),
        },
    )


if __name__ == "__main__":
    main(run, Config)
