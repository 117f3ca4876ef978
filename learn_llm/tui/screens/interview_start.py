"""Before a mock interview: level, length and topics; the interviews of before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from learn_llm.quizzes.filters import topic_counts
from learn_llm.quizzes.index import LEVELS
from learn_llm.quizzes.interview import candidates, choose
from learn_llm.quizzes.interview_history import History, Record
from learn_llm.quizzes.interview_report import row
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.texts import Texts
from learn_llm.tui.keys import bindings
from learn_llm.tui.screens.interview import InterviewScreen
from learn_llm.tui.screens.settings import SettingsList
from learn_llm.tui.screens.topics import TopicList
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

NUMBERS = (1, 3, 5, 8, 12, 20)
MINUTES = 4
"""That a question takes with its follow-ups, about."""
LABEL = 14


class SetupList(SettingsList):
    """What can be set, the start, and the interviews of before, a line each."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not every line can be changed."""
        return action != "turn" or self.at in ("level", "number")


class InterviewStart(Screen[str | None]):
    """Starts an interview or goes on with one.  Returns a question whose demo is to be run, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("setup")

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.texts = kit.texts
        self.history = History(kit.desk.progress)
        self.records: list[Record] = []
        self.level = ""
        self.number = 5
        self.topics: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield TopBar(self.texts("interview.title"))
        yield SetupList(id="setup", compact=True)
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self._list("resume")

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of this screen."""
        return [("setup", [*bindings_of(TopicList), *bindings_of(SetupList), *bindings_of(InterviewStart)])]

    def on_resize(self) -> None:
        """Where the terminal was too small nothing had the focus."""
        self.call_after_refresh(self.query_one(SetupList).focus)

    def _list(self, at: str) -> None:
        """Fills the list and puts the cursor on this option, or on the start."""
        self.records = self.history.records()
        options = self.query_one(SetupList)
        options.clear_options()
        options.add_options(self._options())
        ids = [option.id for option in options.options]
        options.highlighted = ids.index(at) if at in ids else ids.index("start")
        options.focus()

    def _options(self) -> Iterator[Option]:
        texts = self.texts
        unfinished = next((record for record in self.records if record.goes_on(self.kit.desk.bank.by_id)), None)
        if unfinished is not None:
            yield Option(self._line("resume", self._row(unfinished), change=False), id="resume")
        there = len(candidates(self.kit.desk.bank, self.level, self.topics))
        count = min(self.number, there)
        note = texts("interview.start.note", count=count, there=there, minutes=count * MINUTES)
        yield Option(self._line("start", note if there else texts("interview.start.none"), change=False), id="start")
        yield Option(self._line("level", texts(self.level or "interview.any_level")), id="level")
        yield Option(self._line("number", str(self.number)), id="number")
        topics = texts("plain.comma").join(texts(f"topic.{topic}") for topic in self.topics) or texts("topics.any")
        yield Option(self._line("topics", topics, change=False), id="topics")
        yield Option("", disabled=True)
        heading = "interview.earlier" if self.records else "interview.first"
        yield Option(Content.styled(texts(heading), "bold $text-primary" if self.records else QUIET), disabled=True)
        for record in self.records:
            yield Option(Content(self._row(record)), id=str(record.id))

    def _line(self, name: str, value: str, change: bool = True) -> Content:
        label = set_cell_size(self.texts(f"interview.{name}"), LABEL)
        return Content.assemble((label, "bold"), f"< {value} >" if change else value)

    def _row(self, record: Record) -> str:
        return row(record, self.texts, self.kit.desk.progress.schedule.zone)

    # Actions

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter starts, changes, or opens."""
        match event.option.id:
            case "start":
                self._start()
            case "topics":
                counts = topic_counts(candidates(self.kit.desk.bank, self.level))
                self.app.push_screen(TopicsPicker(self.texts, counts, self.topics), self._topics_chosen)
            case "level" | "number" as name:
                self._change(name, 1)
            case "resume":
                self._open(next(record for record in self.records if record.goes_on(self.kit.desk.bank.by_id)))
            case str(id):
                self._open(next(record for record in self.records if str(record.id) == id))

    def on_option_list_option_highlighted(self) -> None:
        """Other keys may do something there."""
        self.refresh_bindings()

    def on_settings_list_turned(self, message: SetupList.Turned) -> None:
        """Left and right change a value."""
        self._change(message.name, message.direction)

    def _change(self, name: str, direction: int) -> None:
        if name == "level":
            levels = ("", *LEVELS)
            self.level = levels[(levels.index(self.level) + direction) % len(levels)]
        else:
            self.number = NUMBERS[(NUMBERS.index(self.number) + direction) % len(NUMBERS)]
        self._list(name)

    def _topics_chosen(self, topics: tuple[str, ...] | None) -> None:
        if topics is not None:
            self.topics = topics
        self._list("start")

    def _start(self) -> None:
        bank = self.kit.desk.bank
        if candidates(bank, self.level, self.topics):
            seed = int(self.kit.desk.progress.schedule.now().timestamp())
            plan = choose(bank, self.number, level=self.level, topics=self.topics, seed=seed)
            self._open(self.history.begin(plan))

    def _open(self, record: Record) -> None:
        self.app.push_screen(InterviewScreen(self.kit, record), self._came_back)

    def _came_back(self, mend: str | None) -> None:
        if mend is None:
            self._list("resume")
        else:
            self.dismiss(mend)

    def action_back(self) -> None:
        """To the list of questions."""
        self.dismiss(None)


class TopicChoice(OptionList):
    """The topics, each chosen or not.  Posts `Finished` with those that are."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("setup_topics")

    class Finished(Message):
        """These topics; () for all."""

        def __init__(self, topics: tuple[str, ...]) -> None:
            super().__init__()
            self.topics = topics

    def __init__(self, texts: Texts, counts: Mapping[str, int], chosen: Sequence[str]) -> None:
        self.texts = texts
        self.counts = counts
        self.chosen = {topic for topic in chosen if topic in counts}
        super().__init__(*(Option(self._line(topic), id=topic) for topic in counts), compact=True)

    def _line(self, topic: str) -> Content:
        mark = "[x]" if topic in self.chosen else "[ ]"
        return Content.assemble(f"{mark} {self.texts(f'topic.{topic}')}", (f"  {self.counts[topic]}", QUIET))

    def action_mark(self) -> None:
        """Adds the topic under the cursor, or takes it away."""
        option = self.highlighted_option
        if option is not None and option.id is not None:
            self.chosen ^= {option.id}
            self.replace_option_prompt(option.id, self._line(option.id))

    def action_finish(self) -> None:
        """These topics."""
        self.post_message(self.Finished(tuple(topic for topic in self.counts if topic in self.chosen)))


class TopicsPicker(ModalScreen[tuple[str, ...] | None]):
    """Returns the topics that were chosen, () for all, or None where nothing was changed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("window")

    def __init__(self, texts: Texts, counts: Mapping[str, int], chosen: Sequence[str]) -> None:
        super().__init__()
        self.texts = texts
        self.choice = TopicChoice(texts, counts, chosen)

    def compose(self) -> ComposeResult:
        with Vertical(id="window"):
            yield Static(self.texts("interview.topics"), id="window-title")
            yield self.choice
        yield KeyBar(self.texts)

    def on_topic_choice_finished(self, message: TopicChoice.Finished) -> None:
        """The topics are chosen."""
        self.dismiss(message.topics)

    def action_back(self) -> None:
        """As it was."""
        self.dismiss(None)
