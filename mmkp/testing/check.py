# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a check of a method is, and how it ends."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmkp.testing.method import Method


class CheckFailed(AssertionError):
    """A method does not do what every method has to."""


class CheckSkipped(unittest.SkipTest):
    """A check does not apply to a method, and why; pytest counts it as skipped."""


@dataclass(frozen=True)
class Check:
    """A property that every method has.

    Attributes:
        name: by which it is chosen, left out and told.
        function: called with a :class:`Method`; raises :class:`CheckFailed` with what
            was measured and what it should be, or :class:`CheckSkipped`.
        cause: what usually causes a failure, and the remedy, in one sentence.
    """

    name: str
    function: Callable[[Method], None]
    cause: str

    def run(self, method: Method) -> None:
        """Run it.

        Args:
            method: to be checked.

        Raises:
            CheckFailed: naming the check, what was measured and the usual cause.
            CheckSkipped: it does not apply.
        """
        try:
            method.run_apart(self.function)
        except CheckSkipped:
            raise
        except CheckFailed as error:
            raise CheckFailed(f'{self.name}: {error}. {self.cause}') from error
        except Exception as error:
            # Whatever a method raises where it should have worked is a failure of it.
            raised = f'{type(error).__name__}: {error}'
            raise CheckFailed(f'{self.name}: {raised}. {self.cause}') from error


@dataclass(frozen=True)
class CheckResult:
    """How a check ended.

    Attributes:
        name: of the check.
        status: 'passed', 'failed' or 'skipped'.
        seconds: that it took.
        message: why it failed or was skipped, else ''.
    """

    name: str
    status: str
    seconds: float
    message: str = ''
