"""Reading a run: what is shown, exit codes, the command line, Ctrl-C, pipes and terminals."""

import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from learn_llm import running
from learn_llm.errors import MissingError, UserError
from learn_llm.events import Event, Metrics, Note, Sample, Stage, Start, Verdict, from_json
from learn_llm.running import RunConfig, execute, main
from learn_llm.terminal import Clock, Course
from tests import fake_run

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "tests.fake_run"]
HOLDS = Verdict("it works", True, {"kl": 0.5})
FAILS = Verdict("it works", False, {})


def saying(*events: Event) -> Callable[[RunConfig], Iterator[Event]]:
    def run(config: RunConfig) -> Iterator[Event]:
        yield from events

    return run


def shown(*events: Event, broken: bool = False) -> str:
    out = io.StringIO()
    execute(saying(*events), RunConfig(break_=broken), name="test", console=Console(file=out))
    return out.getvalue()


# The two readers


def test_json_lines_are_the_events_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(fake_run.run, fake_run.Config(steps=3), name="fake", json_output=True) == 0
    lines = capsys.readouterr().out.splitlines()
    events = [from_json(json.loads(line)) for line in lines]
    assert lines[0].startswith('{"event":"start","version":1,"run":"fake","config":{"seed":0,"break":false,"steps":3,')
    assert events[1:] == list(fake_run.run(fake_run.Config(steps=3)))
    assert isinstance(events[-1], Verdict)


def test_plain_output_says_everything_without_escapes() -> None:
    text = shown(*fake_run.run(fake_run.Config(steps=3)))
    assert "\x1b" not in text
    for expected in (
        "1/3  supervised fine-tuning",
        "step 3/3  loss",
        "clip_fraction 0.5 (high)",
        "The base is fixed",
        "response  green is the colour .",
        "scores    gold 0.8, reward 1.31",
        "  is    0.40 =====                          -0.10             -|",
        "  not   1.90 ========================       -1.30 -------------|",
        "Gold score while training",
        "correctness   3.10  3.9        0.80",
        "readability   4.00    -           -",
        "The claim holds\n  PPO raises the gold score over SFT",
        "made_up 1",
    ):
        assert expected in text


def test_plain_output_keeps_about_twenty_lines_of_metrics_with_the_last() -> None:
    stage: list[Event] = [Stage("long", 1, 1), *(Metrics(step, 997, {"loss": 1.0}) for step in range(1, 996))]
    steps = re.findall(r"^step (\d+)/997", shown(*stage, HOLDS), re.MULTILINE)
    assert 20 <= len(steps) <= 24
    assert (steps[0], steps[-1]) == ("1", "995")


def test_what_is_not_healthy_is_explained_when_its_stage_ends() -> None:
    text = shown(Stage("a", 1, 2), Metrics(1, 1, {"eos_rate": 0.1}), Stage("b", 2, 2), HOLDS)
    assert text.index("Low: responses are cut off") < text.index("2/2  b")
    assert "nan (not a number)" in shown(Metrics(1, 1, {"loss": float("nan")}), HOLDS)


def test_control_characters_in_a_text_do_not_reach_the_terminal() -> None:
    text = shown(Sample("a\x1b[2Jb\rc", "d\x07\x9be", {}), Note("[bold]not markup[/bold] :smile:"), HOLDS)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "abc" in text
    assert "[bold]not markup[/bold] :smile:" in text


def test_half_a_character_does_not_stop_a_run(capfd: pytest.CaptureFixture[str]) -> None:
    """A lone surrogate, as in the name of a file that is not UTF-8, cannot be encoded."""
    broken = Note("half \udc80 a character")
    assert execute(saying(broken, HOLDS), RunConfig(), name="test", json_output=True) == 0
    lines = capfd.readouterr().out.splitlines()
    assert from_json(json.loads(lines[1])) == broken
    assert "half a character" in shown(broken, HOLDS)


