# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compares with the untrained detector where figures are made, and only there."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class UntrainedControlHook(Hook):
    """Lets a discovery model predict with untrained weights too, in val and test loops.

    The control costs a second network. It stands beside figures, so the loops that
    make figures ask for it; ``discover``, inferencers and tools that predict do not.
    Models without ``test_cfg.untrained_control`` are left alone.
    """

    def before_val(self, runner: Runner) -> None:
        """Switch the control on for a validation."""
        _switch(runner, True)

    def after_val(self, runner: Runner) -> None:
        """Switch it off again."""
        _switch(runner, False)

    def before_test(self, runner: Runner) -> None:
        """Switch the control on for a test."""
        _switch(runner, True)

    def after_test(self, runner: Runner) -> None:
        """Switch it off again."""
        _switch(runner, False)


def _switch(runner: Runner, on: bool) -> None:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if hasattr(model, 'with_untrained_control'):
        model.with_untrained_control = on
