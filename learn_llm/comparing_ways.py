"""The ways of training side by side, every cell measured.  `learn-llm compare ways`.

One chat model, whose teachers were careless, is to answer better.  Every way gets `--responses` flawless answers or as
many samples of its own, then all are asked the same held-out prompts; gold scores are compared prompt by prompt.

    way             what changes                             where it is written
    prompting       nothing
    icil            nothing; solved exercises stand in front `minimal_impls/icil.py`
    prompt-tuning   vectors before the input                 `minimal_impls/prompt_tuning.py`
    adapters        bottlenecks behind sublayers             `minimal_impls/adapters.py`
    lora            thin changes beside matrices             `minimal_impls/lora.py`
    qlora           the same, beside matrices of 4 bits      `minimal_impls/quantise.py`
    full            every weight                             `minimal_impls/sft.py`
    rlhf            every weight, by PPO                     `minimal_impls/ppo.py`

ICIL starts from the base model, which continues texts: it is the way to get answers from one that nobody has tuned.
What a way reached with a seed is kept; an interrupted comparison goes on at the way that was under way.
"""

import difflib
import math
import shutil
import statistics
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch

from learn_llm.checkpoints import load
from learn_llm.comparing import gain, mean_gold
from learn_llm.comparing_report import write_report
from learn_llm.digests import digest
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, Verdict
from learn_llm.examples import Demonstration, Prompt, World, parts
from learn_llm.folders import data_folder
from learn_llm.gpt import GPT
from learn_llm.kept import begin, keep, kept, same
from learn_llm.minimal_impls import adapters, icil, icil_asking, lora, ppo, prompt_tuning, quantise
from learn_llm.minimal_impls.icil_tasks import Sheet, choose, of_item, of_world
from learn_llm.rollouts import Response, respond
from learn_llm.running import RunConfig, steps_of
from learn_llm.tensor_memory import Peak
from learn_llm.training import STATE, Setup, TrainConfig, generator, prepare, torch_generator

START, BASE, CHAT = "prompting", "tiny-base", "tiny-sft"
BATCH, ROUND, SHOWN, MAX_NEW_TOKENS = 32, 192, 8, 40
RANK, BOTTLENECK, SOFT_TOKENS = 4, 8, 16
MIB = 2**20


@dataclass(frozen=True)
class Way:
    """One way, and what is to be said of it."""

    start: str
    data: str
    changes: str
    purpose: str
    change: Callable[[GPT, int], GPT] | None = None
    """Freezes the model and sets free what this way trains by cross-entropy, given the seed."""
    rate: float = 0.0
    """Peak of its learning rate."""
    save: Callable[[Setup, GPT, Path], None] = lambda setup, model, folder: setup.save(folder)
    """Writes what must be kept for each task."""


def _soft_prompt(model: GPT, seed: int) -> GPT:
    drawn = torch_generator(RunConfig(seed), "soft tokens")
    return prompt_tuning.soft_prompt(model, prompt_tuning.random_words(model, SOFT_TOKENS, drawn))


