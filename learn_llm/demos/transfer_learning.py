"""Transfer learning: what a model has learnt on much text carries over to a little text of another kind.

Nothing about the training changes, only where it starts (Yosinski et al. 2014, arXiv 1411.1792):

    θ ← θ - η·∇L(θ; new text)        from the weights of a pretrained model, or from random ones

Here the new text is a dialect of the tiny world: a few of the most common words have changed places with other words,
and all else (how a fact is told and asked, what belongs to what) is as it was.  Two models of one size read the same
few rows of it, in the same order and at the same learning rate: one is the bundled base, the other one is new.

    loss on the dialect      what transfers: the tuned model starts lower and stays lower
    loss on the old text     what it costs: nothing in the new loss protects it    (catastrophic forgetting;
                             Kirkpatrick et al. 2017, arXiv 1612.00796)

Claim: at every step count that is looked at, the tuned model has the lower loss on held-out rows of the dialect, and in
the end its loss on the old text has risen (95 % intervals, paired row by row).

`--replay 0.5` reads old text in half of every batch: the usual remedy, and with it there is little to forget.

`--break` shuffles the numbers within each weight matrix of the base: as large as before, and nothing learnt.

    python -m learn_llm.demos.transfer_learning [--replay 0.5] [--break]
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.evaluation import difference
from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Table, Verdict
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.pretrain import next_token_loss, rows
from learn_llm.running import RunConfig, main
from learn_llm.tinyworld import tokens
from learn_llm.tinyworld.lexicon import some
from learn_llm.training import Optimiser, TrainConfig, generator, prepare

KINDS = {"facts": 0.5, "short_facts": 0.2, "knowledge": 0.3}
"""What both texts are about (`tinyworld.documents`)."""
SMALL, BATCH, CONTEXT, HELD_OUT, LOOKS = 64, 8, 64, 16, 4
"""Rows of the dialect that are trained on, rows a step, tokens a row, held-out rows of each text, and evaluations."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 16
    """Training steps of each of the two models."""
    words: int = 6
    """Common words that the dialect says in another way."""
    learning_rate: float = 3e-3
    """Peak of the schedule of both models, AdamW."""
    replay: float = 0.0
    """Share of each batch that is old text."""

    def __post_init__(self) -> None:
        catalogue.check("transfer-learning", self)


def dialect(text: Tensor, words: int, rng: Random) -> Tensor:
    """For every token what the dialect says in its place, (V,): the commonest words of the text change places with
    others, drawn at random from the rest of the vocabulary."""
    vocabulary = len(tokens.vocabulary())
    fixed = len(tokens.SPECIAL) + len(tokens.MARKS)
    counts = Counter(token for token in text.flatten().tolist() if token >= fixed)
    common = [token for token, _ in counts.most_common(words)]
    others = some(rng, [token for token in range(fixed, vocabulary) if token not in common], len(common))
    said = torch.arange(vocabulary)
    said[common], said[others] = torch.tensor(others), torch.tensor(common)
    return said


@torch.no_grad()
def shuffle_weights(model: GPT, torch_generator: torch.Generator) -> None:
    """Put the numbers of each parameter in random order: the same sizes, and nothing learnt."""
    for parameter in model.parameters():
        order = torch.randperm(parameter.numel(), generator=torch_generator)
        parameter.copy_(parameter.flatten()[order].view(parameter.shape))


@torch.no_grad()
def row_losses(model: GPT, text: Tensor) -> list[float]:
    """Mean loss of each row in nats per token, from text (B, T + 1)."""
    losses = F.cross_entropy(model(text[:, :-1]).transpose(1, 2), text[:, 1:], reduction="none")  # (B, T)
    means: list[float] = losses.mean(1).tolist()
    return means


def batch(config: Config, new: Tensor, old: Tensor, step: int) -> Tensor:
    """The rows of a step: of the new text, and as many of the old text as replay asks for."""
    rng = generator(config, "batch", step)
    replayed = round(config.replay * BATCH)
    return torch.cat((new[rng.sample(range(len(new)), BATCH - replayed)], old[rng.sample(range(len(old)), replayed)]))


