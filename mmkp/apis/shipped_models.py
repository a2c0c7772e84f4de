# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Trained models that come with the package, by name."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo

import mmkp
from mmkp.apis.run import Run
from mmkp.apis.run_folders import MARK
from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.engine.config_check import nearest

#: Each folder in it is a run, see :class:`Run`, named as its model is.
WEIGHTS_FOLDER = Path(mmkp.__file__).parent / 'weights'


@dataclass(frozen=True)
class ShippedModel:
    """A small model whose weights lie in the package.

    Args:
        name: by which it is called.
        run: its folder.
    """

    name: str
    run: Run

    @property
    def config(self) -> Path:
        """Its config."""
        return self.run.config_file

    @property
    def weights(self) -> Path:
        """Its weights, safetensors."""
        return self.run.checkpoint

    @property
    def license(self) -> str:
        """SPDX identifiers of the weights and of the data that they were trained on."""
        return self.run.info['license']

    @property
    def figures(self) -> dict[str, float]:
        """Errors and their controls by name, in the ``unit`` that the run tells."""
        return self.run.info['figures']

    @cached_property
    def metainfo(self) -> dict[str, Any]:
        """Metainfo of its keypoints, as MMPose's data sets have it."""
        cfg = self.run.config
        if 'num_keypoints' in cfg:
            return parse_pose_metainfo(discovered_metainfo(cfg.num_keypoints))
        return dataset_meta_from_config(cfg, 'test')

    def __str__(self) -> str:
        return f'{self.name}: {self.run.info["about"]} ({self.license})'


def shipped_names() -> list[str]:
    """Names of all models that come with the package, in order."""
    return sorted(path.parent.name for path in WEIGHTS_FOLDER.glob(f'*/{MARK}'))


def find_shipped(name: str) -> ShippedModel:
    """Find a model that comes with the package.

    Args:
        name: one of :func:`shipped_names`.

    Returns:
        The model.

    Raises:
        ValueError: there is none of that name; the nearest is named.
    """
    names = shipped_names()
    if name not in names:
        raise ValueError(
            f"no model '{name}' comes with mmkp, {nearest(str(name), names)}"
        )
    return ShippedModel(name, Run(WEIGHTS_FOLDER / name))


def is_run(word: str | Path) -> bool:
    """Whether a word stands for a run: a folder, or a model of the package.

    Args:
        word: as a user writes it.
    """
    return Path(word).is_dir() or str(word) in shipped_names()


def open_run(word: str | Path | Run) -> Run:
    """Open a run: what a user may write where a verb asks for ``RUN``.

    Args:
        word: a run, its folder, or the name of a model that comes with the package. A
            folder of that name goes first.

    Returns:
        The run.

    Raises:
        FileNotFoundError: there is neither such a folder nor such a model.
        ValueError: the folder's ``run.json`` cannot be read.
    """
    if isinstance(word, Run) or Path(word).is_dir():
        return Run(word)
    if str(word) in shipped_names():
        return find_shipped(str(word)).run
    raise FileNotFoundError(
        f"'{word}' is neither the folder of a run nor a model that comes with mmkp, "
        f'{nearest(str(word), shipped_names())}'
    )
