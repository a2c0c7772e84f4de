# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of a film over time: tracks, exchanged sides, outliers, gaps, smoothing."""

from .figures import delay, jitter, lag, noise_of, side_exchanges
from .kalman import smooth_kalman
from .one_euro import smooth_one_euro
from .outliers import find_outliers
from .process import MotionFigures, process_motion, process_track
from .savitzky_golay import smooth_savitzky_golay
from .side_swaps import exchanged, find_swaps
from .tracks import Tracker
from .trajectories import FilmTracks, Trajectory, read_tracks
