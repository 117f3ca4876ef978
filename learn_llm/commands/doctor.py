"""`learn-llm doctor`: what this installation and this terminal can do, one line each, and what to do about the rest.

ok: as it should be.  warn: something works less well than it could.  fail: something that the package needs is broken;
then the exit code is 1.
"""

import dataclasses
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from learn_llm import __version__, glyphs
from learn_llm.errors import UserError

BUNDLED_MODELS = ("tiny-base", "tiny-sft", "tiny-reward", "micro-base", "micro-sft", "nano-base", "nano-sft")
SMALLEST = (60, 20)
"""Columns and lines that the app needs."""
SWITCHES = (
    "TEXTUAL_ANIMATIONS",
    "TEXTUAL_COLOR_SYSTEM",
    "TEXTUAL_DISABLE_KITTY_KEY",
    "TEXTUAL_FILTERS",
    "TEXTUAL_FPS",
    "TEXTUAL_SMOOTH_SCROLL",
    "TEXTUAL_THEME",
)
_ASK_TORCH = """
import json, torch
found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
found += ["Apple GPU (MPS)"] if torch.backends.mps.is_available() else []
print(json.dumps({"version": torch.__version__, "devices": found, "threads": torch.get_num_threads()}))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    status: Literal["ok", "warn", "fail"]
    text: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--torch", "ask_torch", is_flag=True, help="Also load torch (seconds) to see the devices.")
def doctor(as_json: bool, ask_torch: bool) -> None:
    """Check this installation and this terminal.  Ends with 1 if something that is needed is broken."""
    findings = []
    for finding in look(ask_torch):
        findings.append(finding)
        if not as_json:
            advice = f" -> {finding.advice}" if finding.advice else ""
            click.echo(f"{finding.status:<4}  {finding.name}: {finding.text}{advice}")
    if as_json:
        import json

        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    if any(finding.status == "fail" for finding in findings):
        click.get_current_context().exit(1)


def look(ask_torch: bool) -> Iterator[Finding]:
    """All findings, in the order in which one would mend them."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Finding("learn-llm", "ok", f"{__version__}, Python {platform.python_version()}, {system}")
    yield from _packages()
    yield _data_folder()
    yield _progress()
    yield from _config()
    yield _bank()
    yield _models()
    yield from _terminal()
    yield _devices() if ask_torch else Finding("devices", "ok", "not looked at; `learn-llm doctor --torch` does")


def _packages() -> Iterator[Finding]:
    """The packages that this one requires, each with its version, held against the bounds of the installation."""
    from importlib import metadata

    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("learn-llm") or []
    except metadata.PackageNotFoundError:
        yield Finding("packages", "fail", "learn-llm is not installed", "pip install -e . in its folder")
        return
    found, wrong = [], []
    for requirement in map(Requirement, lines):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        found.append(f"{requirement.name} {version}")
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, needed is {requirement.specifier}")
    if wrong:
        yield Finding("packages", "fail", "; ".join(wrong), "pip install --upgrade learn-llm")
    yield Finding("packages", "ok", ", ".join(found))


def _data_folder() -> Finding:
    from learn_llm.folders import data_folder

    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="doctor-") as file:
            file.write(b"\0" * 4096)
            file.flush()
        free = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        advice = "make it writable, or set LEARN_LLM_HOME to another folder; until then no progress is saved"
        return Finding("data folder", "warn", f"{folder} cannot be written: {error.strerror}", advice)
    if free < 100:
        return Finding("data folder", "warn", f"{folder}, only {free:.0f} MB free", "make room: runs save models there")
    return Finding("data folder", "ok", f"{folder}, writable, {free / 1000:.0f} GB free")


def _progress() -> Finding:
    """Looks without changing anything: what is to be mended is mended when the quiz opens."""
    from learn_llm.folders import progress_file
    from learn_llm.quizzes.store import VERSION

    path = progress_file()
    if not os.path.isfile(path):
        return Finding("progress", "ok", "none yet")
    db = None
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        sound = db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        reviews = db.execute("SELECT count(*) FROM review WHERE undone_at IS NULL").fetchone()[0]
    except sqlite3.Error as error:
        return Finding(
            "progress", "warn", f"{path}: {error}", "the quiz moves a damaged file aside and begins a new one"
        )
    finally:
        if db is not None:
            db.close()
    if not sound:
        return Finding("progress", "warn", f"{path} is damaged", "the quiz moves it aside and begins a new one")
    if version > VERSION:
        return Finding(
            "progress", "warn", f"{path} is of a newer learn-llm", "update learn-llm; it is only read till then"
        )
    return Finding("progress", "ok", f"{reviews} ratings in {path}")


