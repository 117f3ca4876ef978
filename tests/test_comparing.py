"""The comparison: what is kept, what is computed anew, what goes on, and what the table says."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from learn_llm import comparing, digests, examples
from learn_llm.comparing import Config, Result, gain
from learn_llm.comparing_arms import ARMS, stages_of, taken
from learn_llm.comparing_report import intervals, write_report
from learn_llm.errors import UserError
from learn_llm.evaluation import Interval
from learn_llm.events import Event, Metrics, Note, Stage, Table, Verdict
from learn_llm.training import STATE, TrainConfig


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Training and asking in no time; returns what was trained or asked, in order."""
    done: list[str] = []

    def train(name: str, stages: Sequence[TrainConfig], out: Path) -> Iterator[Metrics]:
        done.append(f"train {name} {stages[0].seed}")
        steps = sum(stage.steps for stage in stages)
        yield Metrics(steps, steps, {"loss": 1.0})

    def ask(name: str, seed: int, trained: Path | None, seconds: float | None, config: Config) -> Result:
        done.append(f"ask {name} {seed}")
        better = list(ARMS).index(name) / 10 * (0 if config.break_ else 1)
        gold = [better + prompt / 100 + seed for prompt in range(8)]
        return Result(gold, {"logical_correctness": 3 + better}, better, 5.0, 7 if trained else 0, 1.0)

    monkeypatch.setattr(comparing, "_train", train)
    monkeypatch.setattr(comparing, "_ask", ask)
    return done


def run(**settings: Any) -> list[Event]:
    return list(comparing.run(dataclasses.replace(Config(), **settings)))


def verdict(events: list[Event]) -> Verdict:
    assert isinstance(events[-1], Verdict)
    return events[-1]


def test_another_seed_or_arm_computes_only_what_is_new(quick: list[str], tmp_path: Path) -> None:
    run(arms=("dpo",), store=str(tmp_path))
    assert quick == ["ask sft 0", "train dpo 0", "ask dpo 0"]
    quick.clear()
    run(arms=("dpo", "ppo"), seeds=2, store=str(tmp_path))
    assert quick == ["train ppo 0", "ask ppo 0", "ask sft 1", "train dpo 1", "ask dpo 1", "train ppo 1", "ask ppo 1"]
    quick.clear()
    events = run(arms=("dpo", "ppo"), seeds=2, store=str(tmp_path))
    assert not quick
    assert next(e.name for e in events if isinstance(e, Stage)) == "sft, seed 0"


def test_other_settings_are_computed_anew_and_it_is_said(quick: list[str], tmp_path: Path) -> None:
    run(arms=("dpo",), store=str(tmp_path))
    events = run(arms=("dpo",), store=str(tmp_path), responses=960)
    assert quick[3:] == ["train dpo 0", "ask dpo 0"]  # the start does not depend on the budget
    assert any(isinstance(e, Note) and e.text.startswith("dpo-seed-0 was made by other settings") for e in events)


def test_a_broken_comparison_is_kept_apart_and_does_not_hold(quick: list[str], tmp_path: Path) -> None:
    assert verdict(run(arms=("dpo",), store=str(tmp_path))).holds
    assert not verdict(run(arms=("dpo",), store=str(tmp_path), break_=True)).holds
    assert verdict(run(arms=("dpo",), store=str(tmp_path))).holds
    assert len(quick) == 6


def test_a_damaged_result_is_computed_anew(quick: list[str], tmp_path: Path) -> None:
    run(arms=("dpo",), store=str(tmp_path))
    (tmp_path / "dpo-seed-0" / "result.json").write_text("{", "utf-8")
    run(arms=("dpo",), store=str(tmp_path))
    assert quick[3:] == ["train dpo 0", "ask dpo 0"]


def test_the_interval_is_over_prompts_for_one_seed_and_over_seeds_for_more() -> None:
    def result(*gold: float) -> Result:
        return Result(gold, {}, 0.0, 1.0, 0, 0.0)

    one = gain([result(1.0, 2.0, 3.0)], [[0.0, 0.0, 0.0]])
    assert (one.mean, round(one.low, 3)) == (2.0, -0.484)
    two = gain([result(1.0, 3.0), result(3.0, 5.0)], [[0.0, 0.0], [1.0, 1.0]])  # 2 and 3
    assert (two.mean, round(two.high - two.mean, 2)) == (2.5, 6.35)


