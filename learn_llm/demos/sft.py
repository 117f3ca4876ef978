"""SFT: a base model learns a chat format that it has never seen, from examples with the loss on the response alone.

The base has read exercise sheets, so it can tell a bird from a fish; it has never seen the marks of a chat, and does
not answer behind them.  A few hundred steps on (question, short answer) teach the format:

    L = -1/N Σ log π(y_t | x, y_<t)        over the response tokens and EOS only      (`minimal_impls/sft.py`)

Claim: on questions that were never trained on, exact answers rise from at most 10 % to at least 90 %; and the gradient
of the loss with respect to the logits is exactly 0 at every position that predicts a prompt token.

`--break` drops the mask: prompt tokens carry loss too.  The model still learns to answer, but it is now also trained
to write questions, and the gradient at the prompt is no longer 0.

    python -m learn_llm.demos.sft [--steps 40] [--break]
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.evaluation import curves
from learn_llm.events import Chart, Event, Metrics, Note, Sample, Series, Verdict
from learn_llm.examples import Batch, Encoder, collate, is_held_out
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.sft import response_loss
from learn_llm.running import RunConfig, main
from learn_llm.tinyworld.lexicon import pick
from learn_llm.tinyworld.tasks import Item, training
from learn_llm.training import Optimiser, TrainConfig, generator, prepare

BATCH, HELD_OUT, ASK_EVERY = 48, 256, 20


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 160
    """Training steps of 48 examples."""
    learning_rate: float = 1e-3
    """Peak of the schedule, AdamW."""

    def __post_init__(self) -> None:
        catalogue.check("sft", self)


def questions(rng: Random, count: int, held_out: bool) -> list[Item]:
    """Questions that name two options, from the training families, on one side of the line for evaluation."""
    families = [task for task in training() if task.name.startswith("classify_")]
    found: list[Item] = []
    while len(found) < count:
        item = pick(rng, families).make(rng)
        if is_held_out(item) == held_out:
            found.append(item)
    return found


def chat(encoder: Encoder, items: Sequence[Item], masked: bool = True) -> Batch:
    """The questions in the chat format, each with its short answer; unmasked, all tokens but the first carry loss."""
    prompts, responses = [encoder.prompt(i.prompt) for i in items], [encoder.response(i.answer) for i in items]
    batch = collate(prompts, responses)
    return batch if masked else Batch(batch.tokens, batch.attention, batch.attention)


@torch.no_grad()
def exact(model: GPT, batch: Batch) -> float:
    """The share of responses that greedy decoding gives exactly, EOS included."""
    right = model(batch.tokens)[:, :-1].argmax(-1) == batch.tokens[:, 1:]  # each token of the answer, read in or not
    return float((right | (batch.mask[:, 1:] == 0)).all(1).float().mean())


def prompt_gradient(model: GPT, batch: Batch, carrying: Tensor) -> tuple[float, float]:
    """The largest gradient of the loss on a logit, where prompt tokens are predicted and where the response is.

    Args:
        batch: its mask says which tokens are response.
        carrying: (B, T), 1 on the tokens that carry loss.
    """
    logits = model(batch.tokens).detach().requires_grad_()
    response_loss(logits, batch.tokens, carrying).backward()
    assert logits.grad is not None
    size = logits.grad.abs().amax(-1)[:, :-1]  # (B, T-1): position t predicts token t + 1
    response = batch.mask[:, 1:].bool()
    return float(size[~response].max()), float(size[response].max())


def run(config: Config) -> Iterator[Event]:
    """Train the bundled base on short answers; ask the questions that were kept back before, meanwhile and after."""
    train = TrainConfig(
        seed=config.seed, model="tiny-base", steps=config.steps, learning_rate=config.learning_rate, device="cpu"
    )
    setup = prepare(train)
    model, encoder = setup.model, setup.encoder
    optimiser = Optimiser([model], train)
    asked = questions(generator(train, "held out"), HELD_OUT, held_out=True)
    test = chat(encoder, asked)
    before = exact(model, test)
    yield Note(f"tiny-base, {HELD_OUT} questions kept back: {before:.0%} answered exactly in the chat format")

    steps, shares = [0.0], [before]
    losses: list[float] = []
    for step in range(1, config.steps + 1):
        items = questions(generator(train, "questions", step), BATCH, held_out=False)
        batch = chat(encoder, items, masked=not config.break_)
        loss = response_loss(model(batch.tokens), batch.tokens, batch.mask)
        loss.backward()
        values = optimiser.step(step, loss.item())
        losses.append(values["loss"])
        if step % ASK_EVERY == 0 or step == config.steps:
            steps.append(step)
            shares.append(exact(model, test))
            values["exact_match"] = shares[-1]
        yield Metrics(step, config.steps, values)

    one = chat(encoder, asked[:BATCH])
    at_prompt, at_response = prompt_gradient(model, one, one.attention if config.break_ else one.mask)
    for item, row in zip(asked[:3], chat(encoder, asked[:3]).tokens, strict=True):
        start = len(encoder.prompt(item.prompt))
        said = encoder.text(model(row[None]).argmax(-1)[0, start - 1 : start].tolist())
        yield Sample(item.prompt, said, {"right": float(said == item.answer)})
    line = Series("exact", tuple(steps), tuple(shares))
    yield Chart("line", "Exact answers to questions kept back", "step", "share", (line,))
    yield curves("Loss on response tokens", {"loss": losses}, ["loss"], "nats per token")
    claim = (
        "SFT teaches a chat format that the base never saw: exact answers rise from at most 10 % to at least 90 %; "
        "and no gradient reaches the logits that predict prompt tokens"
    )
    measured = {
        "exact_before": before,
        "exact_after": shares[-1],
        "gradient_at_prompt": at_prompt,
        "gradient_at_response": at_response,
        "loss": statistics.fmean(losses[-10:]),
    }
    yield Verdict(claim, before <= 0.1 and shares[-1] >= 0.9 and at_prompt == 0 and at_response > 0, measured)


if __name__ == "__main__":
    main(run, Config)
