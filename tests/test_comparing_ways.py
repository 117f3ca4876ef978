"""The ways of training: each at a tiny size, what is kept and computed anew, what the table and the claim say."""

import json
import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from learn_llm import comparing_ways, examples
from learn_llm.charts import render
from learn_llm.comparing_ways import START, WAYS, Config, Result
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Note, Table, Verdict
from learn_llm.glossary import find
from tests.test_cli import Command, learn_llm

__all__ = ["learn_llm"]  # the fixture

TRAINING = ("prompt-tuning", "adapters", "lora", "qlora", "full", "rlhf")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Going a way in no time; returns which were gone, in order."""
    done: list[str] = []

    def go(config: Config, name: str) -> Generator[Metrics, None, Result]:
        done.append(f"{name} {config.seed}")
        yield Metrics(1, config.steps(name), {"loss": 1.0})
        better = 0.2 * (name in TRAINING and not config.break_)
        gold = [better + prompt / 100 for prompt in range(8)]
        return Result(gold, 100 * (name in TRAINING), 1000, 4000, 2**20, 1.0, 2048)

    monkeypatch.setattr(comparing_ways, "tried", lambda config, name, folder: go(config, name))
    monkeypatch.setattr(comparing_ways, "rlhf", lambda config, folder: go(config, "rlhf"))
    return done


def run(store: Path, **settings: Any) -> list[Event]:
    return list(comparing_ways.run(Config(store=str(store), **settings)))


def verdict(events: list[Event]) -> Verdict:
    assert isinstance(events[-1], Verdict)
    return events[-1]


def tables(events: list[Event]) -> list[Table]:
    return [event for event in events if isinstance(event, Table)]


def test_only_what_is_new_is_gone(quick: list[str], tmp_path: Path) -> None:
    run(tmp_path, ways=("lora",))
    assert quick == ["prompting 0", "lora 0"]
    run(tmp_path, ways=("lora", "full"), seeds=2)
    assert quick[2:] == ["full 0", "prompting 1", "lora 1", "full 1"]
    events = run(tmp_path, ways=("lora",), responses=960)
    assert quick[6:] == ["lora 0"]  # asking plainly does not depend on the budget
    assert any(isinstance(e, Note) and e.text.startswith("lora-seed-0 was made by other settings") for e in events)


def test_the_claim_is_about_the_ways_that_train(quick: list[str], tmp_path: Path) -> None:
    found = verdict(run(tmp_path))
    assert found.holds
    assert "prompt-tuning, adapters, lora, qlora, full, rlhf" in found.claim
    assert not verdict(run(tmp_path, break_=True)).holds
    assert not verdict(run(tmp_path, ways=("icil",))).holds


def test_steps_count_on_over_all_ways(quick: list[str], tmp_path: Path) -> None:
    steps = [e for e in run(tmp_path, ways=("lora", "rlhf")) if isinstance(e, Metrics)]
    assert [e.step for e in steps] == [1, 1, 2, 91, 92, 106]
    assert {e.steps for e in steps} == {106}


def test_the_report_names_what_is_compared(quick: list[str], tmp_path: Path) -> None:
    run(tmp_path / "store", report=str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Ways of training" in page
    assert "Gold score over prompting" in page
    assert all(f">{name}" in page for name in WAYS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ways": ("loar",)}, "there is no way 'loar'; there are lora"),
        ({"ways": (START,)}, "name a way beside prompting"),
        ({"seeds": 0}, "--seeds must be at least 1"),
        ({"responses": 100}, "--responses must be at least 192"),
    ],
)
def test_bad_settings_get_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Config(**settings)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled models, on next to nothing."""
    monkeypatch.setattr(examples, "HELD_OUT", 6)
    monkeypatch.setattr(comparing_ways, "MAX_NEW_TOKENS", 6)
    monkeypatch.setattr(comparing_ways, "BATCH", 4)
    monkeypatch.setattr(comparing_ways, "ROUND", 8)


