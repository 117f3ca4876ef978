"""CoH's rows and masks against tables written by hand, FCM inside attention, then the whole file in a few steps."""

import doctest
import json
import math
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
import torch

from learn_llm import examples, glossary
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Note, Table, Verdict
from learn_llm.examples import Encoder, Pair, Prompt
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import coh, coh_asked, coh_rows
from learn_llm.minimal_impls.coh import feedback_loss, forget, unlikelihood
from learn_llm.minimal_impls.coh_rows import ARMS, C_SFT, COH, Arm, Example, Feedback, Row, Writer, judged, loss_mask
from learn_llm.rollouts import Response, mean_kl
from learn_llm.tinyworld import annotators, rubric, tasks, tokens
from learn_llm.training import Setup
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

ROWS = [{"prompt": f"hi {word}", "chosen": "good yes", "rejected": f"bad {word} no"} for word in WORDS]


@pytest.mark.parametrize("module", [coh, coh_rows, coh_asked])
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


# Rows and masks


def world_encoder() -> Encoder:
    tokenizer = world_tokenizer()
    return Encoder(tokenizer, little_llama(tokenizer).config)


def example(encoder: Encoder) -> Example:
    return Example(
        Prompt(encoder.prompt("is a hen big ?"), "is a hen big ?"),
        (encoder.response("no ."), encoder.response("yes , maybe")),
        (Feedback(True, "this is right .", 5), Feedback(False, "this is wrong .", 1)),
    )


# Every token of a chain with its role: . prompt or feedback, 1 and 2 the answers.  By hand.
ROLES = """
<|user|>      .
is            .
a             .
hen           .
big           .
?             .
<|assistant|> .
{said}
no            1
.             1
<eos>         1
{then}
yes           2
,             2
maybe         2
<eos>         2
"""


def first_that(writer: Writer, arm: Arm, wanted: Any) -> list[Row]:
    """The rows of the first draw that are as wanted."""
    ex = example(writer.encoder)
    return next(rows for seed in range(200) if wanted(rows := writer.rows(ex, arm, Random(seed))))


def spelled(writer: Writer, row: Row) -> list[str]:
    return [str(writer.encoder.tokenizer.backend.id_to_token(i)) for i in row.ids]


@pytest.mark.parametrize(("scope", "answers"), [("all", "12"), ("last", "2")])
def test_the_mask_of_a_chain_against_a_table_written_by_hand(scope: Literal["all", "last"], answers: str) -> None:
    writer = Writer(world_encoder(), "markers", chains=1.0)
    good_first = writer.encoder.response("no .")[0]
    (row,) = first_that(writer, ARMS[COH], lambda rows: rows[0].ids[rows[0].roles.index(1)] == good_first)
    words = spelled(writer, row)
    between = words[words.index("<eos>") + 1 : words.index("yes")]
    before = words[words.index("<|assistant|>") + 1 : words.index("no")]
    assert before[-2:] == ["good", ":"]
    assert between[-2:] == ["bad", ":"]
    lines = ROLES.format(said="\n".join(f"{w} ." for w in before), then="\n".join(f"{w} ." for w in between))
    table = [line.split() for line in lines.strip().splitlines()]
    assert words == [word for word, _ in table]
    assert loss_mask(row.roles, scope) == [int(role in answers) for _, role in table]


def test_both_orders_and_single_answers_occur() -> None:
    writer = Writer(world_encoder(), "markers")
    ex = example(writer.encoder)
    kinds = set()
    for seed in range(40):
        rows = writer.rows(ex, ARMS[COH], Random(seed))
        marks = ["".join("+-"[w == "bad"] for w in spelled(writer, row) if w in ("good", "bad")) for row in rows]
        kinds.add(tuple(sorted(marks)))
    assert kinds == {("+-",), ("-+",), ("+", "-")}


def test_a_chain_that_does_not_fit_becomes_two_rows() -> None:
    tokenizer = world_tokenizer()
    encoder = Encoder(tokenizer, little_llama(tokenizer, context=20).config)
    ex = example(encoder)
    rows = Writer(encoder, "markers", chains=1.0).rows(ex, ARMS[COH], Random(0))
    assert [max(row.roles) for row in rows] == [1, 1]


def test_feedback_kinds() -> None:
    good, bad = example(world_encoder()).feedback
    rng, encoder = Random(0), world_encoder()
    said = {kind: {Writer(encoder, kind).say(bad, rng) for _ in range(99)} for kind in ("markers", "words", "numbers")}
    markers = {template[1] for template in coh_rows.TEMPLATES}
    assert said["markers"] == markers
    assert said["words"] == {f"this is wrong . {marker}" for marker in markers}
    assert said["numbers"] == {"of five this is one:"}
    assert {Writer(encoder).say(good, rng) for _ in range(199)} >= {t[0] for t in coh_rows.TEMPLATES}


