"""Answers in other words than the bank's, written without sight of the key points' recogniser words.

Each answer says every key point of its question once, one line a point, in the order of the bank.  `{said|negated}`
gives two forms of a line: the point as it is, and its negation.  The styles are terse notes, spoken language, and
synonyms.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_CHOICE = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


@dataclass(frozen=True)
class Paraphrase:
    """One answer: its lines as said and negated, a line for each key point."""

    id: str
    lang: str
    style: str
    said: tuple[str, ...]
    negated: tuple[str, ...]


def read_paraphrases(lang: str) -> list[Paraphrase]:
    """All paraphrases of a language, in the order of the bank."""
    found: list[Paraphrase] = []
    id_, style, lines = "", "", []  # type: str, str, list[str]
    for line in [*(Path(__file__).parent / f"{lang}.txt").read_text(encoding="utf-8").splitlines(), "#"]:
        if line.startswith(("#", ">")) and lines:
            said, negated = (tuple(_CHOICE.sub(rf"\{form}", text) for text in lines) for form in (1, 2))
            found.append(Paraphrase(id_, lang, style, said, negated))
            lines = []
        if line.startswith("#"):
            id_ = line[1:].strip()
        elif line.startswith(">"):
            style = line[1:].strip()
        elif line.strip():
            lines.append(line)
    return found
