"""A line in which a value is typed."""

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.page import Page

T = TypeVar("T")


class Line(Input):
    """Posts `Typed` at the end."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("line")

    class Typed(Message):
        """This was typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def action_keep_value(self) -> None:
        """Ends typing."""
        self.post_message(self.Typed(self.value.strip()))


class LineScreen(ModalScreen[tuple[T] | None], Generic[T]):
    """Returns what was typed, read, or None where nothing was changed.

    Args:
        texts: of the interface.
        title: what is asked for.
        about: how it is written.
        value: what stands there at first.
        read: makes a value of what was typed, or raises ValueError.
        wrong: what is said then.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("window")

    def __init__(self, texts: Texts, title: str, about: str, value: str, read: Callable[[str], T], wrong: str) -> None:
        super().__init__()
        self.texts = texts
        self.heading = title
        self.about = about
        self.value = value
        self.read = read
        self.wrong = wrong

    def compose(self) -> ComposeResult:
        with Vertical(id="window"):
            yield Static(self.heading, id="window-title", markup=False)
            yield Page([Block(Content.styled(self.about, QUIET))])
            yield Line(self.value, compact=True, id="line")
            yield Page(id="line-wrong")
        yield KeyBar(self.texts)

    def on_line_typed(self, message: Line.Typed) -> None:
        """Returns the value, or says what is wrong with it."""
        try:
            value = self.read(message.text)
        except ValueError:
            self.query_one("#line-wrong", Page).show([Block(Content.styled(self.wrong, "$text-error"))])
        else:
            self.dismiss((value,))

    def action_back(self) -> None:
        """As it was."""
        self.dismiss(None)
