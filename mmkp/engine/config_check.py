"""Finds the typing errors of a config before anything is built from it.

MMEngine meets an unknown argument deep in a registry, and an unknown key of a plain
dictionary not at all. Here every dictionary with a ``type`` is compared with the
signature of that type, and the error names the key, the file and the nearest name.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import mmpose.registry
from mmengine import registry as mmengine_registry
from mmengine.optim import OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import (
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    Runner,
    TestLoop,
    ValLoop,
)
from mmengine.utils import get_object_from_string
from torch.utils.data import DataLoader

from mmkp.engine.config_keypoints import keypoint_mistakes
from mmkp.engine.config_pipelines import pipeline_mistakes

# Added or taken away by MMEngine on the way to the constructor.
_ALWAYS = {'type', '_scope_', '_delete_'}
_HOOK = {'priority'}
_OPTIM_WRAPPER = {'constructor', 'paramwise_cfg', 'optimizer'}
# Of any loss of an unsupervised model, see `NamedLosses`.
_LOSS = {'inputs', 'loss_weight'}
_SCHEDULER = {'convert_to_iter_based'}
_LOADER = {
    'dataset',
    'sampler',
    'batch_sampler',
    'collate_fn',
    'worker_init_fn',
    'num_batch_per_epoch',
    'disable_subprocess_warning',
}
_ADDED_BY_RUNNER = {'runner', 'dataloader', 'evaluator', 'optimizer', 'params'}

# Their contents are looked up in the registries of another library.
_OPAQUE = {'Albumentation'}
# Descriptions of keypoints, whose `type` is a part of the body.
_DESCRIPTIONS = {'metainfo', 'skeleton', 'keypoint_info', 'skeleton_info'}

# Arguments that a constructor hands on to somebody who is not its parent class.
_HANDED_ON: dict[str, Callable] = {'CheckpointHook': Runner.save_checkpoint}

# Top-level keys that are read by MMPose, by tools or by MMEngine besides the runner.
_READ_ELSEWHERE = {
    'auto_scale_lr',
    'custom_imports',
    'data_mode',
    'dataset_type',
    'default_scope',
    'compile',
    'activation_checkpointing',
    'efficient_conv_bn_eval',
    'preprocess_cfg',
    'model_wrapper_cfg',
    'gpu_ids',
}


class ConfigError(ValueError):
    """A mistake in a config or in what overrides it."""


def runner_keys() -> set[str]:
    """Top-level keys that have an effect."""
    parameters = set(inspect.signature(Runner.__init__).parameters)
    return (parameters - {'self', 'cfg'}) | _READ_ELSEWHERE


def check_config(cfg: Mapping, filename: str = 'the config') -> None:
    """Refuse a config with unknown types, arguments or misspelt top-level keys.

    Numbers of keypoints that must agree are compared too.

    Args:
        cfg: the config, as ``Config.fromfile`` returned it.
        filename: its name, for the message.

    Raises:
        ConfigError: naming every mistake, its place and the nearest valid name.
    """
    known = runner_keys()
    mistakes = []
    for key in cfg:
        # Any other name may be a variable of the config; a near miss is not.
        near = difflib.get_close_matches(key, known, 1, cutoff=0.9)
        if key not in known and near and near[0] not in cfg:
            mistakes.append(f"unknown key '{key}', did you mean '{near[0]}'?")
    for key in sorted(known & set(cfg)):
        mistakes += _mistakes(cfg[key], key)
    mistakes += keypoint_mistakes(cfg, find_type)
    if mistakes:
        raise ConfigError(f'{filename}: ' + '\n  and '.join(mistakes))


def nearest(name: str, names: Iterable[str]) -> str:
    """A half-sentence with the nearest of some valid names, or with a few of them."""
    choices = sorted(names)
    near = difflib.get_close_matches(name, choices, 1, cutoff=0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    if len(choices) <= 30:
        return f'valid are {", ".join(choices)}'
    return 'which is like none of the valid names'


def accepted_arguments(target: Any) -> set[str] | None:
    """Names that a class or function takes as keyword arguments.

    Args:
        target: class or function. ``**kwargs`` of a class stand for the arguments of
            the parent classes.

    Returns:
        The names, or None where anything may be passed.
    """
    owners = target.__mro__ if inspect.isclass(target) else (target,)
    names: set[str] = set()
    for owner in owners:
        function = vars(owner).get('__init__') if inspect.isclass(owner) else owner
        if function is None:
            continue
        if owner is object:
            return None  # everything before it took **kwargs
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return None
        names |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD,)}
        if owner.__name__ in _HANDED_ON:
            names |= set(inspect.signature(_HANDED_ON[owner.__name__]).parameters)
            return names
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names
    return None


def schema(path: str, value: Mapping) -> set[str] | None:
    """Keys that may stand in a dictionary of a config.

    Args:
        path: dotted place in the config, e.g. ``train_dataloader.dataset``.
        value: the dictionary.

    Returns:
        The keys, or None where anything may stand.
    """
    target = value.get('type')
    if isinstance(target, str):
        target = find_type(target)
    top, _, rest = path.partition('.')
    if not rest and top.endswith('_dataloader'):
        return set(inspect.signature(DataLoader.__init__).parameters) | _LOADER
    if _is_optim_wrapper_of_parts(path, value):
        return None  # its keys are names of optimizers
    defaults: dict[str, Any] = {
        'optim_wrapper': OptimWrapper,
        'val_cfg': ValLoop,
        'test_cfg': TestLoop,
        'randomness': Runner.set_randomness,
    }
    if target is None and not rest and top == 'train_cfg':
        by_epoch = value.get('by_epoch')
        target = EpochBasedTrainLoop if by_epoch else IterBasedTrainLoop
        return (accepted_arguments(target) or set()) | {'by_epoch'}
    if target is None and not rest:
        target = defaults.get(top)
    one_of_several = top == 'optim_wrapper' and '.' not in rest and 'optimizer' in value
    if target is None and one_of_several:
        target = OptimWrapper
    if target is None or path.split('.')[-1].endswith('_cfg') and rest:
        return None  # e.g. norm_cfg, whose builders take more than the layer does
    names = accepted_arguments(target)
    if names is None:
        return None
    extras = {
        'optim_wrapper': _OPTIM_WRAPPER,
        'default_hooks': _HOOK,
        'custom_hooks': _HOOK,
        'param_scheduler': _SCHEDULER,
    }
    if path.startswith('model.losses.') and path.count('.') == 2:
        names = names | _LOSS
    if rest and one_of_several:
        names = names | {'parts'}
    return names | _ALWAYS | _ADDED_BY_RUNNER | extras.get(top.split('[')[0], set())


def _is_optim_wrapper_of_parts(path: str, value: Mapping) -> bool:
    """Whether a constructor makes an optimizer of each entry of ``optim_wrapper``."""
    return (
        path == 'optim_wrapper' and 'constructor' in value and 'optimizer' not in value
    )


def _mistakes(value: Any, path: str) -> Iterator[str]:
    """Every mistake in a part of the config."""
    if isinstance(value, list | tuple):
        yield from pipeline_mistakes(value, path)
        for index, item in enumerate(value):
            yield from _mistakes(item, f'{path}[{index}]')
        return
    if not isinstance(value, Mapping):
        return
    name = value.get('type')
    if isinstance(name, str) and find_type(name) is None and _is_ours(name):
        hint = nearest(name, all_type_names())
        yield f"unknown type '{name}' in '{path}', {hint}"
    valid = schema(path, value)
    for key, item in value.items():
        if valid is not None and key not in valid:
            hidden = _ALWAYS | _ADDED_BY_RUNNER | {'self'}
            if path == 'optim_wrapper':
                hidden = hidden - {'optimizer'}
            hint = nearest(str(key), valid - hidden)
            owner = f' ({_name(name)})' if name else ''
            yield f"unknown key '{key}' in '{path}'{owner}, {hint}"
        if name not in _OPAQUE and key not in _DESCRIPTIONS:
            yield from _mistakes(item, f'{path}.{key}')


def _name(target: Any) -> str:
    return target if isinstance(target, str) else getattr(target, '__name__', '?')


def _is_ours(name: str) -> bool:
    """Whether a name must be found here; ``mmdet.X`` may be known elsewhere."""
    return '.' not in name or name.split('.')[0] in ('mmpose', 'mmengine', 'torch')


def _registries() -> list[Registry]:
    found = {}
    for module in (mmpose.registry, mmengine_registry):
        for item in vars(module).values():
            if isinstance(item, Registry):
                found[id(item)] = item
    return list(found.values())


def find_type(name: str) -> Any:
    """The class or function that is registered under a name, None when there is none.

    Args:
        name: as in ``type``, with or without a scope, or the import path of a class of
            torch, MMEngine, MMPose or mmkp, which MMEngine's registries take as well.
    """
    scope, _, bare = name.rpartition('.')
    if bare and scope in ('', 'mmpose', 'mmengine'):
        for registry in _registries():
            registry.import_from_location()
            # Registry.get looks for a module of that name, too, in all of sys.path.
            place: Registry | None = registry
            while place is not None:
                if bare in place.module_dict:
                    return place.module_dict[bare]
                place = place.parent
    if scope.split('.')[0] in ('torch', 'mmengine', 'mmpose', 'mmkp'):
        return get_object_from_string(name)
    return None


def all_type_names() -> set[str]:
    """Every name that is registered for MMPose and MMEngine."""
    return {name for registry in _registries() for name in registry.module_dict}