@pytest.mark.parametrize(
    ("verdict", "broken", "said"),
    [
        (HOLDS, False, "✓ The claim holds\n"),
        (FAILS, False, "✗ The claim does not hold\n"),
        (HOLDS, True, "✗ The claim holds, although the method was broken\n"),
        (FAILS, True, "✓ The claim does not hold, as it should with --break\n"),
    ],
)
def test_the_verdict_is_said_in_words(verdict: Verdict, broken: bool, said: str) -> None:
    assert said in shown(verdict, broken=broken)


def test_a_console_that_cannot_show_braille_gets_ascii() -> None:
    binary = io.BytesIO()
    out = io.TextIOWrapper(binary, encoding="ascii")
    execute(fake_run.run, fake_run.Config(steps=2), name="fake", console=Console(file=out))
    text = binary.getvalue().decode("ascii")
    assert "gold   **** PPO   oooo SFT" in text
    assert "+ The claim holds" in text


def test_a_course_keeps_few_values_at_equal_distances() -> None:
    course = Course()
    for step in range(10_000):
        course.add(float(step))
    gaps = {b - a for a, b in pairwise(course.values)}
    assert len(gaps) == 1
    assert Course.LIMIT / 2 <= len(course.values) <= Course.LIMIT


def test_the_time_that_is_left_follows_from_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock()
    said = [str(clock)]
    for now[0], step in ((105.0, 20), (106.0, 21), (110.0, 25), (185.0, 100)):
        clock.tick(Metrics(step, 100, {}))
        said.append(str(clock))
    assert said == ["", "", "1 min 19 s left", "1 min 15 s left", "done in 1 min 25 s"]


# Exit codes


