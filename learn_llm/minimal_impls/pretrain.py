"""Pretraining: predict the next token of raw text.  Everything that the other methods need is learnt here, or not at
all.

    L = -1/N Σ log π(y_t | y_<t)        over all N tokens: the text is its own label      (Radford et al. 2018, GPT,
    Eq. 1)

By default a new model reads repeated lists of random words for a while.  No statistics of words can predict them:
only a circuit that finds the earlier occurrence of a word and copies what followed it, an induction head (Olsson et
al. 2022, arXiv 2209.11895).  `--recipe tiny-base` builds the base that every other file of this package starts from.

Implementation details
  1. Documents are packed into rows one after another, each between BOS and EOS: no padding. Attention may look into the
     document before; the model learns not to (GPT-3 does the same, Brown et al. 2020, 2.3).  Each row begins with a
     new document and what does not fit its end is dropped: in short rows a document without its beginning teaches
     little.
  2. The text of a step is drawn from a generator seeded by (seed, step): no data on disk, and a killed run goes on
     exactly.
  3. From short to long: to find one of 2 keys in a row of 32 tokens is learnt many times sooner than one of 5 among
     256. So the recipe starts with pairs of words, then facts, and goes on when a probe says that a part is learnt.
     Repeated lists would come sooner still, but they teach to copy from a fixed distance, not to find a key.
     To judge what a text says comes as abruptly, and marks alone hardly teach it: "the hat belongs to tom : wrong" was
     at most told from right where tom was never named (two of a dozen tries came further).  With corrections among the
     marks, "the hat belongs to tom : mia", it came in four of five: to correct, the model must know, in the place of
     the mark, what should stand there, which is a look-up; then only a comparison is left.  The marks stand in the
     margin and behind EOS, where a reward model reads its score.
  4. The rate is constant and falls to 0 at the end (Hu et al. 2024, MiniCPM, arXiv 2404.06395, section 4).  Then it
     rises once more (a warm restart, Loshchilov and Hutter 2017, arXiv 1608.03983): answers are judged better by a
     model that knows its tasks.
  5. Weights start at N(0, 1/sqrt(D)) (`gpt.py`, details 6 and 7), AdamW β = (0.9, 0.98), decay on matrices, gradient
     norm at most 1.
  6. The loss does not show what is learnt: abilities come abruptly while it falls smoothly.  The probes are watched.
Left out: dropout (each text is seen once), a mask between the documents of a row, weight averaging.

    python -m learn_llm.minimal_impls.pretrain                                    # about a minute on 2 cores
    python -m learn_llm.minimal_impls.pretrain --recipe tiny-base --out runs/tiny-base
"""

import dataclasses
import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.checkpoints import save
from learn_llm.errors import UserError
from learn_llm.evaluation import curves, difference
from learn_llm.events import Event, Metrics, Note, Stage, Table, Verdict
from learn_llm.examples import Encoder
from learn_llm.examples import parts as micro_batches
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.model_card import ModelCard
from learn_llm.parallel import from_first, own
from learn_llm.running import main
from learn_llm.tinyworld import documents, lexicon, probes, tasks, tokens
from learn_llm.training import Optimiser, Progress, Setup, TrainConfig, choose_device, compiled, generator


@dataclass(frozen=True)
class Part:
    """A part of the curriculum: what is read, and until when."""

    name: str
    shares: Mapping[str, float]
    """How often each kind of document is drawn (`tinyworld.documents`)."""
    context: int
    """Tokens a row."""
    batch_size: int
    """Rows a step."""
    steps: int
    """At most."""
    probe: str = ""
    """Goes on to the next part when this probe reaches `bar`; "": only when the steps are taken."""
    bar: float = 1.0
    restart: bool = False
    """The rate rises anew here, as at the start, and falls to 0 at the end of what follows (detail 4)."""


