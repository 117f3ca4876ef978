"""Markdown as blocks of styled text, laid out for a width.

The answers use a small part of Markdown: headings, paragraphs, lists, tables, quotes, bold, italic, code, and formulas
in indented code blocks.  Rendering it here instead of with a Markdown widget takes a tenth of the time, keeps a
formula's columns aligned at 80 columns, and is the one place where lines are broken.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content, Span

from learn_llm.glyphs import spelled, wanted
from learn_llm.tui.kinsoku import has_wide, line_breaks
from learn_llm.tui.styles import CODE, EMPHASIS, HEADING, QUIET, STRONG

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LAST_LATIN = "\u2e7f"  # after it: Chinese and Japanese, written without spaces


@dataclass(frozen=True)
class Block:
    """A paragraph: the text, what stands before its first line, how far its lines are indented, whether they wrap.

    A text that does not wrap (code) is folded only where it is wider than the page.
    """

    text: Content
    lead: str = ""
    indent: int = 0
    wraps: bool = True
    gap: bool = True
    _at: dict[int, list[Content]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def lines(self, width: int) -> list[Content]:
        """The lines at `width` cells, without the empty line that `gap` asks for before the block; kept by width."""
        if width not in self._at:
            self._at[width] = self._lines(width)
        return self._at[width]

    def _lines(self, width: int) -> list[Content]:
        room = max(8, width - self.indent)
        lines = [part for line in self.text.split(allow_blank=True) for part in self._broken(line, room)]
        margin = " " * self.indent
        lead = Content.styled(margin[cell_len(self.lead) :] + self.lead, QUIET) if self.lead else Content(margin)
        return [(Content(margin) if number else lead) + line.rstrip() for number, line in enumerate(lines)]

    def _broken(self, line: Content, room: int) -> list[Content]:
        if not self.wraps:
            return line.fold(room) if has_wide(line.plain) else line.divide(folds(line.plain, room))
        return line.divide(line_breaks(line.plain, room)) if has_wide(line.plain) else line.wrap(room)


def folds(text: str, room: int) -> list[int]:
    """Where a line of code that is wider than `room` goes on below: behind a space in its second half, if there is one.

    >>> folds("loss = -log(chosen - rejected)", 20), folds("x" * 20, 8), folds("short", 8)
    ([19], [8, 16], [])
    """
    found, start = list[int](), 0
    while len(text) - start > room:
        space = text.rfind(" ", start + room // 2, start + room)
        start = space + 1 if space > 0 else start + room
        found.append(start)
    return found


def heading(text: str) -> Block:
    """A heading of a part of the card."""
    return Block(Content.styled(text, HEADING))


def lay_out(blocks: Iterable[Block], width: int) -> list[Content]:
    """All lines of the blocks at `width` cells, with an empty line where a block asks for one before it."""
    lines: list[Content] = []
    in_ascii = wanted()
    for block in blocks:
        block = replace(block, text=_spelled(block.text)) if in_ascii else block
        if block.gap and lines:
            lines.append(Content(""))
        lines.extend(block.lines(width))
    return lines


def _spelled(text: Content) -> Content:
    """The text with its symbols in words, each with the style that it had."""
    cuts = sorted({0, len(text.plain), *(edge for span in text.spans for edge in (span.start, span.end))})
    parts = [spelled(text.plain[start:end]) for start, end in pairwise(cuts)]
    at = dict(zip(cuts, accumulate(map(len, parts), initial=0), strict=True))
    return Content("".join(parts), [Span(at[span.start], at[span.end], span.style) for span in text.spans])


def inline(text: str) -> Content:
    """One paragraph of Markdown as styled text: `inline("**not** red")` shows "not" bold."""
    return next((block.text for block in blocks(text)), Content(""))


def blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a Markdown text in reading order."""
    yield from _Reader(_parser().parse(markdown)).blocks()


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # 40 ms: only when a card is opened

    return MarkdownIt("commonmark", {"html": False}).enable("table")


class _Reader:
    def __init__(self, tokens: "list[Token]") -> None:
        self.tokens = tokens
        self.lists: list[int | None] = []  # the number of the next item of each open list; None for bullets
        self.lead = ""
        self.tight = False
        self.quotes = 0

    def blocks(self) -> Iterator[Block]:
        rows: list[list[Content]] = []
        level, in_table, first = "", False, False
        for token in self.tokens:
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    self.lists.append(None if token.tag == "ul" else int(token.attrGet("start") or 1))
                    first = len(self.lists) == 1
                case "bullet_list_close" | "ordered_list_close":
                    self.lists.pop()
                case "list_item_open":
                    number = self.lists[-1]
                    self.lead = "- " if number is None else f"{number}. "
                    self.lists[-1] = None if number is None else number + 1
                case "paragraph_open":
                    self.tight = token.hidden and not first
                    first = False
                case "blockquote_open":
                    self.quotes += 1
                case "blockquote_close":
                    self.quotes -= 1
                case "heading_open":
                    level = token.tag
                case "heading_close":
                    level = ""
                case "tr_open":
                    rows.append([])
                case "table_open":
                    rows, in_table = [], True
                case "table_close":
                    in_table = False
                    yield Block(_table(rows), indent=self._indent() + 2, wraps=False)
                case "inline" if in_table:
                    rows[-1].append(_styled(token))
                case "inline" if level:
                    yield Block(_styled(token).stylize(HEADING if level < "h3" else STRONG))
                case "inline":
                    yield self._paragraph(_styled(token))
                case "code_block" | "fence":
                    text = Content.styled(token.content.rstrip("\n").expandtabs(4), CODE)
                    yield Block(text, indent=self._indent() + 4, wraps=False)
                case "hr":
                    yield Block(Content.styled("-" * 8, QUIET))

    def _indent(self) -> int:
        return 4 * len(self.lists) + 2 * self.quotes

    def _paragraph(self, text: Content) -> Block:
        lead, self.lead = self.lead, ""
        return Block(text, lead=lead, indent=self._indent(), gap=not self.tight)


def _styled(token: "Token") -> Content:
    """The inline tokens of a paragraph as text with styles."""
    parts: list[tuple[str, str]] = []
    styles: list[str] = []
    children = token.children or []
    for number, child in enumerate(children):
        match child.type:
            case "text":
                parts.append((child.content, " ".join(styles)))
            case "code_inline":
                parts.append((child.content, " ".join([*styles, CODE])))
            case "softbreak":
                before, after = parts[-1][0][-1:], children[number + 1].content[:1]
                parts.append(("" if before > LAST_LATIN and after > LAST_LATIN else " ", ""))
            case "hardbreak":
                parts.append(("\n", ""))
            case "strong_open":
                styles.append(STRONG)
            case "em_open":
                styles.append(EMPHASIS)
            case "link_open":
                styles.append("underline")
            case "strong_close" | "em_close" | "link_close":
                styles.pop()
            case _:
                parts.append((child.content, " ".join(styles)))
    return Content.assemble(*[(text, style) if style else text for text, style in parts if text])


def _table(rows: list[list[Content]]) -> Content:
    """Columns padded to their widest cell; the first row is the header."""
    count = max(len(row) for row in rows)
    widths = [max((row[i].cell_length for row in rows if i < len(row)), default=0) for i in range(count)]
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.pad_right(width - cell.cell_length) for cell, width in zip(row, widths, strict=False)]
        line = Content("   ").join(cells).rstrip()
        lines.append(line.stylize(STRONG) if number == 0 else line)
    return Content("\n").join(lines)
