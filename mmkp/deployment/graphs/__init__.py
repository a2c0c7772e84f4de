# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Models as graphs of tensor operations, from images to keypoints."""