def run(config: Config) -> Iterator[Event]:
    """Train the base and a new model on the same rows of the dialect; measure both on the dialect and the old text."""
    train = TrainConfig(
        seed=config.seed, model="tiny-base", steps=config.steps, learning_rate=config.learning_rate, warmup=0.1,
        device="cpu",
    )  # fmt: skip
    setup = prepare(train)
    base, encoder = setup.model, setup.encoder
    old, old_held_out = (
        rows(generator(config, name), KINDS, n, CONTEXT) for name, n in (("old", SMALL), ("held out", HELD_OUT))
    )
    said = dialect(old, config.words, generator(config, "dialect"))
    new, new_held_out = said[rows(generator(config, "new"), KINDS, SMALL, CONTEXT)], said[old_held_out]
    for name, text in (("old text", old_held_out), ("the same in the dialect", new_held_out)):
        yield Sample(name, encoder.text(text[0, 1:24].tolist()), {})

    fresh = GPT(base.config)  # random weights, drawn from the seed that `prepare` set
    if config.break_:
        shuffle_weights(base, torch.Generator().manual_seed(config.seed))
        yield Note("--break: the numbers within every weight matrix of the base are shuffled.")
    arms = {"tuned": base, "new": fresh}
    optimisers = {name: Optimiser([model], train) for name, model in arms.items()}

    def look() -> dict[str, tuple[list[float], list[float]]]:
        """Losses of both models on held-out rows, of the dialect and of the old text."""
        return {name: (row_losses(m, new_held_out), row_losses(m, old_held_out)) for name, m in arms.items()}

    every = max(1, config.steps // LOOKS)
    looks = {0: look()}
    for step in range(1, config.steps + 1):
        text = batch(config, new, old, step)
        for name, model in arms.items():
            loss = next_token_loss(model(text[:, :-1]), text)
            loss.backward()
            optimisers[name].step(step, loss.item())
        if step % every == 0 or step == config.steps:
            looks[step] = look()
            yield Metrics(step, config.steps, means(looks[step]))

    yield from charts(looks)
    leads = [difference(now["new"][0], now["tuned"][0]) for now in looks.values()]
    smallest = min(leads, key=lambda lead: lead.low)
    forgotten = difference(looks[config.steps]["tuned"][1], looks[0]["tuned"][1])
    first, last = means(looks[0]), means(looks[config.steps])
    yield Verdict(
        "At every step count the tuned base has a lower loss on the dialect than a new model of its size, and in the "
        "end its loss on the old text has risen",
        holds=smallest.low > 0 and forgotten.low > 0,
        measured={
            "smallest_lead": smallest.mean,
            "smallest_lead_low": smallest.low,
            "forgotten": forgotten.mean,
            "forgotten_low": forgotten.low,
            "dialect_before": first["dialect_loss"],
            "dialect_after": last["dialect_loss"],
            "dialect_after_new": last["dialect_loss_new"],
            "old_before": first["old_loss"],
            "old_after": last["old_loss"],
        },
    )


def means(look: Mapping[str, tuple[list[float], list[float]]]) -> dict[str, float]:
    """The four mean losses of one look."""
    (tuned, tuned_old), (new, new_old) = ([sum(part) / len(part) for part in look[name]] for name in ("tuned", "new"))
    return {"dialect_loss": tuned, "dialect_loss_new": new, "old_loss": tuned_old, "old_loss_new": new_old}


def charts(looks: Mapping[int, Mapping[str, tuple[list[float], list[float]]]]) -> Iterator[Event]:
    """Both losses of both models over the steps, and the figures."""
    lines = {step: means(look) for step, look in looks.items()}
    for title, suffix in (("Loss on held-out rows of the dialect", "dialect"), ("Loss on the old text", "old")):
        series = (
            Series(name, tuple(lines), tuple(line[metric] for line in lines.values()))
            for name, metric in (("tuned base", f"{suffix}_loss"), ("new model", f"{suffix}_loss_new"))
        )
        yield Chart("line", title, "step", "nats per token", tuple(series))
    yield Table(
        "Loss in nats per token on held-out rows",
        ("step", "dialect, tuned", "dialect, new", "old text, tuned", "old text, new"),
        tuple((step, *(round(value, 3) for value in line.values())) for step, line in lines.items()),
    )


if __name__ == "__main__":
    main(run, Config)
