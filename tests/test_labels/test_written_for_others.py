"""Other programs' own readers take what is written for them."""

import warnings

import numpy as np
import pytest
import tiny_sources
from label_sets import import_libraries, some_labels

from mmkp.labels import write_labels


def predicted(**changes):
    """Some predictions."""
    scores = np.array([[0.5, 0.25], [0.75, np.nan]])
    return some_labels(scores=scores, object_scores=np.array([0.5, 0.75]), **changes)


def test_pandas_reads_deeplabcut_s_tables_as_deeplabcut_does(tmp_path):
    pandas = pytest.importorskip('pandas')
    import_libraries('dlc-h5')
    labels = predicted(individuals=['one', 'two'], scorer='Ida')
    for name in ('dlc', 'dlc-h5'):
        write_labels(labels, tmp_path / name, name)
    table = pandas.read_csv(tmp_path / 'dlc', header=[0, 1, 2, 3], index_col=0)
    stored = pandas.read_hdf(tmp_path / 'dlc-h5')
    assert list(stored.columns.names) == [
        'scorer',
        'individuals',
        'bodyparts',
        'coords',
    ]
    for found in (table, stored):
        assert list(found.index) == ['a.png', 'b/c.png']
        two = found['Ida']['two']
        assert two['nose'].loc['a.png'].tolist() == [5, 6, 0.75]
        assert two['tail tip'].isna().all().all() and two.loc['b/c.png'].isna().all()


def test_pycocotools_evaluates_results_against_labels(tmp_path):
    coco = pytest.importorskip('xtcocotools.coco')
    names = ['frame_000007.png', 'frame_000009.png']
    write_labels(some_labels(image_names=names), tmp_path / 'labels.json')
    write_labels(predicted(image_names=names), tmp_path / 'r.json', 'coco-results')
    labels = coco.COCO(str(tmp_path / 'labels.json'))
    (annotation, other) = labels.loadAnns(labels.getAnnIds())
    assert annotation['keypoints'] == [1, 2.5, 2, 3, 4, 2]
    assert other['keypoints'] == [5, 6, 2, 0, 0, 0] and other['num_keypoints'] == 1
    assert annotation['bbox'] == [0, 0, 9, 9.5]


@pytest.mark.parametrize('name', ['slp', 'sleap-h5', 'coco'])
def test_sleap_io_reads(tmp_path, name):
    sio = pytest.importorskip('sleap_io')
    film = dict(
        image_names=['f_000000', 'f_000002'],
        film='f.mp4',
        individuals=['one', 'two'],
    )
    labels = predicted(**film) if name in ('slp', 'sleap-h5') else some_labels()
    labels.root = tmp_path
    for image in ('a.png', 'b/c.png'):
        tiny_sources.paint(tmp_path / image, (20, 10))
    suffix = {'slp': '.slp', 'sleap-h5': '.h5', 'coco': '.json'}.get(name, '')
    path = tmp_path / f'x{suffix}'
    write_labels(labels, path, name)
    if name == 'slp':
        found = sio.load_slp(str(path), open_videos=False)
    elif name == 'sleap-h5':
        found = sio.load_analysis_h5(str(path))
    else:
        found = sio.load_coco(str(path), dataset_root=str(tmp_path))
    points = [i.numpy() for frame in found.labeled_frames for i in frame.instances]
    np.testing.assert_array_equal(points, labels.keypoints)
    assert list(found.skeletons[0].node_names) == labels.keypoint_names
    if name in ('slp', 'sleap-h5'):
        assert [track.name for track in found.tracks] == ['one', 'two']
        assert {frame.frame_idx for frame in found.labeled_frames} >= {0}


def test_nwb_is_valid(tmp_path):
    import_libraries('nwb')
    import pynwb

    path = tmp_path / 'x.nwb'
    write_labels(predicted(individuals=['a/b', 'c']), path)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        problems = pynwb.validate(path=str(path))
    assert not problems, problems
    with pynwb.NWBHDF5IO(str(path), 'r', load_namespaces=True) as file:
        behavior = file.read().processing['behavior']
        series = behavior['c'].pose_estimation_series['nose']
        np.testing.assert_array_equal(series.data[:], [[5, 6], [np.nan, np.nan]])
        np.testing.assert_array_equal(series.confidence[:], [0.75, np.nan])
        assert list(behavior['a_b'].skeleton.nodes) == ['nose', 'tail tip']


def test_ultralytics_layout(tmp_path):
    yaml = pytest.importorskip('yaml')
    labels = some_labels(swaps=[(0, 1)])
    write_labels(labels, tmp_path / 'set', 'yolo')
    settings = yaml.safe_load((tmp_path / 'set/data.yaml').read_text())
    assert settings['kpt_shape'] == [2, 3] and settings['flip_idx'] == [1, 0]
    assert settings['names'] == {0: 'object'} and settings['train'] == 'images'
    rows = (tmp_path / 'set/labels/a.txt').read_text().split('\n')
    numbers = [float(word) for word in rows[0].split()]
    np.testing.assert_allclose(
        numbers, [0, 0.225, 0.475, 0.45, 0.95, 0.05, 0.25, 2, 0.15, 0.4, 2]
    )
    assert rows[1].endswith(' 2 0 0 0') and rows[2] == ''
    assert (tmp_path / 'set/labels/b/c.txt').read_text() == ''
