"""Transformer: the causal mask keeps the future out, positions bring the order in.

Attention is the only part of a transformer that sees other tokens, so both act there:

    score(t, s) = q_t·k_s / √d    if s ≤ t,    else -∞            causal mask: the weight on the future is exp(-∞) = 0
    q_t = R(t·θ)·W_q x_t,  k_s = R(s·θ)·W_k x_s                  RoPE (Su et al. 2021, arXiv 2104.09864, Eq. 13 to 16)

R turns pairs of components by an angle that grows with the position.  The product of two turned vectors depends on the
difference of the angles alone, and so the score on the offset t - s, wherever the two stand.

Without a mask and without positions attention is a sum over a set: shuffle the tokens, and the outputs are shuffled
with them.  The order task shows what that costs.  A sequence holds random tokens, among them one A and one B; did A
come first?  The answer is read behind a last token that asks.

    1 layer, nothing        cannot tell: at the last position every order looks the same
    1 layer, mask           nor this one: the last position sees everything as it is, and what it sees has seen nothing
    1 layer, RoPE           can
    2 layers, mask          can without positions: in the first layer each token sees its own past, and who has seen
                            whom says who came first

Claim: editing a future token changes past logits by less than 1e-6; RoPE's scores depend on the offset alone (to 1e-5);
one layer without mask and positions stays at chance in the order task, where RoPE, and the mask with two layers, are
right at least 90 % of the time.

`--break` drops the mask.  All else stays as it is, and now the future leaks.

    python -m learn_llm.demos.transformer_masks_positions [--length 16] [--break]
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

VOCABULARY, WIDTH, BATCH, RATE, TEST, EVERY = 12, 32, 64, 5e-3, 1000, 25
A, B, QUESTION = 0, 1, 2
"""Tokens of the order task; the others are filler."""
EDITED = 8
"""Length of the text of which each token is edited once."""
OFFSETS = (0, 1, 3, 10, 50)
STARTS = (0, 1, 7, 100, 1000)


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    length: int = 8
    """Tokens of a sequence in the order task, before the one that asks."""
    steps: int = 150
    """Training steps of every arm."""

    def __post_init__(self) -> None:
        catalogue.check("transformer-masks-positions", self)


def rope(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """Turn the pairs (x[2i], x[2i+1]) of vectors (..., T, d) by the angle position · base^(-2i/d).

    Position 3 at θ = 1, half a turn being π = 3.14 radians:

    >>> rope(torch.tensor([[1.0, 0.0]]), torch.tensor([3.0]))
    tensor([[-0.9900,  0.1411]])

    The same offset gives the same score, 5 - 2 = 105 - 102:

    >>> q = k = torch.tensor([[1.0, 0.0]])
    >>> [round((rope(q, torch.tensor([m])) @ rope(k, torch.tensor([n])).T).item(), 3) for m, n in ((5, 2), (105, 102))]
    [-0.99, -0.99]
    """
    d = x.shape[-1]
    theta = base ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)  # (d/2,)
    angles = positions[:, None].to(x.dtype) * theta  # (T, d/2)
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def causal(scores: Tensor) -> Tensor:
    """Scores (..., T, T) with -∞ wherever a position would look at a later one.

    >>> causal(torch.zeros(2, 2)).softmax(-1)
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -math.inf)


class Layer(nn.Module):
    """Pre-norm attention with one head, then an MLP for each position alone."""

    def __init__(self, d: int, mask: bool, positions: bool) -> None:
        super().__init__()
        self.mask, self.positions = mask, positions
        self.to_q, self.to_k, self.to_v, self.to_out = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d) -> (B, T, d)."""
        normed = F.rms_norm(x, x.shape[-1:])
        q, k, v = self.to_q(normed), self.to_k(normed), self.to_v(normed)
        if self.positions:
            places = torch.arange(x.shape[1])
            q, k = rope(q, places), rope(k, places)
        scores = q @ k.transpose(-2, -1) / math.sqrt(x.shape[-1])  # (B, T, T)
        if self.mask:
            scores = causal(scores)
        x = x + self.to_out(scores.softmax(-1) @ v)
        out: Tensor = x + self.mlp(F.rms_norm(x, x.shape[-1:]))
        return out


class Transformer(nn.Module):
    """Embeddings, layers, logits over the vocabulary: tokens (B, T) -> (B, T, V)."""

    def __init__(self, layers: int, mask: bool, positions: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.Sequential(*(Layer(WIDTH, mask, positions) for _ in range(layers)))
        self.out = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.out(self.layers(self.embed(tokens)))
        return logits


def edits(model: nn.Module, text: Tensor) -> Tensor:
    """Largest change of the logits at each position when one token is edited: text (T,) gives (edited, position)."""
    edited = text.repeat(len(text), 1)
    edited.diagonal().copy_((text + 1) % VOCABULARY)
    with torch.no_grad():
        changes: Tensor = (model(edited) - model(text[None])).abs().amax(-1)
    return changes


def order_task(batch: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sequences (B, length + 1) with one A and one B, QUESTION at the end; the answer (B,): the one that came first."""
    tokens = torch.randint(QUESTION + 1, VOCABULARY, (batch, length + 1), generator=generator)
    places = torch.rand(batch, length, generator=generator).argsort(1)[:, :2]
    tokens.scatter_(1, places, torch.tensor([A, B]).expand(batch, 2))
    tokens[:, -1] = QUESTION
    return tokens, torch.where(places[:, 0] < places[:, 1], A, B)


