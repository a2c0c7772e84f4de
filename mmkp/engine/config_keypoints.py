"""Whether model, data sets and codec of a config speak of as many keypoints."""

import functools
import inspect
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmpose.datasets.datasets.utils import parse_pose_metainfo

_PARTS = ('head', 'generator', 'backbone')
_NAMES = ('num_keypoints', 'num_joints')
# Heads whose outputs are a map, or a position, of each keypoint.
_ONE_OUTPUT_A_KEYPOINT = {
    'HeatmapHead',
    'CPMHead',
    'MSPNHead',
    'SimCCHead',
    'RTMCCHead',
    'ViPNASHead',
}


def keypoint_mistakes(cfg: Mapping, find_type: Callable[[str], Any]) -> Iterator[str]:
    """Compare all numbers of keypoints.

    Args:
        cfg: the config.
        find_type: name -> registered class or function, or None.

    Yields:
        One sentence that names each place and its number, where they differ.
    """
    if 'model' not in cfg:
        return  # a base, which says a part only
    found = dict(_of_model(cfg['model']))
    regressor = (cfg['model'] or {}).get('regressor') or {}
    if _is_number(regressor.get('num_keypoints')):  # those of the data sets are named
        found = {'model.regressor.num_keypoints': regressor['num_keypoints']}
    loaders = ['train_dataloader', 'val_dataloader', 'test_dataloader']
    if 'output_keypoint_indices' in ((cfg['model'] or {}).get('test_cfg') or {}):
        del loaders[1:]  # some of the keypoints are tested
    for key in loaders:
        loader = cfg.get(key)
        if isinstance(loader, Mapping):
            dataset, place = loader.get('dataset'), f'{key}.dataset'
            if _lacks_number(dataset, find_type):
                yield f'{place} says no num_keypoints, which are to be discovered'
            else:
                found |= _of_dataset(dataset, place, find_type)
    if len(set(found.values())) > 1:
        places: dict[int, list[str]] = {}
        for place, number in found.items():
            places.setdefault(number, []).append(place)
        told = '; '.join(
            f'{number} in {", ".join(names)}' for number, names in places.items()
        )
        remedy = 'make them agree'
        if 'num_keypoints' in cfg:
            remedy += ', by the variable num_keypoints of the file if they follow it'
        yield f'the numbers of keypoints differ: {told}; {remedy}'


def _of_model(model: Any) -> Iterator[tuple[str, int]]:
    """What the parts of a model say."""
    if not isinstance(model, Mapping):
        return
    number = _of_metainfo(model.get('metainfo'))
    if number is not None:
        yield 'model.metainfo', number
    settings = model.get('train_cfg')
    if isinstance(settings, Mapping) and _is_number(settings.get('num_selected')):
        yield 'model.train_cfg.num_selected', int(settings['num_selected'])
    for name in _PARTS:
        part = model.get(name)
        if not isinstance(part, Mapping):
            continue
        keys: tuple[str, ...] = _NAMES
        if part.get('type') in _ONE_OUTPUT_A_KEYPOINT and not _shares_channels(part):
            keys = (*_NAMES, 'out_channels')
        for key in keys:
            if _is_number(part.get(key)):
                yield f'model.{name}.{key}', int(part[key])
        number = _of_skeleton(part.get('decoder'))
        if number is not None:
            yield f"model.{name}.decoder's skeleton", number


def _shares_channels(head: Mapping) -> bool:
    """Whether a codec draws other maps than one for each keypoint."""
    codec = head.get('decoder')
    return not isinstance(codec, Mapping) or codec.get('heatmap_type') == 'combined'


def _of_skeleton(codec: Any) -> int | None:
    """Keypoints that the data set of a part affinity codec has."""
    if not isinstance(codec, Mapping) or codec.get('type') != 'PartAffinityField':
        return None
    from mmkp.codecs.build_skeleton import build_skeleton

    try:
        return build_skeleton(codec['skeleton']).num_source_keypoints
    except (KeyError, TypeError, ValueError, OSError):
        return None  # told where the codec is built


def _lacks_number(dataset: Any, find_type: Callable[[str], Any]) -> bool:
    """Whether a data set must be told how many keypoints to discover, and is not."""
    if not isinstance(dataset, Mapping) or 'num_keypoints' in dataset:
        return False
    kind = dataset.get('type')
    kind = find_type(kind) if isinstance(kind, str) else kind
    if not inspect.isclass(kind):
        return False
    parameter = inspect.signature(kind).parameters.get('num_keypoints')
    return parameter is not None and parameter.default is parameter.empty


def _of_dataset(
    dataset: Any, path: str, find_type: Callable[[str], Any]
) -> dict[str, int]:
    """What a data set, or those that it is made of, say."""
    if not isinstance(dataset, Mapping):
        return {}
    for step in reversed(list(dataset.get('pipeline') or ())):
        if isinstance(step, Mapping) and step.get('type') == 'KeypointConverter':
            return {}  # it makes another number
    if 'num_keypoints' in dataset:
        # Wrappers discover so many, whatever is annotated inside.
        said = {
            f'{path}.num_keypoints': dataset['num_keypoints'],
            f'{path}.metainfo': _of_metainfo(dataset.get('metainfo')),
        }
        return {place: int(n) for place, n in said.items() if _is_number(n)}
    if dataset.get('metainfo') is None:
        inner = dataset.get('dataset') or dataset.get('datasets')
        if inner is not None:
            parts = inner if isinstance(inner, list | tuple) else [inner]
            found: dict[str, int] = {}
            for index, part in enumerate(parts):
                found |= _of_dataset(part, f'{path}.datasets[{index}]', find_type)
            return found
    metainfo = dataset.get('metainfo')
    place = f'{path}.metainfo'
    if metainfo is None:
        kind = dataset.get('type')
        kind = find_type(kind) if isinstance(kind, str) else kind
        metainfo = getattr(kind, 'METAINFO', None)
        place = f'{path} ({getattr(kind, "__name__", kind)})'
    number = _of_metainfo(metainfo)
    return {} if number is None else {place: number}


def _of_metainfo(metainfo: Any) -> int | None:
    if not isinstance(metainfo, Mapping) or not metainfo:
        return None
    if _is_number(metainfo.get('num_keypoints')):
        return int(metainfo['num_keypoints'])
    if isinstance(metainfo.get('keypoint_info'), Mapping):
        return len(metainfo['keypoint_info'])
    file = metainfo.get('from_file')
    if isinstance(file, str) and len(metainfo) == 1:
        changed = os.stat(file).st_mtime_ns if os.path.isfile(file) else None
        return _of_file(file, os.getcwd(), changed)
    return _parsed(metainfo)


@functools.lru_cache(maxsize=64)
def _of_file(file: str, folder: str, changed: int | None) -> int | None:
    """What a file says, which all parts of a config name: it is read once."""
    return _parsed({'from_file': file})


def _parsed(metainfo: Mapping) -> int | None:
    try:
        with warnings.catch_warnings():
            # MMPose finds its own metainfo files wherever one works, and warns.
            warnings.simplefilter('ignore')
            return int(parse_pose_metainfo(dict(metainfo))['num_keypoints'])
    except (KeyError, TypeError, ValueError, AssertionError, OSError):
        return None  # told where the data set is built


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
