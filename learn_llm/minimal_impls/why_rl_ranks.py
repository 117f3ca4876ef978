"""Reason 1 of `why_rl.py`, learning the ranks: cross-entropy fits what people have labelled, and that is ranks.

Annotators compare two responses to a prompt: the better one is first, the other one second.  Two models learn from the
same pairs by the same loss, and differ only in what they have to predict:

    ranks        L = -log p(rank | prompt, response)              rank: the word "first" or "second"
    responses    L = -mean log p(y_t | prompt, y_<t)              y: the response that came first

The first one can tell which of two unseen responses is the better one: it is a reward model by another name.  Asked a
question, it answers worse than before.  The second one answers.  So a writer still has to be made from the judge, and
that is RL's part.  (The writer's likelihoods order these pairs, too, more of them even: a flaw makes a text unusual.
Where both are fluent they do not, see reason 3.)

Implementation details
  1. Both start from the base, which has learnt neither, and see the same pairs in the same order.
  2. A response is ranked by log p("first") - log p("second") behind it; the model of responses by its mean
     log-probability a token, as long ones would lose otherwise.
  3. The pairs are edits: a flawless response and the same one with a flaw.  Annotators err as everywhere in this world.
"""

import copy
import statistics
from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from learn_llm.evaluation import CORRECT, difference, share_interval
from learn_llm.events import Event, Metrics, Sample, Table
from learn_llm.examples import Pair, World, batch_indices, collate, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import reward_model
from learn_llm.minimal_impls.sft import response_loss
from learn_llm.minimal_impls.why_rl_samples import held_out
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.parallel import own
from learn_llm.rollouts import Response, respond
from learn_llm.tinyworld import annotators
from learn_llm.training import Optimiser, Setup, TrainConfig, generator, token_logprobs

RANKS = ("first", "second")
STEPS, PAIRS_A_STEP, ASKED = 160, 24, 512
"""Steps of both models, pairs a step, held-out pairs."""
AT_LEAST = 0.65
"""The model of ranks orders more of the held-out pairs than this share as the annotators do."""
CLAIM = (
    f"Cross-entropy on ranks makes a model that orders more than {AT_LEAST:.0%} of unseen pairs as annotators do, and "
    "that answers no better than the base and worse than a model that has learnt the responses of the same pairs"
)
Row = tuple[tuple[int, ...], tuple[int, ...]]
"""What is read, and what is to be predicted behind it."""


def of_ranks(pair: Pair, ranks: Sequence[int]) -> list[Row]:
    """Both responses, each with its rank."""
    read = [(*pair.prompt.ids, *response) for response in (pair.chosen, pair.rejected)]
    return [(ids, (rank,)) for ids, rank in zip(read, ranks, strict=True)]


def train(
    config: Config, setup: Setup, name: str, rows: Sequence[Sequence[Row]], at: int
) -> Generator[Event, None, GPT]:
    """A copy of the base after as many steps of cross-entropy; `rows` are those of each pair."""
    model = copy.deepcopy(setup.model)
    optimiser = Optimiser([model], TrainConfig(seed=config.seed, steps=STEPS, learning_rate=1e-3, warmup=0.1))
    for step in range(1, STEPS + 1):
        drawn = [row for i in batch_indices(config.seed, len(rows), PAIRS_A_STEP, step) for row in rows[i]]
        count, mine = sum(len(predicted) for _, predicted in drawn), own(drawn)
        batch = collate([read for read, _ in mine], [predicted for _, predicted in mine], setup.device)
        loss = response_loss(model(batch.tokens), batch.tokens, batch.mask, count)
        loss.backward()
        values = optimiser.step(step, loss.detach())
        yield Metrics(at * STEPS + step, 2 * STEPS, {f"{name}/loss": values["loss"]})
    return model.requires_grad_(False)