def test_every_word_of_the_feedback_is_in_the_tiny_world() -> None:
    tokenizer = world_tokenizer()
    said = [text for pair in coh_rows.TEMPLATES for text in pair] + [coh_rows.NUMBER.format(n="one")]
    assert [tokenizer.unknown(text) for text in said if tokenizer.unknown(text)] == []


def test_a_remark_in_words_that_the_checkpoint_lacks_is_left_out() -> None:
    writer, rng = Writer(world_encoder(), "words"), Random(0)
    markers = {template[1] for template in coh_rows.TEMPLATES}
    assert {writer.say(Feedback(False, "this is gibberish .", 1), rng) for _ in range(99)} == markers


def test_arms_learn_from_the_answers_that_their_names_say() -> None:
    writer = Writer(world_encoder())
    ex = example(writer.encoder)
    plain = [(*ex.prompt.ids, *answer) for answer in ex.answers]
    rows = {name: writer.rows(ex, arm, Random(3)) for name, arm in ARMS.items()}
    assert [row.ids for row in rows["sft"]] == plain[:1]
    assert sorted(row.ids for row in rows["sft-on-both"]) == sorted(plain)
    assert {row.ids: row.unlikely for row in rows["unlikelihood"]} == {plain[0]: False, plain[1]: True}
    assert len(rows[C_SFT]) == 2
    assert all(len(row.ids) > len(ex.prompt.ids) + 4 for row in rows[C_SFT])
    assert rows["coh-without-lambda"] == rows["coh-without-masking"] == rows[COH]


def test_annotators_say_what_they_see_and_shuffled_feedback_is_somebody_elses() -> None:
    encoder, rng = world_encoder(), Random(1)
    items = examples.items(rng, 40, held_out=False)
    pairs = [
        Pair(
            Prompt(encoder.prompt(item.prompt), item.prompt, item=item),
            encoder.response(item.reference),
            encoder.response("so"),
        )
        for item in items
    ]
    seen = judged(pairs, Random(0))
    for item, ex in zip(items, seen, strict=True):
        assert ex.feedback[0].grade == 5
        assert [f.good for f in ex.feedback] == [True, False]
        assert ex.feedback[1].remark in {f"{bad} ." for _, bad in annotators.REMARKS.values()}
        assert rubric.gold(item, tokens.spell(ex.answers[0])) == 1
    broken = judged(pairs, Random(0), shuffle=True)
    assert sorted(map(repr, (f for ex in broken for f in ex.feedback))) == sorted(
        map(repr, (f for ex in seen for f in ex.feedback))
    )
    assert 0.2 < sum(ex.feedback[0].good for ex in broken) / len(broken) < 0.8


# Losses


def setup_of(model: GPT) -> Setup:
    tokenizer = word_tokenizer()
    return Setup(coh.Config(), model, Encoder(tokenizer, model.config), torch.device("cpu"))


class TestLoss:
    row = Row((9, 10, 11, 12, 13, 5), (0, 0, 1, 0, 2, 2))

    @torch.no_grad()
    def by_hand(self, model: GPT, row: Row, at: list[int]) -> float:
        logprobs = model(torch.tensor([row.ids]))[0].log_softmax(-1)
        return -sum(float(logprobs[i - 1, row.ids[i]]) for i in at)

    @pytest.mark.parametrize(("scope", "at"), [("all", [2, 4, 5]), ("last", [4, 5])])
    def test_only_answers_carry_loss(self, scope: Literal["all", "last"], at: list[int]) -> None:
        model = little_llama(word_tokenizer())
        config = coh.Config(scope=scope)
        loss = feedback_loss(setup_of(model), config, [self.row], None, count=len(at)).item()
        assert loss == pytest.approx(self.by_hand(model, self.row, at) / len(at), rel=1e-5)

    def test_rows_of_different_lengths_add_up(self) -> None:
        model, other = little_llama(word_tokenizer()), Row((9, 10, 5), (0, 1, 1))
        setup, config = setup_of(model), coh.Config()
        both = feedback_loss(setup, config, [self.row, other], None, 5)
        alone = [feedback_loss(setup, config, [row], None, 5) for row in (self.row, other)]
        torch.testing.assert_close(both, alone[0] + alone[1], rtol=1e-5, atol=0)

    def test_unlikelihood_of_a_row(self) -> None:
        model, row = little_llama(word_tokenizer()), Row((9, 10, 5), (0, 1, 1), unlikely=True)
        probs = model(torch.tensor([row.ids]))[0].softmax(-1)
        expected = -sum(math.log(1 - probs[i - 1, row.ids[i]].item()) for i in (1, 2))
        loss = feedback_loss(setup_of(model), coh.Config(), [row], None, 1).item()
        assert loss == pytest.approx(expected, rel=1e-4)

    def test_unlikelihood_of_a_certain_token_is_finite_and_its_gradient_too(self) -> None:
        logprobs = torch.tensor([0.0, -1e-9, -60.0], requires_grad=True)
        unlikelihood(logprobs).sum().backward()
        assert logprobs.grad is not None
        assert bool(logprobs.grad.isfinite().all())


