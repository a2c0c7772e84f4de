# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A run: a folder, the only handle of what was discovered, named or trained."""

import base64
import json
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

import mmkp
from mmkp.apis.model import load_model
from mmkp.apis.run_folders import MARK
from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine import find_resumable_checkpoint, load_config
from mmkp.labels import read_json


class Run:
    """A folder with a config, weights, keypoints and what is known of them.

    ``run.json`` says the rest: ``verb``, ``created``, ``command``, ``source``,
    ``config`` and ``checkpoint`` (names within the folder), ``keypoint_names``,
    ``links`` and ``swaps`` (pairs of keypoints, counted from 0), ``figures``. Beside it
    lie ``keypoints.json`` (of every image of the source), ``score.json``,
    ``sheet.jpg``, ``report.html`` and ``training/``. A work directory of
    ``tools/train.py`` is a run too: its config and its newest checkpoint.

    Args:
        path: the folder.

    Raises:
        FileNotFoundError: there is no such folder, or no config or weights in it.
        ValueError: ``run.json`` cannot be read.
    """

    def __init__(self, path: 'str | Path | Run') -> None:
        self.path: Path = path.path if isinstance(path, Run) else Path(path)
        if not self.path.is_dir():
            raise FileNotFoundError(f"'{path}' is no folder of a run")
        described = (self.path / MARK).is_file()
        self.info: dict[str, Any] = (
            read_json(str(self.path / MARK), dict) if described else {}
        )

    @property
    def config_file(self) -> Path:
        """The config of the model."""
        if 'config' in self.info:
            return self.path / self.info['config']
        found = sorted(self.path.glob('*.py'))
        if len(found) != 1:
            raise FileNotFoundError(
                f"'{self.path}' is no run: it has no {MARK}, and {len(found)} configs "
                '(*.py) where a work directory has one'
            )
        return found[0]

    @property
    def config(self) -> Config:
        """The config, read."""
        return load_config(self.config_file, check=False)

    @property
    def checkpoint(self) -> Path:
        """The weights of the model."""
        if 'checkpoint' in self.info:
            return self.path / self.info['checkpoint']
        found = find_resumable_checkpoint(self.path)
        if found is None:
            raise FileNotFoundError(f"'{self.path}' holds no checkpoint (*.pth)")
        return Path(found)

    @property
    def source(self) -> str | None:
        """What the keypoints were discovered in."""
        return self.info.get('source')

    @property
    def keypoints(self) -> dict[str, Any]:
        """The content of ``keypoints.json``, see :func:`predict_files`."""
        return read_json(str(self.path / 'keypoints.json'), dict)

    @property
    def score(self) -> dict[str, Any] | None:
        """The content of ``score.json``, see :meth:`KeypointScores.to_dict`."""
        path = self.path / 'score.json'
        return read_json(str(path), dict) if path.is_file() else None

    @property
    def keypoint_names(self) -> list[str] | None:
        """Names of the K keypoints, where they have some."""
        return self.info.get('keypoint_names')

    def load_model(self, device: str | None = None) -> nn.Module:
        """The model, ready to predict.

        Args:
            device: such as 'cpu'; by default a GPU where there is one.
        """
        return load_model(self.config_file, self.checkpoint, device, check=False)

    def predict(self, source: Any, **options: Any) -> Any:
        """Predict the keypoints of a source, see :func:`mmkp.predict`.

        Args:
            source: file, folder, film, array, ...
            **options: of that function.
        """
        return mmkp.predict(self, source, **options)

    def update(self, **values: Any) -> None:
        """Write down more in ``run.json``.

        Args:
            **values: by name; all are plain data.
        """
        self.info.update(values)
        text = json.dumps(self.info, indent=1, ensure_ascii=False)
        write_atomically(self.path / MARK, text.encode())

    @classmethod
    def create(cls, folder: str | Path, verb: str, **values: Any) -> 'Run':
        """Begin a run in a folder.

        Args:
            folder: exists.
            verb: that makes it.
            **values: what is known already.
        """
        run = cls(folder)
        created = datetime.now().astimezone().isoformat(timespec='seconds')
        run.update(mmkp=mmkp.__version__, verb=verb, created=created, **values)
        return run

    def view(self, **options: Any) -> Any:
        """Write a page to look at it and correct it, see :func:`mmkp.view`.

        Args:
            **options: of that function.
        """
        return mmkp.view(self, **options)

    def name(self, labels: Any, **options: Any) -> 'Run':
        """Give the keypoints names by a few labels, see :func:`mmkp.name`.

        Args:
            labels: a file of labels, or corrections.json of its page.
            **options: of that function.
        """
        return mmkp.name(self, labels, **options)

    def suggest(self, source: Any, **options: Any) -> Any:
        """Say which images to label next, see :func:`mmkp.suggest`.

        Args:
            source: images to choose from.
            **options: of that function.
        """
        return mmkp.suggest(self, source, **options)

    def __repr__(self) -> str:
        return f'Run({str(self.path)!r})'

    def _repr_html_(self) -> str:
        """For a notebook: the score and the contact sheet."""
        sentence = escape((self.score or {}).get('sentence', ''))
        sheet = self.path / 'sheet.jpg'
        picture = ''
        if sheet.is_file():
            code = base64.b64encode(sheet.read_bytes()).decode()
            source = f'data:image/jpeg;base64,{code}'
            picture = f'<img src="{source}" alt="contact sheet" width="900">'
        return f'<p><b>{escape(str(self.path))}</b> {sentence}</p>{picture}'
