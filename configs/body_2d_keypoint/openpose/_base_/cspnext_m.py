# CSPNeXt-m, features of strides 8 and 16 joined.
_base_ = ['../../../_base_/default_runtime.py', './mmpose_backbone.py']

# of several processes: stage 4 get no gradient
find_unused_parameters = True
model = dict(
    backbone=dict(
        type='CSPNeXt',
        deepen_factor=0.67,
        widen_factor=0.75,
        out_indices=(2, 3),
        act_cfg=dict(type='SiLU'),
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/'
            'cspnext_rsb_pretrain/cspnext-m_8xb256-rsb-a1-600e_in1k-ecb3bbd9.pth',
        ),
    ),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(in_channels=192 + 384),
)
