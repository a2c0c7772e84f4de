# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Landmarks of plain tables: numbers, gaps, names, repeated rows."""

import numpy as np
import pytest

from mmkp.labels import read_landmarks

NAN = np.nan


def landmarks(tmp_path, text, **options):
    path = tmp_path / 't.csv'
    path.write_text(text, encoding='utf-8')
    return read_landmarks(path, **options)


def points(table):
    return np.stack([entry.points for entry in table.entries])


@pytest.mark.parametrize(
    'header',
    ['x0,y0,x1,y1', 'y1,x1,y0,x0', 'x_0,y_0,x_1,y_1', 'x00,y00,x01,y01'],
)
def test_numbered_columns_in_any_order(tmp_path, header):
    by_axis = dict(zip(('x0', 'y0', 'x1', 'y1'), '1234', strict=True))
    names = [
        n.replace('_', '').replace('00', '0').replace('01', '1')
        for n in header.split(',')
    ]
    row = ','.join(by_axis[name] for name in names)
    table = landmarks(tmp_path, f'file_name,{header}\na.png,{row}\n')
    assert table.names == ['point_0', 'point_1']
    np.testing.assert_array_equal(points(table), [[[1, 2], [3, 4]]])


@pytest.mark.parametrize('mark', '_. ')
def test_named_columns(tmp_path, mark):
    header = ','.join(
        f'{name}{mark}{axis}' for name in ('tip', 'left_ear') for axis in 'xy'
    )
    table = landmarks(tmp_path, f'file_name,{header}\na.png,1,2,3,4\n')
    assert table.names == ['tip', 'left_ear']
    np.testing.assert_array_equal(points(table), [[[1, 2], [3, 4]]])


@pytest.mark.parametrize('gap', ['', 'NaN', 'nan', 'NA', '-', 'null', '#N/A', ' '])
def test_gaps(tmp_path, gap):
    text = f'file_name,x0,y0,x1,y1\na.png,{gap},{gap},3,4\n'
    expected = [[[NAN, NAN], [3, 4]]]
    np.testing.assert_array_equal(points(landmarks(tmp_path, text)), expected)


def test_a_number_for_missing_counts_for_both_coordinates(tmp_path):
    text = 'file_name,x0,y0,x1,y1,x2,y2\na.png,-1,-1,-1,4,5,6\n'
    table = landmarks(tmp_path, text, missing=-1)
    np.testing.assert_array_equal(points(table), [[[NAN, NAN], [-1, 4], [5, 6]]])


def test_half_points_are_told(tmp_path):
    text = 'file_name,x0,y0,x1,y1\na.png,1,2,3,4\nb.png,1,,3,4\nc.png,1,2,,4\n'
    with pytest.warns(UserWarning, match='2 points have one coordinate only.*line 3'):
        table = landmarks(tmp_path, text)
    assert np.isnan(points(table)[1, 0]).all()


def test_decimal_commas(tmp_path):
    text = 'file_name;x0;y0\na.png;1,5;2\nb.png;,25;-3,0e1\n'
    with pytest.warns(UserWarning, match='line 2: 3 numbers with a comma'):
        table = landmarks(tmp_path, text, separator='semicolon')
    np.testing.assert_array_equal(points(table), [[[1.5, 2]], [[0.25, -30]]])


@pytest.mark.parametrize(
    ('number', 'separator'),
    [
        ('1.234,5', 'semicolon'),
        ('"1,234"', None),
        ("1'234", None),
        ('1_000', None),
        ('1 234', None),
        ('12px', None),
        ('inf', None),
        ('1e999', None),
        ('٣', None),
    ],
)
def test_other_numbers_are_refused(tmp_path, number, separator):
    text = 'file_name,x0,y0\na.png,1,2\nb.png,1,'.replace(
        ',', ';' if separator else ','
    )
    text += f'{number}\n'
    with pytest.raises(ValueError, match='t.csv, line 3: .*(no number|too large)'):
        landmarks(tmp_path, text, separator=separator)


def test_two_decimal_marks_are_refused(tmp_path):
    text = 'file_name;x0;y0\na.png;1,5;2\nb.png;1.234;2\n'
    with pytest.raises(ValueError, match=r"line 3: '1.234' has another .* than line 2"):
        landmarks(tmp_path, text, separator='semicolon')


