"""The line to search in."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings


class SearchBox(Input):
    """Posts `Typed` at every change.  Enter keeps the words, escape drops them; both give the focus back."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("search")

    class Typed(Message):
        """These are the words now; `done` where the learner has finished typing."""

        def __init__(self, words: str, done: bool) -> None:
            super().__init__()
            self.words = words
            self.done = done

    def __init__(self, texts: Texts) -> None:
        super().__init__(placeholder=texts("search.placeholder"), id="search", compact=True)

    def start(self, words: str) -> None:
        """Shows the line with these words, ready to type."""
        self.display = True
        self.value = words
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The words so far."""
        event.stop()
        if self.display:
            self.post_message(self.Typed(self.value, done=False))

    def action_keep(self) -> None:
        """Goes to the list with the words as they are."""
        self._finish(self.value)

    def action_drop(self) -> None:
        """Goes back to the whole list."""
        self._finish("")

    def _finish(self, words: str) -> None:
        self.display = False
        self.post_message(self.Typed(words, done=True))
