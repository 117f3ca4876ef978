"""Self-Instruct: every filter, counts that add up, planted near-duplicates, who writes what first; then whole runs."""

import doctest
import json
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.datasets import JsonLines
from learn_llm.demos import self_instruct as demo
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Table, Verdict
from learn_llm.examples import Encoder
from learn_llm.minimal_impls import self_instruct, self_instruct_filters, self_instruct_tables, sft
from learn_llm.minimal_impls.icil_tasks import ENGLISH, of_file
from learn_llm.minimal_impls.self_instruct import Author
from learn_llm.minimal_impls.self_instruct_filters import (
    Funnel,
    Written,
    all_filters,
    distinct_2,
    edited,
    is_classification,
    lamini_filters,
    nearest,
    planted,
)
from learn_llm.tinyworld import tasks
from learn_llm.training import Setup
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

SEEDS = (Written("say the first word.", "hat, sun", "hat"), Written("choose hot or cold.", "ice", "cold"))


@pytest.mark.parametrize("module", [self_instruct, self_instruct_filters, self_instruct_tables])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0 or module is not self_instruct_filters
    assert result.failed == 0


def offered(task: Written, **settings: float) -> str:
    return Funnel(all_filters(3, settings.get("threshold", 0.7)), SEEDS).offer(task)


class TestFilters:
    @pytest.mark.parametrize(
        ("task", "name"),
        [
            (Written("count them .", "hat", "one"), "too short or long"),
            (Written("say " + "so " * 150, "hat", "one"), "too short or long"),
            (Written("name what the pictures show", "hat", "one"), "not doable in text"),
            (Written("Go to the river now", "hat", "one"), "not doable in text"),
            (Written(", then name the owner", "hat", "one"), "odd start"),
            (Written("Écris un mot court", "hat", "one"), "odd start"),
            (Written("Write a program that counts words", "hat", "one"), "odd start"),
            (Written("who has the hat?", "the hat", " . "), "no output"),
            (Written("who has the hat?", "the hat", "it is:"), "no output"),
            (Written("who has the hat?", "The hat.", "the hat"), "output repeats input"),
            (Written("say the first word .", "hat , sun", "sun"), "same input, other output"),
            (Written("Say the first word", "cat, moon", "cat"), "exact duplicate"),
            (Written("say the last word.", "hat, sun", "sun"), "near-duplicate"),
            (Written("is it true? yes or no.", "ice is cold", "maybe"), "label not named"),
            (Written("is it true? yes or no.", "ice is cold", "no", again="yes"), "label disagrees"),
            (Written("is it true? yes or no.", "ice is cold", "yes", again="Yes."), ""),
            (Written("who has the hat?", "", "mia"), ""),
            (Written("the drawing of maplewood is near", "hat", "mia"), ""),  # whole words only
        ],
    )
    def test_each_takes_its_own(self, task: Written, name: str) -> None:
        assert offered(task) == name

    def test_at_the_threshold_an_instruction_goes(self) -> None:
        task = Written("say the last word.", "hat, sun", "sun")  # LCS 3 of 4 words each
        assert offered(task, threshold=0.75) == "near-duplicate"
        assert offered(task, threshold=0.76) == ""

    def test_lamini_drops_exact_duplicates_and_nothing_else(self) -> None:
        funnel = Funnel(lamini_filters(), SEEDS)
        assert funnel.offer(Written("choose hot or cold.", "fire", "hot")) == "exact duplicate"
        assert funnel.offer(Written("choose cold or hot.", "", "")) == ""

    def test_the_counts_add_up_and_the_first_of_two_alike_stays(self) -> None:
        rng = random.Random(0)
        written = [Written(" ".join(rng.choices(WORDS[:5], k=rng.randint(1, 6))), "hi", "no") for _ in range(200)]
        funnel = Funnel(all_filters(3, 0.7), SEEDS)
        said = [funnel.offer(task) for task in written]
        assert len(funnel.kept) + sum(funnel.rejected.values()) == 200
        assert {name: said.count(name) for name in funnel.rejected} == funnel.rejected
        assert funnel.kept == [task for task, name in zip(written, said, strict=True) if not name]
        left = funnel.left()
        assert left[0] == ("written", 200)
        assert left[-1][1] == len(funnel.kept) > 5
        steps = [before - after for (_, before), (_, after) in pairwise(left)]
        assert steps == list(funnel.rejected.values())
        assert max(nearest(funnel.kept)) < 0.7 < max(nearest(written))
        assert funnel.rejected["near-duplicate"] > 5 < funnel.rejected["too short or long"]


