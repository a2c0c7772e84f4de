"""Files as other programs write them, which mmkp itself would write otherwise."""

import json

import numpy as np
import pytest
from label_sets import import_libraries

from mmkp.labels import read_labels

NAN = np.nan


def test_objects_of_a_row_each(tmp_path):
    path = tmp_path / 't.csv'
    path.write_text('image,nose_x,nose_y\na.png,1,2\nb.png,3,4\na.png,5,6\n')
    labels = read_labels(path)
    assert labels.keypoint_names == ['nose']
    assert labels.image_names == ['a.png', 'b.png']
    assert labels.image_index.tolist() == [0, 1, 0]


def test_rows_of_a_keypoint_in_any_order(tmp_path):
    path = tmp_path / 't.csv'
    path.write_text(
        'keypoint,x,y,image\nnose,1,2,a.png\nnose,5,6,a.png\ntail,7,8,a.png\n,,,b.png\n'
    )
    labels = read_labels(path)
    expected = [[[1, 2], [NAN, NAN]], [[5, 6], [7, 8]]]
    np.testing.assert_array_equal(labels.keypoints, expected)
    assert labels.image_names == ['a.png', 'b.png'] and labels.scores is None
    path.write_text('image,keypoint,x,y\n,nose,1,2\n')
    with pytest.raises(ValueError, match=r'line 2: the cell of the image is empty'):
        read_labels(path)


CORRECTIONS = {
    'format': 'mmkp corrections',
    'version': 1,
    'run': 'mice',
    'source': 'photos',
    'keypoints': [
        dict(index=0, name='left ear', dropped=False, merged_into=None, partner=1),
        dict(index=1, name='right ear', dropped=False, merged_into=None, partner=0),
        dict(index=2, name=None, dropped=True, merged_into=None, partner=None),
        dict(index=3, name='x', dropped=False, merged_into=0, partner=None),
        dict(index=4, name=None, dropped=False, merged_into=None, partner=None),
    ],
    'images': [
        {
            'image': 'a.png',
            'bad': False,
            'instances': [
                {'index': 0, 'corrected': {'3': [7, 8], '2': [1, 1]}, 'hidden': [3]},
                {'index': 1, 'corrected': {'0': [1, 2.5], '3': [9, 9], '4': [3, 4]}},
            ],
        },
        {'image': 'b.png', 'bad': True, 'instances': []},
        {'image': 'c.png', 'bad': False, 'instances': [{'index': 0, 'corrected': {}}]},
    ],
}


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'cp1252'])
@pytest.mark.filterwarnings('ignore:.*(with a comma|Windows-1252)')
def test_tables_as_excel_writes_them(tmp_path, encoding):
    path = tmp_path / 't.csv'
    rows = 'image;keypoint;x;y\r\nmäuse.png;nose;1,5;2\r\nmäuse.png;ear;3;4,25\r\n'
    path.write_bytes(rows.encode(encoding))
    labels = read_labels(path)
    assert labels.image_names == ['mäuse.png']
    assert labels.keypoints.tolist() == [[[1.5, 2], [3, 4.25]]]
    path.write_bytes('file_name;a_x;a_y\nb.png;1,5;2\n'.encode(encoding))
    assert read_labels(path).keypoints.tolist() == [[[1.5, 2]]]


def test_corrections_of_the_page(tmp_path):
    path = tmp_path / 'corrections.json'
    path.write_text(json.dumps(CORRECTIONS))
    labels = read_labels(path)
    assert labels.keypoint_names == ['left ear', 'right ear', '4']
    assert labels.swaps == [(0, 1)]
    assert labels.image_names == ['a.png', 'c.png']
    expected = [
        [[7, 8], [NAN, NAN], [NAN, NAN]],
        [[1, 2.5], [NAN, NAN], [3, 4]],  # its own point, not the merged one
    ]
    np.testing.assert_array_equal(labels.keypoints, expected)
    assert labels.visibility.tolist() == [[1, 0, 0], [2, 0, 2]]
    path.write_text(json.dumps(CORRECTIONS | dict(version=2)))
    with pytest.raises(ValueError, match='has version 2, this mmkp reads 1'):
        read_labels(path)


