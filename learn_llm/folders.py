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
