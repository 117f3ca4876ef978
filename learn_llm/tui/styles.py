"""How kinds of text look: styles for Textual's `Content`, in the colours of the theme; how long a notice stays."""

HEADING = "bold $text-primary"
CODE = "$text-secondary"
STRONG = "bold"
EMPHASIS = "italic"
QUIET = "$foreground 60%"

NOTICE = 12.0
"""Seconds for which a notice can be read."""
