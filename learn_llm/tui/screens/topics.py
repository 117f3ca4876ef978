"""A list of topics to choose from."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from learn_llm.tui.styles import QUIET
from learn_llm.tui.texts import Texts
from learn_llm.tui.widgets.key_bar import KeyBar


class TopicList(OptionList):
    """The options, with the keys of the question list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "select", "choose", key_display="enter"),
        Binding("j", "cursor_down", "move", show=False),
        Binding("k", "cursor_up", "move", show=False),
    ]


class TopicPicker(ModalScreen[str | None]):
    """Returns a topic, "" for all topics, or None where nothing was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,t", "back", "back", key_display="esc")]

    def __init__(self, texts: Texts, counts: Mapping[str, int]) -> None:
        super().__init__()
        self.texts = texts
        self.counts = counts

    def compose(self) -> ComposeResult:
        rows = [Option(self.texts("topics.any"), id="")]
        for topic, count in self.counts.items():
            rows.append(Option(Content.assemble((f"{count:>3}  ", QUIET), self.texts(f"topic.{topic}")), id=topic))
        with Vertical(id="window"):
            yield Static(self.texts("topics.title"), id="window-title")
            yield TopicList(*rows, compact=True)
        yield KeyBar(self.texts)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The topic is chosen."""
        self.dismiss(event.option.id)

    def action_back(self) -> None:
        """Chooses nothing."""
        self.dismiss(None)
