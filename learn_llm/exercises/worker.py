"""The process that runs the learner's code: it shuts itself in, loads torch once, then forks one child a check.

It is started by `workers.py` as `python -I`, and talks over a socket: a line of JSON and three pipe ends (request,
answers, output) begin a check, "end" ends it with all that it started.  It never holds a reference solution: learn_llm
cannot be imported in a child, and where mounts of its own are allowed, its files are not there.
"""

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import linecache
import os
import shutil
import socket
import sys
import traceback
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learn_llm.exercises import isolation

ERROR_LENGTH = 300
_LOADED = (
    *("abc", "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions"),
    *("functools", "heapq", "inspect", "itertools", "json", "math", "numbers", "operator", "random", "re"),
    *("statistics", "string", "textwrap", "time", "typing", "warnings", "numpy", "torch.distributions"),
)


def main(control: int, home: Path, hidden: Sequence[Path]) -> None:
    """The host of the checks; returns when the judge closes the socket."""
    judge = socket.socket(fileno=control)
    in_force = isolation.enter_namespaces()
    isolation.protect_host()
    import torch

    from learn_llm.exercises import calling

    torch.set_num_threads(1)
    _warm_up()
    if in_force:
        in_force |= isolation.hide(home, hidden)
    os.chdir(home)
    unprivileged = isolation.can_drop_rights()
    judge.sendall(json.dumps({"in_force": sorted(in_force), "unprivileged": unprivileged}).encode() + b"\n")
    gc.freeze()
    while True:
        message, ends, _, _ = socket.recv_fds(judge, 4096, 3)
        if not message:
            return
        seconds, processes = json.loads(message)["seconds"], isolation.processes_of_user()
        child = os.fork()
        if child == 0:
            try:
                judge.close()
                _child(ends, seconds, processes, hidden, calling)
            finally:
                os._exit(1)
        for end in ends:
            os.close(end)
        going_on = judge.recv(4096)  # "end", or nothing where the judge is gone
        status = isolation.end_all(child)
        _empty(home)
        if not going_on:
            return
        judge.sendall(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode() + b"\n")


def _empty(folder: Path) -> None:
    """Nothing of one check is there in the next."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _warm_up() -> None:
    """Load what a learner may import, which the unprivileged user perhaps cannot read; use each operation once."""
    for name in _LOADED:
        importlib.import_module(name)

    import torch
    import torch.nn.functional as F

    with torch.no_grad():
        x = torch.ones(2, 3)
        (x @ x.T).softmax(-1).log().sum().item()
        F.cross_entropy(x, torch.tensor([0, 1])).item()
        x.gather(-1, torch.tensor([[0], [1]])).cumsum(0).masked_fill(x[:, :1] > 0, 0.0).exp().mean()
        torch.where(x > 0, x, -x).square().sqrt().numpy()


def _child(ends: Sequence[int], seconds: float, processes: int, hidden: Sequence[Path], calling: Any) -> None:
    """One check: limits, no rights, then the learner's file; answers go out one by one."""
    from learn_llm.exercises.codec import dump, load

    requests, answers, output = ends
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    isolation.limit(seconds, processes)
    isolation.drop_rights()
    with open(requests, "rb") as file:
        request = load(file.read()[8:])
    _lock(hidden)

    def write(message: bytes) -> None:
        while message:
            message = message[os.write(answers, message) :]

    name: str = request["file"]
    function = None
    try:
        function = _loaded(request["source"], name, request["function"])
        write(dump({"loaded": True}))
    except BaseException as error:
        write(dump({"error": _told(error, name)}))
    for case in request["cases"] if function is not None else ():
        try:
            reply = dump(calling.call(function, case, request["gradient"]))
        except BaseException as error:
            reply = dump({"error": _told(error, name)})
        write(reply)
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    os._exit(0)


def _loaded(source: str, name: str, function: str) -> Any:
    """The learner's function.  Raises what the file raises, and LookupError where it has no such function."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    module = types.ModuleType("exercise")
    module.__file__ = name
    sys.modules["exercise"] = module
    exec(compile(source, name, "exec"), vars(module))
    found = vars(module).get(function)
    if not callable(found):
        raise LookupError(function)
    return found


def _told(error: BaseException, name: str) -> Mapping[str, Any]:
    """An error in plain words: its type, its message, the last line of the learner's file that it came through."""
    line, text = 0, ""
    if isinstance(error, SyntaxError) and error.filename == name:
        line, text = error.lineno or 0, (error.text or "").strip()
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == name:
                line, text = frame.lineno or 0, frame.line or ""
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:
        message = ""
    first = " ".join(str(message).split())[:ERROR_LENGTH]
    return {"type": type(error).__name__[:80], "message": first, "line": line, "text": text[:ERROR_LENGTH]}


class _NoSolutions(importlib.abc.MetaPathFinder):
    """Nothing of learn_llm can be imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] == "learn_llm":
            raise ImportError(
                "an exercise cannot import learn_llm; what it needs of it is given at the top of the file"
            )
        return None


def _lock(hidden: Sequence[Path]) -> None:
    """In the child: learn_llm is gone from the loaded modules, and opening a file below a hidden folder is an error."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "learn_llm"]:
        del sys.modules[name]
    sys.meta_path.insert(0, _NoSolutions())
    folders = tuple(os.path.realpath(folder) + os.sep for folder in hidden)
    realpath = os.path.realpath

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and realpath(arguments[0]).startswith(folders):
            raise PermissionError(f"{arguments[0]}: an exercise cannot read the files of learn_llm")

    sys.addaudithook(hook)
