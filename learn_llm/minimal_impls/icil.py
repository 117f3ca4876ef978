"""In-Context Instruction Learning (ICIL): one fixed prefix of answered tasks makes a frozen model follow instructions.

Before every question stands the same text: a definition, an input and an output of each of K other tasks.  Nothing is
trained, and no demonstration is of the task that is asked:

    Definition: <task 1>  Input: ...  Output: ...      K = 8 demonstrations, the same for every question
    ...
    Definition: <the task that is asked>  Input: ...  Output:
              (Ye et al. 2023, arXiv 2302.14691; later named TAPP, Task-Agnostic Prefix Prompt, AAAI 2024)

What helps is learnt from what may be broken: in the paper random inputs cost little, random outputs or definitions
much.  So the prefix teaches the model where answers come from, and not how to solve the task.

Implementation details
  1. Demonstrations are chosen by four heuristics (`icil_tasks.choose`): answers stated in the definition, no answer
     that another demonstration has, at most 256 tokens, and ascending number of options.
  2. The prefix is the same for all questions, so its keys and values are computed once, and looked at by all where they
     are (`icil_asking.py`).  The answers are those of the whole text; both are timed.
  3. Zero-shot has the same format without the prefix.  (The paper's zero-shot prompt has one line more.)
  4. Decoding is greedy up to the end of the line.  An answer is right if it is a reference answer, whatever its case
     and the marks at its ends: a full stop behind a right word is no mistake.
  5. Three numbers say different things: how often the answer is right, how often it is one of the options at all, and
     how often the right option is the likeliest one, which does not ask the model to answer in any form.  Exact
     matches stand beside guessing over the tasks with options only: a free answer cannot be guessed.
  6. Prefixes are drawn several times (three times for the arms that only --full has), and an arm's score on a task is
     the mean over them.  Intervals go over tasks: questions of one task are not independent.
  7. Random words come from the definitions and inputs of the pool (the paper took news sentences and a dictionary).
  8. The smallest model of the paper has 6 billion parameters.  The tiny base has read sheets of exercises over other
     tasks, answered and unanswered, and a prefix tells which of the two this is (Xie et al. 2021, arXiv 2111.02080).
     That is all it tells a model of this size: random words cost nothing in any place, and the same tasks unanswered,
     which is also what --break shows, take the whole gain away.  Against the paper, outputs may be random, too.
  9. Before the paper one believed that demonstrations must resemble the question.  The arm "similar demonstrations"
     has a prefix of its own for every question: those of the pool that share most words with it, the nearest last.
Left out: demonstrations written by a model.

    python -m learn_llm.minimal_impls.icil                                          # the tiny world's held-out tasks
    python -m learn_llm.minimal_impls.icil --sizes nano-base micro-base tiny-base   # a prefix, or more parameters?
    python -m learn_llm.minimal_impls.icil --model smollm2 --prefixes 1 --items 6 \\
        --arms "random inputs" "random outputs"                                     # 102 questions
    python -m learn_llm.minimal_impls.icil --model smollm2 --tasks tasks.jsonl --full
"""

import difflib
import statistics
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.evaluation import difference
from learn_llm.events import Event, Metrics, Note, Sample, Stage, Verdict
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.icil_asking import judge, timed
from learn_llm.minimal_impls.icil_kept import Answers
from learn_llm.minimal_impls.icil_scores import Judged, Scores, arm_chart, arm_table, size_table, task_table
from learn_llm.minimal_impls.icil_tasks import (
    ENGLISH,
    Question,
    Sheet,
    Tasks,
    choose,
    of_file,
    of_world,
    sharing_options,
    similar,
    with_random,
    without_options,
    words_of,
)
from learn_llm.running import RunConfig, main
from learn_llm.tinyworld import tokens
from learn_llm.tinyworld.lexicon import shuffled
from learn_llm.tokenizer import Tokenizer
from learn_llm.training import choose_device, generator

__all__ = ["ARMS", "Config", "judge", "run"]

POOL = 64
"""Questions of each task of the pool that the heuristics look at, as in the paper's code."""
Device = Literal["auto", "cuda", "mps", "cpu"]
ZERO, ICIL, SIMILAR, CHAT = "zero-shot", "ICIL", "similar demonstrations", "zero-shot in the chat format"
BROKEN = {
    "random inputs": "inputs", "random outputs": "outputs", "random definitions": "definitions", "noise": "all",
    "no answers": "answers",
}  # fmt: skip
FEWER = {f"{n} demonstrations": n for n in (1, 2, 4, 6)}
FREE = {"half with free answers": 0.5, "all with free answers": 1.0}
ARMS = (ZERO, ICIL, *BROKEN, "shared options", "shuffled order", *FEWER, *FREE, SIMILAR, CHAT)
FEW = 3
"""Prefixes, at most, of the arms that only --full measures."""
SIZES = ("nano-base", "micro-base", "tiny-base")
TIMED = 5e7
"""Parameters times questions that are answered again with the whole text, for the comparison of speed; at least 8."""


