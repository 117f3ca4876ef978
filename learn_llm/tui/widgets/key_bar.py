"""The bottom line: the keys that do something now, as many as fit."""

from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from learn_llm.quizzes.texts import Texts

ALWAYS = ("help", "quit")
"""These stand at the right end, always."""
ORDER = (
    *("resume", "list", "keep_value", "turn"),
    *(
        "answer",
        "got_it",
        "choose",
        "next",
        "card",
        "move",
        "rate",
        "rate_two",
        "open",
        "study",
        "drill",
        "interview",
        "topics",
        "settings",
        "search",
        "sideways",
        "stop_demo",
        "run_demo",
        "break_demo",
        "parameters",
    ),
    *(
        "submit",
        "leave_area",
        "write",
        "go_on",
        "reveal",
        "grade_self",
        "overrule",
        "finish",
        "mark",
        "select",
        "change",
    ),
    *("mend", "demo", "more", "skip", "back", "undo", "switch", "next_due"),
)
"""The others from the left: what matters most comes first, what does not fit is on the help screen."""


class KeyBar(Widget):
    """Shows the bindings in force with `show=True`; those of the focused widget first, help and quit always."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.auto_links = False
        self._keys: list[Binding] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _update(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        seen: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                seen.setdefault(active.binding.action, active.binding)
        keys = sorted(
            seen.values(), key=lambda key: ORDER.index(action_name(key)) if action_name(key) in ORDER else len(ORDER)
        )
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Content:
        """The keys that fit into the width, the permanent ones at the right end."""
        fixed = [self._entry(key) for key in self._keys if key.action in ALWAYS]
        entries = [self._entry(key) for key in self._keys if key.action not in ALWAYS]
        room = self.size.width - sum(entry.cell_length for entry in fixed)
        shown: list[Content] = []
        for entry in entries:
            if entry.cell_length > room:
                break
            shown.append(entry)
            room -= entry.cell_length
        return Content("").join([*shown, Content(" " * max(0, room)), *fixed])

    def _entry(self, binding: Binding) -> Content:
        key = self.app.get_key_display(binding)
        text = Content.assemble(
            (f" {key}", "$footer-key-foreground bold"), f" {self.texts(f'key.{action_name(binding)}')} "
        )
        if binding.key_display and "-" in binding.key_display:  # several keys in one entry
            return text
        return text.stylize(Style.from_meta({"@click": f"press('{binding.key}')"}))

    def action_press(self, key: str) -> None:
        """A click on an entry presses its key."""
        self.app.simulate_key(key)


def bindings_of(owner: type[DOMNode]) -> list[Binding]:
    """The bindings that a class of this package adds itself."""
    return [binding for binding in owner.BINDINGS if isinstance(binding, Binding)]


def action_name(binding: Binding) -> str:
    """The action without its namespace and arguments."""
    return binding.action.partition("(")[0].rpartition(".")[2]
