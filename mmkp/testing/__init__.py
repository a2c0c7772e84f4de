# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Checks that every method passes, ours or a third party's."""

from mmkp.testing.check import Check, CheckFailed, CheckResult, CheckSkipped
from mmkp.testing.method import Method
from mmkp.testing.run import MethodCheck, check_method, method_checks
from mmkp.testing.table import CHECKS

__all__ = [
    'CHECKS',
    'Check',
    'CheckFailed',
    'CheckResult',
    'CheckSkipped',
    'Method',
    'MethodCheck',
    'check_method',
    'method_checks',
]
