"""Which class of ours a status of HTTP is, and back."""

from __future__ import annotations

import pytest

from askfirst.errors import (
    BrokerUnavailableError,
    Error,
    InputError,
    LogError,
    OverloadedError,
    StoreAwayError,
    StoreError,
    WitnessError,
    error_of,
    status_of,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("no"), 422),
        (OverloadedError("later"), 503),
        (StoreAwayError("the database is away"), 503),  # it may come back: a caller does well to try again
        (StoreError("the disk is full"), 500),
        (WitnessError("no witness answers"), 503),  # neither is it the caller's fault
        (LogError("the log does not verify"), 500),
        (BrokerUnavailableError("none"), 500),
        (RuntimeError("a bug"), 500),
    ],
)
def test_each_error_has_a_status(error: Exception, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(("status", "kind"), [(503, OverloadedError), (422, InputError), (418, Error)])
def test_each_status_is_one_class(status: int, kind: type[Error]) -> None:
    assert error_of(status) is kind
