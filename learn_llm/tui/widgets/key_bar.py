"""The bottom line: the keys that do something now, as many as fit."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import DEFAULTS, key_name, keys_of

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
        "side_by_side",
        "source",
        "file",
        "beside",
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
    *("check", "hint", "edit", "next_exercise", "solution", "question", "make"),
    *("mend", "demo", "exercises", "more", "skip", "back", "undo", "switch", "next_due"),
)
"""The others from the left: what matters most comes first, what does not fit is on the help screen."""


class Offer(NamedTuple):
    """An action that can be done now: its name, its first binding, and the keys of all its bindings."""

    name: str
    active: ActiveBinding
    keys: Sequence[str]

    def __str__(self) -> str:
        """The keys as they are shown: `1-4`, `up/down`, `space`."""
        names = [key_name(key) for key in self.keys]
        if not all(name.isdigit() for name in names) or len(names) == 1:
            return "/".join(names)
        gapless = len(names) == int(names[-1]) - int(names[0]) + 1
        return f"{names[0]}-{names[-1]}" if gapless else " ".join(names)


def offers(screen: Screen[object]) -> list[Offer]:
    """What the focused widget, its screen and the app offer now, each action with one key for each of its ids."""
    found: dict[str, dict[str, ActiveBinding]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled and binding.id is not None:
            ids = found.setdefault(action_name(binding), {})
            if all(other.node is active.node for other in ids.values()):
                before = ids.get(binding.id)
                if before is None or _place(binding) < _place(before.binding):
                    ids[binding.id] = active
    return [
        Offer(name, actives[0], [active.binding.key for active in actives])
        for name, ids in found.items()
        for actives in [sorted(ids.values(), key=lambda active: _place(active.binding))]
    ]


def _place(binding: Binding) -> tuple[int, int]:
    """Where the table has the binding, and which of its keys this is."""
    id = binding.id or ""
    return _IDS.index(id), keys_of(id).index(binding.key)


_IDS = list(DEFAULTS)


class KeyBar(Widget):
    """Shows the bindings in force with `show=True`; those of the focused widget first, help and quit always."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.auto_links = False
        self._offers: list[Offer] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _update(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        found = sorted(offers(screen), key=lambda offer: ORDER.index(offer.name) if offer.name in ORDER else len(ORDER))
        if found != self._offers:
            self._offers = found
            self.refresh()

    def render(self) -> Content:
        """The keys that fit into the width, the permanent ones at the right end."""
        fixed = [self._entry(offer) for offer in self._offers if offer.name in ALWAYS]
        entries = [self._entry(offer) for offer in self._offers if offer.name not in ALWAYS]
        room = self.size.width - sum(entry.cell_length for entry in fixed)
        shown: list[Content] = []
        for entry in entries:
            if entry.cell_length > room:
                break
            shown.append(entry)
            room -= entry.cell_length
        return Content("").join([*shown, Content(" " * max(0, room)), *fixed])

    def _entry(self, offer: Offer) -> Content:
        text = Content.assemble((f" {offer}", "$footer-key-foreground bold"), f" {self.texts(f'key.{offer.name}')} ")
        if len(offer.keys) > 1:
            return text
        return text.stylize(Style.from_meta({"@click": f"press('{offer.keys[0]}')"}))

    def action_press(self, key: str) -> None:
        """A click on an entry presses its key."""
        self.app.simulate_key(key)


def bindings_of(owner: type[DOMNode]) -> list[Binding]:
    """The bindings that a class of this package adds itself."""
    return [binding for binding in owner.BINDINGS if isinstance(binding, Binding)]


def action_name(binding: Binding) -> str:
    """The action without its namespace and arguments."""
    return binding.action.partition("(")[0].rpartition(".")[2]
