"""Which question: where an exercise belongs to several."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings
from learn_llm.tui.screens.topics import TopicList
from learn_llm.tui.widgets.key_bar import KeyBar


class QuestionPicker(ModalScreen[str | None]):
    """Returns the id of one of these questions, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("exercise_questions")

    def __init__(self, texts: Texts, questions: Sequence[Question]) -> None:
        super().__init__()
        self.texts = texts
        self.questions = questions

    def compose(self) -> ComposeResult:
        options = (Option(f"{question.number}  {question.question}", id=question.id) for question in self.questions)
        with Vertical(id="window"):
            yield Static(self.texts("question.title"), id="window-title")
            yield TopicList(*options, compact=True)
        yield KeyBar(self.texts)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The question is chosen."""
        self.dismiss(event.option.id)

    def action_back(self) -> None:
        """Chooses nothing."""
        self.dismiss(None)
