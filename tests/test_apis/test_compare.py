"""Runs side by side: figures, controls, costs, and what cannot be measured."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

import mmkp
from mmkp.apis.compare import write_comparison
from mmkp.apis.compared_run import ComparedRun
from mmkp.apis.comparison import Comparison, names_of
from mmkp.apis.comparison_data import comparison_data, halves
from mmkp.apis.run import Run
from mmkp.apis.shipped_models import open_run
from mmkp.cli.main import main
from mmkp.datasets import PuppetDataset
from mmkp.datasets.coco_writer import CocoWriter, write_image

SHIPPED = 'puppets-lmdis'


@pytest.fixture(scope='module')
def labeled(tmp_path_factory):
    """A COCO file of 60 figures, its images in a folder beside it."""
    folder = tmp_path_factory.mktemp('labeled')
    drawn = PuppetDataset(num_images=60, image_size=64, seed=9)
    names = [drawn.metainfo['keypoint_id2name'][i] for i in range(17)]
    writer = CocoWriter('figures', names)
    for index in range(len(drawn)):
        item = drawn.get_data_info(index)
        write_image(folder / f'Bild ü {index}.png', item['img'])
        writer.add(f'Bild ü {index}.png', (64, 64), item['keypoints'][0])
    writer.write(folder / 'labels.json')
    return folder / 'labels.json'


@pytest.fixture(scope='module')
def compared(labeled, tmp_path_factory):
    """The shipped model, a run that is none, and one that is not there."""
    empty = tmp_path_factory.mktemp('<b>run | $x$')
    runs = [SHIPPED, empty, labeled.parent / 'none', 'puppets-openpose']
    return mmkp.compare(runs, labeled, labels=(5, 20), device='cpu')


@pytest.fixture
def unlabeled(tmp_path):
    """A run of images without labels, with two lines of a log."""
    config, checkpoint = tiny.trained()
    log = tmp_path / 'run/1/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    lines = [dict(step=50, iter=50, time=0.6), dict(step=80, iter=80, time=2.0)]
    log.write_text('\n'.join(map(json.dumps, lines)))
    files = dict(config=str(config), checkpoint=str(checkpoint))
    return Run.create(tmp_path / 'run', 'train', **files)


class TestOneProtocol:
    def test_error_and_controls(self, compared):
        figures = compared.rows[0].figures
        assert figures['ridge'] < 0.4 * figures['forward_mean_pose']
        assert figures['ridge'] < 0.6 * figures['ridge_untrained']
        few = [figures[f'forward_{n}_shot_ridge_median'] for n in (5, 20)]
        assert few[0] > few[1] >= figures['ridge']
        assert 0.8 < figures['score'] <= 1
        assert compared.rows[0].unit == '% of the side of images'
        assert compared.rows[0].counts == dict(fit=30, score=30)
        assert 'seed 0' in compared.about

    def test_costs(self, compared):
        figures = compared.rows[0].figures
        model = open_run(SHIPPED).load_model('cpu')
        assert figures['parameters'] == sum(p.numel() for p in model.parameters())
        assert 0 < figures['weights_mb'] < 1 and 0 < figures['predict_ms'] < 1000

    def test_a_run_that_fails_says_why(self, compared):
        names = ['<b>run | $x$0', 'none', 'puppets-openpose']
        assert [row.name for row in compared.failed] == names
        assert 'by its own evaluation' in compared.failed[2].error
        assert 'has no run.json' in compared.failed[0].error
        assert 'neither the folder of a run' in compared.failed[1].error
        assert not compared.failed[0].figures

    def test_lengths_between_two_points(self, labeled, compared):
        data = comparison_data(
            labeled, normalizer=('left_shoulder', 'right_hip'), seed=0
        )
        assert data.evaluator['protocol_options']['normalizer'] == [5, 12]
        assert data.evaluator['protocol_options']['unit'] == (
            '% of left_shoulder to right_hip'
        )

    def test_a_run_of_whole_images_is_shown_them(self, labeled, unlabeled):
        data = comparison_data(labeled)
        whole = data.dataset_for(unlabeled.config)
        assert whole['fit']['box'] == whole['score']['box'] == 'image'
        assert [s['type'] for s in whole['pipeline']][1] == 'GetBBoxCenterScale'
        assert 'box' not in data.dataset_for(open_run(SHIPPED).config)['fit']

    def test_a_data_set_by_name_brings_its_boxes_and_its_unit(self):
        data = comparison_data('puppets_discovery')
        assert data.fit['seed'] == 1 and data.evaluator['error_groups']
        assert 'own crop' in data.remarks[0]
        hips = comparison_data('puppets_discovery', normalizer=('nose', 'left_hip'))
        options = hips.evaluator['protocol_options']
        assert options == dict(normalizer=[0, 11], unit='% of nose to left_hip')
        assert not hips.remarks
        flies = comparison_data('flies')
        config = open_run(SHIPPED).config
        pipeline = flies.dataset_for(config)['pipeline']
        assert pipeline[1] == dict(type='GetBBoxCenterScale', padding=1.25)
        config.test_dataloader.dataset.pipeline.insert(1, dict(type='CutOutFigure'))
        assert flies.dataset_for(config)['pipeline'][2]['padding'] == 1.0


def test_own_evaluation_without_labels(unlabeled):
    found = mmkp.compare(unlabeled, device='cpu')
    (row,) = found.rows
    assert not row.error and 0 <= row.figures['score'] <= 1
    assert row.own['tiny/spread'] > 0 and 'tiny/spread' in found.table()[0]
    assert 'forward' not in row.figures and not found.units
    assert 0 < row.figures['cpu_minutes'] < 5
    # 50 steps of .6 and 30 of 2 seconds.
    assert row.figures['wall_minutes'] == pytest.approx(1.5)


@given(st.lists(st.integers(0, 8), min_size=2).filter(lambda x: len(set(x)) > 1))
def test_halves_keep_images_together(owners):
    fit, score = halves(owners, 0)
    assert sorted(fit + score) == list(range(len(owners)))
    assert not {owners[i] for i in fit} & {owners[i] for i in score}
    assert fit and score
    assert 0 <= len({owners[i] for i in fit}) - len({owners[i] for i in score}) <= 1
    assert (fit, score) == halves(owners, 0)


class TestFiles:
    def test_folder(self, compared, tmp_path):
        path = write_comparison(compared, tmp_path / 'out')
        assert path == compared.path == tmp_path / 'out'
        content = json.loads((path / 'comparison.json').read_text())
        assert content['runs'][0]['figures'] == compared.rows[0].figures
        with open(path / 'comparison.csv', newline='') as file:
            rows = list(csv.DictReader(file))
        assert [row['run'] for row in rows] == [row.name for row in compared.rows]
        assert float(rows[0]['ridge']) == compared.rows[0].figures['ridge']
        assert rows[1]['ridge'] == '' and rows[1]['error']
        with pytest.raises(FileExistsError, match='--overwrite'):
            write_comparison(compared, path)
        assert write_comparison(compared, path, overwrite=True) == path

    def test_one_file(self, compared, tmp_path):
        path = write_comparison(compared, tmp_path / 'table.md')
        lines = path.read_text().splitlines()
        (head, rule, *rows) = [line for line in lines if line.startswith('|')]
        assert rule.count('|') == head.count('|') and len(rows) == 4
        # The name holds a bar, which is no end of a cell.
        assert rows[1].startswith('| <b>run \\| $x$0 |')
        with pytest.raises(FileExistsError, match='exists'):
            write_comparison(compared, path)
        with pytest.raises(ValueError, match='none of .md'):
            write_comparison(compared, tmp_path / 'table.xlsx')

    def test_page_needs_nothing_else_and_takes_names_as_text(self, compared):
        page = compared._repr_html_()
        assert '&lt;b&gt;run | $x$0' in page and '<b>run' not in page
        assert page.count('<svg') == 2 and '<script' not in page
        # Addresses name the language of the drawing, none is fetched.
        assert 'src=' not in page and 'href="http' not in page
        assert '<text' in page and SHIPPED in page

    def test_best_is_stressed(self):
        rows = [
            ComparedRun(name, name, dict(forward=value), '%')
            for name, value in (('a', 3.0), ('b', 2.0), ('c', 2.0))
        ]
        assert Comparison(rows, 'x', ())._best() == [(1, 1), (2, 1)]
        for row in rows:
            row.higher_is_better = True
        assert Comparison(rows, 'x', ())._best() == [(0, 1)]


def test_errors_of_two_units_are_not_compared():
    rows = [ComparedRun(unit, unit, dict(forward=1.0), unit) for unit in ('px', '%')]
    found = Comparison(rows, 'their own', ())
    assert 'not comparable' in found.notes()[0] and found._best() == []
    assert '<svg' not in found.to_html()


def test_of_each_other_metric_the_first_figure_is_in_the_table():
    own = {'coco/AP': 0.8, 'coco/AR': 0.9, 'pck/PCK': 0.7}
    found = Comparison([ComparedRun('a', 'a', own=own)], 'x', ())
    assert found.table() == [['run', 'coco/AP', 'pck/PCK'], ['a', '0.8', '0.7']]
    assert 'coco/AR' in found.to_csv() and 'coco/AR' in str(found.to_dict())


def test_names():
    paths = [Path('/a/x/run'), Path('/a/y/run'), Path('/b'), Path('/b')]
    assert names_of(paths) == ['x/run', 'y/run', 'b', 'b (2)']


class TestMisuse:
    def test_no_run(self):
        with pytest.raises(ValueError, match='no run'):
            mmkp.compare([])

    def test_unknown_data(self):
        with pytest.raises(FileNotFoundError, match="did you mean 'flies'"):
            mmkp.compare([SHIPPED], 'flise')

    def test_data_without_a_fit(self):
        with pytest.raises(ValueError, match='no labeled images to fit on'):
            mmkp.compare([SHIPPED], 'puppets')

    def test_no_folder_of_images(self, labeled):
        with pytest.raises(FileNotFoundError, match="'none' does not exist"):
            mmkp.compare([SHIPPED], labeled, images='none')

    def test_images_for_a_config(self):
        with pytest.raises(ValueError, match='goes with a COCO file'):
            mmkp.compare([SHIPPED], 'flies', images='.')

    def test_unknown_point(self, labeled):
        with pytest.raises(ValueError, match="did you mean 'left_hip'"):
            comparison_data(labeled, normalizer=('nose', 'left_hipp'))

    def test_one_image(self):
        with pytest.raises(ValueError, match='two are needed'):
            halves([7, 7], 0)


def test_command(labeled, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ['compare', SHIPPED, '--data', str(labeled), '--labels', '5', '-d', 'cpu']
    main(words)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == str(Path('runs/compare', SHIPPED))
    assert printed[2].startswith('| run | forward, linear |')
    main([*words, '--json'])
    told = json.loads(capsys.readouterr().out)
    assert told['path'] == str(Path('runs/compare', f'{SHIPPED}-2'))
    assert np.isfinite(told['runs'][0]['figures']['ridge'])
    with pytest.raises(SystemExit) as stopped:
        main(['compare', 'none', '--data', str(labeled), '--json'])
    assert stopped.value.code == 1
