"""Chain of Hindsight (CoH): turn feedback into words in the text, and learn from good and bad answers by imitation.

SFT can use good answers only; reinforcement learning uses bad ones, too, but needs a reward model and samples.  Here
both answers to a prompt are written behind words that say how good they are, and what is trained is cross-entropy:

    x = prompt · "this one is bad:" · y- · "this one is good:" · y+      (and in the other order, and one answer alone)
    L = -1/N Σ 1[x_t belongs to an answer]·log p(x_t | x_<t) + λ·L_pretraining
                                              (Liu, Sferrazza and Abbeel 2023, arXiv 2302.02676, Eq. 2 and 3)

In a chain the model writes the second answer with the first in view, so it can learn what makes the difference.  To use
it, one asks for a good answer.  Where the paper and the code of its authors disagree, both are switches here.

Implementation details
  1. Prompt and feedback carry no loss, answers and their EOS do.  `--scope all` takes every answer (Eq. 2, the code),
     `--scope last` the last answer of a chain only (a sentence of the paper).
  2. Half of the pairs are written as a chain, in either order, half as two rows with one answer each: when asked, the
     model will have no earlier answer in view.  A chain that does not fit the context becomes two rows, too.
  3. Feedback is one of several templates, half of the time with a remark of the annotator before it ("this is too
     long."), which a file has in `chosen_feedback` and `rejected_feedback`.  `--feedback` takes one of the two alone,
     or a grade in numbers ("of five this is two:").  Each template ends in good or bad: with the word at different
     places a model of this size learns it several times slower.
  4. Forgetful causal masking (FCM) against copying the earlier answer: for each row a share is drawn from 0 to
     `--fcm`, and each key but the first is hidden from all later positions with that probability.  The paper takes
     0.05; in the code it is off unless asked for.  It says which keys are hidden, not which positions exist, so
     positions are counted as if nothing were hidden.
  5. λ = 1.5 in the paper, 1 in the code's first release, 0.01 in the next.  In the tiny world what is mixed in are the
     documents that the base has read; on a file of your own `--text` names a text, and without one there is no λ.
  6. The arms share base, pairs, learning rate, and the number of answers a step, and differ in what their name says;
     SFT on good answers takes those of twice as many pairs a step from the same pairs, so it reads each twice as often;
     PPO (`coh_ppo.py`) draws as many samples.  The budget is one of answers, not of tokens: a chain reads its prompt
     once for two of them.  The rate is CoH's, and was not tuned for each arm.
  7. The paper starts from a base model.  Here the answers' format is there already, which saves most of the steps;
     `--model tiny-base` starts where the paper does.
Left out: new samples from the model between the steps (its Algorithm 1), questions which of two answers is better.

    python -m learn_llm.minimal_impls.coh                                           # tiny world, CoH and one arm more
    python -m learn_llm.minimal_impls.coh --arms sft unlikelihood                   # beside these
    python -m learn_llm.minimal_impls.coh --model smollm2 --data pairs.jsonl --out coh
"""

import copy
import difflib
import statistics
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from learn_llm.datasets import JsonLines
from learn_llm.errors import UserError
from learn_llm.evaluation import curves, share_interval, side_by_side
from learn_llm.events import Event, Metrics, Note, Stage, Verdict
from learn_llm.examples import File, Pair, Split, World, batch_indices, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import pretrain, reward_model
from learn_llm.minimal_impls.coh_asked import Asked, ask, table, verdict
from learn_llm.minimal_impls.coh_ppo import by_ppo
from learn_llm.minimal_impls.coh_rows import (
    ARMS,
    C_SFT,
    COH,
    PPO,
    Example,
    Kind,
    Row,
    Writer,
    judged,
    loss_mask,
    write,
)
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import own
from learn_llm.rollouts import respond
from learn_llm.running import main
from learn_llm.tinyworld import annotators, documents
from learn_llm.training import (
    STATE,
    Optimiser,
    Progress,
    Setup,
    TrainConfig,
    generator,
    prepare,
    token_logprobs,
    torch_generator,
)


