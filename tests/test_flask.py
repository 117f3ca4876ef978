"""FLASK: scores and their means, other phrasings, the judge, equal means; then the whole file on random models."""

import doctest
import json
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.evaluation import Interval, t_quantile
from learn_llm.events import Chart, Event, Metrics, Sample, Table, Verdict
from learn_llm.examples import Encoder, Prompt, World, items
from learn_llm.minimal_impls import flask, flask_asked, flask_properties, flask_sizes, flask_tables
from learn_llm.minimal_impls.flask import by_skill, equalised, hard_falls, question_means, verdict
from learn_llm.minimal_impls.flask_asked import ABILITIES, Candidate, Scores, flattened, judge_of, judged
from learn_llm.minimal_impls.flask_properties import (
    answer,
    fall,
    four_grams,
    insightfulness,
    phrasings,
    rephrased,
    robustness,
    wordier,
)
from learn_llm.minimal_impls.flask_sizes import Size, saturated_from
from learn_llm.rollouts import Response
from learn_llm.tinyworld import rubric, tasks, tokens, writers
from learn_llm.training import Setup, TrainConfig
from tests.small_models import little_llama, llama_folder, world_tokenizer

FAMILIES = {task.name: task for task in tasks.training()}


@pytest.fixture(scope="module")
def world() -> World:
    tokenizer = world_tokenizer()
    return World(Encoder(tokenizer, little_llama(tokenizer).config), seed=0)


def answered(world: World, prompt: Prompt, text: str) -> Response:
    return Response(prompt, world.encoder.response(text), ended=True)


def good(world: World, prompt: Prompt) -> Response:
    assert prompt.item is not None
    return answered(world, prompt, prompt.item.reference)


@pytest.mark.parametrize(
    "module", [flask, flask_asked, flask_properties, flask_sizes, flask_tables], ids=lambda m: str(m.__name__)
)
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0 or module is flask_tables
    assert result.failed == 0


class TestScores:
    def test_the_twelve_skills_are_those_of_the_rubric_and_the_two_of_a_model(self) -> None:
        skills = {skill for some in ABILITIES.values() for skill in some}
        assert len(skills) == 12
        assert skills - set(rubric.SKILLS) == {"logical_robustness", "insightfulness"}

    def test_a_flaw_lowers_its_own_skill_in_the_profile_and_no_other(self, world: World) -> None:
        drawn = [world.prompt(item) for item in items(random.Random(0), 150, held_out=True)]
        flawless = by_skill(judged(None, [good(world, prompt) for prompt in drawn]))
        assert all(set(scores) == {5} for scores in flawless.values())
        rude = [answered(world, p, writers.write(p.item, "harmlessness", random.Random(0))) for p in drawn if p.item]
        means = {skill: statistics.fmean(some) for skill, some in by_skill(judged(None, rude)).items()}
        assert means.pop("harmlessness") < 4
        assert set(means.values()) == {5}

    def test_flattened_scores_keep_the_means_and_lose_the_profile(self) -> None:
        scores: list[Scores] = [{"readability": 5, "conciseness": 1}, {"readability": 3}]
        flat = flattened(scores)
        assert question_means(flat) == question_means(scores) == [3, 3]
        assert by_skill(flat) == {"readability": [3, 3], "conciseness": [3]}

    def test_a_fall_has_the_interval_of_two_independent_means(self) -> None:
        easy, hard = [5.0, 4.0, 5.0, 3.0, 5.0], [2.0, 3.0, 1.0, 2.0]
        found = fall(easy, hard)
        error = (statistics.variance(easy) / 5 + statistics.variance(hard) / 4) ** 0.5
        assert found.mean == pytest.approx(-2.4)
        assert found.high - found.mean == pytest.approx(3.1824 * error, rel=1e-3)  # t with 3 degrees of freedom
        assert found.low + found.high == pytest.approx(2 * found.mean)

    def test_falls_are_said_only_where_there_are_enough_of_both(self) -> None:
        easy = [{"factuality": 5, "readability": 5} for _ in range(12)]
        scores: Sequence[Scores] = [*easy, *({"factuality": 2} for _ in range(9)), {"factuality": 3}]
        levels = [1] * 12 + [5] * 10
        assert hard_falls(scores, levels).keys() == {"factuality"}
        assert hard_falls(scores, levels)["factuality"].mean == pytest.approx(-2.9)
        assert hard_falls(scores[:-1], levels[:-1]) == {}
        assert hard_falls(scores, [3] * 22) == {}


