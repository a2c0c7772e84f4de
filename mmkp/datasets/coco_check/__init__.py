# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Checks COCO-style annotation files, and derives what they lack."""

from .categories import landmark_category, landmark_edges, landmark_names
from .check import check_coco
from .foreign import refuse_foreign
from .notes import Notes
