"""Blocks of text, broken into lines for the width there is."""

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from learn_llm.glyphs import wanted
from learn_llm.tui.prose import Block, lay_out


class Page(Widget):
    """Shows blocks at its own width; as high as they need."""

    def __init__(self, blocks: Sequence[Block] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._blocks = blocks
        self._laid_out: tuple[tuple[int, bool], Content] | None = None

    def show(self, blocks: Sequence[Block]) -> None:
        """Shows these blocks instead of the former ones."""
        self._blocks = blocks
        self._laid_out = None
        self.refresh(layout=True)

    def render(self) -> Content:
        """All lines."""
        return self._content(self.size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines the blocks take at this width."""
        return len(self._content(width).plain.split("\n")) if self._blocks else 0

    def _content(self, width: int) -> Content:
        how = width, wanted()
        if self._laid_out is None or self._laid_out[0] != how:
            self._laid_out = (how, Content("\n").join(lay_out(self._blocks, max(width, 12))))
        return self._laid_out[1]
