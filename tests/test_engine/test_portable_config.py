"""A config that is moved with its folder."""

from mmengine.config import Config

from mmkp.engine.portable_config import write_portable_config


def test_files_come_along_and_paths_are_those_of_the_folder(tmp_path):
    scene = tmp_path / 'first' / 'scene.png'
    scene.parent.mkdir()
    scene.write_bytes(b'picture')
    step = dict(type='CutOutFigure', scene=str(scene))
    (tmp_path / 'second').mkdir()
    images = f'{tmp_path}/second/images'
    content = dict(a=1, data=dict(root=images, other='/x', pipeline=[step]), scene=None)
    write_portable_config(Config(content), tmp_path / 'second' / 'config.py')
    moved = (tmp_path / 'second').rename(tmp_path / 'moved')
    scene.unlink()
    found = Config.fromfile(moved / 'config.py')
    assert found.a == 1 and found.scene is None and found.data.other == '/x'
    assert found.data.root == f'{moved}/images'
    copied = moved / 'scene.png'
    assert found.data.pipeline[0].scene == str(copied)
    assert copied.read_bytes() == b'picture'