# The base: to find again, to judge (each circuit in short dense rows), to read, to judge answers, then everything.
_CORRECTIONS = {"corrections": 0.7, "short_facts": 0.15, "short_pairs": 0.05, "copies": 0.1}
_CHECKS = {"checks": 0.4, "knowledge": 0.2, "drills": 0.1, "corrections": 0.15, "short_facts": 0.1, "short_pairs": 0.05}
_LABELS = {"checked_labels": 0.6, "checks": 0.2, "corrections": 0.2}
_REVIEWS = {"reviews": 0.6, "checked_labels": 0.15, "checks": 0.15, "corrections": 0.1}
TINY_BASE: tuple[Part, ...] = (
    Part("pairs", {"short_pairs": 1.0}, 32, 16, 3000, probe="pairing", bar=0.95),
    Part("facts", {"short_facts": 0.7, "pairs": 0.15, "copies": 0.15}, 64, 16, 3000, probe="look_up_4", bar=0.8),
    Part("corrections", _CORRECTIONS, 64, 16, 5000, probe="checking_facts", bar=0.98),
    Part("checks", _CHECKS, 64, 16, 3000, probe="checking", bar=0.95),
    Part("labels", _LABELS, 64, 16, 2000, probe="checking_labels", bar=0.85),
    Part("text", documents.TEXT, 256, 8, 4000),
    Part("reviews", _REVIEWS, 64, 16, 1500, probe="reviewing", bar=0.9),
    Part("everything", documents.EVERYTHING, 256, 8, 3500),
    Part("reviews again", _REVIEWS, 64, 32, 4500, probe="reviewing", bar=0.96, restart=True),
    Part("everything again", documents.EVERYTHING, 256, 8, 2500),
)


