# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Label files of other programs: tables, arrays and json as people have them."""

from .array_file import numbers_of, read_npz
from .deeplabcut import read_skeleton
from .files import find_format, read_labels, write_labels
from .formats import FORMATS, Format, Source
from .image_names import find_image
from .json_file import read_json
from .label_set import LabelSet
from .landmark_table import read_landmarks
from .landmarks import Landmarks, LandmarkTable
from .losses import ASPECTS, losses
from .table import SEPARATORS, Row, Table, read_table
from .text_file import read_names, read_text
