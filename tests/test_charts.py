"""Charts as text: golden pictures, sizes that are kept, numbers that are not finite."""

import math
import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from learn_llm.canvas import Canvas, cells, fit, short, tick_texts, ticks
from learn_llm.charts import render, sparkline
from learn_llm.events import Chart, ChartKind, Series

KINDS: tuple[ChartKind, ...] = ("line", "bar", "scatter", "heatmap", "hist")


def line(*series: Series, title: str = "Gold", x_label: str = "step", y_label: str = "gold") -> Chart:
    return Chart("line", title, x_label, y_label, series)


RISING = Series("PPO", (0.0, 10.0, 20.0, 30.0), (0.0, 0.2, 0.3, 0.35))
FLAT = Series("SFT", (0.0, 10.0, 20.0, 30.0), (0.1, 0.1, 0.1, 0.1))


def picture(text: str) -> str:
    return "\n".join(row.rstrip() for row in text.strip("\n").split("\n"))


def test_a_line_chart_has_a_title_a_legend_and_numbered_axes() -> None:
    assert render(line(RISING, FLAT), 44, 11) == picture(LINE)


LINE = """
Gold
gold   ⠒⠒⠒⠒ PPO    ⠂⠐  SFT
    ⢸                           ⢀⣀⣀⡠⠤⠤⠤⠒⠒⠒⠉⠉
    ⢸                    ⢀⣀⠤⠔⠒⠉⠉⠁
    ⢸              ⣀⡠⠤⠒⠊⠉⠁
0.2 ⢸          ⣀⠤⠒⠉
    ⢸⡀⢀ ⡀⢀ ⣀⣠⠔⡊⢀ ⡀⢀ ⡀⢀ ⡀⢀ ⡀⢀ ⡀⢀ ⡀⢀ ⡀⢀ ⡀⢀ ⡀⢀
    ⢸   ⢀⠤⠒⠁
0.0 ⢸⡠⠔⠊⠁
    ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉ step
     0           10          20           30
"""


def test_in_ascii_each_series_has_its_own_mark() -> None:
    assert render(line(RISING, FLAT), 44, 11, ascii=True) == picture(ASCII_LINE)


ASCII_LINE = """
Gold
gold   **** PPO   oooo SFT
    |                                *******
    |                      **********
    |                ******
0.2 |           *****
    |ooooooooooooooooooooooooooooooooooooooo
    |   ****
0.0 |***
    +---------------------------------- step
     0           10          20           30
"""


def test_a_line_with_a_gap_is_not_drawn_across_it() -> None:
    with_gap = Series("loss", tuple(float(i) for i in range(9)), (4, 3, 2, math.nan, math.inf, math.nan, 2, 1, 0))
    assert render(line(with_gap, title="", x_label="", y_label=""), 24, 7) == picture(GAP)


GAP = """
4 ⢸⠑⢄
  ⢸  ⠑⢄⡀
2 ⢸    ⠈⠂         ⠐⢄
  ⢸                 ⠑⢄
0 ⢸                   ⠑⢄
  ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉
   0            5
"""


def test_bars_start_at_zero_in_both_directions() -> None:
    bars = Series("", ("correct", "wordy", "方策", "none"), (0.3, -0.15, 0.01, 0.0))
    assert render(Chart("bar", "Difference", "", "", (bars,)), 40, 8) == picture(BARS)


BARS = """
Difference
correct          ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿   0.3
wordy    ⣿⣿⣿⣿⣿⣿⣿⣿⡇                 -0.15
方策             ⢸                  0.01
none             |                     0
"""


def test_grouped_bars_have_a_fill_each() -> None:
    series = (
        Series("zero-shot", ("colour", "animal"), (0.3, 0.5)),
        Series("few-shot", ("colour", "animal"), (0.6, 0.75)),
    )
    assert render(Chart("bar", "Accuracy", "", "share", series), 40, 9) == picture(GROUPED)


GROUPED = """
Accuracy
share   ⣿⣿ zero-shot   ⠶⠶ few-shot
colour  ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿                  0.3
        ⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⡇       0.6

animal  ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿           0.5
        ⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶⠶ 0.75
"""


def test_a_histogram_counts_into_round_bins() -> None:
    values = Series("", (), (0.1, 0.2, 1.1, 1.2, 1.3, 1.4, 2.5, 2.6, 3.9, math.nan))
    assert render(Chart("hist", "Scores", "score", "count", (values,)), 30, 9) == picture(HIST)


HIST = """
Scores
count
4 ⢸      ⢸⣿⣿⣿⣿⣿⡇
  ⢸      ⢸⣿⣿⣿⣿⣿⡇
2 ⢸⣶⣶⣶⣶⣶⣶⢸⣿⣿⣿⣿⣿⡇⣶⣶⣶⣶⣶⣶⡆
  ⢸⣿⣿⣿⣿⣿⣿⢸⣿⣿⣿⣿⣿⡇⣿⣿⣿⣿⣿⣿⡇⣤⣤⣤⣤⣤⣤
0 ⢸⣿⣿⣿⣿⣿⣿⢸⣿⣿⣿⣿⣿⡇⣿⣿⣿⣿⣿⣿⡇⣿⣿⣿⣿⣿⣿
  ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉ score
   0            2            4
"""


def test_a_heatmap_says_its_numbers_where_there_is_room() -> None:
    rows = tuple(
        Series(name, ("the", "hen"), values) for name, values in (("the", (1.0, 0.0)), ("hen", (0.25, math.nan)))
    )
    assert render(Chart("heatmap", "Attention", "key", "query", rows), 30, 8) == picture(HEATMAP)
    assert render(Chart("heatmap", "Attention", "key", "query", rows), 20, 8, ascii=True) == picture(SMALL_HEATMAP)


