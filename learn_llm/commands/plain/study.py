"""A session of study: what is due, then new questions, as in the app."""

from collections import Counter

from learn_llm.commands.plain.card import Cards
from learn_llm.commands.plain.console import Console
from learn_llm.quizzes.kit import Kit

MORE = 5
"""New questions that `more` brings beyond those of the day."""


def study(cards: Cards, *, more: bool = False) -> None:
    """Card after card until nothing waits or the learner goes back; then what was done and when to come again."""
    kit, desk = cards.kit, cards.kit.desk
    given: list[tuple[str, int]] = []
    most = desk.progress.begun_today() + (MORE if more else desk.new_left())
    id, revealed = _next(kit, most, None), False
    while id is not None:
        outcome = cards.ask(id, revealed=revealed)
        if outcome.what == "back":
            break
        revealed = outcome.what == "undone"
        if outcome.what == "rated":
            given.append((outcome.id, outcome.rating))
        elif revealed and given and given[-1][0] == outcome.id:
            given.pop()
        id = outcome.id if revealed else _next(kit, most, id)
    _sum_up(kit, cards.console, Counter(rating for _, rating in given), ended=id is None)


def _next(kit: Kit, most: int, after: str | None) -> str | None:
    """What comes next, where questions may be begun up to `most` of today."""
    return kit.desk.next(most - kit.desk.progress.begun_today(), after)


def _sum_up(kit: Kit, console: Console, ratings: Counter[int], *, ended: bool) -> None:
    texts, desk = kit.texts, kit.desk
    console.say("")
    if ended:
        console.say(texts("study.done"))
    if ratings:
        listed = texts("plain.comma").join(
            f"{texts(f'rating.{rating}')} {ratings[rating]}" for rating in sorted(ratings)
        )
        console.say(texts("study.done.answered", count=ratings.total(), ratings=listed))
    if ended:
        wait = desk.next_wait()
        console.say(texts("study.none") if wait is None else texts("study.next", interval=texts.interval(wait)))
        if desk.new():
            console.say(texts("plain.more", count=min(MORE, len(desk.new()))))
