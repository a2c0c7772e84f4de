"""Files that other programs wrote come back as they are, number by number."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from label_sets import content, import_libraries

from mmkp.labels import FORMATS, read_labels, write_labels
from mmkp.labels.label_set import LabelSet

IMAGE_FORMATS = [
    name
    for name, known in FORMATS.items()
    if known.read and known.write and {'images', 'names'} <= known.keeps
]


def tables_of(data_dir, pattern):
    found = sorted(data_dir.glob(pattern))
    if not found:
        pytest.skip('not among the provided data')
    return found


def cells(path):
    """All rows of a table, the first cell with slashes."""
    with path.open(newline='') as file:
        rows = list(csv.reader(file))
    return [[row[0].replace('\\', '/'), *row[1:]] for row in rows]


@pytest.mark.parametrize(
    ('pattern', 'number'),
    [
        ('openfield/labeled-data/*/CollectedData_*.csv', 1),
        ('speech/lips/labeled-data/*/CollectedData_*.csv*', 13),
        ('speech/ultrasound/labeled-data/*/*.csv', 8),
    ],
)
def test_tables_of_deeplabcut_are_the_same_cell_by_cell(
    data_dir, tmp_path, pattern, number
):
    paths = tables_of(data_dir, pattern)
    assert len(paths) == number
    for path in paths:
        out = tmp_path / 'again.csv'
        write_labels(read_labels(path), out, 'dlc', overwrite=True)
        old, new = cells(path), cells(out)
        assert len(new) == len(old)
        assert [row[1:] for row in new] == [row[1:] for row in old]
        # A folder that the project has under another name is called so.
        renamed = {r[0] for r in new} - {r[0] for r in old}
        assert all(' TESTSET/' in name for name in renamed)


def test_quirks_of_a_real_project(data_dir):
    (path,) = tables_of(data_dir, 'speech/lips/labeled-data/TalFile158/*.csv.HOLDOUT')
    labels = read_labels(path)
    assert labels.image_names[0] == 'labeled-data/TalFile158/img000.jpg'
    assert len(labels.image_names) == 20 and len(labels) == 19
    assert not len(labels.of_image(0))
    assert labels.root == path.parents[2] and labels.scorer == 'AW'
    assert (labels.root / labels.image_names[1]).is_file()
    (path,) = tables_of(data_dir, 'speech/lips/labeled-data/008*/*.csv')
    labels = read_labels(path)
    assert all((labels.root / name).is_file() for name in labels.image_names)
    (path,) = tables_of(data_dir, 'speech/ultrasound/labeled-data/video10/*.csv')
    missing = np.isnan(read_labels(path).keypoints).any(2).all(0)
    assert missing.sum() == 3


@pytest.mark.parametrize(
    ('folder', 'images', 'objects', 'keypoints'),
    [
        ('openfield', 86, 86, 4),
        ('speech/lips', 123, 123, 8),  # without the 39 of .HOLDOUT
        ('speech/ultrasound', 158, 158, 14),
    ],
)
def test_whole_projects(data_dir, tmp_path, folder, images, objects, keypoints):
    import_libraries('dlc-project')
    if not (data_dir / folder).is_dir():
        pytest.skip('not among the provided data')
    labels = read_labels(data_dir / folder)
    assert len(labels.image_names) == images
    assert labels.keypoints.shape == (objects, keypoints, 2)
    there = [(labels.root / name).is_file() for name in labels.image_names]
    assert all(there)
    write_labels(labels, tmp_path / 'copy', 'dlc-project')
    again = read_labels(tmp_path / 'copy')
    assert content(again) == content(labels)
    assert (again.root / again.image_names[0]).is_file()
    for table in (tmp_path / 'copy').rglob('*.h5'):
        beside = read_labels(table.with_suffix('.csv'))
        assert content(read_labels(table)) == content(beside)


@pytest.mark.parametrize(
    ('pattern', 'kind'),
    [
        ('speech/lips/labeled-data/TaL_lips_training/*.h5', 'frame_table'),
        ('speech/lips/labeled-data/TalFile158/*.h5.HOLDOUT', 'frame_table'),
        ('speech/ultrasound/labeled-data/video10/*.h5', 'frame'),
    ],
)
def test_hdf5_of_deeplabcut_is_as_its_csv(data_dir, tmp_path, pattern, kind):
    import_libraries('dlc-h5')
    (path,) = tables_of(data_dir, pattern)
    import h5py

    with h5py.File(path) as file:
        assert file['df_with_missing'].attrs['pandas_type'].decode() == kind
    labels = read_labels(path)
    name = path.name.replace('.h5', '.csv')
    table = read_labels(path.with_name(name))
    assert labels.keypoint_names == table.keypoint_names
    np.testing.assert_array_equal(labels.keypoints, table.keypoints)
    stems = [[Path(n).with_suffix('') for n in s.image_names] for s in (labels, table)]
    assert stems[0] == stems[1]
    write_labels(labels, tmp_path / 'again.h5', 'dlc-h5')
    again = read_labels(tmp_path / 'again.h5')
    assert content(again) == content(labels)


def test_tracks_of_two_flies(data_dir, tmp_path):
    (path,) = tables_of(data_dir, 'flies/pair13_tracks.csv')
    labels = read_labels(path)
    assert len(labels.image_names) == 3000 and len(labels) == 6000
    assert set(labels.individuals) == {'track_0', 'track_1'}
    assert np.isnan(labels.keypoints).any(2).mean() == pytest.approx(0.0196, abs=1e-4)
    out = tmp_path / 'again.csv'
    write_labels(labels, out, 'dlc')
    old, new = cells(path), cells(out)
    assert new[:4] == old[:4] and [r[0] for r in new] == [r[0] for r in old]

    def numbers(rows):
        return [[float(c) if c else None for c in row[1:]] for row in rows[4:]]

    assert numbers(new) == numbers(old)


@pytest.mark.parametrize('name', ['minimal_instance.slp', 'small_robot_minimal.slp'])
def test_projects_of_sleap(data_dir, tmp_path, name):
    import_libraries('slp')
    import h5py

    (path,) = tables_of(data_dir, f'flies/sleap_originals/{name}')
    labels = read_labels(path)
    assert labels.scores is None and labels.keypoints.shape == (2, 2, 2)
    write_labels(labels, tmp_path / name)
    again = read_labels(tmp_path / name)
    assert content(again) == content(labels)
    with h5py.File(path) as old, h5py.File(tmp_path / name) as new:
        for axis in 'xy':
            np.testing.assert_array_equal(new['points'][axis], old['points'][axis])
        np.testing.assert_array_equal(
            new['frames']['frame_idx'], old['frames']['frame_idx']
        )


def test_both_conventions_of_sleap_s_coordinates(data_dir):
    import_libraries('slp')
    folder = data_dir / 'flies/sleap_originals'
    if not folder.is_dir():
        pytest.skip('not among the provided data')
    import h5py

    for kind, shift in (('legacy', 0.5), ('midpoint', 0.0)):
        path = folder / f'test_grid_labels.{kind}.h5'
        labels = read_labels(path)
        with h5py.File(path) as file:
            points = file['points'][()]
        np.testing.assert_array_equal(labels.keypoints[0, :, 0], points['x'] - shift)
        np.testing.assert_array_equal(labels.keypoints[0, :, 1], points['y'] - shift)


def test_analysis_of_sleap_is_the_same_array_by_array(data_dir, tmp_path):
    import_libraries('sleap-h5')
    import h5py

    (path,) = tables_of(data_dir, 'flies/sleap_originals/*.analysis.h5')
    write_labels(read_labels(path), tmp_path / 'again.analysis.h5')
    with h5py.File(path) as old, h5py.File(tmp_path / 'again.analysis.h5') as new:
        for name in (
            'tracks',
            'track_occupancy',
            'point_scores',
            'instance_scores',
            'node_names',
            'edge_names',
            'edge_inds',
        ):
            np.testing.assert_array_equal(new[name][()], old[name][()], err_msg=name)
        assert len(new['track_names']) == len(old['track_names']) == 0
        assert new['video_path'][()] == old['video_path'][()]


@pytest.mark.parametrize(
    'name', ['bees/bees_train.json', 'bees/bees_test.json', 'flies/pair13*.json']
)
def test_numbers_of_coco_are_the_same_digit_by_digit(data_dir, tmp_path, name):
    (path,) = tables_of(data_dir, name)
    labels = read_labels(path)
    write_labels(labels, tmp_path / 'again.json')
    old, new = (json.loads(p.read_text()) for p in (path, tmp_path / 'again.json'))
    assert len(new['images']) == len(old['images'])
    for one, other in zip(new['images'], old['images'], strict=True):
        assert {k: other[k] for k in one} == one
    written, read = ([_text(a) for a in c['annotations']] for c in (new, old))
    assert written == read
    for key in ('keypoints', 'skeleton'):
        assert new['categories'][0][key] == old['categories'][0][key]


def _text(annotation):
    """What of an annotation is kept, with the digits that it is written in."""
    keys = ('image_id', 'bbox', 'keypoints', 'num_keypoints', 'track_id', 'score')
    return json.dumps({k: annotation[k] for k in keys if k in annotation})


@pytest.mark.parametrize('name', IMAGE_FORMATS)
def test_openfield_through_every_format_that_names_images(data_dir, tmp_path, name):
    import_libraries(name)
    (path,) = tables_of(data_dir, 'openfield/labeled-data/*/CollectedData_*.csv')
    labels = read_labels(path)
    out = tmp_path / ('x' + (FORMATS[name].suffixes or ('',))[0])
    write_labels(labels, out, name)
    again = read_labels(out)
    assert again.image_names == labels.image_names
    if name == 'labelstudio':  # percent
        np.testing.assert_allclose(again.keypoints, labels.keypoints, rtol=1e-15)
        return
    np.testing.assert_array_equal(again.keypoints, labels.keypoints)
    write_labels(_with_names(again, labels), tmp_path / 'back.csv', 'dlc')
    back = [row[1:] for row in cells(tmp_path / 'back.csv')][1:]
    assert back == [row[1:] for row in cells(path)][1:]


def _with_names(labels: LabelSet, other: LabelSet) -> LabelSet:
    assert [re.sub('[./:]', '_', n) for n in labels.keypoint_names] == [
        re.sub('[./:]', '_', n) for n in other.keypoint_names
    ]
    return labels
