"""QED-NAS companion: architecture searches over quantum systems, measured claim by claim.

Kept light on purpose: nothing is imported here, so that the command line starts quickly and so that
an edit to one wing never touches the result keys of another (see `companion.provenance`).
"""

__version__ = "0.1.0"
