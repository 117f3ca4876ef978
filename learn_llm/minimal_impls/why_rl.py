"""Why reinforcement learning, and not only supervised learning?  What each of the two objectives sees of a response.

Two of the reasons that are given, each one measured:

    cross-entropy   L  = -1/T Σ_t log π(y_t | x, y_<t)              a mean over tokens; every token weighs +1
    RL              ∇J = E[ (R(x, y) - b) · Σ_t ∇ log π(y_t) ]      one weight a response, and it may be negative

Reason 3, one negated word.  A good answer is changed by one word, once so that it says the opposite, once so that its
meaning stays.  A judge of whole responses puts the first one below the second one.  Mean token cross-entropy asks how
usual the words are: the opposite of an answer often is as usual as the answer.

Reason 4, experience.  More demonstrations make a model more like the people who wrote them.  Its own samples, judged,
can make it better than they are.  That needs a reward, not always RL: cross-entropy on the best samples
(`best_of_n.py`) is set beside PPO (`ppo.py`), from the same start, with as many samples and the same reward model.

Implementation details
  1. "Not" is taken out of a refusal or put into a true statement, or yes and no change places; beside it an
     everyday word changes that carries no meaning (`why_rl_pairs.py`).  The pairs are drawn, never picked by a score.
     A harmless word that is rare in its place is what cross-entropy minds most.
  2. The judge of reason 3 is the tiny world's gold rubric, which nothing is trained on.  RL does not see it: it sees a
     reward model, whose share of right orders is told beside it.
  3. What is equal between the arms of reason 4 is the number of responses: demonstrations that are read, or samples
     that are drawn and scored.  The best of 4 throws three of four away; PPO uses each, the bad ones with a negative
     weight.  Each arm has the settings of its own file; updates and seconds differ.
Left out: reasons 1 (learning the ranks gives a judge, which cannot write: reward_model.py is that judge), 2 (rewards
that come turns later) and 5 (both in sequence, as ppo.py does from the SFT model).

    python -m learn_llm.minimal_impls.why_rl                                        # tiny world, under a minute
    python -m learn_llm.minimal_impls.why_rl --reason 3
"""

import dataclasses
import statistics
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.evaluation import difference, share_interval
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, TokenRow, Tokens, Verdict
from learn_llm.examples import Prompt, World, collate, parts
from learn_llm.minimal_impls import best_of_n, ppo, sft
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.why_rl_pairs import KINDS, Negation, negations
from learn_llm.rollouts import Response, respond
from learn_llm.running import RunConfig, main
from learn_llm.tinyworld import rubric
from learn_llm.training import Setup, TrainConfig, generator, prepare, token_logprobs

BEST_OF = 4
ROUND = 192
"""Samples a round of PPO; a round of imitating the best draws twice as many."""
AT_MOST = 0.75
"""The claim of reason 3: cross-entropy orders fewer pairs than this share as their meaning does."""
ARMS = {"people": "more demonstrations", "best": f"SFT on the best of {BEST_OF}", "ppo": "PPO"}


@dataclass(frozen=True)
class Config(RunConfig):
    """What is measured.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The model whose cross-entropy is asked, and the start of both arms: a bundled name or a folder."""
    reward_model: str = "tiny-reward"
    """What scores the samples of both arms: a bundled name or a folder made by reward_model.py."""
    reason: Literal[0, 3, 4] = 0
    """3: one negated word; 4: cross-entropy on the best samples against PPO; 0: both."""
    pairs: int = 320
    """Pairs of reason 3 (1)."""
    samples: int = 1152
    """Samples that each arm of reason 4 draws and has scored, or demonstrations that it reads (3)."""
    prompts: int = 384
    """Held-out prompts that the arms are compared on."""
    max_new_tokens: int = 40
    """The longest response."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """Where the models run; "auto": CUDA, else MPS, else CPU."""

    def __post_init__(self) -> None:
        for name in ("pairs", "prompts"):
            if getattr(self, name) < 2:
                raise UserError(f"--{name} must be at least 2: it is {getattr(self, name)}")
        if self.samples < 1 or self.samples % (2 * ROUND):
            raise UserError(f"--samples comes in rounds: a multiple of {2 * ROUND}, not {self.samples}")


# Reason 3: one negated word


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


def side_by_side(setup: Setup, pair: Negation, losses: Sequence[Sequence[float]]) -> Iterator[Tokens]:
    """Both wordings token by token: what each token costs, and the weight that RL gives it."""
    texts = (pair.kept, pair.reversed)
    weights = advantages([rubric.gold(pair.item, text) for text in texts])
    for text, loss, weight in zip(texts, losses, weights, strict=True):
        rows = (
            TokenRow("cross-entropy", tuple(round(nats, 3) for nats in loss)),
            TokenRow("weight in RL", (weight,) * len(loss)),
        )
        yield Tokens((*text.split(), "<eos>"), rows)


def negation_test(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
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
    for kind in ("yes or no", "refusal"):
        shown = next((i for i, pair in enumerate(pairs) if pair.kind == kind), None)
        if shown is not None:
            said = "the same meaning, then the opposite; a cost for each token, one weight for all of them in RL"
            yield Note(f"{kind}: {said}")
            yield from side_by_side(setup, pairs[shown], [losses[name][shown] for name in ("kept", "reversed")])
    share = share_interval([float(right) for right in by_loss])
    measured = {
        "right_by_gold": statistics.fmean(by_gold),
        "right_by_reward": statistics.fmean(by_reward),
        "right_by_cross_entropy": share.mean,
        "right_by_cross_entropy_high": share.high,
        "pairs": float(len(pairs)),
    }
    return all(by_gold) and share.high < AT_MOST, measured


# Reason 4: the same samples, imitated or weighed


def trained(name: str, events: Iterator[Event]) -> Generator[Event, None, list[float]]:
    """Another file's run up to its last stage, its evaluation; its steps are told under `name`, gold is returned."""
    gold: list[float] = []
    for event in events:
        if isinstance(event, Stage) and event.index == event.of:
            break
        if isinstance(event, Metrics):
            told = ("gold", "reward", "kl", "loss")
            yield Metrics(event.step, event.steps, {f"{name}/{k}": event.values[k] for k in told if k in event.values})
            gold += [event.values["gold"]] if "gold" in event.values else []
    if isinstance(events, Generator):
        events.close()
    return gold


