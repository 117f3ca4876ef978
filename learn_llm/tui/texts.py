"""Every text of the interface, in English and Japanese.  The questions and answers themselves live in the bank.

A key of the form `key.ACTION` is the label of that action in the key bar and on the help screen.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

Language = Literal["en", "ja"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "basic": "Basic",
        "intermediate": "Intermediate",
        "advanced": "Advanced",
        "all": "All",
        "due": "Due",
        "new": "New",
        "mark.due": "due",
        "mark.new": "new",
        "mark.later": "{interval}",
        "counts": "{due} due   {new} new   {seen} of {total} seen",
        "topic": "topic: {topic}",
        "search": "search: {text}",
        "search.placeholder": "words in the question, a topic, a number",
        "nothing.found": "No question matches. Press esc to see all of them.",
        "topics.title": "Show one topic",
        "topics.any": "all topics",
        "card.say": "Say your answer aloud: 30 seconds, then the details. Then press space.",
        "card.demo": "Its demo: {title}. Press d to run it.",
        "card.nodemo": "The demo of this question is not built yet.",
        "short": "Short answer",
        "short.note": "to be said in 30 seconds",
        "full": "Full answer",
        "points": "What an answer must contain",
        "follow_ups": "Follow-up questions",
        "mistakes": "Common mistakes",
        "references": "References",
        "untranslated": "This answer is not translated yet: it is shown in English.",
        "rating.1": "Forgot",
        "rating.2": "Partly",
        "rating.3": "Got it",
        "rating.4": "Easy",
        "rated": "{number} {label}: again in {interval}",
        "undone": "Undone: {number} is as it was",
        "unsaved": "Progress is not saved: {problem}",
        "study.title": "Study",
        "study.left": "{due} due   {new} new   {done} answered",
        "study.done": "Done for now",
        "study.done.answered": "You answered {count} in this session: {ratings}.",
        "study.next": "The next card is due in {interval}.",
        "study.none": "Nothing is waiting.",
        "study.more": "Press m to learn {count} new questions.",
        "study.browse": "Press esc to go back to the list.",
        "demo.title": "Demo",
        "demo.starting": "starting",
        "demo.running": "running",
        "demo.finished": "finished",
        "demo.failed": "failed",
        "demo.stopped": "stopped",
        "demo.broken": "broken on purpose",
        "demo.left": "{elapsed} so far, about {left} left",
        "demo.elapsed": "{elapsed}",
        "demo.loading": "A new Python process loads what the demo needs; that takes a few seconds.",
        "demo.look": "What to look at",
        "demo.try": "What to try:  learn-llm demo {slug} ...",
        "demo.breaks": "What is broken",
        "demo.holds": "The claim holds",
        "demo.fails": "The claim does not hold",
        "demo.fails.broken": "The claim does not hold, as it should: the cause was taken away",
        "demo.holds.broken": "The claim holds although the cause was taken away: this check could not fail",
        "demo.none": "The demo of question {number} is not built yet.",
        "demo.noverdict": "The demo ended without a verdict. The last lines it wrote stand below.",
        "metric.low": "low",
        "metric.high": "high",
        "metric.healthy": "healthy {range}",
        "metric.atleast": "from {low}",
        "metric.atmost": "up to {high}",
        "sample": "Sample",
        "prompt": "prompt",
        "response": "response",
        "notes": "Notes",
        "small": "This terminal has {width} x {height} characters.\nThe quiz needs {need_width} x {need_height}.\n"
        "Make it larger and go on, or press q to quit.",
        "help.title": "Keys",
        "help.close": "Press esc to go back.",
        "help.about": "Rate honestly: the rating decides when a question comes back. Partly is not Forgot.\n"
        "Answer aloud before you press space; then read, and run the demo that measures the claim.",
        "help.list": "In the list",
        "help.session": "In a session",
        "help.card": "On a card",
        "help.demo": "In a demo",
        "help.everywhere": "Everywhere",
        "command.key": "Key: {key}",
        "key.quit": "quit",
        "key.help": "help",
        "key.palette": "commands",
        "key.back": "back",
        "key.open": "open",
        "key.study": "study",
        "key.search": "search",
        "key.topics": "topic",
        "key.view": "view",
        "key.move": "move",
        "key.sideways": "view",
        "key.top": "first",
        "key.bottom": "last",
        "key.page": "page",
        "key.scroll_by": "scroll",
        "key.scroll_page": "page",
        "key.scroll_home": "first line",
        "key.scroll_end": "last line",
        "key.keep": "to the list",
        "key.drop": "all",
        "key.command_palette": "commands",
        "key.answer": "answer",
        "key.got_it": "got it",
        "key.undo": "undo",
        "key.demo": "demo",
        "key.rate": "rate",
        "key.next_due": "next due",
        "key.skip": "skip",
        "key.step": "next card",
        "key.scroll": "scroll",
        "key.run_demo": "run",
        "key.break_demo": "break it",
        "key.stop_demo": "stop",
        "key.close_demo": "close",
        "key.switch": "switch",
        "key.more": "more new",
        "key.select": "choose",
        "key.cursor_down": "down",
        "key.cursor_up": "up",
        "unit.soon": "< 1 min",
        "unit.min": "{n} min",
        "unit.h": "{n} h",
        "unit.d": "{n} d",
        "unit.mo": "{n} mo",
        "unit.y": "{n} y",
        "unit.s": "{n} s",
    },
    "ja": {
        "basic": "基礎",
    },
}


class Texts:
    """The texts of one language: `texts("rating.1")`, `texts("counts", due=3, new=5, seen=2, total=50)`."""

    def __init__(self, language: Language = "en") -> None:
        self.language: Language = language

    def __call__(self, key: str, /, **values: object) -> str:
        return TEXTS[self.language][key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in TEXTS[self.language]

    def interval(self, length: timedelta) -> str:
        """How long, to the precision one plans with: "10 min", "8 d", "4 mo"."""
        minutes = length.total_seconds() / 60
        if minutes < 1:
            return self("unit.soon")
        for unit, size, below in (("min", 1, 60), ("h", 60, 24), ("d", 60 * 24, 60), ("mo", 60 * 24 * 30.4, 18)):
            if round(minutes / size) < below:
                return self(f"unit.{unit}", n=round(minutes / size))
        return self("unit.y", n=f"{minutes / (60 * 24 * 365.25):.1f}")


def choose(option: str | None, environment: Mapping[str, str]) -> Language:
    """The language asked for by `--lang`, else by LEARN_LLM_LANG, else by the locale, else English."""
    for wanted in (option, environment.get("LEARN_LLM_LANG"), *map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))):
        if wanted:
            return "ja" if wanted.lower().startswith("ja") else "en"
    return "en"
