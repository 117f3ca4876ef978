"""Ways of training: one base model, one kind of question, and six ways to get answers, in one table.

The bundled base has read exercise sheets, so it can tell a bird from a fish; it has never seen a chat, and does not
answer in one.  The questions name two or three options, and right is the short answer and nothing behind it.

    way                what changes                     where it is written
    asked plainly      nothing
    prompting          nothing; 8 solved exercises      `minimal_impls/icil.py`
                       of other tasks stand in front
    prompt tuning      k vectors before the input       `minimal_impls/prompt_tuning.py`
    adapters           bottlenecks behind sublayers     `minimal_impls/adapters.py`
    LoRA               thin changes beside matrices     `minimal_impls/lora.py`
    full fine-tuning   every weight                     `minimal_impls/sft.py`

What is trained sees the same examples in the same order, each way with the learning rate that suits it.  Prompting
writes the question as an exercise, the form that the base knows.  Two ways are missing: pretraining, which made the
base, and RLHF, which learns from comparisons and not from answers (`learn-llm demo ppo`).

Claim: prompting, with not one trained number, answers at least half of the questions, which asked plainly get at most a
tenth; with equal examples LoRA, under 5 % of the numbers, comes within 10 points of full fine-tuning; and prompt
tuning, under 1 %, lies between asking plainly and LoRA.

`--break` deals the answers out anew, so that each question has somebody else's: those that are learnt, those that are
shown and those that are asked for.

    python -m learn_llm.demos.ways_of_training [--steps 40] [--break]
"""

import copy
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch

from learn_llm.demos import catalogue
from learn_llm.demos.sft import questions
from learn_llm.evaluation import difference
from learn_llm.events import Chart, Event, Note, Series, Stage, Table, Verdict
from learn_llm.examples import Demonstration, Encoder, Prompt, collate
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import adapters, icil, lora, prompt_tuning
from learn_llm.minimal_impls.icil_tasks import Sheet, choose, of_item, of_world
from learn_llm.running import RunConfig, main
from learn_llm.tinyworld.lexicon import shuffled
from learn_llm.tinyworld.tasks import Item
from learn_llm.training import Setup, TrainConfig, generator, prepare, torch_generator

BATCH, ASKED, SHOWN, POOL = 32, 256, 8, 8
PLAIN, PROMPTING, PROMPT_TUNING = "asked plainly", "prompting", "prompt tuning"
ADAPTERS, LORA, FULL = "adapters", "LoRA", "full fine-tuning"
RATES = {PROMPT_TUNING: 0.1, ADAPTERS: 5e-3, LORA: 5e-3, FULL: 1e-3}
"""Peak of each way's learning rate."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 60
    """Training steps of each way, 32 examples each."""
    rank: int = 4
    """Rank of LoRA."""
    soft_tokens: int = 16
    """Vectors that prompt tuning puts before the input."""
    bottleneck: int = 8
    """Width of the adapters."""

    def __post_init__(self) -> None:
        catalogue.check("ways-of-training", self)


@dataclass(frozen=True)
class Outcome:
    """What one way cost and gave."""

    trained: int
    examples: int
    seconds: float
    right: Sequence[bool]

    @property
    def score(self) -> float:
        """The share of questions answered exactly."""
        return statistics.fmean(self.right)


def run(config: Config) -> Iterator[Event]:
    """Each way on the same base and the same questions."""
    train = TrainConfig(seed=config.seed, model="tiny-base", steps=config.steps, batch_size=BATCH, device="cpu")
    setup = prepare(train)
    base = setup.model.requires_grad_(False)
    examples, asked = (
        dealt(questions(generator(train, name), count, held_out), config)
        for name, count, held_out in (("examples", config.steps * BATCH, False), ("held out", ASKED, True))
    )
    yield Stage(PROMPTING, 1, 1 + len(RATES))
    outcomes = {PLAIN: Outcome(0, 0, 0.0, exact(base, setup.encoder, asked))}
    outcomes[PROMPTING] = Outcome(0, SHOWN, 0.0, prompted(config, setup, asked))
    yield chart(outcomes, base.num_parameters())
    data = [demonstration(setup.encoder, item) for item in examples]
    for index, way in enumerate(RATES, 2):
        yield Stage(way, index, 1 + len(RATES))
        torch.manual_seed(config.seed)
        model = changed(config, way, copy.deepcopy(base))
        rows = prompt_tuning.all_behind(model, data)
        begin = time.perf_counter()
        yield from lora.train(replace(train, learning_rate=RATES[way]), setup, model, rows, way.replace(" ", "_"))
        seconds = time.perf_counter() - begin
        outcomes[way] = Outcome(lora.trained(model), len(rows), seconds, exact(model, setup.encoder, asked))
    yield Note("Not in the table: pretraining, which made the base, and RLHF, which learns from comparisons.")
    yield table(outcomes, base.num_parameters())
    yield chart(outcomes, base.num_parameters())
    yield verdict(outcomes, base.num_parameters())


def dealt(items: Sequence[Item], config: Config) -> list[Item]:
    """The questions; under --break each with somebody else's answer."""
    answers = [item.answer for item in items]
    if config.break_:
        generator(config, f"break {len(items)}").shuffle(answers)
    return [replace(item, answer=answer) for item, answer in zip(items, answers, strict=True)]


