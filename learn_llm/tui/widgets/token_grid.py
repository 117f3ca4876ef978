"""Texts token by token, two beside each other where there is room, with a cursor on one token."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from learn_llm.events import Tokens
from learn_llm.quizzes.texts import Texts
from learn_llm.tui import token_text
from learn_llm.tui.keys import bindings
from learn_llm.tui.token_text import GAP, HEAD


class TokenGrid(Widget, can_focus=True):
    """Posts `Moved` when the cursor stands on another token."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("tokens")

    text: reactive[int] = reactive(0, bindings=True)
    """Which of the texts the cursor is in."""
    token: reactive[int] = reactive(0)
    """Which of its tokens."""

    class Moved(Message):
        """The cursor stands on another token."""

    def __init__(self, shown: Sequence[Tokens], texts: Texts) -> None:
        super().__init__()
        self.all = shown
        self.texts = texts
        self._top = 0

    @property
    def current(self) -> Tokens:
        """The text that the cursor is in."""
        return self.all[self.text]

    @property
    def together(self) -> Sequence[Tokens]:
        """The texts that are seen."""
        return token_text.beside(self.all, self.text, self.size.width)

    def render(self) -> Content:
        """As many tokens as there is room for, the one under the cursor among them."""
        shown = self.together
        room = max(1, self.size.height - HEAD)
        self._top = max(min(self._top, self.token), self.token - room + 1, 0)
        rows = range(self._top, self._top + room)
        width = (self.size.width - GAP * (len(shown) - 1)) // len(shown)
        columns = [
            token_text.lines(text, shown, rows, self.token if text is self.current else None, width, self.texts)
            for text in shown
        ]
        return Content("\n").join(Content(" " * GAP).join(parts) for parts in zip(*columns, strict=True))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With one text there is no other."""
        return len(self.all) > 1 if action == "beside" else True

    def validate_token(self, token: int) -> int:
        return max(0, min(token, len(self.current.tokens) - 1))

    def watch_token(self) -> None:
        self.post_message(self.Moved())

    def watch_text(self) -> None:
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Moves the cursor by so many tokens."""
        self.token += by

    def action_page(self, direction: int) -> None:
        """Moves the cursor by a screenful."""
        self.token += direction * max(1, self.size.height - HEAD - 1)

    def action_top(self) -> None:
        """Moves the cursor to the first token."""
        self.token = 0

    def action_bottom(self) -> None:
        """Moves the cursor to the last token."""
        self.token = len(self.current.tokens) - 1

    def action_beside(self, direction: int) -> None:
        """Moves the cursor to the same place in the next text, after the last one in the first."""
        self.text = (self.text + direction) % len(self.all)
        self.token = self.token  # the next text may be shorter

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.token += 1

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.token -= 1
