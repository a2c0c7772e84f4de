# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Json files as people have them are read, or refused in one sentence."""

import codecs
import json
import math

import pytest

from mmkp.labels import read_json

CONTENT = {'images': [{'file_name': 'Füße.png', 'size': 1.5}], 'note': 'NaN "in" text'}


@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-32']
)
def test_encodings_of_unicode_are_read(tmp_path, encoding):
    path = tmp_path / 'a.json'
    path.write_bytes(json.dumps(CONTENT, ensure_ascii=False).encode(encoding))
    assert read_json(path) == CONTENT


BAD = {
    'empty': (b' \n', 'is empty'),
    'mark alone': (codecs.BOM_UTF8, 'in the middle|is empty'),
    'truncated': (b'{"a": [1,\n 2,', r'ends at line 2, column 4.*truncated'),
    'cut in a string': (b'{"a": "bc', 'no json: Unterminated string'),
    'latin-1': (b'{"a": 1,\n"b": "\xfc"}', 'line 2: the bytes are no UTF-8'),
    'two values': (b'{"a": 1}\n{"a": 2}', 'line 2, column 1: a second value'),
    'comma': (b'{"a": [1, 2,]}', "line 1, column 1[23].*found '[],]"),
    'comment': (b'// hello\n{}', "line 1, column 1: no json.*found '// hello"),
    'nan': (b'{"note": "NaN",\n "a": [1, NaN]}', 'line 2, column 11: NaN is no number'),
    'infinity': (b'[-Infinity]', 'line 1, column 2: -Infinity'),
    'twice': (b'{"a": {"b": 1, "c": 2, "b": 3}}', 'the key "b" twice'),
    'deep': (b'[' * 100_000, 'nested too deeply'),
    'digits': (b'[1, ' + b'9' * 5000 + b']', 'column 5: 9{20} is no number of json'),
    'too large': (b'[1.5,\n1e999]', 'line 2, column 1: 1e999 is no number of json'),
    'binary': (bytes(range(128, 256)), 'the bytes are no UTF-8'),
}


@pytest.mark.parametrize('name', BAD)
def test_the_rest_is_refused_with_file_and_place(tmp_path, name):
    content, sentence = BAD[name]
    path = tmp_path / 'a.json'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_json(path)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_missing_files_folders_and_other_tops_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_json(tmp_path / 'a.json')
    with pytest.raises(ValueError, match='is a folder'):
        read_json(tmp_path)
    path = tmp_path / 'b.json'
    path.write_text('[1]')
    with pytest.raises(ValueError, match=r'holds a list.*expected an object'):
        read_json(path, dict)
    path.write_text('3')
    with pytest.raises(ValueError, match='holds 3 at its top, expected a list'):
        read_json(path, list)


def test_not_a_number_is_let_through_on_request(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('[NaN, -Infinity]')
    first, second = read_json(path, nan=True)
    assert math.isnan(first)
    assert second == -math.inf
