"""All keys of the screen one comes from, and how to study."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from learn_llm.folders import short
from learn_llm.quizzes.config import config_path
from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings, key_name
from learn_llm.tui.prose import Block, heading
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.key_bar import KeyBar, action_name
from learn_llm.tui.widgets.page import Page

LABEL = 18
Section = tuple[str, Sequence[Binding]]


class HelpScreen(ModalScreen[None]):
    """Shows the bindings section by section; several keys of one action stand in one line."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("help")

    def __init__(self, texts: Texts, sections: Sequence[Section]) -> None:
        super().__init__()
        self.texts = texts
        self.sections = sections

    def compose(self) -> ComposeResult:
        with Vertical(id="window"):
            yield Static(self.texts("help.title"), id="window-title")
            with CardBody():
                yield Page(list(self._blocks()))
        yield KeyBar(self.texts)

    def action_back(self) -> None:
        """Closes the help."""
        self.dismiss()

    def _blocks(self) -> Iterator[Block]:
        yield Block(Content(self.texts("help.about")))
        for title, own in self.sections:
            yield heading(self.texts(f"help.{title}"))
            keys: dict[str, list[str]] = {}
            for binding in own:
                keys.setdefault(action_name(binding), []).append(key_name(binding.key))
            for name, names in keys.items():
                label = set_cell_size(f"  {self.texts(f'key.{name}')}", LABEL)
                yield Block(Content(", ".join(dict.fromkeys(names))), lead=label, indent=LABEL, gap=False)
        yield Block(Content.styled(self.texts("config.about", path=short(config_path())), QUIET))
