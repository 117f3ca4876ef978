"""A text as words with their places, and where the words of a key point occur in it.

Full-width and half-width forms, case, hyphens and other punctuation do not count.  English words match by their stem
(clip, clips, clipping; regularise, regularize), and a word of seven letters or more with one slip of the keyboard.
Each Chinese or Japanese character is a word of its own, so phrases of a language without spaces match too.  The signs
of mathematics that carry meaning are words.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

_EAST = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_EAST}]|[^\W{_EAST}]+(?:['’][^\W{_EAST}]+)?|[+<=>|~¬±×÷√∑∏∂∇∞≈≠≤≥→←∈∝·−]")
_CLUSTER = re.compile(r".[\u0300-\u036f\u3099\u309a\uff9e\uff9f]*", re.DOTALL)
_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!vs)(?<!cf)[.!?](?=\s|$)|[。．！？\n]")


@dataclass(frozen=True)
class Word:
    """A word of a text: its plain form, its stem, its place (`text[start:end]`), and the number of its sentence."""

    form: str
    stem: str
    start: int
    end: int
    sentence: int


@dataclass(frozen=True)
class Wanted:
    """A word of a phrase that is looked for; `prefix` if any ending will do."""

    form: str
    stem: str
    prefix: bool


@dataclass(frozen=True)
class Text:
    """A text read into words.  `plain` is its normalised form, `places` the place in the text of each of its
    characters, `sentences` the bounds of each sentence in `plain`, `plain_starts` where each word begins in it."""

    words: tuple[Word, ...]
    plain: str = field(repr=False)
    places: tuple[int, ...] = field(repr=False)
    sentences: tuple[tuple[int, int], ...] = field(repr=False)
    plain_starts: tuple[int, ...] = field(repr=False)

    @cached_property
    def index(self) -> dict[str, list[int]]:
        """The numbers of the words by their stem."""
        index: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            index.setdefault(word.stem, []).append(number)
        return index

    @cached_property
    def _forms(self) -> dict[str, set[tuple[str, str]]]:
        """The forms and stems of the longer words by their first letter."""
        forms: dict[str, set[tuple[str, str]]] = {}
        for word in self.words:
            if len(word.form) > 1:
                forms.setdefault(word.form[0], set()).add((word.form, word.stem))
        return forms

    def stems_of(self, wanted: Wanted) -> set[str]:
        """The stems of the words of this text that fit."""
        found = {wanted.stem} if wanted.stem in self.index else set()
        if wanted.prefix:
            found |= {stem for form, stem in self._forms.get(wanted.form[0], ()) if form.startswith(wanted.form)}
        if found or len(wanted.form) < 7:
            return found
        forms = self._forms.get(wanted.form[0], ())
        if wanted.prefix:  # its end tells it from other words: "exponentiat*" is no slip of "exponential"
            size, end = len(wanted.form), wanted.form[-2:]
            return {s for form, s in forms if form[:size].endswith(end) and one_slip(wanted.form, form[:size])}
        return {stem for form, stem in forms if len(form) > 6 and one_slip(wanted.form, form)}


def read_text(text: str) -> Text:
    """Read a text into words; a line's end is a sentence's end.

    >>> [word.stem for word in read_text("ＰＰＯ clips the ratio: 1 ± ε.").words]
    ['ppo', 'clip', 'the', 'ratio', '1', '±', 'ε']
    """
    plain, places = _normalised(text)
    bounds, start = [], 0
    for match in _END.finditer(plain):
        if plain[start : match.start()].strip():
            bounds.append((start, match.end()))
        start = match.end()
    if plain[start:].strip():
        bounds.append((start, len(plain)))
    words, starts = [], []
    for number, (first, last) in enumerate(bounds):
        for match in _TOKEN.finditer(plain, first, last):
            starts.append(match.start())
            form = match[0].replace("’", "'")
            words.append(Word(form, stem(form), places[match.start()], places[match.end() - 1] + 1, number))
    return Text(tuple(words), plain, tuple(places), tuple(bounds), tuple(starts))


def occurrences(phrase: str, text: Text) -> Iterator[tuple[int, int]]:
    """Where the words of `phrase` stand in a row: the first word and the one after the last, by their numbers.

    A `*` at its end matches any ending of its last word.

    >>> text = read_text("The KL-penalties keep the policy close.")
    >>> list(occurrences("KL penalty", text)), list(occurrences("polic*", text)), list(occurrences("pol", text))
    ([(1, 3)], [(5, 6)], [])
    """
    wanted = _phrase(phrase)
    if not wanted:
        return
    rest = [text.stems_of(word) for word in wanted[1:]]
    for first_stem in text.stems_of(wanted[0]):
        for first in text.index.get(first_stem, ()):
            after = text.words[first + 1 : first + len(wanted)]
            if len(after) == len(rest) and all(word.stem in stems for word, stems in zip(after, rest, strict=True)):
                yield first, first + len(wanted)


@lru_cache(maxsize=20_000)
def _phrase(phrase: str) -> tuple[Wanted, ...]:
    words = read_text(phrase).words
    prefix = phrase.rstrip().endswith("*")
    return tuple(Wanted(word.form, word.stem, prefix and word is words[-1]) for word in words)


@lru_cache(maxsize=50_000)
def one_slip(one: str, other: str) -> bool:
    """Whether two words differ by one letter changed, left out, put in, or swapped with its neighbour.

    >>> one_slip("gradient", "gradeint"), one_slip("gradient", "gradent"), one_slip("increase", "decrease")
    (True, True, False)
    """
    if abs(len(one) - len(other)) > 1 or not (one.isalpha() and other.isalpha()):
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a == b or a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


_ENDINGS = (
    ("isations", "iz"), ("izations", "iz"), ("isation", "iz"), ("ization", "iz"), ("ising", "iz"), ("izing", "iz"),
    ("ised", "iz"), ("ized", "iz"), ("ises", "iz"), ("izes", "iz"), ("ise", "iz"), ("ize", "iz"),
    ("ysing", "yz"), ("ysed", "yz"), ("yse", "yz"), ("yze", "yz"),
    ("ies", "y"), ("ied", "y"), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("sses", "ss"), ("es", ""),
    ("s", ""), ("e", ""),
)  # fmt: skip


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """An English word without its inflection; other words as they are.

    >>> [stem(word) for word in ("clipping", "clipped", "weights", "regularize", "regularisation", "loss", "is")]
    ['clip', 'clip', 'weight', 'regulariz', 'regulariz', 'loss', 'is']
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha() or word.endswith("ss"):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= 3:
            base = word[: len(word) - len(ending)] + instead
            break
    else:
        base = word
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" and base != word:
        base = base[:-1]
    if base.endswith("ll") and base != word:
        base = base[:-1]
    return base.replace("our", "or") if len(base) > 5 and base.endswith("our") else base


def _normalised(text: str) -> tuple[str, list[int]]:
    """The text in its plain form (NFKC, case-folded) and for each of its characters the place it comes from."""
    parts: list[str] = []
    places: list[int] = []
    for match in _CLUSTER.finditer(text):
        plain = match[0] if match[0] < "\x80" else unicodedata.normalize("NFKC", match[0])
        plain = plain.casefold()
        parts.append(plain)
        places += [match.start()] * len(plain)
    return "".join(parts), places
