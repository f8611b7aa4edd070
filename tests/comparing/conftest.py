"""What tests of a comparison share: one thread, made-up samples, and how its pages are read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from evo_core.comparing.sample import Sample

_BASE = ("params", "macs", "firing-rate", "k")
_LINKS = ("src", "href", "xlink:href", "data", "srcset", "poster", "action", "background")
SMALL = (
    *("--executor", "serial", "--workers", "1", "--samples", "12", "--quiet"),
    *("--set", "mse.cells=1", "--set", "mse.channels=4", "--set", "scoring.batch=8"),
)


@pytest.fixture(scope="session")
def small_comparison():
    """Give the flags of a comparison that takes seconds."""
    return SMALL


@pytest.fixture
def compare(cli):
    """Compare in this process: ``compare("--fitness", "rdm", ...)``."""

    def call(*arguments):
        return cli("compare", *SMALL, *arguments)

    return call


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep the threads of linear algebra from waiting for each other: the matrices are small."""
    with threadpool_limits(1):
        yield


class _Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="session")
def tags():
    """Give the tags of a page with their attributes."""
    return lambda text: _Reader(text).tags


@pytest.fixture(scope="session")
def outside(tags):
    """Give what a page refers to outside itself."""

    def found(text):
        links = [v for _, attrs in tags(text) for k, v in attrs.items() if k in _LINKS]
        styles = re.findall(r"url\(\s*['\"]?([^)'\"]*)", text)
        styles += re.findall(r"@import\s*(\S+)", text)
        return [link for link in links + styles if not link.startswith(("#", "data:"))]

    return found


@pytest.fixture(scope="session")
def made_up():
    """Give a function that makes a sample up; scores are noisy views of a hidden quality."""

    def make(names=("rdm", "nwot"), *, n=24, seeds=3, repeats=2, strata=True, dead=()):
        rng = np.random.default_rng(7)
        k = 1 + np.arange(n) % 3
        quality = rng.normal(size=n) + 0.4 * k
        params = np.round(np.exp(9 + 0.5 * k + 0.2 * rng.normal(size=n)))
        base = (params, params * rng.uniform(20, 40, n), rng.uniform(0.1, 0.4, n), k)
        values = {
            name: (0.9 - 0.7 * place / len(names)) * quality[:, None]
            + rng.normal(size=(n, seeds)) * 0.4
            for place, name in enumerate(names)
        }
        values[names[0]][3] = np.nan
        values |= {name: np.full((n, seeds), np.nan) for name in dead}
        values |= {
            name: np.repeat(x[:, None], seeds, 1) for name, x in zip(_BASE, base, strict=True)
        }
        accuracy = 0.15 + 0.6 / (1 + np.exp(-quality[:, None])) + 0.01 * rng.normal(size=(n, seeds))
        accuracy[:2] = 0.1
        accuracy[:, repeats:] = np.nan
        values["accuracy"] = np.round(accuracy, 3)
        return Sample(
            networks=tuple(map(str, range(n))),
            goals={name: "min" if name == "silent-share" else "max" for name in values},
            reference="accuracy",
            values=values,
            undefined={name: int(np.isnan(x).all(axis=1).sum()) for name, x in values.items()},
            seconds={name: np.full(x.shape, 0.01 * len(name)) for name, x in values.items()},
            baselines=_BASE,
            strata={"k": tuple(map(str, k))} if strata else {},
            chance=0.1,
        )

    return make
