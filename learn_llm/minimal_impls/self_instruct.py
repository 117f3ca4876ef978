"""Self-Instruct: a model writes the data that it is then tuned on, from a few dozen seed tasks.

    instructions, continued from a list of some      →  "say the last word."
    an input and an output for each                  →  "hat, sun"  "sun"
    filters, each with its count of rejects          →  what is left joins the list that the next round continues
    SFT on what is left        (Wang et al. 2022, arXiv 2212.10560; filters: self_instruct_filters.py)

Nothing new is learnt about the world: the model wrote all of it.  It learns to do when asked what it could do before.

Implementation details
  1. A prompt shows seeds and a few kept tasks of the model (the paper: 6 and 2): it does not drift from people's.
  2. For classification the label is written before the input, else inputs of one class prevail.  (The paper lets the
     model say whether an instruction is classification; here one is that names its answers.)
  3. A model that writes the label first may write an input that does not fit it.  The tiny base does so nearly half of
     the time: it has never read an output that stood before its input.  So each label makes a round trip (Alberti et
     al. 2019, arXiv 1906.05416): asked with the input first, greedily, the model must give it again.  The paper has no
     such filter; `--skip "label disagrees"` leaves it out.
  4. An instruction goes if its ROUGE-L with any seed or kept task is at least 0.7.  (The published code keeps exactly
     0.7.)  The order of writing matters: the first of two alike stays.
  5. Lamini's filter beside it: exact duplicates of an instruction, nothing else (70,000 became 37,000).
  6. Three models are tuned on equally many tasks, raw, without duplicates, and filtered, in equally many steps.  With
     unequal sizes one would compare sizes: about 110 raw tasks of the tiny base do as well as 40 filtered ones.  Which
     few tasks were drawn moves a score by several points: raw and filtered are told apart over seeds only.  (Five:
     filtered is ahead by 17 points, 5 to 28.)
  7. The model is asked new questions in its chat format.  None of them was written as a task, whatever the filter.
Left out: several instances of an instruction, templates that vary the prompt, top-p and the presence penalty.

    python -m learn_llm.minimal_impls.self_instruct                                     # tiny world
    python -m learn_llm.minimal_impls.self_instruct --model smollm2 --shortest 4 --learning-rate 1e-5 --out written
    python -m learn_llm.minimal_impls.sft --model smollm2 --data written/filtered.jsonl
"""

import copy
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Sample, Stage
from learn_llm.examples import Prompt, batch_indices, collate, is_held_out, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.icil_scores import plain
from learn_llm.minimal_impls.icil_tasks import ENGLISH, Question, Sheet, of_file, of_item
from learn_llm.minimal_impls.self_instruct_filters import (
    Funnel,
    Predicate,
    Written,
    all_filters,
    is_classification,
    lamini_filters,
)
from learn_llm.minimal_impls.self_instruct_tables import (
    DEDUPLICATED,
    FILTERED,
    RAW,
    compared,
    filter_table,
    funnel_events,
)
from learn_llm.minimal_impls.sft import response_loss
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import is_first, own
from learn_llm.rollouts import respond
from learn_llm.running import main
from learn_llm.sampling import left_pad
from learn_llm.tinyworld import tasks, tokens
from learn_llm.tinyworld.lexicon import pick, shuffled, some
from learn_llm.training import Optimiser, Setup, TrainConfig, generator, prepare, torch_generator

INPUT_FIRST, LABEL_FIRST = ("instruction", "input", "output"), ("instruction", "output", "input")
CALLED = {"instruction": "definition", "input": "input", "output": "output"}
"""What the fields are called on the sheets of exercises that the tiny base has read."""
ANSWER = 12


