# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Formats of label files, one file each, and the table of them."""

from .catalog import FORMATS
from .format import Format
from .source import Source
