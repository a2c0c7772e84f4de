# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Methods on data sets for equal time: what is run, what is kept, what is printed."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'
LMDIS = 'lmdis-light_folder-64x64'
FSE = 'fse-light_folder-64x64'

PUPPETS = """
num_keypoints = 3
dataset_type = 'PuppetDataset'
data_mode = 'topdown'
train_dataloader = dict(
    num_workers=0, sampler=dict(type='InfiniteSampler'),
    dataset=dict(type='LabelFreeDataset', dataset=dict(
        type=dataset_type, image_size=64, seed=0, num_images=6)))
test_dataloader = dict(
    num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DiscoveryEvaluationDataset',
        fit=dict(type=dataset_type, image_size=64, seed=1, num_images=9),
        score=dict(type=dataset_type, image_size=64, seed=2, num_images=5)))
test_evaluator = dict(
    type='DiscoveredKeypointMetric', protocol='generic', object_share=True)
"""


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import method_table

    return method_table


@pytest.fixture
def runs(table):
    import method_runs

    return method_runs


def test_a_run_is_a_line_and_is_not_repeated(table, tmp_path, capsys):
    data = tmp_path / 'few_puppets.py'
    data.write_text(PUPPETS)
    file = tmp_path / 'new' / 'runs.jsonl'
    words = [str(file), '--data', str(data), '--vgg', '', '--seeds', '3']
    words += ['--work-dir', str(tmp_path / 'work'), '--methods', FSE]
    table.main([*words, '--minutes', '.004'])
    table.main([*words, '--minutes', '0'])
    written = file.read_text()
    trained, untrained = map(json.loads, written.splitlines())
    assert trained['steps'] >= 1 and trained['cpu_seconds'] > 0.2
    assert untrained['steps'] == untrained['cpu_seconds'] == 0
    assert Path(trained['checkpoint']).is_file() and trained['seed'] == 3
    for line in (trained, untrained):
        figures = line['figures']
        assert {'forward', 'ridge', 'fit_ridge_mean_pose', 'on_object'} <= set(figures)
        assert len(line['score']['keypoints']) == 3
    assert trained['figures']['ridge'] != untrained['figures']['ridge']
    assert trained['figures']['ridge_mean_pose'] == pytest.approx(
        trained['figures']['forward_mean_pose']
    )
    table.main([*words, '--minutes', '0'])
    assert file.read_text() == written
    measured = ['--cfg-options', f'load_from={trained["checkpoint"]}']
    table.main([*words, '--minutes', '0', *measured])
    again = json.loads(file.read_text().splitlines()[2])
    assert again['figures'] == trained['figures']
    capsys.readouterr()
    table.main([str(file), '--summary', '--error', 'ridge'])
    printed = capsys.readouterr().out
    assert '### 0.004 CPU minutes' in printed and '| few_puppets |' in printed


@pytest.mark.parametrize('data', ['puppets', 'celeba', 'flies', 'seedlings'])
def test_methods_meet_data_as_leaves_do(runs, monkeypatch, tmp_path, data):
    from mmkp.engine import load_config

    class Counted:
        @staticmethod
        def build(config):
            return range(700)

    monkeypatch.setattr(runs, 'DATASETS', Counted)
    leaf = {'celeba': 'celeba-halved'}.get(data, data)
    leaf = load_config(f'lmdis-light_{leaf}-64x64')
    cfg = runs.configure(runs.Run(LMDIS, data, 0.5, 7), tmp_path)
    assert cfg.model == leaf.model and cfg.randomness.seed == 7
    pipelines = [c.train_dataloader.dataset.pipeline for c in (cfg, leaf)]
    assert pipelines[0] == pipelines[1]
    assert cfg.train_dataloader.batch_size == leaf.train_dataloader.batch_size
    found = cfg.test_dataloader.dataset.get('fit')
    if data == 'celeba':
        assert len(found.indices) == runs.FIT and found.indices[-1] == 699
    if data == 'puppets':
        assert found.num_images == runs.FIT
    if data == 'flies':
        assert set(found.indices) < set(range(800))
    hooks = cfg.default_hooks
    assert hooks.time_limit == dict(type='TimeLimitHook', seconds=30.0, clock='cpu')
    assert hooks.timed_rate.clock == 'cpu' and cfg.param_scheduler is None


