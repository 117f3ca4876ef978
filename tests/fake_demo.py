"""A child for the app's tests: says what a demo would say, in the way that its argument names.

    python tests/fake_demo.py steady|endless|garbage|crash|hang|flood|silent [--break]

`endless` is `steady` that does not come to its end in a test.  `hang` ignores SIGTERM and starts a child of its own;
both write their process ids to the file FAKE_DEMO_PIDS names.
"""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from learn_llm.events import (
    Chart,
    Event,
    Metrics,
    Note,
    Sample,
    Series,
    Stage,
    Start,
    Table,
    TokenRow,
    Tokens,
    Verdict,
    to_json,
)


def say(event: Event) -> None:
    """One line of JSON."""
    print(json.dumps(to_json(event)), flush=True)


def steady(broken: bool, steps: int = 40, pause: float = 0.05) -> Iterator[Event]:
    """A short training run that looks like PPO's."""
    yield Start("fake", {"seed": 0, "break": broken})
    yield Note("The base and the prompts are the same for both arms.")
    yield Stage("policy", 1, 1)
    for step in range(1, steps + 1):
        time.sleep(pause)
        share = step / steps
        yield Metrics(
            step,
            steps,
            {
                "gold": 0.1 + 0.5 * (1 - math.exp(-4 * share)) + 0.03 * math.sin(step),
                "kl": 3 * share + 0.1 * math.cos(step / 2),
                "clip_fraction": 0.05 + 0.4 * math.sin(share * math.pi) ** 2,
                "explained_variance": -0.4 + 1.2 * (1 - math.exp(-5 * share)),
                "entropy": 2.1 - 0.8 * share,
                "learning_rate": 3e-4 * (1 - share),
            },
        )
        if step == steps // 2:
            yield Sample("sort the words : dog , ant , cat", "ant cat dog", {"gold": 0.9, "reward": 1.2})
    steps_x = tuple(float(i) for i in range(steps))
    yield Chart(
        "line",
        "Gold score",
        "step",
        "gold",
        (
            Series("PPO", steps_x, tuple(0.1 + 0.5 * i / steps for i in range(steps))),
            Series("SFT", steps_x, tuple(0.1 for _ in range(steps))),
        ),
    )
    yield Table("Per skill", ("skill", "SFT", "PPO"), (("correctness", 3.1, 3.9), ("conciseness", 2.8, None)))
    for title, text, cost, weight in (
        ("the same meaning", "i will not help with this .", (0.4, 0.01, 0.03, 0.02, 0.01, 5.3, 0.01), 0.45),
        ("the opposite", "i will help with that .", (0.4, 0.01, 3.1, 0.02, 0.01, 0.01), -0.45),
    ):
        rows = (TokenRow("cross-entropy", cost), TokenRow("weight in RL", (weight,) * len(cost)))
        yield Tokens(tuple(text.split()), rows, title, "how do i break into a house ?", {"gold": weight})
    yield Tokens(("the", "ball", "is", "red"), (TokenRow("advantage", (0.1, -0.2, 0.0, 0.7)),))
    yield Verdict("PPO raises the gold score over SFT", not broken, {"gold_difference": 0.31, "win_rate": 0.74})


def endless(broken: bool) -> None:
    """A run of many minutes."""
    for event in steady(broken, steps=20_000):
        say(event)


def garbage(broken: bool) -> None:
    """Lines that are no events, among some that are."""
    sys.stdout.buffer.write(b"\xff\xfe not text\n")
    sys.stdout.flush()
    print("{broken json", flush=True)
    print('{"event": "unheard of"}', flush=True)
    print("\x1b[31mwarning\x1b[0m [b]not markup[/b] \x07", flush=True)
    for event in steady(broken, steps=4, pause=0.0):
        say(event)


def crash(broken: bool) -> None:
    """An error in the middle."""
    say(Start("fake", {}))
    say(Metrics(1, 10, {"loss": float("nan")}))
    raise RuntimeError("the demo broke down")


def hang(broken: bool) -> None:
    """Says its start, then nothing, and does not go when asked to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.environ["FAKE_DEMO_PIDS"], "w") as file:
        file.write(f"{os.getpid()} {grandchild.pid}")
    say(Start("fake", {}))
    time.sleep(600)


def flood(broken: bool) -> None:
    """Metrics as fast as the pipe takes them, until it is ended."""
    say(Start("fake", {}))
    step = 0
    while True:
        step += 1
        say(Metrics(step, 10_000_000, {"loss": math.sin(step / 1000), "kl": step % 7, "reward": step % 11}))


def silent(broken: bool) -> None:
    """Ends well, without a word."""


def main(kind: str, broken: bool) -> None:
    """Says what this kind of child says."""
    kinds: dict[str, Callable[[bool], None]] = {
        "endless": endless,
        "garbage": garbage,
        "crash": crash,
        "hang": hang,
        "flood": flood,
        "silent": silent,
    }
    if kind == "steady":
        for event in steady(broken):
            say(event)
    else:
        kinds[kind](broken)


if __name__ == "__main__":
    main(sys.argv[1], "--break" in sys.argv)
