# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compares with the untrained detector where figures are made, and only there."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.loop_state import bare_model


@HOOKS.register_module()
class UntrainedControlHook(Hook):
    """Lets a discovery model predict with untrained weights too, in val and test loops.

    The control costs a second network. It stands beside figures, so the loops that
    make figures ask for it; ``discover``, inferencers and tools that predict do not.
    Models without ``test_cfg.untrained_control`` are left alone.
    """

    def before_val(self, runner: Runner) -> None:
        """Switch the control on for a validation or a test."""
        _switch(runner, True)

    def after_val(self, runner: Runner) -> None:
        """Switch it off again."""
        _switch(runner, False)

    before_test, after_test = before_val, after_val


def _switch(runner: Runner, on: bool) -> None:
    model = bare_model(runner)
    if hasattr(model, 'with_untrained_control'):
        model.with_untrained_control = on
