"""What the screens ask about the learner's questions: when each is due, what comes next, and what a rating changes.

Between the widgets, which know nothing of SQL and FSRS, and `quizzes`, which knows nothing of screens.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from learn_llm.quizzes import readiness, settings
from learn_llm.quizzes.bank import BUNDLED, Bank, Question, load_bank
from learn_llm.quizzes.drill import SESSION, Drill, choose
from learn_llm.quizzes.drill_history import DrillHistory
from learn_llm.quizzes.progress import Counts, Progress
from learn_llm.quizzes.readiness import Readiness
from learn_llm.quizzes.schedule import Rating, State
from learn_llm.quizzes.summary import streak, study_days

if TYPE_CHECKING:
    from learn_llm.events import Verdict
    from learn_llm.quizzes.demo_history import DemoRun, Value
    from learn_llm.quizzes.interview_history import Record

Kind = Literal["due", "new", "later"]
AHEAD = timedelta(minutes=20)
"""How long before its time a card in its first steps is shown, where nothing else waits."""
LEECH = 4
"""So often forgotten after it had been learnt, a question asks for another way than its answer once more."""


@dataclass(frozen=True)
class Standing:
    """Whether a question is new, due now, or comes back after `wait`."""

    kind: Kind
    wait: timedelta = timedelta(0)


class Desk:
    """The bank, the progress and the settings of one learner."""

    def __init__(self, bank: Bank, progress: Progress) -> None:
        self.bank = bank
        self.progress = progress
        self.questions = bank.questions
        self.settings = settings.load(progress)
        self.given = 0
        """Ratings of this session that stand, and can be undone."""
        self._told = 0
        self._ids = [question.id for question in bank.questions]
        self._standings: dict[str, Standing] | None = None

    @property
    def saving(self) -> bool:
        """Whether ratings are kept."""
        return self.progress.saving

    def change(self, **values: Any) -> None:
        """Changes these settings and keeps them."""
        before, self.settings = self.settings, replace(self.settings, **values)
        settings.keep(self.progress, before, self.settings)

    def speak(self, language: str) -> None:
        """Opens the same bank in this language."""
        folder = self.questions[0].path.parent
        self.bank = load_bank(None if folder == BUNDLED else folder, language)
        self.questions = self.bank.questions
        self._ids = [question.id for question in self.questions]
        self.refresh()

    def news(self) -> tuple[str, ...]:
        """What is wrong with the bank or the database and was not told before, one line each."""
        notices = (*map(str, self.bank.problems), *self.progress.notices)
        news, self._told = notices[self._told :], len(notices)
        return news

    def question(self, id: str) -> Question:
        """The question with this id."""
        return self.bank.by_id[id]

    def standings(self) -> dict[str, Standing]:
        """How every question stands, as of the last `refresh`, `rate` or `undo`."""
        if self._standings is None:
            schedule = self.progress.schedule
            now, cards = schedule.now(), self.progress.cards()
            self._standings = {}
            for id in self._ids:
                card = cards.get(id)
                if card is None or card.due is None:
                    self._standings[id] = Standing("new")
                elif schedule.is_due(card, now):
                    self._standings[id] = Standing("due")
                else:
                    self._standings[id] = Standing("later", max(timedelta(0), card.due - now))
        return self._standings

    def refresh(self) -> None:
        """Time has passed: what is due is found out again."""
        self._standings = None

    def counts(self) -> Counts:
        """How much waits, and what was done today."""
        return self.progress.counts(self._ids)

    def new_left(self) -> int:
        """How many new questions study still brings in today: no more than there are."""
        return max(0, min(self.settings.new_a_day - self.progress.begun_today(), len(self.new())))

    def today(self) -> date:
        """The learner's day."""
        schedule = self.progress.schedule
        return schedule.day(schedule.now())

    def streak(self) -> int:
        """Days in a row, up to today or yesterday, on which something was answered."""
        return streak(study_days(self.progress), self.today())

    def target(self) -> date:
        """The day that readiness is told for: of the interview while that is ahead, else today."""
        interview, today = self.settings.interview, self.today()
        return today if interview is None or interview < today else interview

    def readiness(self) -> Readiness:
        """How all questions stand for `target`."""
        return readiness.readiness(self._ids, self.progress.cards(), self.target(), self.progress.schedule)

    def topics(self) -> dict[str, Readiness]:
        """How each topic stands for `target`, in the order of the bank's topics."""
        return readiness.by_topic(self.bank, self.progress.cards(), self.target(), self.progress.schedule)

    def now(self) -> datetime:
        """The learner's moment, in UTC."""
        return self.progress.schedule.now()

    def keep_run(self, demo: str, verdict: "Verdict", *, broken: bool, options: "Mapping[str, Value]") -> None:
        """Keeps what a demo has just said."""
        from learn_llm.quizzes.demo_history import DemoHistory

        DemoHistory(self.progress).keep(
            demo,
            options=options,
            broken=broken,
            holds=verdict.holds,
            claim=verdict.claim,
            measured=verdict.measured,
        )

    def last_run(self, demo: str) -> "DemoRun | None":
        """What a demo said last."""
        from learn_llm.quizzes.demo_history import DemoHistory

        return DemoHistory(self.progress).last(demo)

    def forgotten(self, id: str) -> int:
        """How often a question was forgotten; 0 where that is not too often (`LEECH`), or its demo was run since."""
        card = self.progress.card(id)
        if card.lapses < LEECH:
            return 0
        run = self.last_run(self.question(id).demo)
        tried = run is not None and card.last_review is not None and run.ended_at >= card.last_review
        return 0 if tried else card.lapses

    def unfinished(self) -> "Record | None":
        """The newest interview that was left and can go on."""
        if not self.progress.db.execute("SELECT 1 FROM interview WHERE ended_at IS NULL LIMIT 1").fetchone():
            return None  # as a rule: then what reads interviews need not be loaded
        from learn_llm.quizzes.interview_history import History

        return next((record for record in History(self.progress).records() if record.goes_on(self.bank.by_id)), None)

    def previews(self, id: str) -> tuple[timedelta, ...]:
        """After how long the question comes back, for each of the four ratings."""
        previews = self.progress.schedule.preview(self.progress.card(id))
        return tuple(previews[rating] for rating in Rating)

    def rate(self, id: str, rating: int, milliseconds: int | None = None) -> timedelta:
        """Rates the question now and keeps it; returns after how long it comes back."""
        question = self.question(id)
        card = self.progress.rate(
            id, Rating(rating), lang=question.lang, content_hash=question.content_hash, duration_ms=milliseconds
        )
        self.given += 1
        self.refresh()
        return card.due - card.last_review if card.due and card.last_review else timedelta(0)

    def undo(self) -> str | None:
        """Takes back the last rating of this session; returns its question, None where there is none."""
        self.refresh()
        id = self.progress.undo()
        self.given -= id is not None
        return id if id in self.bank.by_id else None

    def drill(self, ids: Iterable[str]) -> Drill:
        """A drill over some of these questions; the number of answers so far is its seed."""
        answers = DrillHistory(self.progress).answers()
        return Drill(choose(ids, answers, SESSION, len(answers)), len(answers))

    def answer_drill(self, drill: Drill, chosen: int, milliseconds: int | None = None) -> None:
        """Keeps which option of the question that the drill stands at was chosen, counted as in the file."""
        question = self.question(drill.question_id or "")
        correct = question.choices.options[chosen].correct
        DrillHistory(self.progress).keep(
            question.id,
            chosen,
            correct,
            lang=question.lang,
            content_hash=question.content_hash,
            duration_ms=milliseconds,
        )
        drill.answer(chosen, correct)

    def due(self, among: Collection[str] | None = None) -> list[str]:
        """What of these questions is to be reviewed now, in the order in which it is best done."""
        return [id for id in self.progress.due(self._ids) if among is None or id in among]

    def new(self, among: Collection[str] | None = None) -> list[str]:
        """What of these questions was never seen, in the order of the bank."""
        return [id for id in self._ids if self.standings()[id].kind == "new" and (among is None or id in among)]

    def next(self, new_left: int, after: str | None = None, among: Collection[str] | None = None) -> str | None:
        """The question to study next: what is due, then new ones, then what is due in a few minutes anyway.

        Args:
            new_left: how many new questions may still be shown.
            after: the question just answered or passed over, which does not come at once again while there is another.
            among: where not all questions are studied.
        """
        self.refresh()
        soon = [id for id in self._soon() if among is None or id in among]
        waiting = [*self.due(among), *(self.new(among) if new_left > 0 else ())]
        at = waiting.index(after) + 1 if after in waiting else 0  # what was passed over comes again after all others
        candidates = [*waiting[at:], *soon, *waiting[:at]]
        return next((id for id in candidates if id != after), after if after in soon else None)

    def _soon(self) -> list[str]:
        """The questions in their first steps that come up within `AHEAD`."""
        cards = self.progress.cards()
        limit = self.progress.schedule.now() + AHEAD
        early = [
            (card.due, card.question_id)
            for card in cards.values()
            if card.due and card.due <= limit and card.state is not State.REVIEW and card.question_id in self.bank.by_id
        ]
        return [id for _, id in sorted(early)]

    def next_wait(self) -> timedelta | None:
        """How long until the next card is due; None where nothing is learnt yet."""
        moment = self.progress.next_due(self._ids)
        return None if moment is None else max(timedelta(0), moment - self.progress.schedule.now())
