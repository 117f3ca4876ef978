"""Ghost Attention (GAtt): an instruction of the first turn that still holds in the last one.

    sample   [i u₁] a₁ [i u₂] a₂ ... [i uₙ] aₙ         the instruction i stands in every user's turn
    train    [i u₁] a₁ [u₂] a₂ ... [uₙ] aₙ             in the first one only
    L = -1/N Σ log π(aₙ | all before it)               loss 0 on every token of the turns before the last, answers too

(Touvron et al. 2023, Llama 2, arXiv 2307.09288, section 3.3.)  A chat model forgets what it was told a few turns ago.
The name is for what is missing: the model attends to an instruction whose repetitions have been taken away.

Here the instruction is to begin every answer with a certain word, one of four, drawn anew for each conversation.
Whether an answer obeys is a rule, so nobody has to judge.

Implementation details
  1. Both arms are fine-tuned from the same model, as long, on conversations that it had with the same users.  They
     differ in where the instruction stood while the model answered: without GAtt in the first turn only.
  2. Of up to `--tries` samples a turn the first that obeys is learnt, and none where none obeys (the paper: "analogous
     to rejection sampling").  So without GAtt there is next to nothing to learn from in the later turns.
  3. The loss is on the last turn only: the turns before were sampled with an instruction that is no longer there.
     Every turn is the last one of a row of its own, so nothing that was sampled is wasted.
  4. A conversation is asked turn by turn: a model sees its own earlier answers, its slips among them.
  5. Two turns more are asked than were trained on.
  6. Chance is not 0: a model that had learnt to begin with any of the four words would be right in a quarter.
Left out: several instructions at once, instructions that a model wrote, shortening them for half of the rows.

    python -m learn_llm.minimal_impls.ghost_attention                                # tiny world; --full: variants
    python -m learn_llm.minimal_impls.ghost_attention --model smollm2 --data prompts.jsonl --out steady
"""

import copy
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from learn_llm.datasets import Message
from learn_llm.errors import UserError
from learn_llm.evaluation import CORRECT, difference
from learn_llm.events import Chart, Event, Note, Sample, Series, Stage, Table, Verdict
from learn_llm.examples import Demonstration, Encoder, Prompt, source
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import lora
from learn_llm.minimal_impls.variants import full
from learn_llm.rollouts import respond
from learn_llm.running import main
from learn_llm.tinyworld import rubric
from learn_llm.tinyworld.lexicon import pick
from learn_llm.tinyworld.tasks import OPENERS
from learn_llm.training import Setup, TrainConfig, generator, prepare


@dataclass(frozen=True)
class Config(TrainConfig):
    """How both arms are trained.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The chat model to start from: a bundled name, a folder, or a hub name of the Llama family."""
    data: str = ""
    """A JSON-lines file of prompts, to be asked one after another; empty: the tiny world's tasks."""
    steps: int = 60
    """Optimiser steps of each arm."""
    batch_size: int = 32
    """Conversations a step."""
    learning_rate: float = 5e-4
    """Peak of the schedule, AdamW."""
    conversations: int = 96
    """Conversations that are sampled for each arm."""
    turns: int = 4
    """Turns of a conversation to train on."""
    asked_turns: int = 6
    """Turns of a conversation to measure on (5)."""
    held_out_conversations: int = 64
    """Conversations to measure on."""
    tries: int = 4
    """Samples of an answer until one obeys (2)."""
    longest_turn: int = 24
    """Prompts with more tokens are not asked: several must fit."""
    max_new_tokens: int = 24
    """The longest answer."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "conversations", "turns", "held_out_conversations", "tries", "longest_turn", "max_new_tokens")
        self.need(2, "asked_turns")


@dataclass(frozen=True)
class Conversation:
    """What a user asks, turn by turn, what they want answers to begin with, and the answers so far."""

    users: tuple[Prompt, ...]
    word: str
    answers: tuple[str, ...] = ()


def instructed(prompt: Prompt, word: str) -> str:
    """The prompt's text with the instruction in it."""
    if prompt.item is not None:
        return replace(prompt.item, definition=f"{prompt.item.definition} begin with {word} .").prompt
    return f"{prompt.text} Begin your answer with the word {word}."