def test_what_needs_no_training_keeps_its_one_step(runs, tmp_path):
    run = runs.Run(
        'feature-clusters_efficientnet-lite0_folder-128x128', 'puppets', 2, 0
    )
    cfg = runs.configure(run, tmp_path)
    assert cfg.train_cfg.max_iters == 1 and 'time_limit' not in cfg.default_hooks


def _line(method, data, error, score, seed=0):
    keypoints = [dict(score=score, verdict='', movement=1 - score)]
    return dict(
        method=method,
        data=data,
        minutes=2.0,
        seed=seed,
        options={},
        figures=dict(forward=error, forward_mean_pose=10.0, forward_untrained=8.0),
        score=dict(score=score, keypoints=keypoints),
    )


def test_summary(table):
    from method_summary import summary

    lines = [
        _line('a_folder-64x64', 'bees', 3.0, 0.9),
        _line('a_folder-64x64', 'bees', 5.0, 0.7, seed=1),
        _line('b_folder-64x64', 'bees', 6.0, 0.3),
        _line('b_folder-64x64', 'flies', 2.0, 0.95),
        dict(
            method='a_folder-64x64',
            data='flies',
            minutes=2.0,
            seed=0,
            options={},
            error='NonFiniteError: loss',
        ),
    ]
    printed = summary(lines).splitlines()
    assert '| bees | 4.00 (1.00) | 6.00 (1.50) | 10.00 | 8.00 |' in printed
    assert '| flies | - | 2.00 (1.00) | 10.00 | 8.00 |' in printed
    assert '| bees | 0.80 | 0.30 |' in printed
    assert '| bees | 3 | 1.00 | -1.00 |' in printed
    assert '| all | 4 | 1.00 | -1.00 |' in printed
    assert '- a on flies: NonFiniteError: loss' in printed


def test_lines_that_are_cut_off_are_told(table, tmp_path):
    file = tmp_path / 'runs.jsonl'
    file.write_text(json.dumps(_line('a', 'bees', 1, 1)) + '\n{"method": "b')
    with pytest.warns(UserWarning, match='a line is no json'):
        lines = table.read_lines(file)
    assert [table.key_of(line) for line in lines] == [
        '{"data": "bees", "method": "a", "minutes": 2.0, "options": {}, "seed": 0}'
    ]


@pytest.mark.parametrize('standing', (True, False))
def test_the_recipe_is_what_discover_would_choose(runs, tmp_path, standing):
    data = tmp_path / 'few_puppets.py'
    # Figures on their feet before a plain background; of one figure nobody can tell.
    data.write_text(PUPPETS.replace('num_images=6', f'num_images={30**standing}'))
    cfg = runs.configure(runs.Run('recipe', str(data), 0.5, 0), tmp_path / 'work')
    assert cfg.filename.endswith('lmdis-guarded_folder-64x64.py')
    assert cfg.model.view_transform.rotation_std == (10 if standing else 180)
    assert cfg.steps > 1 and cfg.model.head.num_keypoints == 3
    assert cfg.default_hooks.time_limit.clock == 'cpu'


def test_objects_are_cut_out_in_the_boxes_of_the_data(runs, tmp_path):
    run = runs.Run('lmdis-guarded_folder-64x64', 'flies', 0.5, 0)
    cut, frame = runs.configure(run, tmp_path).test_dataloader.dataset.pipeline[1:3]
    assert (cut.type, cut.padding) == ('CutOutFigure', 1.25)
    assert (frame.type, frame.padding) == ('GetBBoxCenterScale', 1.1)


def test_errors_are_in_units_of_the_picture_however_a_method_crops(runs, tmp_path):
    for method in (LMDIS, 'lmdis-guarded_folder-64x64'):
        cfg = runs.configure(runs.Run(method, 'flies', 0.5, 0), tmp_path)
        assert cfg.test_evaluator.protocol_options.normalizer == (0, 2)
        cfg = runs.configure(runs.Run(method, 'puppets', 0.5, 0), tmp_path)
        options = cfg.test_evaluator.protocol_options
        assert options.normalizer == 'none' and options.scale == 100 / 64
