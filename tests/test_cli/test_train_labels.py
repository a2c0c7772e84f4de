"""`mmkp train LABELS`: a file of labels becomes a run whose model knows their names."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_animals import NAMES, write_animals

from mmkp.apis.run import Run
from mmkp.apis.train_labels import begin_training
from mmkp.cli.train import main
from mmkp.labels import read_labels

FEW_STEPS = [
    *('train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'log_level=WARNING'),
    *('train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False'),
    *('val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False'),
    *('train_dataloader.batch_size=2', 'default_hooks.checkpoint.interval=1'),
]


@pytest.fixture
def labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_animals(tmp_path / 'my animals', 12)
    return folder / 'annotations/train.json'


def test_a_run_is_trained_by_labels(labels, capsys):
    main([str(labels), *FEW_STEPS], 'mmkp train')
    path = Path(capsys.readouterr().out.splitlines()[-1])
    assert path == Path('runs/train/train')
    run = Run(path)
    assert run.keypoint_names == NAMES and run.info['finished']
    assert run.info['swaps'] == [[1, 2]]
    assert set(run.info['figures']) == {'PCK', 'EPE'}
    assert run.info['figures']['EPE'] > 0
    # 5 of 12, 11 of 12: each tenth image, from the sixth on.
    parts = [read_labels(path / f'{part}.json') for part in ('train', 'val')]
    names = [set(part.image_names) for part in parts]
    assert names[1] == {'5.png'} and len(names[0]) == 11 and not names[0] & names[1]
    model = run.load_model('cpu')
    assert [*model.dataset_meta['keypoint_id2name'].values()] == NAMES
    assert list(model.dataset_meta['flip_indices']) == [0, 2, 1, 3, 4, 5, 6]
    image = labels.parents[1] / 'images/0.png'
    found = run.predict(image, draw='none').path
    content = json.loads((found / 'keypoints.json').read_text())
    assert content['keypoint_names'] == NAMES
    assert np.isfinite(content['images'][0]['instances'][0]['keypoints']).all()


def test_an_interrupted_training_goes_on(labels, capsys):
    main([str(labels), '-o', 'run', *FEW_STEPS], 'mmkp train')
    run = Run('run')
    run.update(finished=False)
    more = ['train_cfg.max_iters=3']
    main([str(labels), '-o', 'run', '--resume', *more], 'mmkp train')
    assert (Path('run/training') / 'iter_3.pth').is_file()
    with pytest.raises(FileNotFoundError, match='leave out --resume'):
        main([str(labels), '-o', 'run', '--resume'], 'mmkp train')


def one_animal_each(labels: Path) -> Path:
    """The same file with the first animal of each image."""
    content = json.loads(labels.read_text())
    content['annotations'] = content['annotations'][::2]
    path = labels.with_name('single.json')
    path.write_text(json.dumps(content))
    return path


def test_images_without_labels_are_trained_on_too(labels):
    run = begin_training(
        one_animal_each(labels), labels.parents[1] / 'images', options={'share': [1, 1]}
    )
    cfg = run.config
    kinds = [part.type for part in cfg.train_dataloader.dataset.datasets]
    assert kinds == ['LandmarkDataset', 'UnlabeledImageDataset']
    assert cfg.model.head.num_keypoints == 7
    assert {'regression', 'equivariance', 'diversity'} == set(cfg.model.losses)
    boxes = read_labels(run.path / 'train.json').boxes
    assert (boxes == [0, 0, 200, 160]).all()


def test_several_objects_need_their_boxes(labels):
    with pytest.raises(ValueError, match='several objects'):
        begin_training(labels, labels.parents[1] / 'images')


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['hourglass-s2-w64_own-128x128', '-o', 'x'], 'no file of them'),
        (['{labels}', '--work-dir', 'x'], 'is named by -o'),
    ],
)
def test_options_of_the_other_kind_are_refused(labels, words, said):
    with pytest.raises(ValueError, match=said):
        main([word.format(labels=labels) for word in words], 'mmkp train')
