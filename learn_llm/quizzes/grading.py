"""Which key points a typed answer makes, and which of its words say them.

A point is said where every word of one of its groups stands within two neighbouring sentences, and the point's own
terms there are said as the point says them: not negated where it affirms ("PPO does not need a reward model"), and
negated where it denies.  No model is asked: the same answer always gets the same grade, and an author can read why.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from learn_llm.quizzes.matching import Text, occurrences, read_text
from learn_llm.quizzes.negation import Polarity, polarities

WINDOW = 2
"""Sentences within which the words of a group must stand."""
CONFLICT = 0.15
"""The share of a point's terms that may be said the other way."""
_STOP = frozenset(
    """a an the of to in on at by for with from into onto over under as than then that this these those it its is are
    was were be been being do does did done have has had can could will would may might must should shall and or but so
    if when while where which who whom whose what how why there here they them their we our you your he she his i one
    also only just very much many more most less least such same each every all any both some other another own too
    not no never nor neither without cannot rather instead about because since though although however still even up
    down out off again ever yet per via e g s t re ll d m""".split()
)
_OPPOSITES_EN = """low high, lower raise, small large, small big, rise fall, increase decrease, increase reduce, few many, fewer more,
    weak strong, early late, cheap expensive, slow fast, better worse, win lose, easy hard, easier harder, possible impossible,
    sufficient insufficient, enough insufficient, compatible incompatible, need need, same different, keep lose, keep remove"""
_OPPOSITES_JA = """高 低, 強 弱, 大 小, 増 減, 多 少, 上 下, 必要 不要, 十分 不十分, 有効 無効, 有利 不利, 得意 苦手, 勝 負,
    簡単 難, 容易 困難, 良 悪, 深 浅, 速 遅, 近 遠, 同 違"""


@dataclass(frozen=True)
class Said:
    """A key point, whether the answer makes it, and the parts `answer[start:end]` that say it."""

    point: str
    made: bool
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class _Read:
    """A text with its terms: each with the number of its word."""

    text: Text
    polarities: list[Polarity]
    terms: list[tuple[str, int]]


def grade(points: Iterable[tuple[str, Sequence[Sequence[str]]]], answer: str) -> list[Said]:
    """For each key point (its sentence and its groups of words) whether `answer` says it, and where."""
    read = _read(answer)
    return [_grade(point, words, read) for point, words in points]


def _grade(point: str, groups: Sequence[Sequence[str]], answer: _Read) -> Said:
    expected = _expected(point)
    made: list[tuple[set[int], list[tuple[int, int]]]] = []
    denied: set[int] = set()
    for group in groups:
        for found in _windows(group, answer):
            sentences = {answer.text.words[first].sentence for first, _ in found}
            agree, conflict = _weigh(expected, found, sentences, answer)
            if _has_negation(group) or conflict < agree * CONFLICT or (not agree and not conflict):
                made.append((sentences, found))
            elif agree < 1 < conflict:
                denied |= sentences
    for sentences, found in made:
        if not any(abs(one - other) <= 1 for one in sentences for other in denied):
            spans = sorted({(answer.text.words[first].start, answer.text.words[last - 1].end) for first, last in found})
            return Said(point, True, tuple(spans))
    return Said(point, False)


def _windows(group: Sequence[str], answer: _Read) -> Iterable[list[tuple[int, int]]]:
    words = answer.text.words
    places = []
    for phrase in group:
        places.append(list(occurrences(phrase, answer.text)))
        if not places[-1]:
            return
    starts = sorted({words[a].sentence for a, _ in min(places, key=len)})
    for near in starts:
        best: list[tuple[int, int]] | None = None
        for first in range(near, near - WINDOW, -1):
            chosen = []
            for some in places:
                inside = [span for span in some if first <= words[span[0]].sentence < first + WINDOW]
                if not inside:
                    break
                chosen.append(min(inside, key=lambda span: (words[span[0]].sentence != near, span)))
            else:
                best = chosen
                break
        if best is not None:
            yield best


def _weigh(
    expected: dict[str, bool | None], found: list[tuple[int, int]], sentences: set[int], answer: _Read
) -> tuple[float, float]:
    """How many of the point's terms the sentences say as the point does, and how many the other way."""
    seen: dict[str, set[bool]] = {}
    for term, at in answer.terms:
        if answer.text.words[at].sentence in sentences:
            seen.setdefault(term, set()).add(answer.polarities[at].negated)
    agree = conflict = 0.0
    for term, negated in expected.items():
        if negated is None:
            continue
        ways = seen.get(term, set())
        agree += ways == {negated}
        conflict += ways == {not negated}
        if not ways:
            for other in _opposites().get(term, ()):
                ways = seen.get(other, set()) if other not in expected else set()
                agree += ways == {not negated}
                conflict += ways == {negated}
    if not agree and not conflict:
        conflict += any(answer.polarities[at].negated for first, last in found for at in range(first, last))
    return agree, conflict


@lru_cache(maxsize=4096)
def _expected(point: str) -> dict[str, bool | None]:
    """The terms of a key point, and whether it denies them; None where it does so by the way or says both."""
    read = _read(point)
    terms: dict[str, bool | None] = {}
    for term, at in read.terms:
        how = read.polarities[at]
        denied = True if how.denied else None if how.negated else False
        terms[term] = denied if terms.get(term, denied) == denied else None
    return terms


def _read(text: str) -> _Read:
    read = read_text(text)
    return _Read(read, polarities(read), _terms(read))


def _terms(text: Text) -> list[tuple[str, int]]:
    """The words that carry meaning; of Chinese and Japanese the pairs of characters within a run of one script."""
    terms: list[tuple[str, int]] = []
    words = text.words
    at = 0
    while at < len(words):
        form = words[at].form
        kind = _kind(form)
        if kind == "word":
            if form not in _STOP:
                terms.append((words[at].stem, at))
            at += 1
            continue
        end = at + 1
        while end < len(words) and _kind(words[end].form) == kind and words[end].start == words[end - 1].end:
            end += 1
        run = "".join(word.form for word in words[at:end])
        if kind == "katakana" or (kind == "kanji" and len(run) == 1):
            terms.append((run, at))
        elif kind == "kanji":
            terms += [(run[i : i + 2], at + i) for i in range(len(run) - 1)]
        at = end
    return terms


def _kind(form: str) -> str:
    if "\u30a0" <= form <= "\u30ff":
        return "katakana"
    if "\u3040" <= form <= "\u309f":
        return "hiragana"
    return "kanji" if "\u3400" <= form <= "\u9fff" or "\uf900" <= form <= "\ufaff" else "word"


_NEGATION = re.compile(r"\b(?:not|no|never|without|cannot|rather|nothing|neither|replaces|avoids|skips|misses|gone)\b|な[いくかけ]|ません|ず$|不要|不十分|要ら|置き換え|取りこぼ")


def _has_negation(group: Sequence[str]) -> bool:
    return any(_NEGATION.search(phrase) for phrase in group)


@lru_cache(maxsize=1)
def _opposites() -> dict[str, set[str]]:
    pairs: dict[str, set[str]] = {}
    for one, other in (pair.split() for pair in f"{_OPPOSITES_EN},{_OPPOSITES_JA}".split(",")):
        first, second = (read_text(word).words[0].stem if word.isascii() else word for word in (one, other))
        if first != second:
            pairs.setdefault(first, set()).add(second)
            pairs.setdefault(second, set()).add(first)
    return pairs
