# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Label files of other programs: tables and json as people have them."""

from .json_file import read_json

__all__ = ['read_json']
