# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Arrays of .npz files, and what is none."""

import numpy as np
import pytest

from mmkp.labels import numbers_of, read_npz


def test_arrays_are_read_and_missing_ones_named(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, points=np.arange(3), names=np.array(['a']))
    arrays = read_npz(path, ('points',))
    assert numbers_of(arrays, 'points', path).tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(ValueError, match='a.npz lacks split; it holds names, points'):
        read_npz(path, ('points', 'split'))
    with pytest.raises(ValueError, match='names holds values of the type <U1, not num'):
        numbers_of(arrays, 'names', path)


def test_every_truncation_and_change_is_an_error_or_harmless(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez_compressed(path, points=np.random.default_rng(0).random(200))
    content = path.read_bytes()
    generator = np.random.default_rng(1)
    for length in generator.integers(0, len(content), 60):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match='a.npz'):
            read_npz(path)
    for place in generator.integers(0, len(content) - 4, 200):
        path.write_bytes(content[:place] + b'\xff\x81\x00\xfe' + content[place + 4 :])
        try:
            read_npz(path)
        except ValueError as error:
            assert 'a.npz' in str(error)


def test_pickles_are_not_read(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, points=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match='holds Python objects'):
        read_npz(path)