WAYS: Mapping[str, Way] = {
    START: Way(CHAT, "nothing", "nothing", "what the model can do as it is"),
    "icil": Way(
        BASE, f"{SHOWN} solved exercises in the context", "nothing", "answers from a base model that nobody has tuned",
    ),
    "prompt-tuning": Way(
        CHAT, "answers", f"{SOFT_TOKENS} vectors before the input", "a task in a few KiB, no change to the model",
        _soft_prompt, 0.1, lambda setup, model, folder: prompt_tuning.write(model, folder / prompt_tuning.FILE),
    ),
    "adapters": Way(
        CHAT, "answers", "bottlenecks behind sublayers", "many tasks on one model, each a little slower than the model",
        lambda model, seed: adapters.insert(model, BOTTLENECK), 3e-3,
        lambda setup, model, folder: prompt_tuning.write(model, folder / adapters.FILE),
    ),
    "lora": Way(
        CHAT, "answers", "thin changes beside matrices", "many tasks on one model; merged, a task costs no time",
        lambda model, seed: lora.adapt(model, RANK), 5e-3, lora.save_adapter,
    ),
    "qlora": Way(
        f"{CHAT} in 4 bits", "answers", "thin changes beside matrices", "a model that fits into memory in 4 bits only",
        lambda model, seed: lora.adapt(quantise.compressed(model, "nf4", 64), RANK), 5e-3, lora.save_adapter,
    ),
    "full": Way(
        CHAT, "answers", "every weight", "one task, many answers, memory for four times the weights",
        lambda model, seed: model, 1e-3,
    ),
    "rlhf": Way(
        CHAT, "prompts, a reward model", "every weight, against a reward", "what is easier to judge than to write",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Config(RunConfig):
    """How a comparison of ways runs."""

    ways: tuple[str, ...] = tuple(WAYS)
    """Which ways; prompting is always one of them."""
    seeds: int = 1
    """How many seeds, counted from --seed."""
    responses: int = 2_880
    """How many answers each way may read or sample."""
    report: str = ""
    """Where to write a report that a browser opens."""
    store: str = ""
    """Where finished ways are kept; empty: a folder of the user's data."""

    def __post_init__(self) -> None:
        for name in self.ways:
            if name not in WAYS:
                near = difflib.get_close_matches(name, WAYS, 3, cutoff=0.4)
                raise UserError(f"there is no way {name!r}; there are {', '.join(near or WAYS)}")
        if self.names == (START,):
            raise UserError(f"name a way beside {START}: {', '.join(name for name in WAYS if name != START)}")
        if self.seeds < 1:
            raise UserError(f"--seeds must be at least 1, not {self.seeds}")
        if self.responses < ROUND:
            raise UserError(f"--responses must be at least {ROUND}, one round of PPO, not {self.responses}")

    @property
    def names(self) -> tuple[str, ...]:
        """The ways in the order of the table."""
        return tuple(name for name in WAYS if name == START or name in self.ways)

    def steps(self, name: str) -> int:
        """Steps of a way; 1 where nothing is trained."""
        return self.responses // ROUND if name == "rlhf" else self.responses // BATCH if WAYS[name].change else 1


@dataclass(frozen=True)
class Result:
    """What one way cost and reached with one seed."""

    gold: Sequence[float]
    """Of its answer to each held-out prompt, -1 to 1."""
    trained: int
    """Numbers that were trained."""
    size: int
    """Numbers of the model that it starts from."""
    state: int
    """Bytes of the models that it needs, and of the gradients and Adam's moments of what is trained."""
    peak: int
    """The most bytes of tensors held at once, in a training step or, where nothing is trained, in answering a batch."""
    seconds: float
    """Training; where nothing is trained, answering."""
    stored: int
    """Bytes that must be kept for each task."""


def run(config: Config) -> Iterator[Event]:
    """Go every way with every seed; the verdict says whether each one that trains beats asking plainly."""
    store = Path(config.store) if config.store else data_folder() / "comparisons" / "ways"
    jobs = [(name, seed) for seed in range(config.seed, config.seed + config.seeds) for name in config.names]
    total, done = sum(config.steps(name) for name, _ in jobs), 0
    yield Note(
        f"{config.responses:,} answers read or sampled, {config.seeds} seed{'s' * (config.seeds > 1)} from "
        f"{config.seed}; all answer the same held-out prompts at temperature 1; kept in {store}"
    )
    results: dict[str, list[Result]] = {name: [] for name in config.names}
    for index, (name, seed) in enumerate(jobs, 1):
        folder = store / f"{name}-seed-{seed}{'-broken' * config.break_}"
        key = digest([__name__], name, str(seed), str(config.break_), str(config.steps(name)))
        yield Stage(f"{name}, seed {seed}", index, len(jobs))
        result = kept(folder, key, Result)
        if result is None:
            if folder.exists():
                if not same(folder, key):
                    yield Note(f"{folder.name} was made by other settings or another version: computed anew")
                shutil.rmtree(folder)
            begin(folder, key)
            own = replace(config, seed=seed)
            result = yield from counted(rlhf(own, folder) if name == "rlhf" else tried(own, name, folder), done, total)
            keep(folder, result)
        results[name].append(result)
        done += config.steps(name)
        yield Metrics(done, total, {"gold": statistics.fmean(result.gold), "peak_memory": result.peak / MIB / 1024})
    yield from told(config, results)


Trying = Generator[Metrics, None, Result]


def counted(events: Trying, done: int, total: int) -> Trying:
    """The steps of one way as steps of the whole comparison."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield replace(event, step=done + event.step, steps=total)


def tried(config: Config, name: str, folder: Path) -> Trying:
    """A way that is trained by cross-entropy on flawless answers, or not at all."""
    way, peak = WAYS[name], Peak()
    train = TrainConfig(config.seed, model=way.start.split()[0], steps=config.steps(name), batch_size=BATCH)
    setup = prepare(replace(train, learning_rate=way.rate or train.learning_rate))
    prompts = World(setup.encoder, config.seed).prompts(1, MAX_NEW_TOKENS).held_out
    size = setup.model.num_parameters()
    if way.change is None:
        answer = plainly if name == START else behind_exercises
        with peak:
            answer(setup, prompts[:BATCH])
        started = time.monotonic()
        answers, stored = answer(setup, prompts)
        seconds = time.monotonic() - started
        return Result(golds(answers), 0, size, weights(setup.model), peak.bytes, seconds, stored)
    started = time.monotonic()
    torch.manual_seed(config.seed)
    model = way.change(setup.model, config.seed)
    data = prompt_tuning.all_behind(model, examples(config, setup))
    yield from watched(lora.train(setup.config, setup, model, data, name), peak)
    seconds, trained = time.monotonic() - started, lora.trained(model)
    way.save(setup, model, folder / "kept")
    answers = respond(setup, model, [prompt_tuning.behind(model, prompt) for prompt in prompts], MAX_NEW_TOKENS)
    state, stored = weights(model) + 12 * trained, stored_in(folder / "kept")
    return Result(golds(answers), trained, size, state, peak.bytes, seconds, stored)


def rlhf(config: Config, folder: Path) -> Trying:
    """PPO against the bundled reward model; policy, reference and reward model are in memory together."""
    peak, started = Peak(), time.monotonic()
    method = ppo.Config(
        config.seed, config.break_, model=CHAT, steps=config.steps("rlhf"), batch_size=ROUND, out=str(folder / "kept")
    )
    yield from watched(steps_of(ppo.run(method)), peak)
    seconds = time.monotonic() - started
    setup = prepare(method)
    model = load(method.out, setup.device)[0].float()
    prompts = World(setup.encoder, config.seed).prompts(1, MAX_NEW_TOKENS).held_out
    gold, size = golds(respond(setup, model, prompts, MAX_NEW_TOKENS)), model.num_parameters()
    (folder / "kept" / STATE).unlink()
    return Result(gold, size, size, 3 * weights(model) + 12 * size, peak.bytes, seconds, stored_in(folder / "kept"))


def watched(events: Iterator[Metrics], peak: Peak) -> Iterator[Metrics]:
    """The events; the memory of the first two steps is measured: at the second one Adam has its moments."""
    for _ in range(2):
        with peak:
            event = next(events, None)
        if event is None:
            return
        yield event
    yield from events


def examples(config: Config, setup: Setup) -> list[Demonstration]:
    """Flawless answers; under --break everyone gets somebody else's."""
    data = list(lora.careful(setup.config, setup, config.responses, 0).train)
    answers = [row.response for row in data]
    if config.break_:
        generator(config, "break").shuffle(answers)
    return [Demonstration(row.prompt, answer) for row, answer in zip(data, answers, strict=True)]


def plainly(setup: Setup, prompts: Sequence[Prompt]) -> tuple[list[Response], int]:
    """Zero-shot, in the chat format."""
    return respond(setup, setup.model, prompts, MAX_NEW_TOKENS), 0


def behind_exercises(setup: Setup, prompts: Sequence[Prompt]) -> tuple[list[Response], int]:
    """Each prompt as the next exercise of a sheet whose first ones are solved; and the bytes of those (`icil.py`)."""
    sheet, rng = Sheet(setup.encoder.tokenizer), Random(f"{setup.config.seed} exercises")
    shown = choose(of_world(rng, False, icil.POOL), SHOWN, rng, 256, lambda question: len(sheet.prefix([question])))
    prefix = sheet.prefix(shown)
    cache = icil_asking.computed(setup.model, prefix)
    answers: list[Response] = []
    for some in parts(prompts, icil_asking.CHUNK):
        asked = [sheet.question(of_item(prompt.item)) for prompt in some if prompt.item is not None]
        read = icil_asking.read(setup.model, asked, cache, MAX_NEW_TOKENS)
        said = icil_asking.greedy(setup.model, read, sheet.stops, MAX_NEW_TOKENS)
        answers += [Response(prompt, tuple(ids), True) for prompt, ids in zip(some, said, strict=True)]
    return answers, len(setup.encoder.text(prefix).encode())


def golds(answers: Sequence[Response]) -> list[float]:
    """Their gold scores."""
    return [answer.gold for answer in answers]


def weights(model: GPT) -> int:
    """Bytes of the model as it is held."""
    return sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))


