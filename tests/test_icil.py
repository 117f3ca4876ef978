"""ICIL: the heuristics, the controls, the shared prefix against whole texts; then the whole file on a little model."""

import doctest
import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from learn_llm import glossary
from learn_llm.errors import UserError
from learn_llm.events import Event, Note, Sample, Table, Verdict
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import icil, icil_asking, icil_scores, icil_tasks
from learn_llm.minimal_impls.icil import arm_of, beside_chance, fitting, retrieved
from learn_llm.minimal_impls.icil_asking import computed, greedy, judge, likelihoods, read, timed
from learn_llm.minimal_impls.icil_scores import Judged, Scores, plain, rouge_l
from learn_llm.minimal_impls.icil_tasks import (
    Question,
    Sheet,
    Tasks,
    choose,
    of_file,
    of_world,
    similar,
    states_its_answers,
    without_options,
)
from learn_llm.tinyworld import tasks, tokens
from tests.small_models import little_llama, llama_folder, word_tokenizer, world_tokenizer


@pytest.mark.parametrize("module", [icil, icil_asking, icil_scores, icil_tasks])
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.fixture(scope="module")
def pool() -> Tasks:
    return of_world(Random(0), held_out=False, count=16)


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet(world_tokenizer())


# The demonstrations


def length(question: Question) -> int:
    return len(f"{question.definition} {question.input}".split())


class TestChoosing:
    def test_the_four_heuristics_hold_for_every_draw(self, pool: Tasks) -> None:
        for seed in range(30):
            chosen = choose(pool, 8, Random(seed), 40, length)
            assert len(chosen) == len({question.task for question in chosen}) == 8
            for question in chosen:
                assert states_its_answers(pool[question.task])
                assert question.outputs[0] in question.definition.split()
                assert length(question) <= 40
            texts = [text for question in chosen for text in {*question.options, *question.outputs}]
            assert len(texts) == len(set(texts)), "no answer twice"
            counts = [len(question.options) for question in chosen]
            assert counts == sorted(counts)

    def test_each_heuristic_is_one_that_some_question_breaks(self, pool: Tasks) -> None:
        assert not all(states_its_answers(questions) for questions in pool.values())
        assert choose(pool, 8, Random(0), 5, length) == []
        counts = {tuple(len(q.options) for q in choose(pool, 8, Random(seed), 99, length)) for seed in range(9)}
        assert len(counts) > 1

    def test_draws_differ(self, pool: Tasks) -> None:
        assert choose(pool, 8, Random(0), 99, length) != choose(pool, 8, Random(1), 99, length)
        assert choose(pool, 8, Random(0), 99, length) == choose(pool, 8, Random(0), 99, length)

    def test_no_shown_task_is_asked(self, pool: Tasks) -> None:
        asked = of_world(Random(1), held_out=True, count=4)
        assert not pool.keys() & asked.keys()
        assert len(asked) >= 12
        assert sum(not questions[0].options for questions in asked.values()) >= 3
        assert asked.keys() == {task.name for task in tasks.held_out()}


