"""Which key points a typed answer makes, and which of its words say them.

A point is said where every word of one of its groups stands within two neighbouring sentences, and the point's own
terms there are said as the point says them: not negated where it affirms ("PPO does not need a reward model"), and
negated where it denies.  No model is asked: the same answer always gets the same grade, and an author can read why.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from learn_llm.quizzes.matching import Text, Word, occurrences, read_text
from learn_llm.quizzes.negation import Polarity, polarities
from learn_llm.quizzes.plain import page

if TYPE_CHECKING:
    from learn_llm.quizzes.header import KeyPoint

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
    down out again ever yet per via e g s t re ll d m need needs needed require requires required""".split()
)
_OPPOSITES = """low high, lower raise, small large, small big, rise fall, increase decrease, increase reduce, few many,
    fewer more, weak strong, early late, cheap expensive, slow fast, better worse, win lose, easy hard, easier harder,
    possible impossible, sufficient insufficient, enough insufficient, compatible incompatible, same different,
    keep lose, keep remove, 高 低, 強 弱, 大 小, 増 減, 多 少, 上 下, 必要 不要, 有効 無効, 有利 不利, 得意 苦手, 勝 負,
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
    terms: list[tuple[str, int, bool]]
    """Each term, the number of its word, and whether it is said negated."""


def grade(points: "Iterable[KeyPoint]", answer: str) -> list[Said]:
    """For each key point of a question whether `answer` says it, and where.

    >>> from learn_llm.quizzes.header import KeyPoint
    >>> points = [KeyPoint("PPO needs a reward model.", (("reward model",),))]
    >>> grade(points, "It needs a reward model.")
    [Said(point='PPO needs a reward model.', made=True, spans=((11, 23),))]
    >>> grade(points, "It does not need a reward model.")
    [Said(point='PPO needs a reward model.', made=False, spans=())]
    """
    read = _read(answer)
    return [_grade(point.point, point.words, read) for point in points]


def grade_page(points: "Iterable[KeyPoint]", markdown: str) -> list[Said]:
    """The same for a text in Markdown, whose lines are joined to paragraphs; the spans are those of `unwrap`."""
    return grade(points, unwrap(markdown))


def unwrap(markdown: str) -> str:
    """A text in Markdown with each paragraph on a line of its own."""
    return "\n".join(line for line in page(markdown, 1_000_000) if line)


def _grade(point: str, groups: Sequence[Sequence[str]], answer: _Read) -> Said:
    expected = _expected(point)
    only = bool(_ONLY.search(point.casefold()))
    made: list[tuple[set[int], list[tuple[int, int]]]] = []
    denied: set[int] = set()
    for group in groups:
        for found in _windows(group, answer):
            sentences = {answer.text.words[first].sentence for first, _ in found}
            settled = {answer.polarities[first].clause for first, _ in found} if _has_negation(group) else set()
            agree, conflict = _weigh(expected, found, sentences, settled, answer)
            if only:  # then "not only" is the contrary
                bounds = (answer.text.sentences[one] for one in sentences)
                conflict += any(_NOT_ONLY.search(answer.text.plain, *bound) is not None for bound in bounds) * 2
            if settled and conflict <= 1:
                return Said(point, True, _spans(found, answer))
            if not conflict or conflict < agree * CONFLICT:
                made.append((sentences, found))
            elif conflict > max(1, agree):
                denied |= sentences
    for sentences, found in made:
        if not any(abs(one - other) <= 1 for one in sentences for other in denied):
            return Said(point, True, _spans(found, answer))
    return Said(point, False)


def _spans(found: list[tuple[int, int]], answer: _Read) -> tuple[tuple[int, int], ...]:
    words = answer.text.words
    return tuple(sorted({(words[first].start, words[last - 1].end) for first, last in found}))


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
    expected: dict[str, bool | None],
    found: list[tuple[int, int]],
    sentences: set[int],
    settled: set[int],
    answer: _Read,
) -> tuple[float, float]:
    """How many of the point's terms the sentences say as the point does, and how many the other way.

    What was found counts once more, and of the clauses `settled`, which are found as a whole, nothing else does.
    """
    seen: dict[str, set[bool]] = {}
    terms: dict[int, str] = {}
    for term, at, negated in answer.terms:
        terms[at] = term
        if answer.text.words[at].sentence in sentences and answer.polarities[at].clause not in settled:
            seen.setdefault(term, set()).add(negated)
    agree = conflict = 0.0
    for term, wanted in expected.items():
        if wanted is None:
            continue
        ways = seen.get(term, set())
        agree += ways == {wanted}
        conflict += ways == {not wanted}
        if not ways:
            for other in _opposites().get(term, ()):
                ways = seen.get(other, set()) if other not in expected else set()
                agree += ways == {not wanted}
                conflict += ways == {wanted}
    denies = any(negated is not False for negated in expected.values())
    for first, last in found:
        if answer.polarities[first].clause not in settled and answer.polarities[first].negated:
            known = [expected[terms[at]] for at in range(first, last) if terms.get(at) in expected]
            conflict += all(negated is False for negated in known) if known else not denies
    return agree, conflict


@lru_cache(maxsize=4096)
def _expected(point: str) -> dict[str, bool | None]:
    """The terms of a key point, and whether it denies them; None where it does so by the way or says both."""
    read = _read(point)
    terms: dict[str, bool | None] = {}
    for term, at, negated in read.terms:
        how = read.polarities[at]
        denied = True if negated and (how.denied or not how.negated) else None if how.negated else False
        terms[term] = denied if terms.get(term, denied) == denied else None
    return terms


def _read(text: str) -> _Read:
    read = read_text(text)
    how = polarities(read)
    terms = [(term, at, how[at].negated != denies) for term, at, denies in _terms(read.words)]
    return _Read(read, how, terms)


def _terms(words: Sequence[Word]) -> list[tuple[str, int, bool]]:
    """The words that carry meaning; of Chinese and Japanese the pairs of characters within a run of one script.

    A prefix such as 不 denies what it stands before.
    """
    terms: list[tuple[str, int, bool]] = []
    at = 0
    while at < len(words):
        form = words[at].form
        kind = _kind(form)
        if kind == "word":
            if form not in _STOP:
                terms.append((words[at].stem, at, False))
            at += 1
            continue
        end = at + 1
        while end < len(words) and _kind(words[end].form) == kind and words[end].start == words[end - 1].end:
            end += 1
        run = "".join(word.form for word in words[at:end])
        denies = kind == "kanji" and len(run) > 2 and run[0] in "不非無未"
        if kind == "katakana" or (kind == "kanji" and len(run) == 1):
            terms.append((run, at, False))
        elif kind == "kanji":
            terms += [(run[i : i + 2], at + i, denies) for i in range(denies, len(run) - 1)]
        at = end
    return terms


def _kind(form: str) -> str:
    if "\u30a0" <= form <= "\u30ff":
        return "katakana"
    if "\u3040" <= form <= "\u309f":
        return "hiragana"
    return "kanji" if "\u3400" <= form <= "\u9fff" or "\uf900" <= form <= "\ufaff" else "word"


_NEGATION = re.compile(
    r"\b(?:not|no|never|without|cannot|rather|nothing|neither|replaces|avoids|skips|misses|gone)\b"
    r"|な[いくかけ]|ません|ず$|不要|不十分|要ら|置き換え|取りこぼ"
)


_ONLY = re.compile(r"\b(?:only|just|merely|simply)\b|だけ|のみ|しか|すぎ")
_NOT_ONLY = re.compile(r"(?:\bnot|n't) (?:only|just|merely|simply)\b|(?:だけ|のみ)で(?:は|も)?(?:な[くい]|ありません)")


def _has_negation(group: Sequence[str]) -> bool:
    return any(_NEGATION.search(phrase) for phrase in group)


@lru_cache(maxsize=1)
def _opposites() -> dict[str, set[str]]:
    pairs: dict[str, set[str]] = {}
    for one, other in (pair.split() for pair in _OPPOSITES.split(",")):
        first, second = (read_text(word).words[0].stem if word.isascii() else word for word in (one, other))
        if first != second:
            pairs.setdefault(first, set()).add(second)
            pairs.setdefault(second, set()).add(first)
    return pairs
