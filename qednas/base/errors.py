"""The one error a user is meant to read."""


class InputError(ValueError):
    """Bad input, told in one line: what was given, where, and what is allowed.

    The command line prints it without a traceback and ends with status 2.
    """
