"""Tools for part affinity models: weights of another skeleton, counts, publishing."""

import pytest
import tiny
import tiny_people
from mmengine.config import Config
from mmpose.registry import MODELS

from mmkp.apis import load_model
from mmkp.engine import CheckpointMismatchError

TWO_STAGES = """
model['head']['stages'] = dict(type='TwoBranchStages', num_stages=2, channels=4)
"""


@pytest.fixture(scope='module')
def networks(tmp_path_factory):
    """Configs and checkpoints of two skeletons."""
    folder = tmp_path_factory.mktemp('networks')
    configs = [
        tiny_people.write_config(folder, skeleton, 'TwoBranchStages', TWO_STAGES)
        for skeleton in ('coco18', 'body25')
    ]
    text = configs[1].read_text()  # its data set has the feet
    configs[1].write_text(text.replace("'CocoDataset'", "'CocoBodyFootDataset'"))
    return [(config, tiny_people.write_checkpoint(config)) for config in configs]


def test_checkpoint_of_another_skeleton(networks, tmp_path, capsys):
    (coco, _), (body, checkpoint) = networks
    load_model(body, checkpoint, 'cpu')
    message = (
        f'{checkpoint} holds a model of 25 keypoints and 26 limbs, {coco} asks for 18 '
        "and 19 ('coco18'): use the config that it was trained with, or give the "
        'codec its skeleton'
    )
    with pytest.raises(CheckpointMismatchError) as raised:
        load_model(coco, checkpoint, 'cpu')
    assert str(raised.value) == message
    with pytest.raises(SystemExit):
        tiny.call_tool('test.py', coco, checkpoint, '--work-dir', tmp_path)
    assert message in capsys.readouterr().err


def test_checkpoint_of_other_stages_of_the_same_skeleton(networks, tmp_path):
    (_, checkpoint), _ = networks
    wider = TWO_STAGES.replace('channels=4', 'channels=5')
    config = tiny_people.write_config(tmp_path, 'coco18', 'TwoBranchStages', wider)
    with pytest.raises(CheckpointMismatchError, match='holds another model than'):
        load_model(config, checkpoint, 'cpu')


def test_get_flops_takes_the_size_of_the_codec(networks, capsys):
    config, _ = networks[0]
    tiny.call_tool('analysis_tools/get_flops.py', config)
    told = capsys.readouterr().out
    assert 'input shape: (1, 3, 96, 96)' in told
    model = MODELS.build(Config.fromfile(config).model)
    assert f'parameters: {sum(p.numel() for p in model.parameters()):,}' in told
    tiny.call_tool('analysis_tools/get_flops.py', config, '--input-shape', 64, 128)
    assert 'input shape: (1, 3, 64, 128)' in capsys.readouterr().out


def test_print_config(networks, capsys):
    tiny.call_tool('analysis_tools/print_config.py', networks[1][0])
    assert "skeleton='body25'" in capsys.readouterr().out


def test_published_weights_load(networks, tmp_path):
    config, checkpoint = networks[0]
    tiny.call_tool('misc/publish_model.py', checkpoint, tmp_path / 'model.pth')
    [path] = tmp_path.glob('model-*.pth')
    weights = load_model(config, path, 'cpu').state_dict()
    for name, value in load_model(config, checkpoint, 'cpu').state_dict().items():
        assert value.equal(weights[name])
