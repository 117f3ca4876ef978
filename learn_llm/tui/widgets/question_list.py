"""The list of questions: one line each, under a heading for each level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from learn_llm.tui.keys import bindings

Kind = Literal["due", "new", "later"]


@dataclass(frozen=True)
class Row:
    """One question as it is listed: `mark` says when it is due, `kind` how to colour that."""

    id: str
    number: int
    title: str
    level: str
    mark: str
    kind: Kind


class QuestionList(ScrollView, can_focus=True):
    """Shows rows and a cursor.  Posts `Highlighted` when the cursor moves and `Opened` when a row is chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--row",
        "list--heading",
        "list--cursor",
        "list--number",
        "list--due",
        "list--new",
        "list--later",
    }

    BINDINGS: ClassVar[list[BindingType]] = bindings("questions")

    cursor: reactive[int] = reactive(0)
    """Index into `rows`."""

    class Highlighted(Message):
        """The cursor stands on another question (`id` is None where nothing is listed)."""

        def __init__(self, id: str | None) -> None:
            super().__init__()
            self.id = id

    class Opened(Message):
        """A question was chosen."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def __init__(self, *, empty: str, headings: dict[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty = empty
        self.headings = headings
        self.rows: tuple[Row, ...] = ()
        self._lines: list[int | str] = []  # a row's index, or a heading
        self._line_of_row: list[int] = []

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def show(self, rows: Sequence[Row], keep: str | None = None) -> None:
        """Lists these rows.  The cursor stays on the question `keep`, by default the current one, if it is listed."""
        wanted = keep or (self.current.id if self.current else None)
        before = self.current.id if self.current else None
        self.rows = tuple(rows)
        self._lines, self._line_of_row = [], []
        for index, row in enumerate(self.rows):
            if index == 0 or row.level != self.rows[index - 1].level:
                self._lines.append(self.headings.get(row.level, row.level))
            self._line_of_row.append(len(self._lines))
            self._lines.append(index)
        place = next((index for index, row in enumerate(self.rows) if row.id == wanted), None)
        self.set_reactive(QuestionList.cursor, min(self.cursor, max(0, len(self.rows) - 1)) if place is None else place)
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self._scroll_to_cursor()
        self.refresh()
        if (self.current.id if self.current else None) != before:
            self.post_message(self.Highlighted(self.current.id if self.current else None))

    def point_at(self, id: str) -> None:
        """Moves the cursor to this question where it is listed."""
        for index, row in enumerate(self.rows):
            if row.id == id:
                self.cursor = index

    def render_line(self, y: int) -> Strip:
        """One line of the list, as wide as the widget."""
        width = self.scrollable_content_region.width
        plain = self.get_component_rich_style("list--row")
        number = y + self.scroll_offset.y
        if not self._lines and y == 1:
            return Strip([Segment(set_cell_size(f"  {self.empty}", width), plain)])
        if number >= len(self._lines):
            return Strip.blank(width, plain)
        line = self._lines[number]
        if isinstance(line, str):
            return Strip([Segment(set_cell_size(f"  {line}", width), self.get_component_rich_style("list--heading"))])
        return self._row(self.rows[line], line == self.cursor, width)

    def _row(self, row: Row, at_cursor: bool, width: int) -> Strip:
        base = self.get_component_rich_style("list--cursor" if at_cursor else "list--row")
        colour = Style(color=self.get_component_rich_style(f"list--{row.kind}").color)
        quiet = Style(color=self.get_component_rich_style("list--number").color)
        room = width - 6 - 9
        title = row.title if cell_len(row.title) <= room else set_cell_size(row.title, room - 2).rstrip() + ".."
        return Strip(
            [
                Segment("> " if at_cursor else "  ", base),
                Segment(f"{row.number:>2}  ", base if at_cursor else base + quiet),
                Segment(set_cell_size(title, room), base),
                Segment(
                    " " * max(0, 8 - cell_len(row.mark)) + set_cell_size(row.mark, min(8, cell_len(row.mark))),
                    base + colour,
                ),
                Segment(" ", base),
            ],
            width,
        )

    def watch_cursor(self) -> None:
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self.current.id if self.current else None))

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.rows) - 1))

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self._scroll_to_cursor()

    def on_click(self, event: events.Click) -> None:
        number = event.y + self.scroll_offset.y
        line = self._lines[number] if number < len(self._lines) else None
        if isinstance(line, int):
            if line == self.cursor:
                self.action_open()
            self.cursor = line

    def action_open(self) -> None:
        """Chooses the question under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self.current.id))

    def action_move(self, by: int) -> None:
        """Moves the cursor by so many rows."""
        self.cursor += by

    def action_page(self, direction: int) -> None:
        """Moves the cursor by a screenful."""
        self.cursor += direction * max(1, self.size.height - 3)

    def action_top(self) -> None:
        """Moves the cursor to the first row."""
        self.cursor = 0

    def action_bottom(self) -> None:
        """Moves the cursor to the last row."""
        self.cursor = len(self.rows) - 1

    def _scroll_to_cursor(self) -> None:
        if self.rows:
            line = self._line_of_row[self.cursor]
            top = line - 1 if isinstance(self._lines[line - 1], str) else line
            self.scroll_to_region(Region(0, top, 1, line - top + 1), animate=False, force=True, immediate=True)
