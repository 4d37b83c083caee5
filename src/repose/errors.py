"""Errors that a user can act on: one line that says what, where, and what to do."""


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
            ([f"{where}: "] if where is not None else []) + [what] + ([f" (hint: {hint})"] if hint else [])
        )
        super().__init__("".join(parts).replace("\n", " "))


class MeshError(ReposeError):
    """A mesh, or a file that should hold one, is malformed."""
