"""The figures of a test, in a file."""

from pathlib import Path

from mmengine.fileio import dump
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class SaveMetricsHook(Hook):
    """Writes a test's metrics to a file.

    Args:
        filename: ending in .json, .yaml or .pkl; its folder is created when absent.
    """

    def __init__(self, filename: str) -> None:
        self.filename = filename

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Write the metrics.

        Args:
            runner: not used.
            metrics: name -> value.
        """
        if metrics:
            Path(self.filename).parent.mkdir(parents=True, exist_ok=True)
            dump(metrics, self.filename)