class TestControls:
    @pytest.mark.parametrize(
        ("arm", "changed"),
        [
            ("random inputs", {"input"}),
            ("random outputs", {"outputs"}),
            ("random definitions", {"definition"}),
            ("noise", {"input", "outputs", "definition"}),
            ("no answers", {"outputs"}),
        ],
    )
    def test_only_what_is_named_is_random(self, pool: Tasks, arm: str, changed: set[str]) -> None:
        chosen = choose(pool, 8, Random(0), 99, length)
        broken = arm_of(arm, chosen, pool, Random(1))
        for before, after in zip(chosen, broken, strict=True):
            for name in ("input", "outputs", "definition", "task", "options"):
                assert (getattr(before, name) == getattr(after, name)) == (name not in changed), name
            if "outputs" in changed:
                assert after.outputs[0] not in before.options
            if "input" in changed:
                assert len(after.input.split()) == len([w for w in before.input.split() if w.isalpha()])

    def test_shared_options(self, pool: Tasks) -> None:
        chosen = choose(pool, 8, Random(0), 99, length)
        same = arm_of("shared options", chosen, pool, Random(1))
        assert len(same) == 8
        assert len({frozenset(question.options) for question in same}) == 1
        assert len({question.task for question in same}) > 1

    def test_order_and_number(self, pool: Tasks) -> None:
        chosen = choose(pool, 8, Random(0), 99, length)
        mixed = arm_of("shuffled order", chosen, pool, Random(1))
        assert mixed != chosen
        assert sorted(map(repr, mixed)) == sorted(map(repr, chosen))
        assert arm_of("2 demonstrations", chosen, pool, Random(1)) == chosen[:2]
        assert arm_of("zero-shot", chosen, pool, Random(1)) == []
        assert arm_of("ICIL", chosen, pool, Random(1)) == chosen

    def test_some_answers_are_written_freely(self, pool: Tasks) -> None:
        chosen = choose(pool, 8, Random(0), 99, length)
        half = arm_of("half with free answers", chosen, pool, Random(1))
        assert [bool(question.options) for question in half] == [False] * 4 + [True] * 4
        assert half[4:] == chosen[4:]
        assert len({question.task for question in without_options(chosen, pool, 1.0, Random(1))}) == 8

    def test_similar_demonstrations_share_words_with_the_question_and_are_of_different_tasks(self, pool: Tasks) -> None:
        asked = of_world(Random(2), held_out=True, count=1)
        for question in (questions[0] for questions in asked.values()):
            shown = similar(pool, question, 8)
            assert len({demonstration.task for demonstration in shown}) == 8
            near = [icil_tasks.likeness(demonstration, question) for demonstration in shown]
            assert near == sorted(near)
            assert near[-1] == max(icil_tasks.likeness(other, question) for some in pool.values() for other in some)

    def test_what_does_not_fit_is_dropped_from_the_end(self, pool: Tasks, sheet: Sheet) -> None:
        chosen = choose(pool, 8, Random(0), 99, length)
        room = len(sheet.prefix(chosen[:5]))
        assert fitting(sheet, chosen, room) == chosen[:5]
        assert fitting(sheet, chosen, room - 1) == chosen[:4]
        assert fitting(sheet, chosen, 0) == []

    def test_of_similar_demonstrations_the_nearest_stay(self, pool: Tasks, sheet: Sheet) -> None:
        asked = of_world(Random(2), held_out=True, count=1)
        for question in (questions[0] for questions in asked.values()):
            shown = similar(pool, question, 8)
            room = len(sheet.prefix(shown[3:]))
            assert retrieved(icil.Config(), sheet, pool, question, 10**6) == shown
            assert retrieved(icil.Config(), sheet, pool, question, room) == shown[3:]
            assert retrieved(icil.Config(), sheet, pool, question, room - 1) == shown[4:]


def test_a_sheet_reads_as_the_base_has_read_it(sheet: Sheet) -> None:
    """Token by token the sheets of `tinyworld.documents`: definition, input, output, and a blank line between."""
    items = [task.make(Random(3)) for task in tasks.training()[:3]]
    questions = [icil_tasks.of_item(item) for item in items]
    written = " \n \n ".join([*(item.sheet() for item in items[:2]), items[2].sheet(answered=False)])
    ids = [*sheet.prefix(questions[:2]), *sheet.question(questions[2])]
    assert ids == [tokens.vocabulary()[tokens.BOS], *tokens.encode(written)]
    blank = arm_of("no answers", questions[:2], {}, Random(0))
    unanswered = " \n \n ".join([*(item.sheet(answered=False) for item in items)])
    assert [*sheet.prefix(blank), *sheet.question(questions[2])] == [ids[0], *tokens.encode(unanswered)]
    assert sheet.answer(items[2].answer) == tokens.encode(f"{items[2].answer} \n")
    assert set(sheet.stops) == {tokens.vocabulary()[tokens.EOS], tokens.vocabulary()["\n"]}


# The shared prefix


@pytest.fixture(scope="module")
def model() -> GPT:
    return little_llama(world_tokenizer(), context=256).requires_grad_(False)


