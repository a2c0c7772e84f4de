# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A contact sheet of a config's images with their targets."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkp.apis.run import Run
from mmkp.apis.run_folders import new_folder
from mmkp.apis.shipped_models import open_run, shipped_names
from mmkp.datasets.coco_writer import write_image
from mmkp.engine.config import load_config
from mmkp.engine.config_check import ConfigError, nearest
from mmkp.visualization.dataset_pictures import picture_dataset

PHASES = ('train', 'val', 'test')


@dataclass(frozen=True)
class Sheet:
    """A picture of samples that was written.

    Args:
        path: the picture, .png or .jpg.
    """

    path: Path

    def _repr_html_(self) -> str:
        kind = 'png' if self.path.suffix == '.png' else 'jpeg'
        content = base64.b64encode(self.path.read_bytes()).decode()
        return f'<img alt="samples" src="data:image/{kind};base64,{content}">'


def browse(
    config: str | Path | Run | Config,
    out: str | Path | None = None,
    number: int = 16,
    phase: str = 'train',
    mode: str = 'transformed',
    cfg_options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Sheet:
    """Draw samples of a data set, before or after the pipeline, with their targets.

    Args:
        config: a config, by its file or name or as it was read, or a run.
        out: picture to write, .png or .jpg, or a folder for it; by default a folder in
            ``runs/browse``, numbered.
        number: of samples, spread evenly over the data set.
        phase: ``'train'``, ``'val'`` or ``'test'``.
        mode: see :func:`picture_dataset`.
        cfg_options: dotted keys and values to override settings of the config.
        overwrite: whether a picture or a result of that name may be replaced.

    Returns:
        The picture.

    Raises:
        ConfigError: there is no such phase.
        FileNotFoundError: there is no such config or run.
        FileExistsError: what ``out`` names is there.
        ValueError: the picture cannot be of that format.
    """
    cfg, source = _read(config, cfg_options)
    if phase not in PHASES:
        raise ConfigError(f"phase='{phase}' is unknown, {nearest(phase, PHASES)}")
    loader = cfg.get(f'{phase}_dataloader')
    if loader is None:
        raise ConfigError(f"'{source}' has no {phase}_dataloader to draw images of")
    picture = picture_dataset(loader.dataset, number, mode)
    if out is not None and Path(out).suffix:
        path = Path(out)
        if path.is_file() and not overwrite:
            raise FileExistsError(f"'{out}' exists: name another, or give --overwrite")
    else:
        folder = new_folder('browse', source, out, overwrite)
        Run.create(folder, 'browse', source=source)
        path = folder / 'samples.png'
    write_image(path, picture[..., ::-1])
    return Sheet(path)


def _read(
    config: str | Path | Run | Config, options: Mapping[str, Any] | None
) -> tuple[Config, str]:
    """The config, and what it is called."""
    if isinstance(config, Config):
        return config, str(config.filename)
    name = config.path if isinstance(config, Run) else Path(config)
    file = name
    if name.is_dir() or str(name) in shipped_names():
        file = open_run(name).config_file
    return load_config(file, options), str(name)
