# 300-W: faces with 68 landmarks, error over the distance of the outer corners of the
# eyes.
_base_ = ['./mpii_256x256.py']
dataset_type = 'Face300WDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/300w',
        ann_file='annotations/face_landmarks_300w_train.json',
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_mode='topdown',
        data_root='data/300w',
        ann_file='annotations/face_landmarks_300w_valid.json',
        data_prefix=dict(img='images/'),
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True,
    type='NME',
    norm_mode='keypoint_distance',
    keypoint_indices=[36, 45],
)
test_evaluator = val_evaluator
