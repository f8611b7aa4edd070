"""Comparisons small enough for a test, made-up samples, and how pages are read."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from evo_core.comparing.analysis import analyse
from evo_core.comparing.sample import Sample

SMALL = (
    *("--executor", "serial", "--workers", "1", "--samples", "12", "--quiet"),
    *("--set", "mse.cells=1", "--set", "mse.channels=4", "--set", "scoring.batch=8"),
)
N, S = 60, 3
BASELINES = ("params", "macs", "k")
STRATA = [0, 1, 2] * 20
_BASE = ("params", "macs", "firing-rate", "k")
_LINKS = ("src", "href", "xlink:href", "data", "srcset", "poster", "action", "background")


def build(**changes):
    """Build a sample in which accuracy grows with k; ``only-k`` and ``within`` tell why."""
    rng = np.random.default_rng(0)
    k = np.array(STRATA, dtype=float)
    skill = rng.normal(size=N)
    values = {
        "good": skill + 0.3 * rng.normal(size=N),
        "reversed": -skill + 0.3 * rng.normal(size=N),
        "noise": rng.normal(size=N),
        "only-k": k + 0.1 * rng.normal(size=N),
        "size": np.exp(k * 3 + rng.normal(size=N)),
        "constant": np.full(N, 0.1),
        "holes": np.where(rng.random(N) < 0.3, np.nan, skill),
        "undefined": np.full(N, np.nan),
        "infinite": np.where(np.arange(N) < 4, -np.inf, skill),
    }
    values["params"] = np.log(values["size"])
    values["macs"] = rng.permutation(N).astype(float)
    values["k"] = k
    tables = {name: np.repeat(one[:, None], S, axis=1) for name, one in values.items()}
    tables["good"] = tables["good"] + 0.2 * rng.normal(size=(N, S))
    accuracy = 0.3 + 0.2 * k + 0.05 * skill
    accuracy[:5] = 0.1
    tables["accuracy"] = np.round(accuracy[:, None] + 0.01 * rng.normal(size=(N, S)), 2)
    given = {
        "networks": tuple(f"1,{i}" for i in range(N)),
        "goals": dict.fromkeys(tables, "max") | {"params": "min"},
        "reference": "accuracy",
        "values": tables,
        "undefined": {"holes": int(np.isnan(values["holes"]).sum()), "undefined": N},
        "seconds": {"good": np.full((N, S), 0.5)},
        "baselines": BASELINES,
        "strata": {"k": tuple(str(one) for one in STRATA)},
        "chance": 0.1,
    }
    return Sample(**(given | changes))


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


@pytest.fixture(scope="session")
def build_sample():
    """Give the function that builds the sample, with changes."""
    return build


@pytest.fixture(scope="session")
def sample():
    """Sixty networks in three strata, three seeds."""
    return build()


@pytest.fixture(scope="session")
def found(sample):
    """What the analysis says of it."""
    return analyse(sample, resamples=200)


@pytest.fixture(scope="session")
def means(sample):
    """Give the mean over seeds by name; no value is undefined under one seed alone."""

    def of(name):
        values = sample.values[name]
        return np.where(np.isfinite(values), values, np.nan).mean(axis=1)

    return of


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
