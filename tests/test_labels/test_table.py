# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tables as Excel, pandas and scripts write them."""

import pytest

from mmkp.labels import read_names, read_table, read_text

TEXT = 'name,x\nFüße.png,1\n'
ROWS = [['name', 'x'], ['Füße.png', '1']]


def table_of(tmp_path, text, name='t.csv', encoding='utf-8', **options):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_table(path, **options)


def cells(table):
    return [row.cells for row in table.rows]


@pytest.mark.parametrize(
    'encoding',
    ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'],
)
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_encodings_and_ends_of_lines(tmp_path, encoding, end):
    table = table_of(tmp_path, TEXT.replace('\n', end), encoding=encoding)
    assert cells(table) == ROWS
    assert [row.line for row in table.rows] == [1, 2]


def test_windows_1252_is_read_with_a_word(tmp_path):
    with pytest.warns(UserWarning, match=r"t.csv, line 2: .*Windows-1252.*'Füße.png"):
        assert cells(table_of(tmp_path, TEXT, encoding='cp1252')) == ROWS


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'is empty'),
        (b'\xef\xbb\xbf\n', 'is empty'),
        (b'PK\x03\x04abc', 'is an Excel or zip file; save it as'),
        (b'\x89HDF\r\n', 'is an HDF5 file'),
        (b'\xd0\xcf\x11\xe0abc', 'is an old Excel file'),
        (b'\x1f\x8b\x08', 'is a packed file'),
        (b'a,b\n1,\x002\n', r"is no text: line 2 holds the character '\\x00'"),
        (b'a,b\n\x81\x8d', 'line 2: the bytes are neither UTF-8 nor Windows-1252'),
        (b'\xff\xfea\x00b', 'line 1: the bytes are no UTF-16-LE text'),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    path = tmp_path / 't.csv'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_text(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_text(tmp_path / 'none')
    with pytest.raises(ValueError, match='is a folder'):
        read_text(tmp_path)


def test_lists_of_names(tmp_path):
    (tmp_path / 'l.txt').write_bytes(b'\xef\xbb\xbfa b.png \r\n\r\n c.png')
    assert read_names(tmp_path / 'l.txt') == ['a b.png', 'c.png']


@pytest.mark.parametrize(
    ('text', 'name'),
    [
        ('sep=;\nname;x\nFüße.png;1\n', 't.csv'),
        ('"sep=;"\r\nname;x\r\nFüße.png;1\r\n', 't.csv'),
        ('name\tx\nFüße.png\t1\n', 't.tsv'),
        ('name , x\n Füße.png, 1 \n', 't.csv'),
        ('\nname,x,\n,,\nFüße.png,1,,\n\n', 't.csv'),
        ('"name","x"\n"Füße.png","1"', 't.csv'),
    ],
)
def test_what_a_file_says_of_its_columns(tmp_path, text, name):
    assert cells(table_of(tmp_path, text, name)) == ROWS


@pytest.mark.parametrize(
    ('text', 'name'),
    [
        ('name;x\nFüße.png;1\n', 'semicolon'),
        ('name\tx\nFüße.png\t1\n', 'tab'),
        ('name  x  y\nFüße.png 1 2\n', 'blank'),
    ],
)
def test_other_separators_are_asked_for(tmp_path, text, name):
    with pytest.raises(ValueError, match=f'by (a )?{name}.*say so with --separator'):
        table_of(tmp_path, text)
    assert cells(table_of(tmp_path, text, separator=name))[1][:2] == ROWS[1]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a,b,c\n1,2,3\n4,5\n', 'line 3: 2 cells where the first row has 3'),
        ('a,b\n"1\n1",2\n3,4,5\n', 'line 4: 3 cells where the first row has 2'),
        ('a,b\n"1,2\n3,4\n', 'line 2: the row cannot be split.*close its quotes'),
    ],
)
def test_uneven_rows_and_open_quotes_are_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        table_of(tmp_path, text)
