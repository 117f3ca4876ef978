"""FLASK: score each answer on the skills that its question calls for, and look at skills, domains, difficulty apart.

One mean hides why a model is good.  FLASK (Ye et al. 2023, arXiv 2307.10928) tags each question with up to three of 12
skills, a domain and a difficulty from 1 to 5; each tagged skill is scored from 1 to 5 by its own rubric, and the scores
are averaged by skill, by domain and by difficulty (section 3).  Any checkpoint can be asked; nothing is trained.

    profile(skill) = mean of the scores of the answers whose question is tagged with the skill

Two models are compared: `--model`, sampled at `--temperature`, and `--against`, the best of a few samples by a reward
model, at the temperature that makes both means equal.  What is left is the difference of their profiles.

Implementation details
  1. In the tiny world rules score (tinyworld/rubric.py), where the paper has GPT-4 or people: the world is closed, so a
     rule can know.  Each rule looks at its own feature, so a fault in one skill leaves the others alone.
  2. The mean is taken over a question's skills first, then over questions, as an overall score would be.
  3. Robustness is a property of a model: the share of questions whose answer stays the same, right or wrong, when the
     task is asked in two other phrasings.  What stays the same by sampling alone is shown: the same words asked twice.
  4. Insightfulness has no good rule.  What is counted is the share of 4-grams in right answers that stand in no
     demonstration of people; new words are not yet an insight.  Both are mapped from 0..1 to 1..5.
  5. The hard subset is difficulty 4 and 5, against 1 and 2; the paper's has 89 items of level 5, with checklists.
  6. The length check makes answers wordier and adds nothing (section 4.3): which scores stay?  Completeness and
     conciseness are left out of it, as in the paper, since length is their affair.
  7. `--judge module:function` scores in place of the rules: it is called once per skill, with the skill's name in each
     row.  With --data the rows carry prompt, skills, domain and difficulty.
Left out: a rubric in words, the reason written before the score (rules need neither), checklists per question.

    python -m learn_llm.minimal_impls.flask                                          # tiny world
    python -m learn_llm.minimal_impls.flask --sizes nano-sft micro-sft tiny-sft      # which skills rise with size
    python -m learn_llm.minimal_impls.flask --model smollm2 --against runs/sft --against-best-of 1 \\
        --data questions.jsonl --judge my_judges:by_length
"""

import math
import statistics
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from learn_llm.errors import UserError
from learn_llm.evaluation import CORRECT, Interval, difference
from learn_llm.events import Event, Metrics, Note, Sample, Stage, Table, Verdict
from learn_llm.examples import File, Prompt, World, items
from learn_llm.minimal_impls.flask_asked import ABILITIES, Candidate, Scores, judge_of, tags
from learn_llm.minimal_impls.flask_properties import fall, four_grams, insightfulness, points, robustness, wordier
from learn_llm.minimal_impls.flask_sizes import Size, by_size
from learn_llm.minimal_impls.flask_tables import fall_table, label_table, profile_charts, skill_table
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.variants import full
from learn_llm.rollouts import Response
from learn_llm.running import RunConfig, main
from learn_llm.training import Setup, TrainConfig, generator, prepare

EASY, HARD = (1, 2), (4, 5)
LEAST = 10
"""Fewer scores than this are shown, but nothing is claimed from them."""
TOLERANCE = 0.1
"""Means that differ by less count as equal, in points of 1 to 5."""
TRIES = 5
OF_LENGTH = ("completeness", "conciseness")


