# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Data sets and transforms."""

from mmkp.datasets.puppet_dataset import PuppetDataset

__all__ = ['PuppetDataset']
