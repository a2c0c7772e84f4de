"""Metrics that know the model whose predictions they judge."""

from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.loop_state import bare_model


@HOOKS.register_module()
class JudgedModelHook(Hook):
    """Gives the model to metrics with an attribute ``judged_model``.

    They can then advise what this model has: the loss to weigh, the argument to change.
    """

    def before_val_epoch(self, runner: Runner) -> None:
        """Give it before a validation.

        Args:
            runner: the runner of the training.
        """
        _give(runner, runner.val_evaluator)

    def before_test_epoch(self, runner: Runner) -> None:
        """Give it before a test.

        Args:
            runner: the runner of the test.
        """
        _give(runner, runner.test_evaluator)


def _give(runner: Runner, evaluator: Evaluator) -> None:
    model = bare_model(runner)
    for metric in evaluator.metrics:
        if hasattr(metric, 'judged_model'):
            metric.judged_model = model
