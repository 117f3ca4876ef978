"""ASCII in place of every character that a terminal may not have, or may show two cells wide.

Lines, blocks, arrows and Greek letters are of ambiguous width: a terminal set up for Japanese may show each in two
cells, and what stands behind it is shifted.  LEARN_LLM_ASCII=1 asks for ASCII stand-ins, in the app and in what runs
print; an output that cannot carry such characters gets them by itself.  Japanese stays.

There are two forms: `spelled` for text, as long as it takes (π is `pi`), and `cell_by_cell` for what is drawn on a grid
(π is `p`, a line `-`, a cell of braille dots the character that resembles it).
"""

import codecs
import io
import os
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import IO

SWITCH = "LEARN_LLM_ASCII"
NEEDED = "⣿✓─π"
"""An output that cannot encode these gets ASCII."""
_SYMBOLS = """
→ > ->    ← < <-    ↔ - <->   ⇔ = <=>   ▲ ^ ^     ▼ v v     ▶ > >     ◀ < <
≤ < <=    ≥ > >=    ≠ # !=    ≈ ~ ~=    ∝ ~ ~     ≻ > >     ± ~ +-    − - -     · * *     × x x     ÷ / /
√ V sqrt  ∂ d d     ∇ g grad  ∞ 8 inf   ∈ e in    ¬ ! not   Σ S sum   ∑ S sum   Π P prod  ∏ P prod  ½ h 1/2
– - -     — - --    … . ...   ‥ . ..    • * *     ‖ | ||    ¦ | |     ‘ ' '     ’ ' '     “ " "     ” " "
✓ + +     ✗ ! !     ● * *     ○ o o     ■ # #     □ # #     ⏎ < enter ⌫ < backspace
"""
SYMBOLS: Mapping[str, tuple[str, str]] = {
    symbol: (cell, word) for symbol, cell, word in zip(*[iter(_SYMBOLS.split())] * 3, strict=True)
}
"""Each as one character, and as it is spelled."""
ARROWS = {"LEFTWARDS": "<", "RIGHTWARDS": ">", "UPWARDS": "^", "DOWNWARDS": "v"}
BLOCKS = {"LOWER": "_", "UPPER": "-", "LEFT": "|", "RIGHT": "|"}
"""Arrows, and blocks that fill a part of a cell, by the first words of their names; others are `-` and `#`."""
SHADES = " .:-=+*##"
"""A cell of braille by the number of its dots, where its shape says nothing."""
SHAPES = {0x01: "'", 0x08: "'", 0x09: '"', 0x40: ".", 0x80: ".", 0xC0: "_", 0x12: "-", 0x24: "-", 0x47: "|", 0xB8: "|"}
SHAPES |= {0x02: ".", 0x04: ".", 0x10: ".", 0x20: ".", 0x06: ":", 0x30: ":", 0x1B: "=", 0x36: "=", 0x2D: "="}
"""Cells of braille whose shape says something, by the bits of their dots."""
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀᵇᵈᵏᵗ]+")
_LOWERED = re.compile("[₀-₉ₐ-ₜᵢ]+")


def wanted(out: IO[str] | None = None) -> bool:
    """Whether ASCII is asked for, or is all that this output can carry."""
    return bool(os.environ.get(SWITCH)) or (out is not None and not can_encode(out, NEEDED))


def ask_for(ascii: bool) -> None:
    """Asks for ASCII, or no longer, here and in the processes that are started from now on."""
    os.environ.pop(SWITCH, None)
    if ascii:
        os.environ[SWITCH] = "1"


def can_encode(out: IO[str], text: str) -> bool:
    """Whether the output can carry the text."""
    try:
        text.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@lru_cache(maxsize=4096)
def spelled(text: str) -> str:
    """The text with its symbols in words.

    >>> spelled("2π(y|x) ≥ 10⁻³ · √d"), spelled("方策 π₁ を学習")
    ('2 pi(y|x) >= 10^-3 * sqrt d', '方策 pi_1 を学習')
    """
    if text.isascii():
        return text
    text = _RAISED.sub(lambda found: f"^{unicodedata.normalize('NFKC', found[0])}", text)
    text = _LOWERED.sub(lambda found: f"_{unicodedata.normalize('NFKC', found[0])}", text)
    result, named = "", False  # whether the character before became a word
    for char in text:
        word = _word(char)
        names = len(word) > 1
        touching = re.fullmatch("[A-Za-z0-9]{2}", result[-1:] + word[:1])
        result += f" {word}" if touching and (names or named) else word
        named = names
    return result


@lru_cache(maxsize=4096)
def cell_by_cell(text: str) -> str:
    """The text with as many cells as before.

    >>> cell_by_cell("╭─ 方策 π ─╮ ⣿⠒"), cell_by_cell("▁▌²🔎")
    ('+- 方策 p -+ #-', '_|2* ')
    """
    return text if text.isascii() else text.translate(_CELLS)


def lenient(*streams: object) -> None:
    """What these cannot encode is spelled from now on, or is a question mark, instead of an error."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _word(char: str) -> str:
    """The character as it is spelled; itself if it is ASCII or Japanese."""
    if _stays(char):
        return char
    if char in SYMBOLS:
        return SYMBOLS[char][1]
    letter = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(char, ""))
    if letter:
        name = letter[2].replace("LAMDA", "LAMBDA")
        return name.lower() if letter[1] == "SMALL" else name.capitalize()
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return plain if plain.isprintable() and plain else _cell(char)


def _cell(char: str) -> str:
    """The ASCII character that stands for this one on a grid; itself if it is ASCII or Japanese."""
    if _stays(char):
        return char
    if char in SYMBOLS:
        return SYMBOLS[char][0]
    if unicodedata.east_asian_width(char) in "WF":
        return "* "
    name, code = unicodedata.name(char, ""), ord(char)
    if name.startswith("BRAILLE"):
        return SHAPES.get(code & 0xFF) or SHADES[(code & 0xFF).bit_count()]
    if name.startswith("BOX DRAWINGS"):
        across = any(word in name for word in ("HORIZONTAL", "LEFT", "RIGHT"))
        down = any(word in name for word in ("VERTICAL", "UP", "DOWN"))
        return "+" if across == down else "-" if across else "|"
    if 0x2580 <= code <= 0x259F:
        return BLOCKS.get(name.split()[0], "#")
    if 0x2190 <= code <= 0x21FF:
        return ARROWS.get(name.split()[0], "-")
    if name.startswith("GREEK"):
        return _word(char)[0]
    plain = unicodedata.normalize("NFKD", char)[0]
    return _cell(plain) if plain != char else "?"


def _stays(char: str) -> bool:
    """Whether it is ASCII, Japanese, or a mark that combines with what is before it."""
    if char.isascii() or unicodedata.combining(char):
        return True
    return unicodedata.east_asian_width(char) in "WFH" and not _is_picture(char)


def _is_picture(char: str) -> bool:
    """Whether it is an emoji: wide, but no writing.

    >>> _is_picture("🔎"), _is_picture("〒")
    (True, False)
    """
    return unicodedata.category(char) == "So" and not "\u3000" <= char <= "\u33ff"


class _Cells(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = _cell(chr(code))
        return self[code]


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    before, after = error.object[: error.start][-1:], error.object[error.end :][:1]
    before, after = before * before.isascii(), after * after.isascii()
    text = spelled(before + error.object[error.start : error.end] + after)
    text = text[len(before) : len(text) - len(after)]
    return "".join(char if char.isascii() else "?" for char in text), error.end


_CELLS = _Cells()
_ERRORS = "learn-llm-spelled"
codecs.register_error(_ERRORS, _spell)
