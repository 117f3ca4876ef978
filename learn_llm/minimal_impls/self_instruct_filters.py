"""What self_instruct.py throws away: each filter a named predicate, asked in order, with its count of rejects.

A predicate sees one task and everything that is there already, seeds among it, and says whether the task goes.  The
first one that says so gets the count, so the counts add up to what was written.

    ROUGE-L = F1 of the longest common subsequence of words          (Lin 2004; `icil_scores.rouge_l`)
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from learn_llm.evaluation import Interval, share_interval
from learn_llm.minimal_impls.icil_scores import plain, rouge_l
from learn_llm.tinyworld.lexicon import pick


@dataclass(frozen=True)
class Written:
    """A task that somebody wrote: a seed's author, or the model."""

    instruction: str
    input: str = ""
    output: str = ""
    again: str | None = None
    """What the model answered when it was asked for the output once more, input first; None: it was not asked."""

    @property
    def prompt(self) -> str:
        """What a model is asked."""
        return f"{self.instruction}\n{self.input}" if self.input else self.instruction


Predicate = Callable[[Written, Sequence[Written]], bool]

NOT_TEXT = re.compile(r"\b(images?|graphs?|pictures?|files?|maps?|draw|plot|go to)\b", re.IGNORECASE)
LONGEST = 150


def words(text: str) -> list[str]:
    """The words of a text in lower case, without marks.

    >>> words("What is it, slow or fast?")
    ['what', 'is', 'it', 'slow', 'or', 'fast']
    """
    return re.findall(r"\w+", text.casefold())


def is_classification(instruction: str) -> bool:
    """Whether the instruction names the answers to choose from: "a or b", or "say a if ..., b if ...".

    >>> is_classification("say alpha if it is hot, beta if it is cold."), is_classification("say the last word.")
    (True, False)
    """
    said = words(instruction)
    return "or" in said or said.count("if") > 1


def too_short_or_long(shortest: int) -> Predicate:
    """Fewer than `shortest` words, or more than 150."""
    return lambda task, there: not shortest <= len(words(task.instruction)) <= LONGEST


def not_text(task: Written, there: Sequence[Written]) -> bool:
    """It speaks of what cannot be done in text: images, files, maps.  (Published word list, shortened.)"""
    return bool(NOT_TEXT.search(task.instruction))


def odd_start(task: Written, there: Sequence[Written]) -> bool:
    """It begins with a mark or outside ASCII, or asks for a program, which has more than one right answer."""
    start = task.instruction[:1]
    return not (start.isascii() and start.isalnum()) or task.instruction.casefold().startswith("write a program")


def contradiction(task: Written, there: Sequence[Written]) -> bool:
    """The same prompt has got another output before."""
    return any(
        plain(task.prompt) == plain(other.prompt) and plain(task.output) != plain(other.output) for other in there
    )


def exact_duplicate(task: Written, there: Sequence[Written]) -> bool:
    """The same instruction was there before, word for word."""
    return any(plain(task.instruction) == plain(other.instruction) for other in there)


def near_duplicate(threshold: float) -> Predicate:
    """Its instruction has a ROUGE-L of at least `threshold` with one that is there."""
    return lambda task, there: any(rouge_l(task.instruction, other.instruction) >= threshold for other in there)


def no_output(task: Written, there: Sequence[Written]) -> bool:
    """There is no answer, or it ends where one was still to come."""
    return not plain(task.output) or task.output.rstrip().endswith(":")


def output_repeats_input(task: Written, there: Sequence[Written]) -> bool:
    """The answer is what was asked."""
    return plain(task.output) == plain(task.input)


def label_not_named(task: Written, there: Sequence[Written]) -> bool:
    """The answer to a classification is none of the words that its instruction names."""
    return is_classification(task.instruction) and not set(words(task.output)) <= set(words(task.instruction))


def label_disagrees(task: Written, there: Sequence[Written]) -> bool:
    """Asked again, input first, the model gives another answer than the one it began with."""
    return task.again is not None and plain(task.again) != plain(task.output)


EXACT = "exact duplicate"
NEAR = "near-duplicate"


