"""Reason 3 of `why_rl.py`, one negated word: what the gold score and what mean token cross-entropy make of it.

A good answer is changed by one word, once so that it says the opposite, once so that its meaning stays.  A judge of
whole responses puts the first one below the second one.  Mean token cross-entropy asks how usual the words are: the
opposite of an answer often is as usual as the answer.

Implementation details
  1. "Not" is taken out of a refusal or put into a true statement, or yes and no change places; beside it an
     everyday word changes that carries no meaning (`why_rl_pairs.py`).  The pairs are drawn, never picked by a score.
     A harmless word that is rare in its place is what cross-entropy minds most.
  2. The judge is the tiny world's gold rubric, which nothing is trained on.  RL does not see it: it sees a reward
     model, whose share of right orders is told beside it.
"""

import dataclasses
import statistics
from collections.abc import Generator, Iterator, Sequence

import torch

from learn_llm.evaluation import share_interval
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, TokenRow, Tokens
from learn_llm.examples import Prompt, World, collate, parts
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.why_rl_pairs import KINDS, Negation, negations
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.rollouts import Response
from learn_llm.tinyworld import rubric
from learn_llm.training import Setup, generator, token_logprobs

AT_MOST = 0.75
"""Cross-entropy orders fewer pairs than this share as their meaning does."""
CLAIM = (
    "One word reverses an answer: the gold score puts it below a harmless change of a word in every pair, mean token "
    f"cross-entropy in fewer than {AT_MOST:.0%}"
)


@torch.no_grad()
def cross_entropies(setup: Setup, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[list[float]]:
    """-log π of each token of each answer, EOS among them, in nats."""
    found: list[list[float]] = []
    for rows in parts(range(len(prompts)), 64):
        batch = collate(
            [prompts[i].ids for i in rows], [setup.encoder.response(answers[i]) for i in rows], setup.device
        )
        losses = -token_logprobs(setup.model(batch.tokens), batch.tokens)  # (B, T - 1)
        found += [row[mask.bool()].tolist() for row, mask in zip(losses, batch.mask[:, 1:], strict=True)]
    return found


def advantages(rewards: Sequence[float]) -> list[float]:
    """R - b with the mean of a group's rewards as the baseline b: the weight of every token of the response.

    >>> advantages([1.0, -0.5])
    [0.75, -0.75]
    """
    baseline = statistics.fmean(rewards)
    return [reward - baseline for reward in rewards]


def side_by_side(pair: Negation, losses: Sequence[Sequence[float]], rewards: Sequence[float]) -> Iterator[Tokens]:
    """Both wordings token by token: what each token costs, and the weight that RL gives it.

    The weight is that of the gold score as the reward.  Among the scores stand mean token cross-entropy ("loss") and
    what the reward model says.
    """
    texts = {"the same meaning": pair.kept, "the opposite": pair.reversed}
    gold = [rubric.gold(pair.item, text) for text in texts.values()]
    weights, most = tuple(advantages(gold)), max(nats for loss in losses for nats in loss)
    told = zip(texts.items(), losses, weights, gold, rewards, strict=True)
    for (title, text), loss, weight, score, reward in told:
        rows = (
            TokenRow("cross-entropy", tuple(round(nats, 3) for nats in loss), (most,)),
            TokenRow("weight in RL", (weight,) * len(loss), weights),
        )
        scores = {"gold": score, "loss": statistics.fmean(loss), "reward": reward}
        yield Tokens((*text.split(), "<eos>"), rows, f"{pair.kind}: {title}", pair.item.prompt, scores)


def measure(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Gold score and mean token cross-entropy of both wordings of each pair; returns whether the claim holds."""
    pairs = negations(config.pairs, generator(config, "negations"))
    if config.break_:  # nothing says the opposite any more: the flawless answer stands in its place
        pairs = [dataclasses.replace(pair, reversed=pair.answer) for pair in pairs]
    world = World(setup.encoder, config.seed)
    prompts = [world.prompt(pair.item) for pair in pairs]
    texts = {
        "answer": [p.answer for p in pairs],
        "kept": [p.kept for p in pairs],
        "reversed": [p.reversed for p in pairs],
    }
    losses = {name: cross_entropies(setup, prompts, some) for name, some in texts.items()}
    means = {name: [statistics.fmean(row) for row in rows] for name, rows in losses.items()}
    gold = {name: [rubric.gold(p.item, t) for p, t in zip(pairs, some, strict=True)] for name, some in texts.items()}
    judge = reward_of(config.reward_model, setup)
    reward = {
        name: judge([Response(p, setup.encoder.response(t), True) for p, t in zip(prompts, some, strict=True)])
        for name, some in texts.items()
    }
    by_gold = [a < b for a, b in zip(gold["reversed"], gold["kept"], strict=True)]
    by_loss = [a > b for a, b in zip(means["reversed"], means["kept"], strict=True)]
    by_reward = [a < b for a, b in zip(reward["reversed"], reward["kept"], strict=True)]

    rows: list[tuple[str | float | int | None, ...]] = []
    for kind in (*KINDS, "all"):
        of_kind = [i for i, pair in enumerate(pairs) if kind in (pair.kind, "all")]
        if of_kind:
            shares = (statistics.fmean(some[i] for i in of_kind) for some in (by_gold, by_reward, by_loss))
            costs = (statistics.fmean(means[name][i] for i in of_kind) for name in texts)
            rows.append((kind, len(of_kind), *(f"{s:.0%}" for s in shares), *(round(cost, 2) for cost in costs)))
            right = {f"{kind}/right_by_cross_entropy": statistics.fmean(by_loss[i] for i in of_kind)}
            yield Metrics(len(rows), len(KINDS) + 1, right)
    columns = ("changed", "pairs", "gold", "reward", "cross-ent.", "answer", "kept", "opposite")
    title = "Share of pairs where the opposite comes out worse; nats a token"
    yield Table(title, columns, tuple(rows))
    for title, label, some in (("Gold score", "gold", gold), ("Cross-entropy", "nats per token", means)):
        moved = tuple(a - b for a, b in zip(some["reversed"], some["kept"], strict=True))
        yield Chart(
            "hist", f"{title}: the opposite minus the same meaning", label, "pairs", (Series(label, (), moved),)
        )
    yield Note("Token by token: a cost for each, and one weight in RL for all of an answer: its gold less the mean.")
    for kind in ("yes or no", "refusal"):
        shown = next((i for i, pair in enumerate(pairs) if pair.kind == kind), None)
        if shown is not None:
            both = ("kept", "reversed")
            said = [losses[name][shown] for name in both]
            yield from side_by_side(pairs[shown], said, [reward[name][shown] for name in both])
    share = share_interval([float(right) for right in by_loss])
    measured = {
        "right_by_gold": statistics.fmean(by_gold),
        "right_by_reward": statistics.fmean(by_reward),
        "right_by_cross_entropy": share.mean,
        "right_by_cross_entropy_high": share.high,
        "pairs": float(len(pairs)),
    }
    return all(by_gold) and share.high < AT_MOST, measured
