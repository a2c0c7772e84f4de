# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The page on which a person looks at a run, names its keypoints and corrects them."""

from .embedded_pictures import EmbeddedPictures
from .page import render_page, render_preview
from .records import PageImage, page_images

__all__ = [
    'EmbeddedPictures',
    'PageImage',
    'page_images',
    'render_page',
    'render_preview',
]
