"""Where the user's own files lie."""

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of the user's data: LEARN_LLM_HOME if it is set, else the place that the system has for it."""
    home = os.environ.get("LEARN_LLM_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return platformdirs.user_data_path("learn-llm", appauthor=False)


def config_folder() -> Path:
    """The folder of the user's config.toml: LEARN_LLM_HOME if it is set, else the place that the system has for it."""
    home = os.environ.get("LEARN_LLM_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return platformdirs.user_config_path("learn-llm", appauthor=False)


def progress_file() -> Path:
    """The database of the learner's progress and settings."""
    return data_folder() / "progress.sqlite3"


def short(path: Path) -> str:
    """A path as one types it, with ~ for the user's own folder.

    >>> short(Path.home() / "learn-llm"), short(Path("learn-llm"))
    ('~/learn-llm', 'learn-llm')
    """
    home = Path.home()
    return str(Path("~") / path.relative_to(home)) if path.is_relative_to(home) else str(path)
