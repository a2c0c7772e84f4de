"""Each mistake is told in one sentence that names it, its place and a remedy."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch
from mmengine.config import Config

from mmkp.engine import ConfigError, check_config, load_config, mixed_precision
from mmkp.engine.checkpoint import load_checkpoint_file

ROOT = Path(__file__).resolve().parents[1].parent
CONFIGS = sorted(ROOT.glob('configs/*/**/*.py'))


def told(capsys, tool, *arguments):
    """What a tool says before it ends with status 2."""
    with pytest.raises(SystemExit) as stopped:
        tiny.call_tool(tool, *arguments)
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith('error: ') and 'Traceback' not in message
    return message


def test_no_traceback_on_the_real_command_line(tmp_path):
    extra = "model['bakbone'] = 1\ncustom_imports = dict(imports=['mmkp', 'tiny'])\n"
    config = tiny.write_config(tmp_path, extra=extra)
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/train.py', config],
        capture_output=True,
        text=True,
        env={'PYTHONPATH': f'{ROOT}:{ROOT / "tests"}', 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        f"error: {config}: unknown key 'bakbone' in 'model' (AutoLink), "
        "did you mean 'backbone'?"
    ]


@pytest.mark.parametrize(
    'extra, message',
    [
        (
            "model['head']['num_keypoint'] = 5\n",
            "unknown key 'num_keypoint' in 'model.head' (SoftArgmaxHead), "
            "did you mean 'num_keypoints'?",
        ),
        (
            "model['backbone']['type'] = 'AutoLinkEncodr'\n",
            "unknown type 'AutoLinkEncodr' in 'model.backbone', "
            "did you mean 'AutoLinkEncoder'?",
        ),
        (
            "train_dataloader['batchsize'] = 5\n",
            "unknown key 'batchsize' in 'train_dataloader', did you mean 'batch_size'?",
        ),
        (
            "train_dataloader['dataset']['data_rot'] = 'x'\n",
            "unknown key 'data_rot' in 'train_dataloader.dataset' "
            "(UnlabeledImageDataset), did you mean 'data_root'?",
        ),
        (
            "dataset['pipeline'][2]['inputsize'] = 5\n",
            "unknown key 'inputsize' in 'val_dataloader.dataset.pipeline[2]' "
            "(TopdownAffine), did you mean 'input_size'?",
        ),
        (
            "optim_wrapper['optimizr'] = optim_wrapper.pop('optimizer')\n",
            "unknown key 'optimizr' in 'optim_wrapper', did you mean 'optimizer'?",
        ),
        (
            "optim_wrapper['optimizer']['learning_rate'] = 1\n",
            "unknown key 'learning_rate' in 'optim_wrapper.optimizer' (Adam)",
        ),
        (
            "default_hooks['checkpoint']['intervall'] = 1\n",
            "unknown key 'intervall' in 'default_hooks.checkpoint' "
            "(AtomicCheckpointHook), did you mean 'interval'?",
        ),
        (
            "param_scheduler[0]['start_facter'] = 1\n",
            "unknown key 'start_facter' in 'param_scheduler[0]' (LinearLR), "
            "did you mean 'start_factor'?",
        ),
        (
            "train_cfg['max_iter'] = 1\n",
            "unknown key 'max_iter' in 'train_cfg', did you mean 'max_iters'?",
        ),
        (
            'optim_wraper = optim_wrapper\ndel optim_wrapper\n',
            "unknown key 'optim_wraper', did you mean 'optim_wrapper'?",
        ),
    ],
)
def test_typing_error_in_a_config(tmp_path, extra, message):
    config = tiny.write_config(tmp_path, extra=extra)
    with pytest.raises(ConfigError) as raised:
        load_config(config)
    assert message in str(raised.value) and str(config) in str(raised.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    extra = "model['bakbone'] = 1\nmodel['head']['gird'] = 'inclusive'\n"
    with pytest.raises(ConfigError, match="(?s)'bakbone'.*\n.*'gird'|'gird'.*\n.*'bak"):
        load_config(tiny.write_config(tmp_path, extra=extra))


@pytest.mark.parametrize(
    'option, message',
    [
        ('modle.head.num_keypoints=5', "has no key 'modle', did you mean 'model'?"),
        ('model.head.num_keypoint=5', "did you mean 'num_keypoints'?"),
        ('train_cfg.max_iter=5', "did you mean 'max_iters'?"),
        ('model.head.num_keypoints.x=5', "'model.head.num_keypoints' is 4, which has"),
        ('param_scheduler.5.end=5', "'param_scheduler' is a list of 2 items, '5' is"),
        (
            'dataset.data_root=x',
            'setting it would change nothing: set train_dataloader.dataset.data_root, '
            'val_dataloader.dataset.data_root',
        ),
        (
            'model.head.num_keypoints=5',
            'the numbers of keypoints differ: 5 in model.head.num_keypoints; '
            '4 in model.generator.num_keypoints, train_dataloader.dataset.num_key',
        ),
    ],
)
def test_option_without_effect(tmp_path, capsys, option, message):
    config = tiny.write_config(tmp_path)
    assert message in told(capsys, 'train.py', config, '--cfg-options', option)


@pytest.mark.parametrize(
    'option',
    [
        'model.test_cfg.output_heatmaps=True',
        'optim_wrapper.clip_grad.max_norm=1',
        'train_dataloader.persistent_workers=False',
        'auto_scale_lr.enable=True',
        'work_dir=elsewhere',
        'model.init_cfg=None',
        'param_scheduler.0.end=5',
    ],
)
def test_options_that_add_what_is_known(tmp_path, option):
    key, _, value = option.partition('=')
    value = dict(True_=True, None_=None).get(f'{value}_', value)
    load_config(tiny.write_config(tmp_path), {key: value})


def test_missing_config(tmp_path, capsys):
    tiny.write_config(tmp_path, name='autolink_faces.py')
    message = told(
        capsys, 'analysis_tools/print_config.py', tmp_path / 'autolink_face.py'
    )
    assert 'autolink_face.py' in message and 'does not exist, did you mean' in message
    assert f"'{tmp_path / 'autolink_faces.py'}'" in message


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_configs_of_this_package_hold_no_mistake(path):
    load_config(path)


def test_configs_of_mmpose_are_not_suspected():
    import mmpose

    folder = Path(mmpose.__file__).parent / '.mim' / 'configs'
    names = [
        'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192',
        'body_2d_keypoint/associative_embedding/coco/'
        'ae_hrnet-w32_8xb24-300e_coco-512x512',
        'body_2d_keypoint/rtmo/coco/rtmo-s_8xb32-600e_coco-640x640',
        'body_2d_keypoint/rtmpose/coco/rtmpose-t_8xb256-420e_coco-256x192',
        'body_3d_keypoint/motionbert/h36m/'
        'motionbert_dstformer-243frm_8xb32-240e_h36m-original',
    ]
    for name in names:
        check_config(Config.fromfile(folder / f'{name}.py'))


def checkpoint_with(folder, **changes):
    """The trained checkpoint, changed."""
    content = load_checkpoint_file(tiny.trained()[1])
    content.update(changes)
    path = folder / 'changed.pth'
    torch.save(content, path)
    return path


@pytest.mark.parametrize('tool', ['test.py', 'infer.py', 'train.py'])
def test_checkpoint_of_another_number_of_keypoints(tmp_path, capsys, tool):
    _, checkpoint = tiny.trained()
    config = tiny.write_config(tmp_path, num_keypoints=6)
    arguments = {
        'test.py': [checkpoint],
        'infer.py': [checkpoint, tmp_path / 'images', '--out', tmp_path / 'out'],
        'train.py': ['--resume', checkpoint],
    }[tool]
    if tool != 'infer.py':
        arguments += ['--work-dir', tmp_path / 'work']
    message = told(capsys, tool, config, *arguments)
    more = (
        '; to start a new training from what fits, as with another number of '
        'keypoints, leave out --resume and add '
        f'--cfg-options load_from={checkpoint} '
        'default_hooks.checkpoint_match.enable=False'
    )
    assert message == (
        f'error: {checkpoint} holds a model of 4 keypoints, {config} asks for 6: use '
        'the config that it was trained with, or set num_keypoints to 4'
        f'{more * (tool == "train.py")}\n'
    )


def test_checkpoint_of_another_network(tmp_path, capsys):
    _, checkpoint = tiny.trained()
    extra = "model['backbone']['channels'] = [6, 8]\n"
    config = tiny.write_config(tmp_path, extra=extra)
    message = told(capsys, 'test.py', config, checkpoint, '--work-dir', tmp_path)
    assert f'{checkpoint} holds another model than {config} (AutoLink)' in message
    assert 'is (4, 3, 3, 3) in the file and (6, 3, 3, 3) in the model' in message
    assert message.count('\n') == 1


def test_checkpoint_of_a_part_may_start_a_training_but_not_be_tested(tmp_path, capsys):
    config, checkpoint = tiny.trained()
    weights = load_checkpoint_file(checkpoint)['state_dict']
    part = {key: value for key, value in weights.items() if 'backbone' in key}
    path = checkpoint_with(tmp_path, state_dict=part)
    options = ['--cfg-options', f'load_from={path}', 'train_cfg.max_iters=1']
    tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work', *options)
    message = told(capsys, 'test.py', config, path, '--work-dir', tmp_path / 'work')
    assert 'is not in the file' in message


def test_checkpoint_that_is_absent_or_truncated(tmp_path, capsys):
    config, checkpoint = tiny.trained()
    message = told(capsys, 'test.py', config, tmp_path / 'absent.pth')
    assert message == f"error: checkpoint '{tmp_path / 'absent.pth'}' does not exist\n"
    broken = tmp_path / 'broken.pth'
    broken.write_bytes(checkpoint.read_bytes()[:9000])
    message = told(capsys, 'test.py', config, broken)
    assert message.endswith("broken.pth' cannot be read: it is truncated\n")
    message = told(capsys, 'train.py', config, '--resume', broken)
    assert message.endswith('cannot be read: it is truncated\n')
    assert 'truncated' in told(
        capsys, 'infer.py', config, broken, tmp_path, '--out', tmp_path
    )


@pytest.mark.parametrize('number', [1, 0])
def test_one_keypoint_works_and_none_is_an_error(tmp_path, capsys, number):
    config = tiny.write_config(tmp_path, num_keypoints=number, max_iters=2)
    if number == 1:
        tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work')
        assert (tmp_path / 'work' / 'iter_2.pth').is_file()
        return
    message = told(capsys, 'train.py', config, '--work-dir', tmp_path / 'work')
    assert message == 'error: num_keypoints=0: at least one keypoint is needed\n'


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--amp', 'float16'], 'mixed precision of float16 needs a GPU'),
        (['--resume', 'absent.pth'], "checkpoint 'absent.pth' does not exist"),
    ],
)
def test_options_of_train(tmp_path, capsys, arguments, message, monkeypatch):
    monkeypatch.setattr(mixed_precision, 'get_device', lambda: 'cpu')
    config = tiny.write_config(tmp_path)
    assert message in told(capsys, 'train.py', config, *arguments)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--dump', 'p.json'], "--dump writes a .pkl file, got 'p.json'"),
        (['--badcase'], '--badcase needs a measure of single predictions'),
    ],
)
def test_options_of_test(capsys, arguments, message):
    config, checkpoint = tiny.trained()
    assert message in told(capsys, 'test.py', config, checkpoint, *arguments)


@pytest.mark.parametrize('tool', ['infer.py', 'test.py'])
def test_config_and_checkpoint_in_the_wrong_order(tool, tmp_path, capsys):
    config, checkpoint = tiny.trained()
    further = [tmp_path] if tool == 'infer.py' else []
    unnamed = tmp_path / 'weights'
    unnamed.write_bytes(checkpoint.read_bytes())
    for weights in (checkpoint, unnamed):
        message = told(capsys, tool, weights, config, *further)
        assert f"'{weights}' is given as CONFIG and '{config}' as CHECKPOINT" in message
        assert 'the config (.py) comes first' in message