def test_the_table_sets_each_arm_beside_the_start(quick: list[str], tmp_path: Path) -> None:
    events = run(arms=("dpo", "ppo"), seeds=3, store=str(tmp_path))
    table = next(e for e in events if isinstance(e, Table) and "over SFT" in e.columns)
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert list(rows) == ["sft", "dpo", "ppo"]
    assert rows["sft"]["over SFT"] is None
    assert rows["dpo"]["over SFT"] == pytest.approx(0.3)
    assert rows["dpo"]["wins"] == 1.0
    assert rows["ppo"]["gold"] == pytest.approx(rows["sft"]["gold"] + 0.7)  # type: ignore[operator]
    measured = verdict(events).measured
    assert measured["ppo/gold_difference"] == pytest.approx(0.7)
    assert measured["ppo/ci_low"] <= 0.7 + 1e-9


def test_metrics_count_on_over_all_arms(quick: list[str], tmp_path: Path) -> None:
    steps = [e for e in run(arms=("dpo", "ppo"), store=str(tmp_path)) if isinstance(e, Metrics)]
    assert [e.step for e in steps] == [1, 51, 51, 66, 66]
    assert {e.steps for e in steps} == {66}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"arms": ("pqo",)}, "there is no arm 'pqo'; there are ppo"),
        ({"arms": ("sft",)}, "name an arm beside sft"),
        ({"seeds": 0}, "--seeds must be at least 1"),
        ({"responses": 100}, "--responses must be at least 192"),
    ],
)
def test_bad_settings_get_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Config(**settings)


def test_the_report_needs_nothing_else_and_shows_every_arm(quick: list[str], tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.html"
    run(arms=("dpo", "ppo"), seeds=2, store=str(tmp_path / "store"), report=str(file))
    page = file.read_text("utf-8")
    assert all(f">{name}" in page for name in ("sft", "dpo", "ppo"))
    assert "<script" not in page
    assert "http" not in page


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UserError, match=r"--report .* cannot be written"):
        write_report(tmp_path / "file" / "report.html", (), {"a": Interval(0, 0, 0)}, (), Verdict("c", True, {}))


def test_text_in_a_chart_is_escaped() -> None:
    assert "<b>" not in intervals({"<b>": Interval(0.1, 0.0, 0.2)})


@pytest.mark.parametrize("name", [name for name, arm in ARMS.items() if arm.method])
def test_every_arm_keeps_to_the_budget(name: str) -> None:
    for budget in (1920, 2880, 5760):
        stages = stages_of(name, 3, budget, False)
        assert {made.seed for made in stages} == {3}
        assert sum(map(taken, stages)) == budget


def test_the_budget_decides_about_the_steps() -> None:
    """What is read twice as often counts once; what is left of a budget behind the last whole round stays unused."""
    steps = {name: [made.steps for made in stages_of(name, 0, 5760, False)] for name, arm in ARMS.items() if arm.method}
    assert steps["dpo"] == [100]
    assert steps["coh"] == [160]
    assert steps["ppo"] == steps["grpo"] == steps["reinforce"] == [30]
    assert steps["rejection-then-ppo"][1] == 15
    (dpo,) = stages_of("dpo", 0, 2880, False)
    assert (dpo.steps, dpo.batch_size, dpo.pairs) == (50, 64, 1440)  # type: ignore[attr-defined]
    assert taken(dataclasses.replace(dpo, steps=5)) == 2 * 5 * 64
    assert sum(map(taken, stages_of("ppo", 0, 1000, False))) == 960


