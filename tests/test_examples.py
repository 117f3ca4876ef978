"""Prompts, demonstrations and pairs as tokens: roles of every token, what is held out, rows that are too long."""

import doctest
import json
import random
from pathlib import Path

import pytest

from learn_llm import examples
from learn_llm.errors import UserError
from learn_llm.examples import Encoder, File, World, batch_indices, collate, is_held_out, items, parts, source
from learn_llm.sampling import left_pad
from learn_llm.tinyworld import annotators, rubric, tokens
from learn_llm.tokenizer import Tokenizer
from learn_llm.training import TrainConfig
from tests.small_models import little_llama, word_tokenizer, world_tokenizer


def encoder(tokenizer: Tokenizer, context: int = 64) -> Encoder:
    return Encoder(tokenizer, little_llama(tokenizer, context=context).config)


def write(folder: Path, *rows: object) -> str:
    file = folder / "data.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(examples, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 3
    assert result.failed == 0


class TestEncoder:
    def test_a_prompt_in_the_chat_format_and_its_response(self) -> None:
        made = encoder(word_tokenizer())
        roles = made.tokenizer.tokens(made.prompt("hi one"))
        assert roles == ["<|im_start|>", "user", "hi", "one", "<|im_end|>", "<|im_start|>", "assistant"]
        assert made.tokenizer.tokens(made.response("hello one")) == ["hello", "one", "<|im_end|>"]
        assert made.text(made.response("hello one")) == "hello one"

    def test_a_checkpoint_without_a_chat_format_takes_texts_as_they_are(self) -> None:
        made = encoder(word_tokenizer(chat=False))
        assert made.tokenizer.tokens(made.prompt("hi one")) == ["hi", "one"]
        assert made.tokenizer.tokens(made.response("two")) == ["two", "</s>"]
        with pytest.raises(UserError, match="chat template"):
            made.prompt([{"role": "user", "content": "hi"}])

    def test_a_tokenizer_without_an_end_is_refused(self) -> None:
        plain = word_tokenizer(chat=False)
        endless = Tokenizer(plain.backend)
        with pytest.raises(UserError, match="names no end-of-sequence token"):
            Encoder(endless, little_llama(endless).config)


def test_roles_of_every_token_by_hand() -> None:
    """The table of roles: P prompt, R response, E its end, . padding.  Loss falls on R and E alone."""
    made = encoder(word_tokenizer())
    prompts = [made.prompt("hi"), made.prompt("hi one two")]
    batch = collate(prompts, [made.response("yes no"), made.response("good")])
    table = ["PPPPPPRRE.", "PPPPPPPPRE"]
    assert batch.mask.tolist() == [[int(role in "RE") for role in row] for row in table]
    assert batch.attention.tolist() == [[int(role != ".") for role in row] for row in table]
    assert (batch.tokens * (1 - batch.attention)).sum() == 0
    ends = (batch.tokens == made.eos_id) & batch.mask.bool()
    assert ends.long().tolist() == [[int(role == "E") for role in row] for row in table]
    left, attention = left_pad(prompts)
    assert attention.tolist() == [[0, 0, 1, 1, 1, 1, 1, 1], [1] * 8]
    assert left[1].tolist() == list(prompts[1])


class TestWorld:
    def test_the_same_seed_gives_the_same_examples_and_another_others(self) -> None:
        made = encoder(world_tokenizer(), 512)
        assert World(made, 1).demonstrations(20) == World(made, 1).demonstrations(20)
        assert World(made, 1).prompts(20, 8).train != World(made, 2).prompts(20, 8).train

    def test_what_is_held_out_is_never_trained_on(self) -> None:
        rng = random.Random(0)
        train = {item.prompt for item in items(rng, 2000, held_out=False)}
        held_out = [item.prompt for item in items(rng, 300, held_out=True)]
        assert not train.intersection(held_out)
        drawn = items(rng, 800, held_out=False) + items(rng, 100, held_out=True)
        assert {is_held_out(item) for item in drawn} == {True, False}
        split = World(encoder(world_tokenizer(), 512), 5).demonstrations(300)
        assert all(d.prompt.item is not None and is_held_out(d.prompt.item) for d in split.held_out)
        assert not any(d.prompt.item is not None and is_held_out(d.prompt.item) for d in split.train)
        assert len(split.held_out) == examples.HELD_OUT

    def test_a_prompt_is_what_a_user_asks(self) -> None:
        prompt = World(encoder(world_tokenizer(), 512), 0).prompts(1, 8).train[0]
        assert prompt.item is not None
        assert prompt.text == prompt.item.prompt
        assert prompt.ids == (
            tokens.vocabulary()["<|user|>"],
            *tokens.encode(prompt.text),
            tokens.vocabulary()["<|assistant|>"],
        )
        assert prompt.row["outputs"] == [prompt.item.answer]

    def test_pairs_are_labelled_with_the_noise_that_was_asked_for(self) -> None:
        world = World(encoder(world_tokenizer(), 512), 0)
        turn = iter(("good", "bad") * 2)

        def respond(prompts: object) -> list[str]:
            good = next(turn) == "good"
            assert isinstance(prompts, list)
            return [p.item.reference if good else "." for p in prompts]

        split = world.pairs(1500, 100, 0.5, respond)
        gaps = [pair.gold_difference for pair in split.train if pair.gold_difference is not None]
        right = sum(gap > 0 for gap in gaps) / len(gaps)
        assert right == pytest.approx(annotators.ceiling(gaps, 0.5), abs=0.03)
        assert 0.6 < right < 1
        pair = next(pair for pair in split.train if (pair.gold_difference or 0) > 0)
        assert pair.prompt.item is not None
        chosen, rejected = (tokens.spell(ids) for ids in (pair.chosen, pair.rejected))
        gold = rubric.gold(pair.prompt.item, chosen) - rubric.gold(pair.prompt.item, rejected)
        assert pair.gold_difference == gold

    def test_another_language_is_refused(self) -> None:
        with pytest.raises(UserError, match="does not speak the tiny world's language: give it --data"):
            World(encoder(word_tokenizer()), 0)


