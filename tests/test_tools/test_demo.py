"""The demo runs from end to end, here on fewer images."""

import cv2
import tiny

from mmkp.engine import load_config


def test_demo(tmp_path, capsys, monkeypatch):
    def small_config(*args, **kwargs):
        cfg = load_config(*args, **kwargs)
        cfg.train_dataloader.batch_size = 2
        cfg.experiment_name = cfg.filename
        if cfg.model.type == 'LMDIS':
            for part in ('fit', 'score'):
                cfg.test_dataloader.dataset[part].num_images = 30
        else:
            cfg.test_dataloader.dataset.num_images = 12
        return cfg

    monkeypatch.setattr('mmkp.engine.load_config', small_config)
    tiny.call_tool('demo.py', '--out', tmp_path / 'out', '--minutes', 0.02)
    told = capsys.readouterr()
    for line in ('from the discovered keypoints', 'untrained detector', 'mean pose'):
        [row] = [row for row in told.out.splitlines() if line in row]
        assert all(float(value) > 0 for value in row.split()[-3:])
    [row] = [row for row in told.out.splitlines() if 'On the figure lie' in row]
    found, untrained = (float(row.split()[index]) for index in (4, -2))
    assert 0 < found <= 100 and 0 < untrained <= 100
    for line in ('this network', 'the same, untrained'):
        [row] = [row for row in told.out.splitlines() if line in row]
        assert all(0 <= float(value) <= 100 for value in row.split()[-4:])
    for name in (
        'keypoints.png',
        'discovery_test.png',
        'edge_weights_test.png',
        'people.png',
        'part_affinity_fields.png',
    ):
        assert str(tmp_path / 'out' / name) in told.out
        assert min(cv2.imread(str(tmp_path / 'out' / name)).shape[:2]) > 300
    assert 'Elapsed: ' in told.out and told.err.count('training 100%') == 2
