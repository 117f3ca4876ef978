"""Where to break lines of text that has Japanese or Chinese in it.

Such text is broken between any two characters, except that no line may begin with a closing bracket, a full stop, a
small kana or a long-vowel mark, and none may end with an opening bracket (kinsoku).  A Latin word stays whole.
"""

from rich.cells import get_character_cell_size

NEVER_FIRST = frozenset(
    "、。，．・：；？！’”）］｝〕〉》」』】々ゝゞーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.:;?!)]}%％…‥〜～"
)
NEVER_LAST = frozenset("‘“（［｛〔〈《「『【([{")


def has_wide(text: str) -> bool:
    """Whether any character takes two cells.

    >>> has_wide("PPO"), has_wide("方策")
    (False, True)
    """
    return not text.isascii() and any(get_character_cell_size(char) == 2 for char in text)


def line_breaks(text: str, width: int) -> list[int]:
    """The offsets at which one line of text is divided so that no part is wider than `width` cells.

    >>> line_breaks("方策勾配法、PPO の話。", 10)
    [4, 11]
    """
    breaks: list[int] = []
    start, used, last = 0, 0, 0  # of the line, its cells, the last place where it may be broken
    for i, char in enumerate(text):
        size = get_character_cell_size(char)
        if i > start and _may_break(text[i - 1], char):
            last = i
        if used + size > width and not char.isspace():
            cut = last if last > start else i
            breaks.append(cut)
            used = sum(map(get_character_cell_size, text[cut:i]))
            start = cut
        used += size
    return [cut for cut in breaks if 0 < cut < len(text)]


def _may_break(before: str, after: str) -> bool:
    if after.isspace() or before in NEVER_LAST or after in NEVER_FIRST:
        return False
    return before.isspace() or 2 in (get_character_cell_size(before), get_character_cell_size(after))
