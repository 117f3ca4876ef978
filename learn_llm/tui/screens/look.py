"""One card with its answer, opened from where a question was missed."""

from textual.app import ComposeResult
from textual.containers import Horizontal

from learn_llm.quizzes.kit import Kit
from learn_llm.tui.screens.card_screen import CardScreen
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar


class LookScreen(CardScreen):
    """Shows the card of one question; back where it was opened from when it was rated or closed.

    Args:
        kit: what every screen works with.
        id: the question.
        key: the key that opened it: held down, it does not rate.
    """

    def __init__(self, kit: Kit, id: str, key: str) -> None:
        super().__init__(kit)
        self.looked_at = id
        self.key = key

    def compose(self) -> ComposeResult:
        yield TopBar(self.texts("look.title"))
        yield Horizontal(id="panes")
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    async def on_mount(self) -> None:
        await self.show_card(self.looked_at, revealed=True)
        self.guard.acted(self.key)
        self.refresh_counts()
        self.go_to("card")

    def refresh_counts(self) -> None:
        """When the question is due stands on its card."""

    async def after_rating(self, id: str, rating: int) -> None:
        """Back."""
        self.dismiss()

    async def after_undo(self, id: str) -> None:
        """The card whose rating was taken back, to be rated anew."""
        await self.show_card(id, revealed=True)

    async def action_back(self) -> None:
        """From the demo to the card, from the card back."""
        if self.demo_open and self.pane == "demo":
            await self.close_demo()
        else:
            self.dismiss()
