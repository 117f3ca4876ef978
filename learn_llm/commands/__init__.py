"""The subcommands of `learn-llm`, one file each.

What is heavy is imported inside the function that needs it, so that `learn-llm --help` stays fast.
"""
