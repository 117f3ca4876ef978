"""What a run has measured is found again as long as nothing has changed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from learn_llm import kept_runs
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, Verdict
from learn_llm.folders import data_folder
from learn_llm.kept_runs import KeptRun
from learn_llm.running import RunConfig


@dataclass(frozen=True)
class Config(RunConfig):
    model: str = "tiny-sft"
    tasks: tuple[str, ...] = ("a", "b")


TABLE = Table("Scores", ("name", "score"), (("a", 1.5), ("b", None)))
CHART = Chart("line", "Loss", "step", "nats", (Series("loss", (1.0, 2.0), (0.5, math.inf)),))


def run(config: Config) -> Iterator[Event]:
    yield Metrics(1, 2, {"loss": 0.5})
    yield from (TABLE, Stage("middle", 1, 1), Note("one"), Note(f"kept in {data_folder() / 'results'}"), CHART)
    yield Metrics(2, 2, {"loss": 0.25})
    yield Verdict("it holds", not config.break_, {"gold": 0.5 + config.seed})


def test_a_run_is_found_again_with_what_it_showed(tmp_path: Path) -> None:
    one = KeptRun("minimal_impls.fake", Config(seed=3), tmp_path)
    assert one.found() is None
    events = list(one.measure(run, "one/"))
    assert events == [Metrics(1, 2, {"one/loss": 0.5}), Metrics(2, 2, {"one/loss": 0.25})]
    found = one.found()
    assert found is not None
    assert (found.holds, found.values, found.claim) == (True, {"gold": 3.5}, "it holds")
    table, note, chart = found.shown("one")
    assert isinstance(table, Table)
    assert isinstance(chart, Chart)
    assert note == Note("one")
    assert str(data_folder()) not in (one.folder / "result.json").read_text("utf-8")
    assert (table.title, table.rows) == ("one: Scores", TABLE.rows)
    assert (chart.title, chart.series) == ("one: Loss", CHART.series)


def test_another_setting_is_another_run(tmp_path: Path) -> None:
    configs = [Config(), Config(seed=1), Config(break_=True), Config(model="tiny-base"), Config(tasks=("a",))]
    runs = [KeptRun("minimal_impls.fake", config, tmp_path) for config in configs]
    runs.append(KeptRun("minimal_impls.ppo", Config(), tmp_path))
    assert len({one.key() for one in runs}) == len({one.folder for one in runs}) == 6
    assert KeptRun("minimal_impls.fake", Config(), tmp_path).key() == runs[0].key()


def test_another_content_of_what_is_named_is_another_run(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    one, keys = KeptRun("minimal_impls.fake", Config(model=str(tmp_path / "model")), tmp_path), set()
    for text in ("one", "two"):
        (tmp_path / "model" / "model.safetensors").write_text(text)
        keys.add(one.key())
    assert len(keys) == 2


def test_an_interrupted_run_leaves_nothing_that_counts(tmp_path: Path) -> None:
    one = KeptRun("minimal_impls.fake", Config(), tmp_path)
    list(one.measure(run))
    next(one.measure(run))
    assert one.found() is None
    assert not one.outdated()


def test_what_other_code_has_kept_does_not_count(tmp_path: Path) -> None:
    one = KeptRun("minimal_impls.fake", Config(), tmp_path)
    list(one.measure(run))
    (one.folder / "key").write_text("another")
    assert one.outdated()
    assert one.found() is None
    list(one.measure(run))
    assert not one.outdated()
    assert one.found() is not None


def test_where_nothing_can_be_written_it_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file cannot be written: "):
        next(KeptRun("minimal_impls.fake", Config(), tmp_path / "file").measure(run))


def test_runs_lie_in_the_folder_of_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path))
    assert kept_runs.store() == tmp_path / "results"
