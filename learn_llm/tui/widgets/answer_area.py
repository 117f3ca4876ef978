"""The place to type an answer into."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings


class AnswerArea(TextArea):
    """Posts `Submitted` at ctrl+d, the end of input in every terminal, and `Left` at escape; all else is typing."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("answer")

    class Submitted(Message):
        """The answer ends here."""

    class Left(Message):
        """The keys are for the screen now."""

    def __init__(self, texts: Texts, *, id: str) -> None:
        super().__init__(compact=True, highlight_cursor_line=False, placeholder=texts("interview.placeholder"), id=id)

    def action_submit(self) -> None:
        """Ends the answer."""
        self.post_message(self.Submitted())

    def action_leave_area(self) -> None:
        """Leaves the text as it is."""
        self.post_message(self.Left())
