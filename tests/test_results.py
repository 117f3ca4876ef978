"""docs/results.md: what is kept is not run again, what is said follows from the interval, every claim can be made."""

import doctest
import itertools
import json
import math
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from learn_llm import digests, folders, results, results_claims, results_page
from learn_llm.commands.results import results as command
from learn_llm.digests import code, sources
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Note, Stage, Table, Verdict
from learn_llm.glossary import find
from learn_llm.kept_runs import Measured
from learn_llm.minimal_impls import coh_rows
from learn_llm.model_store import bundled_folder
from learn_llm.results import Config
from learn_llm.results_claims import RUNS
from learn_llm.results_claims import answer as answers
from learn_llm.results_claims.answer import answer, value
from learn_llm.results_claims.claim import Claim, Run
from learn_llm.running import RunConfig


@pytest.mark.parametrize("module", [folders, answers, digests, results_page])
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted >= 1
    assert result.failed == 0


# The table of claims


@pytest.mark.parametrize("name", RUNS)
def test_every_run_can_be_made_and_names_numbers_that_are_explained(name: str) -> None:
    one = RUNS[name]
    made = import_module(f"learn_llm.{one.module}").Config(seed=1, **one.settings)
    assert made.seed == 1
    assert one.claims
    assert one.about.endswith((".", "?"))
    for claim in one.claims:
        for number in claim.number.replace(" - ", " / ").split(" / "):
            assert find(number.strip("|")) is not None, number
        assert "|" not in claim.text + claim.source + claim.not_comparable
        assert claim.source
    for module in one.also:
        assert sources(f"learn_llm.{module}")


def test_chain_of_hindsight_is_measured_with_every_arm_that_there_is() -> None:
    assert RUNS["coh"].settings["arms"] == (*coh_rows.ARMS, coh_rows.PPO)


# One method in place of all