class TestForgetting:
    def test_shares_are_drawn_per_row_and_the_first_key_stays(self) -> None:
        kept = forget((2000, 101), 0.5, torch.Generator().manual_seed(0))
        assert bool(kept[:, 0].all())
        shares = 1 - kept[:, 1:].float().mean(1)
        assert float(shares.mean()) == pytest.approx(0.25, abs=0.01)
        assert float(shares.std()) == pytest.approx(0.5 / math.sqrt(12), abs=0.02)
        assert float(shares.max()) < 0.7

    def test_a_hidden_token_changes_nothing_behind_it_and_positions_stay(self) -> None:
        model = little_llama(word_tokenizer())
        ids, keys = torch.tensor([[9, 10, 11, 12, 13]]), torch.tensor([[1, 1, 0, 1, 1]])
        positions = torch.arange(5)[None]
        seen = model(ids, keys, position_ids=positions)
        other = ids.clone()
        other[0, 2] = 14
        changed = model(other, keys, position_ids=positions)
        torch.testing.assert_close(changed[:, 3:], seen[:, 3:])
        assert not torch.allclose(changed[:, 2], seen[:, 2])
        assert not torch.allclose(model(ids)[:, 3:], seen[:, 3:], atol=1e-4)
        nothing_hidden = model(ids, torch.ones_like(keys), position_ids=positions)
        torch.testing.assert_close(nothing_hidden, model(ids), atol=1e-5, rtol=1e-5)

    def test_the_loss_uses_it(self) -> None:
        setup, row = setup_of(little_llama(word_tokenizer())), Row((9, 10, 11, 12, 5), (0, 0, 0, 1, 1))
        hidden = torch.tensor([[1, 1, 0, 1, 1, 1, 1]])
        losses = [feedback_loss(setup, coh.Config(), [row], keys, 1).item() for keys in (None, hidden)]
        assert losses[0] != pytest.approx(losses[1], rel=1e-4)
        assert feedback_loss(setup, coh.Config(fcm=0.0), [row], hidden, 1).item() == losses[0]


def test_kl_to_the_start_asked_plainly() -> None:
    """For the same model and no words between it is 0; without words it is `mean_kl`."""
    model, other = little_llama(word_tokenizer()), little_llama(word_tokenizer(), seed=1)
    plain = [Prompt((9, 10), ""), Prompt((9, 11, 12), "")]
    responses = [Response(prompt, (13, 5), True) for prompt in plain]
    assert coh_asked.kl_to_start(model, model, responses, plain) == pytest.approx(0, abs=1e-6)
    assert coh_asked.kl_to_start(model, other, responses, plain) == pytest.approx(mean_kl(model, other, responses))
    asked = [replace(r, prompt=replace(r.prompt, ids=(*r.prompt.ids, 14))) for r in responses]
    assert coh_asked.kl_to_start(model, model, asked, plain) > 1e-4


# The whole file


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "text.txt").write_text(" ".join(WORDS * 4))
    return {
        "model": llama_folder(tmp_path / "llama"),
        "data": str(tmp_path / "pairs.jsonl"),
        "text": str(tmp_path / "text.txt"),
        "text_length": 8,
        "steps": 2,
        "batch_size": 6,
        "device": "cpu",
    }


