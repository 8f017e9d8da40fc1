"""The closed set of faults a connector may raise while it reads an answer, one per remedy.

Fault
  Reauthorise        the grant is gone: only the customer can give a new one
  RefreshNeeded      the access token or session secret is no longer good: refresh once, repeat once
  RetryAt            wait ``seconds``, then repeat; None: back off
  NotPermitted       this platform does not let us have this stream; the others go on
  NoData             there is nothing: ``covered`` True means covered and empty (zero), False out of the platform's reach (unknown)
  ContractBroken     the answer is not what the platform's documentation says
  Pending            the platform is not ready; ask again in ``seconds``
  Misconfigured      the platform refuses the hub itself (application key, signature): an operator must fix it

:class:`Unreadable` is not about the page but about one record: the engine quarantines it.
"""

from __future__ import annotations

import re

STUMBLES = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
"""What a pure function raises over a payload its author did not foresee. The payload is put aside, the run goes on."""


_CODE = re.compile(r"[A-Za-z0-9_.:/ -]{1,60}")
_NUMBER = re.compile(r"\d{7}|(\d[ .:/-]?){11}")
"""So many digits are a number of somebody's, not a code."""


def printable(code: str) -> str:
    """A platform's code, if it can be nothing but a code: platforms have been seen to put names and numbers where a code belongs."""
    return code if _CODE.fullmatch(code) and not _NUMBER.search(code) else ""


class Fault(Exception):
    """A platform answered with something else than data. ``reason`` is the connector's own words, ``code`` the platform's, as :func:`printable`."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        self.reason = reason
        self.code = printable(code)
        super().__init__(reason)


class Reauthorise(Fault):
    """The grant is gone; the customer must authorise again."""


class RefreshNeeded(Fault):
    """The token is no longer good."""


class RetryAt(Fault):
    """Wait, then repeat."""

    def __init__(self, reason: str, *, seconds: float | None = None, code: str = "") -> None:
        super().__init__(reason, code=code)
        self.seconds = seconds


class NotPermitted(Fault):
    """The platform does not give this stream."""


class NoData(Fault):
    """There is nothing here."""

    def __init__(self, reason: str, *, covered: bool, code: str = "") -> None:
        super().__init__(reason, code=code)
        self.covered = covered


class ContractBroken(Fault):
    """The answer is not what the documentation says."""


class Pending(Fault):
    """Not ready yet."""

    def __init__(self, reason: str, *, seconds: float, code: str = "") -> None:
        super().__init__(reason, code=code)
        self.seconds = seconds


class Misconfigured(Fault):
    """The platform refuses the hub itself."""


class Unreadable(Exception):
    """One record cannot be turned into a fact: ``path`` names the field, ``reason`` says why, neither carries a value."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")
