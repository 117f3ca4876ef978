"""The parameters of a demo, to be changed before it runs again."""

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from learn_llm.demos.catalogue import Demo, Parameter
from learn_llm.quizzes.demo_history import Value
from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block
from learn_llm.tui.screens.line import LineScreen
from learn_llm.tui.screens.settings import SettingsList
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.page import Page

STEPS = 10
"""Into which a range is divided; one that spans more than `WIDE` is gone through by doubling and halving."""
WIDE = 20.0


class ParametersScreen(ModalScreen[Mapping[str, Value] | None]):
    """Returns the values that differ from the defaults, for a run; None where none is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("parameters")

    def __init__(self, texts: Texts, demo: Demo, values: Mapping[str, Value]) -> None:
        super().__init__()
        self.texts = texts
        seed = Parameter("seed", 0, texts("parameters.seed"), low=0, high=999_999)
        self.parameters = {parameter.name: parameter for parameter in (*demo.parameters, seed)}
        self.values = {name: parameter.default for name, parameter in self.parameters.items()} | dict(values)

    def compose(self) -> ComposeResult:
        with Vertical(id="window"):
            yield Static(self.texts("parameters.title"), id="window-title")
            yield SettingsList(*self._options(), compact=True)
            yield Page(id="parameters-note")
        yield KeyBar(self.texts)

    def _options(self) -> Iterator[Option]:
        width = max(map(cell_len, self.parameters)) + 2
        for name, parameter in self.parameters.items():
            value = self.values[name]
            line = Content.assemble((set_cell_size(name, width), "bold"), f"< {shown(value)} >")
            if value != parameter.default:
                line += Content.styled(f"  {self.texts('parameters.default', value=shown(parameter.default))}", QUIET)
            yield Option(line, id=name)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """What the parameter means, and how far it goes."""
        parameter = self.parameters[event.option.id or ""]
        note = Content(parameter.meaning)
        if parameter.low is not None and parameter.high is not None:
            note += Content.styled(f" ({self._range(parameter)})", QUIET)
        self.query_one("#parameters-note", Page).show([Block(note)])

    def _range(self, parameter: Parameter) -> str:
        assert parameter.low is not None
        assert parameter.high is not None
        return self.texts("parameters.range", low=f"{parameter.low:g}", high=f"{parameter.high:g}")

    def on_settings_list_turned(self, message: SettingsList.Turned) -> None:
        """Left and right."""
        self._set(message.name, turned(self.parameters[message.name], self.values[message.name], message.direction))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: a number is typed, anything else turned."""
        parameter = self.parameters[event.option.id or ""]
        if parameter.low is None:
            self._set(parameter.name, turned(parameter, self.values[parameter.name], 1))
            return

        def typed(values: tuple[Value] | None) -> None:
            if values is not None:
                self._set(parameter.name, values[0])

        about = f"{parameter.meaning} ({self._range(parameter)})"
        screen = LineScreen[Value](
            self.texts,
            parameter.name,
            about,
            shown(self.values[parameter.name]),
            lambda text: read(parameter, text),
            self.texts("parameters.wrong", range=self._range(parameter)),
        )
        self.app.push_screen(screen, typed)

    def _set(self, name: str, value: Value) -> None:
        self.values[name] = value
        options = self.query_one(SettingsList)
        for option in self._options():
            options.replace_option_prompt(option.id or "", option.prompt)

    def action_run_demo(self) -> None:
        """Runs with these values."""
        self.dismiss({name: value for name, value in self.values.items() if value != self.parameters[name].default})

    def action_back(self) -> None:
        """Leaves the values as they were."""
        self.dismiss(None)


def shown(value: Value) -> str:
    """A value as the command line takes it.

    >>> shown(6000), shown(0.1), shown(True), shown("relu")
    ('6000', '0.1', 'yes', 'relu')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def read(parameter: Parameter, text: str) -> Value:
    """The number that was typed.  Raises ValueError where it is none or out of the parameter's range."""
    value = int(text) if isinstance(parameter.default, int) else float(text)
    if parameter.fault(value):
        raise ValueError(text)
    return value


def turned(parameter: Parameter, value: Value, direction: int) -> Value:
    """The next value, or the one before.

    >>> turned(Parameter("games", 6000, "", low=10, high=20000), 6000, 1)
    12000
    >>> turned(Parameter("games", 6000, "", low=10, high=20000), 12000, 1)
    20000
    >>> turned(Parameter("alpha", 0.2, "", low=0, high=1), 0.2, -1)
    0.1
    """
    if isinstance(parameter.default, bool):
        return not value
    if parameter.choices:
        choices = list(parameter.choices)
        return choices[(choices.index(value) + direction) % len(choices)]  # type: ignore[arg-type]
    low, high = parameter.low, parameter.high
    if low is None or high is None or isinstance(value, str):
        return value
    if parameter.name == "seed":
        moved: float = value + direction
    elif low > 0 and high / low > WIDE:
        moved = value * 2.0**direction
    else:
        step = (high - low) / STEPS
        step = max(1.0, round(step)) if isinstance(parameter.default, int) else step
        moved = value + direction * step
    moved = float(f"{max(low, min(high, moved)):.4g}")
    return math.floor(moved + 0.5) if isinstance(parameter.default, int) else moved