def offset_error(generator: torch.Generator, pairs: int = 20) -> float:
    """Largest difference between RoPE scores of the same vectors at the same offset, from different starts."""
    q, k = torch.randn(2, pairs, WIDTH, generator=generator, dtype=torch.float64)
    worst = 0.0
    for offset in OFFSETS:
        here = torch.stack(
            [
                (rope(q[:, None], torch.tensor([start + offset])) * rope(k[:, None], torch.tensor([start]))).sum(-1)
                for start in STARTS
            ]
        )  # (starts, pairs, 1)
        worst = max(worst, (here - here[0]).abs().max().item())
    return worst


def run(config: Config) -> Iterator[Event]:
    """Edit a text token by token, move a pair of vectors along, and train four arms on the order task."""
    torch.set_num_threads(1)  # the matrices are small: a second thread would mostly wait
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    masked = not config.break_

    model = Transformer(2, mask=masked, positions=True)
    changes = edits(model, torch.randint(VOCABULARY, (EDITED,), generator=generator))  # (edited, position)
    past = changes.tril(-1).max().item()  # positions before the edited one
    yield Chart(
        "heatmap",
        "Change of the logits at a position (across) when a token is edited (down)",
        "position of the logits",
        "edited token",
        tuple(
            Series(f"edit {i}", tuple(str(t) for t in range(EDITED)), tuple(round(x, 2) for x in row))
            for i, row in enumerate(changes.tolist())
        ),
    )
    error = offset_error(generator)

    arms = {
        "1 layer, nothing": Transformer(1, mask=False, positions=False),
        "1 layer, mask": Transformer(1, mask=masked, positions=False),
        "1 layer, RoPE": Transformer(1, mask=False, positions=True),
        "2 layers, mask": Transformer(2, mask=masked, positions=False),
    }
    optimiser = torch.optim.Adam([p for arm in arms.values() for p in arm.parameters()], lr=RATE, fused=True)
    test, test_answers = order_task(TEST, config.length, generator)

    def accuracy(arm: nn.Module) -> float:
        """Share right on fresh sequences."""
        with torch.no_grad():
            logits = arm(test)[:, -1, :QUESTION]
        return float((logits.argmax(-1) == test_answers).float().mean())

    steps: list[int] = []
    curves: dict[str, list[float]] = {name: [] for name in arms}
    for step in range(1, config.steps + 1):
        tokens, answers = order_task(BATCH, config.length, generator)
        optimiser.zero_grad()
        for arm in arms.values():
            F.cross_entropy(arm(tokens)[:, -1, :QUESTION], answers).backward()
        optimiser.step()
        if step % EVERY == 0 or step == config.steps:
            steps.append(step)
            for name, arm in arms.items():
                curves[name].append(accuracy(arm))
            values = {"accuracy": curves["1 layer, RoPE"][-1], "accuracy_no_order": curves["1 layer, nothing"][-1]}
            yield Metrics(step, config.steps, values)

    yield Chart(
        "line",
        "Did A come before B? (chance 0.5)",
        "step",
        "accuracy",
        tuple(Series(name, tuple(steps), tuple(line)) for name, line in curves.items()),
    )
    yield Table(
        "Order task",
        ("arm", "accuracy"),
        tuple((name, round(line[-1], 3)) for name, line in curves.items()),
    )
    if config.break_:
        yield Note("--break: no arm has a mask; an edit changes logits before it too.")

    final = {name: line[-1] for name, line in curves.items()}
    blind = arms["1 layer, nothing"]
    with torch.no_grad():
        shuffled = test.clone()
        shuffled[:, :-1] = test[:, :-1].flip(1)
        invariance = (blind(test)[:, -1] - blind(shuffled)[:, -1]).abs().max().item()
    chance_error = 4 * math.sqrt(0.25 / TEST)
    yield Verdict(
        "Editing a future token changes past logits by less than 1e-6; RoPE's scores depend only on the offset (to "
        "1e-5); one layer without mask and positions stays at chance in the order task (4 standard errors), where one "
        "with RoPE, and two with the mask alone, are right at least 90 % of the time",
        holds=past < 1e-6
        and error < 1e-5
        and min(final["1 layer, RoPE"], final["2 layers, mask"]) >= 0.9
        and abs(final["1 layer, nothing"] - 0.5) <= chance_error,
        measured={
            "change_of_past_logits": past,
            "change_of_later_logits": changes.triu().max().item(),
            "rope_offset_error": error,
            "change_when_reversed": invariance,
            "accuracy_nothing": final["1 layer, nothing"],
            "accuracy_mask": final["1 layer, mask"],
            "accuracy_rope": final["1 layer, RoPE"],
            "accuracy_two_layers_mask": final["2 layers, mask"],
        },
    )


if __name__ == "__main__":
    main(run, Config)
