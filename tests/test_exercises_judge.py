"""Judging: the worker that runs strangers' code, the bytes that come back, the differences, the diagnosis."""

import random
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from learn_llm.exercises import isolation
from learn_llm.exercises.codec import Other, dump, load
from learn_llm.exercises.courses import Course, load_course
from learn_llm.exercises.differences import difference
from learn_llm.exercises.isolation import descendants
from learn_llm.exercises.judge import Judge
from learn_llm.exercises.reading import UnreadableError, read
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.workers import Worker

COURSE: Course = load_course()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker([COURSE.folder]) as opened:
        opened.wait_ready()
        yield opened


@pytest.fixture(scope="module")
def gae() -> Judge:
    return Judge(COURSE.get("gae"), seed=7)


def back(value: object) -> Any:
    return load(dump(value)[8:])


def test_values_come_back_as_they_were() -> None:
    value = {"a": [1, 2.5, None, True, "ü"], "b": (torch.tensor([[1, 2]]), torch.tensor(0.5)), "c": {"d": ()}}
    got = back(value)
    assert got["a"] == value["a"]
    assert isinstance(got["b"], tuple)
    assert torch.equal(got["b"][0], torch.tensor([[1, 2]]))
    assert got["b"][1].shape == ()
    assert got["c"] == {"d": ()}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.bool])
def test_tensors_keep_their_dtype_and_shape(dtype: torch.dtype) -> None:
    value = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype).T
    got = back(value)
    assert got.dtype == dtype
    assert torch.equal(got, value)
    assert back(torch.zeros(0, 3)).shape == (0, 3)


def test_generators_and_modules_go_on_where_they_were() -> None:
    rng, generator = random.Random(3), torch.Generator().manual_seed(3)
    rng.random()
    assert back(rng).random() == rng.random()
    assert torch.equal(torch.rand(3, generator=back(generator)), torch.rand(3, generator=generator))
    linear, x = nn.Linear(3, 2), torch.ones(1, 3)
    assert torch.equal(back(linear)(x), linear(x))
    embedding = nn.Embedding(4, 2)
    assert torch.equal(back(SimpleNamespace(e=embedding)).e(torch.tensor([1])), embedding(torch.tensor([1])))
    assert back(SimpleNamespace(eps=0.5, dtype=torch.float16)) == SimpleNamespace(eps=0.5, dtype=torch.float16)


def test_what_cannot_be_sent_is_only_named() -> None:
    class Liar:
        def __eq__(self, other: object) -> bool:
            return True

    assert back([Liar(), lambda: 0, 10**400, {1: 2}]) == [
        Other("Liar"),
        Other("function"),
        Other("an int of more than 300 digits"),
        Other("dict"),
    ]
    nested: list[Any] = []
    for _ in range(10_000):
        nested = [nested]
    got = back(nested)
    while isinstance(got, list):
        (got,) = got
    assert got == Other("something nested very deeply")


def _block(header: bytes, data: bytes) -> bytes:
    block = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data
    tree = b'{"tensor": [0, "float32"]}'
    return struct.pack(">I", len(tree)) + tree + struct.pack(">I", len(block)) + block


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff" * 40,
        struct.pack(">I", 2) + b"{}",
        struct.pack(">I", 8) + b'{"x": 1}',
        struct.pack(">I", 20) + b'{"tensor": [3, "a"]}',
        struct.pack(">I", 2) + b"[]",
        _block(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }\n", b""),
        _block(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", b"cos\nsystem\n."),
        _block(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", b""),
        _block(b"__import__('os').system('true')\n", b""),
    ],
)
def test_bytes_that_are_no_message_are_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(body)