@dataclass(frozen=True)
class Config(RunConfig):
    """How ICIL is measured.  The numbers in brackets are the details above."""

    model: str = "tiny-base"
    """What is asked: a bundled name, a folder, or a hub name of the Llama family."""
    tasks: str = ""
    """A JSON-lines file of tasks (icil_tasks.py says how it looks); empty: the tiny world's, for other checkpoints the
    bundled English ones."""
    demonstrations: int = 8
    """K, tasks in the prefix."""
    prefixes: int = 5
    """How many prefixes are drawn (6)."""
    items: int = 24
    """Questions of each task that is asked."""
    longest: int = 256
    """Tokens of a demonstration, at most (1)."""
    max_new_tokens: int = 12
    """The longest answer."""
    arms: tuple[str, ...] = tuple(BROKEN)
    """What to measure beside zero-shot and ICIL."""
    sizes: tuple[str, ...] = ()
    """Ask these models in place of one, the smallest first: the smallest with the prefix against the others without."""
    full: bool = False
    """Measure every arm: also shared options, shuffled order, fewer demonstrations, demonstrations with free answers or
    retrieved for each question, the chat format; of the tiny base also --sizes.  Answers are kept, and the same command
    goes on where it stopped."""
    device: Device = "auto"
    """Where to run; "auto": CUDA, else MPS, else CPU."""

    def __post_init__(self) -> None:
        for name in ("demonstrations", "prefixes", "items", "longest", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name.replace('_', '-')} must be at least 1: it is {getattr(self, name)}")
        if len(self.sizes) == 1 or (self.full and self.sizes):
            raise UserError("--sizes compares two models or more, and --full does so by itself: leave one of them away")
        for name in self.arms:
            if name not in ARMS:
                near = difflib.get_close_matches(name, ARMS, 3, cutoff=0.3)
                raise UserError(f"there is no arm {name!r}; near it are: {', '.join(near or ARMS)}")


# The arms


def arm_of(arm: str, chosen: Sequence[Question], pool: Tasks, rng: Random) -> list[Question]:
    """The demonstrations of one arm, made of those that the heuristics chose."""
    if arm in BROKEN:
        return with_random(chosen, BROKEN[arm], words_of(pool), rng)
    if arm == "shared options":
        return sharing_options(pool, len(chosen), rng)
    if arm == "shuffled order":
        return shuffled(rng, list(chosen))
    if arm in FREE:
        return without_options(chosen, pool, FREE[arm], rng)
    return list(chosen[: {ZERO: 0, CHAT: 0, **FEWER}.get(arm, len(chosen))])


def tasks_of(config: Config, tokenizer: Tokenizer) -> tuple[Tasks, Tasks]:
    """The tasks that may be shown, and those that are asked."""
    if not config.tasks and tokenizer.vocab_size == len(tokens.vocabulary()):
        rng = generator(config, "tasks")
        return of_world(rng, False, POOL), of_world(rng, True, config.items)
    pool, asked = of_file(config.tasks or ENGLISH)
    return pool, {name: questions[: config.items] for name, questions in asked.items()}


def fitting(sheet: Sheet, demonstrations: Sequence[Question], room: int) -> list[Question]:
    """As many as fit into `room` tokens: dropped from the end, as in the paper's code."""
    kept = list(demonstrations)
    while kept and len(sheet.prefix(kept)) > room:
        kept.pop()
    return kept


def room_for_prefix(config: Config, model: GPT, sheet: Sheet, questions: Sequence[Question]) -> int:
    """The tokens that a question and its answer leave free.  Raises UserError where they do not fit by themselves."""
    longest, context = 0, model.config.max_position_embeddings
    for question in questions:
        answers = [config.max_new_tokens, *(len(sheet.answer(option)) for option in question.options)]
        longest = max(longest, len(sheet.question(question)) + max(answers))
    if longest + len(sheet.prefix([])) > context:
        raise UserError(f"a question takes {longest} tokens with its answer, {config.model} has {context}")
    return context - longest