def test_every_cell_is_measured(tiny: None, tmp_path: Path) -> None:
    events = run(tmp_path, responses=8)
    what, summary = tables(events)
    assert [row[0] for row in what.rows] == [row[0] for row in summary.rows] == list(WAYS)
    assert all(cell for row in what.rows for cell in row)
    rows = {row[0]: dict(zip(summary.columns, row, strict=True)) for row in summary.rows}
    for name, row in rows.items():
        numbers = [cell for cell in row.values() if not isinstance(cell, str)]
        expected_gaps = 3 if name == START else 0
        assert sum(cell is None for cell in numbers) == expected_gaps
        assert all(math.isfinite(cell) for cell in numbers if cell is not None)

    def cell(name: str, column: str) -> float:
        value = rows[name][column]
        assert isinstance(value, (int, float))
        return value

    everything = cell("full", "trained")
    assert [cell(name, "trained") for name in ("prompting", "icil", "prompt-tuning")] == [0, 0, 16 * 128]
    assert 0 < cell("adapters", "trained") < 0.05 * everything
    assert cell("lora", "trained") == cell("qlora", "trained") < 0.05 * everything
    assert cell("rlhf", "trained") == everything
    state = [cell(name, "state, MiB") for name in ("qlora", "prompting", "prompt-tuning", "full", "rlhf")]
    assert state == sorted(state)
    assert state[0] < 0.6 * state[1]
    assert state[3] == pytest.approx(4 * state[1], abs=0.2)
    assert cell("qlora", "peak, MiB") < cell("lora", "peak, MiB") < cell("full", "peak, MiB")
    kept = [cell(name, "kept a task, KiB") for name in ("prompting", "icil", "prompt-tuning", "lora", "full")]
    assert kept == sorted(kept)
    assert kept[-1] == pytest.approx(4 * everything / 1024, rel=0.02)
    assert [cell(name, "gold") for name in WAYS] != [cell(START, "gold")] * len(WAYS)
    [chart] = [event for event in events if isinstance(event, Chart)]
    assert max(map(len, render(chart, 78, 16).split("\n"))) <= 78
    names = {*verdict(events).measured, *(name for e in events if isinstance(e, Metrics) for name in e.values)}
    assert [name for name in names if find(name) is None] == []


def test_an_interrupted_way_begins_anew(tiny: None, tmp_path: Path) -> None:
    events = comparing_ways.run(Config(ways=("rlhf",), responses=16, store=str(tmp_path)))
    for event in events:
        if isinstance(event, Metrics) and "kl_coef" in event.values:
            events.close()  # type: ignore[attr-defined]
            break
    rest = run(tmp_path, ways=("rlhf",), responses=16)
    assert [e.step for e in rest if isinstance(e, Metrics) and "kl_coef" in e.values] == [2, 3]
    assert (tmp_path / "rlhf-seed-0" / "kept" / "model.safetensors").exists()


def test_broken_everyone_gets_somebody_elses_answer() -> None:
    from learn_llm.training import TrainConfig, prepare

    setup = prepare(TrainConfig(device="cpu"))
    same, other = (comparing_ways.examples(Config(responses=192, break_=broken), setup) for broken in (False, True))
    assert [row.prompt for row in same] == [row.prompt for row in other]
    assert sorted(row.response for row in same) == sorted(row.response for row in other)
    assert sum(a.response != b.response for a, b in zip(same, other, strict=True)) > 150


def test_the_command(learn_llm: Command) -> None:
    shown = learn_llm("compare", "ways", "--help").out
    assert all(name in shown for name in WAYS)
    assert learn_llm("compare", "ways", "lorra").err == "learn-llm: there is no way 'lorra'; there are lora, qlora\n"


def test_the_options_reach_the_comparison(learn_llm: Command, quick: list[str], tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command = ("compare", "ways", "lora", "--seeds", "2", "--seed", "4", "--responses", "960", "--json", "--check")
    kept = ("--store", str(tmp_path), "--report", str(report))
    result = learn_llm(*command, *kept)
    assert (result.code, quick) == (0, ["prompting 4", "lora 4", "prompting 5", "lora 5"])
    start, *_, found = map(json.loads, result.out.splitlines())
    assert (start["run"], start["config"]["responses"], found["holds"]) == ("compare ways", 960, True)
    assert report.exists()
    broken = learn_llm(*command, "--break", *kept)
    assert (broken.code, json.loads(broken.out.splitlines()[-1])["holds"]) == (0, False)
    assert learn_llm("compare", "ways", "icil", "--check", *kept).code == 1


@pytest.mark.parametrize("others", [(), ("ways",)])
def test_wrong_options_are_told(learn_llm: Command, others: tuple[str, ...]) -> None:
    assert "--seeds must be at least 1, not 0" in learn_llm("compare", *others, "--seeds", "0").err
    assert "--responses must be at least 192" in learn_llm("compare", *others, "--responses", "10").err
