# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tables and config.yaml of DeepLabCut."""

import numpy as np
import pytest

from mmkp.labels import read_landmarks, read_skeleton

NAN = np.nan
ONE = (
    'scorer,A,A,A,A\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n'
    'labeled-data/m/0.png,1,2,3,4\nlabeled-data/m/1.png,5,6,,\n'
)
MANY = (
    'scorer,A,A,A,A,A,A\nindividuals,m1,m1,m2,m2,single,single\n'
    'bodyparts,nose,nose,nose,nose,corner,corner\ncoords,x,y,x,y,x,y\n'
    '0.png,1,2,3,4,9,9\n1.png,5,6,,,,\n2.png,,,,,,\n'
)


def read(tmp_path, text, **options):
    path = tmp_path / 't.csv'
    path.write_text(text)
    return read_landmarks(path, **options)


def test_one_animal(tmp_path):
    table = read(tmp_path, ONE)
    assert table.names == ['nose', 'tail']
    assert [e.file_name for e in table.entries][0] == 'labeled-data/m/0.png'
    assert [e.line for e in table.entries] == [4, 5]
    np.testing.assert_array_equal(table.entries[0].points, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(table.entries[1].points, [[5, 6], [NAN, NAN]])


def test_three_index_columns(tmp_path):
    text = ONE.replace('labeled-data/m/', 'labeled-data,m,')
    for level in ('scorer', 'bodyparts', 'coords'):
        text = text.replace(level, f'{level},,')
    table = read(tmp_path, text)
    assert table.entries[1].file_name == 'labeled-data/m/1.png'
    np.testing.assert_array_equal(table.entries[0].points, [[1, 2], [3, 4]])


def test_several_animals(tmp_path):
    with pytest.warns(UserWarning, match='1 rows without any point .* line 7'):
        table = read(tmp_path, MANY)
    assert table.names == ['nose', 'corner']
    assert [e.file_name for e in table.entries] == ['0.png'] * 3 + ['1.png']
    expected = [
        [[1, 2], [NAN, NAN]],
        [[3, 4], [NAN, NAN]],
        [[NAN, NAN], [9, 9]],
        [[5, 6], [NAN, NAN]],
    ]
    np.testing.assert_array_equal([e.points for e in table.entries], expected)


def test_likelihoods_and_other_columns(tmp_path):
    text = (
        'scorer,N,N,N,N,N,N,set\nbodyparts,a,a,a,b,b,b,\n'
        'coords,x,y,likelihood,x,y,likelihood,\n'
        '0.png,1,2,.9,3,4,.2,train\n'
    )
    with pytest.warns(UserWarning) as told:
        table = read(tmp_path, text, min_likelihood=0.5)
    np.testing.assert_array_equal(table.entries[0].points, [[1, 2], [NAN, NAN]])
    said = '\n'.join(str(warning.message) for warning in told)
    assert 'columns that are not read: set' in said
    assert '1 points of a likelihood below 0.5' in said


def test_semicolons_and_decimal_commas(tmp_path):
    text = 'sep=;\n' + ONE.replace(',', ';').replace('1;2', '1,5;2')
    with pytest.warns(UserWarning, match='1 numbers with a comma'):
        table = read(tmp_path, text)
    np.testing.assert_array_equal(table.entries[0].points, [[1.5, 2], [3, 4]])
    assert table.entries[0].line == 5


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('bodyparts,nose,nose,tail,tail\n', '', 'no header row "bodyparts"'),
        ('coords,x,y,x,y\n', '', 'no header row "coords"'),
        ('nose,nose,tail,tail', 'nose,nose,nose,nose', 'line 3: x of nose is .* twice'),
        ('coords,x,y,x,y', 'coords,x,z,x,y', 'line 3: nose has the columns x, z'),
        ('coords,x,y,x,y', 'coords,,,,', 'no columns x and y'),
        ('1,2,3,4', '1,2,3,q', "line 4: 'q' is no number"),
        ('labeled-data/m/', '', None),
    ],
)
def test_contradictions_are_refused(tmp_path, old, new, message):
    if message is None:
        text = ONE.replace('labeled-data/m/', '').replace('.png', '')
        with pytest.raises(ValueError, match='line 4: the rows are numbered 0, ...'):
            read(tmp_path, text)
        return
    with pytest.raises(ValueError, match=message):
        read(tmp_path, ONE.replace(old, new))


def test_header_alone(tmp_path):
    with pytest.raises(ValueError, match='a header, but no rows'):
        read(tmp_path, ONE.split('labeled')[0])


def test_skeletons(tmp_path):
    path = tmp_path / 'config.yaml'
    for links, expected in (
        ('[[a, b], [b, c]]', [(0, 1), (1, 2)]),
        ('[]', []),
        ('', []),
    ):
        path.write_text(f'bodyparts: [a, b, c]\nskeleton: {links}\n')
        assert read_skeleton(path, ['a', 'b', 'c']) == expected


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('bodyparts: [a]\nskeleton: [[a, d]]', 'the skeleton links d, which'),
        ('bodyparts: [a]\nskeleton: [a, b]', 'no list of pairs'),
        ('bodyparts: [a]\nskeleton: {a: b}', 'no list of pairs'),
        ('bodyparts: [a\n', 'line 2: no YAML'),
        ('\tbodyparts: a', 'line 1: no YAML'),
        ('[1]', 'no config.yaml of DeepLabCut'),
        ('bodyparts: !!python/object/apply:os.getcwd []', 'line 1: no YAML of plain'),
    ],
)
def test_other_yaml_is_refused(tmp_path, text, message):
    path = tmp_path / 'config.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_skeleton(path, ['a', 'b'])


@pytest.mark.parametrize(
    ('pattern', 'entries', 'names'),
    [
        ('openfield/labeled-data/*/CollectedData_*.csv', 86, 4),
        ('animals/mirror_mouse/CollectedData.csv', 90, 17),
        ('speech/lips/labeled-data/*/CollectedData_*.csv*', 162, 8),
        ('speech/ultrasound/labeled-data/*/CollectedData_*.csv', 158, 14),
    ],
)
@pytest.mark.filterwarnings('ignore:.*rows without any point')
def test_golden_tables_of_the_provided_data(data_dir, pattern, entries, names):
    tables = [read_landmarks(path) for path in data_dir.glob(pattern)]
    if not tables:
        pytest.skip('not among the provided data')
    assert sum(len(table.entries) for table in tables) == entries
    assert {len(table.names) for table in tables} == {names}