class TestFile:
    rows = tuple({"prompt": f"hi {a}", "completion": f"hello {a}"} for a in "one two three four five six".split())

    def test_rows_are_split_and_read_again_when_asked_for(self, tmp_path: Path) -> None:
        file = File(encoder(word_tokenizer()), write(tmp_path, *self.rows), 0)
        split = file.demonstrations(0)
        assert (len(split.train), len(split.held_out), split.too_long) == (5, 1, 0)
        assert split.held_out[0].prompt.text == "hi one"
        assert [d.prompt.text for d in split.train[:2]] == ["hi two", "hi three"]

    def test_a_single_row_serves_for_both(self, tmp_path: Path) -> None:
        split = File(encoder(word_tokenizer()), write(tmp_path, self.rows[0]), 0).demonstrations(0)
        assert split.train[0] == split.held_out[0]

    def test_rows_that_are_too_long_are_left_out_and_counted(self, tmp_path: Path) -> None:
        long = {"prompt": "hi " * 70, "completion": "hello"}
        split = File(encoder(word_tokenizer()), write(tmp_path, *self.rows, long, long), 0).demonstrations(0)
        assert (len(split.train), split.too_long) == (5, 2)
        with pytest.raises(UserError, match=r"every row of .* is longer than 64 tokens"):
            File(encoder(word_tokenizer()), write(tmp_path, long), 0).demonstrations(0)
        with pytest.raises(UserError, match="longer than 6 tokens"):
            File(encoder(word_tokenizer()), write(tmp_path, *self.rows), 6).demonstrations(0)

    def test_prompts_leave_room_for_the_response(self, tmp_path: Path) -> None:
        file = File(encoder(word_tokenizer()), write(tmp_path, *self.rows), 0)
        assert len(file.prompts(0, room=57).train) == 5
        with pytest.raises(UserError, match="every row"):
            file.prompts(0, room=58)

    def test_a_line_that_cannot_be_tokenised_is_named(self, tmp_path: Path) -> None:
        bad = {"prompt": "hi <|im_end|>", "completion": "x"}
        with pytest.raises(UserError, match=r"data\.jsonl, line 7: .*may not hold"):
            File(encoder(word_tokenizer()), write(tmp_path, *self.rows, bad), 0).demonstrations(0)

    def test_pairs(self, tmp_path: Path) -> None:
        made = encoder(word_tokenizer())
        pair = File(made, write(tmp_path, {"prompt": "hi", "chosen": "good", "rejected": "bad"}), 0).pairs().train[0]
        assert (made.text(pair.chosen), made.text(pair.rejected), pair.gold_difference) == ("good", "bad", None)

    def test_source_chooses_by_the_configuration(self, tmp_path: Path) -> None:
        path = write(tmp_path, *self.rows)
        assert isinstance(source(encoder(word_tokenizer()), TrainConfig(data=path)), File)
        assert isinstance(source(encoder(world_tokenizer(), 512), TrainConfig()), World)


def test_every_epoch_goes_through_all_rows_in_an_order_of_its_own() -> None:
    epochs = [[i for step in range(5 * e + 1, 5 * e + 6) for i in batch_indices(0, 10, 2, step)] for e in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert sorted(batch_indices(0, 3, 7, 1)) == [0, 0, 0, 1, 1, 2, 2] or len(batch_indices(0, 3, 7, 1)) == 7
    assert list(parts([], 2)) == []
    assert list(parts([1, 2, 3], 0)) == [[1, 2, 3]]
