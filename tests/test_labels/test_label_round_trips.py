"""What is written in a format is read back, but for what the format cannot hold."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_sets import content, import_libraries, kept, label_sets

from mmkp.labels import FORMATS, losses, read_labels, write_labels

BOTH = [name for name, known in FORMATS.items() if known.read and known.write]
# Formats that number images, or that have no place for one without objects.
NUMBERED = ('coco-results', 'sleap-h5')
EXAMPLES = dict(nwb=4, slp=8, **{'dlc-h5': 8, 'dlc-project': 5})


def quick(examples):
    """Settings of a few examples, the same in every run."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def written_and_read(labels, name):
    suffix = (FORMATS[name].suffixes or ('',))[0]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        path = Path(folder, f'film ä{suffix}')
        write_labels(labels, path, name)
        return read_labels(path), read_labels(path, name)


@pytest.mark.parametrize('film', [False, True], ids=['images', 'film'])
@pytest.mark.parametrize('name', [n for n in BOTH if n not in NUMBERED])
def test_all_that_a_format_holds_comes_back(name, film):
    import_libraries(name)

    @quick(EXAMPLES.get(name, 15))
    @given(label_sets(film))
    def check(labels):
        if not len(labels):
            return
        expected = kept(labels, name)
        recognized, asked = written_and_read(labels, name)
        digits = 9 if name == 'labelstudio' else None
        plain = _image_name(name)
        wanted, found = content(expected, plain, digits), content(asked, plain, digits)
        if name == 'openpose':  # K of no object, and no numbers as names of tracks
            found['sizes'] = wanted['sizes']
        if name in ('slp', 'cvat', 'dlc', 'dlc-h5', 'dlc-project', 'lightning'):
            wanted['sizes'] = found['sizes']
        if name in ('dlc', 'dlc-h5', 'lightning') and film:
            found['film'] = wanted['film']
        if name == 'slp':
            wanted['scorer'] = ''
        assert found == wanted
        assert content(recognized, plain, digits) == content(asked, plain, digits)

    check()


def _image_name(name):
    """How images are called in both, where a format drops folders and suffixes."""
    if name == 'openpose':
        return lambda image: Path(image).stem
    if name == 'dlc-project':
        return lambda image: image.removeprefix('labeled-data/images/')
    return str


@pytest.mark.parametrize('name', NUMBERED)
@quick(15)
@given(data=st.data())
def test_numbered_images_have_their_points(name, data):
    labels = data.draw(label_sets(film=True))
    if not len(labels):
        return
    found, _ = written_and_read(labels, name)
    numbers = {int(n.split('_')[-1]) for n in found.image_names}
    with_objects = {labels.image_names[i] for i in labels.image_index}
    assert numbers == {int(n.split('_')[-1]) for n in with_objects}

    def rows(some):
        known = some.keypoints.reshape(len(some), -1)
        images = [int(some.image_names[i].split('_')[-1]) for i in some.image_index]
        return sorted(zip(images, known.tolist(), strict=True), key=repr)

    assert repr(rows(found)) == repr(rows(labels))
    if labels.scores is not None:
        assert np.nansum(found.scores) == pytest.approx(np.nansum(labels.scores))


@quick(30)
@given(label_sets())
def test_what_is_lost_is_told(labels):
    told = losses(labels, FORMATS['coco-results'].keeps)
    assert any('names of' in line for line in told)
    assert any('links' in line for line in told) == bool(labels.links)
    assert losses(labels, FORMATS['json'].keeps) == []
