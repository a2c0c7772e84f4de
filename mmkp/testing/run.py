# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Running the checks on a method: at once, or one by one in pytest."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mmengine.config import Config

from mmkp.engine.config_check import nearest
from mmkp.testing.check import Check, CheckFailed, CheckResult, CheckSkipped
from mmkp.testing.method import Method
from mmkp.testing.table import CHECKS

AnyConfig: TypeAlias = str | Path | Mapping | Config


def check_method(
    config: AnyConfig,
    options: Mapping[str, Any] | None = None,
    checks: Iterable[str] | None = None,
    skip: Mapping[str, str] | None = None,
    samples: Sequence[dict] | None = None,
    steps: int = 20,
    on_result: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Check that a method does what every method has to.

    What ``check_estimator`` is to scikit-learn. The model of the config is built as it
    stands and trained for some steps on four drawn images; nothing that the data sets
    of the config name has to be there. A small network is checked in seconds.

    Args:
        config: file, name of a config of this package, dict, or what was read: of any
            method that MMPose can build, ours or another's.
        options: dotted keys and values that override settings.
        checks: names of those to run, see :data:`mmkp.testing.CHECKS`; all when None.
        skip: name -> reason, of checks that are known not to hold.
        samples: at least 4 samples as the training pipeline returns them, ``inputs``
            and ``data_samples``, where none can be drawn; tests get the same.
        steps: of the training after which the loss has to have fallen.
        on_result: called with each result as it comes.

    Returns:
        The results, in the order of the checks.

    Raises:
        CheckFailed: naming each check that failed, what was measured and what usually
            causes it.
        ValueError: a check does not exist, or no samples can be drawn.
        ConfigError: the config holds a mistake.
    """
    method = Method(config, options, samples, steps)
    # What cannot be built or drawn is told once.
    method.run_apart(lambda each: (each.build(), each.training_samples))
    results = []
    for check in chosen_checks(checks, skip):
        result = _result(check, method, (skip or {}).get(check.name))
        results.append(result)
        if on_result is not None:
            on_result(result)
    failed = [result.message for result in results if result.status == 'failed']
    if failed:
        raise CheckFailed(
            f'{len(failed)} of {len(results)} checks failed:\n  ' + '\n  '.join(failed)
        )
    return results


class MethodCheck:
    """A check of a method, to be called by a test.

    Args:
        check: that is to be run.
        method: makes the method; all checks of one share it.
        reason: why it is left out, None to run it.
    """

    def __init__(
        self, check: Check, method: Callable[[], Method], reason: str | None
    ) -> None:
        self.check, self.method, self.reason = check, method, reason
        self.__name__ = check.name  # by which pytest names the test

    def __call__(self) -> None:
        """Run it; raises :class:`CheckFailed` or :class:`CheckSkipped`."""
        if self.reason is not None:
            raise CheckSkipped(self.reason)
        self.check.run(self.method())


def method_checks(
    config: AnyConfig,
    options: Mapping[str, Any] | None = None,
    checks: Iterable[str] | None = None,
    skip: Mapping[str, str] | None = None,
    samples: Sequence[dict] | None = None,
    steps: int = 20,
) -> list[MethodCheck]:
    """The checks of a method, each to be called by a test of its own.

    As scikit-learn's ``parametrize_with_checks``::

        @pytest.mark.parametrize('check', method_checks('my_config.py'))
        def test_my_method(check):
            check()

    The config is read by the first one that is called.

    Args:
        config: as of :func:`check_method`, and so on.
        options: dotted keys and values that override settings.
        checks: names of those to run; all when None.
        skip: name -> reason; pytest counts them as skipped.
        samples: at least 4 samples as the training pipeline returns them.
        steps: of the training after which the loss has to have fallen.

    Returns:
        Functions without arguments.

    Raises:
        ValueError: a check does not exist.
    """
    made: list[Method] = []

    def method() -> Method:
        if not made:
            made.append(Method(config, options, samples, steps))
        return made[0]

    reasons = skip or {}
    return [
        MethodCheck(check, method, reasons.get(check.name))
        for check in chosen_checks(checks, skip)
    ]


def chosen_checks(
    names: Iterable[str] | None = None, skip: Mapping[str, str] | None = None
) -> Iterator[Check]:
    """Checks by name, in the order in which they run.

    Args:
        names: all when None.
        skip: name -> reason.

    Raises:
        ValueError: a check does not exist, or is left out without a reason.
    """
    wanted = set(CHECKS) if names is None else set(names)
    for name in sorted(wanted | set(skip or {})):
        if name not in CHECKS:
            raise ValueError(f"there is no check '{name}', {nearest(name, CHECKS)}")
    for name, reason in (skip or {}).items():
        if not reason:
            raise ValueError(f"the check '{name}' is left out without a reason")
    return (check for name, check in CHECKS.items() if name in wanted)


def _result(check: Check, method: Method, reason: str | None) -> CheckResult:
    """Run a check, and time it."""
    start, status, message = time.perf_counter(), 'passed', ''
    try:
        if reason is not None:
            raise CheckSkipped(reason)
        check.run(method)
    except CheckSkipped as error:
        status, message = 'skipped', str(error)
    except CheckFailed as error:
        status, message = 'failed', str(error)
    return CheckResult(check.name, status, time.perf_counter() - start, message)
