"""The source of a demo and of the methods that it calls, opened at the formula."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from learn_llm.quizzes.texts import Texts
from learn_llm.tui import source_text
from learn_llm.tui.keys import bindings
from learn_llm.tui.source_text import Source
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

ABOVE = 3
"""Lines that are seen above the formula."""


class SourceScreen(Screen[None]):
    """Shows one file at a time; left and right change between them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("source")

    def __init__(self, files: Sequence[Source], texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.files = files
        self.at = 0

    def compose(self) -> ComposeResult:
        yield TopBar(self.files[0].name)
        with CardBody(id="source-body"):
            yield Page(id="source-page")
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self.query_one(CardBody).focus()
        self._show()

    def _show(self) -> None:
        bar, file = self.query_one(TopBar), self.files[self.at]
        bar.title = file.name
        bar.counts = self.texts("source.counts", file=self.at + 1, files=len(self.files))
        bar.refresh()
        page = self.query_one(Page)
        shown = source_text.blocks(file)
        page.show(shown)
        before = shown[: file.formula.start]

        def to_formula() -> None:
            above = source_text.height(before, max(page.size.width, 12)) - ABOVE
            self.query_one(CardBody).scroll_to(y=max(0, above), animate=False)

        self.call_after_refresh(to_formula)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One file alone cannot be changed."""
        return action != "file" or len(self.files) > 1

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys, for the help."""
        return [("source", [*bindings_of(SourceScreen), *bindings_of(CardBody)])]

    def action_file(self, step: int) -> None:
        """Another file."""
        self.at = (self.at + step) % len(self.files)
        self._show()

    def action_back(self) -> None:
        """Back to the demo."""
        self.dismiss()
