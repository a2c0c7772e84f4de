# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What happens where a training is resumed with other settings."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.non_finite import listed
from mmkp.engine.resume_match import raise_if_not_resumable
from mmkp.engine.resumed_rates import adopt_rates
from mmkp.engine.training_settings import (
    KEY,
    SEED,
    changed_settings,
    settings_in,
    training_settings,
)

# With these the rates may change.
_OF_RATES = ('optim_wrapper', 'param_scheduler', 'auto_scale_lr')


@HOOKS.register_module()
class ResumedSettingsHook(Hook):
    """Lets changed rates take effect on ``resume``, and tells all that has changed.

    MMEngine goes on with the rates of the checkpoint, whatever the config says. Here

    * a changed rate, weight decay, other number of the optimizer or of a schedule takes
      effect from the next step on, with the moments kept; one line says so;
    * another kind of optimizer or schedule is refused (:func:`raise_if_not_resumable`);
    * whatever else has changed on which steps depend (batch size, model, losses, data,
      number of processes) is in effect as ever, and told in one warning, as the resumed
      training is no longer the one that was stopped. The seed stays the checkpoint's.

    Lengths of the training and intervals may change without a word.
    """

    # After CheckpointMatchHook, which refuses what does not fit.
    priority = 'HIGH'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the settings to a checkpoint.

        Args:
            runner: the runner of the training.
            checkpoint: gets ``settings``, see :func:`training_settings`.
        """
        checkpoint[KEY] = training_settings(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the settings with the checkpoint's.

        Args:
            runner: the runner that resumes.
            checkpoint: as loaded; its rates become the config's where these differ.

        Raises:
            CheckpointMismatchError: another optimizer or schedule.
        """
        if not runner._resume:
            return
        raise_if_not_resumable(runner, checkpoint, str(runner._load_from))
        former, present = settings_in(checkpoint), training_settings(runner)
        if (seed := runner._randomness_cfg.get('seed')) is None:
            former.pop(SEED, None)
        else:
            present[SEED] = seed
        changes = changed_settings(former, present)
        of_rates = [key for key in changes if key.startswith(_OF_RATES)]
        if of_rates or KEY not in checkpoint:
            self._tell_rates(runner, adopt_rates(runner, checkpoint))
        others = [
            f'{key} was {old!r:.60} and is {new!r:.60}'
            for key, (old, new) in changes.items()
            if not _is_rate(key)
        ]
        if others:
            seed_stays = '; the seed stays the former' if SEED in changes else ''
            runner.logger.warning(
                f'--resume with other settings than those of the checkpoint: '
                f'{listed(others)}. They are in effect{seed_stays}, so this is no '
                'longer the training that was stopped'
            )

    @staticmethod
    def _tell_rates(runner: Runner, told: list[str]) -> None:
        if told:
            runner.logger.warning(
                f'--resume: in effect from the next step on: {listed(told)}'
            )


def _is_rate(key: str) -> bool:
    """Whether a setting is one of those that :func:`adopt_rates` tells."""
    return key.startswith('param_scheduler') or (
        key.startswith('optim_wrapper')
        and ('.optimizer.' in key or '.paramwise_cfg.' in key)
    )
