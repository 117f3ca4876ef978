"""Reason 2 of `why_rl.py`, rewards of later turns: a loss of one turn, with a reward in it, against a sum over turns.

A text says who owns two things, which color they have, and where they are.  "what about the hat ?" asks a user who has
one of the three in mind, and then the same of the second thing.  The model may guess, or ask back which one is meant;
it is told only if it asks.  A question back is no answer, so in its own turn it is worth less than a guess:

                  turn 1      turn 2            (gold score of the rubric: a right answer 1, a wrong one 0)
    guess         1/3         1/3
    ask back      0           1

    per turn      max Σ_t E[ r_t | what has been said before turn t ]           γ = 0
    in all        max E[ r_1 + γ·r_2 ]                                          γ = 1

Both objectives contain the same cross-entropy on what people say.  They differ in one thing: whether what is said in
turn 1 answers for turn 2.  No weight between cross-entropy and reward makes up for that.

Implementation details
  1. The policy is a table of logits: what has been said (turn 1; turn 2, not told; turn 2, told which) by what to say
     (one of three answers, or the question).  Every course of a dialogue is enumerated: values and gradients are exact,
     and there is no interval.
  2. γ takes its part in the gradient only: with p the probability of asking, the weight of what comes after it is
     γ·p + (1 - γ)·stop-gradient(p).  At γ = 0 each turn is learnt well wherever it is met, and nothing else.
  3. Users who were given a wrong answer could complain, and so tell what they meant.  Here they go on.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from learn_llm.events import Chart, Event, Metrics, Sample, Series, Table
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.tinyworld import rubric
from learn_llm.tinyworld.lexicon import THINGS, some
from learn_llm.tinyworld.relations import RELATIONS
from learn_llm.tinyworld.tasks import Item
from learn_llm.training import Setup, generator

MEANINGS = tuple(relation for relation in RELATIONS if relation.name in ("owner", "color", "place"))
ASK = "do you mean the owner , the color or the place ?"
TURNS, REPLIES = 2, len(MEANINGS) + 1
"""The last reply is the question."""
SKILLS = ("logical_correctness", "harmlessness")
DIALOGUES, STEPS = 64, 150
IMITATION = 0.1
"""Weight of the cross-entropy on what people say."""
AT_LEAST = 0.1
"""Of gold, what asking back costs in turn 1, and what it brings over both turns."""
GAMMAS = (0.0, 0.25, 0.5, 0.75, 1.0)
CLAIM = (
    "Cross-entropy with the reward of each turn learns to guess, which scores higher in turn 1; the same with the "
    "reward of the whole dialogue learns to ask back, and scores higher over both turns"
)


@dataclass(frozen=True)
class Dialogue:
    """A text, and what may be said about it."""

    text: str
    things: tuple[str, ...]
    """What is asked about in each turn."""
    replies: tuple[tuple[str, ...], ...]
    """What can be said in each turn, the question last."""
    scores: tuple[tuple[tuple[float, ...], ...], ...]
    """The gold score of each turn, meaning and reply."""


def dialogue(rng: Random) -> Dialogue:
    """Two things of which three facts each are told; all replies are scored for all meanings.

    >>> made = dialogue(Random(0))
    >>> made.scores[0][1]
    (0.0, 1.0, 0.0, 0.0)
    """
    things = tuple(some(rng, THINGS, TURNS))
    values = [some(rng, relation.values, TURNS) for relation in MEANINGS]
    facts = [
        [f"{r.said(thing, v[t])} ." for r, v in zip(MEANINGS, values, strict=True)] for t, thing in enumerate(things)
    ]
    text = " ".join(fact for of_one in facts for fact in of_one)
    replies = tuple((*of_one, ASK) for of_one in facts)
    scores = []
    for turn, thing in enumerate(things):
        items = [
            Item(
                f"look_up_{relation.name}", "say what is meant .", f"{text} what about the {thing} ?", values[m][turn],
                facts[turn][m], SKILLS, relation.domain, 3, (), frozenset(relation.values),
            )
            for m, relation in enumerate(MEANINGS)
        ]  # fmt: skip
        scores.append(tuple(tuple(rubric.gold(item, reply) for reply in replies[turn]) for item in items))
    return Dialogue(text, things, replies, tuple(scores))


def turns(policy: Tensor, scores: Tensor, heard: bool, gamma: float = 1.0) -> tuple[Tensor, Tensor]:
    """The expected gold score of both turns, scalars, over all meanings and replies (details 1, 2).

    Args:
        policy: (2 + M, R) logits: turn 1; turn 2, not told; turn 2, told the first, second ... meaning.
        scores: (2, M, R), of each turn, meaning and reply.
        heard: whether the model hears what it is told when it asks.

    Who always asks scores nothing in turn 1 and everything in turn 2; this one hears, and says what is meant:

    >>> said = torch.tensor([[0, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0]]).log()
    >>> scores = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(2, 2, 3)
    >>> turns(said, scores, heard=True)
    (tensor(0.), tensor(1.))
    """
    said = policy.softmax(-1)
    guessed = scores.mean(1)  # (2, R): nobody has said which is meant
    first = (guessed[0] * said[0]).sum()
    asked = gamma * said[0, -1] + (1 - gamma) * said[0, -1].detach()
    told = said[2:] if heard else said[1:2]  # (M, R)
    informed = (scores[1] * told).sum(-1).mean()
    uninformed = (guessed[1] * said[1]).sum()
    return first, asked * informed + (1 - asked) * uninformed


def people() -> Tensor:
    """What people say, (2 + M, R): a question is as common as each guess, and who was told is right in 4 of 5."""
    replies = torch.full((2 + len(MEANINGS), REPLIES), 1 / REPLIES)
    for m in range(len(MEANINGS)):
        replies[2 + m] = 0.2 / (REPLIES - 1)
        replies[2 + m, m] = 0.8
    return replies


def learnt(scores: Tensor, gamma: float, reward: float, heard: bool) -> Iterator[tuple[int, Tensor]]:
    """A policy at each step (from 0) of cross-entropy on people's replies, and `reward` times the expected gold."""
    policy = torch.zeros(2 + len(MEANINGS), REPLIES, requires_grad=True)
    adam, said_by_people = torch.optim.Adam([policy], lr=0.1), people()
    for step in range(STEPS + 1):
        yield step, policy.detach().clone()
        imitation = -(said_by_people * policy.log_softmax(-1)).sum(-1).mean()
        gold = sum(turns(policy, scores, heard, gamma))
        adam.zero_grad()
        (IMITATION * imitation - reward * gold).backward()
        adam.step()