class TestSharedPrefix:
    def texts(self, pool: Tasks, sheet: Sheet) -> tuple[list[int], list[list[int]]]:
        chosen = choose(pool, 4, Random(0), 99, length)
        asked = [questions[0] for questions in of_world(Random(2), held_out=True, count=1).values()]
        return sheet.prefix(chosen), [sheet.question(question) for question in asked]

    def test_answers_are_those_of_the_whole_text(self, model: GPT, pool: Tasks, sheet: Sheet) -> None:
        prefix, asked = self.texts(pool, sheet)
        assert len({len(question) for question in asked}) > 3
        with_cache = greedy(model, read(model, asked, computed(model, prefix), 6), (), 6)
        whole = [[*prefix, *question] for question in asked]
        together = greedy(model, read(model, whole, None, 6), (), 6)
        alone = [greedy(model, read(model, [text], None, 6), (), 6)[0] for text in whole]
        assert with_cache == together == alone
        assert len({tuple(answer) for answer in alone}) > 1

    @torch.no_grad()
    def test_hidden_states_are_those_of_the_whole_text(self, model: GPT, pool: Tasks, sheet: Sheet) -> None:
        prefix, asked = self.texts(pool, sheet)
        cache = computed(model, prefix)
        question = torch.tensor([asked[0]])
        ours = model.hidden(question.expand(3, -1), cache=model.new_cache(3, len(prefix) + question.shape[1], cache))
        whole = model.hidden(torch.tensor([[*prefix, *asked[0]]]))[:, len(prefix) :]
        torch.testing.assert_close(ours, whole.expand(3, -1, -1), atol=1e-5, rtol=1e-5)
        assert cache.length == len(prefix), "the prefix itself stays as it was"

    def test_likelihoods_are_those_of_the_whole_text(self, model: GPT, pool: Tasks, sheet: Sheet) -> None:
        prefix, asked = self.texts(pool, sheet)
        answers = [sheet.answer(text) for text in ("bird", "hammer , saw", "yes", "no")]
        rows = [0, 1, 2, 2]  # two options of one question
        done = read(model, asked, computed(model, prefix), 6)
        for _ in range(2):  # what branched off leaves no trace
            found = likelihoods(model, done, rows, answers)
            greedy(model, done, (), 6)
            for row, answer, ours in zip(rows, answers, found, strict=True):
                text = torch.tensor([[*prefix, *asked[row], *answer]])
                logprobs = model(text)[0].log_softmax(-1)
                ends = range(text.shape[1] - len(answer), text.shape[1])
                expected = sum(float(logprobs[i - 1, text[0, i]]) for i in ends)
                assert ours == pytest.approx(expected, abs=1e-4)

    def test_an_answer_ends_before_its_stop(self, model: GPT, pool: Tasks, sheet: Sheet) -> None:
        prefix, asked = self.texts(pool, sheet)
        done = read(model, asked, computed(model, prefix), 6)
        long = greedy(model, done, (), 6)
        stop = long[0][-1]  # some end with it, others go on without it
        short = [answer[: answer.index(stop)] if stop in answer else answer for answer in long]
        assert greedy(model, done, (stop,), 6) == short
        assert len({len(answer) for answer in short}) > 1

    def test_a_prefix_that_is_not_full_is_refused(self, model: GPT) -> None:
        with pytest.raises(ValueError, match="0 positions of 3"):
            model.new_cache(2, 5, model.new_cache(1, 3))

    def test_speed_counts_all_questions_once_and_some_again(self, model: GPT, pool: Tasks, sheet: Sheet) -> None:
        prefix, _ = self.texts(pool, sheet)
        asked = [question for some in of_world(Random(2), held_out=True, count=2).values() for question in some]
        found = timed(model, sheet, prefix, asked, 3, count=4)
        assert found["same_answers"] == 1
        assert found["cache_speedup"] == found["queries_per_second"] / found["queries_per_second_uncached"]

    def test_questions_are_judged_in_their_order(self, model: GPT, pool: Tasks, sheet: Sheet) -> None:
        prefix, _ = self.texts(pool, sheet)
        asked = [question for some in of_world(Random(2), held_out=True, count=2).values() for question in some]
        assert judge(model, sheet, prefix, asked, 4) == [judge(model, sheet, prefix, [one], 4)[0] for one in asked]


