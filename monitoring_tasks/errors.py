"""What can go wrong, by what heals it: nothing but an edit, nothing but other data, or time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MonitoringError(Exception):
    """Base of every error this package raises on purpose; its text is written for the person on call."""


class ConfigError(MonitoringError):
    """A monitor file or setting is wrong. Never retried: only an edit heals it."""


class DataError(MonitoringError):
    """The warehouse answered, and what it holds cannot be monitored as configured. Never retried."""


class NoKeyError(DataError):
    """A table does not have the key by which rows are drawn, so what needs single rows cannot be measured."""


class ForbiddenError(DataError):
    """The warehouse does not let its user see what the monitor file names: a GRANT heals it, and time does not."""


class TransientError(MonitoringError):
    """A server or network failed. Retried: waiting may heal it."""


class ReplacedError(TransientError):
    """Another run has replaced what this one worked on. Retried: reading it again heals it."""


class UnreadError(TransientError):
    """The warehouse did not answer a check that reads rows; the window's other checks have written. Retried."""


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Begin the errors of the block with what they are about, unless they do so themselves.

    Examples
    --------
    >>> with about("table 'log'"):
    ...     raise DataError("no such cast")
    Traceback (most recent call last):
    monitoring_tasks.errors.DataError: table 'log': no such cast
    """
    try:
        yield
    except (DataError, TransientError) as error:
        if str(error).startswith(subject):
            raise
        raise type(error)(f"{subject}: {error}") from error


def first_line(error: BaseException) -> str:
    """Return the first line of a driver's error: the ones below repeat the statement, or point into it.

    Examples
    --------
    >>> first_line(ValueError("no such column\\nLINE 1: SELECT ..."))
    'no such column'
    """
    return str(error).strip().split("\n", 1)[0]
