import pytest

from mmkp.engine import ConfigError, load_config

NAME = 'lmdis-light-frame_flies-64x64'


def test_a_turned_crop_whose_turn_is_dropped_is_refused():
    cfg = load_config(NAME)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        names = [step.type for step in loader.dataset.pipeline]
        assert names[2:] == ['ObjectFrameCrop', 'PackPoseInputs']
    key = 'train_dataloader.dataset.pipeline.3.meta_keys'
    with pytest.raises(ConfigError, match="keep 'input_rotation', without which"):
        load_config(NAME, {key: ['img_path', 'input_center']})
