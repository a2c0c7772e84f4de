"""Each image is in one shard, which is named by hand or by Slurm."""

import tracemalloc

import cv2
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.apis import sources
from mmkp.apis.shards import Selection, Shard, read_shard


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=8), unique=True), st.integers(1, 9))
def test_each_name_is_in_one_shard(names, count):
    owners = [[n for n in names if Shard(i, count).owns(n)] for i in range(count)]
    assert sorted(sum(owners, [])) == sorted(names)


def test_shards_are_of_similar_size_and_the_same_everywhere():
    names = [f'cam/{index:06d}.jpg' for index in range(8000)]
    for count in (2, 3, 8):
        chosen = [Selection(Shard(index, count)) for index in range(count)]
        sizes = [sum(map(one, names)) for one in chosen]
        assert sum(sizes) == 8000 and max(sizes) < 1.1 * 8000 / count
        assert len({tuple(one.listing) for one in chosen}) == 1
    # Written down, as other machines and versions must agree.
    assert [Shard(0, 2).owns(name) for name in names[:8]] == [
        True, False, False, False, False, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('variables', 'expected'),
    [
        ('PROCID=3 NTASKS=4', '3/4'),
        ('ARRAY_TASK_ID=5 ARRAY_TASK_COUNT=4 ARRAY_TASK_MIN=2', '3/4'),
        (
            'ARRAY_TASK_ID=14 ARRAY_TASK_COUNT=3 ARRAY_TASK_MIN=10 ARRAY_TASK_STEP=2',
            '2/3',
        ),
        (
            'ARRAY_TASK_ID=1 ARRAY_TASK_COUNT=2 ARRAY_TASK_MIN=0 PROCID=1 NTASKS=3',
            '4/6',
        ),
        ('', 'neither SLURM_PROCID and SLURM_NTASKS nor'),
        ('PROCID=3', 'neither SLURM_PROCID and'),
        ('PROCID=x NTASKS=4', "SLURM_PROCID is 'x', no number"),
        ('ARRAY_TASK_ID=7 ARRAY_TASK_COUNT=3 ARRAY_TASK_MIN=1', 'not evenly spaced'),
    ],
)
def test_tasks_of_slurm(variables, expected):
    environment = dict(f'SLURM_{one}'.split('=') for one in variables.split())
    if '/' in expected:
        assert str(read_shard('auto', environment)) == expected
        return
    with pytest.raises(ValueError, match=expected):
        read_shard('auto', environment)


@pytest.mark.parametrize('text', ['2/2', '0/0', '-1/2', '1', 'x/2', '1/2/3'])
def test_what_is_no_shard(text):
    with pytest.raises(ValueError, match=f'--shard .?{text}'):
        read_shard(text)


def test_a_million_paths_are_lean(tmp_path, monkeypatch):
    number = 8_000
    names = [f'camera_01/2026-11-30/frame_{index:09d}.jpg' for index in range(number)]
    monkeypatch.setattr(sources, 'find_images', lambda *args, **options: names)

    def size(owns):
        tracemalloc.start()
        found = sources.parts_of(tmp_path, owns=owns)
        held = tracemalloc.get_traced_memory()[0] / number
        tracemalloc.stop()
        return held, len(found.parts)

    held, found = size(None)
    assert found == number and held < 130
    held, found = size(Selection(Shard(0, 8)))
    assert abs(found - number / 8) < number / 80 and held < 20


def test_images_of_parts_are_where_they_were(tmp_path):
    tiny.draw_figures(tmp_path / 'in/deep', 2)
    (tmp_path / 'list.txt').write_text('in/deep/001.png\nin/deep/000.png\n')
    for source in (tmp_path / 'in', tmp_path / 'list.txt', f'{tmp_path}/in/*/*.png'):
        parts = sources.parts_of(source).parts
        assert [part.rank for part in parts] == [0, 1]
        for part in parts:
            assert (part.read() == cv2.imread(str(part.path))).all()
