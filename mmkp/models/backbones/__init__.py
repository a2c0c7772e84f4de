"""Backbones that MMPose lacks."""

from mmkp.models.backbones.autolink_encoder import AutoLinkEncoder

__all__ = ['AutoLinkEncoder']
