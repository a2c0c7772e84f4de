# AFLW without its labels in training; eyes, nose and corners of the mouth, five of the
# 19 points of MMPose's files, to fit and to score.
_base_ = ['./face300w_146x146.py']
dataset_type = 'AFLWDataset'
train_faces = dict(
    type=dataset_type,
    data_root='data/aflw',
    ann_file='annotations/face_landmarks_aflw_train.json',
)
test_faces = dict(
    type=dataset_type,
    data_root='data/aflw',
    ann_file='annotations/face_landmarks_aflw_test.json',
)
train_dataloader = dict(dataset=dict(dataset=train_faces))
val_dataloader = dict(dataset=dict(fit=train_faces, score=test_faces))
test_dataloader = val_dataloader
val_evaluator = dict(protocol='aflw', keypoint_groups=[7, 10, 13, 15, 17])
test_evaluator = val_evaluator
