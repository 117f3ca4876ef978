"""learn-llm: learn how language models are trained by running it."""

__version__ = "0.1.0"
