"""What goes wrong outside the program, said in one clear line: what, where, and what to do.

Every command catches `UserError` at its top, prints the message on standard error and ends with the error's exit code.
Anything else that escapes is a defect of this package.
"""


class UserError(Exception):
    """Bad usage or bad input: exit code 2.  The message is one line for the reader, without a traceback."""

    exit_code = 2


class MissingError(UserError):
    """Something optional is not there (a package, a model that must be added first): exit code 3."""

    exit_code = 3


class OutOfTimeError(UserError):
    """A time limit was reached: exit code 4."""

    exit_code = 4