# Judging


def test_marks_at_the_ends_are_no_mistake() -> None:
    assert plain(" Bird .") == plain("bird") == plain('"bird"') == "bird"
    assert plain("hammer, saw") == plain("hammer , saw .")
    assert plain("not bird") != plain("bird")
    assert rouge_l("a b c d", "a c d e") == pytest.approx(0.75)
    assert rouge_l("", "a") == 0


def test_scores_are_means_over_tasks_prefixes_and_questions() -> None:
    a, b = Question("a", "", "", ("x",), ("x", "y")), Question("b", "", "", ("z",), ())
    yes, no = Judged("x", True, 1.0, True, True), Judged("q", False, 0.0, False, True)
    free = Judged("z", True, 1.0)
    scores = Scores([a, a, b], [[yes, no, free], [no, no, free]])
    assert scores.of("right") == [0.25, 1.0]
    assert scores.of("valid", True) == [0.25]
    assert scores.of("likeliest", True) == [1.0]
    assert scores.of("rouge", False) == [1.0]
    assert scores.chance == {"a": 0.5}


@pytest.mark.parametrize(
    ("right", "said"),
    [([1, 1, 1, 1], "+0.50"), ([0, 0, 0, 0], "-0.50"), ([1, 0, 1, 0], "+0.00")],
)
def test_exact_matches_stand_beside_guessing_over_the_tasks_with_options(right: list[int], said: str) -> None:
    questions = [Question(str(i), "", "", ("x",), ("x", "y")) for i in range(4)]
    questions += [Question("free", "", "", ("z",), ())]  # of no account: it cannot be guessed
    answers = [Judged("", bool(one), one, True, True) for one in right] + [Judged("z", True, 1.0)]
    none = [Judged("", False, 0.0, False, False)] * 4 + [Judged("", False, 0.0)]
    scores = {"zero-shot": Scores(questions, [none]), "ICIL": Scores(questions, [answers])}
    found = icil.verdict({**scores, "2 demonstrations": scores["zero-shot"]}, {}).measured
    assert found["over_chance"] == pytest.approx(sum(right) / 4 - 0.5)
    assert found["lost_by_2_demonstrations"] == found["held_out_gain"]
    assert found["rouge_l"] == pytest.approx((sum(right) + 1) / 5)
    words = {"+0.50": "above chance", "-0.50": "below chance, ", "+0.00": "not told from chance"}
    assert beside_chance(found).text.startswith(f"With options, exact match minus guessing is {said} (")
    assert words[said] in beside_chance(found).text


# The whole file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "home"))
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=320)
    return {"model": model, "prefixes": 2, "items": 2, "max_new_tokens": 3, "device": "cpu"}


def run(**settings: Any) -> list[Event]:
    return list(icil.run(icil.Config(**settings)))


def test_every_arm_on_a_little_model(settings: dict[str, Any]) -> None:
    events = run(**settings, full=True)
    verdict, by_arm = events[-1], next(event for event in events if isinstance(event, Table))
    assert isinstance(verdict, Verdict)
    assert not verdict.holds, "a random model follows nothing"
    assert verdict.measured["same_answers"] == 1
    assert verdict.measured["tasks"] >= 12
    assert [name for name in verdict.measured if glossary.find(name) is None] == []
    assert [row[0] for row in by_arm.rows] == [*icil.ARMS, "guessing"]
    assert len([event for event in events if isinstance(event, Sample)]) == len(icil.ARMS)
    assert 0.2 < verdict.measured["chance"] < 0.6
    assert {f"lost_by_{arm}" for arm in ("shared_options", "similar_demonstrations")} <= verdict.measured.keys()


