"""The methods side by side: the same start, the same prompts, the same number of responses.  `learn-llm compare`.

An arm is a way to get from the SFT model to better answers.  Each may read or sample `--responses` answers, then all
are asked the same held-out prompts, and their gold scores are compared prompt by prompt.  What an arm reached with a
seed is kept under the digest of everything that it depends on: another seed or arm computes only what is new, and an
interrupted comparison goes on where it stopped.
"""

import dataclasses
import difflib
import json
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from learn_llm.checkpoints import load
from learn_llm.comparing_arms import ARMS, POLICY, RESPONSES, REWARD, ROUND, START, N, module, stages_of, taken
from learn_llm.comparing_report import write_report
from learn_llm.digests import digest
from learn_llm.errors import UserError
from learn_llm.evaluation import Interval, interval, win_rate
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, Verdict
from learn_llm.examples import Prompt, World
from learn_llm.folders import data_folder
from learn_llm.kept import begin, keep, kept, same
from learn_llm.minimal_impls import best_of_n, coh, coh_asked, reward_model
from learn_llm.minimal_impls.coh_rows import Writer
from learn_llm.rollouts import Response, mean_kl, respond
from learn_llm.running import RunConfig, steps_of
from learn_llm.training import STATE, Setup, TrainConfig, prepare

MAX_NEW_TOKENS = 40
DEFAULT = (START, "best-of-n", "dpo", "coh", "ppo")


@dataclass(frozen=True)
class Config(RunConfig):
    """How a comparison runs."""

    arms: tuple[str, ...] = DEFAULT
    """Which arms; the start is always one of them."""
    seeds: int = 1
    """How many seeds, counted from --seed."""
    responses: int = RESPONSES
    """How many responses each arm may read or sample."""
    report: str = ""
    """Where to write a report that a browser opens."""
    store: str = ""
    """Where finished runs are kept; empty: a folder of the user's data."""

    def __post_init__(self) -> None:
        for name in self.arms:
            if name not in ARMS:
                near = difflib.get_close_matches(name, ARMS, 3, cutoff=0.4)
                raise UserError(f"there is no arm {name!r}; there are {', '.join(near or ARMS)}")
        if self.names == (START,):
            raise UserError(f"name an arm beside {START}: {', '.join(name for name in ARMS if name != START)}")
        if self.seeds < 1:
            raise UserError(f"--seeds must be at least 1, not {self.seeds}")
        least = ROUND * (2 if any(ARMS[name].then for name in self.names) else 1)
        if self.responses < least:
            raise UserError(f"--responses must be at least {least}, a round of PPO a stage, not {self.responses}")

    @property
    def names(self) -> tuple[str, ...]:
        """The arms in the order of the table, the start first."""
        return tuple(name for name in ARMS if name == START or name in self.arms)


class Scored(Protocol):
    """What has a gold score for each held-out prompt."""

    @property
    def gold(self) -> Sequence[float]: ...


@dataclass(frozen=True)
class Result:
    """What one arm reached with one seed."""

    gold: Sequence[float]
    """Of its answer to each held-out prompt, -1 to 1."""
    skills: Mapping[str, float]
    """The mean score of each skill, 1 to 5."""
    kl: float
    """KL to the start in nats a response; of best-of-n an upper bound."""
    length: float
    """Tokens a response."""
    trained: int
    """Parameters that were trained."""
    seconds: float | None
    """Training, without the evaluation, None if it was interrupted; of an arm that trains nothing: answering."""


