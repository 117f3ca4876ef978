"""Does a text make a key point?  The matcher of the bank's own check, and later of typed answers.

A key point has groups of words; it is made where every word of any one group occurs.  Case, hyphens and punctuation do
not count, words match whole, `*` at the end matches any ending, and a phrase matches its words in a row.  Each Chinese
or Japanese character is a word of its own, so phrases of a language without spaces match too.
"""

import re
import unicodedata
from collections.abc import Sequence

_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[+<=>|~¬±×÷√∑∏∂∇∞≈≠≤≥→←∈∝·−]"
)


def normalise(text: str) -> str:
    """The text as words between single spaces, with a space at both ends; what `makes_point` looks in.

    Full-width and superscript forms become plain ones (NFKC); letters are case-folded; the signs of mathematics that
    carry meaning are words, all other punctuation separates.

    >>> normalise("The KL-penalty keeps π_θ close; clip at 1 ± ε.")
    ' the kl penalty keeps π_θ close clip at 1 ± ε '
    """
    return f" {' '.join(_TOKEN.findall(unicodedata.normalize('NFKC', text).casefold()))} "


def makes_point(words: Sequence[Sequence[str]], text: str) -> bool:
    """Whether any one group of `words` occurs whole in `text`, which `normalise` has made.

    >>> text = normalise("The penalties keep the policy close to the reference.")
    >>> makes_point([["kl", "penalt*"], ["close to", "reference"]], text)
    True
    >>> makes_point([["penalty"], ["refer"]], text)
    False
    """
    return any(all(_occurs(word, text) for word in group) for group in words)


def _occurs(word: str, text: str) -> bool:
    prefix = word.rstrip().endswith("*")
    wanted = normalise(word).rstrip()
    return bool(wanted) and (wanted if prefix else f"{wanted} ") in text