@dataclass(frozen=True)
class Config(TrainConfig):
    """How CoH runs.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """Where every arm starts (7): a bundled name, a folder, or a hub name of the Llama family."""
    arms: tuple[str, ...] = (C_SFT,)
    """What to train beside CoH, on the same pairs; "ppo" has as many samples of its own instead."""
    full: bool = False
    """Train every arm there is, and CoH in two other ways; what is finished is kept (`variants.py`)."""
    steps: int = 80
    """Optimiser steps of each arm."""
    batch_size: int = 32
    """Pairs a step: twice as many answers."""
    micro_batch_size: int = 16
    """Rows that go through the model at once, those of like length together; changes no number."""
    learning_rate: float = 2e-3
    """Peak of the schedule, AdamW."""
    chains: float = 0.5
    """Share of the pairs that are written as a chain (2)."""
    scope: Literal["all", "last"] = "all"
    """Which answers of a chain carry loss (1)."""
    feedback: Kind = "mixed"
    """What is said of an answer (3): a marker, a remark and a marker, either of them, or a number."""
    fcm: float = 0.05
    """The most past tokens of a row that are hidden, as a share (4)."""
    lam: float = 1.5
    """λ, the weight of the loss on pretraining text (5)."""
    text_rows: int = 4
    """Rows of pretraining text a step."""
    text_length: int = 128
    """Their tokens."""
    text: str = ""
    """A text file to mix in, with --data (5)."""
    pairs: int = 2_560
    """How many pairs the tiny world's annotators label."""
    pairs_from: Literal["mixed", "edits", "people", "model"] = "mixed"
    """Who wrote the answers of the tiny world's pairs (reward_model.py, detail 7)."""
    noise: float = annotators.NOISE
    """How noisy the annotators are: P(a preferred) = σ((gold_a - gold_b) / noise)."""
    max_new_tokens: int = 40
    """The longest answer when a model is asked."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "pairs", "max_new_tokens", "text_rows", "text_length")
        self.need(0, "noise", "lam", "fcm", "chains")
        if self.fcm >= 1 or self.chains > 1:
            raise UserError("--fcm is a share below 1, --chains one up to 1")
        if self.data and self.feedback == "numbers":
            raise UserError("--feedback numbers needs grades, which pairs from a file do not have")
        known = (*ARMS, PPO)
        for name in self.arms:
            if name not in known:
                near = difflib.get_close_matches(name, known, 3, cutoff=0.3)
                raise UserError(f"there is no arm {name!r}; near it are: {', '.join(near or known)}")


def forget(shape: tuple[int, int], most: float, generator: torch.Generator) -> Tensor:
    """Which keys later positions may look at, (B, T): each row hides a share of them, from 0 to `most` (detail 4).

    >>> forget((1, 4), 0.0, torch.Generator().manual_seed(0))
    tensor([[1, 1, 1, 1]])
    """
    share = torch.rand(shape[0], 1, generator=generator) * most
    kept = torch.rand(shape, generator=generator) >= share
    kept[:, 0] = True  # somebody must be looked at
    return kept.long()


def unlikelihood(logprobs: Tensor) -> Tensor:
    """-log(1 - p) of tokens with these log-probabilities (Welleck et al. 2019, arXiv 1908.04319, Eq. 4).

    >>> unlikelihood(torch.tensor([0.5, 0.75]).log())
    tensor([0.6931, 1.3863])
    """
    return -torch.log1p(-logprobs.exp().clamp(max=1 - 1e-6))


def preference_pairs(setup: Setup, config: Config) -> Split[Pair]:
    """The pairs of --data that leave room for feedback, or those that a reward model learns from."""
    if config.data:
        room = Writer(setup.encoder).longest(JsonLines(config.data, "pairs"))
        return File(setup.encoder, config.data, max(1, (config.max_length or setup.encoder.context) - room)).pairs()
    asked = reward_model.Config(pairs_from=config.pairs_from, max_new_tokens=config.max_new_tokens, seed=config.seed)
    return World(setup.encoder, config.seed).pairs(config.pairs, 0, config.noise, reward_model.writer(setup, asked))


def pretraining_text(setup: Setup, config: Config) -> Callable[[int], Tensor | None]:
    """Text to mix in at a step, (rows, length + 1): the base's own documents, or those of --text (detail 5)."""
    if not config.data:
        return lambda step: pretrain.rows(
            generator(config, "text", step), documents.EVERYTHING, config.text_rows, config.text_length
        )
    if not config.text:
        return lambda step: None
    try:
        ids = torch.tensor(setup.encoder.tokenizer.encode(Path(config.text).read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--text {config.text} cannot be read: {error}") from None
    windows = len(ids) - config.text_length
    if windows < 1:
        raise UserError(f"--text {config.text} has {len(ids)} tokens, one row takes {config.text_length + 1}")

    def draw(step: int) -> Tensor:
        at = torch.randint(windows, (config.text_rows, 1), generator=torch_generator(config, "text", step))
        return ids[at + torch.arange(config.text_length + 1)]

    return draw


def feedback_loss(setup: Setup, config: Config, rows: Sequence[Row], keys: Tensor | None, count: int) -> Tensor:
    """The summed loss of some rows over `count`, the tokens with loss of the whole step: Eq. 2, a scalar in nats.

    keys: (B, T or more) as `forget` draws them; None: nothing is hidden.
    """
    width = max(len(row.ids) for row in rows)
    ids, mask = torch.zeros(2, len(rows), width, dtype=torch.long, device=setup.device)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        mask[place, : len(row.ids)] = torch.tensor(loss_mask(row.roles, config.scope))
    seen = keys[:, :width].to(setup.device) if keys is not None and config.fcm else None
    positions = None if seen is None else torch.arange(width, device=setup.device)[None]  # detail 4
    with setup.autocast():
        logits = setup.model(ids, seen, position_ids=positions)  # padded on the right, where nobody looks
    logprobs = token_logprobs(logits, ids)  # (B, T-1)
    unlikely = torch.tensor([[row.unlikely] for row in rows], device=setup.device)
    losses = torch.where(unlikely, unlikelihood(logprobs), -logprobs)
    total: Tensor = (losses * mask[:, 1:]).sum() / count
    return total


def train(
    setup: Setup, config: Config, name: str, data: Sequence[Example], at: int, of: int
) -> Generator[Event, None, Mapping[str, Sequence[float]]]:
    """Train one arm, the `at`-th of `of`, in `setup.model`; returns what was measured at each step."""
    arm, draw_text = ARMS[name], pretraining_text(setup, config)
    writer = Writer(setup.encoder, config.feedback, config.chains)
    size = config.batch_size * (2 if arm.learns == "good" else 1)  # detail 6
    optimiser = Optimiser([setup.model], setup.config, betas=(0.9, 0.95))
    with Progress(setup.config, {"model": setup.model}, optimiser, setup.save) as progress:
        for step in progress.steps():
            rows: list[Row] = []
            for i in batch_indices(config.seed, len(data), size, step):
                rows += writer.rows(data[i], arm, generator(config, f"row {i}", step))
            rows.sort(key=lambda row: len(row.ids))
            count = sum(sum(loss_mask(row.roles, config.scope)) for row in rows)
            keys = forget((len(rows), len(rows[-1].ids)), config.fcm, torch_generator(config, "forget", step))
            loss = 0.0
            for part in parts(own(range(len(rows))), config.micro_batch_size):
                some = list(part)
                seen = keys[some] if arm.forgets else None
                share = feedback_loss(setup, config, [rows[i] for i in some], seen, count)
                share.backward()
                loss += share.item()
            values = {"feedback_loss": loss}
            text = draw_text(step) if arm.mixes and config.lam else None
            for mine in parts(own(text), 0) if text is not None else ():
                with setup.autocast():
                    logits = setup.model(mine[:, :-1].to(setup.device))
                plain = pretrain.next_token_loss(logits, mine.to(setup.device)) * (len(mine) / config.text_rows)
                (config.lam * plain).backward()
                loss += config.lam * plain.item()
                values["pretraining_loss"] = plain.item()
            shares = {**values, "loss": loss}
            for key, number in (("tokens", sum(len(row.ids) for row in rows)), ("loss_tokens", count)):
                values[key] = number + progress.history.get(key, [0.0])[-1]
            values |= optimiser.step(step, shares)
            progress.done(step, values)
            told = values if name == COH else {f"{name}/{key}": value for key, value in values.items()}
            yield Metrics(at * config.steps + step, of * config.steps, told)
    yield curves(f"Loss of {name}", progress.history, ["feedback_loss", "pretraining_loss"], "nats per token")
    return progress.history


def run(config: Config) -> Iterator[Event]:
    """Train CoH and the other arms on the same pairs; the verdict asks for good and for bad answers."""
    if config.full:
        yield from full("coh", run, config)
        return
    setup = prepare(config)
    start = copy.deepcopy(setup.model).requires_grad_(False)
    writer = Writer(setup.encoder, config.feedback)
    pairs = preference_pairs(setup, config)
    data = judged(pairs.train, generator(config, "feedback"), shuffle=config.break_)
    yield Note(f"{len(data):,} pairs, {pairs.too_long} too long and left out")
    if len(data) < config.steps * config.batch_size:
        yield Note(f"fewer than the {config.steps * config.batch_size:,} that the steps take: they are read again")
    if config.data:
        yield Stage(COH, 1, 2)
        yield from train(setup, config, COH, data, 0, 1)
        yield Stage("held-out pairs", 2, 2)
        yield on_held_out_pairs(setup, config, writer, pairs.held_out)
        return
    names = list(dict.fromkeys([COH, *config.arms]))
    prompts = World(setup.encoder, config.seed).prompts(1, config.max_new_tokens).held_out
    asked: dict[str, Asked] = {}
    tokens: dict[str, tuple[float, float]] = {}
    marked = {name for name, arm in ARMS.items() if arm.marked}
    for at, name in enumerate(names):
        yield Stage(name, at + 1, len(names))
        arm = setup if name == COH else beside(setup, config, name, start)
        if name == PPO:
            answers = 2 * config.batch_size * config.steps
            arm = yield from by_ppo(arm, answers, config.max_new_tokens, at, len(names))
        else:
            history = yield from train(arm, config, name, data, at, len(names))
            tokens[name] = history["tokens"][-1], history["loss_tokens"][-1]
        asked[name] = ask(arm, writer, name in marked, start, prompts, config.max_new_tokens)
    yield from side_by_side({"asked for good": asked[COH].good, "asked for bad": asked[COH].bad}, setup.encoder)
    before = respond(setup, start, prompts, config.max_new_tokens)
    yield table(asked, tokens, statistics.fmean(response.gold for response in before))
    yield verdict(asked)


def beside(setup: Setup, config: Config, name: str, start: GPT) -> Setup:
    """Another arm, from the same start; with --out in a folder of its own below."""
    folder = Path(config.out, name) if config.out else None
    resume = config.resume and folder is not None and (folder / STATE).exists()
    own = replace(config, out=str(folder or ""), resume=resume)
    return replace(setup, model=copy.deepcopy(start).requires_grad_(True), config=own)


def on_held_out_pairs(setup: Setup, config: Config, writer: Writer, pairs: Sequence[Pair]) -> Verdict:
    """On a file: is the preferred answer the one that asking for a good one favours?"""
    right = []
    for pair in pairs:
        losses = []
        for answer in (pair.chosen, pair.rejected):
            for good in (True, False):
                row = write(writer.ask(pair.prompt, good).ids, [()], [answer])
                with torch.no_grad():
                    losses.append(float(feedback_loss(setup, config, [row], None, 1)))
        margin = (losses[1] - losses[0]) - (losses[3] - losses[2])
        right.append((margin > 0) + 0.5 * (margin == 0))
    accuracy = share_interval(right)
    measured = {"accuracy": accuracy.mean, "ci_low": accuracy.low, "ci_high": accuracy.high, "pairs": float(len(right))}
    claim = "Asking for a good answer favours the preferred one of held-out pairs more than asking for a bad one"
    return Verdict(claim, accuracy.low > 0.5, measured)


if __name__ == "__main__":
    main(run, Config)
