# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The best of several trainings, and the best of its keypoints."""

import cv2
import numpy as np
import pytest
import tiny

from mmkp.apis import find_sides, load_model, predict_topdown, select_keypoints
from mmkp.apis.spread_images import spread_images
from mmkp.engine import load_config
from mmkp.engine.selected_keypoints import write_selected
from mmkp.evaluation.score_keypoints import score_keypoints
from mmkp.visualization.model_pictures import edges_among


def test_tool(tmp_path, capsys, monkeypatch):
    monkeypatch.undo()  # the config is written as MMEngine writes it
    config, checkpoint = tiny.trained()
    folder, out = tiny.draw_figures(tmp_path / 'in', 6), tmp_path / 'new' / 'best'
    earlier = checkpoint.with_name('iter_12.pth')
    tiny.call_tool(
        *('analysis_tools/select_keypoints.py', config, earlier, checkpoint),
        *('--folder', folder, '--keep', 2, '--out', out, '--device', 'cpu'),
    )
    printed = capsys.readouterr().out
    assert f'{earlier}: score 0.' in printed and f'{checkpoint}: score 0.' in printed
    selected = load_model(out / config.name, out / 'selected.pth', 'cpu')
    kept = selected.test_cfg['output_keypoint_indices']
    assert f'keypoints {kept} of ' in printed and len(set(kept)) == 2
    images = [cv2.imread(str(path)) for path in sorted(folder.iterdir())]
    best = checkpoint if f'of {checkpoint} are kept' in printed else earlier
    every = predict_topdown(load_model(config, best, 'cpu'), images)
    some = predict_topdown(selected, images)
    for one, other in zip(every, some, strict=True):
        assert other['keypoints'].shape == (1, 2, 2)
        np.testing.assert_array_equal(one['keypoints'][:, kept], other['keypoints'])
    tiny.call_tool(
        *('infer.py', out / config.name, out / 'selected.pth', folder),
        *('--out', tmp_path / 'drawn', '--device', 'cpu', '--show-edges'),
    )
    assert len(list((tmp_path / 'drawn').rglob('*.png'))) >= 6


def test_what_is_selected_is_scored_paired_and_selected_from_again(
    tmp_path, monkeypatch
):
    monkeypatch.undo()  # the config is written as MMEngine writes it
    config, checkpoint = tiny.trained()
    folder = tiny.draw_figures(tmp_path / 'in', 6)
    cfg, kept = load_config(config), [3, 0, 2]
    path = write_selected(cfg, checkpoint, kept, tmp_path / 'three')
    file = tmp_path / 'three' / config.name

    def images():
        return spread_images(cfg, folder)

    every = score_keypoints(load_model(config, checkpoint, 'cpu'), images())
    model = load_model(file, path, 'cpu')
    some = score_keypoints(model, images())
    for name in ('movement', 'reliability', 'sharpness'):
        np.testing.assert_allclose(
            some.components[name], every.components[name][kept], atol=1e-6
        )
    assert len(find_sides(model, images()).partners) == 3
    path, chosen, _ = select_keypoints(file, path, images(), 2, tmp_path / 'two')
    two = load_model(tmp_path / 'two' / config.name, path, 'cpu')
    indices = [kept[index] for index in chosen]
    assert two.test_cfg['output_keypoint_indices'] == indices
    with pytest.raises(ValueError, match='different ones of 0 to 2, got'):
        write_selected(load_config(file), path, [3], tmp_path / 'none')


@pytest.mark.parametrize('indices', [[0, 0], [4], [-1], []])
def test_indices_of_no_keypoints(tmp_path, indices):
    config, checkpoint = tiny.trained()
    with pytest.raises(ValueError, match='indices must be different ones of 0 to 3'):
        write_selected(load_config(config), checkpoint, indices, tmp_path)


def test_edges_between_kept_keypoints():
    edges = np.array([[0, 1], [0, 2], [1, 3], [2, 3]])
    found, weights = edges_among(edges, np.array([0.1, 0.2, 0.3, 0.4]), [3, 0, 2])
    np.testing.assert_array_equal(found, [[1, 2], [2, 0]])
    np.testing.assert_array_equal(weights, [0.2, 0.4])
    assert edges_among(edges, np.ones(4), [1])[0].shape == (0, 2)
