"""Errors that a user can act on: one line that says what, where, and what to do."""

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
        # Unprintable characters would end the line, move the cursor, or fail in the terminal.
        super().__init__("".join(c if c.isprintable() else " " for c in "".join(parts)))


class MeshError(ReposeError):
    """A mesh, or a file that should hold one, is malformed."""