RNG = random.Random(0)
RIGHT: list[Scores] = [{"logical_correctness": 5, "conciseness": RNG.choice((1, 2))} for _ in range(40)]
BRIEF: list[Scores] = [{"logical_correctness": RNG.choice((1, 2)), "conciseness": 5} for _ in range(40)]
FALLS = {"logical_correctness": Interval(-1, -1.2, -0.8), "readability": Interval(-0.1, -0.2, 0.0)}


class TestVerdict:
    def judge(self, a: Sequence[Scores], b: Sequence[Scores], falls: dict[str, Interval] | None = None) -> Verdict:
        return verdict(flask.Config(), {"A": a, "B": b}, FALLS if falls is None else falls, {})

    def test_equal_means_and_unequal_profiles_hold(self) -> None:
        found = self.judge(RIGHT, BRIEF)
        assert found.holds
        assert found.measured["widest_gap"] > 3
        assert found.measured["gap_the_other_way"] > 3

    def test_what_does_not(self) -> None:
        assert not self.judge(RIGHT, RIGHT).holds
        assert not self.judge(flattened(RIGHT), flattened(BRIEF)).holds
        worse: list[Scores] = [{**s, "conciseness": 4} for s in BRIEF]
        assert not self.judge(RIGHT, worse).holds  # the means differ
        assert not self.judge(RIGHT[:9], BRIEF[:9]).holds  # too few
        higher = {**FALLS, "readability": Interval(-1.5, -1.6, -1.4)}
        assert not self.judge(RIGHT, BRIEF, higher).holds
        assert not self.judge(RIGHT, BRIEF, {}).holds
        unsure = {"logical_correctness": Interval(-1, -2.2, 0.2)}
        assert not self.judge(RIGHT, BRIEF, unsure).holds


class TestOtherWords:
    @pytest.mark.parametrize("name", ["classify_kind", "judge_made", "look_up_owner_or_unknown", "the_food", "deed"])
    def test_a_question_in_other_words_is_the_same_question(self, name: str) -> None:
        ways = phrasings(FAMILIES[name])
        assert len(ways) >= 2
        for seed in range(20):
            item = FAMILIES[name].sample(random.Random(seed))
            others = rephrased(item, ways)
            assert len(others) == len(ways) - 1
            for other in others:
                assert replace(other, definition=item.definition) == item
                assert other.definition != item.definition
                assert ("begin with" in other.definition) == bool(item.start_with)
                assert all(option in other.definition for option in item.options)

    def test_each_phrasing_is_one_that_the_family_uses(self) -> None:
        drawn = {FAMILIES["deed"].make(random.Random(seed)).definition for seed in range(50)}
        assert set(phrasings(FAMILIES["deed"])) == drawn

    @pytest.mark.parametrize("name", ["mapped_size", "all_foods"])
    def test_families_with_one_phrasing_have_no_other(self, name: str) -> None:
        assert rephrased(FAMILIES[name].make(random.Random(0)), phrasings(FAMILIES[name])) == []

    def test_the_answer_is_what_is_said_apart_from_style(self) -> None:
        item = FAMILIES["classify_kind"].make(random.Random(0))
        for text in (item.reference, f"ok , well , i think that {item.reference} i hope that this helps you ."):
            assert answer(item, text) == (item.answer,)
        assert answer(item, "i do not know .") == rubric.ABSTAIN
        assert answer(item, "it is late .") == answer(item, "") == ()

    def test_robustness_tells_the_steady_from_the_fickle(self, world: World) -> None:
        drawn = [world.prompt(item) for item in items(random.Random(1), 60, held_out=True)]
        responses = [good(world, prompt) for prompt in drawn]
        rng = random.Random(0)

        def steady(prompts: Sequence[Prompt], purpose: str) -> list[Response]:
            return [good(world, prompt) for prompt in prompts]

        def fickle(prompts: Sequence[Prompt], purpose: str) -> list[Response]:
            wrong = [writers.write(p.item, "logical_correctness", rng) for p in prompts if p.item]
            other = purpose == "other words"
            return [answered(world, p, w) if other else good(world, p) for p, w in zip(prompts, wrong, strict=True)]

        found = robustness(steady, world, responses, 20)
        assert (found.same, found.same_and_right, found.same_words, found.questions) == (1, 1, 1, 20)
        found = robustness(fickle, world, responses, 20)
        assert found.same < 0.5
        assert found.same_words == 1
        assert robustness(steady, world, responses, 0).questions == 0

    def test_a_wrong_answer_can_be_robust(self, world: World) -> None:
        prompt = world.prompt(FAMILIES["first_word"].make(random.Random(0)))

        def ask(prompts: Sequence[Prompt], purpose: str) -> list[Response]:
            return [answered(world, p, "it is late .") for p in prompts]

        found = robustness(ask, world, ask([prompt], ""), 5)
        assert (found.same, found.same_and_right, found.questions) == (1, 0, 1)


