# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.codecs.build_skeleton import build_skeleton
from mmkp.codecs.limb_skeleton import LimbSkeleton

__all__ = ['LimbSkeleton', 'build_skeleton']