def run(config: Config) -> Iterator[Event]:
    """Train and ask every arm with every seed; the verdict says whether each one beats its start."""
    store = Path(config.store) if config.store else data_folder() / "comparisons"
    jobs = [(name, seed) for seed in range(config.seed, config.seed + config.seeds) for name in config.names]
    settings = {(name, seed): stages_of(name, seed, config.responses, config.break_) for name, seed in jobs}
    sizes = {job: sum(one.steps for one in made) or 1 for job, made in settings.items()}
    yield Note(
        f"at most {config.responses:,} responses an arm, {config.seeds} seed{'s' * (config.seeds > 1)} from "
        f"{config.seed}; "
        f"all start from {POLICY} and answer the same held-out prompts at temperature 1; kept in {store}"
    )
    results: dict[str, list[Result]] = {name: [] for name in config.names}
    starts: dict[int, Sequence[float]] = {}
    done = 0
    for index, (name, seed) in enumerate(jobs, 1):
        made, key = settings[name, seed], _key(name, seed, config, settings[name, seed])
        folder = store / f"{name}-seed-{seed}{'-broken' * config.break_}"
        yield Stage(f"{name}, seed {seed}", index, len(jobs))
        result = kept(folder, key, Result)
        if result is None:
            resumed = same(folder, key)
            if folder.exists() and not resumed:
                yield Note(f"{folder.name} was made by other settings or another version: computed anew")
                shutil.rmtree(folder)
            begin(folder, key)
            started = time.monotonic()
            if made:
                for event in _train(name, made, folder / "run"):
                    yield dataclasses.replace(event, step=done + event.step, steps=sum(sizes.values()))
            seconds = None if resumed else time.monotonic() - started
            result = _ask(name, seed, folder / "run" if made else None, seconds, config)
            keep(folder, result)
            (folder / "run" / STATE).unlink(missing_ok=True)
        results[name].append(result)
        starts.setdefault(seed, result.gold)
        done += sizes[name, seed]
        yield Metrics(done, sum(sizes.values()), {"gold": statistics.fmean(result.gold), "kl": result.kl})
    yield from _told(config, results, list(starts.values()))


def _train(name: str, stages: Sequence[TrainConfig], out: Path) -> Iterator[Metrics]:
    """The methods' own runs up to their last steps; how they fare is measured here, for all arms alike.

    A stage before the last one leaves its model beside `out`, under the name `first` once it is finished.
    """
    done, start, method = 0, POLICY, ARMS[name].method
    for stage in stages:
        last = stage is stages[-1]
        finished, folder = out.with_name("first"), out if last else out.with_name("first.part")
        if last or not finished.exists():
            config = dataclasses.replace(stage, model=start, out=str(folder), resume=(folder / STATE).exists())
            for event in steps_of(module(method).run(config)):
                yield dataclasses.replace(event, step=done + event.step)
            if not last:
                folder.rename(finished)
                (finished / STATE).unlink()
        done, start, method = done + stage.steps, str(finished), ARMS[name].then


def _ask(name: str, seed: int, trained: Path | None, seconds: float | None, config: Config) -> Result:
    """The arm's answers to the held-out prompts of this seed."""
    setup = prepare(TrainConfig(seed=seed, model=POLICY))
    start = setup.model
    if trained is not None:
        setup = dataclasses.replace(setup, model=load(str(trained), setup.device)[0].float())
    prompts = World(setup.encoder, seed).prompts(1, MAX_NEW_TOKENS).held_out
    began = time.monotonic()
    answers, kl = _answers(name, setup, start, prompts, config)
    skills = sorted({skill for answer in answers for skill in answer.skills})
    return Result(
        gold=[answer.gold for answer in answers],
        skills={s: statistics.fmean(answer.skills[s] for answer in answers if s in answer.skills) for s in skills},
        kl=kl,
        length=statistics.fmean(len(answer.ids) for answer in answers),
        trained=start.num_parameters() if trained else 0,
        seconds=seconds if trained else time.monotonic() - began,
    )


def _answers(
    name: str, setup: Setup, start: Any, prompts: Sequence[Prompt], config: Config
) -> tuple[list[Response], float]:
    if name == "best-of-n":
        asked = best_of_n.Config(seed=setup.config.seed, break_=config.break_, max_new_tokens=MAX_NEW_TOKENS)
        drawn = best_of_n.sample(setup, asked, prompts, N)
        scores = best_of_n.scored(reward_model.reward_of(REWARD, setup), drawn, asked)
        return [drawn[i] for i in best_of_n.best(scores, N)], best_of_n.best_of_n_kl(N)
    if name == "coh":
        found = coh_asked.ask(setup, Writer(setup.encoder, coh.Config().feedback), True, start, prompts, MAX_NEW_TOKENS)
        return list(found.good), found.kl
    answers = respond(setup, setup.model, prompts, MAX_NEW_TOKENS)
    return answers, 0.0 if name == START else mean_kl(setup.model, start, answers)