def messages(conversation: Conversation, until: int, every_turn: bool) -> list[Message]:
    """The conversation up to the user's message of turn `until`, counted from 0.

    Args:
        every_turn: the instruction stands in every user's message, as GAtt samples; else in the first one only.

    >>> talk = Conversation((Prompt((), "Who?"), Prompt((), "Where?")), "so", ("So it goes.",))
    >>> [message["content"] for message in messages(talk, 1, every_turn=False)]
    ['Who? Begin your answer with the word so.', 'So it goes.', 'Where?']
    """
    said: list[Message] = []
    for turn, prompt in enumerate(conversation.users[: until + 1]):
        told = every_turn or turn == 0
        said.append({"role": "user", "content": instructed(prompt, conversation.word) if told else prompt.text})
        if turn < until:
            said.append({"role": "assistant", "content": conversation.answers[turn]})
    return said


def obeys(answer: str, word: str) -> bool:
    """Whether the answer begins with the word, in whatever case.

    >>> obeys("So it goes.", "so"), obeys("Sooner or later.", "so")
    (True, False)
    """
    return rubric.tokens(answer.lower())[:1] == [word]


def rows(conversations: Sequence[Conversation], encoder: Encoder, wrong: Random | None = None) -> list[Demonstration]:
    """Each answer that obeys as the last one of a row: the instruction in the first turn, loss on it (details 2, 3).

    `wrong` (--break) draws a word to ask for, whatever the answers begin with.
    """
    made = []
    for talk in conversations:
        told = replace(talk, word=pick(wrong, OPENERS)) if wrong else talk
        for turn, answer in enumerate(talk.answers):
            if obeys(answer, talk.word):
                asked = Prompt(encoder.prompt(messages(told, turn, every_turn=False)), talk.users[turn].text)
                made.append(Demonstration(asked, encoder.response(answer)))
    return made


# Talking


def drawn(config: Config, prompts: Sequence[Prompt], count: int, turns: int, purpose: str) -> list[Conversation]:
    """Conversations still without answers: prompts and words drawn at random.  UserError where no prompt fits."""
    rng = generator(config, purpose)
    fitting = [p for p in prompts if len(p.ids) <= config.longest_turn and not (p.item and p.item.start_with)]
    if not fitting:
        raise UserError(f"every prompt is longer than --longest-turn {config.longest_turn} tokens")
    return [Conversation(tuple(pick(rng, fitting) for _ in range(turns)), pick(rng, OPENERS)) for _ in range(count)]


def converse(
    config: Config,
    setup: Setup,
    model: GPT,
    conversations: Sequence[Conversation],
    purpose: str,
    every_turn: bool = False,
    tries: int = 1,
) -> list[Conversation]:
    """The conversations with the model's answers, sampled at temperature 1, each up to `tries` times (detail 2)."""
    talks = list(conversations)
    for turn in range(len(talks[0].users)):
        left = list(range(len(talks)))
        answers: dict[int, str] = {}
        for attempt in range(tries):
            prompts = [Prompt(setup.encoder.prompt(messages(talks[i], turn, every_turn)), "") for i in left]
            step = turn * tries + attempt
            said = respond(setup, model, prompts, config.max_new_tokens, purpose=purpose, step=step)
            answers |= {i: setup.encoder.text(response.ids) for i, response in zip(left, said, strict=True)}
            left = [i for i in left if not obeys(answers[i], talks[i].word)]
            if not left:
                break
        talks = [replace(talk, answers=(*talk.answers, answers[i])) for i, talk in enumerate(talks)]
    return talks


# The run


