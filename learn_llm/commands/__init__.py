"""The subcommands of `learn-llm`, one file each.  Each imports what it needs inside its function, so `--help` stays fast."""
