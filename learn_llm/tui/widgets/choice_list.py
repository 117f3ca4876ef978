"""A text, and below it a few things to choose from: by number, or with a cursor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.style import Style

from learn_llm.tui.key_guard import KeyGuard
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block, lay_out
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.page import Page

LEAD = 6


@dataclass(frozen=True)
class Choice:
    """One thing to choose: its number, its text, a mark of one cell before it ("" for none), lines below it."""

    number: int
    text: Content
    mark: str = ""
    notes: tuple[Content, ...] = ()


class ChoiceList(CardBody):
    """Shows choices and posts `Chosen`.  Once they are closed, the arrows scroll instead of moving the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("choices")

    class Chosen(Message):
        """The choice at this place was chosen by this key ("" for a click)."""

        def __init__(self, place: int, key: str) -> None:
            super().__init__()
            self.place = place
            self.key = key

    def __init__(self, guard: KeyGuard, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.guard = guard
        self.head: Sequence[Block] = ()
        self.choices: Sequence[Choice] = ()
        self.tail: Sequence[Block] = ()
        self.closed = True
        self.by_number = False
        self.cursor: int | None = None

    def compose(self) -> ComposeResult:
        page = Page(id="choice-page")
        page.auto_links = False
        yield page

    def show(
        self,
        head: Sequence[Block],
        choices: Sequence[Choice],
        *,
        tail: Sequence[Block] = (),
        closed: bool = False,
        by_number: bool = True,
    ) -> None:
        """Shows these choices from the top, the cursor nowhere at first; if `closed`, they are only to be read."""
        self.head, self.choices, self.tail = head, choices, tail
        self.closed, self.by_number = closed, by_number
        self.cursor = None
        self._draw()
        self.scroll_home(animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the keys do depends on whether there is anything to choose."""
        choosable = not self.closed and bool(self.choices)
        match action:
            case "choose":
                return choosable and self.by_number
            case "select" | "open":
                return choosable and self.cursor is not None and self.by_number == (action == "select")
            case "move":
                return choosable
            case "scroll_by":
                return not choosable
            case _:
                return True

    def action_choose(self, place: int) -> None:
        """Chooses by number."""
        if place < len(self.choices) and self.guard.allows(str(place + 1)):
            self.post_message(self.Chosen(place, str(place + 1)))

    def action_open(self, key: str) -> None:
        """Opens what is under the cursor."""
        self.action_select(key)

    def action_select(self, key: str) -> None:
        """Chooses what is under the cursor."""
        if self.cursor is not None and self.guard.allows(key):
            self.post_message(self.Chosen(self.cursor, key))

    def action_click(self, place: int) -> None:
        """A click on a choice."""
        if not self.closed:
            self.post_message(self.Chosen(place, ""))

    def action_move(self, by: int) -> None:
        """Moves the cursor; the first press puts it on the first or the last choice."""
        last = len(self.choices) - 1
        start = 0 if by > 0 else last
        self.cursor = start if self.cursor is None else max(0, min(self.cursor + by, last))
        self._draw()
        page = self.query_one(Page)
        before, item = (len(lay_out(blocks, page.size.width)) for blocks in (self._until(), self._blocks(self.cursor)))
        top = 0 if self.cursor == 0 else before
        self.scroll_to_region(Region(0, top, 1, before - top + item), animate=False, force=True)

    def _until(self) -> list[Block]:
        """What stands above the choice under the cursor."""
        return [*self.head, *(block for place in range(self.cursor or 0) for block in self._blocks(place))]

    def _blocks(self, place: int) -> Iterator[Block]:
        choice = self.choices[place]
        here = place == self.cursor
        text = choice.text.stylize("bold $text-accent") if here else choice.text
        if not self.closed:
            text = text.stylize(Style.from_meta({"@click": f"focused.click({place})"}))
        sign = ">" if here else choice.mark or " "
        yield Block(text, lead=f"{sign} {choice.number:>2}  ", indent=LEAD)
        for note in choice.notes:
            yield Block(note, indent=LEAD, gap=False)

    def _draw(self) -> None:
        blocks = [block for place in range(len(self.choices)) for block in self._blocks(place)]
        self.query_one(Page).show([*self.head, *blocks, *self.tail])
        self.refresh_bindings()
