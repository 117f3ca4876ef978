"""Following a run in a child process: what is said, what is garbage, and that no process stays behind."""

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

import pytest

from learn_llm import child
from learn_llm.events import Event, Metrics, Note, Start, Verdict
from learn_llm.running import read_child
from tests import fake_run

ROOT = Path(__file__).parents[1]
VERDICT = '{"event":"verdict","claim":"c","holds":true,"measured":{}}'


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


async def everything(argv: list[str]) -> list[Event]:
    return [event async for event in read_child(argv)]


def notes(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note)]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


async def is_gone(pid: int) -> bool:
    for _ in range(100):
        if not is_alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_events_of_a_run_arrive_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    events = await everything([sys.executable, "-m", "tests.fake_run", "--json", "--steps", "3"])
    assert isinstance(events[0], Start)
    assert events[0].run == "fake_run"
    assert events[1:] == list(fake_run.run(fake_run.Config(steps=3)))


async def test_garbage_becomes_notes_and_events_go_on() -> None:
    lines = [
        "",
        "  Downloading... ",
        "\x1b[31mred\x1b[0m",
        "3",
        "{broken",
        '{"event":"boom"}',
        '{"event":"note"}',
        VERDICT,
    ]
    events = await everything(python(f"print({chr(10).join(lines)!r})"))
    texts = notes(events)
    assert texts[:3] == ["Downloading...", "red", "3"]
    assert len(texts) == 6
    assert all(text.startswith("A line of the run could not be read") for text in texts[3:])
    assert "'boom'" in texts[4]
    assert isinstance(events[-1], Verdict)


async def test_bytes_that_are_no_text_and_very_long_lines_do_no_harm() -> None:
    code = "import sys\nsys.stdout.buffer.write(b'\\xff\\xfe\\n' + b'x' * 9_000_000 + b'\\n')\nprint('after')"
    texts = notes(await everything(python(f"{code}\nprint({VERDICT!r})")))
    assert texts[0] == "\ufffd\ufffd"
    assert "(a line of more than 8 MiB was skipped)" in texts
    assert texts[-1] == "after"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import sys; sys.stderr.write('working\\rerror: no such model\\n'); sys.exit(2)",
            "exit code 2.\nerror: no such model",
        ),
        ("raise ValueError('deep inside')", "ValueError: deep inside"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL. Perhaps the memory ran out."),
        ("import sys; sys.exit(130)", "The run was interrupted."),
        ("pass", "without a verdict"),
    ],
)
async def test_a_run_that_fails_ends_in_a_note(code: str, said: str) -> None:
    events = await everything(python(code))
    assert len(events) == 1
    assert said in notes(events)[0]


async def test_a_program_that_does_not_exist_is_a_note() -> None:
    assert "could not be started" in notes(await everything(["/no/such/program"]))[0]


async def test_the_environment_of_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    code = "import os, sys; print(os.environ['NO_COLOR'], os.environ['PYTHONUNBUFFERED'], sys.stdout.encoding)"
    code += "; print(sys.stdin.read() == '', os.getsid(0) == os.getpid())"
    assert notes(await everything([sys.executable, "-c", code]))[:2] == ["1 1 utf-8", "True True"]


IGNORES = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid()); time.sleep(60)"
PARENT = "import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', {inner!r}]).pid); {then}"
SLEEPS = "import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        pytest.param(f"import os; print(os.getpid()); {SLEEPS}", 1.5, id="willing"),
        pytest.param(IGNORES, 5.0, id="ignores the request"),
        pytest.param(PARENT.format(inner=SLEEPS, then="time.sleep(60)"), 1.5, id="has a child"),
        pytest.param(
            PARENT.format(inner=IGNORES, then="time.sleep(60)"), 5.0, id="has a child that ignores the request"
        ),
    ],
)
async def test_leaving_early_ends_every_process(code: str, limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.5)
    async with contextlib.aclosing(read_child(python(code))) as events:
        first = await anext(events)
        assert isinstance(first, Note)
        pid = int(first.text)
        assert is_alive(pid)
        begin = time.monotonic()
    assert time.monotonic() - begin < limit
    assert await is_gone(pid)


async def test_a_cancelled_task_ends_its_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.5)
    pids: list[int] = []

    async def follow() -> None:
        async for event in read_child(python(IGNORES)):
            assert isinstance(event, Note)
            pids.append(int(event.text))

    task = asyncio.create_task(follow())
    while not pids:
        await asyncio.sleep(0.02)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await is_gone(pids[0])


async def test_whoever_cancels_twice_waits_until_the_child_is_gone_all_the_same() -> None:
    """As the app does where a demo is stopped and the app left at once: no process is left unreaped, no pipe open."""
    pids: list[int] = []

    async def follow() -> None:
        async with contextlib.aclosing(read_child(python(IGNORES))) as events:
            async for event in events:
                assert isinstance(event, Note)
                pids.append(int(event.text))

    task = asyncio.create_task(follow())
    while not pids:
        await asyncio.sleep(0.02)
    begin = time.monotonic()
    task.cancel()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begin < child.GRACE  # by force at once
    with pytest.raises(ProcessLookupError):  # one that is not yet reaped still has its number
        os.kill(pids[0], 0)


async def test_a_child_left_behind_neither_delays_the_end_nor_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = time.monotonic()
    events = await everything(python(PARENT.format(inner=SLEEPS, then=f"print({VERDICT!r})")))
    assert time.monotonic() - begin < 20
    assert isinstance(events[-1], Verdict)
    assert isinstance(events[0], Note)
    assert await is_gone(int(events[0].text))


async def test_a_slow_reader_loses_nothing() -> None:
    line = '{"event":"metrics","step":%d,"steps":3000,"values":{"loss":1.0}}'
    steps: list[int] = []
    async for event in read_child(python(f"for i in range(3000): print({line!r} % i)\nprint({VERDICT!r})")):
        if isinstance(event, Metrics):
            steps.append(event.step)
            if event.step % 500 == 0:
                await asyncio.sleep(0.05)
    assert steps == list(range(3000))
    assert isinstance(event, Verdict)