def run(config: Config) -> Iterator[Event]:
    """Sample conversations with and without GAtt, train on each, and ask both models over more turns than trained."""
    if config.full:
        yield from full("ghost_attention", run, config)
        return
    setup = prepare(config)
    start = copy.deepcopy(setup.model).requires_grad_(False)
    split = source(setup.encoder, config).prompts(8 * config.conversations, config.max_new_tokens)
    asked = drawn(config, split.train, config.conversations, config.turns, "conversations")

    yield Stage("sampling", 1, 4)
    plain = converse(config, setup, start, asked, "without", tries=config.tries)
    ghost = converse(config, setup, start, asked, "with", every_turn=True, tries=config.tries)
    wrong = generator(config, "break") if config.break_ else None
    learnt = {"without": rows(plain, setup.encoder), "with": rows(ghost, setup.encoder, wrong)}
    if not all(learnt.values()):
        raise UserError(f"{config.model} never begins as it is asked to: there is nothing to learn from")
    yield Note(f"answers to learn from: {len(learnt['without']):,} without GAtt, {len(learnt['with']):,} with it")
    models = {"start": start}
    for index, (name, data) in enumerate(learnt.items(), 2):
        yield Stage(f"{name} GAtt", index, 4)
        model = setup.model if name == "with" else copy.deepcopy(start).requires_grad_(True)
        settings = config if name == "with" else replace(config, out="", resume=False)
        yield from lora.train(settings, setup, model, data, name, setup.save)
        models[name] = model

    yield Stage("asking", 4, 4)
    asked = drawn(config, split.held_out, config.held_out_conversations, config.asked_turns, "held out")
    talks = {name: converse(config, setup, model, asked, "asked") for name, model in models.items()}
    yield from compared(config, talks)


def compared(config: Config, talks: Mapping[str, Sequence[Conversation]]) -> Iterator[Event]:
    """How often the instruction holds, turn by turn; the verdict is about the turns after the first."""
    for name in talks:
        talk = talks[name][0]
        last = len(talk.answers) - 1
        text = "\n".join(f"{m['role']}: {m['content']}" for m in messages(talk, last, every_turn=False))
        yield Sample(f"[{name}] {text}", talk.answers[last], {"holds": float(obeys(talk.answers[last], talk.word))})
    held = {name: [[obeys(a, talk.word) for a in talk.answers] for talk in some] for name, some in talks.items()}
    by_turn = {name: [statistics.fmean(turn) for turn in zip(*some, strict=True)] for name, some in held.items()}
    turns = tuple(range(1, config.asked_turns + 1))
    lines = tuple(Series(name, turns, tuple(shares)) for name, shares in by_turn.items())
    yield Chart("line", "How often the instruction of the first turn holds", "turn", "share", lines)
    later = {name: [statistics.fmean(row[1:]) for row in some] for name, some in held.items()}
    right = {name: share_right(some) for name, some in talks.items()}
    table = [
        (name, *(None if share is None else round(share, 2) for share in (*by_turn[name], right[name])))
        for name in talks
    ]
    yield Table(
        f"Share of {len(talks['with'])} conversations that begin as asked; trained on {config.turns} turns",
        ("model", *(f"turn {turn}" for turn in turns), "right answers"),
        tuple(table),
    )
    mean = {name: statistics.fmean(shares) for name, shares in later.items()}
    best = max("start", "without", key=lambda name: mean[name])
    gain = difference(later["with"], later[best])
    measured = {
        "holds": mean["with"],
        "holds_without": mean["without"],
        "holds_start": mean["start"],
        "holds_last": by_turn["with"][-1],
        "holds_difference": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
        "conversations": float(len(held["with"])),
    }
    if right["with"] is not None and right["without"] is not None:
        measured |= {"right": right["with"], "right_without": right["without"]}
    claim = (
        "With Ghost Attention the instruction of the first turn holds in at least three quarters of the later turns, "
        "more often than without it and than before"
    )
    yield Verdict(claim, gain.low > 0 and mean["with"] >= 0.75, measured)


def share_right(talks: Sequence[Conversation]) -> float | None:
    """How many of the answers are right, over all turns; None outside the tiny world."""
    scores = [
        rubric.logical_correctness(prompt.item, answer)
        for talk in talks
        for prompt, answer in zip(talk.users, talk.answers, strict=True)
        if prompt.item is not None and CORRECT in prompt.item.skills
    ]
    return statistics.fmean(score == 5 for score in scores) if scores else None


if __name__ == "__main__":
    main(run, Config)