@dataclass(frozen=True)
class Config(RunConfig):
    """What is asked, and who answers.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The first model: a bundled name, a folder, or a hub name of the Llama family."""
    temperature: float = 0.0
    """Of its samples; 0: always the likeliest token."""
    against: str = "tiny-sft"
    """The second model."""
    against_best_of: int = 4
    """Of how many samples of the second model the best by the reward model is taken; 1: the first one."""
    against_temperature: float = -1.0
    """Of its samples; -1: such that both models have the same mean."""
    sizes: tuple[str, ...] = ()
    """Ask these models in place of the two, the smallest first (`flask_sizes.py`)."""
    reward_model: str = "tiny-reward"
    """What chooses the best sample: a bundled name or a folder made by reward_model.py."""
    data: str = ""
    """A JSON-lines file of questions; empty: the tiny world."""
    judge: str = ""
    """Scores in place of the rules (7): module:function, f(prompts, responses, rows) -> list of numbers from 1 to 5."""
    prompts: int = 256
    """Questions."""
    hard: int = 128
    """More questions of the hard subset, tiny world only."""
    rephrased: int = 64
    """Questions that are asked in other phrasings (3), tiny world only."""
    demonstrations: int = 4000
    """Demonstrations that insightfulness is measured against (4)."""
    max_new_tokens: int = 40
    """The longest response."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """Where the models run; "auto": CUDA, else MPS, else CPU."""

    def __post_init__(self) -> None:
        for name in ("prompts", "against_best_of", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name.replace('_', '-')} must be at least 1: it is {getattr(self, name)}")
        for name in ("hard", "rephrased", "demonstrations"):
            if getattr(self, name) < 0:
                raise UserError(f"--{name.replace('_', '-')} must not be negative: it is {getattr(self, name)}")
        if not self.temperature >= 0 or not (self.against_temperature >= 0 or self.against_temperature == -1):
            raise UserError("--temperature must not be negative; --against-temperature may be -1: found by itself")
        if self.full and self.sizes:
            raise UserError("--full asks models of three sizes, too: leave --sizes away")
        if len(self.sizes) == 1:
            raise UserError("--sizes compares two models or more: name another one")
        if self.data and not self.judge:
            raise UserError("--data needs --judge module:function: the rules know the tiny world only")


# What is computed


def question_means(scores: Sequence[Scores]) -> list[float]:
    """One overall score a question: the mean over its skills (detail 2).

    >>> question_means([{"factuality": 5, "readability": 3}, {"factuality": 1}])
    [4.0, 1.0]
    """
    return [statistics.fmean(some.values()) for some in scores]


def by_skill(scores: Sequence[Scores]) -> dict[str, list[float]]:
    """The scores of each skill that was scored.

    >>> by_skill([{"factuality": 5, "readability": 3}, {"factuality": 1}])
    {'factuality': [5, 1], 'readability': [3]}
    """
    found: dict[str, list[float]] = {}
    for some in scores:
        for skill, score in some.items():
            found.setdefault(skill, []).append(score)
    return found


def candidates(config: Config) -> dict[str, Candidate]:
    """A and B: both models as the configuration uses them; one checkpoint is loaded once."""
    setups: dict[str, Setup] = {}
    for name in (config.model, config.against):
        if name not in setups:
            setups[name] = prepare(TrainConfig(model=name, seed=config.seed, device=config.device))
    a, b = setups[config.model], setups[config.against]
    reward = reward_of(config.reward_model, b) if config.against_best_of > 1 else None
    judges = [judge_of(config.judge, setup) if config.judge else None for setup in (a, b)]
    return {
        "A": Candidate(config.model, a, config.temperature, config.max_new_tokens, 1, None, judges[0], config.break_),
        "B": Candidate(
            config.against, b, config.against_temperature, config.max_new_tokens, config.against_best_of, reward,
            judges[1], config.break_,
        ),
    }  # fmt: skip


def questions(config: Config, setup: Setup, hard: bool = False) -> list[Prompt]:
    """What is asked, or more of the hard subset; in the tiny world prompts that nothing was trained on."""
    if config.data:
        split = File(setup.encoder, config.data, 0).prompts(config.prompts, config.max_new_tokens)
        return [] if hard else [*split.held_out, *split.train][: config.prompts]
    world, rng = World(setup.encoder, config.seed), generator(config, "hard" if hard else "questions")
    count = config.hard if hard else config.prompts
    drawn = items(rng, count, held_out=True)
    while hard and len(drawn := [item for item in drawn if item.difficulty in HARD]) < count:
        drawn += items(rng, count, held_out=True)
    return [world.prompt(item) for item in drawn[:count]]


# The run


def run(config: Config) -> Iterator[Event]:
    """Ask both models, equalise their means, and compare skill by skill; then the hard subset and what a model is."""
    if config.full:
        yield from full("flask", run, config)
        return
    if config.sizes:
        yield from sizes(config)
        return
    models = candidates(config)
    asked = {name: questions(config, model.setup) for name, model in models.items()}
    if len(asked["A"]) != len(asked["B"]):
        raise UserError("some questions of --data are too long for one of the models: their answers cannot be compared")

    yield Stage("answers", 1, 3)
    responses = {"A": models["A"].answers(asked["A"], "questions")}
    scores = {"A": models["A"].scores(responses["A"])}
    models["B"], responses["B"], scores["B"] = yield from equalised(
        config, models["B"], asked["B"], statistics.fmean(question_means(scores["A"]))
    )
    yield Note("; ".join(f"{name}: {model}" for name, model in models.items()))
    for i in range(min(3, len(asked["A"]))):
        for name, model in models.items():
            said = model.setup.encoder.text(responses[name][i].ids)
            yield Sample(f"[{name}] {asked[name][i].text}", said, scores[name][i])

    yield Stage("skills, domains, difficulty", 2, 3)
    labels = [tags(prompt) for prompt in asked["A"]]
    skills = {name: by_skill(some) for name, some in scores.items()}
    means = {name: question_means(some) for name, some in scores.items()}
    yield skill_table(skills, means)
    yield label_table("Domain", [domain for _, domain, _ in labels], means)
    yield label_table("Difficulty, 1 to 5", [str(difficulty) for _, _, difficulty in labels], means)
    falls = {}
    for name, model in models.items():
        more = questions(config, model.setup, hard=True)
        hard = model.scores(model.answers(more, "hard")) if more else []
        levels = [difficulty for _, _, difficulty in labels] + [HARD[0]] * len(hard)
        falls[name] = hard_falls([*scores[name], *hard], levels)
    yield from fall_table(falls)

    yield Stage("what belongs to a model", 3, 3)
    measured: dict[str, float] = {}
    profiles = {name: {s: statistics.fmean(v) for s, v in some.items()} for name, some in skills.items()}
    if not config.data:
        measured = yield from properties(config, models, responses, profiles)
    yield from profile_charts(profiles)
    yield verdict(config, scores, falls["A"], {**measured, "temperature": models["B"].temperature})


def sizes(config: Config) -> Iterator[Event]:
    """The same questions to models of several sizes; with --break the smallest one answers for all."""
    found: list[Size] = []
    for index, name in enumerate(config.sizes, 1):
        yield Stage(name, index, len(config.sizes))
        asking = TrainConfig(model=config.sizes[0] if config.break_ else name, seed=config.seed, device=config.device)
        setup = prepare(asking)
        judge = judge_of(config.judge, setup) if config.judge else None
        model = Candidate(name, setup, config.temperature, config.max_new_tokens, judge=judge)
        responses = model.answers(questions(config, setup), "questions")
        found.append(Size(name, setup.model.num_parameters(), model.scores(responses)))
        if len(found[-1].scores) != len(found[0].scores):
            raise UserError("some questions of --data are too long for one of the models: they cannot be compared")
        mean = statistics.fmean(question_means(found[-1].scores))
        yield Metrics(index, len(config.sizes), {"overall": mean})
        yield Sample(f"[{name}] {responses[0].prompt.text}", setup.encoder.text(responses[0].ids), found[-1].scores[0])
    yield from by_size(found)


def equalised(
    config: Config, model: Candidate, asked: Sequence[Prompt], mean: float
) -> Generator[Event, None, tuple[Candidate, list[Response], list[Scores]]]:
    """The model at the temperature that gives it this mean, its answers and their scores.

    The hotter, the worse, at first by a guess of one point a degree, then by regula falsi on what was measured, with
    the same random numbers: at most `TRIES` times; the nearest is kept.
    """
    above, below, found = None, None, None
    given = config.against_temperature >= 0
    temperature = config.against_temperature if given else 1.2
    for attempt in range(1, TRIES + 1):
        tried = replace(model, temperature=temperature)
        responses = tried.answers(asked, "questions")
        scores = tried.scores(responses)
        gap = statistics.fmean(question_means(scores)) - mean
        yield Metrics(attempt, TRIES, {"overall": mean + gap, "overall_gap": gap, "temperature": temperature})
        if found is None or abs(gap) < abs(found[0]):
            found = (gap, (tried, responses, scores))
        if given or abs(gap) <= TOLERANCE / 2:
            break
        above, below = ((temperature, gap), below) if gap > 0 else (above, (temperature, gap))
        if above and below:
            temperature = above[0] + (below[0] - above[0]) * above[1] / (above[1] - below[1])
        else:
            temperature = max(temperature + gap, temperature / 2)
    assert found is not None
    return found[1]


def hard_falls(scores: Sequence[Scores], levels: Sequence[int]) -> dict[str, Interval]:
    """How much lower each skill is on hard questions than on easy ones, where there are enough of both."""
    easy, hard = (by_skill([s for s, at in zip(scores, levels, strict=True) if at in some]) for some in (EASY, HARD))
    return {s: fall(easy[s], hard[s]) for s in easy if min(len(easy[s]), len(hard.get(s, ()))) >= LEAST}


def properties(
    config: Config,
    models: Mapping[str, Candidate],
    responses: Mapping[str, Sequence[Response]],
    profiles: Mapping[str, dict[str, float]],
) -> Generator[Event, None, dict[str, float]]:
    """Robustness, insightfulness and the length check (details 3, 4, 6); the first two join the profiles."""
    world = World(models["A"].setup.encoder, config.seed)
    known: set[tuple[str, ...]] = set()
    for demonstration in world.demonstrations(config.demonstrations).train:
        known |= four_grams(world.encoder.text(demonstration.response))
    rows: list[tuple[str | float | int | None, ...]] = []
    measured: dict[str, float] = {}
    for name, model in models.items():
        robust = robustness(model.answers, world, responses[name], config.rephrased)
        new = insightfulness(responses[name], known)
        profiles[name].update({"logical_robustness": points(robust.same), "insightfulness": points(new)})
        shares = (robust.same, robust.same_and_right, robust.same_words, new)
        rows.append((name, robust.questions, *(round(share, 3) for share in shares)))
        measured |= {f"robustness_{name.lower()}": robust.same, f"insightfulness_{name.lower()}": new}
    columns = ("model", "questions", "same answer", "and right", "same words", "new 4-grams")
    yield Table("Asked in other words, and the share of new 4-grams in right answers", columns, tuple(rows))

    answers = [response for some in responses.values() for response in some]
    longer = wordier(world, answers, generator(config, "wordier"))
    before, after = (models["A"].scores(some) for some in (answers, longer))
    pairs = [(s, x, b[s]) for a, b in zip(before, after, strict=True) for s, x in a.items()]
    kept = [x == y for s, x, y in pairs if s not in OF_LENGTH]
    short = [y - x for s, x, y in pairs if s == "conciseness"]
    measured["scores_kept"] = statistics.fmean(kept)
    said = f"Made wordier: {statistics.fmean(kept):.0%} of the scores stay, conciseness moves by "
    said += f"{statistics.fmean(short):+.2f}" if short else "nothing"
    reward = models["B"].reward
    if reward is not None:
        rises = [b > a for a, b in zip(reward(answers), reward(longer), strict=True)]
        measured["reward_rises"] = statistics.fmean(rises)
        said += f"; the reward model's one score rises for {statistics.fmean(rises):.0%} of the answers"
    yield Note(said)
    return measured


def verdict(
    config: Config, scores: Mapping[str, Sequence[Scores]], falls: Mapping[str, Interval], measured: dict[str, float]
) -> Verdict:
    """Equal means, unequal profiles; and in the tiny world, which skills suffer on the hard subset."""
    a, b = scores["A"], scores["B"]
    gaps = {}
    for skill in by_skill(a):
        pairs = [(y[skill], x[skill]) for x, y in zip(a, b, strict=True) if skill in x]
        if len(pairs) >= LEAST:
            gaps[skill] = difference(*zip(*pairs, strict=True))
    means = statistics.fmean(question_means(a)), statistics.fmean(question_means(b))
    widest = max(gaps.values(), key=lambda gap: abs(gap.mean), default=Interval(0.0, 0.0, 0.0))
    low = max(widest.low, -widest.high)
    other_way = min((gap.mean * math.copysign(1, widest.mean) for gap in gaps.values()), default=0.0)
    numbers = {
        "overall_a": means[0],
        "overall_b": means[1],
        "widest_gap": abs(widest.mean),
        "widest_gap_low": low,
        "gap_the_other_way": max(0.0, -other_way),
        **measured,
    }
    holds = abs(means[0] - means[1]) <= TOLERANCE and low >= 1
    claim = "Two models with the same mean score differ by at least a point on some skill"
    if config.data:
        return Verdict(claim, holds, numbers)
    style = [falls[skill].mean for skill in ABILITIES["user alignment"] if skill in falls]
    correct = falls.get(CORRECT, Interval(0.0, 0.0, 0.0))
    worst = min(style, default=0.0)
    numbers |= {"fall_correctness": correct.mean, "fall_correctness_high": correct.high, "fall_style": worst}
    holds = holds and correct.high < 0 and correct.mean < worst
    claim += "; on hard questions correctness falls, and further than any skill of user alignment"
    return Verdict(claim, holds, numbers)


if __name__ == "__main__":
    main(run, Config)
