# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Names from labels and from corrections; suggestions. On a tiny trained model."""

import csv
import json

import cv2
import numpy as np
import pytest
import tiny
import torch
from mmengine.config import Config
from mmpose.apis import MMPoseInferencer

import mmkp
from mmkp.apis import load_model, predict_files, predict_topdown
from mmkp.apis.fine_tune import TUNED, _at_the_end
from mmkp.cli.main import main

NAMES = ['top', 'left_arm', 'right_arm']


@pytest.fixture
def run(tmp_path):
    """A run of a discovery on figures."""
    config, checkpoint = tiny.trained()
    source = tiny.draw_figures(tmp_path / 'figures', 9)
    folder = tmp_path / 'found'
    folder.mkdir()
    cfg = mmkp.engine.load_config(config)
    cfg.dump(str(folder / 'config.py'))
    (folder / 'found.pth').write_bytes(checkpoint.read_bytes())
    found = mmkp.Run.create(
        folder,
        'discover',
        config='config.py',
        checkpoint='found.pth',
        source=str(source),
    )
    predict_files(found.load_model('cpu'), source, folder, draw=False)
    return found


@pytest.fixture(autouse=True)
def plain_configs(monkeypatch):
    monkeypatch.undo()  # configs are written as MMEngine writes them


def crosses(run):
    """Where the crosses were drawn, (9, 3, 2): see tiny.draw_figures."""
    rng, places = np.random.default_rng(0), []
    for _ in range(9):
        rng.integers(0, 90, (48, 48, 3), dtype=np.uint8)
        x, y = rng.integers(14, 34, 2)
        places.append([[x, y - 11], [x - 9, y], [x + 9, y]])
    return np.array(places, float)


def write_labels(run, path, points, visible=None):
    names = [record['image'] for record in run.keypoints['images']]
    flags = np.full(points.shape[:2], 2) if visible is None else visible
    content = dict(
        images=[
            dict(id=i, file_name=f'{run.source}/{name}', width=48, height=48)
            for i, name in enumerate(names)
        ],
        annotations=[
            dict(
                id=i,
                image_id=i,
                category_id=1,
                bbox=[0, 0, 48, 48],
                area=2304,
                iscrowd=0,
                num_keypoints=3,
                keypoints=np.column_stack([points[i], flags[i]]).ravel().tolist(),
            )
            for i in range(len(points))
        ],
        categories=[
            dict(id=1, name='cross', keypoints=NAMES, skeleton=[[2, 1], [1, 3]])
        ],
    )
    path.write_text(json.dumps(content))
    return path


def test_names_from_labels(run, tmp_path, capsys):
    points = crosses(run)
    points[4] = points[4][[0, 2, 1]]
    labels = write_labels(run, tmp_path / 'labels.json', points)
    out = tmp_path / 'named'
    main(['name', str(run.path), str(labels), '-o', str(out), '-d', 'cpu', '--json'])
    printed = capsys.readouterr()
    told = json.loads(printed.out.splitlines()[-1])
    assert told['path'] == str(out) and told['labels'] == 9
    image = run.keypoints['images'][4]['image']
    assert list(told['exchanged'].values()) == [['left_arm/right_arm']]
    assert image in next(iter(told['exchanged'])) and 'exchanged?' in printed.err
    assert told['points']['top']['labels'] == 9
    named = mmkp.Run(out)
    assert named.keypoint_names == NAMES and named.info['swaps'] == [[1, 2]]
    assert [len(one['instances'][0]['keypoints']) for one in named.keypoints['images']]
    rows = list(csv.DictReader((out / 'labels.csv').open()))
    assert [row['exchanged'] for row in rows][4] == 'left_arm/right_arm'

    # The same map, by hand.
    model = named.load_model('cpu')
    [found] = predict_topdown(run.load_model('cpu'), [run.source + '/000.png'])
    shares = torch.from_numpy(found['keypoints'] / 48).float()
    expected = predict_topdown(model, [run.source + '/000.png'])[0]
    assert expected['keypoints'].shape == (1, 3, 2)
    # Pixels of the input are shares of the image, moved by the map of MMPose.
    state = model.regressor.linear
    by_hand = (state(shares.flatten(1)).reshape(3, 2) * 48).detach().numpy()
    np.testing.assert_allclose(expected['keypoints'][0], by_hand, atol=1e-3)
    assert (
        (expected['keypoint_scores'] >= 0) & (expected['keypoint_scores'] <= 1)
    ).all()
    assert list(model.dataset_meta['keypoint_id2name'].values()) == NAMES
    assert list(model.dataset_meta['flip_indices']) == [0, 2, 1]
    assert [tuple(link) for link in model.dataset_meta['skeleton_links']] == [
        (1, 0),
        (0, 2),
    ]


def test_mmpose_takes_the_named_model(run, tmp_path, capsys):
    labels = write_labels(run, tmp_path / 'labels.json', crosses(run))
    named = mmkp.name(run, labels, out=tmp_path / 'named', device='cpu')
    config, checkpoint = str(named.config_file), str(named.checkpoint)
    tiny.call_tool('test.py', config, checkpoint, '--work-dir', tmp_path / 'tested')
    results = next((tmp_path / 'tested').rglob('*.json')).read_text()
    assert '"EPE"' in results and '"coco/AP"' in results
    inferencer = MMPoseInferencer(
        pose2d=config, pose2d_weights=checkpoint, device='cpu'
    )
    answer = next(inferencer(run.source + '/003.png'))['predictions'][0][0]
    direct = predict_topdown(named.load_model('cpu'), [run.source + '/003.png'])[0]
    np.testing.assert_allclose(answer['keypoints'], direct['keypoints'][0], atol=1e-3)


