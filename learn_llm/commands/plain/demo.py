"""The demo of a question, its events as lines; in a child process, as in the app: nothing it does ends the quiz."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from learn_llm.commands.plain.charts import by_token, described
from learn_llm.commands.plain.console import Console
from learn_llm.demos.catalogue import Demo, Parameter, find, told
from learn_llm.errors import UserError
from learn_llm.events import Chart, Note, Table, Tokens, Verdict
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.demo_history import Value, verdict_key
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.plain import inline
from learn_llm.showing import measured
from learn_llm.terminal import Plain

SEED = Parameter("seed", 0, "What is drawn at random.", low=0, high=999_999)


def run_demo(kit: Kit, console: Console, question: Question, words: Sequence[str], *, broken: bool = False) -> None:
    """Runs the demo to its end, or until Ctrl-C, which ends the demo alone; the verdict is kept.

    Args:
        words: parameters as NAME=VALUE.
        broken: without the cause of what is shown.
    """
    texts, demo = kit.texts, find(question.demo, kit.texts.language)
    if demo is None:
        console.say(texts("demo.none", number=question.number))
        return
    try:
        values = read_values(demo, words)
    except UserError as error:
        console.say(str(error))
        return
    console.say("", demo.title)
    if broken:
        console.say(f"{texts('demo.breaks')}: {inline(demo.breaks)}")
    console.say(f"{texts('demo.look')}: {inline(demo.look_at)}")
    console.say(texts("plain.demo.parameters", parameters=texts("plain.comma").join(map(_range, demo.parameters))))
    console.say(texts("plain.demo.wait", interval=texts.interval(timedelta(seconds=demo.seconds))), "")
    try:
        asyncio.run(_follow(kit, console, demo, broken, values))
    except KeyboardInterrupt:
        console.say("", texts("plain.demo.stopped"))
    console.say("")


def read_values(demo: Demo, words: Sequence[str]) -> dict[str, Value]:
    """The parameters that are given and differ from their defaults.  Raises UserError that says what is wrong.

    >>> read_values(find("what-is-ai"), ["seed=3"])
    {'seed': 3}
    """
    parameters = {parameter.name: parameter for parameter in (*demo.parameters, SEED)}
    values = {}
    for word in words:
        name, _, text = word.lstrip("-").partition("=")
        parameter = parameters.get(name.replace("-", "_"))
        if parameter is None or not text:
            raise UserError(f"{word!r} is no parameter of this demo: {', '.join(map(_range, parameters.values()))}")
        value = _read(parameter, text)
        if value != parameter.default:
            values[parameter.name] = value
    return values


def _read(parameter: Parameter, text: str) -> Value:
    try:
        match parameter.default:
            case bool():
                value: Value = bool(("no", "yes").index(text.casefold()))
            case int():
                value = int(text)
            case float():
                value = float(text)
            case _:
                value = text
    except ValueError:
        raise UserError(f"{text!r} does not fit: {_range(parameter)}") from None
    if fault := parameter.fault(value):
        raise UserError(fault)
    return value


def _range(parameter: Parameter) -> str:
    """A parameter with its default and what it may be."""
    default = parameter.default
    if isinstance(default, bool):
        return f"{parameter.name}={'yes' if default else 'no'} (yes, no)"
    if parameter.choices:
        return f"{parameter.name}={default} ({', '.join(map(str, parameter.choices))})"
    if parameter.low is None or parameter.high is None:
        return f"{parameter.name}={default}"
    return f"{parameter.name}={default} ({parameter.low:g} - {parameter.high:g})"


async def _follow(kit: Kit, console: Console, demo: Demo, broken: bool, values: Mapping[str, Value]) -> None:
    reader = Plain(sys.stdout)
    async with contextlib.aclosing(kit.follow(kit.command(demo, broken, values))) as events:
        async for event in events:
            if isinstance(event, (Chart, Table)):
                event = replace(event, title=told(demo.slug, event.title, kit.texts.language))
            if isinstance(event, (Chart, Tokens)):
                reader.close()
                console.say("", *(described(event, kit.texts) if isinstance(event, Chart) else by_token(event)))
            elif isinstance(event, Verdict):
                reader.close()
                said = kit.texts(verdict_key(event.holds, broken))
                console.say("", said, told(demo.slug, event.claim, kit.texts.language))
                numbers = measured(event.measured, console.width)
                console.show("".join(text for text, _ in line).rstrip() for line in numbers)
                kit.desk.keep_run(demo.slug, event, broken=broken, options=values)
            elif isinstance(event, Note):
                reader.show(Note(told(demo.slug, event.text, kit.texts.language)))
            else:
                reader.show(event)
    reader.close()
