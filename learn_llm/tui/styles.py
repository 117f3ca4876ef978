"""How kinds of text look: styles for Textual's `Content`, in the colours of the theme."""

HEADING = "bold $text-primary"
CODE = "$text-secondary"
STRONG = "bold"
EMPHASIS = "italic"
QUIET = "$foreground 60%"