def test_a_classification_is_known_by_its_instruction() -> None:
    rng = random.Random(0)
    for task in tasks.families():
        for item in (task.make(rng) for _ in range(5)):
            assert is_classification(item.definition) is bool(item.options), item.definition
    for side in of_file(ENGLISH):
        for questions in side.values():
            assert is_classification(questions[0].definition) is bool(questions[0].options), questions[0]


def test_distinctness_of_copies_and_of_strangers() -> None:
    same = [Written("say the last word")] * 3
    assert nearest(same) == [1.0] * 3
    assert distinct_2(same) == pytest.approx(1 / 3)
    strangers = [Written("say the last word"), Written("who is it"), Written("count on")]
    assert nearest(strangers) == [0.0] * 3
    assert distinct_2(strangers) == 1
    assert nearest([]) == []


class TestPlanted:
    def test_an_edit_is_one_word(self) -> None:
        text = "what is it , slow or fast ?"
        lengths = set()
        for seed in range(60):
            now = edited(text, ["red", "big"], random.Random(seed)).split()
            before = text.split()
            lengths.add(len(now) - len(before))
            assert [w for w in now if not w.isalpha()] == [",", "?"]
            shared = sum((Counter(before) & Counter(now)).values())
            assert max(len(now), len(before)) - shared == 1
        assert lengths == {-1, 0, 1}

    def test_the_filter_finds_what_was_planted_in_english(self) -> None:
        originals = self_instruct.english()
        vocabulary = sorted({word for text in originals for word in text.lower().split()})
        for seed in range(3):
            recall, precision = planted(originals, vocabulary, 0.7, random.Random(seed))
            assert recall.low > 0.9
            assert precision.mean > 0.9

    def test_thresholds_that_catch_nothing_and_everything(self) -> None:
        originals = ["say the first word", "say the last word", "who is it", "count on from here"]
        recall, _ = planted(originals, ["red"], 1.1, random.Random(0))
        assert recall.mean == 0
        recall, precision = planted(originals, ["red"], 0.0, random.Random(0))
        assert recall.mean == 1
        assert precision.mean == 0.4  # one original is kept: two copies of it go, and three originals


class Scripted(Author):
    """An author whose lines are written out here."""

    def continued(self, prompts: Sequence[str], temperature: float, purpose: str, step: int) -> list[str]:
        self.asked: list[tuple[str, float]] = getattr(self, "asked", [])
        self.asked += [(prompt, temperature) for prompt in prompts]
        if prompts and prompts[0].endswith("Definition:"):
            return ["hot or cold" if i % 2 else "say the last word" for i in range(len(prompts))]
        return [f"{prompt.splitlines()[-1].lower()}{temperature:g}" for prompt in prompts]


def author(kind: type[Author]) -> Author:
    tokenizer = word_tokenizer()
    model = little_llama(tokenizer)
    config = self_instruct.Config(temperature=0.5, device="cpu")
    return kind(Setup(config, model, Encoder(tokenizer, model.config), torch.device("cpu")), config, SEEDS)


class TestAuthor:
    def test_labels_come_first_and_make_a_round_trip_other_outputs_come_last(self) -> None:
        made = author(Scripted)
        written = made.write(4, [Written("who is it", "mia", "a girl")], step=1)
        assert isinstance(made, Scripted)
        chosen = Written("hot or cold", "input:0.5", "output:0.5", again="output:0")
        free = Written("say the last word", "input:0.5", "output:0")
        assert sorted(written, key=str) == [chosen, chosen, free, free]
        ends = [prompt.split("\n\n")[-1] for prompt, _ in made.asked]
        assert "Definition: hot or cold\nOutput: output:0.5\nInput:" in ends
        assert "Definition: hot or cold\nInput: input:0.5\nOutput:" in ends
        assert "Definition: say the last word\nInput: input:0.5\nOutput:" in ends

    def test_only_tasks_of_the_same_sort_and_order_are_shown(self) -> None:
        made = author(Scripted)
        made.write(4, [Written("who is it", "mia", "a girl")], step=1)
        assert isinstance(made, Scripted)
        for prompt, _ in made.asked:
            *shown, last = prompt.split("\n\n")
            if last == "Definition:":
                assert len(shown) == 3  # both seeds, and one of its own
                assert sum("who is it" in text for text in shown) == 1
            else:
                assert len(shown) == 1
                assert is_classification(shown[0]) is is_classification(last)
                order, begun = ([line.split(":")[0] for line in text.split("\n")] for text in (shown[0], last))
                assert order[: len(begun)] == begun

    def test_a_line_ends_where_the_model_ends_it(self) -> None:
        lines = author(Author).continued(["hi one", "hi"], 1.0, "test", 1)
        assert len(lines) == 2
        assert all(set(line.split()) <= {*WORDS, "user", "assistant"} for line in lines)


