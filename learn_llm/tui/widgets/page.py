"""Blocks of text, broken into lines for the width there is."""

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from learn_llm.glyphs import wanted
from learn_llm.tui.prose import Block, lay_out


class Page(Widget):
    """Shows blocks at its own width; as high as they need.  Only the lines that are in view are styled."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))  # without a second layout: nothing in a page scrolls

    def __init__(self, blocks: Sequence[Block] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._blocks = blocks
        self._laid_out: tuple[tuple[int, bool], list[Content]] | None = None

    def show(self, blocks: Sequence[Block]) -> None:
        """Shows these blocks instead of the former ones."""
        self._blocks = blocks
        self._laid_out = None
        self.refresh(layout=True)

    def prepare(self, blocks: Sequence[Block]) -> None:
        """Breaks these blocks into lines now, so that they are shown sooner later."""
        lay_out(blocks, self._room(self.size.width))

    def render(self) -> Content:
        """All lines: what is searched when text is selected and copied."""
        return Content("\n").join(self._lines(self.size.width))

    def render_line(self, y: int) -> Strip:
        """One line; with a selection in it Textual draws the page."""
        lines = self._lines(self.size.width)
        if self.text_selection is not None or not 0 <= y < len(lines):
            return super().render_line(y)
        strips = Visual.to_strips(self, lines[y], self.size.width, 1, self.visual_style)
        return (strips[0] if strips else Strip.blank(self.size.width, self.rich_style)).apply_offsets(0, y)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines the blocks take at this width."""
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Content]:
        how = width, wanted()
        if self._laid_out is None or self._laid_out[0] != how:
            self._laid_out = (how, lay_out(self._blocks, self._room(width)))
        return self._laid_out[1]

    def _room(self, width: int) -> int:
        return max(width, 12)
