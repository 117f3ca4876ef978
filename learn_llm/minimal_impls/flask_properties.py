"""What FLASK says of a model that no single answer shows: robustness, insightfulness, length bias, hard questions.

Robustness: is the answer, right or wrong, the same when the task is asked in other words?  Insightfulness: how much of
what it says rightly has nobody said before it?  Length: does a score move when an answer grows and says no more?
Hard questions: how much lower is a skill there?  `minimal_impls/flask.py` asks for them and says what they are worth.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from learn_llm.evaluation import CORRECT, Interval, t_quantile
from learn_llm.examples import Prompt, World
from learn_llm.rollouts import Response
from learn_llm.tinyworld import rubric, tasks, writers
from learn_llm.tinyworld.tasks import Item

Ask = Callable[[Sequence[Prompt], str], list[Response]]
"""Answers some prompts; the draws depend on what they are asked for."""


def answer(item: Item, response: str) -> tuple[str, ...]:
    """What the response says in its first sentence, apart from style: the words that would be read as an answer."""
    if rubric.contains(rubric.fluent(response), rubric.ABSTAIN):
        return rubric.ABSTAIN
    first = (rubric.sentences(response) or [[]])[0]
    return tuple(word for word in first if word in item.candidates)


def phrasings(task: tasks.Task) -> list[str]:
    """The ways to ask a task, {o} where its options stand; empty where they cannot be told apart from what is asked."""
    drawn = [task.make(Random(f"{task.name} {i}")) for i in range(40)]
    found = {i.definition.replace(tasks.named(list(i.options)), "{o}") if i.options else i.definition for i in drawn}
    return [] if drawn[0].options and any("{o}" not in text for text in found) else sorted(found)


def rephrased(item: Item, ways: Sequence[str]) -> list[Item]:
    """The same question in the other phrasings of its task, with what a user adds to it.

    >>> make = next(task for task in tasks.training() if task.name == "first_word")
    >>> [other.definition for other in rephrased(make.make(Random(1)), phrasings(make))]
    ['which word comes first ?']
    """
    filled = [way.replace("{o}", tasks.named(list(item.options))) if item.options else way for way in ways]
    own = max((text for text in filled if item.definition.startswith(text)), key=len, default=None)
    if own is None:
        return []
    rest = item.definition[len(own) :]
    return [replace(item, definition=text + rest) for text in filled if text != own]


def four_grams(text: str) -> set[tuple[str, ...]]:
    """Four words in a row.

    >>> four_grams("the hen is a bird .") == {("the", "hen", "is", "a"), ("hen", "is", "a", "bird"),
    ...                                       ("is", "a", "bird", ".")}
    True
    """
    words = rubric.tokens(text)
    return {tuple(words[i : i + 4]) for i in range(len(words) - 3)}


def points(share: float) -> float:
    """A share as a score from 1 to 5.

    >>> points(0.0), points(0.5), points(1.0)
    (1.0, 3.0, 5.0)
    """
    return 1 + 4 * share


@dataclass(frozen=True)
class Robustness:
    """Shares of questions."""

    same: float
    """The same answer in every phrasing."""
    same_and_right: float
    """The same in every phrasing, and right."""
    same_words: float
    """The same answer when asked again in the same words as often as there are phrasings."""
    questions: int


def robustness(ask: Ask, world: World, responses: Sequence[Response], count: int) -> Robustness:
    """Ask the first `count` questions that can be put in other words again: in two other phrasings, and unchanged."""
    ways = {task.name: phrasings(task) for task in tasks.training()}
    first: list[Response] = []
    others: list[list[Item]] = []
    for response in responses:
        item = response.prompt.item
        more = rephrased(item, ways[item.task])[:2] if item is not None else []
        if more and len(first) < count:
            first.append(response)
            others.append(more)
    if not first:
        return Robustness(0.0, 0.0, 0.0, 0)
    asked = [world.prompt(item) for items in others for item in items]
    answers = iter(ask(asked, "other words"))
    again = iter(ask([r.prompt for r, items in zip(first, others, strict=True) for _ in items], "same words"))
    same, right, stable = [], [], []
    for response, items in zip(first, others, strict=True):
        known = said(response)
        in_other_words = [said(next(answers)) == known for _ in items]
        same.append(all(in_other_words))
        right.append(same[-1] and response.skills.get(CORRECT, response.skills.get("metacognition")) == 5)
        in_same_words = [said(next(again)) == known for _ in items]
        stable.append(all(in_same_words))
    return Robustness(statistics.fmean(same), statistics.fmean(right), statistics.fmean(stable), len(first))


def said(response: Response) -> tuple[str, ...]:
    """What a response to an item of the tiny world answers."""
    assert response.prompt.item is not None
    return answer(response.prompt.item, response.spelled)


def insightfulness(responses: Sequence[Response], known: set[tuple[str, ...]]) -> float:
    """The share of 4-grams of right answers that nobody's demonstration holds; 0 where no answer is right."""
    right = [response for response in responses if response.skills.get(CORRECT) == 5]
    grams = [gram for response in right for gram in four_grams(response.spelled)]
    return statistics.fmean(gram not in known for gram in grams) if grams else 0.0


def wordier(world: World, responses: Sequence[Response], rng: Random) -> list[Response]:
    """The same answers, said at greater length."""
    longer = []
    for response in responses:
        assert response.prompt.item is not None
        text = writers.wordy(response.prompt.item, response.spelled, rng)
        longer.append(Response(response.prompt, world.encoder.response(text), ended=True))
    return longer


def fall(easy: Sequence[float], hard: Sequence[float]) -> Interval:
    """Mean of `hard` minus mean of `easy`, two independent samples, with its 95 % interval.

    The t-quantile is that of the smaller sample's degrees of freedom, which errs on the wide side.

    >>> fall([5, 5, 4, 5], [3, 2, 3, 3]).mean
    -2.0
    """
    mean = statistics.fmean(hard) - statistics.fmean(easy)
    if min(len(easy), len(hard)) < 2:
        return Interval(mean, -math.inf, math.inf)
    error = math.sqrt(sum(statistics.variance(some) / len(some) for some in (easy, hard)))
    half = t_quantile(0.975, min(len(easy), len(hard)) - 1) * error
    return Interval(mean, mean - half, mean + half)