def _told(
    config: Config, results: Mapping[str, Sequence[Result]], starts: Sequence[Sequence[float]]
) -> Iterator[Event]:
    """The tables and charts, the report, and the verdict."""
    gains = {name: gain(found, starts) for name, found in results.items() if name != START}
    settings = {name: stages_of(name, config.seed, config.responses, config.break_) for name in results}
    what = Table(
        "The arms",
        ("arm", "objective", "learns from", "responses", "trained"),
        tuple(
            (name, ARMS[name].objective, ARMS[name].data, sum(map(taken, made)) or None, results[name][0].trained)
            for name, made in settings.items()
        ),
    )
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, found in results.items():
        own = gains.get(name)
        wins = statistics.fmean(win_rate(r.gold, s) for r, s in zip(found, starts, strict=True))
        over = (own.mean, own.low, own.high, wins) if own else (None,) * 4
        kl, length = (statistics.fmean(value) for value in zip(*((r.kl, r.length) for r in found), strict=True))
        timed = [r.seconds for r in found if r.seconds is not None]
        numbers = (mean_gold(found), *over, kl, length, statistics.fmean(timed) if timed else None)
        rows.append((name, *(None if number is None else round(number, 3) for number in numbers)))
    among = f"{config.seeds} seeds" if config.seeds > 1 else "prompts, one seed"
    bound = "; best-of-n's KL is at most this: responses tie" if "best-of-n" in results else ""
    summary = Table(
        f"Gold score on held-out prompts; over SFT with its 95 % interval over {among}{bound}",
        ("arm", "gold", "over SFT", "low", "high", "wins", "KL", "tokens", "seconds"),
        tuple(rows),
    )
    skills = [skill for skill in results[START][0].skills if all(skill in r.skills for r in results[START])]
    profile = Table(
        "Skills, 1 to 5",
        ("skill", *results),
        tuple(
            (
                skill.replace("_", " "),
                *(round(statistics.fmean(r.skills[skill] for r in found), 2) for found in results.values()),
            )
            for skill in skills
        ),
    )
    bars = Series("gold", tuple(results), tuple(round(mean_gold(found), 3) for found in results.values()))
    frontier = tuple(
        Series(name, (statistics.fmean(r.kl for r in found) ** 0.5,), (mean_gold(found),))
        for name, found in results.items()
    )
    charts = (
        Chart("bar", "Gold score on held-out prompts", "arm", "gold, -1 to 1", (bars,)),
        Chart("scatter", f"What a distance from the start buys{bound}", "√KL", "gold", frontier),
    )
    yield what
    yield summary
    yield profile
    yield from charts
    measured: dict[str, float] = {"seeds": float(config.seeds), "prompts": float(len(starts[0]))}
    for name, own in gains.items():
        measured |= {f"{name}/gold_difference": own.mean, f"{name}/ci_low": own.low, f"{name}/ci_high": own.high}
    better = list(gains)
    reach = f"{', '.join(better[:-1])} and {better[-1]} reach" if len(better) > 1 else f"{better[0]} reaches"
    claim = f"from the same start and on the same budget {reach} a higher gold score than SFT"
    verdict = Verdict(claim, all(own.low > 0 for own in gains.values()), measured)
    if config.report:
        note = (
            "What coh reads in words comes from the rubric, without the annotators' noise." if "coh" in results else ""
        )
        write_report(Path(config.report), (summary, what, profile), gains, charts, verdict, note=note)
        yield Note(f"the report is in {config.report}")
    yield verdict


def gain(found: Sequence[Scored], starts: Sequence[Sequence[float]]) -> Interval:
    """Gold over the start: an interval over seeds where there are two or more, else over the prompts of the one."""
    pairs = [[a - b for a, b in zip(r.gold, s, strict=True)] for r, s in zip(found, starts, strict=True)]
    return interval([statistics.fmean(differences) for differences in pairs] if len(pairs) > 1 else pairs[0])


def mean_gold(found: Sequence[Scored]) -> float:
    """Over seeds and prompts."""
    return statistics.fmean(statistics.fmean(r.gold) for r in found)


def _key(name: str, seed: int, config: Config, made: Sequence[TrainConfig]) -> str:
    """The digest of all that a result depends on: code, settings, and the checkpoints it starts from."""
    settings = [{k: v for k, v in dataclasses.asdict(one).items() if k not in ("out", "resume")} for one in made]
    modules = [f"learn_llm.minimal_impls.{method}" for method in (ARMS[name].method, ARMS[name].then) if method]
    return digest([__name__, *modules], name, str(seed), str(config.break_), json.dumps(settings, sort_keys=True))