def test_a_run_gives_names_and_links(tmp_path):
    image = dict(image='a.png', width=9, height=8, instances=[])
    image['instances'] = [dict(keypoints=[[1, 2], [3, None]], keypoint_scores=[0.5, 0])]
    content = dict(source='photos', num_keypoints=2, images=[image], flip_indices=[])
    (tmp_path / 'keypoints.json').write_text(json.dumps(content))
    assert read_labels(tmp_path).keypoint_names == ['0', '1']
    run = dict(keypoint_names=['nose', 'ear'], links=[[0, 1]], swaps=[])
    (tmp_path / 'run.json').write_text(json.dumps(run))
    labels = read_labels(tmp_path)
    assert labels.keypoint_names == ['nose', 'ear'] and labels.links == [(0, 1)]
    np.testing.assert_array_equal(labels.keypoints, [[[1, 2], [NAN, NAN]]])
    assert str(labels.root) == 'photos' and labels.image_sizes.tolist() == [[9, 8]]


def test_tasks_of_label_studio(tmp_path):
    common = dict(original_width=200, original_height=100, to_name='img')
    point = dict(common, type='keypointlabels')

    def region(x, y, name, **more):
        return dict(point, value=dict(x=x, y=y, keypointlabels=[name]), **more)

    result = [
        region(10, 10, 'nose', id='p'),
        dict(common, id='r', type='rectanglelabels', value=dict(x=0, y=0, width=50,
             height=50, rectanglelabels=['mouse'])),
        dict(type='relation', from_id='p', to_id='r', direction='right'),
        region(20, 20, 'tail', id='q', parentID='r'),
        region(30, 30, 'nose'),
        region(40, 40, 'tail'),
        region(50, 50, 'nose'),
    ]  # fmt: skip
    task = dict(
        id=1,
        data=dict(img='/data/upload/3/0123abcd-maus%20ä.png'),
        annotations=[dict(result=[]), dict(result=result)],
    )
    path = tmp_path / 'tasks.json'
    path.write_text(json.dumps([task]))
    labels = read_labels(path)
    assert labels.image_names == ['maus ä.png']
    assert labels.image_sizes.tolist() == [[200, 100]]
    expected = [[[20, 10], [40, 20]], [[60, 30], [80, 40]], [[100, 50], [NAN, NAN]]]
    np.testing.assert_allclose(labels.keypoints, expected)
    assert labels.boxes[0].tolist() == [0, 0, 100, 50]
    assert np.isnan(labels.boxes[1]).all() and labels.scores is None


def test_tracks_and_points_of_cvat(tmp_path):
    path = tmp_path / 'annotations.xml'
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?><annotations><track id="2" '
        'label="mouse"><skeleton frame="7" outside="0"><points label="nose" '
        'outside="0" occluded="1" points="1.5,2"/><points label="tail" outside="1" '
        'occluded="0" points="3,4"/></skeleton></track><image id="0" name="a.png" '
        'width="9" height="8"><points label="nose" points="5,6"/><box label="b"/>'
        '</image></annotations>'
    )
    labels = read_labels(path)
    assert labels.image_names == ['a.png', 'frame_000007']
    assert labels.individuals == ['', 'mouse_2'] or labels.individuals == [
        'mouse_2',
        '',
    ]
    found = dict(zip(labels.individuals, labels.keypoints[:, 0].tolist(), strict=True))
    assert found == {'mouse_2': [1.5, 2], '': [5, 6]}
    assert 1 in labels.visibility