def run(config: Config) -> Iterator[Event]:
    """Ask held-out tasks with and without the prefix, and with prefixes that are broken in one place."""
    if config.sizes:
        yield (yield from by_size(config))
        return
    asked = yield from ask(config)
    yield arm_chart(asked.scores)
    yield arm_table(asked.scores)
    yield task_table({arm: asked.scores[arm] for arm in (ZERO, ICIL)})
    measured = asked.timed(config)
    if config.full and config.model == Config.model and not config.tasks:
        measured |= (yield from by_size(replace(config, full=False, sizes=SIZES))).measured
    found = verdict(asked.scores, measured)
    if "over_chance" in found.measured:
        yield beside_chance(found.measured)
    yield found


@dataclass(frozen=True)
class Asked:
    """A model that was asked, and what each arm scored."""

    model: GPT
    sheet: Sheet
    questions: Sequence[Question]
    prefix: Sequence[int]
    """Of the last draw."""
    scores: Mapping[str, Scores]

    def timed(self, config: Config) -> dict[str, float]:
        """How much quicker the shared prefix is, and whether the answers stay."""
        again = max(8, int(TIMED / self.model.num_parameters()))
        return timed(self.model, self.sheet, self.prefix, self.questions, config.max_new_tokens, again)


def ask(config: Config) -> Generator[Event, None, Asked]:
    """Ask one model behind each prefix of each arm."""
    loaded, tokenizer = load(config.model, choose_device(config.device))
    if tokenizer is None:
        raise UserError(f"{config.model} has no tokenizer: it cannot be asked")
    model, sheet = loaded.float(), Sheet(tokenizer)
    pool, asked = tasks_of(config, tokenizer)
    questions = [question for some in asked.values() for question in some]
    room = room_for_prefix(config, model, sheet, questions)
    cannot = {CHAT: not tokenizer.chat_format, **dict.fromkeys(FREE, all(some[0].options for some in pool.values()))}
    wanted = ARMS if config.full else tuple(dict.fromkeys((ZERO, ICIL, *config.arms)))
    arms = [arm for arm in wanted if not cannot.get(arm)]
    if len(arms) < len(wanted):
        gone = ", ".join(arm for arm in wanted if cannot.get(arm))
        yield Note(f"left out: {gone}; the checkpoint has no chat format, or no task that may be shown free answers")
    judged: dict[str, list[list[Judged]]] = {arm: [] for arm in arms}
    answers = Answers(config if config.full else None)
    most = {ZERO: 1, SIMILAR: 1, CHAT: 1, **dict.fromkeys((ICIL, *BROKEN), config.prefixes)}
    draws = {arm: min(config.prefixes, most.get(arm, FEW)) for arm in arms}
    rounds, step = sum(draws.values()), 0
    for draw in range(1, config.prefixes + 1):
        yield Stage(f"prefix {draw}", draw, config.prefixes)
        rng = generator(config, "prefix", draw)
        chosen = choose(pool, config.demonstrations, rng, config.longest, lambda q: len(sheet.prefix([q])))
        prefix = fitting(sheet, chosen, room)
        if len(chosen) < config.demonstrations:
            yield Note(f"{len(chosen)} demonstrations of {config.demonstrations}: no more could be chosen")
        yield from dropped(ICIL, len(chosen), len(prefix))
        if config.break_:  # the same tasks, and nobody has answered them
            prefix = with_random(prefix, "answers", words_of(pool), rng)
        for arm in judged:
            if draw > draws[arm]:
                continue
            form = Sheet(tokenizer, chat=True) if arm == CHAT else sheet
            shown = arm_of(arm, prefix, pool, rng)
            fit = fitting(form, shown, room)
            own = [retrieved(config, sheet, pool, one, room) for one in questions] if arm == SIMILAR else []
            if own:
                yield from dropped(
                    arm,
                    min(config.demonstrations, len(pool)),
                    min(map(len, own)),
                    "for some question the least similar",
                )
            else:
                yield from dropped(arm, len(shown), len(fit))
            if (known := answers.kept(arm, draw)) is not None:
                judged[arm].append(known)
            elif own:
                pairs = zip(questions, map(sheet.prefix, own), strict=True)
                judged[arm].append([judge(model, sheet, ids, [one], config.max_new_tokens)[0] for one, ids in pairs])
            else:
                judged[arm].append(judge(model, form, form.prefix(fit), questions, config.max_new_tokens))
            answers.keep(arm, draw, judged[arm][-1])
            step += 1
            share = statistics.fmean(answer.right for answer in judged[arm][-1])
            yield Metrics(step, rounds, {f"{arm}/exact_match": share})
            if draw == 1:
                answer = judged[arm][0][0]
                asking = f"[{arm}] {questions[0].definition} {questions[0].input}"
                yield Sample(asking, answer.text, {"exact_match": float(answer.right)})
    scores = {arm: Scores(questions, some) for arm, some in judged.items()}
    return Asked(model, sheet, questions, sheet.prefix(prefix), scores)


