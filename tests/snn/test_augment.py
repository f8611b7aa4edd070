"""Augmentation: shapes, values and labels are kept, and a seed gives the same batch again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evo_core import EvoError
from evo_core.augmentation import AUGMENTATIONS, read_augmentation
from evo_core.snn.augment import (
    augmented,
    event_mix,
    horizontal_flip,
    random_crop,
    random_erasing,
    roll,
    rotate,
)

ALL = [random_crop, horizontal_flip, random_erasing, roll, rotate]
SHAPES = st.sampled_from([(4, 1, 8, 8), (3, 3, 12, 9), (2, 5, 2, 9, 12), (1, 3, 2, 8, 8)])
SEEDS = st.integers(0, 999)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def counts(shape, seed=0):
    """Make whole numbers of events, each sample with values of its own."""
    made = torch.randint(0, 4, shape, generator=generator(seed))
    return made + 10 * (torch.arange(shape[0]).view(-1, *[1] * (len(shape) - 1)) + 1)


@pytest.mark.parametrize("augment", ALL)
@given(shape=SHAPES, seed=SEEDS)
def test_shape_and_values_are_kept(augment, shape, seed):
    inputs = counts(shape)
    before = inputs.clone()
    made = augment(inputs, generator(seed))
    assert made.shape == inputs.shape
    assert made.dtype == inputs.dtype
    assert torch.equal(inputs, before)
    for one, source in zip(made, inputs, strict=True):
        assert set(one.unique().tolist()) <= set(source.unique().tolist()) | {0}


@pytest.mark.parametrize("augment", ALL)
@given(shape=SHAPES, seed=SEEDS)
def test_a_seed_gives_the_same_batch_again(augment, shape, seed):
    inputs = counts(shape).float()
    state = torch.random.get_rng_state()
    assert torch.equal(augment(inputs, generator(seed)), augment(inputs, generator(seed)))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("augment", ALL)
def test_samples_are_changed_each_in_its_own_way(augment):
    inputs = counts((1, 1, 12, 12)).expand(40, 1, 12, 12).float()
    assert len({one.numpy().tobytes() for one in augment(inputs, generator(0))}) > 1


@pytest.mark.parametrize("augment", ALL)
@given(seed=SEEDS)
def test_all_steps_and_channels_of_a_sample_are_changed_alike(augment, seed):
    picture = counts((6, 1, 1, 10, 11)).float()
    made = augment(picture.expand(6, 4, 2, 10, 11), generator(seed))
    assert torch.equal(made, made[:, :1, :1].expand(6, 4, 2, 10, 11))


@given(SHAPES, SEEDS)
def test_a_roll_keeps_every_count(shape, seed):
    inputs = counts(shape)
    made = roll(inputs, generator(seed))
    assert torch.equal(made.flatten(1).sort().values, inputs.flatten(1).sort().values)


def test_flips_mirror_half_of_the_samples():
    inputs = counts((2000, 1, 2, 3))
    made = horizontal_flip(inputs, generator(0))
    mirrored = (made == inputs.flip(-1)).flatten(1).all(1)
    kept = (made == inputs).flatten(1).all(1)
    assert (mirrored | kept).all()
    assert 900 < mirrored.logical_and(~kept).sum() < 1100
    assert torch.equal(horizontal_flip(inputs, generator(0), 1.0), inputs.flip(-1))


def test_a_crop_moves_the_picture_by_up_to_the_padding():
    inputs = torch.zeros(500, 1, 9, 9)
    inputs[:, 0, 4, 4] = 1
    places = random_crop(inputs, generator(0), 2).flatten(1).argmax(1)
    assert {(int(place) // 9, int(place) % 9) for place in places} == {
        (row, column) for row in range(2, 7) for column in range(2, 7)
    }


def test_no_padding_and_no_angle_change_nothing():
    inputs = counts((4, 2, 7, 9)).float()
    assert torch.equal(random_crop(inputs, generator(0), 0), inputs)
    assert torch.equal(rotate(inputs, generator(0), 0.0), inputs)
    assert torch.equal(roll(inputs, generator(0), 0), inputs)
    assert torch.equal(random_erasing(inputs, generator(0), 0.0), inputs)


@given(SEEDS)
def test_erasing_takes_one_rectangle_of_the_share_asked_for(seed):
    inputs = torch.ones(20, 1, 30, 40)
    made = random_erasing(inputs, generator(seed), 1.0, (0.1, 0.2))
    for one in made[:, 0]:
        rows, columns = torch.nonzero(one == 0, as_tuple=True)
        lost = len(rows)
        assert lost == (int(rows.max() - rows.min()) + 1) * (int(columns.max() - columns.min()) + 1)
        assert 0.08 < lost / 1200 < 0.22


def quarter_turn(inputs):
    """Rotate one sample under such a limit that the angle drawn is 90 degrees."""
    drawn = float(torch.rand(1, generator=generator(0)))
    return rotate(inputs, generator(0), 90 / (2 * drawn - 1))


def test_a_quarter_turn_puts_the_top_to_a_side():
    inputs = torch.zeros(1, 1, 9, 9)
    inputs[0, 0, 0, 4] = 1
    turned = quarter_turn(inputs)
    assert turned.sum() == 1
    assert turned[0, 0, 4].nonzero().item() in (0, 8)


def test_a_turn_does_not_squeeze_pictures_that_are_not_square():
    inputs = torch.zeros(1, 1, 41, 81)
    inputs[0, 0, 20, 30:51] = 1  # a line through the centre, 10 pixels each way
    rows = quarter_turn(inputs)[0, 0].nonzero()
    assert set(rows[:, 1].tolist()) == {40}
    assert abs(len(rows) - 21) <= 1


def labelled(batch=6, classes=3, seed=0, shape=(4, 2, 8, 9)):
    frames = torch.randint(0, 3, (batch, *shape), generator=generator(seed)).float()
    return frames, torch.eye(classes)[torch.arange(batch) % classes]


@given(SEEDS, st.integers(1, 8), st.floats(0, 1))
def test_mixing_keeps_the_mass_of_the_labels(seed, batch, probability):
    frames, targets = labelled(batch)
    mixed, labels = event_mix(frames, targets, generator(seed), probability)
    assert mixed.shape == frames.shape
    assert torch.allclose(labels.sum(1), torch.ones(batch))
    assert (labels >= 0).all()
    again = event_mix(frames, targets, generator(seed), probability)
    assert torch.equal(mixed, again[0])
    assert torch.equal(labels, again[1])


@given(SEEDS)
def test_every_place_of_a_mixed_recording_comes_from_one_of_two(seed):
    frames = torch.arange(1.0, 7).view(6, 1, 1, 1, 1).expand(6, 4, 2, 8, 9).contiguous()
    mixed, labels = event_mix(frames, torch.eye(6), generator(seed), 1.0)
    for number, (one, label) in enumerate(zip(mixed, labels, strict=True)):
        found = set(one.unique().tolist())
        assert len(found) <= 2
        assert found <= {number + 1.0} | {
            source + 1.0 for source in label.nonzero().flatten().tolist()
        }


@given(SEEDS)
def test_labels_are_mixed_by_the_share_of_the_events(seed):
    seen = torch.randint(0, 2, (4, 3, 2, 8, 9), generator=generator(seed + 1))
    frames = seen * torch.arange(1, 5).view(4, 1, 1, 1, 1)  # the counts tell whose events they are
    mixed, labels = event_mix(frames, torch.eye(4), generator(seed), 1.0)
    for one, label in zip(mixed, labels, strict=True):
        shares = [one[one == source + 1].sum() / one.sum() for source in range(4)]
        assert torch.allclose(label, torch.stack(shares))


def test_recordings_without_events_are_mixed_by_places():
    mixed, labels = event_mix(torch.zeros(4, 3, 2, 5, 5), torch.eye(4), generator(0), 1.0)
    assert (mixed == 0).all()
    assert torch.allclose(labels.sum(1), torch.ones(4))
    assert ((labels > 0).sum(1) == 2).any()


def test_nothing_is_mixed_with_probability_0():
    frames, targets = labelled()
    mixed, labels = event_mix(frames, targets, generator(0), 0.0)
    assert torch.equal(mixed, frames)
    assert torch.equal(labels, targets)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_name_in_a_recipe_changes_a_batch_in_the_layout_of_training(name):
    picture = torch.rand(1, 30, 2, 10, 11, generator=generator(0)) + 1
    frames = picture.expand(4, 30, 2, 10, 11)
    labels = torch.arange(30) % 3
    made, targets = augmented(frames, labels, [name], 3, generator(1))
    assert made.shape == frames.shape
    assert not torch.equal(made, frames)
    if name == "event-mix":
        assert targets.shape == (30, 3)
        assert torch.allclose(targets.sum(1), torch.ones(30))
        assert ((targets > 0).sum(1) > 1).any()
    else:
        assert torch.equal(targets, labels)
        assert torch.equal(made, made[:1].expand_as(made))  # all steps of an image alike


def test_augmentations_are_made_in_order_with_the_options_given():
    frames = torch.rand(2, 5, 1, 6, 6, generator=generator(0))
    labels = torch.arange(5)
    made, _ = augmented(
        frames, labels, ["flip[probability=1.0]", "roll[pixels=2]"], 5, generator(3)
    )
    rng = generator(3)
    expected = horizontal_flip(frames.transpose(0, 1), rng, 1.0)
    assert torch.equal(made.transpose(0, 1), roll(expected, rng, 2))


def test_labels_are_mixed_twice_if_asked_for():
    frames = torch.rand(2, 6, 1, 6, 6, generator=generator(0))
    _, targets = augmented(frames, torch.arange(6), ["event-mix"] * 2, 6, generator(3))
    assert torch.allclose(targets.sum(1), torch.ones(6))
    assert ((targets > 0).sum(1) > 2).any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("crp", "no augmentation 'crp'; did you mean 'crop'?"),
        ("crop[pad=2]", "no option crop.pad"),
        ("flip[probability=2]", "flip.probability is 2; input should be less than or equal to 1"),
        ("crop[padding=2", "lacks its closing bracket"),
    ],
)
def test_what_is_no_augmentation_is_refused(text, said):
    with pytest.raises(EvoError) as error:
        read_augmentation(text)
    assert said in str(error.value)
