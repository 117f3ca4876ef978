"""The lines above the panes: what was just done and how much waits; and in the list, the views to choose from."""

from collections.abc import Mapping

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from learn_llm.quizzes.filters import VIEWS, Filter
from learn_llm.quizzes.texts import Texts
from learn_llm.tui.styles import QUIET


class TopBar(Widget):
    """One line: the name of the screen, the last thing that happened, the counts."""

    notice: reactive[str] = reactive("")
    counts: reactive[str] = reactive("")
    alarm: reactive[str] = reactive("")

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def render(self) -> Content:
        """The counts stand at the right end; where there is no room for them, what has just happened matters more."""
        width = self.size.width
        line = Content.styled(self.title, "bold $text-primary")
        if self.alarm:
            line += Content.styled(f"  {self.alarm}", "bold $text-warning")
        if self.notice:
            line += Content.styled(f"  {self.notice}", "$text-accent")
        gap = width - line.cell_length - cell_len(self.counts)
        if gap >= 2:
            line += Content(" " * gap) + Content.styled(self.counts, QUIET)
        return line.truncate(width)


class ViewBar(Widget):
    """One line: all views with the number of their questions, the chosen one marked, then topic and search."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.auto_links = False
        self.filter = Filter()
        self.counts: Mapping[str, int] = {}

    def show(self, filter: Filter, counts: Mapping[str, int]) -> None:
        """Shows this filter as chosen, and how many questions each view has."""
        self.filter, self.counts = filter, counts
        self.refresh()

    def render(self) -> Content:
        """The chosen view is in brackets, so that it is seen without colour."""
        chosen = []
        if self.filter.topic:
            chosen.append(self.texts("topic", topic=self.texts(f"topic.{self.filter.topic}")))
        if self.filter.words:
            chosen.append(self.texts("search", text=self.filter.words))
        note = Content.styled("   ".join(chosen), "bold $text-accent")
        room = self.size.width - note.cell_length
        line = Content("").join(self._view(view) for view in VIEWS)
        if line.cell_length > room:
            line = self._view(self.filter.view)
        return (line + Content(" " * max(1, room - line.cell_length)) + note).truncate(self.size.width)

    def _view(self, view: str) -> Content:
        name = f"{self.texts(view)} {self.counts.get(view, 0)}"
        if view == self.filter.view:
            return Content.styled(f"[{name}] ", "bold $text-accent")
        return Content(f" {name}  ").stylize(Style.from_meta({"@click": f"screen.view_at('{view}')"}))