def by_size(config: Config) -> Generator[Event, None, Verdict]:
    """Is the smallest model behind the prefix ahead of the largest one without it?  In the paper 6 billion parameters
    with a prefix are a little ahead of 175 billion without one (30.78 against 29.72 ROUGE-L).
    """
    found: dict[str, Asked] = {}
    for name in config.sizes:
        found[name] = yield from ask(replace(config, model=name, arms=(), sizes=()))
    yield from size_table({n: (a.model.num_parameters(), a.scores[ZERO], a.scores[ICIL]) for n, a in found.items()})
    small, large = config.sizes[0], config.sizes[-1]
    ahead = difference(found[small].scores[ICIL].of("right"), found[large].scores[ZERO].of("right"))
    measured: dict[str, float] = {
        "small_ahead": ahead.mean,
        "small_ahead_low": ahead.low,
        "small_ahead_high": ahead.high,
    }
    for name, one in found.items():
        for arm, number in ((ZERO, "zero_shot"), (ICIL, "exact_match")):
            measured[f"{name}/{number}"] = statistics.fmean(one.scores[arm].of("right"))
    claim = f"{small} behind the prefix answers more questions of held-out tasks exactly than {large} without it"
    return Verdict(claim, ahead.low > 0, measured)


def dropped(arm: str, shown: int, fit: int, which: str = "the last") -> Iterator[Note]:
    """Says so where demonstrations do not fit."""
    if fit < shown:
        yield Note(f"{arm}: {which} {shown - fit} of {shown} demonstrations do not fit the context and are dropped")


def retrieved(config: Config, sheet: Sheet, pool: Tasks, question: Question, room: int) -> list[Question]:
    """A question's own demonstrations (detail 9): where they do not fit, the least similar, at the front, are dropped.

    With --break nobody has answered them.
    """
    shown = similar(pool, question, config.demonstrations)
    shown = with_random(shown, "answers", (), generator(config, "similar")) if config.break_ else shown
    return fitting(sheet, shown[::-1], room)[::-1]


def verdict(scores: Mapping[str, Scores], speed: Mapping[str, float]) -> Verdict:
    """Does the prefix help on tasks that it does not show, and what of it helps?  Intervals go over tasks."""
    zero, icil = scores[ZERO], scores[ICIL]
    gain = difference(icil.of("right"), zero.of("right"))
    measured = {
        "zero_shot": statistics.fmean(zero.of("right")),
        "exact_match": statistics.fmean(icil.of("right")),
        "held_out_gain": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
        "tasks": float(len(icil.by_task)),
        "zero_shot_rouge_l": statistics.fmean(zero.of("rouge")),
        "rouge_l": statistics.fmean(icil.of("rouge")),
    }
    if icil.chance:
        valid = difference(icil.of("valid", True), zero.of("valid", True))
        measured |= {"valid_rate": statistics.fmean(icil.of("valid", True)), "valid_gain": valid.mean}
        measured |= {"valid_gain_low": valid.low, "by_likelihood": statistics.fmean(icil.of("likeliest", True))}
        over = difference(icil.of("right", True), list(icil.chance.values()))
        measured |= {"over_chance": over.mean, "over_chance_low": over.low, "over_chance_high": over.high}
        measured["chance"] = statistics.fmean(icil.chance.values())
    for arm in (arm for arm in scores if arm not in (ZERO, ICIL)):
        lost = difference(icil.of("right"), scores[arm].of("right"))
        name = "lost_by_" + arm.replace(" ", "_").replace("-", "_")
        measured |= {name: lost.mean, f"{name}_low": lost.low, f"{name}_high": lost.high}
    claim = "A fixed prefix of other tasks, answered, raises exact matches on held-out tasks over zero-shot"
    return Verdict(claim, gain.low > 0, {**measured, **speed})


def beside_chance(measured: Mapping[str, float]) -> Note:
    """Says whether exact matches pass guessing, over the tasks with options: those with free answers have no chance."""
    over, low, high = (measured[f"over_chance{end}"] for end in ("", "_low", "_high"))
    if low > 0:
        return Note(
            f"With options, exact match minus guessing is {over:+.2f} ({low:+.2f} to {high:+.2f}): above chance"
        )
    if high < 0:
        return Note(
            f"With options, exact match minus guessing is {over:+.2f} ({low:+.2f} to {high:+.2f}): below chance, as an "
            "answer that is no option is wrong, and guessing gives none"
        )
    return Note(
        f"With options, exact match minus guessing is {over:+.2f} ({low:+.2f} to {high:+.2f}): not told from chance"
    )


if __name__ == "__main__":
    main(run, Config)
