# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Several optimizers, each for parts of the model."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmpose.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PartsOptimWrapperConstructor:
    """Makes an optimizer for each of several parts of the model.

    For models that are trained by turns, such as a detector against a critic, whose
    ``train_step`` takes the optimizers out of MMEngine's ``OptimWrapperDict`` by name:

    .. code:: python

        optim_wrapper = dict(
            constructor='PartsOptimWrapperConstructor',
            detector=dict(
                parts=('backbone', 'head'), optimizer=dict(type='Adam', lr=1e-3)
            ),
            critic=dict(optimizer=dict(type='torch.optim.RMSprop', lr=1e-4)),
        )

    Args:
        optim_wrapper_cfg: name -> config of an optimizer wrapper as for one optimizer
            (with ``optimizer``, ``paramwise_cfg``, ``clip_grad``, ...), whose
            ``parts`` names the submodules of the model that it trains; without, its
            own name does.
        paramwise_cfg: None; each optimizer has its own.

    Raises:
        ValueError: an entry is no config of an optimizer, or a ``paramwise_cfg`` that
            belongs to one of them.
    """

    def __init__(
        self,
        optim_wrapper_cfg: Mapping[str, Mapping[str, Any]],
        paramwise_cfg: dict | None = None,
    ) -> None:
        if paramwise_cfg:
            raise ValueError(
                'paramwise_cfg stands beside several optimizers: put it into the one '
                f'that it is for, optim_wrapper.{next(iter(optim_wrapper_cfg), "NAME")}'
            )
        for name, config in optim_wrapper_cfg.items():
            if not isinstance(config, Mapping) or 'optimizer' not in config:
                raise ValueError(
                    f'optim_wrapper.{name} must be the config of an optimizer wrapper, '
                    "such as dict(parts=('backbone', 'head'), "
                    f"optimizer=dict(type='Adam', lr=1e-3)), got {config!r}"
                )
        self.configs = optim_wrapper_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the optimizers.

        Args:
            model: bare or in a wrapper.

        Returns:
            One optimizer wrapper for each name.

        Raises:
            ValueError: the model lacks a part, or a parameter that is to be trained is
                in none of the parts, or in two.
        """
        model = getattr(model, 'module', model)
        wrappers, owners = {}, dict[int, str]()
        for name, config in self.configs.items():
            options = dict(config)
            parts = options.pop('parts', (name,))
            chosen = nn.ModuleDict(
                {part: _submodule(model, name, part) for part in parts}
            )
            for parameter in chosen.parameters():
                owner = owners.setdefault(id(parameter), name)
                if owner != name:
                    raise ValueError(
                        f'optim_wrapper.{name} and optim_wrapper.{owner} train the '
                        'same parameters: give each part to one of them'
                    )
            wrappers[name] = build_optim_wrapper(chosen, options)
        left_out = [
            name
            for name, parameter in model.named_parameters()
            if parameter.requires_grad and id(parameter) not in owners
        ]
        if left_out:
            raise ValueError(
                f'no optimizer trains {_parts_of(left_out)}: name them in `parts` of '
                'an entry of optim_wrapper, or freeze them'
            )
        return OptimWrapperDict(**wrappers)


def optim_wrappers(steps: Any) -> dict[str, OptimWrapper]:
    """The optimizer wrappers of a training, one or several.

    Args:
        steps: ``optim_wrapper`` of MMEngine's runner.

    Returns:
        name -> wrapper; the name of a single one is empty. {} before they are built.
    """
    if isinstance(steps, OptimWrapperDict):
        return dict(steps.items())
    return {} if steps is None or isinstance(steps, dict) else {'': steps}


def _submodule(model: nn.Module, name: str, part: str) -> nn.Module:
    found = dict(model.named_children()).get(part)
    if found is None:
        raise ValueError(
            f'optim_wrapper.{name} trains {part!r}, which {type(model).__name__} does '
            f'not have; its parts are {[key for key, _ in model.named_children()]}: '
            'name some of them in `parts`'
        )
    return found


def _parts_of(names: Iterable[str]) -> list[str]:
    return sorted({name.split('.')[0] for name in names})
