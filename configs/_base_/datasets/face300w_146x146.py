# 300-W without its labels in training, 68 points to fit and to score; MMPose's files.
_base_ = ['./labelled_146x146.py']
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownResize', input_size=(146, 146)),
    dict(type='PackPoseInputs'),
]
dataset_type = 'Face300WDataset'
train_faces = dict(
    type=dataset_type,
    data_root='data/300w',
    ann_file='annotations/face_landmarks_300w_train.json',
    data_prefix=dict(img='images/'),
)
test_faces = dict(
    type=dataset_type,
    data_root='data/300w',
    ann_file='annotations/face_landmarks_300w_test.json',
    data_prefix=dict(img='images/'),
    test_mode=True,
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='LabelFreeDataset',
        num_keypoints=10,
        dataset=train_faces,
        pipeline=pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        fit=dict(_delete_=True, **train_faces),
        score=dict(_delete_=True, **test_faces),
        pipeline=pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='300w')
test_evaluator = val_evaluator
