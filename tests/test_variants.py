"""`--full`: every variant is a run of its own, what is finished is not run again, and the verdict is about all."""

import doctest
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from learn_llm import examples
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Note, Stage, Table, Verdict
from learn_llm.glossary import find
from learn_llm.minimal_impls import dpo, variants
from learn_llm.minimal_impls.variants import FULL, Full, all_gain, full, rising
from learn_llm.running import RunConfig
from tests.small_models import llama_folder, world_tokenizer


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(variants)
    assert result.attempted >= 1
    assert result.failed == 0


@pytest.mark.parametrize("name", FULL)
def test_every_variant_can_be_made_and_differs_from_all_others(name: str) -> None:
    config = import_module(f"learn_llm.minimal_impls.{name}").Config
    made = [config(**settings) for settings in FULL[name].settings.values()]
    assert len(set(made)) == len(made) >= 3
    assert not any(one.full for one in made)
    assert [number for number in FULL[name].numbers if find(number) is None] == []


# One method in place of all


@dataclass(frozen=True)
class Config(RunConfig):
    size: int = 1
    full: bool = False
    data: str = ""


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """The sizes that were run, in order."""
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path))
    settings: dict[str, dict[str, Any]] = {"small": {}, "middle": {"size": 2}, "large": {"size": 3}}
    monkeypatch.setattr(variants, "FULL", {"fake": Full(settings, ("gold", "ci_low"), "It gains", all_gain)})
    return []


def run(done: list[int], config: Config) -> list[Event]:
    def one(config: Config) -> Iterator[Event]:
        yield from full("fake", one, config) if config.full else own(config)

    def own(config: Config) -> Iterator[Event]:
        done.append(config.size)
        yield Metrics(1, 1, {"loss": float(config.size)})
        yield Table("Own", ("a",), ((config.size,),))
        if config.seed == 9 and config.size == 3:
            raise KeyboardInterrupt
        yield Verdict("own", False, {"gold": 1.0 * config.size, "ci_low": -1.0 if config.break_ else 0.1})

    return list(one(config))


def test_every_variant_is_run_once_and_stands_in_one_table(done: list[int]) -> None:
    events = run(done, Config(full=True))
    assert done == [1, 2, 3]
    assert [event.name for event in events if isinstance(event, Stage)] == ["small", "middle", "large"]
    assert [dict(e.values) for e in events if isinstance(e, Metrics)] == [
        {"small/loss": 1.0}, {"middle/loss": 2.0}, {"large/loss": 3.0}
    ]  # fmt: skip
    tables = [event for event in events if isinstance(event, Table)]
    assert [table.title for table in tables] == ["small: Own", "middle: Own", "large: Own", "Every variant"]
    assert tables[-1].columns == ("variant", "gold", "ci low", "seconds")
    assert [row[:3] for row in tables[-1].rows] == [("small", 1.0, 0.1), ("middle", 2.0, 0.1), ("large", 3.0, 0.1)]
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert (verdict.claim, verdict.holds) == ("It gains", True)
    assert verdict.measured["large/gold"] == 3
    again = run(done, Config(full=True))
    assert done == [1, 2, 3], "nothing is run again"
    assert again == [event for event in events if not isinstance(event, Metrics)]


def test_after_an_interruption_it_goes_on_with_the_variant_that_was_under_way(done: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(done, Config(full=True, seed=9))
    with pytest.raises(KeyboardInterrupt):
        run(done, Config(full=True, seed=9))
    assert done == [1, 2, 3, 3]


def test_broken_is_kept_apart_and_does_not_hold(done: list[int]) -> None:
    run(done, Config(full=True))
    verdict = run(done, Config(full=True, break_=True))[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert done == [1, 2, 3, 1, 2, 3]


def test_what_it_does_not_take_is_said(done: list[int]) -> None:
    with pytest.raises(UserError, match="it takes no --data"):
        run(done, Config(full=True, data="pairs.jsonl"))
    assert done == []


def test_several_processes_are_refused(done: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="--full runs in one process"):
        run(done, Config(full=True))


def test_without_numbers_and_claim_each_variant_speaks_for_itself(
    done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "FULL", {"fake": Full({"one": {}, "two": {"size": 2}})})
    events = run(done, Config(full=True))
    assert sum(isinstance(event, Table) for event in events) == 2
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert (verdict.claim, verdict.holds) == ("own. own", False)


def test_rising_is_strict() -> None:
    assert rising([0.0, 0.5, 0.75])
    assert not rising([0.0, 0.5, 0.5])


# The files


@pytest.mark.parametrize("name", FULL)
def test_the_file_hands_itself_over(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = import_module(f"learn_llm.minimal_impls.{name}")
    given: list[Any] = []

    def taken(*arguments: Any) -> Iterator[Event]:
        given.extend(arguments)
        yield Note("taken")

    monkeypatch.setattr(module, "full", taken)
    config = module.Config(full=True)
    assert list(module.run(config)) == [Note("taken")]
    assert given == [name, module.run, config]


def test_a_method_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path))
    monkeypatch.setattr(examples, "HELD_OUT", 12)
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    sizes: dict[str, Any] = {"steps": 1, "batch_size": 4, "pairs": 8, "held_out_pairs": 4, "max_new_tokens": 3}
    config = dpo.Config(model=model, device="cpu", pairs_from="people", full=True, **sizes)
    events = list(dpo.run(config))
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert {name.partition("/")[0] for name in verdict.measured} == set(FULL["dpo"].settings)
    told = [name for event in events if isinstance(event, Metrics) for name in event.values]
    assert [name for name in (*told, *verdict.measured) if find(name) is None] == []
    assert len(list((tmp_path / "results").iterdir())) == len(FULL["dpo"].settings)
    again = list(dpo.run(config))
    assert again == [event for event in events if not isinstance(event, Metrics)]
