"""What the arms of coh.py read: feedback in words, and answers behind it, with the role of every token.

Kept apart from the method because it is writing, not learning: prompts and pairs go in, rows of tokens come out.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from learn_llm.datasets import Row as DataRow
from learn_llm.examples import Encoder, Pair, Prompt
from learn_llm.tinyworld import annotators, lexicon, rubric, tokens

Kind = Literal["mixed", "markers", "words", "numbers"]

TEMPLATES = (
    ("the answer is good:", "the answer is bad:"),
    ("this one is good:", "this one is bad:"),
    ("now it is good:", "now it is bad:"),
    ("i think that this is good:", "i think that this is bad:"),
)
"""What is written before a good answer and before a bad one; the first of them asks when the model is used."""
NUMBER = "of five this is {n}:"
REMARKS = ("chosen_feedback", "rejected_feedback")
"""The fields of a file that say in words what is good about an answer or bad."""


@dataclass(frozen=True)
class Arm:
    """One way to learn from the same pairs; each differs from CoH in one thing, SFT in what it lacks."""

    chained: bool = True
    """Half of the pairs are one row with both answers."""
    marked: bool = True
    """Feedback stands before each answer."""
    learns: Literal["both", "good", "unlikelihood"] = "both"
    """Which answers carry loss; "unlikelihood": good ones are made likely, bad ones unlikely."""
    mixes: bool = True
    """Pretraining text is mixed in."""
    forgets: bool = True
    """Past tokens are masked at random."""


COH, C_SFT, PPO = "coh", "conditional-sft", "ppo"
ARMS: Mapping[str, Arm] = {
    COH: Arm(),
    C_SFT: Arm(chained=False),
    "sft": Arm(chained=False, marked=False, learns="good"),
    "sft-on-both": Arm(chained=False, marked=False),
    "unlikelihood": Arm(chained=False, marked=False, learns="unlikelihood"),
    "coh-without-lambda": Arm(mixes=False),
    "coh-without-masking": Arm(forgets=False),
}


@dataclass(frozen=True)
class Feedback:
    """What an annotator says about one answer."""

    good: bool
    """Preferred to the other one."""
    remark: str = ""
    """In words; "" where nobody said any."""
    grade: int = 0
    """From 1 to 5; 0 where nobody gave one."""


@dataclass(frozen=True)
class Example:
    """A prompt with two answers, EOS included, and the feedback on each."""

    prompt: Prompt
    answers: tuple[tuple[int, ...], tuple[int, ...]]
    feedback: tuple[Feedback, Feedback]


@dataclass(frozen=True)
class Row:
    """One text to learn from."""

    ids: tuple[int, ...]
    roles: tuple[int, ...]
    """Of each token: 0 prompt or feedback, 1 of the first answer, 2 of the second."""
    unlikely: bool = False
    """Its answer is to become less likely."""


def write(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    """The prompt, then each answer behind what is said of it.

    >>> write([5, 6], said=[[7], [8, 9]], answers=[[3, 1], [4, 1]])
    Row(ids=(5, 6, 7, 3, 1, 8, 9, 4, 1), roles=(0, 0, 0, 1, 1, 0, 0, 2, 2), unlikely=False)
    """
    ids, roles = list(prompt), [0] * len(prompt)
    for number, (words, answer) in enumerate(zip(said, answers, strict=True), 1):
        ids += [*words, *answer]
        roles += [0] * len(words) + [number] * len(answer)
    return Row(tuple(ids), tuple(roles))


def loss_mask(roles: Sequence[int], scope: Literal["all", "last"]) -> list[int]:
    """1 on the tokens that carry loss (detail 1).

    >>> loss_mask([0, 1, 1, 0, 2], "all"), loss_mask([0, 1, 1, 0, 2], "last")
    ([0, 1, 1, 0, 1], [0, 0, 0, 0, 1])
    """
    least = 1 if scope == "all" else max(1, *roles)
    return [int(role >= least) for role in roles]


class Writer:
    """Puts feedback into words and examples into rows."""

    def __init__(self, encoder: Encoder, kind: Kind = "mixed", chains: float = 0.5) -> None:
        self.encoder, self.kind, self.chains = encoder, kind, chains

    def words(self, text: str) -> tuple[int, ...]:
        """Feedback as tokens that stand before an answer."""
        return tuple(self.encoder.tokenizer.encode(text, bos=False))

    def say(self, feedback: Feedback, rng: Random) -> str:
        """One way to say it (detail 3); a remark in words that the checkpoint does not know is left out."""
        kind = self.kind
        if kind == "mixed":
            kind = lexicon.pick(rng, ("markers", "words"))
        if kind == "numbers" and feedback.grade:
            return NUMBER.format(n=lexicon.NUMBERS[feedback.grade - 1])
        marker = lexicon.pick(rng, TEMPLATES)[0 if feedback.good else 1]
        remark = feedback.remark if kind == "words" else ""
        return marker if not remark or self.encoder.tokenizer.unknown(remark) else f"{remark} {marker}"

    def ask(self, prompt: Prompt, good: bool) -> Prompt:
        """The prompt with the words that ask for a good answer, or for a bad one."""
        grade = NUMBER.format(n=lexicon.NUMBERS[4 if good else 0])
        said = grade if self.kind == "numbers" else TEMPLATES[0][0 if good else 1]
        return replace(prompt, ids=(*prompt.ids, *self.words(said)))

    def longest(self, pairs: Sequence[DataRow]) -> int:
        """The most tokens that stand before an answer: a remark of this file and a marker."""
        remarks = {str(row.fields.get(name) or "") for row in pairs for name in REMARKS}
        markers = {marker for some in TEMPLATES for marker in some}
        return max(len(self.words(text)) for text in remarks) + max(len(self.words(f" {text}")) for text in markers)

    def rows(self, example: Example, arm: Arm, rng: Random) -> list[Row]:
        """An example as one arm learns from it (detail 2); the draws are the same for every arm."""
        order = [0, 1] if rng.random() < 0.5 else [1, 0]
        in_chain = rng.random() < self.chains
        said = [self.words(self.say(example.feedback[i], rng)) if arm.marked else () for i in order]
        answers = [example.answers[i] for i in order]
        chain = write(example.prompt.ids, said, answers)
        if arm.chained and in_chain and len(chain.ids) <= self.encoder.context:
            return [chain]
        rows = [write(example.prompt.ids, [s], [answer]) for s, answer in zip(said, answers, strict=True)]
        good = [example.feedback[i].good for i in order]
        if arm.learns == "good":
            return [row for row, is_good in zip(rows, good, strict=True) if is_good] or rows[:1]
        if arm.learns == "unlikelihood":
            return [replace(row, unlikely=not is_good) for row, is_good in zip(rows, good, strict=True)]
        return rows


def judged(pairs: Sequence[Pair], rng: Random, shuffle: bool = False) -> list[Example]:
    """Pairs with what the annotators, or the file, say of each answer; `shuffle` deals all of it to other answers."""
    feedback = []
    for pair in pairs:
        for ids, good in ((pair.chosen, True), (pair.rejected, False)):
            remark, grade, item = str(pair.prompt.row.get(REMARKS[0 if good else 1]) or ""), 0, pair.prompt.item
            if item:
                text = tokens.spell(ids)
                remark = annotators.feedback(item, text, rng)
                grade = round(statistics.fmean(rubric.score(item, text).values()))
            feedback.append(Feedback(good, remark, grade))
    if shuffle:
        rng.shuffle(feedback)
    return [
        Example(pair.prompt, (pair.chosen, pair.rejected), (first, second))
        for pair, first, second in zip(pairs, feedback[::2], feedback[1::2], strict=True)
    ]
