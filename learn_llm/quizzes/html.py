"""Markdown as HTML, for an Anki card: only what the answers use, formulas and code in a monospaced block."""

import html
import re
from collections.abc import Iterator

from learn_llm.quizzes.plain import blocks, paragraphs, table_rows


def to_html(markdown: str) -> str:
    """The text as HTML.

    >>> to_html("A **bold** `a < b`.\\n\\n    x² = 4\\n\\n- one\\n- two")
    '<p>A <b>bold</b> <code>a &lt; b</code>.</p><pre>x² = 4</pre><ul><li>one</li><li>two</li></ul>'
    """
    return "".join(part for block in blocks(markdown) for part in _block(block))


def inline_html(text: str) -> str:
    """One paragraph: bold and italic type, code, and everything else escaped."""
    parts = re.split(r"(`[^`]*`)", text)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<code>{html.escape(part[1:-1])}</code>"
        else:
            escaped = html.escape(part, quote=False)
            escaped = re.sub(r"(?<![\w*])\*\*(\S|\S.*?\S)\*\*(?![\w*])", r"<b>\1</b>", escaped)
            parts[place] = re.sub(r"(?<![\w*])\*(\S|\S.*?\S)\*(?![\w*])", r"<i>\1</i>", escaped)
    return "".join(parts)


def _block(block: list[str]) -> Iterator[str]:
    head = block[0]
    if head.startswith("    "):
        code = "\n".join(line.removeprefix("    ") for line in block)
        yield f"<pre>{html.escape(code, quote=False)}</pre>"
    elif head.startswith("#"):
        yield f"<h4>{inline_html(head.lstrip('# '))}</h4>"
    elif head.startswith("|"):
        rows = table_rows(block)
        yield "<table>"
        for number, row in enumerate(rows):
            tag = "td" if number else "th"
            yield f"<tr>{''.join(f'<{tag}>{inline_html(cell)}</{tag}>' for cell in row)}</tr>"
        yield "</table>"
    else:
        items = list(paragraphs(block))
        mark = items[0][0].strip()
        if not mark:
            yield "".join(f"<p>{inline_html(text)}</p>" for _, _, text in items)
            return
        tag = "ol" if mark[0].isdigit() else "ul"
        yield f"<{tag}>{''.join(f'<li>{inline_html(text)}</li>' for _, _, text in items)}</{tag}>"
