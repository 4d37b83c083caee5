"""Errors that a user can act on: one line that says what, where, and what to do."""

import re

LONGEST = 2000
"""Characters of what is wrong; foreign text in it can have any length."""


class ReposeError(Exception):
    """An expected failure. Commands print it as one line and exit with status 1.

    Args:
        what: what is wrong.
        where: the file, line, key or mesh it was found in.
        hint: what the user can do about it.
    """

    def __init__(self, what: str, where: object = None, hint: str | None = None):
        self.what, self.where, self.hint = what, where, hint
        parts = (
            ([f"{where}: "] if where is not None else [])
            + [what if len(what) <= LONGEST else f"{what[:LONGEST]} …"]
            + ([f" (hint: {hint})"] if hint else [])
        )
        # Control characters would move the cursor or end the line; lone surrogates cannot be printed.
        super().__init__(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", "".join(parts)))


class MeshError(ReposeError):
    """A mesh, or a file that should hold one, is malformed."""
