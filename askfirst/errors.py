"""The errors of Askfirst: one root, below it by whose fault it is.

Messages say what was found, what was expected and what to do. Callers branch on the class and its fields, never on
the message. Over HTTP a class is a status: the broker answers ``status_of``, its clients raise ``error_of``.
"""

from __future__ import annotations

PROBLEM = "application/problem+json"
"""Media type of an error as the broker answers it (RFC 9457)."""


class Error(Exception):
    """Anything that Askfirst refuses or cannot do."""


class InputError(Error):
    """The caller handed in something that cannot be used.

    Attributes:
        field: the name of the offending field, or ``""`` when the whole input is meant.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ConfigError(Error):
    """A configuration file cannot be used as it is."""


class PolicyError(ConfigError):
    """A policy file cannot be used as it is; what it would govern is denied."""


class RequestNotFoundError(Error):
    """No request has this id."""


class ConflictError(Error):
    """The request is no longer in a state in which this may happen; ``state`` says which one it is in."""

    def __init__(self, message: str, *, state: str = "") -> None:
        super().__init__(message)
        self.state = state


class NotAllowedError(Error):
    """The caller may not do this."""


class NobodyToAskError(NotAllowedError):
    """No person, or no channel to one, is there on the terms of the rule: the call is denied."""


class RescueError(Error):
    """What a command would destroy cannot be kept, or what was kept cannot be put back."""


class StoreError(Error):
    """The store cannot be read or written; nothing was changed."""


class StoreAwayError(StoreError):
    """The database cannot be reached now; whether the last write arrived is not known until it is back."""


class UnreadableError(StoreError):
    """A record cannot be read: it is damaged, or of a newer release. What it is about does not run."""


class OverloadedError(StoreError):
    """Too much is waiting already; nothing was changed."""


class LogError(Error):
    """The audit log does not verify, or cannot be appended to."""


class WitnessError(LogError):
    """Too few witnesses have cosigned the log; what needs them does not run, and may be tried again."""


class ChannelError(Error):
    """A channel cannot deliver.

    Attributes:
        retry_after_s: so long the service wants to hear nothing more of us, seconds; 0 where it did not say.
        is_permanent: trying again is no use: the recipient is gone, or has shut us out.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0, is_permanent: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_permanent = is_permanent


class BrokerUnavailableError(Error):
    """No broker answers and none could be started, or it asks to hear the same call again later.

    Attributes:
        retry_after_s: after so many seconds; 0 where nobody said.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


_STATUSES: dict[type[Error], int] = {
    RequestNotFoundError: 404,
    ConflictError: 409,
    RescueError: 409,
    InputError: 422,
    NotAllowedError: 403,
    WitnessError: 503,
    StoreAwayError: 503,
    OverloadedError: 503,  # the last one of a status is the one that it stands for
}
_ERRORS: dict[int, type[Error]] = {status: kind for kind, status in _STATUSES.items()} | {401: NotAllowedError}


def status_of(error: Exception) -> int:
    """The status of HTTP that stands for this error; 500 where none does."""
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)


def error_of(status: int) -> type[Error]:
    """The class that this status of HTTP stands for; ``Error`` where it is none of ours."""
    return _ERRORS.get(status, Error)