@dataclass(frozen=True)
class Config(TrainConfig):
    """How pretraining runs."""

    model: str = ""
    """A checkpoint to go on from; empty: a new model of --size."""
    size: Literal["nano", "micro", "tiny", "small", "base"] = "tiny"
    """How large a new model is: about 0.2M, 0.4M, 0.9M, 15M, 86M parameters."""
    recipe: Literal["", "tiny-base"] = ""
    """The whole curriculum of the bundled bases, with its own steps, batches and rates; empty: repeated lists."""
    context: int = 32
    """Tokens a row."""
    batch_size: int = 16
    """Rows a step."""
    steps: int = 600
    """Optimiser steps."""
    learning_rate: float = 2e-3
    """AdamW."""
    schedule: Literal["cosine", "linear", "constant", "trapezoid"] = "trapezoid"
    """How the learning rate falls to 0 after the warm-up."""
    weight_decay: float = 0.01
    """AdamW's decay, on matrices only."""
    probe_every: int = 100
    """Steps between two looks at the probes."""
    compile: bool = False
    """Compile the forward pass (`torch.compile`): for long runs on a GPU."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("context", "probe_every"):
            if getattr(self, name) < 2:
                raise UserError(f"--{name.replace('_', '-')} must be at least 2, not {getattr(self, name)}")
        if self.model or self.data:
            raise UserError(
                "pretraining starts from a new model on the tiny world's text: leave --model and --data away"
            )


def rows(rng: Random, shares: Mapping[str, float], batch: int, context: int) -> Tensor:
    """Packed text, (B, T + 1): the inputs are all but the last column, the labels all but the first (detail 1).

    Each row begins with a new document, and what does not fit its end is dropped.
    """
    stream = documents.stream(rng, shares)
    bos, eos = tokens.vocabulary()[tokens.BOS], tokens.vocabulary()[tokens.EOS]
    ids: list[int] = []
    for end in range(context + 1, batch * (context + 1) + 1, context + 1):
        while len(ids) < end:
            ids += [bos, *tokens.encode(next(stream)), eos]
        del ids[end:]
    return torch.tensor(ids).view(batch, context + 1)


def next_token_loss(logits: Tensor, text: Tensor) -> Tensor:
    """Mean cross-entropy in nats of each token given those before it, a scalar.

    Args:
        logits: (B, T, V), the model's output for text[:, :-1].
        text: (B, T + 1).

    >>> next_token_loss(torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]).log(), torch.tensor([[0, 1, 0]])).exp() ** 2
    tensor(8.)
    """
    return F.cross_entropy(logits.flatten(0, 1).float(), text[:, 1:].flatten())


@torch.no_grad()
def exact(model: GPT, questions: Sequence[probes.Question]) -> list[bool]:
    """Whether greedy decoding gives each answer exactly: the most likely token is right at every place of it."""
    bos, eos, newline = (tokens.vocabulary()[token] for token in (tokens.BOS, tokens.EOS, "\n"))
    asked = [([bos, *tokens.encode(q.prompt)], tokens.encode(q.answer), q) for q in questions]
    order = sorted(range(len(asked)), key=lambda i: len(asked[i][0]))
    right: dict[int, bool] = {}
    for start in range(0, len(order), 128):
        some = order[start : start + 128]
        width = max(len(asked[i][0]) + len(asked[i][1]) for i in some)
        ids = torch.zeros(len(some), width, dtype=torch.long)
        for row, i in enumerate(some):
            ids[row, : len(asked[i][0]) + len(asked[i][1])] = torch.tensor(asked[i][0] + asked[i][1])
        logits = model(ids.to(model.device))  # padding is on the right, where nobody looks
        best = logits.argmax(-1).tolist()
        for row, i in enumerate(some):
            prompt, answer, question = asked[i]
            first, last = len(prompt) - 1, len(prompt) + len(answer) - 1
            if question.options:
                options = tokens.encode(" ".join(question.options))
                best[row][first] = options[int(logits[row, first, options].argmax())]
            right[i] = best[row][first:last] == answer and (not question.ends or best[row][last] in (newline, eos))
    return [right[i] for i in range(len(asked))]


def copy_losses(model: GPT, seed: int, count: int = 256) -> tuple[list[float], list[float]]:
    """Mean loss in nats per token on the first and on the second reading of random lists, one number a list."""
    rng = Random(f"copy losses {seed}")
    lists = [lexicon.some(rng, lexicon.vocabulary(), 5) for _ in range(count)]
    spelled = [tokens.encode(" ".join([*words, "\n", *words])) for words in lists]
    ids = torch.tensor([[tokens.vocabulary()[tokens.BOS], *row] for row in spelled], device=model.device)
    with torch.no_grad():
        losses = F.cross_entropy(model(ids[:, :-1]).transpose(1, 2).float(), ids[:, 1:], reduction="none")  # (B, 11)
    return losses[:, 1:5].mean(1).tolist(), losses[:, 7:].mean(1).tolist()  # each without the list's first word


def run(config: Config) -> Iterator[Event]:
    """Train a new model on the tiny world's text; the verdict measures copying, or all the probes of the base."""
    parts = TINY_BASE if config.recipe else _plain(config)
    if config.recipe:
        config = dataclasses.replace(config, steps=sum(part.steps for part in parts))
    setup = new_model(config)
    model = setup.model
    yield Note(f"a new model of {model.num_parameters():,} parameters, a vocabulary of {model.config.vocab_size} words")
    forward = compiled(model, setup) if config.compile else model
    optimiser = Optimiser([model], config, betas=(0.9, 0.98))
    first_step, origin = 1, 0
    with Progress(config, {"model": model}, optimiser, lambda folder: keep(setup, folder)) as progress:
        skip_to = int(progress.extra.get("skip_to", 0))
        for index, part in enumerate(parts, 1):
            last_step = first_step + part.steps - 1
            if config.recipe and (index == 1 or part.restart):
                origin = first_step - 1
                optimiser.config = scheduled(config, parts[index - 1 :])
            if max(progress.step, skip_to) < last_step:
                yield Stage(part.name, index, len(parts))
            for step in range(max(first_step, progress.step + 1, skip_to + 1), last_step + 1):
                text = rows(generator(config, "text", step), part.shares, part.batch_size, part.context).to(
                    setup.device
                )
                loss = 0.0
                for some in micro_batches(own(text), config.micro_batch_size):
                    with setup.autocast():
                        share = next_token_loss(forward(some[:, :-1]), some) * (len(some) / len(text))
                    share.backward()
                    loss += share.item()
                values = optimiser.step(step - origin, loss)
                if step % config.probe_every == 0:
                    values |= from_first(lambda: measure(model, config.seed))
                    if part.probe and values[part.probe] >= part.bar:
                        skip_to = last_step
                progress.done(step, values, skip_to=skip_to)
                yield Metrics(step, config.steps, values)
                if skip_to == last_step:
                    break
            first_step = last_step + 1
    yield curves("Loss", progress.history, ["loss"], "nats per token")
    if config.recipe:
        yield from run_probes(model, config.seed)
    else:
        yield from copying_verdict(model, config)


def scheduled(config: Config, parts: Sequence[Part]) -> Config:
    """The schedule from the first of these parts to the last one before a restart: 50 steps up, the last 30 % down.

    >>> parts = (Part("a", {}, 32, 16, 900), Part("b", {}, 32, 16, 100), Part("c", {}, 32, 16, 500, restart=True))
    >>> scheduled(Config(), parts).steps, scheduled(Config(), parts).warmup, scheduled(Config(), parts[2:]).steps
    (1000, 0.05, 500)
    """
    together = [*parts[:1], *itertools.takewhile(lambda part: not part.restart, parts[1:])]
    steps = sum(part.steps for part in together)
    return dataclasses.replace(config, steps=steps, warmup=50 / steps)


