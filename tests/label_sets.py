"""Random label sets, and what is the same in two."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from mmkp.labels import FORMATS, LabelSet
from mmkp.labels.frames import frame_name
from mmkp.labels.individuals import individual_columns
from mmkp.labels.losses import best_of_image
from mmkp.labels.selection import select_objects

_NAME = st.text('abcXYZäöüß é_-.()#\'"&<', min_size=1, max_size=8).map(str.strip)
# What formats are read or written with, where it is there.
_LIBRARIES = {
    'slp': ['sleap_io'],
    'sleap-h5': ['h5py'],
    'dlc-h5': ['h5py', 'pandas', 'tables'],
    'dlc-project': ['h5py', 'pandas', 'tables'],
    'nwb': ['h5py', 'pynwb', 'ndx_pose'],
}
# What has a column for each individual, so that those without a name get one.
_COLUMNS = ('dlc', 'dlc-h5', 'dlc-project', 'sleap-h5', 'nwb')


def import_libraries(name):
    """Skip a test of a format whose libraries are not installed."""
    for library in _LIBRARIES.get(name, ()):
        pytest.importorskip(library)


def some_labels(**changes):
    """Two objects in one of two images, but for some changes."""
    labels = LabelSet(
        keypoint_names=['nose', 'tail tip'],
        image_names=['a.png', 'b/c.png'],
        image_index=[0, 0],
        keypoints=[[[1, 2.5], [3, 4]], [[5, 6], [np.nan, np.nan]]],
        boxes=np.array([[0, 0, 9, 9.5], [4, 4, 8, 8]]),
        image_sizes=np.array([[20, 10], [20, 10]]),
        links=[(0, 1)],
    )
    for name, value in changes.items():
        setattr(labels, name, value)
    return labels


@st.composite
def label_sets(draw, film=False):
    """Draw labels or predictions of up to four images."""
    names = draw(
        st.lists(_NAME.filter(len), min_size=1, max_size=4, unique_by=str.lower)
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    images = draw(st.integers(1, 4))
    numbers = sorted(rng.choice(300, images, replace=False).tolist())
    image_names = [
        frame_name('film ä.mp4', number)
        if film
        else f'labeled-data/sitzung {number % 2} ü/bild {number} é.png'
        for number in numbers
    ]
    counts = draw(st.lists(st.integers(0, 3), min_size=images, max_size=images))
    index = np.repeat(np.arange(images), counts)
    shape = (len(index), len(names))
    points = rng.uniform(-20, 700, (*shape, 2))
    rough = rng.integers(0, 3, shape)
    points = np.where((rough == 1)[..., None], points.round(), points)
    points = np.where((rough == 2)[..., None], points.round(1), points)
    missing = rng.random(shape) < 0.3
    missing[np.arange(len(index)), rng.integers(0, len(names), len(index))] = False
    points[missing] = np.nan
    is_predicted = draw(st.booleans())
    low = rng.uniform(0, 300, (len(index), 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 300, low.shape)], 1)
    has_names = draw(st.booleans())
    links = [(0, len(names) - 1)] if len(names) > 1 else []
    return LabelSet(
        keypoint_names=names,
        image_names=image_names,
        image_index=index,
        keypoints=points,
        scores=np.where(missing, np.nan, rng.random(shape)) if is_predicted else None,
        object_scores=rng.random(len(index)) if is_predicted else None,
        visibility=np.where(missing, 0, 1 + (rng.random(shape) < 0.7)),
        boxes=boxes,
        individuals=[
            f'maus ö{n}' if has_names else '' for c in counts for n in range(c)
        ],
        image_sizes=np.tile(rng.integers(300, 900, 2), (images, 1)),
        times=np.array(numbers) / 25 if film else None,
        links=links,
        swaps=links,
        root=Path('nowhere'),
        film=Path('film ä.mp4') if film else None,
        frames_per_second=25.0 if film else 0.0,
        scorer='Ida',
    )


def kept(labels, name):
    """What of labels a format has to give back."""
    keeps = FORMATS[name].keeps
    if 'several' not in keeps:
        labels = select_objects(labels, best_of_image(labels))
    number = len(labels)
    changes = dict(
        individuals=dict(individuals=[''] * number),
        scores=dict(scores=None),
        object_scores=dict(object_scores=None),
        hidden=dict(visibility=2 * np.minimum(labels.visibility, 1)),
        boxes=dict(boxes=np.full((number, 4), np.nan)),
        sizes=dict(image_sizes=np.zeros((len(labels.image_names), 2), np.int64)),
        times=dict(times=None),
        links=dict(links=[]),
        swaps=dict(swaps=[]),
        film=dict(film=None),
        scorer=dict(scorer=''),
        names=dict(keypoint_names=[str(k) for k in range(labels.keypoints.shape[1])]),
    )
    for aspect, change in changes.items():
        if aspect not in keeps:
            labels = dataclasses.replace(labels, **change)
    if name == 'openpose' and labels.scores is None:  # all that is there is certain
        known = np.isfinite(labels.keypoints).all(-1)
        labels = dataclasses.replace(labels, scores=np.where(known, 1.0, np.nan))
    if name == 'slp' and labels.object_scores is not None:  # SLEAP keeps float32
        rounded = labels.object_scores.astype(np.float32).astype(np.float64)
        labels = dataclasses.replace(labels, object_scores=rounded)
    if name in _COLUMNS:
        columns, index = individual_columns(labels)
        labels = dataclasses.replace(labels, individuals=[columns[i] for i in index])
    return labels


def content(labels, image_name=str, digits=None):
    """Labels as plain data, images and their objects in a fixed order."""

    def numbers(array):
        if array is None or np.isnan(array).all():
            return None
        values = np.asarray(array, np.float64)
        return repr((values if digits is None else values.round(digits)).tolist())

    images = {image_name(name): [] for name in labels.image_names}
    names = list(images)
    for n, place in enumerate(labels.image_index.tolist()):
        images[names[place]].append(
            (
                labels.individuals[n],
                numbers(labels.keypoints[n]),
                numbers(None if labels.scores is None else labels.scores[n]),
                numbers(
                    None if labels.object_scores is None else labels.object_scores[n]
                ),
                labels.visibility[n].tolist(),
                numbers(labels.boxes[n].round(6)),
            )
        )
    return dict(
        names=labels.keypoint_names,
        images={name: sorted(found, key=repr) for name, found in images.items()},
        sizes=labels.image_sizes.tolist(),
        times=numbers(labels.times),
        links=labels.links,
        swaps=labels.swaps,
        film=labels.film,
        scorer=labels.scorer,
    )
