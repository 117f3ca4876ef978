"""`learn-llm exercise grade` on a class that was made up: right, wrong, unfinished, missing and hostile submissions.

    python -m benchmarks.exercise_grade [--students 40] [--exercises 30] [--jobs 2] [--minutes 15] [--keep DIR]

Every exercise of each student is the solution, a known mistake, the untouched start or nothing; each of HOSTILE stands
in one file of a student of its own.  Then the CSV must have every row with a status that fits what was submitted,
nothing that is wrong may pass, and no process, file or folder may be left behind.  Ends with 1 where one of these does
not hold, or where it takes longer than --minutes.  It needs what `grade` needs: Linux or macOS.
"""

import argparse
import contextlib
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from learn_llm.exercises.courses import BUNDLED, Course, Exercise, load_course
from learn_llm.exercises.judge import Judge
from learn_llm.exercises.skeleton import Files, files, mistaken

SECONDS = 3
HOSTILE: dict[str, str | bytes | None] = {
    "system_exit": "raise SystemExit(0)\n",
    "os_exit": "import os\nos._exit(0)\n",
    "endless_loop": "def {f}(*a, **k):\n    while True:\n        pass\n",
    "endless_output": "def {f}(*a, **k):\n    while True:\n        print('x' * 1000)\n",
    "memory": "def {f}(*a, **k):\n    return bytearray(20 << 30)\n",
    "memory_touched": "def {f}(*a, **k):\n    return [bytes([1]) * (64 << 20) for _ in range(320)]\n",
    "processes": (
        "import os, time\ndef {f}(*a, **k):\n    for _ in range(500):\n"
        "        if os.fork() == 0:\n            time.sleep(600)\n            os._exit(0)\n"
    ),
    "patched_allclose": (
        "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True\ntorch.Tensor.__eq__ = lambda *a: True\n"
        "def {f}(*a, **k):\n    return torch.zeros(1)\n"
    ),
    "patched_builtins": (
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.all = builtins.any = lambda x: True\n"
        "def {f}(*a, **k):\n    return 0\n"
    ),
    "reads_solution": (
        "import importlib, inspect\ndef {f}(*a, **k):\n    module = importlib.import_module('{module}')\n"
        "    return module.{qualified}(*a, **k)\n"
    ),
    "inspects_solution": (
        "import inspect, sys\ndef {f}(*a, **k):\n    frame = inspect.currentframe()\n    while frame:\n"
        "        for name, value in [*frame.f_globals.items(), *frame.f_locals.items()]:\n"
        "            if name in ('right', 'target', 'judge'):\n                return value\n"
        "        frame = frame.f_back\n"
        "    for name, module in sys.modules.items():\n        if name == '{module}':\n"
        "            return module.{qualified}(*a, **k)\n    return open('{source}').read()\n"
    ),
    "deletes_itself": (
        "import os, shutil\ndef {f}(*a, **k):\n    for place in ('{folder}', os.getcwd(), os.path.expanduser('~')):\n"
        "        shutil.rmtree(place, ignore_errors=True)\n    return None\n"
    ),
    "nan": "def {f}(*a, **k):\n    return float('nan')\n",
    "lying_equality": (
        "class Same:\n    def __eq__(self, other):\n        return True\n    __ne__ = lambda self, other: False\n"
        "    __hash__ = None\n    shape = dtype = property(lambda self: self)\ndef {f}(*a, **k):\n    return Same()\n"
    ),
    "not_utf8": b"# caf\xe9\ndef {f}(*a, **k):\n    return 0\n",
    "missing": None,
    "syntax_error": "def {f}(*a, **k)\n    return 0\n",
}
"""By name what one file holds; {f} is the function, the rest of the file is not needed."""


def made_course(folder: Path, count: int) -> Course:
    """A course of some exercises, taken evenly from the bundled one."""
    bundled = load_course().exercises
    chosen = [bundled[round(place * (len(bundled) - 1) / (count - 1))] for place in range(count)]
    folder.mkdir()
    for exercise in chosen:
        for suffix in (".py", ".toml"):
            shutil.copy(exercise.code.with_suffix(suffix), folder)
    names = ", ".join(f'"{exercise.name}"' for exercise in chosen)
    text = f'{{ en = "{count} exercises", ja = "{count} exercises" }}'
    (folder / "info.toml").write_text(
        f'format = 1\ntitle = {text}\n[[chapters]]\nname = "all"\ntitle = {text}\nexercises = [{names}]\n'
    )
    return load_course(folder)


def submit(class_: Path, course: Course, count: int, seed: int) -> dict[tuple[str, str], str]:
    """Write the submissions; what each of them is: right, wrong, start, missing, or the name of a hostile one."""
    rng = Random(seed)
    texts = {exercise.name: files(exercise) for exercise in course.exercises}
    kinds: dict[tuple[str, str], str] = {}
    hostile = list(HOSTILE)
    for number in range(count):
        name = f"student{number:02}"
        nasty = rng.choice(course.exercises) if number < len(hostile) else None
        for exercise in course.exercises:
            text, path = texts[exercise.name], class_ / name / exercise.file
            kind = rng.choices(["right", "wrong", "start", "missing"], [70, 20, 6, 4])[0]
            kind = hostile[number] if exercise is nasty else kind
            kinds[name, exercise.name] = kind
            content: str | bytes | None
            if kind in HOSTILE:
                content = _filled(HOSTILE[kind], exercise, text, path.parent)
            else:
                own = f"# {name}\n"
                content = {
                    "right": own + text.solution,
                    "wrong": own + mistaken(exercise, rng.choice(sorted(text.wrong))),
                    "start": text.start,
                    "missing": None,
                }[kind]
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
    return kinds


