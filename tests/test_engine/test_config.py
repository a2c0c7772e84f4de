"""A config is found by many names; its variables can be set; it says what is wrong."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from mmengine.config import Config

from mmkp.engine import ConfigError, check_config, load_config
from mmkp.engine.config_names import configs_folder, find_config
from mmkp.engine.option_values import OptionAction, OptionText, meant_value

ROOT = Path(__file__).resolve().parents[2]
STEM = 'lmdis-light_folder-64x64'
BELOW = f'unsupervised_2d_keypoint/lmdis/folder/{STEM}'


def typed(*arguments):
    """What the tools make of --cfg-options."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OptionAction)
    return parser.parse_args(['--cfg-options', *arguments]).cfg_options


class TestNames:
    @pytest.mark.parametrize('ending', ('', '.py'))
    @pytest.mark.parametrize(
        'name', (STEM, f'mmkp::{STEM}', f'mmkp::{BELOW}', f'configs/{BELOW}', BELOW)
    )
    def test_of_this_package(self, name, ending, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert find_config(name + ending) == ROOT / 'configs' / f'{BELOW}.py'

    def test_a_file_at_hand_comes_first(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path(f'{STEM}.py').write_text('x = 1\n')
        assert find_config(f'{STEM}.py') == Path(f'{STEM}.py')

    def test_of_mmpose(self):
        name = 'body_2d_keypoint/rtmpose/coco/rtmpose-t_8xb256-420e_coco-256x192.py'
        assert find_config(f'mmpose::{name}').is_file()
        with pytest.raises(FileNotFoundError, match="'mmpose::a/b' does not exist"):
            find_config('mmpose::a/b')

    def test_hints_are_quick_and_of_this_package(self, tmp_path):
        package = tmp_path / 'venv/lib/site-packages/torch'
        package.mkdir(parents=True)
        (package / 'nested_int.py').write_text('')
        with pytest.raises(FileNotFoundError) as raised:
            find_config(tmp_path / 'nested_net.py')
        assert 'site-packages' not in str(raised.value)
        start = time.process_time()
        with pytest.raises(FileNotFoundError, match='those of mmkp lie in'):
            find_config('/nonexistent_config.py')
        assert time.process_time() - start < 2
        with pytest.raises(FileNotFoundError, match=f"did you mean '.*{STEM}.py'"):
            find_config('lmdis_light_folder-64x64')

    def test_what_is_no_config(self, tmp_path):
        (tmp_path / 'iter_1.pth').write_bytes(b'PK')
        with pytest.raises(ValueError, match='the config first, then the checkpoint'):
            find_config(tmp_path / 'iter_1.pth')
        with pytest.raises(FileNotFoundError, match='is a folder'):
            find_config(tmp_path)

    @pytest.mark.parametrize('name', (STEM, f'{BELOW}.py'))
    def test_bases_of_another_project(self, name, tmp_path):
        path = tmp_path / 'mine.py'
        path.write_text(f"_base_ = 'mmkp::{name}'\nvisualizer = _base_.visualizer\n")
        # MMEngine's own reading, as MMPose's tools do it.
        cfg = Config.fromfile(path)
        assert cfg.model.type == 'LMDIS' and '_scope_' not in cfg.visualizer
        assert load_config(path).data_root == 'data/my_images'

    def test_bases_where_nobody_has_imported_this_package(self, tmp_path):
        path = tmp_path / 'mine.py'
        expression = "str(__import__('mmkp').engine.find_config('{}'))"
        path.write_text(f'_base_ = {expression.format(STEM)}\n')
        program = 'import sys; from mmengine import Config\n'
        program += 'print(Config.fromfile(sys.argv[1]).model.type)'
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', program, path],
            capture_output=True,
            text=True,
            env={'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        )
        assert done.stdout.split() == ['LMDIS'], done.stderr

    def test_every_config_is_found_by_its_stem(self):
        for path in configs_folder().rglob('*.py'):
            if '_base_' not in path.parts:
                assert find_config(path.stem) == path


class TestVariables:
    def test_all_that_a_config_makes_of_them_follows(self):
        options = typed('data_root=my photos, [2]=ä', 'num_keypoints=12')
        cfg = load_config(STEM, options)
        for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            assert loader.dataset.data_root == 'my photos, [2]=ä'
            assert loader.dataset.num_keypoints == 12
        assert cfg.model.head.num_keypoints == 12
        assert 'num_keypoints' not in cfg.model.generator  # it takes the head's
        assert (cfg.data_root, cfg.num_keypoints) == ('my photos, [2]=ä', 12)

    @pytest.mark.parametrize(
        'base, child, expected',
        (
            ('k: int = 10\ntrain_cfg = dict(a=k)\n', '', 7),
            ("k = 10; s = 'ä' * 2; train_cfg = dict(a=k, b=s)\n", '', 7),
            ('k = 10\n', 'train_cfg = dict(a=_base_.k)\n', 7),
            ('k = 10\n', 'train_cfg = dict(a={{_base_.k}})\n', 7),
            (
                'k = (\n    10\n)\ntrain_cfg = dict(a=[k for k in range(k)][-1])\n',
                '',
                6,
            ),
            ('k = 1\n', 'k = 10\ntrain_cfg = dict(a=k)\n', 7),
        ),
    )
    def test_wherever_they_are_assigned(self, tmp_path, base, child, expected):
        (tmp_path / 'base.py').write_text(base, encoding='utf-8')
        (tmp_path / 'child.py').write_text(f"_base_ = 'base.py'\n{child}")
        cfg = load_config(tmp_path / 'child.py', typed('k=7'), check=False)
        assert cfg.train_cfg.a == expected and cfg.k == 7

    def test_of_lazy_configs(self, tmp_path):
        (tmp_path / 'base.py').write_text('k = 10\nmodel = dict(a=k)\n')
        (tmp_path / 'child.py').write_text(
            'from mmengine.config import read_base\nwith read_base():\n'
            '    from .base import *\n'
        )
        assert (
            load_config(tmp_path / 'child.py', typed('k=7'), check=False).model.a == 7
        )

    @pytest.mark.parametrize(
        'text', ('k = 5 * 2', 'k = 10\nk += 1', 'k, m = 10, 2', 'if True:\n    k = 10')
    )
    def test_what_is_computed_cannot_be_set(self, tmp_path, text):
        path = tmp_path / 'computed.py'
        path.write_text(f'{text}\ntrain_cfg = dict(max_iters=k)\n')
        with pytest.raises(ConfigError, match="'k': it is a variable of the file"):
            load_config(path, typed('k=7'))

    def test_data_set_and_mode(self, tmp_path):
        path = tmp_path / 'mode.py'
        path.write_text("data_mode = 'topdown'\nmodel = dict(mode=data_mode)\n")
        cfg = load_config(path, typed('data_mode=bottomup'), check=False)
        assert cfg.model.mode == cfg.data_mode == 'bottomup'


class TestOptions:
    @pytest.mark.parametrize(
        'text, value',
        (
            *(('12', 12), ('1e-3', 1e-3), ('true', True), ('None', None), ('x', 'x')),
            *(('[1,2]', [1, 2]), ('(1,2)', (1, 2)), ('1,2', [1, 2]), ("'12'", '12')),
            *(('[a b, c]', ['a b', 'c']), ('a=b', 'a=b'), ('my photos', 'my photos')),
            ('[(1,2),[a,b],c]', [(1, 2), ['a', 'b'], 'c']),
        ),
    )
    def test_values(self, text, value):
        found = meant_value(OptionText(text))
        assert found == value and type(found) is type(value)

    @pytest.mark.parametrize('text', ('2024', 'a,b', 'a [b]', '(old) c', 'true', ' x '))
    def test_a_text_stays_a_text(self, text):
        assert meant_value(OptionText(text), 'data/x') == text
        assert meant_value(OptionText('None'), 'data/x') is None

    @pytest.mark.parametrize(
        'text', ('[1,2', '((1,', '{1,2', 'a[b,c', '[' * 5000, '[' * 5000 + ']' * 5000)
    )
    def test_brackets_that_are_not_closed_or_too_many(self, text):
        assert meant_value(OptionText(text)) == text

    def test_a_path_that_is_there(self, tmp_path):
        folder = tmp_path / 'a, b'
        folder.mkdir()
        assert meant_value(OptionText(folder)) == str(folder)

    def test_of_a_file_of_its_own(self):
        options = typed('train_dataloader.dataset.data_prefix.img=my photos/a,b', 'a=')
        assert options['a'] == ''
        del options['a']
        cfg = load_config('mmkp::fse-light_faces-64x64', options)
        assert cfg.train_dataloader.dataset.data_prefix.img == 'my photos/a,b'

    def test_without_a_value(self, capsys):
        with pytest.raises(SystemExit):
            typed('data_root=my', 'photos')
        assert "takes KEY=VALUE, got 'photos'" in capsys.readouterr().err

    def test_what_python_gives_is_taken_as_it_is(self):
        options = {'model.head.logit_scale': '2.0'}
        assert load_config(STEM, options).model.head.logit_scale == '2.0'


class TestReading:
    @pytest.mark.parametrize('name', ('a.py', 'a.json', 'a.yml', 'base'))
    def test_byte_order_mark(self, tmp_path, name):
        text = {'a.json': '{"model": {"a": 1}}', 'a.yml': 'model: {a: 1}\n'}
        text = text.get(name, 'model = dict(a=1)\n')
        path = tmp_path / name.replace('base', 'base.py')
        path.write_text(text, encoding='utf-8-sig')
        if name == 'base':
            path = tmp_path / 'child.py'
            path.write_text("_base_ = 'base.py'\n", encoding='utf-8-sig')
        assert load_config(path, check=False).model.a == 1

    def test_syntax(self, tmp_path):
        path = tmp_path / 'a.py'
        path.write_text('x = 1\nmodel = dict(a=1))\n')
        with pytest.raises(
            ConfigError, match=r"a.py cannot be read: unmatched '\)'.*2"
        ):
            load_config(path)

    def test_false_alarms_can_be_passed_by(self, tmp_path, capsys):
        extra = "model['bakbone'] = 1\n"
        path = tiny.write_config(tmp_path, extra=extra)
        with pytest.raises(ConfigError):
            load_config(path)
        assert load_config(path, check=False).model.bakbone == 1
        with pytest.raises(SystemExit):
            tiny.call_tool('analysis_tools/print_config.py', path)
        tiny.call_tool('analysis_tools/print_config.py', path, '--no-check')


class TestNumbersOfKeypoints:
    @pytest.mark.parametrize(
        'name, option',
        (
            (STEM, 'model.head.num_keypoints=12'),
            (STEM, 'model.generator.num_keypoints=12'),
            (STEM, 'val_dataloader.dataset.num_keypoints=12'),
            ('fse-light_faces-64x64', 'model.head.num_keypoints=12'),
            ('hourglass-s2_mpii-256x256', 'model.head.num_keypoints=12'),
            ('hourglass-s2_mpii-256x256', 'model.backbone.num_keypoints=12'),
            ('openpose_res50_coco-368x368', 'model.head.decoder.skeleton=mpi15'),
        ),
    )
    def test_must_agree(self, name, option):
        with pytest.raises(ConfigError, match='numbers of keypoints differ: .*; '):
            load_config(name, typed(option))

    @pytest.mark.parametrize(
        'place', ('model.metainfo', 'val_dataloader.dataset.metainfo')
    )
    def test_of_the_metainfo(self, place):
        cfg = load_config(STEM)
        cfg.merge_from_dict({place: dict(num_keypoints=12)})
        with pytest.raises(ConfigError, match=f'12 in .*{place}'):
            check_config(cfg)

    def test_of_selected_tokens(self):
        cfg = load_config('stable-keypoints_cub-512x512')
        cfg.model.train_cfg.num_selected = 12
        with pytest.raises(ConfigError, match=r'12 in model.train_cfg.num_selected; 4'):
            check_config(cfg)

    def test_of_a_data_set_that_says_none(self):
        cfg = load_config(STEM)
        del cfg.train_dataloader.dataset.num_keypoints
        with pytest.raises(ConfigError, match='train_data.*dataset says no num_keyp'):
            check_config(cfg)

    def test_of_mmpose(self):
        name = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        name += 'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
        cfg = Config.fromfile(find_config(name))
        check_config(cfg)
        cfg.model.head.out_channels = 16
        with pytest.raises(
            ConfigError, match=r'16 in model.head.out_ch.*; 17 in train'
        ):
            check_config(cfg)
