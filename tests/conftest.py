"""What holds for all tests."""

import signal

# A test run in the background of a shell inherits SIGINT ignored, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
