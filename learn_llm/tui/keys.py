"""The bindings of the app, with the keys that the user has put into config.toml.

Textual's own keymap replaces a key by its binding's id, but drops the other bindings of that key: here one key does
several things, each in its state.  So the keys are chosen before the screens are imported: `use`, then `bindings`.
"""

from collections.abc import Iterator, Mapping, Sequence

from textual.binding import Binding, BindingType
from textual.keys import REPLACED_KEYS, key_to_character

from learn_llm.quizzes.config import Problem, config_path, load
from learn_llm.quizzes.texts import PRESS, Texts
from learn_llm.tui.key_table import TABLE, TOGETHER, TYPING

NAMED = {"space", "enter", "tab", "escape", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
NAMED |= {"up", "down", "left", "right", *(f"f{number}" for number in range(1, 25))}
MODIFIERS = {"ctrl", "shift", "alt"}
RESERVED = {"ctrl+c", "ctrl+p", "ctrl+q", "ctrl+i", "ctrl+m", "ctrl+j"}
"""Copy, the command palette, quit at once; and what terminals send for tab and enter."""
EDITING = {"space", "backspace", "delete", "left", "right", "home", "end"}
SHOWN = {"escape": "esc", "pagedown": "page down", "pageup": "page up"}

DEFAULTS: Mapping[str, str] = {
    f"{place}.{name}": row.keys for place, rows in TABLE.items() for name, row in rows.items()
}
_chosen: Mapping[str, str] = {}


def use(chosen: Mapping[str, str]) -> None:
    """Takes these keys instead of the usual ones.  Holds for the screens that are imported from now on."""
    global _chosen
    _chosen = chosen
    PRESS.update({id: key_name(keys_of(id)[0]) for id in DEFAULTS})


def keys_of(id: str) -> list[str]:
    """The keys of an action.

    >>> keys_of("card.answer")
    ['space', 'enter']
    """
    return _chosen.get(id, DEFAULTS[id]).split(",")


def bindings(place: str) -> list[BindingType]:
    """The bindings of a place, one for each key."""
    return [
        Binding(key, action.format(key=key), name, show=row.show, priority=row.priority, id=f"{place}.{name}")
        for name, row in TABLE[place].items()
        for action in row.action.split()
        for key in keys_of(f"{place}.{name}")
    ]


def key_name(key: str) -> str:
    """A key as it is written on a keyboard.

    >>> key_name("slash"), key_name("escape"), key_name("ctrl+z"), key_name("G")
    ('/', 'esc', 'ctrl+z', 'G')
    """
    return SHOWN.get(key) or _character(key) or key


def of_user() -> tuple[Mapping[str, str], list[Problem]]:
    """The keys that the user's config.toml asks for, and what is wrong with it."""
    file = load()
    chosen, problems = choose(file.keys)
    return chosen, [*file.problems, *problems]


def choose(wanted: Mapping[str, object]) -> tuple[dict[str, str], list[Problem]]:
    """What of the user's keys can be used, and what is wrong with the rest.

    >>> chosen, problems = choose({"card.answer": "z", "card.anwser": "z", "home.drill": "l"})
    >>> chosen, [problem.kind for problem in problems]
    ({'card.answer': 'z'}, ['action', 'conflict'])
    """
    chosen: dict[str, str] = {}
    problems: list[Problem] = []
    for id, text in wanted.items():
        keys = [_normal(key) for key in text.split(",")] if isinstance(text, str) else []
        found = list(_wrong(id, keys))
        problems += found
        if not found and ",".join(keys) != DEFAULTS[id]:
            chosen[id] = ",".join(dict.fromkeys(keys))
    while clash := _clash(chosen):
        id, other, key = clash
        problems.append(Problem("conflict", id=id, other=other, key=key, keys=DEFAULTS[id]))
        del chosen[id]
    return chosen, problems


def _wrong(id: str, keys: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with an entry by itself."""
    from difflib import get_close_matches  # only where something is changed

    if id not in DEFAULTS:
        yield Problem("action", near=get_close_matches(id, DEFAULTS, n=2), id=id)
    elif not any(keys):
        yield Problem("type", id=id, keys=DEFAULTS[id])
    else:
        for key in keys:
            if not _is_key(key):
                yield Problem("key", near=get_close_matches(key, NAMED, n=2), id=id, key=key)
            elif key in RESERVED:
                yield Problem("reserved", id=id, key=key)
            elif id.partition(".")[0] in TYPING and (key in EDITING or _character(key)):
                yield Problem("typing", id=id, key=key)


def _normal(key: str) -> str:
    """The key as Textual says it.

    >>> _normal(" Ctrl+Z "), _normal("?"), _normal("shift+g")
    ('ctrl+z', 'question_mark', 'G')
    """
    key = key.strip()
    key = key if len(key) == 1 else key.lower()
    key = key[-1].upper() if len(key) == 7 and key.startswith("shift+") and key[-1].isalpha() else key
    return next(iter(Binding.make_bindings([Binding(key, "")]))).key if key else ""


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    character = _character(last)
    return MODIFIERS.issuperset(modifiers) and (last in NAMED or (character != "" and character.isascii()))


def _character(key: str) -> str:
    """What the key types, "" for none."""
    character = key_to_character(REPLACED_KEYS.get(key, key)) or ""
    return character if character.isprintable() and character != " " else ""


def _typed(keys: str) -> set[str]:
    """The keys, each by one name only: `?` and question_mark are the same."""
    return {_character(key) or key for key in keys.split(",")}


def _clash(chosen: dict[str, str]) -> tuple[str, str, str] | None:
    """The last entry that takes a key from another action of its screen, that action, and the key.

    Actions that share a key in the table share it by intent: only one of them is possible at a time.
    """
    now = {**DEFAULTS, **chosen}
    for id in reversed(chosen):
        for other in DEFAULTS:
            if other != id and _together(id, other) and not _typed(DEFAULTS[id]) & _typed(DEFAULTS[other]):
                both = sorted(_typed(now[id]) & _typed(now[other]))
                if both:
                    return id, other, both[0]
    return None


def _together(id: str, other: str) -> bool:
    places = {id.partition(".")[0], other.partition(".")[0]}
    return any(places.issubset(group) for group in TOGETHER)


def listing(texts: Texts) -> Iterator[str]:
    """All actions as lines of a config.toml, each with what its key does."""
    yield f"# {texts('config.head', path=config_path())}"
    yield "[keys]"
    for place, rows in TABLE.items():
        yield f"\n# {texts(f'place.{place}')}"
        for name, row in rows.items():
            entry = f'{place}.{name} = "{",".join(keys_of(f"{place}.{name}"))}"'
            action = row.action.split()[0].partition("(")[0]
            yield f"{entry:<46}# {texts(f'key.{action}')}"


use({})
