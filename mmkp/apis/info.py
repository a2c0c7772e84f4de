# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a file or folder is, what it holds, and what to do with it."""

import html
import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.films import Film, is_film
from mmkp.apis.run import Run
from mmkp.apis.shipped_models import open_run, shipped_names
from mmkp.datasets.image_files import find_images
from mmkp.datasets.image_formats import IMAGE_SUFFIXES
from mmkp.datasets.image_size import image_size
from mmkp.deployment.description import is_export, read_description
from mmkp.engine import load_config
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.labels import Format, LabelSet, Source, find_format, read_labels

_WEIGHTS = ('.pth', '.pt', '.ckpt', '.safetensors')
#: Images whose sizes are looked up.
_MAX_SIZES = 500


@dataclass(frozen=True)
class Info:
    """What is known of a file or folder.

    Attributes:
        path: Of it.
        kind: What it is.
        facts: What it holds, by name; plain data.
        commands: What can be done next.
    """

    path: Path
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The same for people."""
        facts = [f'{name + ":":22} {_shown(v)}' for name, v in self.facts.items()]
        return [
            f'{self.path}: {self.kind}',
            *facts,
            *(f'{"next:":22} {command}' for command in self.commands),
        ]

    def _repr_html_(self) -> str:
        rows = [*self.facts.items(), *(('next', c) for c in self.commands)]
        cells = ''.join(
            f'<tr><th>{html.escape(name)}</th><td>{html.escape(_shown(value))}</td></tr>'
            for name, value in rows
        )
        title = html.escape(f'{self.path}: {self.kind}')
        return f'<table><caption>{title}</caption>{cells}</table>'


def info(path: str | Path) -> Info:
    """Say what a file or folder is.

    Args:
        path: Run, model that comes with mmkp, config, checkpoint, labels of any
            format, image, folder of images, or film. Nothing that it holds is run, but
            a config, which is code.

    Returns:
        What it is.

    Raises:
        FileNotFoundError: There is nothing.
        ValueError: It is nothing that mmkp knows, or damaged.
    """
    path = Path(path)
    if not path.exists():
        if str(path) in shipped_names():
            return _of_run(open_run(path))
        raise FileNotFoundError(f"'{path}' does not exist")
    if path.is_dir() and _is_run(path):
        return _of_run(Run(path))
    if path.is_file() and path.suffix == '.py':
        return _of_config(path)
    if path.is_file() and path.suffix.lower() in _WEIGHTS:
        return _of_checkpoint(path)
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        return _of_images(path, [path.name])
    source = Source(path)
    if path.is_file() and not source.is_hdf5 and is_film(path):
        return _of_film(path)
    try:
        known = find_format(source)
    except ValueError:
        if not path.is_dir():
            raise
        return _of_images(path, find_images(str(path)))
    return _of_labels(read_labels(path, known.name), path, known)


def _is_run(path: Path) -> bool:
    """Whether a folder has what a run or a work directory has."""
    if (path / 'run.json').is_file():
        return True
    return len(list(path.glob('*.py'))) == 1 and any(path.glob('*.pth'))


def _of_run(run: Run) -> Info:
    known = ('verb', 'created', 'command', 'source', 'figures')
    facts: dict[str, Any] = {k: run.info[k] for k in known if run.info.get(k)}
    names = run.keypoint_names
    facts['keypoint names'] = names or 'none yet'
    for name in ('config', 'checkpoint'):
        try:
            facts[name] = str(
                getattr(run, f'{name}_file' if name == 'config' else name)
            )
        except FileNotFoundError:
            facts[name] = 'none'
    if run.score:
        facts['score'] = {
            k: v for k, v in run.score.items() if isinstance(v, int | float)
        }
    if (run.path / 'keypoints.json').is_file():
        labels = read_labels(run.path, 'json')
        facts |= _facts_of_labels(labels)
    where = shlex.quote(str(run.path))
    if is_export(run.path):
        return _of_export(run, facts)
    commands = [f'mmkp view {where}', f'mmkp predict {where} SOURCE']
    if not names:
        commands.append(f'mmkp name {where} LABELS')
    if (run.path / 'keypoints.json').is_file():
        commands.append(f'mmkp convert {where} keypoints.csv')
    return Info(run.path, 'run', facts, commands)


def _of_export(run: Run, facts: dict[str, Any]) -> Info:
    described = read_description(run.path)
    del facts['checkpoint'], facts['figures']
    facts['model'] = f'{described.model}, {described.precision}'
    facts['files'] = ', '.join(described.files.values())
    facts['input'] = 'x'.join(map(str, described.input['size']))
    for one in run.info.get('figures', {}).get('differences', ()):
        facts[f'{one["file"]}, off'] = f'{one["largest"]:.2g} px of the network input'
    where = shlex.quote(str(run.path))
    runner = f'python {shlex.quote(str(run.path / "mmkp_runner.py"))} {where} SOURCE'
    return Info(run.path, 'export', facts, [f'mmkp predict {where} SOURCE', runner])


def _of_config(path: Path) -> Info:
    config = load_config(path, check=False)
    model = config.get('model') or {}
    facts: dict[str, Any] = {'model': model.get('type', 'none')}
    for part in ('backbone', 'head', 'generator'):
        if isinstance(model.get(part), dict):
            facts[part] = model[part].get('type', '')
    for key in ('num_keypoints', 'dataset_type', 'data_root'):
        if config.get(key) is not None:
            facts[key.replace('_', ' ')] = config[key]
    steps = config.get('train_cfg') or {}
    for key in ('max_iters', 'max_epochs'):
        if steps.get(key):
            facts[key.replace('_', ' ')] = steps[key]
    where = shlex.quote(str(path))
    commands = [f'mmkp train {where}', f'mmkp browse {where}']
    return Info(path, 'config', facts, commands)


def _of_checkpoint(path: Path) -> Info:
    content = load_checkpoint_file(path, map_location='cpu')
    content = content if isinstance(content, dict) else {}
    state = content.get('state_dict', content)
    tensors = [v for v in state.values() if hasattr(v, 'numel')]
    facts: dict[str, Any] = dict(
        weights=sum(int(v.numel()) for v in tensors),
        tensors=len(tensors),
        bytes=path.stat().st_size,
    )
    meta = content.get('meta')
    meta = meta if isinstance(meta, dict) else {}
    for key in ('iter', 'epoch', 'time', 'mmengine_version'):
        if key in meta:
            facts[key.replace('_', ' ')] = str(meta[key])
    described = meta.get('dataset_meta')
    if isinstance(described, dict):
        names = described.get('keypoint_id2name')
        if isinstance(names, dict):
            facts['keypoint names'] = [str(name) for name in names.values()]
        if described.get('dataset_name'):
            facts['data set'] = str(described['dataset_name'])
    where = shlex.quote(str(path))
    return Info(path, 'checkpoint', facts, [f'mmkp predict CONFIG {where} SOURCE'])


def _of_film(path: Path) -> Info:
    film = Film(path)
    first = next(iter(film)).image
    facts: dict[str, Any] = {'size': [first.shape[1], first.shape[0]]}
    facts['frames'] = film.num_declared or 'not said'
    facts['frames per second'] = round(float(film.rate), 3)
    if film.num_declared:
        facts['seconds'] = round(film.num_declared / film.rate, 2)
    where = shlex.quote(str(path))
    commands = [f'mmkp discover {where} -k 10', f'mmkp predict RUN {where}']
    return Info(path, 'film', facts, commands)


def _of_images(path: Path, names: list[str]) -> Info:
    folder = path if path.is_dir() else path.parent
    sizes: Counter[str] = Counter()
    damaged = []
    for name in names[:_MAX_SIZES]:
        try:
            sizes['{} x {}'.format(*image_size(folder / name))] += 1
        except Exception:  # whatever a damaged image raises
            damaged.append(name)
    facts: dict[str, Any] = dict(images=len(names), sizes=dict(sizes.most_common(5)))
    facts['suffixes'] = dict(Counter(Path(n).suffix.lower() for n in names))
    if len(names) > _MAX_SIZES:
        facts['looked at'] = _MAX_SIZES
    if damaged:
        facts['cannot be decoded'] = damaged
    where = shlex.quote(str(path))
    commands = [f'mmkp discover {where} -k 10', f'mmkp predict RUN {where}']
    return Info(
        path, 'image' if path.is_file() else 'folder of images', facts, commands
    )


def _of_labels(labels: LabelSet, path: Path, known: Format) -> Info:
    where = shlex.quote(str(path))
    commands = [f'mmkp convert {where} OUT -f FORMAT', f'mmkp name RUN {where}']
    facts = dict(format=known.name, **_facts_of_labels(labels))
    return Info(path, known.title, facts, commands)


def _facts_of_labels(labels: LabelSet) -> dict[str, Any]:
    """Numbers of images, objects and points; plain data."""
    per_image = np.bincount(labels.image_index, minlength=len(labels.image_names))
    missing = np.isnan(labels.keypoints).any(2).sum(0).tolist()
    facts: dict[str, Any] = {'images': len(labels.image_names)}
    facts['images without object'] = int((per_image == 0).sum())
    found = sum((labels.root / name).is_file() for name in labels.image_names)
    if labels.film is not None:
        facts['film'] = str(labels.film)
    else:
        facts['images on this disk'] = found
    facts['objects'] = len(labels)
    facts['most in an image'] = int(per_image.max(initial=0))
    facts['keypoints'] = list(labels.keypoint_names)
    facts['missing points'] = {
        name: count
        for name, count in zip(labels.keypoint_names, missing, strict=True)
        if count
    }
    facts['hidden points'] = int((labels.visibility == 1).sum())
    individuals = [name for name in dict.fromkeys(labels.individuals) if name]
    facts['individuals'] = individuals
    facts['links'] = len(labels.links)
    facts['left and right'] = [
        [labels.keypoint_names[a], labels.keypoint_names[b]] for a, b in labels.swaps
    ]
    sizes = Counter(f'{w} x {h}' for w, h in labels.image_sizes.tolist() if w and h)
    facts['sizes'] = dict(sizes.most_common(5))
    facts['scores'] = _range(labels.scores)
    return {name: value for name, value in facts.items() if value not in ([], {}, None)}


def _range(scores: np.ndarray | None) -> dict[str, float] | None:
    """Smallest, middle and largest score."""
    if scores is None or not np.isfinite(scores).any():
        return None
    values = scores[np.isfinite(scores)]
    found = dict(min=values.min(), median=np.median(values), max=values.max())
    return {name: round(float(value), 4) for name, value in found.items()}


def _shown(value: Any) -> str:
    """A fact in one line."""
    if isinstance(value, dict):
        parts = [f'{name} {_shown(entry)}' for name, entry in value.items()]
    elif isinstance(value, list):
        parts = [_shown(entry) for entry in value]
    else:
        return str(value)
    more = f', ... ({len(parts)} in all)' if len(parts) > 40 else ''
    return ', '.join(parts[:40]) + more
