"""What `seq2seq.py` shows of its two models: answers side by side, a table, and exact answers by length."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from learn_llm.evaluation import interval, share_interval
from learn_llm.events import Chart, Sample, Series, Table
from learn_llm.minimal_impls.seq2seq_items import Corpus, Item

Exact = Mapping[str, Sequence[float]]
"""By model: 1 for each held-out item that was answered exactly, else 0."""


def side_by_side(
    data: Corpus, said: Mapping[str, Sequence[Sequence[int]]], exact: Exact, count: int = 3
) -> Iterator[Sample]:
    """The first few held-out sources with every model's answer."""
    for row, item in enumerate(data.held_out[:count]):
        for name in said:
            scores = {"exact_match": exact[name][row]}
            yield Sample(f"[{name}] {data.text(item.source)}", data.text(said[name][row]), scores)


def by_length(items: Sequence[Item], exact: Exact) -> Chart:
    """The share of exact answers against the words of the source."""
    lengths = sorted({len(item.source) for item in items})

    def share(values: Sequence[float], length: int) -> float:
        return statistics.fmean(v for v, item in zip(values, items, strict=True) if len(item.source) == length)

    lines = (Series(name, tuple(lengths), tuple(share(v, n) for n in lengths)) for name, v in exact.items())
    return Chart("line", "Exact answers by the length of the source", "words", "share", tuple(lines))


def overview(
    parameters: Mapping[str, int], flops: Mapping[str, float], losses: Mapping[str, Sequence[float]], exact: Exact
) -> Table:
    """What each model costs, and its loss and exact answers on held-out items with their 95 % intervals."""
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, count in parameters.items():
        loss, right = interval(losses[name]), share_interval(exact[name])
        work = round(flops[name] / 1e6, 2)
        ends = (f"{loss.low:.4f} to {loss.high:.4f}", f"{right.low:.3f} to {right.high:.3f}")
        rows.append((name, count, work, round(loss.mean, 4), ends[0], round(right.mean, 3), ends[1]))
    columns = ("model", "parameters", "MFLOP an item", "loss", "its interval", "exact", "its interval")
    return Table(f"{len(next(iter(exact.values())))} held-out items", columns, tuple(rows))
