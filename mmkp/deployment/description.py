# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What an export says of itself, in its folder and inside its files."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from mmkp.datasets.coco_writer import write_atomically
from mmkp.labels import read_json
from mmkp.version import __version__

FILE = 'export.json'
FORMAT = 'mmkp export'
#: Key of the metadata of ONNX and OpenVINO files that holds this description.
METADATA_KEY = 'mmkp'

Kind = Literal['keypoints', 'people']


@dataclass
class ExportDescription:
    """What an export says of itself.

    Attributes:
        kind: 'keypoints' of a box or a whole image, one object each: the graph takes
            ``images`` (B, 3, H, W) float32 and gives ``keypoints`` (B, K, 2), pixels
            of the network input with centers at integers, and ``keypoint_scores``
            (B, K). 'people' of a whole image: it gives ``peaks`` (P, 5): image,
            keypoint, x and y in cells, score; ``limbs`` (M, 4): limb, two rows of
            ``peaks``, score; ``heatmaps`` (B, K + 1, h, w), ``fields`` (B, 2 L, h, w).
        model: type of the model.
        files: runtime ('onnx', 'openvino', 'torch') to the name of the file.
        precision: 'float32', 'float16' or 'int8'.
        config: name of the config's file in the folder.
        keypoint_names: of the K keypoints that are predicted.
        links: pairs of keypoints to draw lines between.
        swaps: pairs of keypoints that a mirrored image exchanges.
        keypoint_colors: K times red, green, blue.
        input: ``size`` (w, h) of the network input; ``dynamic``, whether other sizes
            are taken; ``normalized_inside``, whether the graph takes BGR pixels of 0 to
            255; ``mean``, ``std`` (3 each) and ``to_rgb`` of the normalization, which
            comes after the change to RGB.
        placement: how an image becomes the network input, for the runner: ``type``
            'resize' (:class:`TopdownResize`), 'affine' (``TopdownAffine``), 'bottomup'
            (``BottomupResize``), 'height' (:class:`BottomupHeightResize`) with their
            arguments and ``box_padding``; or 'other' with the ``reason`` for which the
            runner cannot do it.
        grouping: of people: the skeleton's tables and the rules of grouping.
        head: what ``keypoints.json`` says of the model: ``num_keypoints``,
            ``keypoint_names``, ``links``, ``edges`` and ``flip_indices``.
        mmkp: version that wrote it.
    """

    kind: Kind
    model: str
    files: dict[str, str]
    precision: str
    config: str
    keypoint_names: list[str]
    links: list[list[int]]
    swaps: list[list[int]]
    keypoint_colors: list[list[int]]
    input: dict[str, Any]
    placement: dict[str, Any]
    grouping: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    mmkp: str = __version__

    def to_json(self) -> str:
        """The text of ``export.json``."""
        head = {'format': FORMAT, 'version': 1}
        return json.dumps({**head, **asdict(self)}, indent=1, ensure_ascii=False)

    def write(self, folder: str | Path) -> Path:
        """Write ``export.json``.

        Args:
            folder: of the export.

        Returns:
            Path of the file.
        """
        path = Path(folder) / FILE
        write_atomically(path, self.to_json().encode())
        return path


def is_export(path: str | Path) -> bool:
    """Whether a path is the folder of an export.

    Args:
        path: of anything.
    """
    return (Path(path) / FILE).is_file()


def read_description(folder: str | Path) -> ExportDescription:
    """Read ``export.json``.

    Args:
        folder: of an export.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: the folder is no export.
        ValueError: the file is damaged, or from another version of this format.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise FileNotFoundError(f"'{folder}' is no export: it has no {FILE}")
    content = read_json(str(path), dict)
    found = content.get('format'), content.get('version')
    if found != (FORMAT, 1):
        raise ValueError(
            f'{path}: format and version are {found}, not {(FORMAT, 1)}: export the '
            'model again with this mmkp'
        )
    known = {one.name for one in fields(ExportDescription)}
    missing = sorted(known - set(content) - {'grouping', 'head'})
    if missing:
        raise ValueError(f'{path} lacks {", ".join(missing)}: export the model again')
    return ExportDescription(**{k: v for k, v in content.items() if k in known})