def _plain(config: Config) -> tuple[Part, ...]:
    """Repeated lists; broken: the same words without repeats."""
    shares = {"random_words" if config.break_ else "short_copies": 1.0}
    return (
        Part(
            "random words" if config.break_ else "repeated lists",
            shares,
            config.context,
            config.batch_size,
            config.steps,
        ),
    )


def new_model(config: Config) -> Setup:
    """A new model of the wanted size with the tiny world's tokenizer."""
    device = choose_device(config.device)
    torch.manual_seed(config.seed)
    tokenizer = tokens.tokenizer()
    shape = GPTConfig.of_size(config.size, tokenizer.vocab_size)
    shape = dataclasses.replace(
        shape, bos_token_id=tokenizer.bos_id, eos_token_id=tokenizer.eos_id, pad_token_id=tokenizer.pad_id
    )
    model = GPT(shape).to(device)
    return Setup(config, model, Encoder(tokenizer, model.config), device)


def keep(setup: Setup, folder: Path, recipe: Mapping[str, Any] | None = None) -> None:
    """Save the model with a card."""
    card = ModelCard("tiny-base", "A base model of the tiny world, trained by learn-llm's pretrain.py.", licence="mit")
    save(setup.model, setup.encoder.tokenizer, folder, card=card, dtype=torch.float32, recipe=recipe)


def measure(model: GPT, seed: int, count: int = 100) -> dict[str, float]:
    """A quick look at the probes while training."""
    model.eval()
    measured = {probe.name: statistics.fmean(exact(model, probe.questions)) for probe in probes.all_probes(seed, count)}
    first, second = copy_losses(model, seed, count)
    model.train()
    share = statistics.fmean(b < a / 3 for a, b in zip(first, second, strict=True))
    return {**measured, "copying_short": share}


def copying_verdict(model: GPT, config: Config) -> Iterator[Event]:
    """Does the model copy?  The loss on the second reading of fresh random lists against the first."""
    first, second = copy_losses(model, config.seed + 1)
    fall = difference([a / 3 for a in first], second)
    measured = {
        "first_loss": statistics.fmean(first),
        "second_loss": statistics.fmean(second),
        "ci_low": fall.low,
        "ci_high": fall.high,
        "lists": float(len(first)),
    }
    claim = "on the second reading of a random list the loss is at most a third of that on the first: the model copies"
    yield Verdict(claim, fall.low > 0, measured)


def run_probes(model: GPT, seed: int, count: int = 400) -> Iterator[Event]:
    """Every probe on fresh text, with its chance level and its bar; the verdict says whether the base is able."""
    rows_: list[tuple[str | float | int | None, ...]] = []
    measured: dict[str, float] = {}
    able = True
    for probe in probes.all_probes(seed + 1_000_000, count):
        value = statistics.fmean(exact(model, probe.questions))
        measured[probe.name] = value
        able = able and (probe.bar is None or value >= probe.bar)
        rows_.append(
            (probe.name.replace("_", " "), len(probe.questions), round(value, 3), round(probe.chance, 3), probe.bar)
        )
    yield Table("Probes of the base, greedy and exact", ("probe", "items", "right", "chance", "bar"), tuple(rows_))
    rng = Random(f"held out {seed}")
    prefix = probes.demonstrations(rng, tasks.training(), probes.DEMONSTRATIONS)
    state = rng.getrandbits(64)
    zero, shown = (
        [statistics.fmean(exact(model, probe.questions)) for probe in probes.held_out_tasks(Random(state), before)]
        for before in ("", prefix)
    )
    held_out = probes.held_out_tasks(Random(state), "")
    yield Table(
        f"Held-out tasks, {probes.ITEMS_PER_TASK} items each, without and with {probes.DEMONSTRATIONS} demonstrations",
        ("task", "zero-shot", "demonstrations", "chance"),
        tuple(
            (t.name.replace("_", " "), round(z, 2), round(d, 2), round(t.chance, 2))
            for t, z, d in zip(held_out, zero, shown, strict=True)
        ),
    )
    gain = difference(shown, zero)
    measured |= {"held_out_gain": gain.mean, "ci_low": gain.low, "ci_high": gain.high, "tasks": float(len(held_out))}
    claim = "the base copies, looks up, knows its world, classifies, and follows demonstrations on held-out tasks"
    yield Verdict(claim, able and gain.low > 0, measured)


if __name__ == "__main__":
    main(run, Config)
