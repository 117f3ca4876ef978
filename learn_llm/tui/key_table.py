"""Every key of the app: where it holds and what it does.  A config.toml names them as `card.answer`."""

from collections.abc import Mapping
from typing import NamedTuple


class Key(NamedTuple):
    """The keys, the first of them the one that is shown, and the action; "{key}" in it is the key that was pressed.

    Of several actions, parted by blanks, the one that is possible is done.  `show` is for the bottom line.
    """

    keys: str
    action: str
    show: bool = True
    priority: bool = False


def _lines(up: str, down: str, page: str, top: str, bottom: str) -> dict[str, Key]:
    """The keys of what has lines: `up` is the action by lines, `page` that by pages."""
    return {
        "up": Key("up,k", up, show=False),
        "down": Key("down,j", down, show=False),
        "page_up": Key("pageup,ctrl+u,ctrl+b", f"{page}(-1)", show=False),
        "page_down": Key("pagedown,ctrl+d,ctrl+f", f"{page}(1)", show=False),
        "top": Key("home,g", top, show=False),
        "bottom": Key("end,G", bottom, show=False),
    }


TABLE: Mapping[str, Mapping[str, Key]] = {
    "app": {
        "help": Key("question_mark,f1", "help"),
        "quit": Key("q", "quit"),
    },
    "help": {
        "back": Key("escape,question_mark,f1", "back"),
    },
    "home": {
        "resume": Key("space,enter,s", "resume('{key}')"),
        "list": Key("l", "list"),
        "drill": Key("x", "drill"),
        "interview": Key("i", "interview"),
        "exercises": Key("e", "exercises"),
        "topics": Key("t", "topics"),
        "settings": Key("o", "settings"),
        "search": Key("slash", "search"),
    },
    "cards": {
        "demo": Key("d", "demo"),
        "exercises": Key("e", "exercises"),
        "undo": Key("u,ctrl+z", "undo"),
        "next_pane": Key("tab", "switch(1)"),
        "previous_pane": Key("shift+tab", "switch(-1)", show=False),
        "back": Key("escape,backspace", "back"),
    },
    "list": {
        "study": Key("s", "study"),
        "drill": Key("x", "drill"),
        "interview": Key("i", "interview"),
        "search": Key("slash", "search"),
        "topics": Key("t", "topics"),
        "next_due": Key("n", "next_due"),
        "previous_view": Key("left", "sideways(-1)"),
        "next_view": Key("right", "sideways(1)"),
        "previous_card": Key("left", "step(-1)", show=False),
        "next_card": Key("right", "step(1)", show=False),
    },
    "questions": {
        "open": Key("enter,space", "open"),
        **_lines("move(-1)", "move(1)", "page", "top", "bottom"),
    },
    "search": {
        "drop": Key("escape", "drop"),
        "keep": Key("enter,down", "keep"),
    },
    "study": {
        "more": Key("m", "more"),
        "skip": Key("n", "skip"),
    },
    "card": {
        "answer": Key("space,enter", "answer('{key}')"),
        "got_it": Key("space,enter", "got_it('{key}')"),
        "forgot": Key("1", "rate_two(1) rate(1)"),
        "partly": Key("2", "rate(2)"),
        "good": Key("3", "rate_two(3) rate(3)"),
        "easy": Key("4", "rate(4)"),
    },
    "page": _lines("scroll_by(-3)", "scroll_by(3)", "scroll_page", "scroll_home", "scroll_end"),
    "demo": {
        "stop": Key("x", "stop_demo"),
        "run": Key("r", "run_demo"),
        "break": Key("b", "break_demo"),
        "parameters": Key("p", "parameters"),
        "side_by_side": Key("v", "side_by_side"),
        "source": Key("c", "source"),
    },
    "tokens": {
        **_lines("move(-1)", "move(1)", "page", "top", "bottom"),
        "up": Key("up,k", "move(-1)"),
        "down": Key("down,j", "move(1)"),
        "left": Key("left", "beside(-1)"),
        "right": Key("right", "beside(1)"),
    },
    "source": {
        "previous_file": Key("left", "file(-1)", show=False),
        "next_file": Key("right", "file(1)"),
        "back": Key("escape,backspace,c", "back"),
    },
    "side_by_side": {
        "back": Key("escape,backspace,v", "back"),
    },
    "parameters": {
        "run": Key("r", "run_demo"),
        "back": Key("escape,p", "back"),
    },
    "drill": {
        "next": Key("space,enter", "next('{key}')"),
        "card": Key("o", "card"),
        "again": Key("x", "drill"),
        "back": Key("escape,backspace", "back"),
    },
    "choices": {
        **{f"option_{number}": Key(f"{number}", f"choose({number - 1})") for number in range(1, 5)},
        "select": Key("enter,space", "select('{key}')"),
        "open": Key("enter,space", "open('{key}')"),
        "up": Key("up,k", "move(-1)"),
        "down": Key("down,j", "move(1)"),
        "scroll_up": Key("up,k", "scroll_by(-3)", show=False),
        "scroll_down": Key("down,j", "scroll_by(3)", show=False),
    },
    "lines": {
        "select": Key("enter,space", "select"),
        "up": Key("up,k", "cursor_up", show=False),
        "down": Key("down,j", "cursor_down", show=False),
    },
    "values": {
        "left": Key("left", "turn(-1)"),
        "right": Key("right", "turn(1)"),
    },
    "exercises": {
        "check": Key("c", "check"),
        "hint": Key("h", "hint"),
        "edit": Key("e", "edit"),
        "next": Key("n", "next_exercise"),
        "solution": Key("s", "solution"),
        "question": Key("o", "question"),
        "make": Key("m", "make"),
        "back": Key("escape,backspace", "back"),
    },
    "exercise_questions": {
        "back": Key("escape,o", "back"),
    },
    "topics": {
        "back": Key("escape,t", "back"),
    },
    "settings": {
        "back": Key("escape,backspace,o", "back"),
    },
    "line": {
        "keep": Key("enter", "keep_value"),
    },
    "window": {
        "back": Key("escape", "back"),
    },
    "setup": {
        "back": Key("escape,backspace", "back"),
    },
    "setup_topics": {
        "done": Key("enter", "finish"),
        "mark": Key("space", "mark"),
        "up": Key("up,k", "cursor_up", show=False),
        "down": Key("down,j", "cursor_down", show=False),
    },
    "interview": {
        "write": Key("enter", "write"),
        "submit": Key("e", "submit"),
        "go_on": Key("space,enter", "go_on('{key}')"),
        "reveal": Key("space,enter", "reveal('{key}')"),
        **{f"point_{number}": Key(f"{number}", f"overrule({number})") for number in range(1, 10)},
        "forgot": Key("1", "grade_self(1)"),
        "partly": Key("2", "grade_self(2)"),
        "good": Key("3", "grade_self(3)"),
        "demo": Key("d", "mend"),
        "back": Key("escape,backspace", "back"),
    },
    "answer": {
        "submit": Key("ctrl+d", "submit", priority=True),
        "leave": Key("escape", "leave_area", priority=True),
    },
}
"""By place: a screen, or a part of one that has the focus."""
TOGETHER: tuple[tuple[str, ...], ...] = (
    ("app", "home"),
    ("app", "cards", "list", "questions"),
    ("app", "cards", "list", "search"),
    ("app", "cards", "list", "card", "page"),
    ("app", "cards", "list", "demo", "page"),
    ("app", "cards", "study", "card", "page"),
    ("app", "cards", "study", "demo", "page"),
    ("app", "side_by_side", "tokens"),
    ("app", "source", "page"),
    ("app", "drill", "choices", "page"),
    ("app", "exercises", "lines"),
    ("app", "exercises", "page"),
    ("app", "exercise_questions", "lines"),
    ("app", "topics", "lines"),
    ("app", "settings", "lines", "values"),
    ("app", "parameters", "lines", "values"),
    ("app", "setup", "lines", "values"),
    ("app", "setup_topics", "window"),
    ("app", "interview", "page"),
    ("app", "interview", "answer"),
    ("app", "line", "window"),
    ("app", "help", "page"),
)
"""The places whose keys are in force at the same time."""
TYPING = ("search", "line", "window", "answer")
"""The places where text is typed: what types or edits does nothing else there."""
