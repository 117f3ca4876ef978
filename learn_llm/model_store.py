"""Where models are found: bundled with the package, in the user's folder, in a folder or file named, on the hub.

bundled    learn_llm/bundled/NAME, trained in the tiny world, a few megabytes each
added      NAME in the user's folder of models, put there by `learn-llm model add NAME`
named      a folder in Hugging Face format, a LoRA adapter's in PEFT's, or a .gguf file
hub        OWNER/NAME on the Hugging Face hub; only safetensors and JSON are fetched
"""

import difflib
import errno
import re
from dataclasses import dataclass
from pathlib import Path

from learn_llm.errors import MissingError, UserError
from learn_llm.folders import data_folder

SMOLLM2 = "smollm2"
ALIASES = {SMOLLM2: "HuggingFaceTB/SmolLM2-135M-Instruct"}
FETCHED = ("*.safetensors", "*.json", "*.jinja", "README.md", "LICENSE*")
_DISK = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT)
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Place:
    """A model that can be loaded by its name."""

    name: str
    path: Path
    bundled: bool


def bundled_folder() -> Path:
    """The models that come with the package."""
    return Path(__file__).parent / "bundled"


def user_folder() -> Path:
    """The models that the user added."""
    return data_folder() / "models"


def places() -> list[Place]:
    """Every bundled and added model, by name."""
    found = {}
    for folder, bundled in ((user_folder(), False), (bundled_folder(), True)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if (path / "config.json").is_file() or path.suffix == ".gguf":
                name = path.stem if path.suffix == ".gguf" else path.name
                found[name] = Place(name, path, bundled)
    return sorted(found.values(), key=lambda place: (not place.bundled, place.name))


def find(name: str) -> Path:
    """The folder or .gguf file of a model: bundled or added, a path, an alias, then the hub.

    Raises UserError where there is none, with the names that are near; MissingError where the hub gives no answer.
    """
    for place in places():
        if place.name == name:
            return place.path
    path = Path(name).expanduser()
    if path.suffix == ".gguf" or path.is_file():
        if not path.is_file():
            raise UserError(f"there is no file {name}")
        if path.suffix != ".gguf":
            raise UserError(f"{name} is no model: name a folder in Hugging Face format or a .gguf file")
        return path
    if path.is_dir():
        if not any((path / file).is_file() for file in ("config.json", "adapter_config.json")):
            raise UserError(f"{name} is no model in Hugging Face format: it has no config.json")
        return path
    if name in ALIASES:
        try:
            return fetch(ALIASES[name])
        except MissingError:
            raise MissingError(f"{name} is not on this machine: add it with `learn-llm model add {name}`") from None
    if _HUB_NAME.fullmatch(name):
        return fetch(name)
    raise UserError(unknown(name))


def unknown(name: str) -> str:
    """What to say of a name that is no model's."""
    known = list(dict.fromkeys([*(place.name for place in places()), *ALIASES]))
    near = difflib.get_close_matches(name, known, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return f"no model is called {name!r}; {hint} (a folder, a .gguf file or OWNER/NAME on the hub will do, too)"


def fetch(repository: str, into: Path | None = None) -> Path:
    """Download a hub repository's safetensors and JSON, into the hub's cache or a folder of one's own.

    Raises MissingError where the hub gives no answer, UserError where it has no such model.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    http_error: type[Exception] = HfHubHTTPError.__mro__[1]  # the transport library's, which differs between releases

    try:
        found = snapshot_download(repository, allow_patterns=list(FETCHED), ignore_patterns=["*/*"], local_dir=into)
    except GatedRepoError:
        raise UserError(f"{repository} is gated: accept its terms on the hub and log in with `hf auth login`") from None
    except (RepositoryNotFoundError, HFValidationError):
        raise UserError(f"the hub has no model {repository}, or it is private") from None
    except (http_error, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise UserError(f"{repository} cannot be stored: {error.strerror}") from None
        raise MissingError(f"the hub cannot be reached, and {repository} is not on this machine") from None
    return Path(found)