# The whole file


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """A little random Llama that speaks the tiny world's words."""
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    sizes = {"seeds": 8, "rounds": 2, "per_round": 6, "steps": 2, "batch_size": 4, "questions": 8, "max_new_tokens": 8}
    return {"model": model, "device": "cpu", "out": str(tmp_path / "written"), **sizes}


def run(**settings: Any) -> list[Event]:
    return list(self_instruct.run(self_instruct.Config(**settings)))


def rows(folder: str, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(folder, f"{name}.jsonl").read_text().splitlines()]


def test_a_run_from_seeds_to_a_verdict_and_what_it_writes_trains_sft(settings: dict[str, Any]) -> None:
    events = run(**settings)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["written"] == 12
    table = next(event for event in events if isinstance(event, Table) and event.title.startswith("What"))
    rejected = [row[1] for row in table.rows[:-1] if isinstance(row[1], int)]
    assert 12 - sum(rejected) == verdict.measured["kept"] > 0
    told = {name for event in events if isinstance(event, Metrics) for name in event.values} | verdict.measured.keys()
    assert [name for name in told if glossary.find(name) is None] == []
    assert any(isinstance(event, Chart) and event.kind == "bar" for event in events)
    filtered = Path(settings["out"], "filtered.jsonl")
    assert len(JsonLines(filtered, "demonstrations")) == verdict.measured["kept"]
    trained = list(
        sft.run(sft.Config(model=settings["model"], data=str(filtered), steps=1, batch_size=2, device="cpu"))
    )
    assert isinstance(trained[-1], Verdict)


def test_the_seed_decides_what_is_written(settings: dict[str, Any], tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run(**{**settings, "out": str(tmp_path / name), "seed": seed, "break_": True})
    first, again, other = (rows(str(tmp_path / name), "raw") for name in "abc")
    assert first == again != other


def test_broken_nothing_is_filtered(settings: dict[str, Any]) -> None:
    events = run(**settings, break_=True)
    assert isinstance(events[-1], Verdict)
    assert not events[-1].holds
    assert events[-1].measured["kept"] == events[-1].measured["written"]
    assert rows(settings["out"], "filtered") == rows(settings["out"], "raw")


def test_seeds_and_questions_from_a_file(tmp_path: Path) -> None:
    def line(task: str, held_out: bool) -> str:
        fields = {"task": task, "definition": f"{task} one or two", "input": "hi", "outputs": ["one"]}
        return json.dumps({**fields, "options": ["one", "two"], "held_out": held_out}) + "\n"

    (tmp_path / "tasks.jsonl").write_text(line("yes", False) + line("no", False) + line("good", True))
    model = llama_folder(tmp_path / "llama", context=128)
    small = {"rounds": 1, "per_round": 6, "steps": 1, "batch_size": 2, "shortest": 1, "max_new_tokens": 6}
    events = run(model=model, data=str(tmp_path / "tasks.jsonl"), device="cpu", temperature=2.0, **small)
    assert isinstance(events[-1], Verdict)
    assert events[-1].measured["written"] == 6


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"skip": ("near",)}, "there is no filter 'near'; there are: too short or long"),
        ({"resume": True, "out": "x"}, "--resume has nothing to go on with"),
        ({"threshold": 0.0}, "--threshold must be above 0"),
        ({"per_round": 0}, "--per-round must be at least 1"),
        ({"shortest": 100}, "no task passed the filters"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})


def test_a_folder_that_cannot_be_written(settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    events = self_instruct.run(self_instruct.Config(**{**settings, "out": str(tmp_path / "file" / "below")}))
    with pytest.raises(UserError, match="cannot be written"):
        next(iter(events))


def test_the_demo_runs_the_method_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[self_instruct.Config] = []

    def instead(config: self_instruct.Config) -> list[Event]:
        told.append(config)
        return [Verdict("", True, {})]

    monkeypatch.setattr(self_instruct, "run", instead)
    list(demo.run(demo.Config()))
    list(demo.run(demo.Config(seed=3, break_=True, threshold=0.5, temperature=0.3, rounds=2, steps=5)))
    assert told[0] == self_instruct.Config(device="cpu")
    assert told[1] == self_instruct.Config(
        seed=3, break_=True, device="cpu", threshold=0.5, temperature=0.3, rounds=2, steps=5
    )