def all_filters(shortest: int, threshold: float) -> Mapping[str, Predicate]:
    """The filters of Self-Instruct by name, in order, and the round trip of a label, which is added here."""
    return {
        "too short or long": too_short_or_long(shortest),
        "not doable in text": not_text,
        "odd start": odd_start,
        "no output": no_output,
        "output repeats input": output_repeats_input,
        "same input, other output": contradiction,
        EXACT: exact_duplicate,
        NEAR: near_duplicate(threshold),
        "label not named": label_not_named,
        "label disagrees": label_disagrees,
    }


def lamini_filters() -> Mapping[str, Predicate]:
    """Lamini's: exact duplicates, and nothing else."""
    return {EXACT: exact_duplicate}


class Funnel:
    """Takes tasks one by one and keeps those that no filter rejects."""

    def __init__(self, filters: Mapping[str, Predicate], seeds: Sequence[Written] = ()) -> None:
        self.filters = filters
        self.seeds = tuple(seeds)
        self.kept: list[Written] = []
        self.rejected = dict.fromkeys(filters, 0)

    def offer(self, task: Written) -> str:
        """The name of the filter that rejects the task; "" where it is kept.

        >>> funnel = Funnel(all_filters(shortest=3, threshold=0.7))
        >>> funnel.offer(Written("say the first word.", "hat, sun", "hat"))
        ''
        >>> funnel.offer(Written("say the last word.", "hat, sun", "sun"))
        'near-duplicate'
        """
        there = [*self.seeds, *self.kept]
        for name, rejects in self.filters.items():
            if rejects(task, there):
                self.rejected[name] += 1
                return name
        self.kept.append(task)
        return ""

    def left(self) -> list[tuple[str, int]]:
        """How many are left before the first filter and behind each one."""
        left = len(self.kept) + sum(self.rejected.values())
        stages = [("written", left)]
        for name, count in self.rejected.items():
            left -= count
            stages.append((name, left))
        return stages


# How distinct is what was kept?


def nearest(tasks: Sequence[Written]) -> list[float]:
    """Each instruction's ROUGE-L with the one of the others that is most like it.

    >>> nearest([Written("say the last word."), Written("say the last number."), Written("is it true?")])
    [0.75, 0.75, 0.0]
    """
    highest = [0.0] * len(tasks)
    for i, task in enumerate(tasks):
        for j in range(i):
            alike = rouge_l(task.instruction, tasks[j].instruction)
            highest[i], highest[j] = max(highest[i], alike), max(highest[j], alike)
    return highest


def distinct_2(tasks: Sequence[Written]) -> float:
    """Different pairs of neighbouring words over all such pairs (Li et al. 2016, arXiv 1510.03055).

    >>> distinct_2([Written("say the last word."), Written("say the last number.")])
    0.666...
    """
    pairs = [pair for task in tasks for pair in pairwise(words(task.instruction))]
    return len(set(pairs)) / max(1, len(pairs))


# How good is the filter?  Near-duplicates are planted, so the truth is known


def edited(text: str, vocabulary: list[str], rng: Random) -> str:
    """The text with one word exchanged, added or left out.

    >>> len({edited("say the last word .", ["red", "big"], Random(i)) for i in range(20)}) > 5
    True
    """
    said = text.split()
    at = pick(rng, [i for i, word in enumerate(said) if words(word)])
    form = rng.random()
    if form < 0.5:
        said[at] = pick(rng, vocabulary)
    elif form < 0.75:
        said.insert(at, pick(rng, vocabulary))
    else:
        del said[at]
    return " ".join(said)


def planted(
    instructions: Sequence[str], vocabulary: list[str], threshold: float, rng: Random, copies: int = 2
) -> tuple[Interval, Interval]:
    """Recall and precision of the filter against near-duplicates, each with its 95 % Wilson interval.

    Every instruction is an original, of a task of its own.  Copies of it differ in one word.  Recall: the share of
    copies that are dropped.  Precision: the share of copies among what is dropped; an original that goes because it
    looks like another one counts against it.
    """
    funnel = Funnel({NEAR: near_duplicate(threshold)})
    dropped = [bool(funnel.offer(Written(text))) for text in instructions]
    copied = [edited(task.instruction, vocabulary, rng) for task in list(funnel.kept) for _ in range(copies)]
    caught = [near_duplicate(threshold)(Written(text), funnel.kept) for text in copied]
    right = [1.0] * sum(caught) + [0.0] * sum(dropped)
    return share_interval([float(one) for one in caught]), share_interval(right or [0.0])
