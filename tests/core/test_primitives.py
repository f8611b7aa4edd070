"""Primitive operations: what they cost, and that shapes and costs are those of torch."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from evo_core.architecture_json import operation_from_json, operation_to_json
from evo_core.primitives import (
    PRIMITIVES,
    BatchNorm,
    Clip,
    Conv,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
    useful_kernel,
)

SMALL = st.integers(1, 4)


@st.composite
def convolutions(draw):
    kernel = draw(st.sampled_from([1, 3, 5, 7]))
    conv = Conv(draw(SMALL), draw(SMALL), kernel, draw(SMALL))
    return conv, (conv.inputs, draw(st.integers(2, 12)), draw(st.integers(2, 12)))


@settings(deadline=None, max_examples=60)
@given(convolutions())
def test_the_shape_and_cost_of_a_convolution_are_those_of_torch(drawn):
    conv, shape = drawn
    module = torch.nn.Conv2d(
        conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.padding, bias=False
    )
    with torch.no_grad():
        output = module(torch.zeros(1, *shape))[0]
    assert conv.shape(shape) == tuple(output.shape)
    assert conv.parameters() == module.weight.numel()
    assert conv.macs(shape) == output.numel() * module.weight[0].numel()


@pytest.mark.parametrize("size", range(1, 20))
def test_a_convolution_of_stride_2_rounds_an_odd_size_up(size):
    for kernel in (1, 3, 5):
        assert Conv(1, 1, kernel, 2).shape((1, size, size)) == (1, -(-size // 2), -(-size // 2))


@pytest.mark.parametrize(
    ("operation", "given_shape", "shape", "parameters", "macs"),
    [
        (Neuron("lif"), (2, 4, 4), (2, 4, 4), 0, 0),
        (BatchNorm(5), (5, 4, 4), (5, 4, 4), 10, 0),
        (Clip(-1), (2, 4, 4), (2, 4, 4), 0, 0),
        (GlobalAveragePool(), (7, 4, 3), (7,), 0, 0),
        (Flatten(), (7, 4, 3), (84,), 0, 0),
        (Pool("max", 3), (7, 4, 3), (7, 4, 3), 0, 0),
        (Pool("max", 2, 2), (7, 4, 3), (7, 2, 2), 0, 0),
        (Pool("average", 3, 3), (7, 9, 1), (7, 3, 1), 0, 0),
        (Linear(7, 3), (7,), (3,), 24, 21),
    ],
)
def test_each_operation_tells_its_shape_and_cost(operation, given_shape, shape, parameters, macs):
    assert operation.shape(given_shape) == shape
    assert operation.parameters() == parameters
    assert operation.macs(given_shape) == macs


@pytest.mark.parametrize(
    ("operation", "shape"),
    [
        (Conv(2, 2, 3), (3, 8, 8)),
        (Conv(2, 2, 3), (2,)),
        (BatchNorm(2), (3, 8, 8)),
        (BatchNorm(2), (2,)),
        (Linear(2, 2), (3,)),
        (Linear(2, 2), (2, 1, 1)),
        (Pool("max", 2, 2), (2,)),
    ],
)
def test_an_input_that_does_not_fit_is_a_value_error(operation, shape):
    with pytest.raises(ValueError, match="can not take an input of shape"):
        operation.shape(shape)


@pytest.mark.parametrize(
    "operation",
    [
        Neuron("lif", (("surrogate", "atan"), ("tau", 2.5), ("trainable", False))),
        Conv(1, 2, 3, 4),
        BatchNorm(2),
        Clip(-1),
        GlobalAveragePool(),
        Flatten(),
        Pool("max", 2, 2),
        Linear(3, 4),
    ],
    ids=lambda operation: operation.tag,
)
def test_json_gives_back_an_equal_operation(operation):
    assert operation_from_json(json.loads(json.dumps(operation_to_json(operation)))) == operation


def test_every_kind_has_a_tag_of_its_own():
    assert all(kind.tag == tag for tag, kind in PRIMITIVES.items())
    assert {"neuron", "conv", "pool", "batch-norm", "clip", "linear"} <= set(PRIMITIVES)


@pytest.mark.parametrize(
    "data",
    [{}, {"op": "primitive"}, {"op": "conv"}, {"op": "clip", "sign": 1, "size": 3}, {"sign": 1}],
)
def test_an_operation_that_does_not_exist_is_a_value_error(data):
    with pytest.raises(ValueError, match="operation"):
        operation_from_json(data)


@settings(deadline=None, max_examples=60)
@given(kernel=st.sampled_from([1, 3, 5, 7, 9]), height=st.integers(1, 6), width=st.integers(1, 6))
def test_the_clipped_kernel_computes_the_same_and_uses_all_its_taps(kernel, height, width):
    useful = useful_kernel(kernel, height, width)
    cut = (kernel - useful) // 2
    weight = torch.rand(1, 1, kernel, kernel, dtype=torch.float64)
    inner = weight[..., cut : kernel - cut, cut : kernel - cut].clone().requires_grad_()
    maps = torch.rand(1, 1, height, width, dtype=torch.float64)
    whole = functional.conv2d(maps, weight, padding=(kernel - 1) // 2)
    clipped = functional.conv2d(maps, inner, padding=(useful - 1) // 2)
    assert torch.allclose(whole, clipped)
    clipped.sum().backward()
    touched = inner.grad[0, 0] > 0
    assert touched.any(dim=0).all() or touched.any(dim=1).all()  # no border is dead both ways


@pytest.mark.parametrize(
    ("kernel", "height", "width", "useful"),
    [(5, 2, 2, 3), (5, 3, 3, 5), (7, 3, 3, 5), (5, 1, 1, 1), (3, 2, 1, 3), (5, 1, 8, 5)],
)
def test_a_kernel_is_clipped_by_the_longer_side(kernel, height, width, useful):
    assert useful_kernel(kernel, height, width) == useful


def test_kernels_have_an_odd_size():
    with pytest.raises(ValueError, match="odd size"):
        Conv(3, 3, 2)


@pytest.mark.parametrize(("kernel", "stride"), [(2, 1), (3, 2), (2, 3)])
def test_a_pool_looks_at_every_pixel_or_at_squares_side_by_side(kernel, stride):
    with pytest.raises(ValueError, match=r"odd size|stride 1 or that of its kernel"):
        Pool("max", kernel, stride)