def test_a_real_arm_that_was_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 8)
    config = Config(arms=("ppo",), responses=384, store=str(tmp_path))
    events = comparing.run(config)
    for event in events:
        if isinstance(event, Metrics) and "kl_coef" in event.values:
            events.close()  # type: ignore[attr-defined]
            break
    assert (tmp_path / "ppo-seed-0" / "run" / STATE).exists()
    rest = list(comparing.run(config))
    assert [e.step for e in rest if isinstance(e, Metrics) and "kl_coef" in e.values] == [3]
    kept = json.loads((tmp_path / "ppo-seed-0" / "result.json").read_text("utf-8"))
    assert len(kept["gold"]) == 8
    assert kept["trained"] > 0
    assert not (tmp_path / "ppo-seed-0" / "run" / STATE).exists()
    assert verdict(rest).measured["prompts"] == 8


def test_the_second_stage_goes_on_where_the_first_one_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rejection sampling, then PPO: stopped within the second stage, the first one is not trained again."""
    seen: list[tuple[str, str, int]] = []

    class Method:
        def __init__(self, name: str) -> None:
            self.name = name

        def run(self, config: TrainConfig) -> Iterator[Event]:
            seen.append((self.name, Path(config.model).name, config.steps))
            folder = Path(config.out)
            folder.mkdir(exist_ok=True)
            for step in range(1, config.steps + 1):
                (folder / STATE).touch()
                yield Metrics(step, config.steps, {"loss": 0.0})

    stages = stages_of("rejection-then-ppo", 0, 1920, False)
    assert [stage.steps for stage in stages] == [6, 5]
    monkeypatch.setattr(comparing, "module", Method)
    run = comparing._train("rejection-then-ppo", stages, tmp_path / "run")
    assert [next(run).step for _ in range(8)] == [1, 2, 3, 4, 5, 6, 7, 8]
    run.close()  # type: ignore[attr-defined]
    assert [metrics.step for metrics in comparing._train("rejection-then-ppo", stages, tmp_path / "run")][-1] == 11
    first, then = ("best_of_n", "tiny-sft", 6), ("ppo", "first", 5)
    assert seen == [first, then, then]


def test_a_first_stage_that_was_killed_before_it_saved_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without a state is that of a stage that had only begun; before, it passed for a finished one."""
    trained: list[tuple[str, str]] = []
    killed = True

    class Method:
        def __init__(self, name: str) -> None:
            self.name = name

        def run(self, config: TrainConfig) -> Iterator[Event]:
            folder = Path(config.out)
            folder.mkdir(exist_ok=True)
            if killed:
                raise KeyboardInterrupt
            trained.append((self.name, Path(config.model).name))
            (folder / STATE).touch()
            yield Metrics(config.steps, config.steps, {"loss": 0.0})

    stages = stages_of("rejection-then-ppo", 0, 1920, False)
    monkeypatch.setattr(comparing, "module", Method)
    with pytest.raises(KeyboardInterrupt):
        list(comparing._train("rejection-then-ppo", stages, tmp_path / "run"))
    killed = False
    list(comparing._train("rejection-then-ppo", stages, tmp_path / "run"))
    assert trained == [("best_of_n", "tiny-sft"), ("ppo", "first")]


def test_an_arm_that_was_interrupted_has_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 8)
    config = Config(arms=("ppo",), responses=384, store=str(tmp_path))
    events = comparing.run(config)
    next(event for event in events if isinstance(event, Metrics) and "kl_coef" in event.values)
    events.close()  # type: ignore[attr-defined]
    summary = next(e for e in comparing.run(config) if isinstance(e, Table) and "seconds" in e.columns)
    seconds = {row[0]: row[-1] for row in summary.rows}
    assert seconds["ppo"] is None
    assert isinstance(seconds["sft"], float)


def test_what_the_comparison_itself_does_counts_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = list[str]()
    monkeypatch.setattr(comparing, "digest", lambda modules, *parts: hashed.extend(modules))
    comparing._key("best-of-n", 0, Config(), ())
    assert hashed == ["learn_llm.comparing"]
    files = {file.name for file in digests.sources(hashed[0])}
    assert {"comparing.py", "comparing_arms.py", "best_of_n.py", "reward_model.py"} <= files


def test_two_stages_need_a_round_each() -> None:
    Config(arms=("ppo",), responses=192)
    with pytest.raises(UserError, match="--responses must be at least 384, a round of PPO a stage, not 192"):
        Config(arms=("rejection-then-ppo",), responses=192)