def demonstration(encoder: Encoder, item: Item) -> Demonstration:
    """A question in the chat format with its short answer."""
    return Demonstration(Prompt(encoder.prompt(item.prompt), item.prompt), encoder.response(item.answer))


def changed(config: Config, way: str, model: GPT) -> GPT:
    """The model, with whatever this way trains set free and everything else frozen."""
    if way == FULL:
        return model.requires_grad_(True)
    if way == LORA:
        return lora.adapt(model, config.rank)
    if way == ADAPTERS:
        return adapters.insert(model, config.bottleneck)
    drawn = torch_generator(config, "soft tokens")
    return prompt_tuning.soft_prompt(model, prompt_tuning.random_words(model, config.soft_tokens, drawn))


@torch.no_grad()
def exact(model: GPT, encoder: Encoder, items: Sequence[Item]) -> list[bool]:
    """Whether greedy decoding in the chat format gives the answer and then ends."""
    rows = prompt_tuning.all_behind(model, [demonstration(encoder, item) for item in items])
    batch = collate([row.prompt.ids for row in rows], [row.response for row in rows])
    said = model(batch.tokens)[:, :-1].argmax(-1) == batch.tokens[:, 1:]  # each token of the answer, read in or not
    found: list[bool] = (said | (batch.mask[:, 1:] == 0)).all(1).tolist()
    return found


def prompted(config: Config, setup: Setup, asked: Sequence[Item]) -> list[bool]:
    """The same questions as the next exercise of a sheet whose first ones are solved (`icil.py`)."""
    sheet, rng = Sheet(setup.encoder.tokenizer), Random(f"{config.seed} prefix")
    pool = of_world(rng, False, POOL)
    shown = choose(pool, SHOWN, rng, 256, lambda question: len(sheet.prefix([question])))
    if config.break_:
        outputs = shuffled(rng, [question.outputs for question in shown])
        shown = [replace(question, outputs=other) for question, other in zip(shown, outputs, strict=True)]
    found = icil.judge(setup.model, sheet, sheet.prefix(shown), [of_item(item) for item in asked], most=4)
    return [answer.right for answer in found]


def table(outcomes: Mapping[str, Outcome], known: int) -> Table:
    """What each way costs and gives."""
    rows = [
        (way, o.trained, f"{o.trained / known:.2%}", o.examples, round(o.seconds, 1), round(o.score, 3))
        for way, o in outcomes.items()
    ]
    columns = ("way", "trained", "of the base's", "examples", "seconds of training", "score")
    return Table(f"One base of {known:,} parameters; score: exact answers to {ASKED} questions", columns, tuple(rows))


def chart(outcomes: Mapping[str, Outcome], known: int) -> Chart:
    """Score against trained numbers, a point for each way so far."""
    points = tuple(
        Series(way, (math.log10(max(1, outcome.trained)),), (outcome.score,)) for way, outcome in outcomes.items()
    )
    return Chart("scatter", f"Score against trained numbers, of {known:,}", "log10(trained numbers)", "score", points)


def verdict(outcomes: Mapping[str, Outcome], known: int) -> Verdict:
    """Is it as the docstring claims?"""
    score = {way: outcome.score for way, outcome in outcomes.items()}
    behind = difference(outcomes[LORA].right, outcomes[FULL].right)
    measured = {f"score_{way.replace(' ', '_').lower().replace('-', '_')}": value for way, value in score.items()}
    measured |= {"trained_share": outcomes[LORA].trained / known, "behind_full": behind.mean}
    measured |= {"ci_low": behind.low, "ci_high": behind.high}
    elicited = score[PLAIN] <= 0.1 and score[PROMPTING] >= 0.5
    close = score[FULL] >= 0.5 and measured["trained_share"] < 0.05 and behind.mean >= -0.1
    between = score[PLAIN] < score[PROMPT_TUNING] < score[LORA] and outcomes[PROMPT_TUNING].trained < 0.01 * known
    claim = (
        "Prompting answers at least half of what asked plainly gets at most a tenth of; with equal examples LoRA, "
        "under 5 % of the numbers, comes within 10 points of full fine-tuning; prompt tuning, under 1 %, lies between"
    )
    return Verdict(claim, elicited and close and between, measured)


if __name__ == "__main__":
    main(run, Config)