def run(**settings: Any) -> list[Event]:
    return list(coh.run(coh.Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def test_fewer_pairs_than_the_steps_take_are_read_again_and_it_is_said(settings: dict[str, Any]) -> None:
    def notes(size: int) -> str:
        return " ".join(event.text for event in run(**{**settings, "batch_size": size}) if isinstance(event, Note))

    assert "14 pairs" in notes(7)
    assert "fewer than" not in notes(7)
    assert "fewer than the 16 that the steps take: they are read again" in notes(8)


def test_two_steps_on_a_file(settings: dict[str, Any]) -> None:
    events = run(**settings)
    first, second = metrics(events)
    assert first["loss"] == pytest.approx(first["feedback_loss"] + 1.5 * first["pretraining_loss"], rel=1e-6)
    assert second["tokens"] > first["tokens"] > first["loss_tokens"] > 12
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["pairs"] == 2
    for name in (*first, *verdict.measured):
        assert glossary.find(name), name


def test_it_learns_what_good_means_and_not_from_shuffled_feedback(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coh_rows, "TEMPLATES", (("good", "bad"),))  # words that the little vocabulary has
    longer = {**settings, "steps": 40, "batch_size": 14, "learning_rate": 1e-2}
    learnt, broken = run(**longer)[-1], run(**longer, break_=True)[-1]
    assert isinstance(learnt, Verdict)
    assert isinstance(broken, Verdict)
    assert learnt.measured["accuracy"] == 1
    assert not broken.holds


@pytest.mark.parametrize(
    "switch",
    [{"scope": "last"}, {"chains": 0.0}, {"fcm": 0.0}, {"fcm": 0.4}, {"lam": 0.0}, {"lam": 0.5}, {"text": ""}],
)
def test_every_switch_changes_the_numbers(settings: dict[str, Any], switch: dict[str, Any]) -> None:
    assert metrics(run(**{**settings, **switch}))[-1] != metrics(run(**settings))[-1]


def test_micro_batches_change_no_number(settings: dict[str, Any]) -> None:
    whole, parts = metrics(run(**settings, micro_batch_size=0)), metrics(run(**settings, micro_batch_size=2))
    for a, b in zip(whole, parts, strict=True):
        assert b == pytest.approx(a, rel=1e-3, abs=1e-4)


def test_bf16_autocast_on_the_cpu(settings: dict[str, Any]) -> None:
    exact, rounded = metrics(run(**settings)), metrics(run(**settings, dtype="bf16"))
    assert [m["loss"] for m in rounded] == pytest.approx([m["loss"] for m in exact], rel=0.05)
    assert rounded != exact


def test_an_interrupted_run_goes_on_with_the_same_numbers(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"steps": 5, "save_every": 2}
    whole = run(**settings)
    stopped = coh.run(coh.Config(**settings, out=str(tmp_path / "out")))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path / "out"), resume=True)
    assert metrics(again) == metrics(whole)[3:]
    assert again[-1] == whole[-1]


def test_every_arm_in_the_tiny_world_and_again_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 16)
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=192)
    settings = {
        "model": model, "steps": 1, "batch_size": 3, "pairs": 12, "max_new_tokens": 5, "arms": (*ARMS, "ppo"),
        "text_rows": 1, "text_length": 16, "device": "cpu", "out": str(tmp_path / "out"),
    }  # fmt: skip
    events = run(**settings)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert {"gap", "ci_low", "gap_difference", "gap_difference_low", "gold_difference", "kl"} <= verdict.measured.keys()
    assert [name for name in verdict.measured if glossary.find(name) is None] == []
    table = next(event for event in events if isinstance(event, Table))
    assert [row[0] for row in table.rows] == ["start", *ARMS, "ppo"]
    by_name = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert by_name["sft"]["gap"] is None
    assert by_name[C_SFT]["with loss"] == by_name[COH]["with loss"] == by_name["sft-on-both"]["with loss"]
    assert by_name["ppo"]["tokens"] is None
    assert (tmp_path / "out" / "unlikelihood" / "config.json").exists()
    assert (tmp_path / "out" / "ppo" / "config.json").exists()
    again = run(**settings, resume=True)
    assert metrics(again) == []
    assert again[-1] == verdict


def test_held_out_prompts_are_not_among_the_pairs() -> None:
    """The rule by which the world splits them, seen from here: no pair's prompt is one that the verdict asks."""
    world = examples.World(world_encoder(), 0)
    pairs = world.pairs(50, 0, 0.25, lambda prompts: ["so ." for _ in prompts])
    asked = {prompt.text for prompt in world.prompts(1, 40).held_out}
    assert not asked & {pair.prompt.text for pair in pairs.train}
    assert {task.name for task in tasks.training()} >= {str(pair.prompt.row["task"]) for pair in pairs.train}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"arms": ("sft-on-bth",)}, "there is no arm 'sft-on-bth'; near it are: sft-on-both"),
        ({"fcm": 1.0}, "--fcm is a share below 1"),
        ({"chains": 1.5}, "--chains one up to 1"),
        ({"lam": -1.0}, "--lam must not be negative"),
        ({"text": "nowhere.txt"}, "--text nowhere.txt cannot be read"),
        ({"text_length": 500}, "one row takes 501"),
        ({"max_length": 3}, "every row of"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