@pytest.mark.parametrize(
    ('header', 'message'),
    [
        ('x0,y0,x2,y2', 'has no column x1'),
        ('x1,y1,x2,y2', 'has no column x0'),
        ('x0,y0,x1', 'has no column y1'),
        ('x0,y0,y1', 'has no column x1'),
        ('tip_x,tip_y,ear_x', 'has no column ear_y'),
        ('tip_x,tip_y,tip_z', 'third coordinate of tip'),
        ('x0,y0,x0', 'the column x0 is there twice'),
        ('a,b', 'neither a column keypoints nor x0'),
    ],
)
def test_gaps_in_the_columns_are_refused(tmp_path, header, message):
    count = header.count(',') + 1
    text = f'file_name,{header}\na.png{",1" * count}\n'
    with pytest.raises(ValueError, match=message):
        landmarks(tmp_path, text)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (
            'a.png,1,2\nb.png,3,4\n',
            'line 1 has no column file_name and looks like data',
        ),
        ('name,x0,y0\na.png,1,2\n', r'has no column file_name \(it has name, x0, y0\)'),
        ('file_name,x0,y0\n', 'has a header, but no rows'),
        ('track,frame_idx,nose.x,nose.y\n0,1,2,3\n', 'a table of a film'),
    ],
)
def test_headers(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        landmarks(tmp_path, text)


def test_columns_that_are_not_read_are_told(tmp_path):
    text = ',file_name,x0,y0,score\n0,a.png,1,2,.9\n'
    with pytest.warns(UserWarning, match=r'not read: \(no name\), score'):
        landmarks(tmp_path, text)


@pytest.mark.parametrize(
    ('cell', 'expected'),
    [
        ('[[1, 2], [3, 4.5]]', [[1, 2], [3, 4.5]]),
        ('[[1, 2], [null, null]]', [[1, 2], [NAN, NAN]]),
        ('[[1, 2], [NaN, NaN]]', [[1, 2], [NAN, NAN]]),
        ('[[1, 2, 2], [0, 0, 0]]', [[1, 2], [NAN, NAN]]),
        ('[1, 2, 3, 4]', [[1, 2], [3, 4]]),
    ],
)
def test_lists_of_points(tmp_path, cell, expected):
    table = landmarks(tmp_path, f'file_name,keypoints\na.png,"{cell}"\n')
    np.testing.assert_array_equal(points(table), [expected])


@pytest.mark.parametrize(
    'cell',
    ['[1, 2, 2, 3, 4, 2]', '[[1, 2], [3]]', '[1, 2, 3]', '{}', '[[1 2]]', '[["a", 1]]']
    + ['[[1, 1e999]]', '5', '[' * 99999],
)
def test_other_lists_are_refused(tmp_path, cell):
    text = 'file_name,keypoints\na.png,"' + cell.replace('"', '""') + '"\n'
    with pytest.raises(ValueError, match='line 2: (the points|the row)'):
        landmarks(tmp_path, text)


def test_lists_of_two_lengths_are_refused(tmp_path):
    text = 'file_name,keypoints\na.png,"[[1, 2]]"\nb.png,"[[1, 2], [3, 4]]"\n'
    with pytest.raises(ValueError, match=r'1 and 2 points .*\(lines 2, 3\)'):
        landmarks(tmp_path, text)


def test_rows_without_points_and_repeated_rows_are_left_out(tmp_path):
    text = 'file_name,x0,y0\na.png,1,2\nb.png,,\na.png,1,2\nc.png,3,4\nc.png,5,6\n'
    with pytest.warns(UserWarning) as told:
        table = landmarks(tmp_path, text)
    assert [entry.file_name for entry in table.entries] == ['a.png', 'c.png', 'c.png']
    said = '\n'.join(str(warning.message) for warning in told)
    assert '1 rows without any point are left out; the first in line 3' in said
    assert '1 rows repeat an image with the same points; left out; the first in' in said
    assert '1 rows name an image again, with other points' in said
    assert 'the first in line 6' in said
