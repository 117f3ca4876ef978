"""The objectives side by side: what each of them makes of each token."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from learn_llm.events import Tokens
from learn_llm.quizzes.texts import Texts
from learn_llm.tui import token_text
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.token_grid import TokenGrid
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar


class SideBySideScreen(Screen[None]):
    """Shows the texts that a demo said token by token, and what the numbers of the token under the cursor mean."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("side_by_side")

    def __init__(self, shown: Sequence[Tokens], texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.shown = [text for text in shown if text.tokens]

    def compose(self) -> ComposeResult:
        yield TopBar(self.texts("tokens.title"))
        yield Page(id="tokens-prompt")
        yield TokenGrid(self.shown, self.texts)
        yield Page(id="tokens-about")
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self.query_one(TokenGrid).focus()
        self.call_after_refresh(self._tell)

    def on_resize(self) -> None:
        """What stands beside the text depends on the width."""
        self.call_after_refresh(self._tell)

    def on_token_grid_moved(self) -> None:
        """Another token is to be explained."""
        self._tell()

    def _tell(self) -> None:
        grid = self.query_one(TokenGrid)
        at, text = grid.token, grid.current
        number = f"{grid.text + 1}/{len(self.shown)}"
        self.query_one(TopBar).counts = self.texts("tokens.counts", text=number, token=at + 1, tokens=len(text.tokens))
        lead = f"{self.texts('prompt')}  "
        prompt = [Block(Content(text.prompt), lead=lead, indent=cell_len(lead))] if text.prompt else []
        self.query_one("#tokens-prompt", Page).show(prompt)
        about = token_text.explained(text, at, grid.together, self.texts)
        self.query_one("#tokens-about", Page).show(about)

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys, for the help."""
        return [("tokens", [*bindings_of(TokenGrid), *bindings_of(SideBySideScreen)])]

    def action_back(self) -> None:
        """Back to the demo."""
        self.dismiss()