@torch.no_grad()
def by_rank(setup: Setup, model: GPT, answered: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
    """log p("first") - log p("second") behind each (prompt, response), in nats (detail 2)."""
    first, second = (setup.encoder.tokenizer.encode(word, bos=False)[0] for word in RANKS)
    found: list[float] = []
    for some in parts(answered, 64):
        batch = collate([p for p, _ in some], [r for _, r in some], setup.device)
        last = batch.attention.sum(1) - 1
        logits = model.lm_head(model.hidden(batch.tokens)[torch.arange(len(some)), last])  # (B, V)
        found += (logits[:, first] - logits[:, second]).tolist()
    return found


@torch.no_grad()
def by_likelihood(setup: Setup, model: GPT, answered: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
    """The mean log-probability of the tokens of each response, in nats (detail 2)."""
    found: list[float] = []
    for some in parts(answered, 64):
        batch = collate([p for p, _ in some], [r for _, r in some], setup.device)
        logprobs: Tensor = token_logprobs(model(batch.tokens), batch.tokens) * batch.mask[:, 1:]
        found += (logprobs.sum(1) / batch.mask[:, 1:].sum(1)).tolist()
    return found


def ordered(chosen: Sequence[float], rejected: Sequence[float]) -> list[float]:
    """1 where the chosen response is above the rejected one, 1/2 where both are equal, else 0.

    >>> ordered([2.0, 1.0, 0.0], [1.0, 1.0, 1.0])
    [1.0, 0.5, 0.0]
    """
    return [(a > b) + 0.5 * (a == b) for a, b in zip(chosen, rejected, strict=True)]


def measure(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Train both, let all three order held-out pairs and answer held-out prompts; returns whether the claim holds."""
    world = World(setup.encoder, config.seed)
    edits = reward_model.Config(seed=config.seed, pairs_from="edits")
    pairs = world.pairs(STEPS * PAIRS_A_STEP, ASKED, annotators.NOISE, reward_model.writer(setup, edits))
    words = [setup.encoder.tokenizer.encode(word, bos=False)[0] for word in RANKS]
    coin = generator(config, "break")
    ranked = []
    for pair in pairs.train:
        flipped = config.break_ and coin.random() < 0.5  # --break: a coin ranks the pairs
        ranked.append(of_ranks(pair, words[::-1] if flipped else words))
    written = [[(pair.prompt.ids, pair.chosen)] for pair in pairs.train]
    models = {"base": setup.model}
    models["ranks"] = yield from train(config, setup, "ranks", ranked, 0)
    models["responses"] = yield from train(config, setup, "responses", written, 1)

    prompts = held_out(config, setup)
    sides = (
        [(pair.prompt.ids, pair.chosen) for pair in pairs.held_out],
        [(pair.prompt.ids, pair.rejected) for pair in pairs.held_out],
    )
    right: dict[str, list[float]] = {}
    answers: dict[str, list[Response]] = {}
    rows: list[tuple[str | float, ...]] = []
    for name, model in models.items():
        scored = by_rank if name == "ranks" else by_likelihood
        right[name] = ordered(*(scored(setup, model, side) for side in sides))
        answers[name] = respond(setup, model, prompts, config.max_new_tokens)
        correct = [r.skills[CORRECT] == 5 for r in answers[name] if CORRECT in r.skills]
        gold = statistics.fmean(r.gold for r in answers[name])
        shares = (statistics.fmean(some) for some in (right[name], correct))
        rows.append((f"learnt {name}" if name != "base" else name, *(f"{s:.0%}" for s in shares), round(gold, 3)))
        yield Sample(
            f"[{name}] {prompts[0].text}", setup.encoder.text(answers[name][0].ids), {"gold": answers[name][0].gold}
        )
    title = f"{ASKED} held-out pairs (annotators allow {ceiling(pairs.held_out):.0%}), {len(prompts)} prompts"
    yield Table(title, ("model", "pairs right", "answers right", "gold"), tuple(rows))

    share = share_interval(right["ranks"])
    gold_of = {name: [r.gold for r in some] for name, some in answers.items()}
    behind, gained = (difference(gold_of[a], gold_of[b]) for a, b in (("responses", "ranks"), ("ranks", "base")))
    measured = {
        "ordered_by_rank": share.mean,
        "ordered_by_rank_low": share.low,
        "ordered_by_likelihood": statistics.fmean(right["responses"]),
        "gold_ranks": statistics.fmean(gold_of["ranks"]),
        "gold_responses": statistics.fmean(gold_of["responses"]),
        "responses_over_ranks": behind.mean,
        "responses_over_ranks_low": behind.low,
        "ranks_over_base": gained.mean,
    }
    return share.low > AT_LEAST and behind.low > 0 and gained.mean <= 0, measured


def ceiling(pairs: Sequence[Pair]) -> float:
    """The best share that anybody can expect to order as noisy annotators did."""
    return annotators.ceiling([p.gold_difference for p in pairs if p.gold_difference is not None], annotators.NOISE)
