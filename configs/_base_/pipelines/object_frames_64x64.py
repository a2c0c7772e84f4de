# For objects that turn in the plane, in place of a pipeline's own steps: boxes enlarged
# for the search, a square in the object's own frame, and what turns keypoints back.
framed = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='ObjectFrameCrop', input_size=(64, 64), zoom=1.25),
    dict(
        type='PackPoseInputs',
        meta_keys=(
            'id',
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'input_size',
            'input_center',
            'input_scale',
            'input_rotation',
            'raw_ann_info',
            'dataset_name',
        ),
    ),
]
