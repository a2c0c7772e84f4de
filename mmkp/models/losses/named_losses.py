# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The losses of a model, and the outputs that each of them is called with."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import ModuleDict
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.engine.config_check import accepted_arguments

REMEDY = (
    "outputs 'warped_*' and 'warp' need a `view_transform` in the model config, "
    "'reconstruction' and other drawn ones a `generator`, 'target_*' a pipeline with "
    "dict(type='GenerateTarget', encoder=dict(type='RegressionLabel', ...))"
)


class NamedLosses(ModuleDict):
    """Losses by name, each called with outputs of the model.

    A loss is any registered module, ours, MMPose's or, by its import path, torch's:

    * ``inputs`` in its config names the outputs that it gets, one after the other, as
      in ``dict(type='torch.nn.SmoothL1Loss', inputs=('reconstruction', 'images'))``;
    * without, the class attribute ``inputs`` names those that it gets as keyword
      arguments.

    ``loss_weight`` in the config of a class that does not take it is applied here. Of
    a tensor with more than one number, such as a loss with ``reduction='none'``, the
    mean counts.

    Args:
        configs: name -> config of a loss, and its ``inputs`` and ``loss_weight``.

    Raises:
        ValueError: a type does not exist, or nothing says what a loss is called with,
            or it takes another number of inputs.
    """

    def __init__(self, configs: Mapping[str, Mapping[str, Any]]) -> None:
        self._positional: dict[str, tuple[str, ...]] = {}
        self._weighed_here: set[str] = set()
        super().__init__(
            {name: self._build(name, dict(loss)) for name, loss in configs.items()}
        )

    def _build(self, name: str, config: dict[str, Any]) -> nn.Module:
        kind = _find_class(name, config.get('type'))
        positional, weight = config.pop('inputs', None), None
        arguments = accepted_arguments(kind)
        if arguments is not None and 'loss_weight' not in arguments:
            weight = config.pop('loss_weight', None)
        loss = MODELS.build(config)
        if weight is not None:
            loss.loss_weight = weight  # where LossWeightSchedule finds it
            self._weighed_here.add(name)
        if positional is not None:
            self._positional[name] = _checked_inputs(name, loss, positional)
        elif not hasattr(loss, 'inputs'):
            raise ValueError(
                f'nothing says what loss {name!r} ({type(loss).__name__}) is called '
                "with: set its `inputs` in the config, e.g. inputs=('keypoints', "
                "'target_keypoints'), the names of the model's outputs in the order of "
                f'its arguments {inspect.signature(loss.forward)}'
            )
        return loss

    @property
    def inputs(self) -> set[str]:
        """Names of all outputs that some loss asks for."""
        return {key for name in self for key in self._inputs_of(name)}

    def _inputs_of(self, name: str) -> tuple[str, ...]:
        return self._positional.get(name) or tuple(self[name].inputs)

    def forward(self, outputs: Mapping[str, Any]) -> dict[str, Tensor]:
        """Call every loss.

        Args:
            outputs: name -> output of the model.

        Returns:
            ``loss_<name>`` for each loss, scalars.

        Raises:
            ValueError: a loss needs an output that there is not, or returns no tensor.
        """
        return {f'loss_{name}': self._call(name, outputs) for name in self}

    def _call(self, name: str, outputs: Mapping[str, Any]) -> Tensor:
        loss = self[name]
        wanted = self._inputs_of(name)
        missing = [key for key in wanted if key not in outputs]
        if missing:
            raise ValueError(
                f'loss {name!r} ({type(loss).__name__}) needs {missing}, but the '
                f'model computes only {sorted(outputs)}: {REMEDY}'
            )
        given = {key: outputs[key] for key in wanted}
        value = loss(*given.values()) if name in self._positional else loss(**given)
        if not isinstance(value, Tensor):
            raise ValueError(
                f'loss {name!r} ({type(loss).__name__}) returns a '
                f'{type(value).__name__}, must be one tensor: where it has several '
                'terms, give each an entry of its own in `losses`'
            )
        value = value.mean() if value.dim() else value
        return loss.loss_weight * value if name in self._weighed_here else value


def _find_class(name: str, kind: Any) -> Any:
    """What ``type`` of a loss means."""
    if not isinstance(kind, str):
        return kind
    found = MODELS.get(kind)
    if found is None:
        raise ValueError(
            f'loss {name!r} has the type {kind!r}, which is neither registered nor '
            "the import path of a class, such as 'torch.nn.SmoothL1Loss'"
        )
    return found


def _checked_inputs(name: str, loss: nn.Module, inputs: Any) -> tuple[str, ...]:
    """Names of outputs, as many as the loss takes."""
    if (
        isinstance(inputs, str)
        or not isinstance(inputs, Sequence)
        or not all(isinstance(key, str) for key in inputs)
    ):
        raise ValueError(
            f"`inputs` of loss {name!r} must be names of the model's outputs, such as "
            f"('reconstruction', 'images'), got {inputs!r}"
        )
    signature = inspect.signature(loss.forward)
    try:
        signature.bind(*inputs)
    except TypeError as error:
        raise ValueError(
            f'loss {name!r} ({type(loss).__name__}) takes {signature}, which does not '
            f'go with inputs={tuple(inputs)}: {error}'
        ) from error
    return tuple(inputs)
