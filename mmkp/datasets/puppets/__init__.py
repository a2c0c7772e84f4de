# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Procedurally drawn articulated figures with exact ground truth."""

from .composition import compose, count_figures
from .file_backend import PuppetBackend, parse_puppet_uri, puppet_uri
from .scene import Scene, draw, render
from .settings import PuppetSettings
