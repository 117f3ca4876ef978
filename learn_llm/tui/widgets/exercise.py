"""One exercise: the verdict, the solution, the hints, the task."""

from textual.app import ComposeResult

from learn_llm.quizzes.texts import Texts
from learn_llm.tui.exercise_text import SECTIONS, View, sections
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.page import Page


class ExercisePane(CardBody):
    """Shows a `View`; a part that has nothing to show takes no room."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts

    def compose(self) -> ComposeResult:
        for section in SECTIONS:
            yield Page(id=f"exercise-{section}")

    def show(self, view: View) -> None:
        """Shows this exercise as it stands; what is read stays where it is."""
        for section, blocks in sections(view, self.texts).items():
            page = self.query_one(f"#exercise-{section}", Page)
            page.display = bool(blocks)
            page.show(blocks)

    def bring(self, section: str) -> None:
        """Scrolls this part into sight."""
        page = self.query_one(f"#exercise-{section}", Page)
        self.call_after_refresh(self.scroll_to_widget, page, animate=False, top=section != "hints")
