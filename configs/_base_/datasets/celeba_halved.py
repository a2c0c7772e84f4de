# CelebA aligned at half of its size, its first 10,000 images, 863 of them with MAFL's
# points: 700 to fit the regressor on, 163 to score it. Measured as the papers do, in
# the square that the 89x109 image is squashed to; frame='image' measures in its pixels,
# where the mean pose has 9.47 in place of 8.93 %.
_base_ = ['./faces.py']
images = dict(data_root='data/celeba', data_prefix=dict(img='images'))
# The middle of the face, as LMDIS cuts it.
crop = dict(type='GetBBoxCenterScale', padding=0.8)
train_dataloader = dict(dataset=dict(files='train_unlabelled.txt', **images))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file='celeba_fit.json', **images),
        score=dict(ann_file='celeba_test.json', **images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(variant='lmdis', protocol_options=dict(frame='crop'))
test_evaluator = val_evaluator