def measure(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Learn with cross-entropy alone, with the reward of each turn, and with that of the dialogue."""
    heard = not config.break_  # --break: what the user says when asked is not heard
    rng = generator(config, "dialogues")
    dialogues = [dialogue(rng) for _ in range(DIALOGUES)]
    scores = torch.tensor([one.scores for one in dialogues]).mean(0)  # (2, M, R)
    yield from example(dialogues[0])
    arms = {"cross-entropy": (0.0, 0.0), "reward of each turn": (0.0, 1.0), "reward of the dialogue": (1.0, 1.0)}
    found: dict[str, list[float]] = {}
    rows: list[tuple[str | float, ...]] = []
    lines = []
    for at, (name, (gamma, reward)) in enumerate(arms.items()):
        curve = []
        for step, policy in learnt(scores, gamma, reward, heard):
            asks, own = float(policy.softmax(-1)[0, -1]), [float(turn) for turn in turns(policy, scores, heard)]
            curve.append(sum(own))
            if step % 20 == 0 and step:
                told = {f"{name}/asks_back": asks, f"{name}/dialogue_gold": sum(own)}
                yield Metrics(at * STEPS + step, len(arms) * STEPS, told)
        lines.append(Series(name, tuple(float(step) for step in range(0, STEPS + 1, 5)), tuple(curve[::5])))
        found[name] = own
        rows.append((name, *(round(number, 3) for number in (asks, *own, sum(own)))))
    columns = ("learns from", "asks back", "turn 1", "turn 2", "in all")
    yield Table("Expected gold score, every course of the dialogue enumerated", columns, tuple(rows))
    yield Chart("line", "Gold score over both turns", "step", "gold", tuple(lines))
    asking = []
    for gamma in GAMMAS:
        *_, (_, policy) = learnt(scores, gamma, 1.0, heard)
        asking.append(float(policy.softmax(-1)[0, -1]))
    line = Series("asks back", GAMMAS, tuple(asking))
    yield Chart("line", "How much turn 1 answers for turn 2", "γ", "asks back", (line,))

    each, whole = found["reward of each turn"], found["reward of the dialogue"]
    gain, cost = sum(whole) - sum(each), each[0] - whole[0]
    measured = {
        "dialogue_gain": gain,
        "turn_1_cost": cost,
        "dialogue_gold": sum(whole),
        "asks_back_per_turn": asking[0],
        "asks_back": asking[-1],
    }
    return gain > AT_LEAST and cost > AT_LEAST, measured


def example(shown: Dialogue) -> Iterator[Sample]:
    """One dialogue, guessed and asked back; the user has the last meaning in mind."""
    meant = len(MEANINGS) - 1
    first, second = (f"what about the {thing} ?" for thing in shown.things)
    for name, reply, answered in (("guess", 0, 0), ("ask back", REPLIES - 1, meant)):
        said = f" the {MEANINGS[meant].name} ." if reply == REPLIES - 1 else ""
        for turn, prompt, at in ((0, f"{shown.text} {first}", reply), (1, f"...{said} {second}", answered)):
            scores = {"gold": shown.scores[turn][meant][at]}
            yield Sample(f"[{name}, turn {turn + 1}] {prompt}", shown.replies[turn][at], scores)