def arm_run(config: Config, arm: str, folder: Path) -> Iterator[Event]:
    """The run of one arm: as many responses as the others, all else as in its own file."""
    shared: dict[str, Any] = {"seed": config.seed, "device": config.device, "out": str(folder), "model": config.model}
    shared |= {"max_new_tokens": config.max_new_tokens}
    if arm == "people":
        return sft.run(
            sft.Config(**shared, steps=-(-config.samples // 32), batch_size=32, demonstrations=config.samples)
        )
    shared |= {"reward_model": config.reward_model, "break_": config.break_}
    if arm == "ppo":
        return ppo.run(ppo.Config(**shared, steps=config.samples // ROUND, batch_size=ROUND))
    shared |= {"n": 1, "samples": 1, "prompts": 1}  # what it measures before its rounds is not needed here
    rounds, prompts = config.samples // (2 * ROUND), 2 * ROUND // BEST_OF
    return best_of_n.run(best_of_n.Config(**shared, steps=rounds, batch_size=prompts, best_of=BEST_OF))


def equal_samples(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Train the arms, then ask them and the start the same held-out prompts; returns whether the claim holds."""
    prompts = World(setup.encoder, config.seed).prompts(1, config.max_new_tokens).held_out[: config.prompts]
    answers = {"start": respond(setup, setup.model, prompts, config.max_new_tokens)}
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        for arm, title in ARMS.items():
            folder = Path(scratch, arm)
            gold = yield from trained(arm, arm_run(config, arm, folder))
            drawn = tuple(config.samples * i / len(gold) for i in range(len(gold)))
            lines += [Series(title, drawn, tuple(gold))] if gold else []
            model, _ = load(str(folder), setup.device)
            answers[arm] = respond(setup, model.float(), prompts, config.max_new_tokens)
    yield Chart("line", "Gold score of what is sampled", "samples used so far", "gold", tuple(lines))

    judge, titles = reward_of(config.reward_model, setup), {"start": "start", **ARMS}
    gold_of = {name: [r.gold for r in some] for name, some in answers.items()}
    rewards = {name: judge(some) for name, some in answers.items()}
    rows = tuple(
        (titles[name], round(statistics.fmean(rewards[name]), 3), round(statistics.fmean(gold_of[name]), 3))
        for name in answers
    )
    yield Table(f"{config.samples} responses each; {len(prompts)} held-out prompts", ("arm", "reward", "gold"), rows)
    heights = tuple(statistics.fmean(some) for some in gold_of.values())
    yield Chart("bar", "Gold score", "", "gold", (Series("gold", tuple(titles.values()), heights),))
    imitated = difference(gold_of["people"], gold_of["start"])
    best, weighed = (difference(gold_of[arm], gold_of["people"]) for arm in ("best", "ppo"))
    ahead = difference(gold_of["ppo"], gold_of["best"])
    measured = {
        "gold_start": statistics.fmean(gold_of["start"]),
        "gain_people": imitated.mean,
        "best_over_people": best.mean,
        "best_over_people_low": best.low,
        "ppo_over_people": weighed.mean,
        "ppo_over_people_low": weighed.low,
        "ppo_over_best": ahead.mean,
        "ppo_over_best_low": ahead.low,
        "ppo_over_best_high": ahead.high,
    }
    return best.low > 0 and weighed.low > 0, measured


def run(config: Config) -> Iterator[Event]:
    """Both reasons, or one; the verdict holds where all that was measured does."""
    setup = prepare(TrainConfig(model=config.model, seed=config.seed, device=config.device))
    parts_of = {
        3: ("one negated word", negation_test, "One word reverses an answer: the gold score puts it below a harmless "
            f"change of a word in every pair, mean token cross-entropy in fewer than {AT_MOST:.0%}"),
        4: ("equal samples", equal_samples, "From the same start, own samples that a reward model has scored gain more "
            "gold than as many of people's demonstrations, with PPO and with cross-entropy on the best of them"),
    }  # fmt: skip
    asked = [reason for reason in parts_of if config.reason in (0, reason)]
    holds, measured = True, dict[str, float]()
    for index, reason in enumerate(asked, 1):
        name, measure, _ = parts_of[reason]
        yield Stage(name, index, len(asked))
        held, found = yield from measure(config, setup)
        holds, measured = holds and held, measured | found
    yield Verdict(". ".join(parts_of[reason][2] for reason in asked), holds, measured)


if __name__ == "__main__":
    main(run, Config)
