# Your own images, without annotations and of any sizes. A child says where they lie.
# Tests read them too: the pictures and the spread of the keypoints tell how it goes.
# One object may be found in each box of a detector, such as yolox_nano.onnx:
#     detector=yolox_nano.onnx classes=dog,cat
detector = None
classes = None
_base_ = ['./unlabeled.py']
boxes = dict(model=detector, classes=classes)
train_dataloader = dict(num_workers=2, dataset=dict(detector=boxes))
val_dataloader = dict(batch_size=32, num_workers=1, dataset=dict(detector=boxes))
test_dataloader = val_dataloader
