# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What to change in a config against each sign of collapse, as far as it has it."""

import inspect
from typing import Any

_EQUIVARIANCE = ('EquivarianceLoss', 'MapEquivarianceLoss')
_SPREADING = {'DiversityLoss': 'window', 'SeparationLoss': 'bandwidth'}
_SHARPENING = ('ConcentrationLoss', 'LocalizationLoss')


class CollapseAdvice:
    """Advice that names the losses and arguments which a model has.

    Args:
        model: with ``losses``, ``generator``, ``view_transform`` and ``head``, as
            :class:`UnsupervisedPoseEstimator` has them. None where it is unknown:
            losses are then named under the condition that there are some.
    """

    def __init__(self, model: Any = None) -> None:
        self.model = model
        losses = getattr(model, 'losses', None)
        values = losses.values() if losses is not None else ()
        self.losses = {type(loss).__name__: loss for loss in values}

    def still(self) -> str:
        """Against keypoints that do not move between images."""
        if self.model is None:
            return 'lower the weight of EquivarianceLoss'
        found = [f'lower the weight of {name}' for name in self._present(_EQUIVARIANCE)]
        if takes(getattr(self.model, 'generator', None), 'mask_ratio'):
            found.append(
                'raise mask_ratio of the generator, so that the reconstruction needs '
                'the keypoints'
            )
        found += [
            f'raise the weight of {name}, so that the reconstruction counts for more'
            for name, loss in self.losses.items()
            if 'reconstruction' in getattr(loss, 'inputs', ())
        ]
        return _either([*found, 'train with a lower learning rate'])

    def apart(self) -> str:
        """Against keypoints that lie on one another."""
        found = [
            f'raise the weight or the {argument} of {name}'
            for name, argument in _SPREADING.items()
            if self.model is None or name in self.losses
        ]
        if self.model is None:
            found[-1] += ' (add one of them if there is none)'
        elif not found:
            found = ['add DiversityLoss or SeparationLoss to the losses']
        return _either([*found, 'ask for fewer keypoints'])

    def border(self) -> str:
        """Against keypoints that stick to the border."""
        found = ['crop the images closer']
        for argument in ('translation_std', 'translation_range'):
            if takes(getattr(self.model, 'view_transform', None), argument):
                found.append(f'lower {argument} of the view_transform')
        names = list(_SPREADING) if self.model is None else self._present(_SPREADING)
        if names:
            found.append(
                f'lower the weight of {" or ".join(names)}, which drives them apart'
            )
        return _either(found)

    def diffuse(self) -> str:
        """Against heatmaps without a peak."""
        if self.model is None:
            return (
                'raise the weight of ConcentrationLoss (add it if there is none) or of '
                "EquivarianceLoss with variant='expected', which punishes spread too"
            )
        found = [f'raise the weight of {name}' for name in self._present(_SHARPENING)]
        if not found:
            found = ['add ConcentrationLoss to the losses']
        equivariance = self.losses.get('EquivarianceLoss')
        if getattr(equivariance, 'variant', None) == 'expected':
            found.append('raise the weight of EquivarianceLoss, which punishes spread')
        elif equivariance is not None:
            found.append("set variant='expected' of EquivarianceLoss, to punish spread")
        for part in ('head', 'backbone'):
            if takes(getattr(self.model, part, None), 'logit_scale'):
                found.append(f'start sharper with logit_scale of the {part}')
        return _either(found)

    def _present(self, names: Any) -> list[str]:
        return [name for name in names if name in self.losses]


def takes(part: Any, argument: str) -> bool:
    """Whether a part of a model has an argument of a name in its config.

    Args:
        part: a module; None has no arguments.
        argument: name of a constructor's argument.
    """
    if part is None:
        return False
    for owner in type(part).__mro__:
        constructor = vars(owner).get('__init__')
        if constructor is None:
            continue
        parameters = inspect.signature(constructor).parameters
        if argument in parameters:
            return True
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return False  # whatever its parents take cannot be given
    return False


def _either(choices: list[str]) -> str:
    """Choices as a half-sentence."""
    *first, last = choices
    return f'{", ".join(first)}, or {last}' if first else last