def _filled(content: str | bytes | None, exercise: Exercise, text: Files, folder: Path) -> str | bytes | None:
    if content is None:
        return None
    module, _, qualified = _target_of(exercise).partition(":")
    values = {"f": text.function, "module": module, "qualified": qualified, "folder": str(folder)}
    values["source"] = str(BUNDLED.parents[1] / Path(*module.split(".")[1:])) + ".py"
    raw = content if isinstance(content, bytes) else content.encode()
    for name, value in values.items():
        raw = raw.replace(f"{{{name}}}".encode(), value.encode())
    return raw


def _target_of(exercise: Exercise) -> str:
    target = Judge(exercise).target
    return f"{target.__module__}:{target.__qualname__}"


def snapshot(folder: Path) -> dict[str, str]:
    """Each file below a folder, with a digest."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def left_running(home: Path) -> list[str]:
    """Processes that were started with a home below a folder (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(home).encode() in (process / "environ").read_bytes():
                found.append(f"{process.name} {(process / 'comm').read_text().strip()}")
    return found


def of_others(*folders: str) -> set[Path]:
    """What lies in shared folders and belongs to another user, such as the one that submissions run as."""
    paths = [path for folder in folders for path in Path(folder).glob("*")]
    return {path for path in paths if path.lstat().st_uid != os.getuid()}


def problems(rows: Sequence[dict[str, str]], kinds: dict[tuple[str, str], str]) -> list[str]:
    """What is wrong with the CSV."""
    by_key = {(row["student"], row["exercise"]): row for row in rows}
    found = [f"{key} has no row" for key in kinds if key not in by_key]
    if len(rows) != len(kinds):
        found.append(f"{len(rows)} rows for {len(kinds)} submissions")
    expected = {"right": {"passed"}, "start": {"todo", "wrong"}, "missing": {"missing"}, "not_utf8": {"unreadable"}}
    for key, kind in kinds.items():
        status = by_key[key]["status"] if key in by_key else "no row"
        if (
            (status == "passed") != (kind == "right")
            or status not in expected.get(kind, {status})
            or status == "failed"
        ):
            found.append(f"{key}: {kind} has the status {status}: {by_key.get(key, {}).get('message')}")
    return found


def main() -> int:
    """Make the class, grade it, and look at what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--exercises", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the reports here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        course = made_course(root / "course", arguments.exercises)
        kinds = submit(root / "class", course, arguments.students, arguments.seed)
        reports = arguments.keep or root / "reports"
        reports.mkdir(exist_ok=True)
        temporary = root / "tmp"
        temporary.mkdir()
        before, shared = snapshot(root / "class"), of_others("/tmp", "/dev/shm")
        command = [sys.executable, "-c", "from learn_llm.cli import main; main()", "exercise", "grade"]
        command += [
            str(root / "class"),
            f"--course={course.folder}",
            f"--seconds={SECONDS}",
            f"--jobs={arguments.jobs}",
        ]
        command += [f"--{kind}={reports / 'grades'}.{kind}" for kind in ("csv", "json", "html")]
        print(f"load before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores", flush=True)
        begun = time.monotonic()
        code = subprocess.run(
            command, stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(temporary)}
        ).returncode
        minutes = (time.monotonic() - begun) / 60
        rows = list(csv.DictReader((reports / "grades.csv").read_text(encoding="utf-8").splitlines()))
        found = problems(rows, kinds)
        found += [f"exit code {code}"] if code else []
        found += [f"left running: {process}" for process in left_running(temporary)]
        found += ["submissions were changed"] if snapshot(root / "class") != before else []
        found += [f"left behind: {path}" for path in temporary.iterdir()]
        found += [f"new in a shared folder: {path}" for path in sorted(of_others("/tmp", "/dev/shm") - shared)]
    statuses = Counter(row["status"] for row in rows)
    print(f"{len(rows)} rows in {minutes:.1f} min, {60 * minutes / max(1, len(rows)):.2f} s a row: {dict(statuses)}")
    named = sum(bool(row["mistake"]) for row in rows if kinds[row["student"], row["exercise"]] == "wrong")
    print(f"wrong answers named: {named} of {Counter(kinds.values())['wrong']}")
    for key, kind in kinds.items():
        row = next(row for row in rows if (row["student"], row["exercise"]) == key)
        if kind in HOSTILE and kind != "missing":
            print(f"  {kind:<18} {row['status']:<12} {row['seconds']:>6} s  {row['message'][:120]}")
    for problem in found:
        print(f"PROBLEM {problem}")
    return int(bool(found) or minutes > arguments.minutes)


if __name__ == "__main__":
    sys.exit(main())
