"""Label files that are damaged or would run code are refused in one sentence."""

import pickle
import warnings

import numpy as np
import pytest
from label_sets import import_libraries, some_labels

from mmkp.labels import read_labels, write_labels


def test_xml_with_entities_is_refused(tmp_path):
    path = tmp_path / 'bomb.xml'
    entities = ''.join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(9)
    )
    path.write_text(
        f'<!DOCTYPE annotations [{entities}]><annotations>&e8;</annotations>'
    )
    with pytest.raises(ValueError, match='declares a document type or entities'):
        read_labels(path, 'cvat')


class Bomb:
    """What a hostile file holds: it would write a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), 'w'))


@pytest.mark.parametrize('where', ['attribute', 'axis', 'table'])
def test_pickles_are_not_run(tmp_path, where):
    import_libraries('dlc-h5')
    import h5py

    path, trace = tmp_path / 'x.h5', tmp_path / 'run'
    write_labels(some_labels(), path, 'dlc-h5')
    content = pickle.dumps(Bomb(trace))
    with h5py.File(path, 'a') as file:
        group = file['df_with_missing']
        if where == 'attribute':
            group.attrs['encoding'] = np.void(content)
        elif where == 'axis':
            del group['axis1']
            axis = group.create_dataset(
                'axis1', (1,), h5py.vlen_dtype(np.dtype('uint8'))
            )
            axis[0] = np.frombuffer(content, np.uint8)
            axis.attrs['CLASS'] = b'VLARRAY'
            axis.attrs['PSEUDOATOM'] = b'object'
        else:
            group.attrs['pandas_type'] = b'frame_table'
            group.attrs['non_index_axes'] = np.void(content)
    if where == 'attribute':  # one that says nothing of the table
        assert len(read_labels(path)) == 2
    else:
        with pytest.raises(ValueError, match='pickle that is more than plain data'):
            read_labels(path)
    assert not trace.exists()


def test_files_that_lead_elsewhere_are_refused(tmp_path):
    import_libraries('sleap-h5')
    import h5py

    path, secret = tmp_path / 'x.h5', tmp_path / 'secret.h5'
    write_labels(some_labels(), secret, 'sleap-h5')
    with h5py.File(path, 'w') as file:
        for name in ('tracks', 'node_names', 'track_names'):
            file[name] = h5py.ExternalLink(str(secret), name)
    with pytest.raises(ValueError, match='is a link to another file'):
        read_labels(path)
    with h5py.File(path, 'w') as file:
        for name in ('node_names', 'track_names'):
            file[name] = [b'a']
        file.create_dataset('tracks', (1, 2, 1, 1 << 40), 'f8', chunks=(1, 2, 1, 9))
    with pytest.raises(ValueError, match='claim 17592186044433|fill the memory'):
        read_labels(path)


@pytest.mark.parametrize('name', ['slp', 'sleap-h5', 'dlc-h5', 'nwb', 'cvat', 'coco'])
def test_truncated_files_are_one_sentence(tmp_path, name):
    import_libraries(name)
    path = tmp_path / 'whole'
    write_labels(some_labels(), path, name)
    content = path.read_bytes()
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        with (
            pytest.raises(ValueError, match='whole') as caught,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter('ignore')
            read_labels(path, name)
        assert '\n' not in str(caught.value) and len(str(caught.value)) < 700


def test_lists_that_unfold_are_not_written_out(tmp_path):
    import_libraries('dlc-h5')
    import h5py

    bomb = ['ha']
    for _ in range(40):
        bomb = [bomb] * 10
    path = tmp_path / 'x.h5'
    write_labels(some_labels(), path, 'dlc-h5')
    with h5py.File(path, 'a') as file:
        group = file['df_with_missing']
        group.attrs['pandas_type'] = b'frame_table'
        content = pickle.dumps([(1, [(bomb, 'a', 'x')])])
        group.attrs['non_index_axes'] = np.void(content)
    with pytest.raises(ValueError, match='a list is where a name is expected'):
        read_labels(path)
    lines = ['a0: &a0 [ha]']
    lines += [f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 10)}]' for n in range(1, 40)]
    folder = tmp_path / 'yolo'
    for shape, name in (('*a39', 'nose'), ('[2, 3]', '*a39, tail')):
        write_labels(some_labels(), folder, 'yolo', overwrite=True)
        text = [*lines, f'kpt_shape: {shape}', f'kpt_names: [{name}]', 'train: images']
        (folder / 'data.yaml').write_text('\n'.join(text))
        with pytest.raises(ValueError, match='kpt_shape is no list|where a name is'):
            read_labels(folder)
