"""The map of the topics: how well each is known; choosing one shows its questions."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.readiness import Readiness
from learn_llm.quizzes.summary import Standing, summarise
from learn_llm.tui.home_text import bar, percent
from learn_llm.tui.keys import bindings
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.key_bar import KeyBar

COLUMNS = (("recall", 6), ("seen", 9), ("due", 5), ("drill", 7))
"""The numbers of a topic, and the cells that each column takes."""
BAR = 14
NARROW = 80
"""Below this width of the terminal there are no bars."""


class TopicList(OptionList):
    """The options, with the keys of the question list."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("lines")


class TopicPicker(ModalScreen[str | None]):
    """Returns a topic, "" for all topics, or None where nothing was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("topics")

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.texts = kit.texts

    def compose(self) -> ComposeResult:
        texts, desk = self.texts, self.kit.desk
        name = max(cell_len(texts(f"topic.{topic}")) for topic in desk.topics()) + 1
        width = BAR if self.app.size.width >= NARROW else 0
        summary = summarise(desk.progress, desk.bank)
        rows = [self._row("", summary.all, desk.readiness(), name, width)]
        for topic, ready in desk.topics().items():
            rows.append(self._row(topic, summary.topics[topic], ready, name, width))
        day = desk.target()
        title = texts("topics.now") if day == desk.today() else texts("topics.then", date=day)
        heads = _columns([texts(f"topics.{column}") for column, _ in COLUMNS])
        with Vertical(id="window"):
            yield Static(title, id="window-title")
            yield Static(Content.styled(" " * (1 + name + width) + heads, QUIET), id="topics-heads")
            yield TopicList(*rows, compact=True)
        yield KeyBar(texts)

    def _row(self, topic: str, standing: Standing, ready: Readiness, name: int, width: int) -> Option:
        label = self.texts(f"topic.{topic}") if topic else self.texts("topics.any")
        drill = f"{standing.drilled_right}/{standing.drilled}" if standing.drilled else "-"
        numbers = [f"{percent(ready.recall)} %", f"{ready.seen}/{ready.questions}", str(standing.due), drill]
        return Option(Content(set_cell_size(label, name)) + bar(ready.recall, width) + _columns(numbers), id=topic)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The topic is chosen."""
        self.dismiss(event.option.id)

    def action_back(self) -> None:
        """Chooses nothing."""
        self.dismiss(None)


def _columns(cells: Sequence[str]) -> str:
    """The cells at the right ends of their columns."""
    return "".join(" " * (width - cell_len(cell)) + cell for cell, (_, width) in zip(cells, COLUMNS, strict=True))
