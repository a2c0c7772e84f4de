# 300-W: faces with 68 landmarks, error over the distance of the outer corners of the
# eyes.
_base_ = ['./topdown.py']
dataset_type = 'Face300WDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/300w',
        ann_file='annotations/face_landmarks_300w_train.json',
        data_prefix=dict(img='images/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/300w',
        ann_file='annotations/face_landmarks_300w_valid.json',
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='NME', norm_mode='keypoint_distance', keypoint_indices=[36, 45]
)
test_evaluator = val_evaluator
