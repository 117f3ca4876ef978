"""The settings: each is kept, and holds, as soon as it is changed."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from typing import ClassVar

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from learn_llm.glyphs import ask_for, wanted
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.settings import FARTHEST, read_day
from learn_llm.tui.home_text import when
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block
from learn_llm.tui.screens.line import LineScreen
from learn_llm.tui.screens.topics import TopicList
from learn_llm.tui.styles import QUIET
from learn_llm.tui.themes import OWN
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

NAMES = ("language", "interview", "new_a_day", "two_buttons", "theme", "ascii")
AMOUNTS = (0, 3, 5, 10, 15, 20, 30, 50)
FORTNIGHT = timedelta(days=14)
LABEL = 17


class SettingsList(TopicList):
    """A setting a line.  Posts `Turned` beside what it posts."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("values")

    class Turned(Message):
        """The setting under the cursor gets its next value, or the one before."""

        def __init__(self, name: str, direction: int) -> None:
            super().__init__()
            self.name = name
            self.direction = direction

    @property
    def at(self) -> str:
        """The setting under the cursor."""
        return self.highlighted_option.id or "" if self.highlighted_option else ""

    def action_turn(self, direction: int) -> None:
        """Asks for another value of this line."""
        self.post_message(self.Turned(self.at, direction))


class SettingsScreen(Screen[None]):
    """Changes a setting with left and right; the day of the interview can be typed as well."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("settings")

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.texts = kit.texts
        self.desk = kit.desk

    def compose(self) -> ComposeResult:
        yield TopBar("")
        yield SettingsList(id="settings", compact=True)
        yield Page(id="settings-note")
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self._list("language")

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of this screen."""
        return [("settings", [*bindings_of(TopicList), *bindings_of(SettingsList), *bindings_of(SettingsScreen)])]

    def on_resize(self) -> None:
        """Where the terminal was too small nothing had the focus."""
        self.call_after_refresh(self.query_one(SettingsList).focus)

    def _list(self, at: str) -> None:
        """All lines anew, in the language of now, with the cursor on this one."""
        bar = self.query_one(TopBar)
        bar.title = self.texts("settings.title")
        bar.alarm = "" if self.desk.saving else self.texts("unsaved")
        bar.refresh()
        self.query_one(KeyBar).refresh()
        options = self.query_one(SettingsList)
        options.clear_options()
        options.add_options(self._options())
        options.highlighted = NAMES.index(at)
        options.focus()

    def _options(self) -> Iterator[Option]:
        for name in NAMES:
            label = set_cell_size(self.texts(f"settings.{name}"), LABEL)
            yield Option(Content.assemble((label, "bold"), f"< {self._value(name)} >"), id=name)

    def _value(self, name: str) -> str:
        texts, settings = self.texts, self.desk.settings
        match name:
            case "language":
                return texts(f"settings.{texts.language}")
            case "interview":
                return self._day(settings.interview)
            case "new_a_day":
                return str(settings.new_a_day)
            case "two_buttons":
                names = ("forgot", "partly", "got", "easy")
                labels = {name: texts(f"rating.{number}") for number, name in enumerate(names, 1)}
                return texts("settings.two" if settings.two_buttons else "settings.four", **labels)
            case "ascii":
                return texts("settings.ascii.on" if wanted() else "settings.ascii.off")
            case _:
                return self.app.theme

    def _day(self, day: date | None) -> str:
        if day is None:
            return self.texts("settings.nodate")
        today = self.desk.today()
        return f"{day}" if day < today else f"{day} ({when(day, today, self.texts)})"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """What the setting under the cursor does."""
        notes = (
            Content(self.texts(f"settings.{event.option.id}.note")),
            Content.styled(self.texts("settings.kept", path=self.desk.progress.path), QUIET),
        )
        self.query_one("#settings-note", Page).show([Block(note) for note in notes])

    # What can be changed

    def on_settings_list_turned(self, message: SettingsList.Turned) -> None:
        """Left and right."""
        self._turn(message.name, message.direction)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter goes to the next value; a day is typed."""
        if event.option.id == "interview":
            self._type_day()
        else:
            self._turn(event.option.id or "", 1)

    def _type_day(self) -> None:
        texts, day, today = self.texts, self.desk.settings.interview, self.desk.today()

        def read(text: str) -> date | None:
            return read_day(text, today) if text else None

        before = "" if day is None else str(day)
        screen = LineScreen(texts, texts("day.title"), texts("day.about"), before, read, texts("day.wrong"))
        self.app.push_screen(screen, self._typed)

    def _typed(self, days: tuple[date | None] | None) -> None:
        if days is not None:
            self.desk.change(interview=days[0])
        self._list("interview")

    def _turn(self, name: str, direction: int) -> None:
        settings = self.desk.settings
        match name:
            case "language":
                self.texts.language = "en" if self.texts.language == "ja" else "ja"
                self.desk.speak(self.texts.language)
                self.desk.change(language=self.texts.language)
            case "interview":
                self.desk.change(interview=next_day(settings.interview, self.desk.today(), direction))
            case "new_a_day":
                self.desk.change(new_a_day=next_amount(settings.new_a_day, direction))
            case "two_buttons":
                self.desk.change(two_buttons=not settings.two_buttons)
            case "ascii":
                self.desk.change(ascii=not wanted())
                ask_for(self.desk.settings.ascii)
                self.app.refresh_css(animate=False)  # every line is drawn anew
            case _:
                themes = [*OWN, *sorted(self.app.available_themes.keys() - OWN)]
                self.app.theme = themes[(themes.index(self.app.theme) + direction) % len(themes)]  # the app keeps it
        self._list(name)

    def action_back(self) -> None:
        """Home."""
        self.dismiss()


def next_day(day: date | None, today: date, direction: int) -> date | None:
    """A day later or earlier; before today there is none, and after none comes a day in two weeks."""
    if day is None or day < today:
        return today + FORTNIGHT if direction > 0 else None
    moved = day + timedelta(days=direction)
    return moved if today <= moved <= today + FARTHEST else (None if direction < 0 else day)


def next_amount(amount: int, direction: int) -> int:
    """The next amount of the list, which need not hold this one."""
    place = bisect_right(AMOUNTS, amount) - 1
    exact = AMOUNTS[place] == amount
    place = max(0, min(place + direction + (direction < 0 and not exact), len(AMOUNTS) - 1))
    return AMOUNTS[place]
