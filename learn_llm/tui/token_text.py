"""Texts token by token, with what each objective makes of each token: the lines of a column, and what they mean."""

import math
from collections.abc import Sequence
from difflib import SequenceMatcher

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from learn_llm.canvas import bars, pad
from learn_llm.events import TokenRow, Tokens
from learn_llm.quizzes.texts import Texts
from learn_llm.showing import bar_style, clean, column, numbers, spoken
from learn_llm.tui.prose import Block
from learn_llm.tui.styles import QUIET

MARKS = 3
"""Cells before a token: the cursor, whether it stands in this text alone, a space."""
NAME, CELL, GAP = 8, 13, 2
"""The least cells for a token, for a number with its bar, and between two texts."""
HEAD = 3
"""Lines above the tokens."""
_STYLES = {"red": "$text-error", "green": "$text-success", "cyan": "$text-primary"}
COST = "cross-entropy"
WEIGHTS = (COST, "weight in RL", "advantage")
"""Rows whose objective has a term w · log π for the token: w is 1 for cross-entropy, else the number."""


def beside(texts: Sequence[Tokens], at: int, width: int) -> Sequence[Tokens]:
    """The texts that are shown together with number `at`: a pair where there is room for it, else that one alone."""
    pair = texts[at - at % 2 :][:2]
    rows = max(len(text.rows) for text in pair)
    room = (width - GAP) // 2
    return pair if len(pair) == 2 and room >= MARKS + NAME + rows * CELL else texts[at : at + 1]


def own(text: Tokens, others: Sequence[Tokens]) -> set[int]:
    """The places of the tokens that the other answers to the same prompt do not have there.

    >>> kept, turned = (Tokens(tuple(said.split()), ()) for said in ("i will not help", "i will help"))
    >>> own(kept, [kept, turned]), own(turned, [kept, turned])
    ({2}, set())
    """
    found = set[int]()
    for other in others:
        if other is not text and other.prompt == text.prompt:
            same = SequenceMatcher(None, text.tokens, other.tokens, autojunk=False).get_matching_blocks()
            found |= set(range(len(text.tokens))) - {match.a + i for match in same for i in range(match.size)}
    return found


def lines(
    text: Tokens, shown: Sequence[Tokens], rows: range, cursor: int | None, width: int, texts: Texts
) -> list[Content]:
    """The title, the scores, the names of the objectives; then the tokens numbered `rows`.

    Args:
        shown: the texts shown together, this one among them: bars of all of them are on one scale.
        cursor: the token under the cursor, where it is in this text.
    """
    tokens = [spoken(token) for token in text.tokens]
    longest = max((cell_len(spoken(token)) for other in shown for token in other.tokens), default=0)
    margin = min(longest, max(NAME, width // 5))
    room = (width - MARKS - margin) // max(len(text.rows), 1)
    heads = "".join(" " + pad(_name(row.name, texts), room - 1) for row in text.rows)
    found = [
        Content.styled(pad(clean(text.title), width), "bold $text-accent" if cursor is not None else "bold"),
        Content.styled(pad(numbers(text.scores), width), QUIET),
        Content.styled(set_cell_size(" " * (MARKS + margin) + heads, width), QUIET),
    ]
    drawn = [_drawn(row, shown, room) for row in text.rows]
    scales = [_all(row, shown) for row in text.rows]
    alone = own(text, shown)
    for i in rows:
        if i >= len(tokens):
            found.append(Content(" " * width))
            continue
        marks = (">" if i == cursor else " ") + ("*" if i in alone else " ") + " "
        line = Content.styled(marks + pad(tokens[i], margin), "bold" if i == cursor or i in alone else "")
        for row, parts, scale in zip(text.rows, drawn, scales, strict=True):
            if i < len(parts):
                number, bar = parts[i]
                line += Content(f" {number} ") + Content.styled(bar, _STYLES[bar_style(row.values[i], scale)])
        line = line.pad_right(max(0, width - line.cell_length)).truncate(width)
        found.append(line.stylize("on $panel") if i == cursor else line)
    return found


def _drawn(row: TokenRow, shown: Sequence[Tokens], room: int) -> list[tuple[str, str]]:
    """The number and the bar of each token; together they take one cell less than `room`, with a space between."""
    both = [*row.values, *_all(row, shown)]
    told = column(both)
    size = min(max(map(cell_len, told), default=0), room - 2)
    drawn = bars(both, max(0, room - size - 2))
    return [(pad(told[i], size, right=True), drawn[i]) for i in range(len(row.values))]


def _all(row: TokenRow, shown: Sequence[Tokens]) -> list[float]:
    """The numbers of the row of this name in all texts that are shown."""
    rows = (other for text in shown for other in text.rows if other.name == row.name)
    return [value for other in rows for value in (*other.values, *other.scale)]


def _name(row: str, texts: Texts) -> str:
    return texts(f"tokens.row.{row}") if texts.has(f"tokens.row.{row}") else clean(row)


def explained(text: Tokens, at: int, shown: Sequence[Tokens], texts: Texts) -> list[Block]:
    """What the numbers of one token say, and what each objective would do to it."""
    values = {row.name: row.values[at] for row in text.rows if at < len(row.values)}
    head = f'"{spoken(text.tokens[at])}"' + (f"  {texts('tokens.own')}" if at in own(text, shown) else "")
    blocks = [Block(Content.styled(head, "bold"))]
    for name, value in values.items():
        if texts.has(f"tokens.about.{name}"):
            said = texts(f"tokens.about.{name}", value=f"{value:.3g}", p=_percent(math.exp(-max(value, 0.0))))
            if name in WEIGHTS and COST in values:
                push = gradient(1.0 if name == COST else value, values[COST])
                way = "still" if push == 0 else "up" if push > 0 else "down"
                said += texts("tokens.gradient", push=f"{push:+.3g}", way=texts(f"tokens.{way}"))
            blocks.append(Block(Content(said), gap=False))
    return blocks


def gradient(weight: float, cost: float) -> float:
    """How a step on w · log π moves the token's own logit z: d/dz = w·(1 - π), with -log π = `cost` in nats.

    >>> round(gradient(-0.5, math.log(4)), 3)
    -0.375
    """
    return weight * (1 - math.exp(-max(cost, 0.0)))


def _percent(share: float) -> str:
    """A probability in per cent.

    >>> _percent(0.25), _percent(0.99996), _percent(0.0000123)
    ('25 %', '100 %', '0.0012 %')
    """
    return "100 %" if share >= 0.995 else f"{100 * share:.2g} %"
