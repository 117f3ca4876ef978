"""`learn-llm exercise run`: the learner's function in place of ours, in a real run."""

import importlib
from pathlib import Path

import pytest
import tyro
from click.testing import CliRunner

from learn_llm.commands.exercise import exercise as command
from learn_llm.errors import UserError
from learn_llm.events import Event
from learn_llm.exercises.courses import Course, load_course
from learn_llm.exercises.replaced import Counted, function_in, put_in_place
from learn_llm.exercises.side_by_side import SideBySide
from learn_llm.exercises.skeleton import files, method_of, mistaken, run_options
from learn_llm.exercises.state import Desk, make
from learn_llm.exercises.telling import compared


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make(tmp_path / "desk", None, "en")[0]


def test_no_run_takes_a_learner_long(course: Course) -> None:
    rows = {}
    for exercise in course.exercises:
        try:
            method, _ = method_of(exercise)
        except UserError:
            continue
        config = tyro.cli(importlib.import_module(method).Config, args=run_options(exercise))
        rows[exercise.name] = getattr(config, "steps", 0) * getattr(config, "batch_size", 0)
    assert max(rows.values()) <= 20_000, max(rows, key=rows.__getitem__)  # the reward model by itself: 76,800
    assert rows["bradley_terry"] == rows["calibration"] == rows["calibration_error"] == 1200


@pytest.mark.parametrize("name", ["entropy", "rope"])
def test_the_solution_gives_the_same_events(name: str, course: Course) -> None:
    exercise = course.get(name)
    method, target = method_of(exercise)
    module, texts, counted = importlib.import_module(method), files(exercise), Counted()

    def events() -> list[Event]:
        return list(module.run(module.Config()))

    ours = events()
    before = put_in_place(target, counted.wrap(function_in(texts.solution, "answer.py", texts.function)))
    try:
        assert events() == ours
    finally:
        put_in_place(target, before)
    assert counted.calls > 0
    assert getattr(module, texts.function) is before


def test_the_command_says_where_two_runs_part(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.root)
    exercise = desk.course.get("attention_weights")
    path = desk.path(exercise)
    noisy = files(exercise).solution.replace("    scores", '    print({"my": "note"}, end="")\n    scores', 1)
    path.write_text(noisy)
    words = ["run", exercise.name, "--steps", "20"]
    same = CliRunner().invoke(command, words)
    assert same.exception is None, same.output
    assert "bit for bit" in same.output
    assert "<" not in same.output
    path.write_text(mistaken(exercise, "divided_by_d"))
    parted = CliRunner().invoke(command, words)
    assert "They part at step" in parted.output
    assert "   <" in parted.output


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "there is no file"), (b"# \xe9", "not UTF-8"), (b"x = 1", "no function attention_weights")],
)
def test_a_file_that_cannot_run_is_one_clear_line(
    content: bytes | None, told: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.root)
    path = desk.path(desk.course.get("attention_weights"))
    path.unlink() if content is None else path.write_bytes(content)
    result = CliRunner().invoke(command, ["run", "attention_weights", "--steps", "20"])
    assert isinstance(result.exception, UserError)
    assert told in str(result.exception)
    assert "Error" not in str(result.exception)


def test_a_run_of_what_is_not_written_says_so(desk: Desk) -> None:
    exercise = desk.course.get("attention_weights")
    with pytest.raises(UserError, match="it is not written yet: attention_weights"):
        list(SideBySide(exercise, desk.path(exercise), ["--steps", "20"]).run())


def test_a_function_that_was_not_called_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = desk.course.get("ipo_loss")
    pair = SideBySide(exercise, desk.path(exercise), ["--steps", "1"])
    assert pair.arguments == [*run_options(exercise), "--steps", "1"] == ["--loss", "ipo", "--steps", "1"]
    monkeypatch.setattr(pair, "run", lambda: iter(()))
    told = list(compared(pair, "en"))
    assert "dpo --loss ipo --steps 1" in told[0]
    assert "never called ipo_loss" in told[-1]