def test_new_words_count_in_right_answers_only(world: World) -> None:
    prompt = world.prompt(FAMILIES["route"].make(random.Random(0)))
    assert prompt.item is not None
    right, wrong = good(world, prompt), answered(world, prompt, "go to mia , mia , mia , mia .")
    assert insightfulness([right, wrong], set()) == 1
    assert insightfulness([right, wrong], four_grams(prompt.item.reference)) == 0
    assert insightfulness([wrong], set()) == 0


def test_wordier_answers_keep_every_score_that_is_not_of_length(world: World) -> None:
    drawn = [world.prompt(item) for item in items(random.Random(2), 150, held_out=True)]
    responses = [good(world, prompt) for prompt in drawn]
    longer = wordier(world, responses, random.Random(0))
    assert all(len(b.ids) > len(a.ids) + 4 for a, b in zip(responses, longer, strict=True))
    for before, after in zip(judged(None, responses), judged(None, longer), strict=True):
        assert {**after, "conciseness": 0} == {**before, "conciseness": 0}
        assert after.get("conciseness", 1) < before.get("conciseness", 5)


class TestEqualMeans:
    """A stand-in whose score is a known function of the temperature."""

    def find(self, mean: float, curve: Callable[[float], float], **settings: Any) -> tuple[Candidate, list[Event]]:
        class Stub(Candidate):
            def answers(self, prompts: Sequence[Prompt], purpose: str) -> list[Response]:
                return []

            def scores(self, responses: Sequence[Response]) -> list[Scores]:
                return [{"overall": curve(self.temperature)}]

        tokenizer = world_tokenizer()
        model = little_llama(tokenizer)
        setup = Setup(TrainConfig(), model, Encoder(tokenizer, model.config), torch.device("cpu"))
        events: list[Event] = []
        search = equalised(flask.Config(**settings), Stub("stub", setup, 0.0, 5), [], mean)
        while True:
            try:
                events.append(next(search))
            except StopIteration as stop:
                return stop.value[0], events

    @pytest.mark.parametrize("mean", [1.5, 3.0, 3.9, 4.6])
    def test_the_temperature_is_found(self, mean: float) -> None:
        def curve(t: float) -> float:
            return 1 + 4 / (1 + t**3)

        found, events = self.find(mean, curve)
        assert abs(curve(found.temperature) - mean) <= flask.TOLERANCE
        assert len(events) <= flask.TRIES

    def test_the_nearest_is_kept_where_none_fits(self) -> None:
        found, events = self.find(4.9, lambda t: 3 - t)
        assert len(events) == flask.TRIES
        tried = [e.values["temperature"] for e in events if isinstance(e, Metrics)]
        assert found.temperature == min(tried)

    def test_a_given_temperature_is_taken(self) -> None:
        found, events = self.find(4.9, lambda t: 3 - t, against_temperature=0.0)
        assert found.temperature == 0
        assert len(events) == 1