@pytest.mark.parametrize(
    ("verdict", "broken", "check", "code"),
    [
        (HOLDS, False, False, 0),
        (FAILS, False, False, 0),
        (HOLDS, False, True, 0),
        (FAILS, False, True, 1),
        (HOLDS, True, True, 1),
        (FAILS, True, True, 0),
    ],
)
def test_a_check_fails_where_the_claim_did_not_come_out_as_it_should(
    verdict: Verdict, broken: bool, check: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(saying(verdict), RunConfig(break_=broken), name="test", check=check) == code
    assert ("check failed" in capsys.readouterr().err) == (code == 1)


@pytest.mark.parametrize(("error", "code"), [(UserError, 2), (MissingError, 3)])
def test_an_error_of_the_user_is_one_line_on_standard_error(
    error: type[UserError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(config: RunConfig) -> Iterator[Event]:
        yield Stage("loading", 1, 1)
        raise error("model nope not found: run `learn-llm model list`")

    assert execute(run, RunConfig(), name="test") == code
    captured = capsys.readouterr()
    assert captured.err == "error: model nope not found: run `learn-llm model list`\n"
    assert "loading" in captured.out


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((Note("hello"),), "without a verdict"),
        ((), "without a verdict"),
        ((HOLDS, Note("one more")), "said Note after its verdict"),
        ((HOLDS, HOLDS), "said Verdict after its verdict"),
        ((Start("me", {}), HOLDS), "said Start by itself"),
    ],
)
def test_a_run_must_end_in_exactly_one_verdict(events: tuple[Event, ...], reason: str) -> None:
    with pytest.raises(RuntimeError, match=reason):
        shown(*events)


def test_a_pipe_that_the_run_itself_lost_is_not_taken_for_the_reader() -> None:
    def run(config: RunConfig) -> Iterator[Event]:
        yield Note("hello")
        raise BrokenPipeError

    with pytest.raises(RuntimeError, match="a pipe of its own"):
        execute(run, RunConfig(), name="test")


# The command line


@dataclass(frozen=True)
class Config(RunConfig):
    """A configuration with a bound."""

    steps: int = 5
    """How many."""
    break_: bool = False
    """Leave out the mask."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UserError(f"--steps is {self.steps}, it must be at least 1")


def seen(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Config], str]:
    configs: list[Config] = []

    def run(config: Config) -> Iterator[Event]:
        configs.append(config)
        yield FAILS if config.break_ else HOLDS

    with pytest.raises(SystemExit) as stop:
        main(run, Config, argv)
    assert isinstance(stop.value.code, int)
    return stop.value.code, configs, capsys.readouterr().err


def test_the_options_are_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert seen([], capsys) == (0, [Config()], "")
    assert seen(["--steps", "7", "--seed=3", "--break"], capsys) == (0, [Config(3, True, 7)], "")
    assert seen(["--break", "--check"], capsys)[0] == 0


def test_the_name_of_the_run_is_that_of_its_module(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(fake_run.run, fake_run.Config, ["--json", "--steps", "1"])
    assert json.loads(capsys.readouterr().out.splitlines()[0])["run"] == "fake_run"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--stps", "3"], "error: there is no option --stps, did you mean --steps?"),
        (["--steps", "many"], "error: Error parsing --steps: invalid literal for int() with base 10: 'many'"),
        (["--steps"], "error: Missing value for argument '--steps'."),
        (["--steps", "0"], "error: --steps is 0, it must be at least 1"),
        (["seven"], "error: unexpected argument seven"),
        (["--break_"], "error: there is no option --break_, did you mean --break?"),
    ],
)
def test_a_bad_option_is_one_clear_line(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, configs, err = seen(argv, capsys)
    assert (code, configs) == (2, [])
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_help_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(fake_run.run, fake_run.Config, ["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for part in (
        "A small run for the tests",
        "--seed INT",
        "--break ",
        "--json",
        "--check",
        "--steps INT",
        "Steps of each",
    ):
        assert part in text
    assert "break_" not in text


def test_a_run_may_say_what_its_break_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(saying(HOLDS), Config, ["--help"])
    assert "Leave out the mask." in capsys.readouterr().out


def test_reading_runs_loads_nothing_heavy() -> None:
    code = "import sys, learn_llm.running; print([m for m in ('torch', 'numpy', 'rich', 'tyro') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"


# Ctrl-C


def test_ctrl_c_ends_the_run_at_its_next_event(capsys: pytest.CaptureFixture[str]) -> None:
    happened: list[str] = []

    def run(config: RunConfig) -> Iterator[Event]:
        try:
            yield Metrics(1, 3, {"loss": 1.0})
            signal.raise_signal(signal.SIGINT)
            happened.append("step finished")
            yield Metrics(2, 3, {"loss": 1.0})
            happened.append("another step")
        finally:
            happened.append("saved")

    before = signal.getsignal(signal.SIGINT)
    assert execute(run, RunConfig(), name="test") == 130
    assert happened == ["step finished", "saved"]
    assert signal.getsignal(signal.SIGINT) is before
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_does_not_wait_for_long(presses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running._Interrupt, "PATIENCE", 0.05 if presses == 1 else 60.0)

    def run(config: RunConfig) -> Iterator[Event]:
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)
        time.sleep(30)
        yield HOLDS

    begin = time.monotonic()
    assert execute(run, RunConfig(), name="test") == 130
    assert time.monotonic() - begin < 10


def test_an_interrupted_program_ends_with_130_after_saving(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    command = [*COMMAND, "--pause", "0.05", "--steps", "1000", "--json", "--out", str(saved)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"step":3,' in line:
                break
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "interrupted\n"
    last = json.loads(rest.splitlines()[-1])["step"] if rest else 3
    assert last <= int(saved.read_text(encoding="utf-8")) <= last + 1


# Pipes and terminals


def test_a_reader_that_goes_away_ends_the_run_quietly() -> None:
    with subprocess.Popen(
        [*COMMAND, "--json", "--steps", "20000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


def in_a_terminal(command: list[str], **environment: str) -> str:
    """What a program writes to a terminal of 80 by 24."""
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvpe(command[0], command, env | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"} | environment)
    written = b""
    try:
        while select.select([fd], [], [], 60)[0]:
            chunk = os.read(fd, 65536)
            if not chunk:
                break
            written += chunk
    except OSError:  # how Linux says that the other end of a pty was closed
        assert written
    finally:
        os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return written.decode("utf-8")


def test_a_terminal_gets_a_live_view_in_colour() -> None:
    text = in_a_terminal([*COMMAND, "--steps", "5", "--pause", "0.05"])
    assert "\x1b[36m" in text
    assert "\x1b[?25l" in text, "the cursor is hidden while the view is redrawn"
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "and shown again"
    assert "5/5   done in" in text
    assert "high, healthy: 0 to 0.3" in text
    assert "The claim holds" in text


def live(monkeypatch: pytest.MonkeyPatch, *events: Event, height: int = 24) -> str:
    """What a live view leaves on a screen of 80 columns, without the steps in between and without its escapes."""
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=80, height=height)
    execute(saying(*events), RunConfig(), name="test", console=console)
    rows, at = [""], 0
    for token in re.findall(r"\x1b\[[0-?]*[A-Za-z]|\n|\r|[^\x1b\n\r]+", out.getvalue()):
        if token == "\n":
            at += 1
            rows += [""] * (at == len(rows))
        elif token == "\x1b[1A":
            at -= 1
        elif token == "\x1b[2K":
            rows[at] = ""
        elif token.isprintable():
            rows[at] += token
    return "\n".join(row.rstrip() for row in rows)


def test_a_stage_stays_on_the_screen_once_as_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Metrics(step, 30, {"clip_fraction": step / 30}) for step in range(1, 31)]
    text = live(monkeypatch, Stage("PPO", 1, 1), *steps, Note("all done"), HOLDS)
    assert text.count("PPO") == 1
    assert re.search(r"^1/1  PPO +⠶{22}   30/30   done in \d+ s$", text, re.MULTILINE)
    assert re.search(r"^  clip_fraction +1   ⣀[⠀-⣿]{15}   high, healthy: 0 to 0.3$", text, re.MULTILINE)
    assert text.index("clip_fraction 1 (healthy: 0 to 0.3). High: the steps") < text.index("all done")


def test_what_is_said_in_the_middle_of_a_stage_stands_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = Metrics(1, 2, {"loss": 2.0}), Metrics(2, 2, {"loss": 1.0})
    text = live(
        monkeypatch, Stage("one", 1, 2), first, Sample("asked", "answered", {}), last, Stage("two", 2, 2), HOLDS
    )
    assert text.index("answered") < text.index("1/2  one") < text.index("2/2  two") < text.index("The claim holds")
    assert text.count("1/2  one") == 1


def test_metrics_need_neither_a_stage_nor_much_room(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"metric_{i}": float(i) for i in range(30)}
    text = live(monkeypatch, Metrics(1, 1, many), HOLDS, height=12)
    assert "metric_7" in text
    assert "metric_8" not in text
    assert "and 22 more" in text


def test_what_is_measured_now_and_then_stays_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    text = live(monkeypatch, Metrics(1, 3, {"loss": 2.0, "gold": 0.25}), Metrics(3, 3, {"loss": 1.0}), HOLDS)
    assert re.search(r"^  gold +0.25 ", text, re.MULTILINE)


def test_no_color_is_respected_in_a_terminal() -> None:
    text = in_a_terminal([*COMMAND, "--steps", "2"], NO_COLOR="1")
    assert re.findall(r"\x1b\[(?:3|4|9)\d*m", text) == []
    assert "The claim holds" in text


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"LEARN_LLM_PLAIN": "1"}], ids=["dumb", "plain"])
def test_where_a_live_view_is_not_wanted_lines_are_plain(environment: dict[str, str]) -> None:
    text = in_a_terminal([*COMMAND, "--steps", "2"], **environment)
    assert "\x1b" not in text
    assert "step 2/2  loss" in text
