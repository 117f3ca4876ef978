"""The quiz in the terminal."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from textual import constants
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from learn_llm.glyphs import cell_by_cell, wanted
from learn_llm.quizzes.kit import Kit
from learn_llm.tui.keys import bindings
from learn_llm.tui.screens.home import HomeScreen
from learn_llm.tui.styles import NOTICE
from learn_llm.tui.themes import DARK, OWN
from learn_llm.tui.widgets.key_bar import ALWAYS, bindings_of, offers
from learn_llm.tui.widgets.too_small import HEIGHT, WIDTH

WIDTHS = [(0, "-tiny"), (WIDTH, "-narrow"), (100, "-wide"), (160, "-vast")]
HEIGHTS = [(0, "-flat"), (HEIGHT, "-short"), (30, "-tall")]
"""From which width and height on the screens have which style classes."""
COLLECT_AFTER = 20_000, 20, 20
"""How much is made between two looks of the collector: a screen is drawn with thousands of small objects."""


class InAscii(LineFilter):
    """Replaces frames, dots and symbols in the lines that go to the terminal, cell by cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in ASCII and Japanese."""
        return [Segment(cell_by_cell(text), style, control) for text, style, control in segments]


IN_ASCII = InAscii()


class QuizApp(App[None]):
    """Browses and studies the questions, and runs their demos."""

    TITLE = "learn-llm"
    CSS_PATH = Path(__file__).parent / "quiz.tcss"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(self, kit: Kit, notices: Sequence[str] = ()) -> None:
        """`notices` is what is wrong with the user's config.toml, a line each."""
        super().__init__()
        self.kit = kit
        self.notices = notices
        self.animation_level = "none"
        for theme in OWN.values():
            self.register_theme(theme)
        by_environment = constants.DEFAULT_THEME  # TEXTUAL_THEME, else Textual's own
        asked_for = kit.desk.settings.theme if by_environment == "textual-dark" else by_environment
        if asked_for in self.available_themes and asked_for != DARK.name:
            self.theme = "textual-dark"  # so that the next line is a change: the name was known before the colours
            self.theme = asked_for
        else:  # at the start: nothing is drawn yet that a change of theme would have to draw anew
            self.set_reactive(App.theme, DARK.name)
            self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        """A terminal that is closed, or a polite kill, ends the app as a key does: with its demo."""
        self.call_after_refresh(self._settle)
        for notice in self.notices:
            self.notify(notice, severity="warning", timeout=NOTICE, markup=False)
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(getattr(signal, name), self.exit)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Where ASCII is asked for, whatever a widget draws is ASCII in the end."""
        return [*super().get_line_filters(), IN_ASCII] if wanted() else super().get_line_filters()

    def get_default_screen(self) -> Screen[None]:
        """Home."""
        return HomeScreen(self.kit)

    def _settle(self) -> None:
        """The first picture is drawn: what was built up to here stays, and the collector need not go over it again."""
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(*COLLECT_AFTER)
            gc.enable()
        if self.is_running:  # else it was left before; from now on a theme is one that was chosen
            self.theme_changed_signal.subscribe(self, self._keep_theme)

    def _keep_theme(self, theme: Theme) -> None:
        """The theme was changed, in the settings or in the command palette."""
        if theme.name != self.kit.desk.settings.theme:
            self.kit.desk.change(theme=theme.name)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What can be done on this screen now, then what every Textual app can do."""
        for offer in offers(screen):
            if offer.name not in ALWAYS:
                label = self.kit.texts(f"key.{offer.name}").capitalize()
                run = partial(self.run_action, offer.active.binding.action, offer.active.node)
                yield SystemCommand(label, self.kit.texts("command.key", key=offer), run)
        yield from super().get_system_commands(screen)

    def action_help_quit(self) -> None:
        """Ctrl-C copies; says which key quits."""
        self.notify(self.kit.texts("quit.hint"))

    def action_help(self) -> None:
        """Shows the keys of this screen."""
        from learn_llm.tui.screens.help import HelpScreen

        own = getattr(self.screen, "help_sections", None)
        if own is not None:
            sections = [*own(), ("everywhere", bindings_of(QuizApp))]
            self.push_screen(HelpScreen(self.kit.texts, sections))