def test_full_goes_on_where_it_was_stopped(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(*arguments: Any) -> list[Judged]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return judge(*arguments)

    def said(**more: Any) -> list[Event]:
        return [event for event in run(**{**settings, "arms": (), **more}) if not isinstance(event, Verdict)]

    monkeypatch.setattr(icil, "judge", counted)
    monkeypatch.setattr(icil, "ARMS", (icil.ZERO, icil.ICIL, "random inputs"))
    with pytest.raises(KeyboardInterrupt):
        said(full=True)
    whole = said(full=True)
    assert calls == 3 + 3, "of five, two are kept"
    assert said(full=True) == whole
    assert calls == 6
    assert said(arms=("random inputs",)) == whole, "what is kept is what is computed"
    assert calls == 11
    said(full=True, seed=1)
    assert calls == 16


def test_the_same_seed_gives_the_same_answers_and_another_one_others(settings: dict[str, Any]) -> None:
    def tables(seed: int) -> list[Event]:
        return [event for event in run(**settings, seed=seed) if isinstance(event, (Table, Sample))]

    assert tables(0) == tables(0) != tables(1)


def test_by_size_the_smallest_behind_the_prefix_stands_against_the_largest_without(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    other = llama_folder(tmp_path / "other", world_tokenizer(), 1, context=320)
    small, large = settings["model"], other
    *events, found = run(**settings, sizes=(small, large))
    assert isinstance(found, Verdict)
    table = next(event for event in events if isinstance(event, Table))
    assert [row[0] for row in table.rows] == [small, large]
    alone = {}
    for name in (small, large):
        verdict = run(**{**settings, "model": name, "arms": ()})[-1]
        assert isinstance(verdict, Verdict)
        alone[name] = verdict.measured
        for number in ("zero_shot", "exact_match"):
            assert found.measured[f"{name}/{number}"] == verdict.measured[number]
    assert found.measured["small_ahead"] == pytest.approx(alone[small]["exact_match"] - alone[large]["zero_shot"])
    assert [name for name in found.measured if glossary.find(name) is None] == []
    assert not found.holds, "random models follow nothing"


def test_broken_it_shows_the_tasks_unanswered(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Question]] = []

    def arm_of(arm: str, chosen: list[Question], *_: object) -> list[Question]:
        seen.append(chosen)
        return chosen

    monkeypatch.setattr(icil, "arm_of", arm_of)
    run(**settings, break_=True)
    assert len(seen) > 5
    for demonstrations in seen:
        assert all(shown.outputs == ("",) and shown.definition and shown.input for shown in demonstrations)


def test_demonstrations_that_do_not_fit_are_dropped_and_it_is_said(settings: dict[str, Any], tmp_path: Path) -> None:
    settings["model"] = llama_folder(tmp_path / "short", world_tokenizer(), context=160)
    notes = [event.text for event in run(**settings, arms=()) if isinstance(event, Note)]
    assert len(notes) == 3
    assert notes.pop().startswith("With options, exact match minus guessing is")
    assert all(re.fullmatch(r"ICIL: the last [1-8] of 8 demonstrations do not fit .* are dropped", t) for t in notes)
    notes = [event.text for event in run(**settings, arms=("similar demonstrations",)) if isinstance(event, Note)]
    said = "similar demonstrations: for some question the least similar [1-8] of 8 demonstrations do not fit .* dropped"
    assert sum(bool(re.fullmatch(said, text)) for text in notes) == 1


def test_questions_that_do_not_fit_by_themselves_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    settings["model"] = llama_folder(tmp_path / "short", world_tokenizer(), context=24)
    with pytest.raises(UserError, match=r"a question takes \d+ tokens with its answer, .* has 24"):
        run(**settings)


def test_a_file_of_tasks(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"task": f"t{i}", "definition": f"{a} or {b}", "input": "hi", "outputs": [a], "options": [a, b]}
        for i, (a, b) in enumerate((("one", "two"), ("three", "four"), ("yes", "no")))
    ]
    rows += [{"task": "asked", "definition": "good or bad", "input": w, "outputs": ["good"], "options": ["good", "bad"],
              "held_out": True} for w in ("six", "seven")]  # fmt: skip
    rows.append({"task": "free", "definition": "say hi", "input": "hello", "outputs": ["hi"], "options": None,
                 "held_out": True})  # fmt: skip
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pool, asked = of_file(str(tmp_path / "tasks.jsonl"))
    assert (list(pool), list(asked)) == (["t0", "t1", "t2"], ["asked", "free"])
    model = llama_folder(tmp_path / "llama", word_tokenizer(), context=96)
    settings = {"tasks": str(tmp_path / "tasks.jsonl"), "demonstrations": 3, "prefixes": 1, "device": "cpu"}
    verdict = run(model=model, **settings, max_new_tokens=3)[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["tasks"] == 2
    assert verdict.measured["chance"] == 0.5
    notes = [event.text for event in run(model=model, **{**settings, "demonstrations": 4}) if isinstance(event, Note)]
    assert notes[0] == "3 demonstrations of 4: no more could be chosen"
    (tmp_path / "tasks.jsonl").write_text("\n".join(json.dumps(row) for row in rows if row["task"] != "asked"))
    verdict = run(model=model, **settings, max_new_tokens=3)[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["tasks"] == 1
    assert not {"chance", "valid_rate", "by_likelihood"} & verdict.measured.keys(), "nothing to guess among"


GOOD = '{"task": "a", "definition": "x or y", "input": "", "outputs": ["x"], "options": ["x", "y"]}'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("{", "line 1: not a JSON object"),
        ("[]", "line 1: a JSON object is needed, this is a list"),
        (GOOD.replace('"a"', "1"), 'line 1: "task" must be a text'),
        (GOOD.replace('["x"]', '"x"'), 'line 1: "outputs" must be a list of texts'),
        (GOOD.replace('["x"]', "[]"), 'line 1: "outputs" needs an answer'),
        (GOOD.replace('["x"]', '["z"]'), "one of the options where there are any"),
        (GOOD, "it has tasks of one side only"),
        (GOOD + "\n\n" + GOOD.replace("}", ', "held_out": true}'), "a is on both sides"),
        (
            GOOD.replace('["x", "y"]', "null") + "\n" + GOOD.replace('"a"', '"b"').replace("}", ', "held_out": true}'),
            "no task that may be shown has options",
        ),
    ],
)
def test_bad_task_files(tmp_path: Path, lines: str, said: str) -> None:
    (tmp_path / "tasks.jsonl").write_text(lines)
    with pytest.raises(UserError, match=said):
        of_file(str(tmp_path / "tasks.jsonl"))