@dataclass(frozen=True)
class Config(TrainConfig):
    """How tasks are written, filtered and learnt.  The numbers in brackets are the details above."""

    model: str = "tiny-base"
    """Writes the tasks and is tuned on them: a bundled name, a folder, or a hub name of the Llama family."""
    data: str = ""
    """A JSON-lines file of tasks (icil_tasks.py): seeds, and held-out ones to ask; empty: the tiny world's, for other
    checkpoints the bundled English ones."""
    seeds: int = 32
    """Seed tasks."""
    rounds: int = 6
    """How often tasks are written; each round can build on what the ones before it kept."""
    per_round: int = 32
    """Tasks that are written in a round."""
    shown_seeds: int = 3
    """Seeds in a prompt (1)."""
    shown_written: int = 1
    """Kept tasks of the model in a prompt (1)."""
    temperature: float = 1.0
    """Of what is written; outputs that come last are greedy.  (The paper: 0.7.)"""
    max_new_tokens: int = 40
    """The longest line that is written."""
    threshold: float = 0.7
    """The ROUGE-L from which on two instructions are near-duplicates (4)."""
    shortest: int = 3
    """Words of the shortest instruction (the paper: 4; in the tiny world three words are a whole one)."""
    skip: tuple[str, ...] = ()
    """Filters to leave out, by name."""
    steps: int = 24
    """SFT steps on each kind of data."""
    batch_size: int = 24
    """Tasks a step."""
    learning_rate: float = 1e-3
    """Peak of the schedule, AdamW."""
    questions: int = 256
    """New questions that every model is asked (7)."""
    out: str = ""
    """Folder for seeds.jsonl, raw.jsonl, deduplicated.jsonl and filtered.jsonl: what sft.py takes as --data."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "seeds", "rounds", "per_round", "shown_seeds", "max_new_tokens", "shortest", "questions")
        self.need(0, "shown_written")
        self.need_above_0("temperature", "threshold")
        known = all_filters(self.shortest, self.threshold)
        for name in self.skip:
            if name not in known:
                raise UserError(f"there is no filter {name!r}; there are: {', '.join(known)}")
        if self.resume:
            raise UserError("--resume has nothing to go on with here: tune with sft.py on --data OUT/filtered.jsonl")

    def filters(self) -> Mapping[str, Predicate]:
        """What a task must pass; --break: it passes everything."""
        known = all_filters(self.shortest, self.threshold)
        return {name: found for name, found in known.items() if name not in self.skip and not self.break_}


# Seeds, and questions to ask


def material(config: Config, setup: Setup) -> tuple[list[Written], list[Question]]:
    """Seed tasks, one of each family as far as there are, and questions that were never shown (7)."""
    rng = generator(config, "seeds")
    if not config.data and setup.encoder.tokenizer.vocab_size == len(tokens.vocabulary()):
        families = tasks.training()
        in_turn = itertools.islice(itertools.cycle(shuffled(rng, list(families))), config.seeds)
        seeds = [as_written(of_item(task.make(rng))) for task in in_turn]
        drawn = (pick(rng, families).make(rng) for _ in itertools.count())
        asked = (of_item(item) for item in drawn if is_held_out(item))
        return seeds, list(itertools.islice(asked, config.questions))
    pool, held_out = of_file(config.data or ENGLISH)
    questions = shuffled(rng, [q for some_of_it in held_out.values() for q in some_of_it])
    return [as_written(pick(rng, list(qs))) for qs in pool.values()][: config.seeds], questions[: config.questions]


def as_written(question: Question) -> Written:
    """A question with its first right answer."""
    return Written(question.definition, question.input, question.outputs[0])


# Writing


class Author:
    """Writes tasks line by line, each behind a few tasks that are shown whole."""

    def __init__(self, setup: Setup, config: Config, seeds: Sequence[Written]) -> None:
        self.setup, self.config, self.seeds = setup, config, seeds
        self.sheet = Sheet(setup.encoder.tokenizer)
        tiny = setup.encoder.tokenizer.vocab_size == len(tokens.vocabulary())
        self.names = CALLED if tiny else {field: name.capitalize() for field, name in CALLED.items()}

    def write(self, count: int, kept: Sequence[Written], step: int) -> list[Written]:
        """New tasks: instructions, then labels and inputs or inputs and outputs, then the round trip of the labels."""
        temperature = self.config.temperature
        blank = [Written("")] * count
        written = self.lines(blank, "instruction", INPUT_FIRST, temperature, self.seeds, kept, step)
        choosing = [task for task in written if is_classification(task.instruction)]
        asking = [task for task in written if not is_classification(task.instruction)]
        labelled, free = ([s for s in self.seeds if is_classification(s.instruction) == kind] for kind in (True, False))
        for field in LABEL_FIRST[1:]:  # detail 2
            choosing = self.lines(choosing, field, LABEL_FIRST, temperature, labelled, (), step)
        for field in INPUT_FIRST[1:]:
            asking = self.lines(asking, field, INPUT_FIRST, temperature * (field == "input"), free, (), step)
        again = self.lines(choosing, "output", INPUT_FIRST, 0.0, labelled, (), step)  # detail 3
        choosing = [replace(task, again=other.output) for task, other in zip(choosing, again, strict=True)]
        return shuffled(generator(self.config, "order", step), [*choosing, *asking])

    def lines(
        self,
        written: Sequence[Written],
        field: str,
        order: Sequence[str],
        temperature: float,
        seeds: Sequence[Written],
        kept: Sequence[Written],
        step: int,
    ) -> list[Written]:
        """The tasks with one more line, `field`, behind those that stand before it in `order`."""
        rng = generator(self.config, f"shown {field} {order}", step)
        prompts = []
        for task in written:
            shown = some(rng, list(seeds), min(len(seeds), self.config.shown_seeds))
            shown += some(rng, list(kept), min(len(kept), self.config.shown_written))
            text = "".join(self.text(one, order) + "\n" for one in shuffled(rng, shown))
            before = self.text(task, order[: order.index(field)])
            prompts.append(f"{text}{before}{self.names[field]}:")
        said = self.continued(prompts, temperature, f"{field} {order}", step)
        return [replace(task, **{field: line}) for task, line in zip(written, said, strict=True)]

    def text(self, task: Written, order: Sequence[str]) -> str:
        """Some lines of a task."""
        return "".join(f"{self.names[field]}: {getattr(task, field)}\n" for field in order)

    def continued(self, prompts: Sequence[str], temperature: float, purpose: str, step: int) -> list[str]:
        """One line behind each prompt."""
        if not prompts:
            return []
        tokenizer = self.setup.encoder.tokenizer
        room = self.setup.encoder.context - self.config.max_new_tokens
        rows = [[*self.sheet.begin, *tokenizer.encode(text, bos=False)][-room:] for text in prompts]
        ids, attention = left_pad(rows, 0, self.setup.device)
        with self.setup.autocast():
            sampled = self.setup.model.generate(
                ids,
                attention,
                max_new_tokens=self.config.max_new_tokens,
                temperature=temperature,
                eos_token_id=self.sheet.stops,
                generator=torch_generator(self.config, purpose, step),
            )
        lines = (itertools.takewhile(lambda i: i not in self.sheet.stops, row) for row in sampled.tolist())
        return [tokenizer.decode(list(line)).strip() for line in lines]


def english() -> list[str]:
    """The definitions of the bundled English tasks."""
    return sorted({questions[0].definition for side in of_file(ENGLISH) for questions in side.values()})


# Learning


def tune(config: Config, setup: Setup, model: GPT, data: Sequence[Written], name: str) -> Iterator[Metrics]:
    """SFT on these tasks, asked in the chat format (sft.py)."""
    optimiser = Optimiser([model], config)
    prompts = [setup.encoder.prompt(task.prompt) for task in data]
    responses = [setup.encoder.response(task.output) for task in data]
    for step in range(1, config.steps + 1):
        rows = batch_indices(config.seed, len(data), config.batch_size, step)
        count, loss = sum(len(responses[i]) for i in rows), 0.0
        for part in parts(own(rows), config.micro_batch_size):
            batch = collate([prompts[i] for i in part], [responses[i] for i in part], setup.device)
            with setup.autocast():
                logits = model(batch.tokens)
            share = response_loss(logits, batch.tokens, batch.mask, count)
            share.backward()
            loss += share.item()
        values = optimiser.step(step, loss)
        yield Metrics(step, config.steps, {f"{name}/{key}": value for key, value in values.items()})


def answers(setup: Setup, model: GPT, asked: Sequence[Question]) -> list[str]:
    """The likeliest answer to each question in the chat format."""
    prompts = [as_written(question).prompt for question in asked]
    prepared = [Prompt(setup.encoder.prompt(text), text) for text in prompts]
    return [setup.encoder.text(r.ids) for r in respond(setup, model, prepared, ANSWER, temperature=0.0)]


def right(asked: Sequence[Question], said: Sequence[str]) -> list[float]:
    """1 where the answer is a reference answer, 0 elsewhere."""
    return [float(plain(a) in map(plain, q.outputs)) for q, a in zip(asked, said, strict=True)]


# The run


def run(config: Config) -> Iterator[Event]:
    """Write tasks round by round, filter them in three ways, tune on equally many of each, and ask all models."""
    if config.full:
        yield from full("self_instruct", run, config)
        return
    setup = prepare(config)
    seeds, asked = material(config, setup)
    save_rows(config.out, "seeds", seeds)
    author = Author(setup, config, seeds)
    raw: list[Written] = []
    funnel, lamini = Funnel(config.filters(), seeds), Funnel(lamini_filters(), seeds)
    yield Stage("writing", 1, 3)
    for step in range(1, config.rounds + 1):
        new = author.write(config.per_round, funnel.kept, step)
        verdicts = [(task, funnel.offer(task), lamini.offer(task)) for task in new]
        raw += new
        values = {"written": float(len(raw)), "kept": float(len(funnel.kept)), "kept_exact": float(len(lamini.kept))}
        yield Metrics(step, config.rounds, values)
        if step == 1:
            for task, reason, _ in verdicts[:6]:
                yield Sample(task.prompt, f"{task.output}   [{reason or 'kept'}]")
    yield from funnel_events(funnel, lamini)
    if not funnel.kept:
        raise UserError("no task passed the filters: more --rounds, another --temperature or --skip a filter")
    texts = list(dict.fromkeys(seed.instruction for seed in seeds))
    yield filter_table({"seeds": texts, "English": english()}, config.threshold, generator(config, "planted"))

    prompts = {plain(task.prompt) for task in raw}
    asked = [question for question in asked if plain(as_written(question).prompt) not in prompts]  # detail 7
    rng, size = generator(config, "equal size"), min(len(funnel.kept), len(lamini.kept))
    kinds: dict[str, Sequence[Written]] = {RAW: raw, DEDUPLICATED: lamini.kept, FILTERED: funnel.kept}
    for name, written in kinds.items():
        save_rows(config.out, name, written)
    samples = {name: some(rng, list(written), size) for name, written in kinds.items()}  # detail 6
    yield Stage("tuning", 2, 3)
    scores = {"start": right(asked, answers(setup, setup.model, asked))}
    for name, rows in samples.items():
        model = copy.deepcopy(setup.model)
        yield from tune(config, setup, model, [row for row in rows if plain(row.output)] or list(rows), name)
        said = answers(setup, model, asked)
        scores[name] = right(asked, said)
        yield Sample(f"[{name}] {as_written(asked[0]).prompt}", said[0], {"right": scores[name][0]})
    yield Stage("comparing", 3, 3)
    yield from compared(kinds, samples, scores)


def save_rows(folder: str, name: str, rows: Sequence[Written]) -> None:
    """JSON lines that sft.py takes; nothing without a folder.  A row without an answer teaches nothing: left out."""
    if not folder or not is_first():
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lines = (json.dumps({"prompt": row.prompt, "completion": row.output}) for row in rows if plain(row.output))
        Path(folder, f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    except OSError as error:
        raise UserError(f"--out {folder} cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    main(run, Config)