HEATMAP = """
Attention
query
the  ⣿⣿ 1      ⠂⠂ 0
hen  ⠆⠆ 0.25   ?
     the       hen
⠂⠂ 0 ⣿⣿ 1                  key
"""
SMALL_HEATMAP = """
Attention
query
the  ###### ......
hen  :::::: ?
     the    hen
.. 0 ## 1        key
"""


def test_points_of_several_series_have_marks() -> None:
    points = (Series("RL", (0.0, 1.0, 2.0), (0.0, 1.0, 2.0)), Series("best of n", (0.0, 2.0), (2.0, 0.0)))
    assert render(Chart("scatter", "", "kl", "gold", points), 30, 8) == picture(SCATTER)


SCATTER = """
gold   * RL   o best of n
2 ⢸o                         *
  ⢸
1 ⢸             *
  ⢸
0 ⢸*                         o
  ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉ kl
   0            1            2
"""


def test_words_on_the_x_axis_are_kept() -> None:
    sizes = Series("loss", ("nano", "micro", "tiny"), (3.0, 2.5, 2.0))
    assert render(line(sizes), 40, 9).splitlines()[-1].split() == ["nano", "micro", "tiny"]


def test_colours_come_in_addition() -> None:
    plain, colored = render(line(RISING, FLAT), 44, 11), render(line(RISING, FLAT), 44, 11, color=True)
    assert "\x1b[36m" in colored
    assert "\x1b[33m" in colored
    assert "\x1b" not in plain
    for number in (0, 36, 33):
        colored = colored.replace(f"\x1b[{number}m", "")
    assert colored == plain


def test_twenty_thousand_points_show_their_extremes() -> None:
    values = [0.0] * 20_000
    values[7_000], values[13_000] = 1.0, -1.0
    drawn = render(line(Series("", tuple(map(float, range(20_000))), tuple(values))), 60, 12).splitlines()
    top, bottom = drawn[2], drawn[-3]
    assert sum(char in "⠀ " for char in top[6:]) < len(top[6:])
    assert sum(char in "⠀ " for char in bottom[6:]) < len(bottom[6:])


@pytest.mark.parametrize("kind", KINDS)
def test_without_anything_finite_it_says_so_in_words(kind: ChartKind) -> None:
    empty = Chart(kind, "Nothing", "", "", (Series("loss", (1.0,), (math.nan,)), Series("gold", (), ())))
    assert render(empty, 40, 10) == "Nothing\nloss: nan\ngold: nothing measured"
    assert render(Chart(kind, "Nothing", "", "", ()), 40, 10) == "Nothing"


NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-5, 5)
NAME = st.text(alphabet="ab é方策\u0301", max_size=30)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    series = []
    words = draw(st.booleans())
    for _ in range(draw(st.integers(0, 3))):
        y = draw(st.lists(NUMBER, max_size=30))
        x: list[str | float] = draw(st.lists(NAME if words else NUMBER, min_size=len(y), max_size=len(y)))
        series.append(Series(draw(NAME), tuple(x), tuple(y)))
    return Chart(draw(st.sampled_from(KINDS)), draw(NAME), draw(NAME), draw(NAME), tuple(series))


@settings(deadline=None, max_examples=100)
@given(charts(), st.integers(1, 90), st.integers(1, 24), st.booleans())
def test_every_chart_keeps_to_its_size_and_to_narrow_characters(
    chart: Chart, width: int, height: int, ascii: bool
) -> None:
    rows = render(chart, width, height, ascii=ascii).split("\n")
    assert len(rows) <= height
    for row in rows:
        assert cells(row) <= width
        for char in row:
            assert char in "é方策\u0301" or unicodedata.east_asian_width(char) in ("N", "Na")
            assert not ascii or char.isascii() or char in "é方策\u0301"


def test_a_sparkline_is_as_wide_as_asked_for() -> None:
    assert sparkline([1.0, 2.0, math.nan, 4.0], 6) == "⣀⠤⠄  ⠈"
    for values in ([], [math.nan], [3.0], [3.0, 3.0], [math.inf, 1.0], list(range(1000))):
        assert len(sparkline(values, 8)) == 8
        assert sparkline(values, 8, ascii=True) == " " * 8


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 1, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(-3e-5, 3e-5, 3) == pytest.approx([-2e-5, 0, 2e-5])
    assert tick_texts([-0.5, 0.0, 0.5]) == ["-0.5", "0.0", "0.5"]
    assert tick_texts([0.0, 50_000.0, 100_000.0]) == ["0", "50k", "100k"]


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12), st.integers(1, 12))
def test_ticks_lie_in_their_range_and_are_few(low: float, span: float, count: int) -> None:
    assume(span > abs(low) * 1e-9)
    found = ticks(low, low + span, count)
    assert 1 <= len(found) <= count + 1
    assert all(low - span * 1e-3 <= tick <= low + span * 1.001 for tick in found) or len(found) == 1


def test_texts_are_measured_in_cells() -> None:
    assert cells("e\u0301") == 1
    assert fit("方策勾配法", 7) == "方策.."
    assert fit("a b\n c", 10) == "a b c"
    assert [short(999.7), short(-12345.0), short(0.0), short(math.inf)] == ["1000", "-12.3k", "0", "inf"]
    assert Canvas(3, 2).lines() == ["   ", "   "]