@pytest.mark.parametrize(
    ("right", "got", "kind"),
    [
        (torch.zeros(2), torch.zeros(2, 1), "shape"),
        (torch.zeros(2), torch.zeros(2, dtype=torch.int64), "dtype"),
        (torch.zeros(2), torch.tensor([0.0, float("nan")]), "value"),
        (torch.tensor(1.0), torch.tensor(2.0), "number"),
        (torch.zeros(2), None, "none"),
        (torch.zeros(2), Other("Liar"), "type"),
        ((1, 2), (1, 2, 3), "length"),
        ({"a": 1}, {"b": 1}, "keys"),
        (True, 1, "type"),
        (1, True, "type"),
        ("a", "b", "number"),
        (1.0, 1.1, "number"),
        ([1, [2]], [1, [3]], "number"),
    ],
)
def test_differences_are_named(right: object, got: object, kind: str) -> None:
    found = difference(right, got)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("right", "got"),
    [
        (torch.tensor([1.0, float("inf")]), torch.tensor([1.00001, float("inf")])),
        (torch.tensor(2.0), 2.0),
        (2.0, torch.tensor(2.0)),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
        ([1, 2], (1, 2)),
        (SimpleNamespace(a=1), SimpleNamespace(a=1)),
        (float("nan"), float("nan")),
    ],
)
def test_what_is_as_good_is_no_difference(right: object, got: object) -> None:
    assert difference(right, got) is None


def test_the_first_wrong_index_is_told() -> None:
    found = difference(torch.zeros(2, 3), torch.tensor([[0.0, 0, 0], [0, 5, 6]]))
    assert found is not None
    assert (found.values["index"], found.values["got"], found.values["wrong"]) == ("[1, 1]", "5", 2)


@pytest.mark.parametrize("name", ["gae", "next_token_loss", "bug_kl_sign"])
def test_every_known_mistake_is_told_as_itself(name: str) -> None:
    judge = Judge(COURSE.get(name), seed=11)
    for variant, answers in judge.answers_of_variants.items():
        assert not judge.right_about(answers)
        assert judge.diagnose(answers) == variant


def test_a_mistake_that_nobody_foresaw_has_no_diagnosis(gae: Judge) -> None:
    def neither(rewards: Any, values: Any, mask: Any, gamma: float = 1.0, lam: float = 0.95) -> Any:
        return rewards * 3, values

    assert gae.diagnose(gae.answers(neither)) == ""
    assert gae.diagnose(gae.answers(lambda **_: 1 / 0)) == ""


def test_start_and_solution(worker: Worker, gae: Judge) -> None:
    texts = files(gae.exercise)
    assert gae.check_source(texts.start, "gae.py", worker).status == "todo"
    passed = gae.check_source(texts.solution, "gae.py", worker)
    assert passed.passed, passed
    wrong = texts.solution.replace("gamma * lam * advantage", "gamma * advantage")
    outcome = gae.check_source(wrong, "gae.py", worker, "ja")
    assert (outcome.status, outcome.variant) == ("wrong", "decay_gamma_only")
    assert "減衰が γ だけです" in outcome.lines[-1]


def test_gradients_count(worker: Worker) -> None:
    judge = Judge(COURSE.get("next_token_loss"))
    solution = files(judge.exercise).solution
    outcome = judge.check_source(solution.replace("logits.flatten", "logits.detach().flatten"), "x.py", worker)
    assert outcome.status == "wrong"
    assert "gradient with respect to logits" in outcome.lines[1]


def test_an_argument_must_not_be_changed(worker: Worker, gae: Judge) -> None:
    solution = files(gae.exercise).solution
    changing = solution.replace("rewards, values = rewards * mask, values * mask", "rewards *= mask; values *= mask")
    outcome = gae.check_source(changing, "gae.py", worker)
    assert outcome.status == "wrong"
    assert "rewards, values in place" in outcome.lines[-1]