def test_bad_input(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--prefixes must be at least 1"):
        run(**{**settings, "prefixes": 0})
    with pytest.raises(UserError, match="cannot be read"):
        run(**settings, tasks=str(tmp_path / "none.jsonl"))
    with pytest.raises(UserError, match="there is no arm 'random input'; near it are: random inputs"):
        run(**settings, arms=("random input",))


def test_the_bundled_english_tasks_are_as_many_as_said_and_of_both_sorts() -> None:
    pool, asked = of_file(icil_tasks.ENGLISH)
    assert (len(pool), len(asked)) == (30, 17)
    assert all(len(questions) == 12 for questions in asked.values())
    assert sum(not questions[0].options for questions in asked.values()) == 5
    assert all(states_its_answers(questions) for questions in pool.values())
    definitions = [{question.definition for question in questions} for questions in (*pool.values(), *asked.values())]
    assert all(len(some) == 1 for some in definitions)
    assert len({text for some in definitions for text in some}) == 47
    for questions in asked.values():
        options = questions[0].options
        counts = [sum(question.outputs[0] == option for question in questions) for option in options]
        assert not options or min(counts) >= 3, questions[0].task
        shown = {tuple(sorted(question.options)) for some in pool.values() for question in some}
        assert tuple(sorted(options)) not in shown
    assert len({(q.task, q.input) for side in (pool, asked) for some in side.values() for q in some}) == 304


def test_in_the_chat_format_nothing_stands_before_the_question() -> None:
    tokenizer = word_tokenizer()
    chat, question = Sheet(tokenizer, chat=True), Question("t", "good or bad", "six", ("good",), ("good", "bad"))
    assert chat.prefix([question]) == []
    spelled = [tokenizer.backend.id_to_token(i) for i in chat.question(question)]
    assert spelled[0] == "<|im_start|>"
    assert spelled[-1] == "assistant"
    assert {"good", "bad", "six"} <= set(spelled)
