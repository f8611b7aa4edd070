"""Score torch modules of your own, spiking or not, with evo's fitness functions.

python score_module.py
"""

import torch
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

from evo_core import score_module

FITNESS = ["rdm", "nwot", "sahd", "firing-rate", "synflow", "snip"]


def networks():
    plain = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10)
    )
    spiking = nn.Sequential(
        layer.Conv2d(1, 8, 3), layer.BatchNorm2d(8), neuron.LIFNode(), layer.Flatten(),
        layer.Linear(288, 10),
    )  # fmt: skip
    functional.set_step_mode(spiking, "m")
    return {"plain": plain, "spiking": spiking}


def main():
    torch.manual_seed(0)
    images, labels = torch.rand(16, 1, 8, 8), torch.arange(16) % 10
    sequence = images.expand(4, *images.shape)  # [T, B, C, H, W]: an image is shown four times
    found = {}
    for name, network in networks().items():
        inputs = sequence if name == "spiking" else images
        found[name] = score_module(network, inputs, labels, FITNESS)
        for text, score in found[name].items():
            print(f"{name:<8} {text:<12} {score.value:.4g}")
    return found


if __name__ == "__main__":
    main()
