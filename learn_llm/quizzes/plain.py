"""Markdown as plain lines for a terminal or a file: no escapes, no colours, wrapped to a width.

Only what the answers use: headings, paragraphs, lists, tables, and formulas in code blocks.  Widths are counted in
columns of the terminal, and Japanese is broken between its characters, but not within a word in katakana, and never so
that a line begins with a closing bracket or a mark such as 、 or ー, nor ends with an opening bracket.
"""

import re
import unicodedata
from collections.abc import Iterator

_WIDE = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"  # Chinese, Japanese and Korean, and their punctuation
_UNIT = re.compile(rf"\s+|[\u30a1-\u30fa\u30fc]+|[{_WIDE}]|[^\s{_WIDE}]+")
_NOT_FIRST = "、。，．・：；！？」』）］｝】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…%)]},.;:!?"
_NOT_LAST = "「『（［｛【〈《〔([{"
_ITEM = re.compile(r"(?P<indent> *)(?P<mark>[-*]|\d+\.) +(?P<text>.*)")


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: East Asian wide characters take two, combining ones none.

    >>> columns("PPO"), columns("方策")
    (3, 4)
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most `width` columns, the first one led by `first`, the others by `rest`.

    >>> wrap("the ball is not red", 12, "- ", "  ")
    ['- the ball', '  is not red']
    """
    lines, line, begun = [], first, False
    for unit in _units(text):
        word = unit.lstrip() if not begun else unit
        if begun and columns(line + word.rstrip()) > width:
            lines.append(line.rstrip())
            line, word, begun = rest, unit.lstrip(), False
        while columns(line + word) > width and len(word) > 1:  # wider than a line by itself
            fits = _prefix(word, max(1, width - columns(line)))
            lines.append(line + fits)
            line, word = rest, word[len(fits) :]
        line, begun = line + word, begun or bool(word)
    return [*lines, line.rstrip()] if begun or not lines else lines


def page(markdown: str, width: int) -> list[str]:
    """The blocks of the text in lines of at most `width` columns, a blank line between two of them.

    >>> page("### Loss\\nOne\\ntwo.\\n\\n    L = -log p\\n\\n- a\\n- b", 20)
    ['Loss', '', 'One two.', '', '    L = -log p', '', '- a', '- b']
    """
    lines: list[str] = []
    for block in blocks(markdown):
        lines += [""] if lines else []
        lines += _lay_out(block, width)
    return lines


def inline(text: str) -> str:
    """One paragraph without the marks of Markdown's bold and italic type; code keeps its quotes.

    >>> inline("The **policy** is *not* `a * b * c`.")
    'The policy is not `a * b * c`.'
    """
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"(?<![\w*])(\*{1,3})(\S|\S.*?\S)\1(?![\w*])", r"\2", part) for part in parts[::2]]
    return "".join(parts)


def _units(text: str) -> Iterator[str]:
    """What must not be broken, each with the blanks before it."""
    held = ""
    for unit in _UNIT.findall(text):
        glued = unit[0] in _NOT_FIRST or (held and held[-1] in _NOT_LAST)
        if not held or glued or held.isspace():
            held += " " if unit.isspace() else unit
        else:
            yield held
            held = " " if unit.isspace() else unit
    if held.strip():
        yield held


def _prefix(word: str, width: int) -> str:
    end = 1
    while end < len(word) and columns(word[: end + 1]) <= width:
        end += 1
    while end > 1 and word[end : end + 1] and word[end] in _NOT_FIRST:
        end -= 1
    return word[:end]


def blocks(markdown: str) -> Iterator[list[str]]:
    """Runs of lines that belong together: one heading, paragraph, code block, table, or list."""
    block: list[str] = []
    for line in [*markdown.split("\n"), ""]:
        is_code, was_code = line.startswith("    "), bool(block) and block[0].startswith("    ")
        in_list = bool(block) and bool(_ITEM.fullmatch(block[0]))
        if not line.strip():
            if was_code:
                block.append("")
            elif block:
                yield block
                block = []
            continue
        starts = line.startswith("#") or (bool(_ITEM.fullmatch(line)) and not in_list and not is_code)
        if block and (starts or block[0].startswith("#") or (was_code and not is_code)):
            yield _stripped(block)
            block = []
        block.append(line)
    if block:
        yield _stripped(block)


def _stripped(block: list[str]) -> list[str]:
    while block and not block[-1].strip():
        block = block[:-1]
    return block


def _lay_out(block: list[str], width: int) -> Iterator[str]:
    head = block[0]
    if head.startswith("    "):
        for line in block:
            yield from _code(line, width)
    elif head.startswith("#"):
        yield from wrap(inline(head.lstrip("# ")), width)
    elif head.startswith("|"):
        yield from _table(block, width)
    else:
        for first, rest, text in paragraphs(block):
            yield from wrap(inline(text), width, first, rest)


def _code(line: str, width: int) -> Iterator[str]:
    """A line of code as it is; one that is too wide is broken at its last blank that fits and goes on further in."""
    if columns(line) <= width:
        yield line
        return
    indent = " " * min(len(line) - len(line.lstrip()), width // 3)
    lead, text = indent, line.strip()
    while columns(lead + text) > width:
        fits = len(_prefix(text, max(1, width - len(lead))))
        blank = text.rfind(" ", 1, fits + 1)
        cut = blank if blank > 0 else fits
        if cut == len(text):  # not even one character fits beside the indent
            break
        yield lead + text[:cut].rstrip()
        lead, text = f"{indent}    ", text[cut:].lstrip()
    yield lead + text


def paragraphs(block: list[str]) -> Iterator[tuple[str, str, str]]:
    """The items of a list, or the one paragraph: what leads its first and its other lines, and its text."""
    first, rest, text = "", "", ""
    for line in block:
        item = _ITEM.fullmatch(line)
        if item:
            if text:
                yield first, rest, text
            first = f"{item['indent']}{item['mark']} "
            rest, text = " " * len(first), item["text"]
        else:
            joined = text and text[-1] > "\u2e7f" and line.strip()[0] > "\u2e7f"
            text += line.strip() if joined or not text else f" {line.strip()}"
    yield first, rest, text


def table_rows(block: list[str]) -> list[list[str]]:
    """The cells of a table, its head first, every row as long as the head."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block]
    rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    return [row + [""] * (len(rows[0]) - len(row)) for row in rows]


def _table(block: list[str], width: int) -> Iterator[str]:
    """Aligned columns where they fit, else each row as lines of `column: cell`."""
    head, *body = [[inline(cell) for cell in row] for row in table_rows(block)]
    widths = [max(columns(row[index]) for row in (head, *body)) for index in range(len(head))]
    if sum(widths) + 3 * (len(widths) - 1) <= width:
        for row in (head, *body):
            cells = (cell + " " * (size - columns(cell)) for cell, size in zip(row, widths, strict=False))
            yield "   ".join(cells).rstrip()
        return
    for row in body:
        for name, cell in zip(head, row, strict=False):
            yield from wrap(f"{name}: {cell}", width, "- " if name == head[0] else "  ", "  ")
