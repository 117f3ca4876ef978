"""A mock interview: the question and a place to type, the graded answer, follow-up questions, the report."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from learn_llm.demos.catalogue import DEMOS
from learn_llm.exercises.here import names_by_question
from learn_llm.quizzes.interview import Answer, Interview
from learn_llm.quizzes.interview_history import Draft, History, Record
from learn_llm.quizzes.interview_report import clock, report, save_report, to_mend
from learn_llm.quizzes.kit import Kit
from learn_llm.tui import prose
from learn_llm.tui.interview_text import follow_up_blocks, graded_blocks
from learn_llm.tui.key_guard import KeyGuard
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block
from learn_llm.tui.styles import NOTICE, QUIET
from learn_llm.tui.widgets.answer_area import AnswerArea
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

TICK = 1.0
DRAFT_EVERY = 3.0
"""Seconds after which what is being typed is kept."""
NARROW = 48
"""Columns of the learner's answers in the report: they fit the narrowest terminal."""


class InterviewScreen(Screen[str | None]):
    """Goes on with an interview where its record ends.  Returns a question whose demo is to be run, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("interview")

    def __init__(self, kit: Kit, record: Record) -> None:
        super().__init__()
        self.kit = kit
        self.texts = kit.texts
        self.history = History(kit.desk.progress)
        self.record = record
        self.interview = Interview(kit.desk.bank, record.plan, record.answers)
        self.guard = KeyGuard(kit.seconds)
        self.area = AnswerArea(self.texts, id="interview-answer")
        self.revealed = False
        self._over = record.ended
        self._draft = record.draft
        self._begun = kit.seconds() - record.draft.seconds

    def compose(self) -> ComposeResult:
        yield TopBar(self.texts("interview.title"))
        with CardBody(id="interview-body"):
            yield Page(id="interview-page")
        yield Page(id="interview-hint")
        yield self.area
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self.area.text = self._draft.text
        self.area.move_cursor(self.area.document.end)
        self.set_interval(TICK, self._tick)
        self._show("")

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of this screen."""
        own = [*bindings_of(InterviewScreen), *bindings_of(CardBody)]
        return [("interview", own), ("answer_area", bindings_of(AnswerArea))]

    @property
    def stage(self) -> str:
        """That of the interview; "done" for one that was ended before."""
        return "done" if self._over else self.interview.stage

    # What is shown

    def _show(self, key: str) -> None:
        """Shows the stage that is reached now; `key` is the one that led there."""
        self.guard.acted(key)
        if self.stage == "done" and not self._over:
            self.history.end(self.record.id)
            self._over = True
        self.set_class(self.stage == "asking", "-asking")
        self._draw()
        self._tick()
        self.query_one(CardBody).scroll_home(animate=False)
        self.focus_on_stage()
        self.refresh_bindings()

    def focus_on_stage(self) -> None:
        """The keys go to the place to type while a question is asked, else to the page."""
        (self.area if self.stage == "asking" else self.query_one(CardBody)).focus()

    def on_resize(self) -> None:
        """Where the terminal was too small nothing had the focus."""
        if self.focused is None:
            self.call_after_refresh(self.focus_on_stage)

    def _draw(self) -> None:
        texts, interview, hint = self.texts, self.interview, ""
        match self.stage:
            case "asking":
                assert interview.question is not None
                blocks = [Block(Content.styled(interview.question.question, "bold"))]
                hint = texts("interview.hint" if self._typing else "interview.hint.away")
            case "graded":
                question = self.kit.desk.bank.by_id.get(interview.answer.id)
                blocks = list(graded_blocks(interview.answer, question, texts))
                hint = texts("interview.hint.graded")
            case "follow_up":
                assert interview.follow_up is not None
                blocks = list(follow_up_blocks(interview.answer, interview.follow_up, self.revealed, texts))
                ratings = {"forgot": texts("rating.1"), "partly": texts("rating.2"), "got": texts("rating.3")}
                hint = texts("interview.hint.rate", **ratings) if self.revealed else texts("interview.hint.follow_up")
            case _:
                blocks = list(self._report())
        self.query_one("#interview-page", Page).show(blocks)
        self.query_one("#interview-hint", Page).show([Block(Content(hint))] if hint else [])
        self.set_class(bool(hint), "-hint")

    def _report(self) -> list[Block]:
        """The report, and where it was written."""
        self.record = self.history.record(self.record.id) or self.record
        zone = self.kit.desk.progress.schedule.zone
        exercises = names_by_question(self.kit.desk.questions)
        text = report(self.record, self.texts, DEMOS, exercises, zone=zone)
        try:
            path = save_report(self.kit.desk.progress.path.parent / "interviews", self.record, text)
            where = self.texts("interview.saved", path=path)
        except OSError as error:
            where = self.texts("interview.unsaved", reason=error.strerror or error)
        shown = report(self.record, self.texts, DEMOS, exercises, width=NARROW, zone=zone)
        return [Block(Content.styled(where, QUIET)), *prose.blocks(shown)]

    def _tick(self) -> None:
        """The time moves on; the draft is kept; what went wrong with the database is said."""
        if not self.is_attached:
            return
        bar = self.query_one(TopBar)
        place = self.texts("interview.progress", place=self.interview.place, of=len(self.interview.plan.ids))
        match self.stage:
            case "asking":
                draft = Draft(self.area.text, self.kit.seconds() - self._begun)
                bar.counts = f"{place}   {clock(draft.seconds)}"
                if draft.text != self._draft.text and draft.seconds - self._draft.seconds >= DRAFT_EVERY:
                    self._keep_draft(draft)
            case "done":
                bar.counts = ""
            case _:
                bar.counts = place
        bar.alarm = "" if self.kit.desk.saving else self.texts("unsaved")
        for notice in self.kit.desk.news():
            self.notify(notice, severity="warning", timeout=NOTICE, markup=False)

    def _keep_draft(self, draft: Draft) -> None:
        self._draft = draft
        self.history.keep_draft(self.record.id, draft)

    def on_unmount(self) -> None:
        """The app may be left while one types."""
        if self.stage == "asking":
            text = self.area.text
            self._keep_draft(Draft(text, self.kit.seconds() - self._begun) if text.strip() else Draft())
            self.history.drop_empty(self.record.id)

    # Actions

    @property
    def _typing(self) -> bool:
        return self.focused is self.area

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Each stage has its keys."""
        match action:
            case "write" | "submit":
                return self.stage == "asking" and not self._typing
            case "go_on":
                return self.stage == "graded"
            case "overrule":
                number = parameters[0] if parameters else 1
                return (
                    self.stage == "graded" and isinstance(number, int) and number <= len(self.interview.answer.points)
                )
            case "reveal":
                return self.stage == "follow_up" and not self.revealed
            case "grade_self":
                return self.stage == "follow_up" and self.revealed
            case "mend":
                return self.stage == "done" and self._to_mend() is not None
        return True

    def on_answer_area_submitted(self) -> None:
        """The answer is graded and kept before anything on the screen says so."""
        self.action_submit()

    def on_answer_area_left(self) -> None:
        """The keys are for the screen now."""
        self.query_one(CardBody).focus()

    def on_descendant_focus(self) -> None:
        """Other keys, another hint."""
        if self.stage == "asking":
            self._draw()
            self.refresh_bindings()

    def action_write(self) -> None:
        """Back to typing."""
        self.area.focus()

    def action_submit(self) -> None:
        """Ends the answer."""
        answer = self.interview.submit(self.area.text, self.kit.seconds() - self._begun)
        self.history.keep_answer(self.record.id, len(self.interview.answers) - 1, answer)
        self._draft = Draft()
        self.area.text = ""
        self._show("ctrl+d")

    def action_overrule(self, number: int) -> None:
        """Corrects the verdict on a key point."""
        self._keep(self.interview.overrule(number - 1))
        self._draw()

    def action_go_on(self, key: str) -> None:
        """From the graded answer to what comes next."""
        if self.guard.allows(key):
            self.interview.go_on()
            self._next(key)

    def action_reveal(self, key: str) -> None:
        """Shows the answer to the follow-up."""
        if self.guard.allows(key):
            self.revealed = True
            self._show(key)

    def action_grade_self(self, rating: int) -> None:
        """Rates one's own answer to the follow-up."""
        if self.guard.allows(str(rating)):
            self._keep(self.interview.rate(rating))
            self._next(str(rating))

    def _next(self, key: str) -> None:
        self.revealed = False
        self._begun = self.kit.seconds()
        self._show(key)

    def _keep(self, answer: Answer) -> None:
        self.history.keep_answer(self.record.id, len(self.interview.answers) - 1, answer)

    def _to_mend(self) -> str | None:
        """The weakest question that has a demo here."""
        bank = self.kit.desk.bank.by_id
        weak = (answer.id for answer in to_mend(self.interview.answers))
        return next((id for id in weak if id in bank and bank[id].demo in DEMOS), None)

    def action_mend(self) -> None:
        """The demo of the weakest question."""
        self.dismiss(self._to_mend())

    def action_back(self) -> None:
        """Leaves; what was answered and typed is kept."""
        self.dismiss(None)
