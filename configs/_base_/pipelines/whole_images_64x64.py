# Images, or their boxes, whole, squashed to 64x64 pixels, in batches for two CPU cores.
batch_size = 16
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='PackPoseInputs'),
]
# In place of the third step where shapes are not to be squashed: a square around the
# box, white beyond the image.
letterbox = dict(
    type='TopdownResize', input_size=(64, 64), keep_aspect_ratio=True, pad_val=255
)
# In place of the third and the fourth step for objects that turn in the plane, whose
# boxes were enlarged by 1.25 for the search.
object_frame = dict(type='ObjectFrameCrop', input_size=(64, 64), zoom=1.25)
pack_turned = dict(
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
)
