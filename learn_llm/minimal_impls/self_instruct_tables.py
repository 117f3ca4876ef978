"""The tables of self_instruct.py, and its verdict."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from learn_llm.evaluation import difference, interval, share_interval
from learn_llm.events import Chart, Event, Note, Series, Table, Verdict
from learn_llm.minimal_impls.self_instruct_filters import Funnel, Written, distinct_2, nearest, planted, words

RAW, DEDUPLICATED, FILTERED = "raw", "deduplicated", "filtered"


def funnel_events(funnel: Funnel, lamini: Funnel) -> Iterator[Event]:
    """How many each filter rejects, as a table and as a funnel."""
    left = funnel.left()
    rows = [(name, funnel.rejected.get(name, 0), count) for name, count in left]
    rows.append(("exact duplicates only (Lamini)", sum(lamini.rejected.values()), len(lamini.kept)))
    yield Table("What the filters reject", ("filter", "rejected", "left"), tuple(rows))
    bars = Series("left", tuple(name for name, _ in left), tuple(float(count) for _, count in left))
    yield Chart("bar", "The funnel", "behind the filter", "tasks left", (bars,))


def filter_table(originals: Mapping[str, Sequence[str]], threshold: float, rng: Random) -> Table:
    """Recall and precision of the ROUGE-L filter on near-duplicates planted among some lists of instructions."""
    rows: list[tuple[str | int, ...]] = []
    for name, texts in originals.items():
        vocabulary = sorted({word for text in texts for word in words(text)})
        cells = (f"{x.mean:.2f} ({x.low:.2f} to {x.high:.2f})" for x in planted(texts, vocabulary, threshold, rng))
        rows.append((name, len(texts), *cells))
    title = f"ROUGE-L of at least {threshold:g} against planted near-duplicates"
    return Table(title, ("originals", "number", "recall", "precision"), tuple(rows))


def compared(
    kinds: Mapping[str, Sequence[Written]],
    samples: Mapping[str, Sequence[Written]],
    scores: Mapping[str, Sequence[float]],
) -> Iterator[Event]:
    """How distinct the kinds of data are, and what is learnt from each.

    Args:
        kinds: all tasks of each kind; the nearest neighbour is looked for among all of them.
        samples: equally many of each, which were learnt from.
        scores: 1 or 0 for each question, before SFT and after SFT on each kind.
    """
    alike = {name: interval(nearest(tasks)) for name, tasks in kinds.items()}
    pairs = {name: distinct_2(tasks) for name, tasks in samples.items()}
    rows: list[tuple[str | float | None, ...]] = []
    for name, found in scores.items():
        share, known = share_interval(found), name in kinds
        told = (len(kinds[name]), round(alike[name].mean, 3), round(pairs[name], 3)) if known else (None,) * 3
        rows.append((name, *told, round(share.mean, 3), f"{share.low:.2f} to {share.high:.2f}"))
    columns = ("data", "tasks", "nearest ROUGE-L", "distinct-2", "right", "95 % interval")
    title = f"SFT on {len(samples[FILTERED])} tasks of each kind, then {len(scores[RAW])} new questions"
    yield Table(title, columns, tuple(rows))
    yield Note(
        "start is the model before SFT, asked in the same chat format, which the tiny base has never seen. The "
        "intervals are over questions; which few tasks were drawn moves a score by several points, too"
    )
    over_start, gain = (difference(scores[FILTERED], scores[name]) for name in ("start", RAW))
    measured = {
        "written": float(len(kinds[RAW])),
        "kept": float(len(kinds[FILTERED])),
        "kept_exact": float(len(kinds[DEDUPLICATED])),
        "nearest": alike[FILTERED].mean,
        "nearest_high": alike[FILTERED].high,
        "nearest_exact": alike[DEDUPLICATED].mean,
        "nearest_exact_low": alike[DEDUPLICATED].low,
        "distinct_pairs": pairs[FILTERED],
        "distinct_pairs_exact": pairs[DEDUPLICATED],
        **{f"right_{name}": statistics.fmean(found) for name, found in scores.items()},
        "over_start": over_start.mean,
        "over_start_low": over_start.low,
        "right_gain": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
    }
    fewer = measured["kept"] < measured["kept_exact"]
    distinct = measured["nearest_high"] < measured["nearest_exact_low"] and pairs[FILTERED] > pairs[DEDUPLICATED]
    learnt = over_start.low > 0.1 and gain.high >= 0
    claim = (
        "The filters keep fewer, more distinct tasks than removing exact duplicates; SFT on them teaches the model to "
        "answer, and it is not behind SFT on as many raw ones"
    )
    yield Verdict(claim, fewer and distinct and learnt, measured)
