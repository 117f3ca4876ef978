"""Supervised fine-tuning (SFT): imitate demonstrations, so that a model that continues text becomes one that answers.

Cross-entropy as in pretraining, on the response only:

    L = -1/N Σ log π(y_t | x, y_<t)        over the N tokens of all responses in the batch, each EOS among them

It is step 1 of RLHF (Ouyang et al. 2022, InstructGPT, arXiv 2203.02155, section 3.5): what it imitates bounds it.  The
tiny world's demonstrations are as mixed as people's are, so a reward model and PPO have something left to gain.

Implementation details
  1. Prompt tokens carry no loss: the model is asked to answer prompts, not to write them.
  2. EOS carries loss: a model that never saw its end is rewarded for nothing and never stops.
  3. The mean is over all response tokens of the whole batch, however it is split into micro-batches; a mean of
     micro-batch means would weigh the tokens of short responses more (TRL divides by the same N).
  4. Prompt and response are tokenised apart, as they will be when the model answers.  Tokenised together, the end of
     the prompt and the start of the response can merge into a token that the model never has to produce.
  5. Padding stands on the right, where a causal model cannot look: no attention mask is needed, and no position shifts.
  6. Of a conversation only the last assistant message is learnt; the turns before it are prompt.
Left out: packing several examples into one row, label smoothing, NEFTune noise.

    python -m learn_llm.minimal_impls.sft                                           # tiny world
    python -m learn_llm.minimal_impls.sft --model smollm2 --data demonstrations.jsonl --out tuned
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from learn_llm.evaluation import CORRECT, curves, difference, held_out_losses, side_by_side, skill_table, win_rate
from learn_llm.events import Event, Metrics, Note, Stage, Verdict
from learn_llm.examples import batch_indices, collate, parts, source
from learn_llm.minimal_impls.lora_rank import LoRAConfig, with_lora
from learn_llm.parallel import own
from learn_llm.rollouts import Response, respond
from learn_llm.running import main
from learn_llm.training import Optimiser, Progress, compiled, generator, prepare, token_logprobs


@dataclass(frozen=True)
class Config(LoRAConfig):
    """How SFT runs."""

    model: str = "tiny-base"
    """The checkpoint to start from: a bundled name, a folder, or a hub name of the Llama family."""
    steps: int = 300
    """Optimiser steps."""
    batch_size: int = 64
    """Demonstrations a step."""
    learning_rate: float = 1e-3
    """Peak of the schedule, AdamW."""
    demonstrations: int = 12_000
    """How many demonstrations the tiny world's people write."""
    max_new_tokens: int = 40
    """The longest response when the model is asked."""
    compile: bool = False
    """Compile the forward pass (`torch.compile`): for long runs on a GPU."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "demonstrations", "max_new_tokens")


def response_loss(logits: Tensor, tokens: Tensor, mask: Tensor, count: Tensor | int | None = None) -> Tensor:
    """Mean cross-entropy of the response tokens, a scalar in nats (details 1 to 3).

    Args:
        logits: (B, T, V), the model's output at every position.
        tokens: (B, T), the same batch that went in.
        mask: (B, T), 1 on response tokens and their EOS, 0 on prompt and padding.
        count: N, where this is one micro-batch of several; None: the tokens of this batch.

    Position t predicts token t + 1.  The second token is prompt; the third had probability 1/4:

    >>> import torch
    >>> logits = torch.tensor([[[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]]).log()
    >>> response_loss(logits, torch.tensor([[0, 1, 0]]), torch.tensor([[0, 0, 1]])).exp()
    tensor(4.)
    """
    logprobs = token_logprobs(logits, tokens)  # (B, T-1)
    labels = mask[:, 1:]
    return -(logprobs * labels).sum() / (labels.sum().clamp(min=1) if count is None else count)


def run(config: Config) -> Iterator[Event]:
    """Train on demonstrations; the verdict asks held-out prompts before and after."""
    setup = with_lora(prepare(config), config.lora_rank)
    model, encoder = setup.model, setup.encoder
    data = source(encoder, config).demonstrations(config.demonstrations)
    yield Note(
        f"{len(data.train):,} demonstrations, {len(data.held_out)} held out, {data.too_long} too long and left out"
    )
    answers = [example.response for example in data.train] if config.break_ else []
    generator(config, "break").shuffle(answers)  # --break: everyone gets somebody else's answer

    yield Stage("before", 1, 3)
    losses_before = held_out_losses(setup, model, data.held_out)
    asked = [] if config.data else [demonstration.prompt for demonstration in data.held_out]
    before = respond(setup, model, asked, config.max_new_tokens)

    yield Stage("SFT", 2, 3)
    forward = compiled(model, setup) if config.compile else model
    optimiser = Optimiser([model], config)
    with Progress(config, {"model": model}, optimiser, setup.save) as progress:
        for step in progress.steps():
            rows = batch_indices(config.seed, len(data.train), config.batch_size, step)
            prompts = [data.train[i].prompt.ids for i in rows]
            responses = [answers[i] if config.break_ else data.train[i].response for i in rows]
            count = sum(len(response) for response in responses)
            loss = 0.0
            for part in parts(own(range(len(rows))), config.micro_batch_size):
                batch = collate([prompts[i] for i in part], [responses[i] for i in part], setup.device)
                with setup.autocast():
                    logits = forward(batch.tokens)  # detail 5
                share = response_loss(logits, batch.tokens, batch.mask, count)
                share.backward()
                loss += share.item()
            values = optimiser.step(step, loss)
            progress.done(step, values)
            yield Metrics(step, config.steps, values)
    yield curves("Loss on response tokens", progress.history, ["loss"], "nats per token")

    yield Stage("after", 3, 3)
    losses_after = held_out_losses(setup, model, data.held_out)
    if config.data:
        yield loss_verdict(losses_before, losses_after)
    else:
        after = respond(setup, model, asked, config.max_new_tokens)
        people = [Response(d.prompt, d.response, ended=True) for d in data.held_out]
        yield from side_by_side({"before": before, "after": after}, encoder)
        yield skill_table("Skills, 1 to 5, on held-out prompts", {"before": before, "SFT": after, "people": people})
        yield answer_verdict(before, after)


def loss_verdict(before: Sequence[float], after: Sequence[float]) -> Verdict:
    """On a file: does the loss on held-out responses fall?"""
    fall = difference(before, after)
    measured = {
        "loss_before": statistics.fmean(before),
        "loss_after": statistics.fmean(after),
        "loss_fall": fall.mean,
        "ci_low": fall.low,
        "ci_high": fall.high,
        "held_out": float(len(after)),
    }
    return Verdict("SFT lowers the loss on held-out responses", fall.low > 0, measured)


def answer_verdict(before: Sequence[Response], after: Sequence[Response]) -> Verdict:
    """In the tiny world: does the model answer, and answer what was asked?

    The chance level of being right is measured: each response is judged as the answer to another prompt of its task.
    """
    gold = difference([a.gold for a in after], [b.gold for b in before])
    right, chance = [], []
    for response, other in zip(after, dealt(after), strict=True):
        if CORRECT in response.skills and other is not response:
            right.append(response.skills[CORRECT] == 5)
            chance.append(Response(response.prompt, other.ids, other.ended).skills[CORRECT] == 5)
    gain = difference(right, chance)
    measured = {
        "gold_difference": gold.mean,
        "ci_low": gold.low,
        "ci_high": gold.high,
        "win_rate": win_rate([a.gold for a in after], [b.gold for b in before]),
        "right": statistics.fmean(right),
        "chance": statistics.fmean(chance),
        "right_over_chance_low": gain.low,
        "eos_rate": statistics.fmean(response.ended for response in after),
    }
    claim = (
        "SFT makes a model that continues text answer: its gold score rises, and it is right more often than by chance"
    )
    return Verdict(claim, gold.low > 0 and gain.low > 0, measured)


def dealt(responses: Sequence[Response]) -> list[Response]:
    """For each response the one to the next prompt of the same task; itself where there is no other."""
    tasks: dict[str, list[int]] = {}
    for index, response in enumerate(responses):
        tasks.setdefault(response.prompt.item.task if response.prompt.item else "", []).append(index)
    following = {i: group[(at + 1) % len(group)] for group in tasks.values() for at, i in enumerate(group)}
    return [responses[following[i]] for i in range(len(responses))]


if __name__ == "__main__":
    main(run, Config)