HOSTILE = {
    "leaves": ("raise SystemExit(0)", {"error"}),
    "leaves at once": ("import os; os._exit(0)", {"quit"}),
    "crashes": ("import ctypes; ctypes.string_at(0)", {"quit"}),
    "never ends": ("while True: pass", {"time"}),
    "sleeps": ("import time; time.sleep(60)", {"time"}),
    "prints for ever": ("while True: print('x' * 1000)", {"error", "time"}),
    "takes memory": ("import torch\nx = [torch.ones(2**28) for _ in range(20)]", {"memory", "time", "error", "quit"}),
    "forks": (
        "import os, time\nfor _ in range(500):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(60)",
        {"processes", "memory", "error", "time"},
    ),
    "leaves a daemon": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)",
        {"error"},
    ),
    "patches torch": (
        "import torch, builtins\ntorch.allclose = lambda *a, **k: True\nbuiltins.all = lambda x: True\n"
        "torch.Tensor.__eq__ = lambda a, b: True\ndef gae(rewards, values, **k): return rewards, values",
        {"wrong", "error", "nonsense", "quit"},
    ),
    "imports the solution": ("from learn_llm.minimal_impls.ppo import gae", {"error"}),
    "finds the solution": (
        "import sys, inspect\ngae = next(m for n, m in list(sys.modules.items()) if n.endswith('ppo')).gae",
        {"error"},
    ),
    "opens the solution": (f"exec(open({str(Path(load.__code__.co_filename))!r}).read())", {"error"}),
    "deletes its folder": (
        "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\nshutil.rmtree('/tmp', ignore_errors=True)",
        {"error"},
    ),
    "answers NaN": ("def gae(rewards, **k): return rewards * float('nan'), rewards * float('nan')", {"wrong"}),
    "lies about equality": (
        "class L:\n    def __eq__(self, other): return True\ndef gae(**k): return L(), L()",
        {"wrong"},
    ),
    "writes into the pipe": (
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\xff' * 100)\n    except OSError: pass\n"
        "def gae(**k): return 1",
        {"size", "nonsense"},
    ),
    "kills": (
        "import os\nfor pid in (1, os.getppid()):\n    try: os.kill(pid, 9)\n    except OSError: pass\n"
        "def gae(**k): pass",
        {"wrong", "quit"},
    ),
    "is no Python": ("def gae(:", {"error"}),
    "mixes tabs": ("def gae(**k):\n    x = 1\n\treturn x", {"error"}),
    "holds a null": ("a = 1\0", {"error"}),
    "recurses": ("def gae(**k): return gae()", {"error"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_do_not_pass_and_do_no_harm(name: str, worker: Worker, gae: Judge, tmp_path: Path) -> None:
    source, statuses = HOSTILE[name]
    # What ends by itself gets time: walking through a full /tmp alone takes more than a second.
    outcome = gae.check_source(source, "gae.py", worker, seconds=1.0 if "time" in statuses else 30.0)
    assert outcome.status in statuses, outcome
    assert "\n" not in outcome.lines[0]
    assert worker._process is not None
    assert len(descendants(worker._process.pid)) <= 2, "only the host is left"


def test_after_all_of_that_an_answer_passes(worker: Worker, gae: Judge) -> None:
    assert gae.check_source(files(gae.exercise).solution, "gae.py", worker).passed


def test_a_worker_that_was_killed_comes_back(gae: Judge) -> None:
    import os
    import signal

    with Worker() as own:
        own.wait_ready()
        assert own._process is not None
        os.killpg(own._process.pid, signal.SIGKILL)
        assert gae.check_source(files(gae.exercise).solution, "gae.py", own).status == "quit"
        assert gae.check_source(files(gae.exercise).solution, "gae.py", own).passed
        home = own._home
    assert home is not None
    assert not home.exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_only_who_could_run_and_was_not_let_waits_for_the_processor() -> None:
    busy = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    idle = subprocess.Popen(["sleep", "60"])
    try:
        time.sleep(0.3)
        assert isolation.waits_for_cpu([busy.pid, idle.pid], 1000.0)
        assert not isolation.waits_for_cpu([busy.pid], 0.0)
        assert not isolation.waits_for_cpu([idle.pid], 1000.0)
    finally:
        for process in (busy, idle):
            process.kill()
            process.wait()


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(worker: Worker, gae: Judge, tmp_path: Path) -> None:
    path = tmp_path / "gae.py"
    path.write_bytes(b"\xef\xbb\xbf" + files(gae.exercise).solution.replace("\n", "\r\n").encode())
    assert gae.check(path, worker).passed


def test_files_that_are_no_text(tmp_path: Path) -> None:
    import os

    path = tmp_path / "gae.py"
    with pytest.raises(UnreadableError, match="missing"):
        read(path)
    path.write_bytes(b"# caf\xe9")
    with pytest.raises(UnreadableError, match="utf8"):
        read(path)
    path.write_bytes(b"#" * (1 << 21))
    with pytest.raises(UnreadableError, match="large"):
        read(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError, match="unreadable"):
        read(tmp_path / "pipe")
