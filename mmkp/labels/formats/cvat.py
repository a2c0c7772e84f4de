# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""CVAT's xml, "CVAT for images 1.1" and "for video 1.1": skeletons and points.

No library of the field reads it. The parser of Python, expat, opens no other files and
limits what entities unfold to; documents that declare any are refused all the same.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from ..image_files import sizes_of
from ..label_set import LabelSet
from .regions import Region, objects_of_regions
from .source import Source

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def recognize(source: Source) -> bool:
    """Tell whether a file is xml with CVAT's top.

    Args:
        source: What lies at a path.
    """
    return source.head.lstrip().startswith(b'<') and (b'<annotations' in source.head)


def read(source: Source) -> LabelSet:
    """Read skeletons, and points that stand alone; a point outside is missing.

    Args:
        source: The file.

    Returns:
        The labels. Frames of tracks are called ``frame_000000`` and so on, and tracks
        by their label and number.

    Raises:
        ValueError: If it is no such xml, or declares entities.
    """
    path, text = source.path, source.text
    if '<!DOCTYPE' in text or '<!ENTITY' in text:
        raise ValueError(
            f'{path} declares a document type or entities, which CVAT does not'
        )
    try:
        # Python's text has no encoding any more, whatever its first line says.
        top = ElementTree.fromstring(re.sub(r'^\s*<\?xml.*?\?>', '', text))
    except ElementTree.ParseError as error:
        raise ValueError(f'{path} is no xml: {error}') from None
    if top.tag != 'annotations':
        raise ValueError(f'{path} begins with <{top.tag:.40}>, not <annotations>')
    images, sizes = [], []
    regions: list[Region] = []
    for place, image in enumerate(top.iter('image')):
        images.append(image.get('name') or str(place))
        sizes.append([_whole(image.get(key)) for key in ('width', 'height')])
        for number, shape in enumerate(image):
            regions += _shape(shape, place, f'{number}', '', path)
    for track in top.iter('track'):
        name = f'{track.get("label") or "track"}_{track.get("id") or 0}'
        for number, shape in enumerate(track):
            frame = f'frame_{_whole(shape.get("frame")):06d}'
            if frame not in images:
                images.append(frame)
                sizes.append(_frame_size(top))
            place = images.index(frame)
            regions += _shape(shape, place, f'{name}/{number}', name, path)
    labels = objects_of_regions(regions, list(_declared(top)), images)
    labels.scores = None
    labels.image_sizes = np.array(sizes, np.int64).reshape(-1, 2)
    labels.root = path.parent
    return labels


def write(labels: LabelSet, path: Path) -> None:
    """Write skeletons.

    Args:
        labels: To be written.
        path: File.
    """
    sizes = sizes_of(labels)
    top = ElementTree.Element('annotations')
    ElementTree.SubElement(top, 'version').text = '1.1'
    _declare(top, labels)
    images = []
    for number, (name, size) in enumerate(
        zip(labels.image_names, sizes.tolist(), strict=True)
    ):
        sides = dict(width=str(size[0]), height=str(size[1]))
        attributes = dict(id=str(number), name=name, **sides)
        images.append(ElementTree.SubElement(top, 'image', attributes))
    for index, place in enumerate(labels.image_index.tolist()):
        common = dict(source='manual', z_order='0')
        skeleton = ElementTree.SubElement(
            images[place], 'skeleton', dict(label='object', **common)
        )
        for name, point, seen in zip(
            labels.keypoint_names,
            labels.keypoints[index].tolist(),
            labels.visibility[index].tolist(),
            strict=True,
        ):
            known = bool(seen) and bool(np.isfinite(point).all())
            x, y = point if known else (0.0, 0.0)
            flags = dict(outside=str(int(not known)), occluded=str(int(seen == 1)))
            written = dict(label=name, points=f'{x!r},{y!r}', **common, **flags)
            ElementTree.SubElement(skeleton, 'points', written)
        if labels.individuals[index]:
            attribute = ElementTree.SubElement(
                skeleton, 'attribute', dict(name='individual')
            )
            attribute.text = labels.individuals[index]
    ElementTree.indent(top)
    ElementTree.ElementTree(top).write(path, encoding='utf-8', xml_declaration=True)


def _declare(top: 'Element', labels: LabelSet) -> None:
    """Write the labels of a task: the skeleton and its points."""
    meta = ElementTree.SubElement(top, 'meta')
    entries = ElementTree.SubElement(ElementTree.SubElement(meta, 'task'), 'labels')
    for name, kind in [('object', 'skeleton')] + [
        (name, 'points') for name in labels.keypoint_names
    ]:
        entry = ElementTree.SubElement(entries, 'label')
        ElementTree.SubElement(entry, 'name').text = name
        ElementTree.SubElement(entry, 'type').text = kind
        if kind == 'points':
            ElementTree.SubElement(entry, 'parent').text = 'object'


def _declared(top: 'Element') -> Iterator[str]:
    """Names of the points of skeletons, in the order of the task."""
    for label in top.iter('label'):
        name = label.findtext('name')
        if name and label.findtext('parent'):
            yield name


def _shape(
    shape: 'Element', image: int, group: str, name: str, path: Path
) -> Iterator[Region]:
    """Points of one shape."""
    if shape.tag == 'skeleton':
        individual = name
        for attribute in shape.findall('attribute'):
            if attribute.get('name') == 'individual':
                individual = attribute.text or ''
        parts = shape.findall('points')
    elif shape.tag == 'points':
        # Several points of one shape have no names of their own.
        group, individual, parts = '' if not name else group, name, [shape]
    else:
        return
    for part in parts:
        if part.get('outside') == '1' or shape.get('outside') == '1':
            continue
        pairs = [pair.split(',') for pair in (part.get('points') or '').split(';')]
        for number, pair in enumerate(pairs):
            try:
                x, y = (float(value) for value in pair)
            except ValueError:
                x = y = np.nan
            if not np.isfinite([x, y]).all():
                raise ValueError(
                    f'{path}: points {part.get("points")!r:.60} of label '
                    f'{part.get("label")!r:.40} are no "x,y"'
                )
            label = part.get('label') or 'point'
            yield Region(
                image=image,
                group=group,
                label=label if len(pairs) == 1 else f'{label}_{number}',
                point=(x, y),
                individual=individual,
                visibility=1 if part.get('occluded') == '1' else 2,
            )


def _frame_size(top: 'Element') -> list[int]:
    """Width and height of a film's frames, 0 if not said."""
    return [
        _whole(top.findtext(f'.//original_size/{key}')) for key in ('width', 'height')
    ]


def _whole(text: str | None) -> int:
    """A whole number, 0 for everything else."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