def stored_in(folder: Path) -> int:
    """Bytes of the weights that lie there."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def told(config: Config, results: Mapping[str, Sequence[Result]]) -> Iterator[Event]:
    """The tables and the chart, the report, and the verdict."""
    starts = [result.gold for result in results[START]]
    gains = {name: gain(found, starts) for name, found in results.items() if name != START}
    what = Table(
        "The ways",
        ("way", "starts from", "data", "what changes", "what it is for"),
        tuple((name, way.start, way.data, way.changes, way.purpose) for name in results for way in (WAYS[name],)),
    )
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, found in results.items():
        one, seconds = found[0], statistics.fmean(result.seconds for result in found)
        peak = max(result.peak for result in found)
        cost = (one.state / MIB, peak / MIB, seconds, one.stored / 1024)
        over = (None,) * 3 if name == START else (gains[name].mean, gains[name].low, gains[name].high)
        scores = (None if x is None else round(x, 3) for x in (mean_gold(found), *over))
        rows.append((name, one.trained, f"{one.trained / one.size:.1%}", *(round(x, 1) for x in cost), *scores))
    among = f"{config.seeds} seeds" if config.seeds > 1 else "prompts, one seed"
    summary = Table(
        f"State: models, gradients, moments; peak: all tensors; over prompting with its 95 % interval over {among}",
        (
            "way", "trained", "of all", "state, MiB", "peak, MiB", "seconds", "kept a task, KiB", "gold",
            "over prompting", "low", "high",
        ),
        tuple(rows),
    )  # fmt: skip
    points = tuple(
        Series(name, (math.log10(max(1, found[0].trained)),), (mean_gold(found),)) for name, found in results.items()
    )
    chart = Chart("scatter", "Gold score against trained numbers", "log10(trained numbers)", "gold", points)
    yield what
    yield summary
    yield chart
    measured: dict[str, float] = {"seeds": float(config.seeds), "prompts": float(len(starts[0]))}
    for name, own in gains.items():
        measured |= {f"{name}/gold_difference": own.mean, f"{name}/ci_low": own.low, f"{name}/ci_high": own.high}
    training = [name for name, found in results.items() if found[0].trained]
    claim = f"On the same budget {', '.join(training)} answer better than the model they start from, asked plainly"
    verdict = Verdict(claim, bool(training) and all(gains[name].low > 0 for name in training), measured)
    if config.report:
        write_report(Path(config.report), (what, summary), gains, (chart,), verdict, "Ways of training", "prompting")
        yield Note(f"the report is in {config.report}")
    yield verdict
