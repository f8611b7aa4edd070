"""``evo export`` of networks: names, refusals, and architectures that come back as they were."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from importlib import metadata
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from evo_core import architecture_json
from evo_core.components import SearchSpace
from evo_core.config import from_layers
from evo_core.errors import InvalidGenomeError
from evo_core.exporting.json_file import write_json
from evo_core.exporting.schema import build_schema, read_schema
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.primitives import PRIMITIVES
from evo_core.registry import installed
from evo_core.snn.loaded import LoadedNetwork, load_network

SPACES = sorted(installed(()).all(SearchSpace))
PLANS = {}
SMALL = "reference:2fc[hidden=10]"


def plan_of(space):
    if space not in PLANS:
        PLANS[space] = make_plan(Job(from_layers({"space": space, "mse": {"cells": 2}})))
    return PLANS[space]


def test_the_published_schema_is_that_of_the_code():
    """``python -m evo_core.exporting.schema`` writes it anew."""
    assert read_schema() == build_schema()
    jsonschema.Draft202012Validator.check_schema(read_schema())


@given(space=st.sampled_from(SPACES), number=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_network_survives_the_way_through_a_file(tmp_path_factory, space, number):
    plan = plan_of(space)
    try:
        architecture = plan.decode(random_genome(np.random.default_rng(number), plan.space.genes))
    except InvalidGenomeError:
        return
    path = tmp_path_factory.getbasetemp() / "network.json"
    write_json(_without_weights(architecture, plan), path)
    jsonschema.validate(json.loads(path.read_text()), read_schema())
    again = architecture_json.read(path)
    assert again.hash == architecture.hash
    assert again.cells == architecture.cells


def _without_weights(architecture, plan):
    return LoadedNetwork(
        text="", architecture=architecture, network=None, plan=plan, origin="", trained=False
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda graph: graph["task"].update(classes=0),
        lambda graph: graph["task"].update(steps="4"),
        lambda graph: graph["nodes"][0].update(join="multiply"),
        lambda graph: graph["edges"][0].update(stage="later"),
        lambda graph: graph["edges"][0]["operations"][0].update(op="attention"),
        lambda graph: graph["edges"][0]["operations"][0].update(inputs=0),
        lambda graph: graph["edges"][0]["operations"][0].pop("outputs"),
        lambda graph: graph["edges"][0]["operations"][0].update(bias=True),
        lambda graph: graph.pop("output"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(tmp_path, spoil):
    plan = plan_of("reference")
    graph = json.loads(json.dumps(architecture_json.to_json(plan.decode((1,)))))
    document = {"$schema": architecture_json.SCHEMA, "graph": graph}
    jsonschema.validate(document, read_schema())
    spoil(graph)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, read_schema())
    with pytest.raises(ValueError, match=r"\S"):
        architecture_json.from_json(graph)


def test_every_primitive_is_in_the_schema():
    assert set(PRIMITIVES) <= set(read_schema()["$defs"])


def test_json_is_written_shown_and_trained(cli, in_empty_folder):
    told = cli("export", SMALL, "--format", "json", "--out", "net.json", "--json").json
    assert (told["files"], told["weights"]) == (["net.json"], None)
    assert cli("show", "net.json", "--json").json["architecture"] == told["architecture"]
    flags = ("--epochs", "1", "--samples", "32", "--batch", "32", "--quiet")
    assert cli("train", "net.json", *flags, "--out", "trained").code == 0
    assert load_network("trained").architecture.hash == told["architecture"]


def test_json_of_another_layout_is_refused(cli, in_empty_folder):
    cli("export", SMALL, "--format", "json", "--out", "net.json")
    text = Path("net.json").read_text().replace("architecture:1", "architecture:2")
    Path("net.json").write_text(text)
    done = cli("show", "net.json")
    assert done.code == 2
    assert "its $schema is 'urn:evo-snn:architecture:2', and this evo reads" in done.err


def test_torch_is_written_under_the_name_of_the_target(cli, in_empty_folder):
    done = cli("export", SMALL, "--format", "torch")
    assert (done.code, done.out) == (0, "")
    folder = Path("reference-2fc-hidden-10-torch")
    assert done.err == (
        f"written: {folder}/network.py, {folder}/weights.safetensors\n"
        "weights: initial weights, seed 0, never trained\n"
    )
    assert [path.name for path in in_empty_folder.iterdir()] == [folder.name]


def test_other_data_and_another_seed_reach_a_genome(cli, in_empty_folder):
    told = cli(
        *("export", SMALL, "--format", "torch", "--seed", "3", "--json"),
        *("--set", "scoring.steps=2", "--set", "lif.tau=3"),
    ).json
    assert (told["weights"], told["trained"]) == ("initial weights, seed 3", False)
    text = Path(told["files"][0]).read_text()
    assert "T = 2" in text
    assert "tau=3.0" in text


@pytest.mark.parametrize("form", ["torch", "json"])
def test_nothing_is_written_over(cli, in_empty_folder, form):
    out = in_empty_folder / "there.json"
    if form == "torch":
        out.mkdir()
        (out / "mine").write_text("mine")
    else:
        out.write_text("mine")
    done = cli("export", SMALL, "--format", form, "--out", out)
    assert (done.code, done.err) == (2, f"error: {out} is there already; choose another --out\n")
    assert next(path for path in (out / "mine", out) if path.is_file()).read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--format", "tosch"), "no format 'tosch'; did you mean 'torch'?"),
        (("--format", "torch", "--table", "failures"), "--table goes with --format csv alone"),
        (("--format", "json", "--out", "net.txt"), "has to end in .json"),
        (("--seed", "3"), "a table holds what the run found; leave out --seed"),
        (("--format", "torch", "--out", "/dev/null/net"), "can not be made"),
        (("--format", "json", "--out", "/dev/null/net.json"), "can not be written"),
    ],
)
def test_wrong_flags_get_one_line(cli, in_empty_folder, arguments, wanted):
    done = cli("export", SMALL, *arguments)
    assert done.code == 2
    assert wanted in done.err
    assert done.err.count("\n") == 1
    assert list(in_empty_folder.iterdir()) == []


def test_a_member_of_the_front_while_its_run_goes_on(quick_run, cli, plugin_file, in_empty_folder):
    plugin = plugin_file(
        """
        from pathlib import Path
        from evo_core import Observer, hookimpl
        from evo_core.exporting.torch_file import write_torch
        from evo_core.snn.loaded import load_network

        class Exports:
            @hookimpl
            def evo_generation_ended(self, run, report):
                loaded = load_network(f"{run.folder}:0", allow_plugins=True)
                write_torch(loaded, Path(f"generation-{report.generation}"))

        @hookimpl
        def evo_components():
            yield Observer(name="exports", summary="", build=lambda options: Exports())
        """
    )
    quick_run(plugins=[str(plugin)], observers=["exports"], fitness=["params"])
    names = {path.name for path in in_empty_folder.glob("generation-*")}
    assert names == {"generation-0", "generation-1"}
    assert cli("export", "run", "--format", "torch").code == 2
    assert cli("export", "run", "--format", "torch", "--allow-plugins").code == 0
    assert (in_empty_folder / "run-torch" / "network.py").is_file()


def closure(*names):
    """Give the installed distributions that some need, themselves included."""
    found, waiting = {}, list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform
        for text in found[name].requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return found.values()


@pytest.mark.slow
def test_a_file_runs_where_evo_is_not(cli, in_empty_folder):
    """In a fresh environment that has torch, SpikingJelly and what they need, and no more."""
    venv.create("fresh", symlinks=True, with_pip=False)
    (site,) = Path("fresh").glob("lib/python*/site-packages")
    for one in closure("torch", "spikingjelly"):
        for top in {file.parts[0] for file in one.files or () if file.parts[0] != ".."}:
            if not (site / top).exists() and top != "__pycache__":
                (site / top).symlink_to(one.locate_file(top))
    python = [Path("fresh/bin/python").absolute(), "-I"]
    for name in ("evo_core", "safetensors", "deap"):
        missing = subprocess.run(
            [*python, "-c", f"import {name}"], capture_output=True, check=False
        )
        assert b"ModuleNotFoundError" in missing.stderr
    flags = ("--epochs", "1", "--samples", "64", "--batch", "32", "--quiet")
    genome = "mse:" + ",".join("1" * 19)
    assert cli("train", genome, "--set", "mse.cells=2", *flags, "--out", "trained").code == 0
    assert cli("export", "trained", "--format", "torch", "--out", "taken").code == 0
    loaded = load_network("trained")
    frames = torch.rand(4, 5, 1, 8, 8)
    np.save("frames.npy", frames.numpy())
    with torch.no_grad():
        np.save("wanted.npy", loaded.network(frames).numpy())
    code = (
        "import sys, numpy as np, torch; torch.set_num_threads(1); sys.path.insert(0, 'taken'); "
        "import network; net = network.load(); frames = torch.from_numpy(np.load('frames.npy')); "
        "assert np.array_equal(net(frames).detach().numpy(), np.load('wanted.npy')); "
        "assert 'safetensors' not in sys.modules; print('equal')"
    )
    environment = {"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    more = {"capture_output": True, "text": True, "env": environment}
    done = subprocess.run([*python, "-c", code], check=False, **more)
    assert done.stdout == "equal\n", done.stderr
    shown = subprocess.run([*python, "taken/network.py", "frames.npy"], check=False, **more)
    assert shown.stdout.count("class ") == 5, shown.stderr
    shutil.rmtree("taken/__pycache__", ignore_errors=True)
