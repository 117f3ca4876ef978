"""`learn-llm interview`: a mock interview line by line, for pipes and screen readers; `learn-llm quiz` has it too."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from learn_llm.errors import UserError

if TYPE_CHECKING:
    from learn_llm.commands.plain.console import Console
    from learn_llm.quizzes.bank import Bank
    from learn_llm.quizzes.interview import Answer
    from learn_llm.quizzes.interview_history import History, Record
    from learn_llm.quizzes.texts import Texts


@click.command()
@click.option("--level", default="", help="Only this level: basic, intermediate or advanced.")
@click.option("--topic", "topics", multiple=True, help="Only this topic, for example alignment; may be given again.")
@click.option("--questions", "count", default=5, show_default=True, help="How many questions.")
@click.option("--seed", type=int, help="Draw the same questions again.")
@click.option("--continue", "resume", is_flag=True, help="Go on with the last interview that was left.")
@click.option("--history", "list_only", is_flag=True, help="List the interviews so far.")
@click.option(
    "--lang",
    type=click.Choice(["en", "ja"]),
    help="Language; by default LEARN_LLM_LANG, then that of the app, then the locale.",
)
@click.option("--bank", type=click.Path(path_type=Path), help="A folder with questions of your own.")
def interview(
    level: str,
    topics: tuple[str, ...],
    count: int,
    seed: int | None,
    resume: bool,
    list_only: bool,
    lang: str | None,
    bank: Path | None,
) -> None:
    """A mock interview line by line: typed answers are graded, follow-ups rated, a report is written.

    An empty line ends an answer.  What was answered is kept: an interview that was left goes on with --continue.  Ends
    with 0 after the last question, with 2 where the input ends before it.
    """
    import os

    from learn_llm.commands.plain.console import Console, expect_japanese
    from learn_llm.commands.questions import say_problems
    from learn_llm.quizzes import settings
    from learn_llm.quizzes.bank import load_bank
    from learn_llm.quizzes.interview import choose
    from learn_llm.quizzes.interview_history import History
    from learn_llm.quizzes.progress import Progress
    from learn_llm.quizzes.texts import Texts
    from learn_llm.quizzes.texts import choose as choose_language

    with Progress() as progress:
        texts = Texts(choose_language(lang, os.environ, settings.load(progress).language))
        if texts.language == "ja":
            expect_japanese()
        opened = load_bank(bank, texts.language)
        say_problems(opened)
        plan = choose(opened, count, level=level, topics=topics, seed=time.time_ns() if seed is None else seed)
        history = History(progress)
        for notice in progress.notices:
            click.echo(f"learn-llm: {notice}", err=True)
        if list_only:
            _list(history, texts)
            return
        record = next((record for record in history.records() if not record.ended), None) if resume else None
        if resume and record is None:
            raise UserError("no interview was left; begin one without --continue")
        try:
            hold(opened, history, record or history.begin(plan), texts, Console())
        except EOFError:
            raise UserError("the input ended before the interview; --continue goes on with it") from None


def hold(bank: "Bank", history: "History", record: "Record", texts: "Texts", console: "Console") -> None:
    """The interview of this record from where it stands to its report.

    Raises EOFError where the input ends before it; what there is is kept.
    """
    _Session(bank, history, record, texts, console).run()


class _Session:
    """One interview on a console."""

    def __init__(self, bank: "Bank", history: "History", record: "Record", texts: "Texts", console: "Console") -> None:
        from learn_llm.quizzes.interview import Interview

        self.bank, self.history, self.record, self.texts = bank, history, record, texts
        self.interview = Interview(bank, record.plan, record.answers)
        self.draft = record.draft
        self.console, self._say = console, console.say

    def run(self) -> None:
        """To the report, or until the input ends (EOFError): then what there is is kept."""
        from learn_llm.quizzes.interview_history import Draft

        try:
            while self.interview.stage != "done":
                match self.interview.stage:
                    case "asking":
                        self._ask()
                    case "graded":
                        self._correct()
                    case _:
                        self._follow_up()
                self.draft = Draft()
        finally:
            self.history.drop_empty(self.record.id)
        self.history.end(self.record.id)
        self._report()

    def _ask(self) -> None:
        from learn_llm.quizzes.interview_history import Draft

        question = self.interview.question
        assert question is not None
        of = len(self.interview.plan.ids)
        self._say("", self.texts("interview.progress", place=self.interview.place, of=of), "")
        self._say(f"{question.number}. {question.question}", "", self.texts("interview.plain.end"), self.draft.text)
        begun = time.monotonic() - self.draft.seconds
        lines = self.draft.text.splitlines()
        while line := self.console.read().rstrip():
            lines.append(line)
            self.history.keep_draft(self.record.id, Draft("\n".join(lines), time.monotonic() - begun))
        self._keep(self.interview.submit("\n".join(lines), time.monotonic() - begun))

    def _correct(self) -> None:
        self._graded(self.interview.answer)
        while True:
            words = self._prompt("interview.plain.correct").replace(",", " ").split()
            allowed = [str(number) for number in range(1, len(self.interview.answer.points) + 1)]
            if all(word in allowed for word in words):
                break
            self._say(self.texts("interview.plain.again", choices=", ".join(allowed)))
        for word in dict.fromkeys(words):
            self._keep(self.interview.overrule(int(word) - 1))
        self.interview.go_on()

    def _graded(self, answer: "Answer") -> None:
        from learn_llm.quizzes.interview_report import clock, marked, spans_of
        from learn_llm.quizzes.plain import inline, page

        said = sum(point.said for point in answer.points)
        texts = self.texts
        self._say("", texts("interview.verdict", said=said, points=len(answer.points), time=clock(answer.seconds)), "")
        if answer.text:
            self._say(texts("interview.own"), "", *marked(answer.text, spans_of(answer)).splitlines(), "")
        for number, point in enumerate(answer.points, 1):
            self._say(f"{number}. {texts(f'interview.point.{point.judged}')}: {inline(point.text)}")
        if answer.id in self.bank.by_id:
            self._say("", texts("interview.model"), "")
            self.console.show(page(self.bank.by_id[answer.id].short_answer, self.console.width))
        self._say("")

    def _follow_up(self) -> None:
        from learn_llm.quizzes.plain import inline

        follow_up, texts = self.interview.follow_up, self.texts
        assert follow_up is not None
        follow_ups = self.interview.answer.follow_ups
        heading = texts("interview.follow_up", place=follow_ups.index(follow_up) + 1, of=len(follow_ups))
        self._say("", heading, "", inline(follow_up.question))
        self._prompt("interview.plain.aloud")
        self._say("", inline(follow_up.answer), "")
        ratings = {"forgot": texts("rating.1"), "partly": texts("rating.2"), "got": texts("rating.3")}
        while (rating := self._prompt("interview.plain.rate", **ratings)) not in ("1", "2", "3"):
            self._say(texts("interview.plain.again", choices="1, 2, 3"))
        self._keep(self.interview.rate(int(rating)))

    def _report(self) -> None:
        from learn_llm.demos.catalogue import DEMOS
        from learn_llm.exercises.here import names_by_question
        from learn_llm.quizzes.interview_report import report, save_report
        from learn_llm.quizzes.plain import page

        record = self.history.record(self.record.id) or self.record
        exercises, width = names_by_question(self.bank.questions), self.console.width
        text = report(record, self.texts, DEMOS, exercises)
        self.console.show(["", *page(report(record, self.texts, DEMOS, exercises, width=width - 4), width), ""])
        try:
            path = save_report(self.history.progress.path.parent / "interviews", record, text)
        except OSError as error:
            click.echo(self.texts("interview.unsaved", reason=error.strerror or error), err=True)
        else:
            click.echo(self.texts("interview.saved", path=path))

    def _keep(self, answer: "Answer") -> None:
        self.history.keep_answer(self.record.id, len(self.interview.answers) - 1, answer)

    def _prompt(self, key: str, **values: object) -> str:
        return self.console.ask(self.texts(key, **values))


def _list(history: "History", texts: "Texts") -> None:
    from learn_llm.quizzes.interview_report import row

    rows = [row(record, texts) for record in history.records()]
    click.echo("\n".join(rows or [texts("interview.plain.none")]))