def test_yolo_of_other_programs(tmp_path):
    import cv2

    for split in ('train', 'val'):
        (tmp_path / 'images' / split).mkdir(parents=True)
        (tmp_path / 'labels' / split).mkdir(parents=True)
        image = tmp_path / 'images' / split / 'a.jpg'
        cv2.imwrite(str(image), np.zeros((50, 100, 3), np.uint8))
    text = tmp_path / 'labels/train/a.txt'
    text.write_text('0 .5 .5 .2 .4 .25 .5 0.75 .1\n')
    (tmp_path / 'data.yaml').write_text(
        'path: .\ntrain: images/train\nval: images/val\nkpt_shape: [2, 2]\n'
        'flip_idx: [1, 0]\nnames: [mouse]\n'
    )
    labels = read_labels(tmp_path)
    assert labels.image_names == ['train/a.jpg', 'val/a.jpg']
    assert labels.root == tmp_path / 'images' and labels.swaps == [(0, 1)]
    np.testing.assert_array_equal(labels.keypoints, [[[25, 25], [75, 5]]])
    np.testing.assert_allclose(labels.boxes, [[40, 15, 60, 35]])
    text.write_text('0 .5 .5 .2 .4 .25 .5 0.75\n')
    with pytest.raises(ValueError, match=r'a\.txt, line 1: 8 words, .* make 9'):
        read_labels(tmp_path)


def test_tables_of_pandas_in_every_layout_of_deeplabcut(tmp_path):
    import_libraries('dlc-h5')
    import pandas

    columns = pandas.MultiIndex.from_product(
        [['me'], ['m1', 'm2'], ['nose', 'tail'], ['x', 'y', 'likelihood']],
        names=['scorer', 'individuals', 'bodyparts', 'coords'],
    )
    rows = pandas.MultiIndex.from_tuples(
        [('labeled-data', 's', 'a.png'), ('labeled-data', 's', 'b.png')]
    )
    values = np.arange(24.0).reshape(2, 12)
    values[1, 6:] = np.nan
    for kind in ('fixed', 'table'):
        path = tmp_path / f'{kind}.h5'
        index = rows if kind == 'fixed' else ['/'.join(row) for row in rows]
        pandas.DataFrame(values, index, columns).to_hdf(path, key='df', format=kind)
        labels = read_labels(path)
        assert labels.image_names == ['labeled-data/s/a.png', 'labeled-data/s/b.png']
        assert labels.individuals == ['m1', 'm2', 'm1']
        np.testing.assert_array_equal(labels.keypoints[1], [[6, 7], [9, 10]])
        np.testing.assert_array_equal(labels.scores[2], [14, 17])


def test_films_of_sleap_that_share_a_name_and_a_person_s_labels(tmp_path):
    sio = pytest.importorskip('sleap_io')
    skeleton = sio.Skeleton(['nose', 'tail'])
    points = np.arange(4.0).reshape(2, 2)
    films = [
        sio.Video(f'{folder}/fly.mp4', open_backend=False, backend_metadata={})
        for folder in 'ab'
    ]
    ours = sio.Instance.from_numpy(points, skeleton=skeleton)
    theirs = sio.PredictedInstance.from_numpy(
        points + 1, skeleton=skeleton, point_scores=np.array([0.5, 0.25]), score=0.75
    )
    frames = [
        sio.LabeledFrame(video=films[0], frame_idx=3, instances=[ours, theirs]),
        sio.LabeledFrame(video=films[1], frame_idx=3, instances=[theirs]),
    ]
    sio.Labels(frames, films, [skeleton]).save(str(tmp_path / 'p.slp'), verbose=False)
    with pytest.warns(UserWarning, match='1 predictions in frames that a person has'):
        labels = read_labels(tmp_path / 'p.slp')
    assert labels.image_names == ['video0/fly_000003', 'video1/fly_000003']
    np.testing.assert_array_equal(labels.keypoints, [points, points + 1])
    np.testing.assert_array_equal(labels.scores, [[NAN, NAN], [0.5, 0.25]])
    np.testing.assert_array_equal(labels.object_scores, [NAN, 0.75])
    assert labels.film is None
