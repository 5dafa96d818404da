"""The two errors that a reader is meant to read: what was given is wrong, or the numbers went wrong."""


class InputError(ValueError):
    """Bad input, told in one line: what was given, where, and what is allowed.

    The command line prints it without a traceback and ends with status 2.
    """


class NumericalError(ArithmeticError):
    """Numbers that went wrong with input that is allowed: not finite, beyond a bound that holds exactly, no solution.

    The command line prints it without a traceback and ends with status 2.
    """