def test_missing_labels_and_chosen_names(run, tmp_path):
    visible = np.full((9, 3), 2)
    visible[:5, 1] = 0
    labels = write_labels(run, tmp_path / 'labels.json', crosses(run), visible)
    named = mmkp.name(
        run, labels, names=['left_arm', 'top'], out=tmp_path / 'n', device='cpu'
    )
    assert named.keypoint_names == ['left_arm', 'top']
    assert named.info['figures']['points']['left_arm']['labels'] == 4
    with pytest.raises(ValueError, match="no keypoint 'nose' in the labels"):
        mmkp.name(run, labels, names=['nose'], out=tmp_path / 'm')


def test_fine_tuning(run, tmp_path):
    labels = write_labels(run, tmp_path / 'labels.json', crosses(run))
    named = mmkp.name(run, labels, finetune=0.02, out=tmp_path / 'n', device='cpu')
    assert named.checkpoint.name == TUNED
    before = torch.load(named.path / 'named.pth', weights_only=False)['state_dict']
    after = torch.load(named.checkpoint, weights_only=False)['state_dict']
    name = 'head.final_layer.weight'
    assert not torch.equal(before[name], after[name])
    assert load_model(named.config_file, named.checkpoint, 'cpu').regressor is not None
    assert 'labels.json' in Config.fromfile(named.config_file).pretty_text


def corrections(run, **changes):
    told = [
        dict(index=i, name=None, dropped=False, merged_into=None, partner=None)
        for i in range(4)
    ]
    for key, change in changes.items():
        told[int(key[1:])].update(change)
    return dict(
        format='mmkp corrections', version=1, run='found', source=run.source,
        keypoints=told, images=[],
    )  # fmt: skip


def test_corrections(run, tmp_path):
    told = corrections(
        run, k0=dict(name='hub'), k1=dict(merged_into=0), k2=dict(dropped=True)
    )
    images = run.keypoints['images']
    for record in images[:8]:
        moved = np.array(record['instances'][0]['keypoints'][3]) + [5, -2]
        told['images'].append(
            dict(
                image=record['image'],
                bad=record is images[7],
                instances=[dict(index=0, corrected={'3': moved.tolist()}, hidden=[])],
            )
        )
    path = tmp_path / 'corrections.json'
    path.write_text(json.dumps(told))
    named = mmkp.name(run, path, out=tmp_path / 'named', device='cpu')
    assert named.keypoint_names == ['hub', 'keypoint_3']
    assert named.info['figures']['labels'] == 7
    for before, after in zip(images, named.keypoints['images'], strict=True):
        old = np.array(before['instances'][0]['keypoints'])
        new = np.array(after['instances'][0]['keypoints'])
        np.testing.assert_allclose(new[0], old[:2].mean(0), atol=0.01)
        np.testing.assert_allclose(new[1], old[3] + [5, -2], atol=0.01)


def test_corrections_of_another_run(run, tmp_path):
    path = tmp_path / 'corrections.json'
    told = corrections(run)
    told['images'] = [dict(image='other.png', instances=[dict(index=0)])]
    path.write_text(json.dumps(told))
    with pytest.raises(ValueError, match="corrects image 'other.png'"):
        mmkp.name(run, path, out=tmp_path / 'n')
    path.write_text(json.dumps(dict(told, images=[])))
    with pytest.raises(ValueError, match='corrects no object'):
        mmkp.name(run, path, out=tmp_path / 'n')
    path.write_text(json.dumps(dict(told, keypoints=told['keypoints'][:3])))
    with pytest.raises(ValueError, match='tells of 3 keypoints'):
        mmkp.name(run, path, out=tmp_path / 'n')


def test_suggestions(run, tmp_path, capsys):
    labels = write_labels(run, tmp_path / 'labels.json', crosses(run)[:2])
    out = tmp_path / 'next'
    words = ['suggest', str(run.path), run.source, '-n', '3', '-o', str(out)]
    main([*words, '-d', 'cpu', '--labels', str(labels)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(out / 'suggestions.csv') and len(lines) >= 4
    rows = list(csv.DictReader((out / 'suggestions.csv').open()))
    images = [row['image'] for row in rows]
    assert len(set(images)) == 3 and not {'000.png', '001.png'} & set(images)
    assert all(float(row['uncertainty_percent']) >= 0 for row in rows)
    assert all('stands for' in row['reason'] for row in rows)
    assert cv2.imread(str(out / 'sheet.jpg')).shape[1] > 3 * 150
    with pytest.raises(ValueError, match='at least 1, got 0'):
        mmkp.suggest(run, run.source, 0)
    every = write_labels(run, tmp_path / 'all.json', crosses(run))
    with pytest.raises(ValueError, match='all 9 images'):
        mmkp.suggest(run, run.source, labels=every, out=tmp_path / 'none', device='cpu')


def test_schedules_of_losses_go_on_where_they_end():
    schedule = dict(
        type='LossWeightSchedule', losses=dict(error={0: 0.5, 90: 10.0, 30: 2.0})
    )
    others = dict(type='EMAHook')
    losses = dict(error=dict(type='SquaredErrorLoss', loss_weight=0.5))
    cfg = Config(dict(model=dict(losses=losses), custom_hooks=[schedule, others]))
    assert _at_the_end(cfg) == [others]
    assert cfg.model.losses.error.loss_weight == 10