@dataclass(frozen=True)
class FakeConfig(RunConfig):
    size: int = 1


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two runs of a method that takes no time; what has been run, in order."""
    seen: list[str] = []

    def run(config: FakeConfig) -> Iterator[Event]:
        seen.append(f"{config.size} {config.seed}")
        yield Metrics(1, 1, {"loss": 1.0})
        if config.seed == 99:
            raise KeyboardInterrupt
        yield Verdict("it holds", not config.break_, {"gold": config.size + config.seed / 10, "kl": 2.0})

    module = ModuleType("learn_llm.minimal_impls.fake")
    module.__dict__.update(Config=FakeConfig, run=run)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    claims = (
        Claim("Gold is above 0", "gold", "a paper: 1"),
        Claim("Gold is below KL", "gold - kl", "a paper: 2", "below"),
    )
    runs = {
        "small": Run("minimal_impls.fake", "Small.", claims),
        "large": Run("minimal_impls.fake", "Large.", claims[:1], {"size": 5}),
    }
    for place in (results, results_claims):
        monkeypatch.setattr(place, "RUNS", runs)
    return seen


def run(store: Path, **settings: Any) -> list[Event]:
    return list(results.run(Config(store=str(store), **settings)))


def words(events: list[Event]) -> list[Any]:
    return [row[-1] for event in events if isinstance(event, Table) for row in event.rows]


def test_only_what_is_new_is_run(done: list[str], tmp_path: Path) -> None:
    run(tmp_path, seeds=2, only=("small",))
    assert done == ["1 0", "1 1"]
    done.clear()
    events = run(tmp_path, seeds=3)
    assert done == ["1 2", "5 0", "5 1", "5 2"]
    assert [event.index for event in events if isinstance(event, Stage)] == [1, 2, 3, 4, 5, 6]
    assert words(events) == ["agrees", "agrees", "agrees"]
    done.clear()
    assert words(run(tmp_path, seeds=3)) == ["agrees", "agrees", "agrees"]
    assert not done


def test_after_an_interruption_it_goes_on_behind_the_last_finished_run(done: list[str], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, seed=98, seeds=3, only=("small",))
    assert done == ["1 98", "1 99"]
    assert [file.parent.name.rpartition("-")[0] for file in tmp_path.glob("*/result.json")] == ["fake-seed-98"]


@pytest.mark.parametrize(
    ("file", "damage"),
    [("key", "another"), ("key", ""), ("result.json", ""), ("result.json", "[]"), ("result.json", '{"holds": true}')],
)
def test_what_is_damaged_or_of_other_code_is_measured_anew_and_it_is_said(
    done: list[str], tmp_path: Path, file: str, damage: str
) -> None:
    run(tmp_path, seeds=2, only=("small",))
    next(tmp_path.glob(f"fake-seed-1-*/{file}")).write_text(damage, "utf-8")
    events = run(tmp_path, seeds=2, only=("small",))
    assert done == ["1 0", "1 1", "1 1"]
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any(note.startswith("small, seed 1: kept by other code") for note in notes) == (file == "key")


def test_settings_and_break_are_part_of_what_is_kept(done: list[str]) -> None:
    jobs = itertools.product((False, True), ("small", "large"), (0, 1))
    runs = [results.kept_run(Config(break_=broken), name, seed) for broken, name, seed in jobs]
    assert len({one.key() for one in runs}) == len({one.folder for one in runs}) == 8


def test_the_verdict_counts_and_fails_where_something_goes_against_its_source(done: list[str], tmp_path: Path) -> None:
    verdict = run(tmp_path, seeds=2, seed=30)[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert verdict.measured == {"agrees": 2, "does_not": 1, "undecided": 0, "not_comparable": 0}
    assert all(find(name) for name in verdict.measured)


@pytest.mark.parametrize(
    ("values", "side", "bound", "word"),
    [
        ([1.0, 1.1, 1.2], "above", 0.5, "agrees"),
        ([1.0, 1.1, 1.2], "below", 0.5, "does not"),
        ([1.0, 1.1, 1.2], "below", 1.5, "agrees"),
        ([1.0, 1.1, 1.2], "above", 1.5, "does not"),
        ([1.0, 1.1, 1.2], "above", 1.05, "undecided"),
        ([1.0, 1.1, 1.2], "below", 1.05, "undecided"),
        ([1.0], "above", 0.5, "not measured yet"),
    ],
)
def test_what_is_said_follows_from_the_interval(values: list[float], side: Any, bound: float, word: str) -> None:
    found = [Measured(True, {"gold": value}, 1.0) for value in values]
    assert answer(Claim("", "gold", "", side, bound), found).word == word
    other = answer(Claim("", "gold", "", side, bound, "another thing"), found)
    assert other.word == ("not comparable" if len(values) > 1 else "not measured yet")


def test_the_file_holds_every_run_the_measured_ones_with_their_figures(done: list[str], tmp_path: Path) -> None:
    file = tmp_path / "new" / "results.md"
    run(tmp_path / "store", seeds=3, only=("large",), write=str(file))
    text = file.read_text("utf-8")
    assert "## small" in text
    assert "**not measured yet**" in text
    assert "| Gold is above 0 (`gold` > 0) | 5.100 [4.852, 5.348] | a paper: 1 | **agrees** |" in text
    assert "Its own verdict held for 3 of 3 seeds." in text
    assert "One seed: `python -m learn_llm.minimal_impls.fake --size 5 --seed 0`" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {5}
    run(tmp_path / "store", seeds=3, write=str(file))
    assert "not measured yet" not in file.read_text("utf-8")


def test_the_file_counts_the_claims_and_names_what_goes_against_its_source(done: list[str], tmp_path: Path) -> None:
    file = tmp_path / "results.md"
    run(tmp_path / "store", seeds=2, seed=30, write=str(file))  # gold 4.0 and 4.1 against a KL of 2, then 8.0 and 8.1
    head = file.read_text("utf-8").partition("## small")[0]
    assert "2 × agrees, 1 × does not." in head
    assert "- [small](#small): Gold is below KL (`gold - kl` < 0): 2.050 [1.415, 2.685]" in head
    assert "Undecided" not in head


def test_a_table_of_several_seeds_holds_means_with_their_intervals() -> None:
    columns = ("prompts", "by", "gold", "n", "low", "paper")
    rows = (("safe", "rule", 0.1, 512, -1.0, 81.2), ("safe", "mean", 0.3, 512, -1.0, None))
    other = (("safe", "mean", 0.3, 512, -2.0, None), ("safe", "rule", 0.2, 512, -2.0, 81.2), ("new", "", 7, 9, 0, 1))
    made = results_page.over_seeds(
        "Scores", [Table("Scores of 18", columns, rows), Table("Scores of 19", columns, other)]
    )
    assert made.columns == ("prompts", "by", "gold", "n", "paper")
    assert made.rows == (
        ("safe", "rule", "0.150 ± 0.635", "512", "81.2"),
        ("safe", "mean", "0.3", "512", ""),
        ("new", "", "7", "9", "1"),
    )
    same = [Table("Right", ("model", "right", "from"), (("base", share, "nano"),)) for share in ("60%", "70%")]
    same.append(Table("Right", ("model", "right", "from"), (("base", "80%", None),)))
    assert results_page.over_seeds("Right", same).rows == (("base", "70 ± 25 %", "nano: 2 of 3"),)
    head, _, line, *_ = results_page.markdown(made)
    assert (head, line) == ("Scores ...:", "| prompts | by | gold | n | paper |")


def test_options_are_written_as_one_types_them() -> None:
    given = {"full": True, "reason": 2, "arms": ("random inputs", "noise")}
    made = Run("minimal_impls.x", "About.", (Claim("a", "gold", "b"),), given)
    text = results_page.section("x", made, [answer(made.claims[0], [])], [])
    assert '--full --reason 2 --arms "random inputs" noise --seed 0`' in text


def test_bad_input(done: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no run 'smal'; there are small"):
        Config(only=("smal",))
    with pytest.raises(UserError, match="--seeds must be at least 2"):
        Config(seeds=1)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UserError, match=r"file cannot be written: "):
        run(tmp_path / "file", seeds=2)
    with pytest.raises(UserError, match=r"--write .* cannot be written"):
        run(tmp_path / "store", seeds=2, write=str(tmp_path / "file" / "results.md"))


def test_the_command(done: list[str], tmp_path: Path) -> None:
    options = ["--seeds", "2", "--store", str(tmp_path), "--json", "--only", "small"]
    result = CliRunner().invoke(command, options, standalone_mode=False)
    assert result.return_value in (0, None), result.output
    last = json.loads(result.output.splitlines()[-1])
    assert last["event"] == "verdict"
    assert last["holds"]
    assert done == ["1 0", "1 1"]


# What a kept result depends on


def test_a_digest_sees_code_and_no_comment(tmp_path: Path) -> None:
    texts = (
        "def f(x: int) -> int:\n    return x + 1\n",
        'def f(x: int) -> int:\n    """More."""\n    return x + 1  # one\n',
        "def f(x: int) -> int:\n    return x + 2\n",
    )
    files = [tmp_path / f"{number}.py" for number in range(3)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    assert code(files[0]) == code(files[1]) != code(files[2])


def test_a_digest_depends_on_what_is_imported_and_not_on_how_it_is_shown() -> None:
    files = sources("learn_llm.minimal_impls.ppo")
    names = {file.name for file in files}
    assert {"ppo.py", "reward_model.py", "gpt.py", "kv_cache.py", "training.py", "rubric.py"} <= names
    assert not {"terminal.py", "charts.py", "dpo.py", "cli.py"} & names
    assert "glossary" not in {file.parent.name for file in files}


def test_a_digest_depends_on_what_is_bundled_where_it_can_be_opened(tmp_path: Path, monkeypatch: Any) -> None:
    modules = ("learn_llm.minimal_impls.icil", "learn_llm.minimal_impls.ppo", "learn_llm.folders")
    before = [digests.digest([module]) for module in modules]
    copied = shutil.copytree(bundled_folder(), tmp_path / "bundled")
    monkeypatch.setattr(digests, "bundled_folder", lambda: copied)
    assert [digests.digest([module]) for module in modules] == before
    (copied / "icil-tasks.jsonl").write_text("{}", "utf-8")
    assert [digests.digest([module]) == was for module, was in zip(modules, before, strict=True)] == [False, True, True]
    (copied / "nano-base" / "model.safetensors").write_bytes(b"other")
    assert [digests.digest([module]) == was for module, was in zip(modules, before, strict=True)] == [
        False,
        False,
        True,
    ]


def test_of_a_share_of_nothing_nothing_is_said() -> None:
    found = [Measured(True, {"a": 1.0, "b": b}, 1.0) for b in (0.0, 1.0)]
    assert math.isnan(value("a / b", found[0].values))
    assert answer(Claim("", "a / b", ""), found).word == "undecided"


# What is committed

STORE = Path(__file__).parent.parent / "docs" / "results"


def stored(name: str) -> list[Measured]:
    """What was measured with each seed, whatever the code has become since."""
    config = Config(store=str(STORE))
    files = (results.kept_run(config, name, seed).folder / "result.json" for seed in range(config.seeds))
    return [Measured(**json.loads(file.read_text("utf-8"))) for file in files if file.exists()]


def test_the_page_says_what_was_measured() -> None:
    """Where this fails write the page anew: `learn-llm results --store docs/results --write docs/results.md`."""
    page = (STORE.parent / "results.md").read_text("utf-8")
    assert page.startswith(results_page.HEAD)
    measured = {name: found for name in RUNS if (found := stored(name))}
    assert measured
    for name, found in measured.items():
        made = [answer(claim, found) for claim in RUNS[name].claims]
        assert results_page.section(name, RUNS[name], made, found) in page, name


def test_what_is_committed_names_no_folder_of_a_machine() -> None:
    files = [*STORE.glob("*/result.json"), STORE.parent / "results.md"]
    assert len(files) > len(RUNS)
    assert [file for file in files if re.search(r"[ '\"]/\w+/", file.read_text("utf-8"))] == []


def test_a_table_on_the_page_has_no_more_rows_than_that_of_a_seed() -> None:
    for name, one in RUNS.items():
        for title in one.tables if len(found := stored(name)) > 1 else ():
            tables = [results_page.table(title, some) for some in found]
            assert len(results_page.over_seeds(title, tables).rows) <= max(len(some.rows) for some in tables), title
