"""How formats are recognized and chosen, and that nothing is overwritten unasked."""

import numpy as np
import pytest
from label_sets import import_libraries, some_labels

from mmkp.labels import FORMATS, Source, find_format, read_labels, write_labels


@pytest.mark.parametrize('name', [n for n, k in FORMATS.items() if k.write and k.read])
def test_content_tells_the_format_whatever_the_name(tmp_path, name):
    import_libraries(name)
    path = tmp_path / 'odd.txt'
    write_labels(some_labels(), path, name)
    # Lightning Pose's tables are DeepLabCut's.
    assert find_format(Source(path)).name == dict(lightning='dlc').get(name, name)
    assert read_labels(path).keypoints.shape[1:] == (2, 2)


@pytest.mark.parametrize(
    ('file', 'name'),
    [
        ('x.csv', 'csv'),
        ('x.json', 'coco'),
        ('keypoints.json', 'json'),
        ('x.xml', 'cvat'),
        ('x.h5', 'dlc-h5'),
        ('x.analysis.h5', 'sleap-h5'),
        ('x.SLP', 'slp'),
        ('x.nwb', 'nwb'),
    ],
)
def test_suffixes_choose_what_is_written(tmp_path, file, name):
    import_libraries(name)
    write_labels(some_labels(), tmp_path / file)
    assert find_format(Source(tmp_path / file)).name == name


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / 'x.csv'
    path.write_text('mine')
    with pytest.raises(FileExistsError, match='--overwrite'):
        write_labels(some_labels(), path)
    assert path.read_text() == 'mine'
    write_labels(some_labels(), path, overwrite=True)
    assert len(read_labels(path)) == 2
    folder = tmp_path / 'folder'
    (folder / 'videos').mkdir(parents=True)
    (folder / 'videos/film.mp4').write_text('mine')
    with pytest.raises(FileExistsError, match='exists'):
        write_labels(some_labels(), folder, 'yolo')
    write_labels(some_labels(), folder, 'yolo', overwrite=True)
    assert (folder / 'videos/film.mp4').read_text() == 'mine'
    assert len(read_labels(folder)) == 2
    with pytest.raises(FileExistsError, match='is a file, YOLO'):
        write_labels(some_labels(), path, 'yolo', overwrite=True)
    with pytest.raises(FileExistsError, match='is a folder, COCO'):
        write_labels(some_labels(), folder, 'coco', overwrite=True)
    assert not list(tmp_path.rglob('.partial_*'))


def test_a_failure_leaves_nothing_behind(tmp_path):
    labels = some_labels(image_sizes=np.zeros((2, 2), np.int64))
    with pytest.raises(ValueError, match=r'size of a\.png is unknown'):
        write_labels(labels, tmp_path / 'out', 'yolo')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('out', 'name', 'message'),
    [
        ('x', None, 'does not say its format: name it with -f'),
        ('x.csv', 'dcl', "'dcl' is no format; there are json, "),
        ('x.csv', 'table', 'is only read'),
    ],
)
def test_formats_that_cannot_be_written(tmp_path, out, name, message):
    with pytest.raises(ValueError, match=message):
        write_labels(some_labels(), tmp_path / out, name)


def test_what_is_no_label_file(tmp_path):
    (tmp_path / 'notes.txt').write_text('milk and eggs')
    with pytest.raises(ValueError, match='a file of no known format of labels'):
        read_labels(tmp_path / 'notes.txt')
    with pytest.raises(ValueError, match='a folder of no known format'):
        read_labels(tmp_path)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_labels(tmp_path / 'none.csv')