def _config() -> Iterator[Finding]:
    from learn_llm.quizzes.config import config_path
    from learn_llm.quizzes.texts import Texts
    from learn_llm.tui.keys import of_user

    path = config_path()
    chosen, problems = of_user()
    for problem in problems:
        yield Finding("config", "warn", problem.text(Texts("en")), f"mend {path}; the rest of it holds")
    if not path.is_file():
        yield Finding("config", "ok", f"no {path}: the usual keys; `learn-llm quiz --keys` prints them as such a file")
    elif not problems:
        yield Finding("config", "ok", f"{path}, keys changed: {len(chosen)}")


def _bank() -> Finding:
    from learn_llm.quizzes.bank import load_bank

    try:
        bank = load_bank()
    except UserError as error:
        return Finding("questions", "fail", str(error), "install learn-llm again")
    if bank.problems:
        return Finding(
            "questions", "fail", f"{len(bank.problems)} left out, {bank.problems[0]}", "learn-llm questions check"
        )
    return Finding("questions", "ok", f"{len(bank.questions)} questions")


def _models() -> Finding:
    folder = Path(__file__).parent.parent / "bundled"
    missing = [name for name in BUNDLED_MODELS if not (folder / name / "model.safetensors").is_file()]
    if missing:
        return Finding("bundled models", "fail", f"{', '.join(missing)} missing in {folder}", "install learn-llm again")
    return Finding("bundled models", "ok", ", ".join(BUNDLED_MODELS))


def _terminal() -> Iterator[Finding]:
    kind = os.environ.get("TERM", "")
    columns, lines = shutil.get_terminal_size((0, 0))
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        yield Finding("terminal", "ok", "none here (a pipe or a file); the app needs one, ask and demo do not")
    elif kind in ("", "dumb"):
        yield Finding("terminal", "warn", f"TERM is {kind!r}", "set TERM, for example TERM=xterm-256color")
    elif columns < SMALLEST[0] or lines < SMALLEST[1]:
        wanted = f"make it at least {SMALLEST[0]}x{SMALLEST[1]}"
        yield Finding("terminal", "warn", f"{kind}, {columns}x{lines}, too small for the app", wanted)
    else:
        inside = " in tmux" if os.environ.get("TMUX") else ""
        yield Finding("terminal", "ok", f"{kind}{inside}, {columns}x{lines}")
    yield _colour(kind)
    encoding = (sys.stdout.encoding or "unknown").lower()
    if encoding.replace("-", "") != "utf8":
        advice = "set PYTHONIOENCODING=utf-8 and a UTF-8 locale; until then they are in ASCII, and Japanese is not"
        yield Finding("encoding", "warn", f"{encoding}: formulas, charts and Japanese cannot be shown", advice)
    elif glyphs.wanted():
        yield Finding("encoding", "ok", f"{encoding}; frames, charts and symbols in ASCII, as {glyphs.SWITCH} asks")
    else:
        yield Finding("encoding", "ok", encoding)
    switches = [f"{name}={os.environ[name]}" for name in SWITCHES if name in os.environ]
    yield Finding("switches", "ok", ", ".join(switches) or "no TEXTUAL_ switch is set")


def _colour(kind: str) -> Finding:
    if "NO_COLOR" in os.environ:
        return Finding("colour", "ok", "off, as NO_COLOR asks")
    if os.environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        return Finding("colour", "ok", "24 bits")
    depth = "256 colours" if "256" in kind else "16 colours"
    return Finding("colour", "ok", f"{depth}; COLORTERM=truecolor tells of more")


def _devices() -> Finding:
    """Asks in a child process, so that this one stays small."""
    import json

    try:
        child = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120
        )
    except subprocess.TimeoutExpired:
        return Finding("devices", "warn", "torch did not load within 2 minutes", "try again when the machine is idle")
    if child.returncode != 0:
        why = (child.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return Finding("devices", "fail", f"torch cannot be loaded: {why}", "pip install --force-reinstall torch")
    facts = json.loads(child.stdout.splitlines()[-1])
    devices = ", ".join(facts["devices"]) or "no GPU"
    return Finding("devices", "ok", f"torch {facts['version']}, {devices}, CPU with {facts['threads']} threads")
