# Crops of 368x368 pixels around one of the people in training, whole pictures of height
# 368 in tests. A child gives the codec its skeleton, and puts the step that draws the
# codec's maps between `augment` and `packing`.
codec = dict(type='PartAffinityField', input_size=(368, 368), field_alignment='centred')
augment = [
    dict(type='LoadVerifiedImage'),
    dict(type='PersonScaledAffine', input_size=codec['input_size']),
    dict(type='RandomFlip'),
    dict(type='LabeledMask'),
]
target = dict(type='GenerateTarget')  # a child adds the encoder
packing = dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path'))
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='BottomupHeightResize', height=368, size_factor=16),
    dict(
        type='PackPoseInputs',
        meta_keys=(  # category_id would be a list, which CocoMetric cannot take
            *('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'crowd_index'),
            *('input_size', 'input_center', 'input_scale', 'aug_scales'),
            *('flip_indices', 'skeleton_links', 'raw_ann_info'),
        ),
    ),
]
