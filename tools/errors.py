"""The shape of every error a user can mend: what failed, where to look, what to do."""

from __future__ import annotations


class ActionableError(Exception):
    """One clear message: what failed, where (file, log, address), and how to mend it."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        """Keep the three parts and compose the message.

        Args:
            what: The failure in one sentence, without a final full stop.
            where: The file, log or address to look at.
            fix: The next step, as an imperative.
        """
        self.what = what
        self.where = where
        self.fix = fix
        lines = [what, f"  where: {where}" if where else "", f"  fix: {fix}" if fix else ""]
        super().__init__("\n".join(line for line in lines if line))


class InstallError(ActionableError):
    """A program could not be provided."""