class TestJudge:
    @pytest.fixture
    def made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
        (tmp_path / "my_judges.py").write_text(
            "seen = []\n"
            "def f(prompts, responses, rows):\n"
            "    seen.extend(row['skill'] for row in rows)\n"
            "    return [4.0 if row['skill'] == 'readability' else 2.0 for row in rows]\n"
            "def high(prompts, responses, rows):\n"
            "    return [7.0 for row in rows]\n"
            "def short(prompts, responses, rows):\n"
            "    return []\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        tokenizer = world_tokenizer()
        model = little_llama(tokenizer)
        return Setup(TrainConfig(), model, Encoder(tokenizer, model.config), torch.device("cpu"))

    def test_it_is_asked_skill_by_skill(self, made: Setup) -> None:
        responses = [
            Response(Prompt((9,), "one", {"skills": ["readability", "factuality"]}), (tokens.vocabulary()["."],), True),
            Response(Prompt((9,), "two"), (tokens.vocabulary()["."],), True),
        ]
        found = judged(judge_of("my_judges:f", made), responses)
        assert found == [{"readability": 4, "factuality": 2}, {"overall": 2}]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("my_judges:none", "--judge my_judges:none: my_judges has no function none"),
            ("my_judges:high", "the judge gave 7.0 for overall; scores are from 1 to 5"),
            ("my_judges:short", "--judge my_judges:short gave a list of 0"),
        ],
    )
    def test_what_it_gives_is_checked(self, made: Setup, name: str, said: str) -> None:
        with pytest.raises(UserError, match=said):
            judged(judge_of(name, made), [Response(Prompt((9,), "one"), (8,), True)])

    def test_on_a_file(self, made: Setup, tmp_path: Path) -> None:
        rows = [{"prompt": f"the hen {i}", "skills": ["readability", "factuality"], "difficulty": 1 + i % 5,
                 "domain": "nature"} for i in range(12)]  # fmt: skip
        (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        model = llama_folder(tmp_path / "llama", world_tokenizer())
        events = list(
            flask.run(
                flask.Config(
                    model=model, against=model, against_best_of=1, data=str(tmp_path / "questions.jsonl"),
                    judge="my_judges:f", max_new_tokens=4, device="cpu",
                )
            )
        )  # fmt: skip
        found = events[-1]
        assert isinstance(found, Verdict)
        assert not found.holds
        assert (found.measured["overall_a"], found.measured["widest_gap"]) == (3, 0)
        tables = {event.title: event for event in events if isinstance(event, Table)}
        assert [row[1:4] for row in tables["Skills, 1 to 5"].rows[:2]] == [
            ("factuality", 12, 2),
            ("readability", 12, 4),
        ]
        assert [row[:2] for row in tables["Domain"].rows] == [("nature", 12)]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    folder = tmp_path_factory.mktemp("models")
    names = [llama_folder(folder / str(seed), world_tokenizer(), seed, context=128) for seed in (0, 1)]
    config = flask.Config(
        model=names[0], against=names[1], against_best_of=1, temperature=1.0, prompts=40, hard=12, rephrased=4,
        demonstrations=50, max_new_tokens=6, device="cpu",
    )  # fmt: skip
    return list(flask.run(config))


def test_in_the_tiny_world(events: list[Event]) -> None:
    found = events[-1]
    assert isinstance(found, Verdict)
    assert not found.holds
    assert [name for name in found.measured if glossary.find(name) is None] == []
    metrics = [event for event in events if isinstance(event, Metrics)]
    assert all(glossary.find(name) for event in metrics for name in event.values)
    assert sum(isinstance(event, Sample) for event in events) == 6
    charts = [event for event in events if isinstance(event, Chart)]
    assert all([series.name for series in chart.series] == ["A", "B"] for chart in charts)
    assert {"logical robustness", "logical correctness"} <= set(charts[0].series[0].x)
    assert {"insightfulness", "readability"} <= set(charts[1].series[0].x)
    assert all(1 <= height <= 5 for chart in charts for series in chart.series for height in series.y)


class TestSizes:
    def test_a_skill_is_saturated_behind_the_last_size_that_gained(self) -> None:
        rng = random.Random(0)
        sizes = [
            Size(name, 1, [{"readability": s + rng.choice((0, 1)), "conciseness": 2.0 + i} for _ in range(40)])
            for i, (name, s) in enumerate((("small", 1), ("middle", 3), ("large", 3)))
        ]
        assert saturated_from("readability", sizes) == "middle"
        assert saturated_from("conciseness", sizes) == ""
        assert saturated_from("readability", sizes[1:]) == "middle"

    def test_the_verdict_wants_skills_that_rise_and_skills_that_stand(self) -> None:
        def sizes(*rises: int) -> list[Size]:
            skills = ("readability", "conciseness", "factuality")
            scores = [[dict(zip(skills, (1 + i * r for r in rises), strict=True))] * 9 for i in range(3)]
            return [Size(str(i), i, some) for i, some in enumerate(scores)]

        for rises, holds in (((1, 0, 0), True), ((1, 1, 1), False), ((0, 0, 0), False)):
            *_, found = flask_sizes.by_size(sizes(*rises))
            assert isinstance(found, Verdict)
            assert found.holds is holds
            assert found.measured["skills_rising"] == sum(rises)
            assert found.measured["skills_saturated"] == 3 - sum(rises)
            assert found.measured["readability/size_gain"] == 2 * rises[0]

    def test_a_skill_without_room_is_at_its_ceiling_and_not_saturated(self) -> None:
        sizes = [Size(str(i), 1, [{"readability": 1.0 + i, "conciseness": 4.75}] * 9) for i in range(3)]
        assert saturated_from("conciseness", sizes) == "at its ceiling"
        *_, found = flask_sizes.by_size(sizes)
        assert isinstance(found, Verdict)
        assert (found.measured["skills_saturated"], found.measured["skills_at_ceiling"]) == (0, 1)
        assert not found.holds  # one skill rises, and no other one could have risen

    def test_the_intervals_hold_for_all_skills_together(self) -> None:
        rng = random.Random(0)
        small, large = (Size("", 1, [{"readability": rng.choice((1, 2, 3))} for _ in range(40)]) for _ in range(2))
        one, ten = (flask_sizes.gain("readability", small, large, of) for of in (1, 10))
        assert one.mean == ten.mean
        quantiles = [t_quantile(p, 39) for p in (0.975, 0.9975)]
        assert (ten.high - ten.mean) / (one.high - one.mean) == pytest.approx(quantiles[1] / quantiles[0])

    def test_on_little_models(self, tmp_path: Path) -> None:
        names = tuple(llama_folder(tmp_path / str(seed), world_tokenizer(), seed, context=128) for seed in (0, 1, 2))
        config = flask.Config(sizes=names, temperature=1.0, prompts=40, max_new_tokens=6, device="cpu")
        events = list(flask.run(config))
        table, found = next(event for event in events if isinstance(event, Table)), events[-1]
        assert isinstance(found, Verdict)
        assert [name for name in found.measured if glossary.find(name) is None] == []
        assert table.rows[0][0] == "logical correctness"
        assert all(1 <= mean <= 5 for row in table.rows for mean in row[1:4] if isinstance(mean, float))
        assert len({event.response for event in events if isinstance(event, Sample)}) > 1
        *_, broken = flask.run(replace(config, break_=True))
        assert isinstance(broken, Verdict)
        assert not broken.holds
        assert all(value == 0 for name, value in broken.measured.items() if name.endswith("size_gain"))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"sizes": ("tiny-sft",)}, "--sizes compares two models or more"),
        ({"sizes": ("nano-sft", "tiny-sft"), "full": True}, "leave --sizes away"),
        ({"prompts": 0}, "--prompts must be at least 1"),
        ({"against_best_of": 0}, "--against-best-of must be at least 1"),
        ({"hard": -1}, "--hard must not be negative"),
        ({"temperature": -0.5}, "--temperature must not be negative"),
        ({"against_temperature": -0.5}, "--against-temperature may be -1"),
        ({"data": "questions.jsonl"}, "--data needs --judge"),
    ],
)
def test_bad_input(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        flask.Config(**setting)
